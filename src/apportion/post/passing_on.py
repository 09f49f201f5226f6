"""An amount passed on by weights: the shares on one side, one account on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from apportion.ledger.account import LedgerAccount
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.money.split import split
from apportion.periods import BillingPeriod


@dataclass(frozen=True, slots=True)
class Head:
    """What an entry is called and when it is: its id, its days, and what it is for."""

    id: str
    document_on: date
    posting_on: date
    text: str
    belongs_to: BillingPeriod | None = None

    def entry(self, kind: EntryKind, postings: Sequence[Posting]) -> Entry:
        """The entry of these postings, those of zero left out. Raises `UnbalancedEntryError`."""
        kept = tuple(each for each in postings if each.amount_minor or each.local)
        return Entry(self.id, self.document_on, self.posting_on, self.text, kept, kind=kind, belongs_to=self.belongs_to)


@dataclass(frozen=True, slots=True)
class Share:
    """Who takes part, by what weight (a whole number, zero or above), and the documents behind it."""

    at: LedgerAccount
    weight: int
    text: str = ""
    ref: str = ""


def pass_on(
    head: Head, kind: EntryKind, whole_minor: int, currency: str, shares: Sequence[Share], contra: LedgerAccount
) -> Entry:
    """`whole_minor` (below zero for a credit) on the shares by largest remainder, and its opposite on `contra`.

    All are accounts of one company. Raises `ZeroBasisError` and `NegativeBasisError` as `money.split` does, and
    `UnbalancedEntryError` for shares in another company or nothing to pass on.
    """
    parts = split(whole_minor, [share.weight for share in shares])
    postings = [
        Posting.at(share.at, currency, part, share.text or head.text, share.ref)
        for share, part in zip(shares, parts, strict=True)
    ]
    return head.entry(kind, [*postings, Posting.at(contra, currency, -whole_minor, head.text)])
