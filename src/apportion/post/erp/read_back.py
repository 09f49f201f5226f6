"""Does the ledger still hold what we posted? Each entry again, and the trial balance beside the sum of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from apportion.ledger.entry import Entry, EntryKind
from apportion.money.amount import half_even
from apportion.money.currency import minor_text
from apportion.post.erp.book import Push, PushState
from apportion.post.erp.document import Document, Spot
from apportion.post.erp.push import Pusher
from apportion.post.erp.target import Holding, Standing
from apportion.post.intercompany import is_uplift
from apportion.post.journal import Journal

_MILLION = 10**6

# An account by its company and code; amounts of it are in minor units.
_Account = tuple[str, str]


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

    `passed_on` is, by company and currency, what the ledger took off the contra account and what it has of revenue from
    charges without their uplift: what cost groups carry.
    `differences` are sentences, one for each amount that is not what was posted. `of_journal` has both for each journal
    by its id; what is said of an account as a whole belongs to none of them.
    """

    since: date
    until: date
    rows: tuple[AccountRow, ...]
    passed_on: Mapping[tuple[str, str], int]
    differences: tuple[str, ...]
    of_journal: Mapping[str, JournalBack] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JournalBack:
    """What the ledger holds of one journal: see `ReadBack`. `entries` counts the parts that were looked at."""

    entries: int
    passed_on: Mapping[tuple[str, str], int]
    differences: tuple[str, ...]


@dataclass
class _Sums:
    ours: dict[_Account, int] = field(default_factory=dict)
    held: dict[_Account, int] = field(default_factory=dict)
    currencies: dict[str, str] = field(default_factory=dict)
    uplift: dict[str, int] = field(default_factory=dict)
    days: list[date] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    entries: int = 0

    def count(self, document: Document, sent: Mapping[Spot, int], holding: Holding | None, uplift: int = 0) -> None:
        """Add an entry as we sent it and as the ledger shows it; it shows nothing of one that is gone.

        `uplift` is how much of its revenue is no cost.
        """
        self.entries += 1
        if holding:
            self.uplift[document.company] = self.uplift.get(document.company, 0) + uplift
        self.currencies[document.company] = document.currency
        self.days.append(holding.posting_on if holding else document.posting_on)
        for sums, found in ((self.ours, sent), (self.held, holding.sums if holding else {})):
            for (account, _), amount in found.items():
                place = (document.company, account)
                sums[place] = sums.get(place, 0) + amount

    def add(self, other: _Sums) -> None:
        """Add those of another journal."""
        self.currencies.update(other.currencies)
        self.days += other.days
        self.differences += other.differences
        for into, found in ((self.ours, other.ours), (self.held, other.held)):
            for place, amount in found.items():
                into[place] = into.get(place, 0) + amount
        for company, amount in other.uplift.items():
            self.uplift[company] = self.uplift.get(company, 0) + amount

    def passed_on(self, contra: str, revenue: str) -> dict[tuple[str, str], int]:
        """What was taken off the contra account or is cost in revenue, by company and currency."""
        found: dict[tuple[str, str], int] = {}
        for (company, account), amount in self.held.items():
            if account == contra or (revenue and account == revenue):
                place = (company, self.currencies[company])
                off = self.uplift.get(company, 0) if account == revenue else 0
                found[place] = found.get(place, 0) - amount - off
        return found


def read_back(run: Pusher, journals: Sequence[Journal], contra: str, revenue: str = "") -> ReadBack:
    """Ask the ledger for every pushed entry of the journals, and for its trial balance of the same days.

    A reversed entry counts together with its reversal, which must be there; journals that are reversals themselves are
    not to be given beside what they take back. `contra` is the account that passed-on cost is taken off, `revenue` the
    one that charges between companies are on. Raises `TargetError`s when the ledger does not answer.
    """
    sums, of_journal = _Sums(), {}
    for journal in journals:
        found = _of_journal(run, journal, revenue)
        sums.add(found)
        of_journal[journal.id] = JournalBack(found.entries, found.passed_on(contra, revenue), tuple(found.differences))
    if not sums.days:
        return ReadBack(date.min, date.min, (), {}, tuple(sums.differences), of_journal)
    since, until = min(sums.days), max(sums.days)
    rows = _rows(run, sums, since, until)
    for row in rows:
        if row.ours != row.held:
            told, said = (minor_text(amount, row.currency) for amount in (row.held, row.ours))
            sums.differences.append(
                f"Account {row.account} of company {row.company} has {told} {row.currency} of ours in the ledger; "
                f"{said} was posted."
            )
    passed_on = sums.passed_on(contra, revenue)
    return ReadBack(since, until, rows, passed_on, tuple(sums.differences), of_journal)


