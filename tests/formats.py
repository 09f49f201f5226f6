"""Journals to try the targets with, and the options that each target needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache

from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.ledger.local import Local
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.periods import BillingPeriod
from apportion.post.formats import sap, targets
from apportion.post.formats.target import Options, Rendered
from apportion.post.journal import Journal

OCTOBER = BillingPeriod(2026, 10)
# A day above and one below 13, so that day and month cannot be taken for each other.
DAY, DOCUMENT_DAY, REVERSED = date(2026, 10, 31), date(2026, 10, 5), date(2026, 11, 1)
BOOKS = {"1000": "EUR", "2000": "EUR"}
TEMPLATE = (
    "Upload of general journal entries\r\n\r\n"
    "*Company Code,Journal Entry Type,*Posting Date,*Document Date,*Transaction Currency,Reference,Header Text,"
    "*G/L Account,Item Text,Debit,Credit,Tax Code,Cost Center,Profit Center,Debit Amount in Company Code Currency,"
    "Credit Amount in Company Code Currency\r\n"
)
SETTINGS = {"oracle-fbdi": {"ledger_id": "300000046975971"}}
ALL = targets.names()
OURS = tuple(name for name in ALL if name in targets.TARGETS)
SHEETS = tuple(name for name in OURS if targets.TARGETS[name].sheet)


def options(name: str) -> Options:
    """What a target needs: SAP's template, Oracle's ledger, and the currencies of the books."""
    found = Options(settings=SETTINGS.get(name, {}), books=BOOKS)
    if name in {"sap-csv", "sap-xlsx"}:
        found = sap.with_template(found, TEMPLATE.encode())
        found = replace(found, settings={} if name == "sap-xlsx" else found.settings)
    return found


def rendered(name: str, journal: Journal, **changes: object) -> Rendered:
    """The journal for a target with the options it needs, changed as asked for."""
    return targets.render(name, journal, replace(options(name), **changes))  # type: ignore[arg-type]


def posting(account: str, company: str, currency: str, amount: int, /, **more: object) -> Posting:
    codes: dict[str, object] = {"cost_center": "0010", "department": "", "text": "Cloud cost 2026-10: Café “Søk”"}
    codes |= {"account": account, "company": company, "currency": currency, "amount_minor": amount}
    return Posting(**(codes | more))  # type: ignore[arg-type]


def in_euro(amount: int, rate: str = "0.9", *, inverted: bool = False) -> Local:
    return Local("EUR", amount, rate, DAY, "ECB", inverted)


def small() -> Journal:
    """Two companies, four currencies, zeros in front, a reversal, and statistical quantities."""
    transfer = Entry(
        "JN-2026-10-0001",
        DOCUMENT_DAY,
        DAY,
        "Cloud cost transfer 2026-10 to company 2000",
        (
            posting("000600", "2000", "EUR", 12345, ref="ST-2026-10-0001 ST-2026-10-0002", department="D1"),
            posting("160000", "2000", "EUR", -12345, cost_center="", partner="1000"),
            posting("140000", "1000", "EUR", 12345, cost_center="", partner="2000"),
            posting("600199", "1000", "EUR", -12345, cost_center="9900", dimensions=(("project", "P-7"),)),
        ),
    )
    foreign = Entry(
        "JN-2026-10-0002",
        DOCUMENT_DAY,
        DAY,
        "Accrual",
        (
            posting("000600", "1000", "USD", 1000, local=in_euro(900), tax_code="V1"),
            posting("000600", "1000", "JPY", 7, local=in_euro(4, "161.2", inverted=True)),
            posting("000600", "1000", "KWD", 1005, local=in_euro(305, "3.03")),
            posting("339000", "1000", "KWD", -1005, local=in_euro(-305, "3.03")),
            posting("339000", "1000", "JPY", -7, local=in_euro(-4, "161.2", inverted=True)),
            posting("339000", "1000", "USD", -1000, local=in_euro(-900)),
        ),
        kind=EntryKind.ACCRUAL,
        belongs_to=BillingPeriod(2026, 9),
    )
    showback = StatisticalEntry(
        "ST-2026-10",
        DAY,
        DAY,
        "Showback 2026-10",
        (
            StatisticalLine("900100", "1000", "0010", "D1", "EUR", 4711, "Shown to team A", "ST-2026-10-0009"),
            StatisticalLine("900100", "1000", "0020", "", "EUR", -11, "Shown to team B", "", (("project", "P-7"),)),
        ),
    )
    entries = (transfer, foreign, foreign.reversal(REVERSED))
    return Journal("JN-2026-10-abc", OCTOBER, "ab" * 32, entries, (showback,))


def whole(made: Journal, name: str) -> Journal:
    """The journal as far as a target takes it: three targets have limits that `small` goes beyond."""
    if name in {"netsuite-csv", "quickbooks-iif"}:
        return without(made, {"KWD"} if name == "netsuite-csv" else set())
    return made


def without(made: Journal, currencies: set[str]) -> Journal:
    """The journal without the lines in these currencies."""
    entries = [
        replace(entry, postings=tuple(each for each in entry.postings if each.currency not in currencies))
        for entry in made.entries
    ]
    return replace(made, entries=tuple(entries))


@cache
def hard(lines: int = 12_000, *, tame: bool = False) -> Journal:
    """One entry of many lines in three currencies with two, no and three decimals, half of them negative.

    Names are long, with quotes and letters of other scripts, and codes have zeros in front; where `tame`, texts and
    codes are short and plain, so that every target can take them.
    """
    currencies = (("EUR", None, 1), ("JPY", in_euro, 2), ("KWD", in_euro, 3))
    found: list[Posting] = []
    for number in range(lines - len(currencies)):
        currency, convert, factor = currencies[number % 3]
        amount = (number + 1) * factor * (-1 if number % 2 else 1)
        text = (
            f"Line {number}"
            if tame
            else f'Team "Ærø; {number}", 日本語 – naïve & <b>Größe</b> {"x" * (number % 90 + 1)}'
        )
        found.append(
            posting(
                f"00{600000 + number % 40}",
                "1000",
                currency,
                amount,
                cost_center=f"{number % 500:04d}",
                text=text,
                ref=f"ST-2026-10-{number:05d}",
                local=convert(amount * factor) if convert else None,
            )
        )
    closing = [
        posting("600199", "1000", currency, -_sum(found, currency), text="Transferred out",
                local=convert(-_sum_own(found, currency)) if convert else None)
        for currency, convert, _ in currencies
    ]  # fmt: skip
    entry_id = "JN-2026-10-0123456789ab-0001"
    entry = Entry(entry_id, DOCUMENT_DAY, DAY, "Cloud cost transfer 2026-10", (*found, *closing))
    return Journal("JN-2026-10-0123456789ab", OCTOBER, "cd" * 32, (entry,))


def _sum(found: Sequence[Posting], currency: str) -> int:
    return sum(each.amount_minor for each in found if each.currency == currency)


def _sum_own(found: Sequence[Posting], currency: str) -> int:
    return sum(each.local.amount_minor for each in found if each.currency == currency and each.local)
