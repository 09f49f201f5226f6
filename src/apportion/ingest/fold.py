"""The checked files of a delivery put together: totals by billing period, and what only all files together show."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypeVar

from apportion.errors import BadValueError, MixedCurrenciesError, Place
from apportion.focus import checks
from apportion.focus.finding import Example, Finding
from apportion.ingest.charges import CheckedFile
from apportion.ingest.findings import periods, rounding
from apportion.periods import BillingPeriod
from apportion.warehouse import intake_flags
from apportion.warehouse.intake_sweep import Group
from apportion.warehouse.record import Dataset, Quarantined
from apportion.warehouse.snapshot import Total

Value = TypeVar("Value")

_LEGAL_FORMS = re.compile(r"\b(inc|llc|ltd|limited|corp|corporation|company|co|gmbh|ag|sarl|sas|bv|plc)\b")
_CURRENCY_UNKNOWN = intake_flags.bit(checks.CURRENCY_UNKNOWN, "BillingCurrency")


def refuse_bad_rows(files: Sequence[CheckedFile]) -> None:
    """Raise `BadValueError` for the first row that cannot be charged, where such rows may not be kept aside."""
    bad = [file for file in files if file.refusal]
    if not bad or (first := bad[0].refusal) is None:
        return
    more = sum(file.bad_rows for file in bad) - 1
    rest = f" {more:,} more rows cannot be charged either." if more > 1 else " One more row cannot." if more else ""
    value = f": '{first.value}'" if first.value else ""
    raise BadValueError(
        f"{first.check.sentence.rstrip('.')}{value}.{rest}",
        place=Place(bad[0].staged.name, row=first.row, field=first.column),
        advice=f"{first.check.advice} Or load the rest and keep such rows aside with --quarantine.",
    )


def refuse_all_bad(files: Sequence[CheckedFile]) -> None:
    """Raise `BadValueError` where every row was kept aside: there is nothing to load."""
    groups = [group for file in files for group in file.groups]
    if groups and all(group.is_refused for group in groups):
        finding = next(finding for file in files for finding in file.findings if finding.behaviour == "quarantined")
        raise BadValueError(
            f"None of the {sum(group.rows for group in groups):,} rows can be charged. {finding.sentence}",
            place=Place(finding.file, row=finding.examples[0].row if finding.examples else None, field=finding.column),
            advice=finding.advice,
        )


def refuse_mixed_currencies(files: Sequence[CheckedFile]) -> None:
    """Raise `MixedCurrenciesError` for a provider invoice in more than one currency (invariant I4)."""
    seen: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for file in files:
        for group in file.groups:
            if group.invoice_id is not None and group.currency is not None and not group.is_refused:
                seen[group.invoice_issuer, group.invoice_id].setdefault(group.currency, file.staged.name)
    for (issuer, invoice), currencies in sorted(seen.items()):
        if len(currencies) > 1:
            raise MixedCurrenciesError(
                f"Invoice '{invoice}' of {issuer} is in {' and '.join(sorted(currencies))}.",
                place=Place(list(currencies.values())[-1], field="BillingCurrency"),
                advice="An invoice has one currency: ask the provider, or deliver each currency under its own invoice.",
            )


def totals(source: str, files: Sequence[CheckedFile]) -> dict[BillingPeriod, tuple[Total, ...]]:
    """What can be charged, by billing period, in a fixed order."""
    merged: dict[tuple[BillingPeriod, tuple[str, ...]], list[Group]] = defaultdict(list)
    for file in files:
        for group in file.groups:
            if not group.is_refused and group.start is not None:
                key = (
                    group.invoice_issuer,
                    group.billing_account_id,
                    "" if group.invoice_id is None else f"={group.invoice_id}",
                    group.currency or "",
                    group.charge_category or "",
                    group.commitment,
                )
                merged[BillingPeriod.parse(group.start[:7]), key].append(group)
    found: dict[BillingPeriod, list[Total]] = defaultdict(list)
    for (period, named), groups in sorted(merged.items()):
        billed, effective, listed, contracted = (
            _sum([group.sums[place] for group in groups]) for place in range(len(groups[0].sums))
        )
        found[period].append(
            Total(
                source,
                named[0],
                named[1],
                groups[0].invoice_id,
                named[3],
                named[4],
                named[5],
                sum(group.rows for group in groups),
                billed or 0,
                effective or 0,
                listed,
                contracted,
            )
        )
    return {period: tuple(parts) for period, parts in found.items()}


def _sum(parts: Sequence[int | None]) -> int | None:
    """A sum of which one part is unknown is unknown."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def quarantined(files: Sequence[CheckedFile]) -> dict[BillingPeriod, tuple[Quarantined, ...]]:
    """Rows kept aside, by billing period and currency; those without a readable period count in the first one."""
    loaded = sum((periods(file.groups) for file in files), Counter[BillingPeriod]())
    counted: dict[tuple[BillingPeriod, str], list[int]] = defaultdict(lambda: [0, 0])
    for file in files:
        for group in file.groups:
            if group.is_refused:
                currency = "" if group.flags & _CURRENCY_UNKNOWN else group.currency or ""
                sums = counted[_period(group) or min(loaded), currency]
                sums[0] += group.rows
                sums[1] += group.sums[0] or 0
    found: dict[BillingPeriod, list[Quarantined]] = defaultdict(list)
    for (period, currency), (rows, billed) in sorted(counted.items()):
        found[period].append(Quarantined(currency, rows, billed))
    return {period: tuple(parts) for period, parts in found.items()}


