"""Does the ledger still hold what we posted? Each entry again, and the trial balance beside the sum of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from apportion.money.amount import half_even
from apportion.money.currency import minor_text
from apportion.post.erp.book import PushState
from apportion.post.erp.document import Document
from apportion.post.erp.push import Pusher
from apportion.post.erp.target import Holding, Standing
from apportion.post.journal import Journal

_MILLION = 10**6


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account of a company over the days that were compared, in minor units of its currency.

    `ours` is what the pushed entries say, `held` what the ledger shows of the same entries, `ledger` what everybody
    posted there; None where the ledger has no trial balance.
    """

    company: str
    account: str
    currency: str
    ours: int
    held: int
    ledger: int | None

    @property
    def others(self) -> int | None:
        """What others posted on the account."""
        return None if self.ledger is None else self.ledger - self.held


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the ledger holds of some journals and their reversals.

    `passed_on` is, by company and currency, what the ledger took off the contra account: what cost groups carry.
    `differences` are sentences, one for each amount that is not what was posted.
    """

    since: date
    until: date
    rows: tuple[AccountRow, ...]
    passed_on: Mapping[tuple[str, str], int]
    differences: tuple[str, ...]


@dataclass
class _Sums:
    ours: dict[tuple[str, str], int] = field(default_factory=dict)
    held: dict[tuple[str, str], int] = field(default_factory=dict)
    currencies: dict[str, str] = field(default_factory=dict)
    days: list[date] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def count(self, document: Document, holding: Holding) -> None:
        """Add an entry as we sent it and as the ledger shows it."""
        self.currencies[document.company] = document.currency
        self.days.append(holding.posting_on)
        for sums, found in ((self.ours, document.sums(())), (self.held, holding.sums)):
            for (account, _), amount in found.items():
                place = (document.company, account)
                sums[place] = sums.get(place, 0) + amount


def read_back(run: Pusher, journals: Sequence[Journal], contra: str) -> ReadBack:
    """Ask the ledger for every pushed entry of the journals, and for its trial balance of the same days.

    A reversed entry counts together with its reversal, which must be there. `contra` is the account that passed-on cost
    is taken off. Raises `TargetError`s when the ledger does not answer.
    """
    sums = _Sums()
    for journal in journals:
        for document, push, holding in run.holdings(journal):
            if push is None or holding is None:
                continue
            if holding.standing is not Standing.POSTED:
                sums.differences.append(f"Entry {document.entry} is not posted any more ({push.number}).")
            sums.count(document, holding)
            expected = run.target.expected(document)
            if dict(holding.sums) != dict(expected):
                sums.differences.append(f"Entry {document.entry} is not what was posted as {push.number}.")
            if push.state is PushState.REVERSED:
                _count_reversal(run, document, push.key, sums)
    if not sums.days:
        return ReadBack(date.min, date.min, (), {}, tuple(sums.differences))
    since, until = min(sums.days), max(sums.days)
    rows = _rows(run, sums, since, until)
    for row in rows:
        if row.ours != row.held:
            told, said = (minor_text(amount, row.currency) for amount in (row.held, row.ours))
            sums.differences.append(
                f"Account {row.account} of company {row.company} has {told} {row.currency} of ours in the ledger; "
                f"{said} was posted."
            )
    passed_on = {(row.company, row.currency): -row.held for row in rows if row.account == contra}
    return ReadBack(since, until, rows, passed_on, tuple(sums.differences))


def recharged(back: ReadBack, invoiced: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], tuple[int, int]]:
    """The GL recharge rate: what the ledger shows as passed on, and its part of what was invoiced in millionths.

    `invoiced` is in minor units by the payer's company and currency; nothing invoiced gives a rate of zero.
    """
    found = {}
    for place, amount in invoiced.items():
        posted = back.passed_on.get(place, 0)
        found[place] = (posted, half_even(posted * _MILLION, amount) if amount > 0 else 0)
    return found


def _count_reversal(run: Pusher, document: Document, key: str, sums: _Sums) -> None:
    """The entry that took this one back: ours is the mirror, the ledger's is what it shows."""
    back = [push for push in run.book.pushes(run.target.name) if push.slot.reverses == key]
    posted = [push for push in back if push.state is PushState.POSTED]
    if not posted:
        sums.differences.append(f"The reversal of entry {document.entry} is not in the book of pushes.")
        return
    holding = run.pace.patiently(run.clock, lambda: run.target.read(document.company, posted[-1].reference))
    sums.days.append(holding.posting_on)
    mirrored = {spot: -amount for spot, amount in document.sums(()).items()}
    for into, found in ((sums.ours, mirrored), (sums.held, dict(holding.sums))):
        for (account, _), amount in found.items():
            place = (document.company, account)
            into[place] = into.get(place, 0) + amount


def _rows(run: Pusher, sums: _Sums, since: date, until: date) -> tuple[AccountRow, ...]:
    found = []
    for company in sorted(sums.currencies):
        accounts = sorted({account for place, account in {**sums.ours, **sums.held} if place == company})
        ledger = _trial(run, company, since, until, accounts)
        for account in accounts:
            place = (company, account)
            total = None if ledger is None else ledger.get(account, 0)
            ours, held = sums.ours.get(place, 0), sums.held.get(place, 0)
            found.append(AccountRow(company, account, sums.currencies[company], ours, held, total))
    return tuple(found)


def _trial(run: Pusher, company: str, since: date, until: date, accounts: Iterable[str]) -> dict[str, int] | None:
    if not run.target.traits.trial_balance:
        return None
    wanted = tuple(accounts)
    told = run.pace.patiently(run.clock, lambda: run.target.trial_balance(company, since, until, wanted))
    found: dict[str, int] = {}
    for balance in told:
        found[balance.account] = found.get(balance.account, 0) + balance.amount_minor
    return found
