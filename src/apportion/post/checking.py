"""A journal against the target's master data, line by line, before anything is written or sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from apportion.errors import JournalRefusedError, Mistake, Place
from apportion.ledger.account import LedgerAccount
from apportion.periods import BillingPeriod
from apportion.post.journal import Journal
from apportion.post.master_data import MasterData, Open


def faults(journal: Journal, master: MasterData) -> tuple[Mistake, ...]:
    """Every line that the ledger would refuse, each with its entry, number and field, and what to do about it."""
    return tuple(_faults(journal, master))


def require(journal: Journal, master: MasterData) -> None:
    """Raise `JournalRefusedError` with every line that the ledger would refuse."""
    found = faults(journal, master)
    if found:
        raise JournalRefusedError(found)


def _faults(journal: Journal, master: MasterData) -> Iterator[Mistake]:
    for entry in journal.entries:
        for number, posting in enumerate(entry.postings, start=1):
            place = Place(entry.id, row=number)
            yield from _line(master, posting.ledger_account, posting.currency, entry.posting_on, place, counts=False)
        yield from _periods(master, entry.id, {each.company for each in entry.postings}, entry.posting_on)
    for statistical in journal.statistical:
        for number, line in enumerate(statistical.lines, start=1):
            place = Place(statistical.id, row=number)
            yield from _line(master, line.ledger_account, line.unit, statistical.posting_on, place, counts=True)
        yield from _periods(
            master, statistical.id, {each.company for each in statistical.lines}, statistical.posting_on
        )


def _line(
    master: MasterData, at: LedgerAccount, currency: str, day: date, place: Place, *, counts: bool
) -> Iterator[Mistake]:
    where = f"in company {at.company}" if at.company else "in the ledger"
    if master.accounts is not None:
        yield from _account(master, at, currency, day, place, where, counts=counts)
    if master.cost_centers is not None and at.cost_center:
        open_ = master.cost_center(at.company, at.cost_center)
        yield from _code("COST_CENTER", f"cost center {at.cost_center}", open_, day, _in(place, "cost_center"), where)
    if master.dimensions is not None:
        for name, code in at.dimensions:
            open_ = master.dimension(at.company, name, code)
            yield from _code("DIMENSION", f"{name} {code}", open_, day, _in(place, name), where)


def _account(
    master: MasterData, at: LedgerAccount, currency: str, day: date, place: Place, where: str, *, counts: bool
) -> Iterator[Mistake]:
    found = master.account(at.company, at.account)
    spot = _in(place, "account")
    yield from _code("ACCOUNT", f"account {at.account}", found.open if found else None, day, spot, where)
    if found is None:
        return
    if found.currencies and currency not in found.currencies:
        yield Mistake(
            "WRONG_CURRENCY",
            f"Account {at.account} {where} takes {', '.join(sorted(found.currencies))}, not {currency}.",
            _in(place, "currency"),
            "Use another account, or allow the currency in the ledger.",
        )
    if found.statistical is not counts:
        yield Mistake(
            "STATISTICAL_ACCOUNT",
            f"Account {at.account} {where} counts quantities and takes no money."
            if found.statistical
            else f"Account {at.account} {where} takes money and counts no quantities.",
            spot,
            "Use another account.",
        )


def _code(code: str, name: str, open_: Open | None, day: date, place: Place, where: str) -> Iterator[Mistake]:
    if open_ is None:
        yield Mistake(
            f"UNKNOWN_{code}",
            f"There is no {name} {where}.",
            place,
            "Correct the code in the organization file or the settings, or open it in the ledger.",
        )
    elif not open_.on(day):
        said = f"opens on {open_.opens_on}" if open_.opens_on and day < open_.opens_on else "is closed"
        since = f" since {open_.closes_on}" if said == "is closed" else ""
        yield Mistake(
            f"CLOSED_{code}",
            f"{name[0].upper()}{name[1:]} {where} {said}{since}, and the line is posted on {day}.",
            place,
            "Use another code, or open it in the ledger.",
        )


def _periods(master: MasterData, entry_id: str, companies: set[str], day: date) -> Iterator[Mistake]:
    if master.periods is None:
        return
    period = BillingPeriod.of(day)
    for company in sorted(companies):
        open_ = master.is_open(company, period)
        if not open_:
            who = f"Company {company}" if company else "The ledger"
            said = f"{who} has no period {period}" if open_ is None else f"{who} has closed {period}"
            yield Mistake(
                "CLOSED_PERIOD",
                f"{said}, and the entry is posted on {day}.",
                Place(entry_id, field="posting_on"),
                "Post it in the next open period, or open this one in the ledger.",
            )


def _in(place: Place, field: str) -> Place:
    return Place(place.file, row=place.row, field=field)
