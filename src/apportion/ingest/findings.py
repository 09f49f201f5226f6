"""What the rows of one file, added up by what they break, come to as findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext

from apportion.focus import checks
from apportion.focus.checks import Check
from apportion.focus.columns import VALUES
from apportion.focus.finding import Behaviour, Finding
from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse import intake_flags, intake_tags
from apportion.warehouse.intake_sweep import SAMPLE, Group, Sweep
from apportion.warehouse.snapshot import ChargeFile

_FIRST_INSTANT = "-01 00:00:00"


def periods(groups: Sequence[Group]) -> Counter[BillingPeriod]:
    """The billing periods of the rows that can be charged, with how many rows each has."""
    found: Counter[BillingPeriod] = Counter()
    for group in groups:
        if not group.is_refused and group.start is not None:
            found[BillingPeriod.parse(group.start[:7])] += group.rows
    return found


def rounding(groups: Sequence[Group]) -> Decimal:
    """The exact effect of rounding on the rows that can be charged, in units of 10⁻¹⁸."""
    with localcontext() as context:
        context.prec = 60
        return sum((Decimal(group.effect) for group in groups if not group.is_refused), Decimal(0))


def of_rows(
    connection: engine.Connection, sweep: Sweep, file: ChargeFile, groups: Sequence[Group]
) -> Iterator[Finding]:
    """Every finding about rows of one file."""
    yield from _of_flags(connection, sweep, file, groups)
    yield from _of_values(connection, sweep, file, groups)
    yield from _of_starts(connection, sweep, file, groups)
    yield from _of_invoices(connection, sweep, file, groups)
    for check, column, rows, examples in sweep.sampled(connection):
        detail = f"Only the first {SAMPLE:,} rows were looked at." if file.rows > SAMPLE else ""
        yield check.finding(file=file.name, column=column, rows=rows, examples=examples, detail=detail)
    for check, rows, examples in intake_tags.broken(connection, file):
        detail = ""
        if check is not checks.TAGS_MALFORMED and file.rows > intake_tags.SAMPLE:
            detail = f"Only the first {intake_tags.SAMPLE:,} rows were looked at."
        yield check.finding(file=file.name, column="Tags", rows=rows, examples=examples, detail=detail)


def _of_flags(
    connection: engine.Connection, sweep: Sweep, file: ChargeFile, groups: Sequence[Group]
) -> Iterator[Finding]:
    counts: Counter[tuple[Check, str]] = Counter()
    for group in groups:
        flags = group.flags & intake_flags.REFUSED if group.is_refused else group.flags
        for flag in intake_flags.broken(flags):
            counts[flag] += group.rows
    for (check, column), rows in counts.items():
        is_refused = check.behaviour is Behaviour.REFUSED
        yield check.finding(
            file=file.name,
            column=column,
            rows=rows,
            examples=sweep.examples(connection, check, column),
            detail=_effect(groups) if check is checks.NUMBER_ROUNDED else "",
            behaviour=Behaviour.QUARANTINED if is_refused else None,
        )


def _effect(groups: Sequence[Group]) -> str:
    effect = rounding(groups)
    return f"Over all costs of the file this changed the total by {effect.scaleb(-18).normalize():f}."


def _of_values(
    connection: engine.Connection, sweep: Sweep, file: ChargeFile, groups: Sequence[Group]
) -> Iterator[Finding]:
    """Values that FOCUS does not allow: counted already where rows are grouped by them, else asked for."""
    found: dict[str, Counter[str]] = {"ChargeCategory": Counter(), "CommitmentDiscountStatus": Counter()}
    for group in groups:
        if not group.is_refused:
            found["ChargeCategory"][group.charge_category or ""] += group.rows
            if group.commitment not in ("", "purchase"):
                found["CommitmentDiscountStatus"][group.commitment] += group.rows
    for name, values in found.items():
        if file.column(name):
            wrong = Counter({value: rows for value, rows in values.items() if value not in VALUES[name]})
            yield from _of_wrong_values(connection, sweep, file, name, wrong)
    for name in ("ChargeClass", "ChargeFrequency", "PricingCategory"):
        yield from _of_wrong_values(connection, sweep, file, name, Counter(dict(sweep.wrong_values(connection, name))))


def _of_wrong_values(
    connection: engine.Connection, sweep: Sweep, file: ChargeFile, name: str, values: Counter[str]
) -> Iterator[Finding]:
    """Misspelled values and unknown ones are findings of their own."""
    allowed = {_letters(value) for value in VALUES[name]}
    for check, wanted in ((checks.VALUE_SPELLING, True), (checks.VALUE_UNKNOWN, False)):
        chosen = [value for value, _ in values.most_common() if (_letters(value) in allowed) is wanted]
        if chosen:
            condition = " OR ".join(sweep.text_is(name, value or None) for value in chosen)
            yield check.finding(
                file=file.name,
                column=name,
                rows=sum(values[value] for value in chosen),
                examples=sweep.where(connection, f"({condition})", [name]),
            )


def _of_invoices(
    connection: engine.Connection, sweep: Sweep, file: ChargeFile, groups: Sequence[Group]
) -> Iterator[Finding]:
    """Charges without a provider invoice; other datasets have no charges."""
    without = sum(group.rows for group in groups if group.invoice_id is None and not group.is_refused)
    if without and file.column("EffectiveCost"):
        there = file.column("InvoiceId") is not None
        examples = sweep.where(connection, sweep.text_is("InvoiceId", None), ["InvoiceId"]) if there else []
        yield checks.INVOICE_ID_MISSING.finding(file=file.name, column="InvoiceId", rows=without, examples=examples)


def _letters(value: str) -> str:
    return "".join(letter for letter in value.casefold() if letter.isalnum())


def _of_starts(
    connection: engine.Connection, sweep: Sweep, file: ChargeFile, groups: Sequence[Group]
) -> Iterator[Finding]:
    """Findings about the billing periods of a file: odd starts, and rows outside the period of most rows."""
    starts: Counter[str] = Counter()
    for group in groups:
        if not group.is_refused and group.start is not None:
            starts[group.start] += group.rows
    counted = periods(groups)
    main = counted.most_common(1)[0][0] if counted else None
    odd = [start for start in starts if not start.endswith(_FIRST_INSTANT)]
    stray = [start for start in starts if BillingPeriod.parse(start[:7]) != main]
    for check, chosen in ((checks.BILLING_PERIOD_ODD, odd), (checks.BILLING_PERIODS_SEVERAL, stray)):
        if chosen:
            condition = " OR ".join(sweep.starts_at(start) for start in chosen[:100])
            yield check.finding(
                file=file.name,
                column="BillingPeriodStart",
                rows=sum(starts[start] for start in chosen),
                examples=sweep.where(connection, f"({condition})", ["BillingPeriodStart"]),
                detail=f"Most rows are of {main}." if check is checks.BILLING_PERIODS_SEVERAL else "",
            )