_NO_PERIOD = (
    intake_flags.bit(checks.BILLING_PERIOD_UNREADABLE, "BillingPeriodStart")
    | intake_flags.bit(checks.CHARGE_PERIOD_UNREADABLE, "ChargePeriodStart")
    | intake_flags.bit(checks.ROW_RAGGED, "")
)


def _period(group: Group) -> BillingPeriod | None:
    return None if group.start is None or group.flags & _NO_PERIOD else BillingPeriod.parse(group.start[:7])


def by_period(
    parts: Iterable[Mapping[BillingPeriod, Sequence[Value]]],
) -> dict[BillingPeriod, tuple[Value, ...]]:
    """What each file says of each billing period, put together in order."""
    found: dict[BillingPeriod, list[Value]] = defaultdict(list)
    for part in parts:
        for period, values in part.items():
            found[period] += values
    return {period: tuple(found[period]) for period in sorted(found)}


def rounding_units(files: Sequence[CheckedFile]) -> int:
    """The effect of rounding on all four costs, to a whole unit of 10⁻¹⁸."""
    effect = sum((rounding(file.groups) for file in files), Decimal(0))
    return int(effect.to_integral_value(ROUND_HALF_EVEN))


def findings(files: Sequence[CheckedFile], promised: tuple[BillingPeriod, BillingPeriod] | None) -> Iterator[Finding]:
    """What only all files together show."""
    yield from _columns_differ(files)
    counted = sum((periods(file.groups) for file in files), Counter[BillingPeriod]())
    single = all(len(periods(file.groups)) < 2 for file in files)
    if len(counted) > 1 and single:
        examples = [Example(0, f"{period}: {rows:,} rows") for period, rows in sorted(counted.items())]
        yield checks.BILLING_PERIODS_SEVERAL.finding(
            file="", column="BillingPeriodStart", rows=counted.total(), examples=examples
        )
    if promised and (beside := {period: rows for period, rows in counted.items() if not _within(period, promised)}):
        yield checks.MANIFEST_PERIOD_DIFFERS.finding(
            file="",
            column="BillingPeriodStart",
            rows=sum(beside.values()),
            examples=[Example(0, f"{period}: {rows:,} rows") for period, rows in sorted(beside.items())],
        )
    if files and files[0].reading.dataset is Dataset.COST_AND_USAGE:
        groups = [group for file in files for group in file.groups if not group.is_refused]
        yield from _issuers(groups)
        yield from _long_invoices(groups)


def _within(period: BillingPeriod, promised: tuple[BillingPeriod, BillingPeriod]) -> bool:
    return promised[0] <= period <= promised[1]


def _columns_differ(files: Sequence[CheckedFile]) -> Iterator[Finding]:
    first = {column.name for column in files[0].reading.columns} if files else set()
    for file in files[1:]:
        names = {column.name for column in file.reading.columns}
        if names != first:
            examples = [Example(0, f"- {name}") for name in sorted(first - names)]
            examples += [Example(0, f"+ {name}") for name in sorted(names - first)]
            yield checks.COLUMNS_DIFFER.finding(file=file.staged.name, column="", rows=0, examples=examples)


def _issuers(groups: Sequence[Group]) -> Iterator[Finding]:
    """Issuers that may be one company: invoicing for one provider, or alike but for their spelling."""
    rows: Counter[str] = Counter()
    alike: Mapping[str, set[str]] = defaultdict(set)
    for group in groups:
        rows[group.invoice_issuer] += group.rows
        alike[f"={_company(group.invoice_issuer)}"].add(group.invoice_issuer)
        if group.provider:
            alike[group.provider].add(group.invoice_issuer)
    several = {name for found in alike.values() if len(found) > 1 for name in found}
    names = sorted(several, key=lambda name: (-rows[name], name))
    if names:
        examples = [Example(0, f"{name}: {rows[name]:,} rows") for name in names]
        yield checks.ISSUER_SPELLINGS.finding(
            file="", column="InvoiceIssuerName", rows=sum(rows[name] for name in names), examples=examples
        )


def _company(name: str) -> str:
    plain = "".join(letter if letter.isalnum() else " " for letter in name.casefold())
    return " ".join(_LEGAL_FORMS.sub(" ", plain).split())


def _long_invoices(groups: Sequence[Group]) -> Iterator[Finding]:
    spans: Mapping[tuple[str, str], Counter[BillingPeriod]] = defaultdict(Counter)
    for group in groups:
        period = _period(group)
        if group.invoice_id is not None and period is not None:
            spans[group.invoice_issuer, group.invoice_id][period] += group.rows
    long = {key: found for key, found in spans.items() if len(found) > 1}
    if long:
        examples = [
            Example(0, f"{invoice}: {', '.join(str(period) for period in sorted(found))}")
            for (_, invoice), found in sorted(long.items())
        ]
        rows = sum(found.total() for found in long.values())
        yield checks.INVOICE_IN_SEVERAL_PERIODS.finding(file="", column="InvoiceId", rows=rows, examples=examples)
