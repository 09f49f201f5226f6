"""What was asked for, and what is in the journals that are there already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256

from apportion.ledger.account import tidy
from apportion.ledger.entry import UNDONE, Entry, EntryKind, Posting
from apportion.ledger.statistical import StatisticalEntry
from apportion.periods import BillingPeriod
from apportion.post.accrual import reversal_on
from apportion.post.journal import Journal, of_entries
from apportion.post.mapping import PostingAccounts
from apportion.settings import Settings
from apportion.warehouse.store import Workspace

DRAFT = "draft"  # the id of an entry until its journal gives it one


class Before:
    """Journals that were drawn up before, as one list of entries."""

    def __init__(self, journals: Sequence[Journal]) -> None:
        self._ids = sorted({each.id for each in journals})
        self._entries = tuple(entry for journal in journals for entry in journal.entries)
        self._reversed = {entry.reverses: entry.posting_on for entry in self._entries if entry.reverses}
        self._takes_back = {entry.id for entry in self._entries if entry.reverses}
        counted = [entry for journal in journals for entry in journal.statistical]
        taken_back = {entry.reverses for entry in counted if entry.reverses}
        self.counted = tuple(entry for entry in counted if not entry.reverses and entry.id not in taken_back)

    def standing(self, *kinds: EntryKind) -> Iterator[Entry]:
        """Entries of these kinds that no other takes back, in their order."""
        for entry in self._entries:
            if entry.kind in kinds and not entry.reverses and entry.id not in self._reversed:
                yield entry

    def all(self, *kinds: EntryKind) -> Iterator[Entry]:
        """Entries of these kinds, taken back or not, and what takes back."""
        return (entry for entry in self._entries if entry.kind in kinds)

    def taken_back_on(self, entry: Entry) -> date | None:
        """The day on which another entry takes one back; None where none does."""
        return self._reversed.get(entry.id)

    def due_back_on(self, accrual: Entry) -> date:
        """The day that an accrual is to be taken back on: the first of the next month.

        One that was entered again, because its taking back was reversed, is due at once: its month is over.
        """
        again = accrual.id.endswith(UNDONE) and accrual.id.removesuffix(UNDONE) in self._takes_back
        return accrual.posting_on if again else reversal_on(accrual)

    def journal(
        self, period: BillingPeriod, entries: Sequence[Entry], counted: Sequence[StatisticalEntry] = ()
    ) -> Journal:
        """A journal of new entries. Their ids come from all that is in it and from what was there before.

        So what is drawn up again after a reversal has other ids than before, and the same twice has the same. What
        takes back another entry keeps its id, which is the other's with an ending.
        """
        source = "\n".join([of_entries(period, _numbered(DRAFT, entries), counted).digest, *self._ids])
        source_hash = sha256(source.encode("utf-8")).hexdigest()
        journal_id = f"JN-{period}-{source_hash[:12]}"
        kept = tuple(replace(each, id=f"{journal_id}-S{count}") for count, each in enumerate(counted, start=1))
        return Journal(journal_id, period, source_hash, tuple(_numbered(journal_id, entries)), kept)


def _numbered(name: str, entries: Sequence[Entry]) -> list[Entry]:
    return [
        entry if entry.reverses else replace(entry, id=f"{name}-{count:04d}")
        for count, entry in enumerate(entries, start=1)
    ]


@dataclass(frozen=True)
class Asked:
    """A journal that is asked for: of which workspace and period, on which accounts, and what was there before."""

    workspace: Workspace
    settings: Settings
    accounts: PostingAccounts
    period: BillingPeriod
    posting_on: date | None
    before: Before

    @property
    def last_day(self) -> date:
        """The last day of the period."""
        return last_day(self.period)

    @property
    def day(self) -> date:
        """The day to post cost of the period on."""
        return self.posting_on or self.last_day

    @property
    def reclaims_tax(self) -> bool:
        """Is tax on providers' invoices reclaimed, and so no cost?"""
        return bool(self.accounts.input_tax)

    def posted(self, entry: Entry, of: BillingPeriod, on: date) -> Entry:
        """The entry on a day; in another month than it is of, it says which one it belongs to."""
        return replace(entry, posting_on=on, belongs_to=None if BillingPeriod.of(on) == of else of)


def counterpart(entry: Entry) -> Posting:
    """The last line with an amount, which all lines before it sum to. Cents of conversion may stand behind it."""
    return next(posting for posting in reversed(entry.postings) if posting.amount_minor)


def last_day(period: BillingPeriod) -> date:
    """The last day of a billing period."""
    return period.ends_on - timedelta(days=1)


def ref(*parts: str) -> str:
    """Parts as one reference without blanks: blanks tell references apart."""
    return "/".join(tidy(part).replace(" ", "_") for part in parts if part)