def recharged(back: ReadBack, invoiced: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], tuple[int, int]]:
    """The GL recharge rate: what the ledger shows as passed on, and its part of what was invoiced in millionths.

    `invoiced` is in minor units by the payer's company and currency; nothing invoiced gives a rate of zero.
    """
    found = {}
    for place, amount in invoiced.items():
        posted = back.passed_on.get(place, 0)
        found[place] = (posted, rate(posted, amount))
    return found


def rate(passed_on: int, invoiced: int) -> int:
    """A part of what was invoiced in millionths; zero where nothing was."""
    return half_even(passed_on * _MILLION, invoiced) if invoiced > 0 else 0


def _of_journal(run: Pusher, journal: Journal, revenue: str) -> _Sums:
    sums = _Sums()
    entries = {entry.id: entry for entry in journal.entries}
    for document, push, holding in run.holdings(journal):
        if push is None or push.state not in {PushState.POSTED, PushState.REVERSED}:
            continue
        uplift = _uplift(entries[document.entry], document, revenue)
        sums.count(document, document.sums(()), holding, uplift)
        sums.differences += _of_entry(run, document, push, holding)
        if push.state is PushState.REVERSED:
            _count_reversal(run, document, push.key, sums, uplift)
    return sums


def _uplift(entry: Entry, document: Document, revenue: str) -> int:
    """How much of the revenue in a company's part of a charge is uplift, in the document's currency."""
    if entry.kind is not EntryKind.INTERCOMPANY:
        return 0
    return -sum(
        line.local.amount_minor if line.local and line.local.currency == document.currency else line.amount_minor
        for line in entry.postings
        if (line.company, line.account) == (document.company, revenue) and is_uplift(line)
    )


def _of_entry(run: Pusher, document: Document, push: Push, holding: Holding | None) -> list[str]:
    """What is not as it was posted."""
    named = f"Entry {document.entry} of company {document.company}"
    if holding is None:
        return [f"{named} is not in the ledger any more; it was posted as {push.number}."]
    found = []
    if holding.standing is not Standing.POSTED:
        found.append(f"{named} is not posted any more ({push.number}).")
        return found
    if dict(holding.sums) != dict(run.target.expected(document)):
        found.append(f"{named} is not what was posted as {push.number}.")
    for each in run.standing(document.company, push):
        if each.reference == push.reference and each.standing is Standing.POSTED:
            continue
        what = "a second time" if each.standing is Standing.POSTED else "a second time, as a draft"
        found.append(f"{named} is in the ledger {what} ({each.number or each.reference}).")
    return found


def _count_reversal(run: Pusher, document: Document, key: str, sums: _Sums, uplift: int) -> None:
    """The entry that took this one back: ours is the mirror, the ledger's is what it shows."""
    back = [push for push in run.book.pushes(run.target.name) if push.slot.reverses == key]
    posted = [push for push in back if push.state is PushState.POSTED]
    if not posted:
        sums.differences.append(f"The reversal of entry {document.entry} is not in the book of pushes.")
        return
    holding = run.held(document.company, posted[-1])
    sums.count(document, {spot: -amount for spot, amount in document.sums(()).items()}, holding, -uplift)
    if holding is None:
        sums.differences.append(f"The reversal of entry {document.entry} is not in the ledger any more.")
    elif holding.standing is not Standing.POSTED:
        sums.differences.append(f"The reversal of entry {document.entry} is not posted any more.")


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
