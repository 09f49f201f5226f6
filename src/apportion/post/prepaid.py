"""Commitments that are paid for before they are used: an asset, and its amortisation day by day.

The cumulative amount after some days is price × days ÷ all days, rounded half up to minor units; a month's is the
difference. So the parts sum to the price, and what is left is never more than half a minor unit off. Source: W14.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from apportion.errors import BadValueError, InputRefusedError
from apportion.ledger.account import LedgerAccount
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.money.split import to_step
from apportion.periods import BillingPeriod
from apportion.post.mapping import PostingAccounts
from apportion.post.passing_on import Head, Share, pass_on


@dataclass(frozen=True, slots=True)
class Commitment:
    """What was bought for the days from `starts_on` to `ends_on`, both included.

    `upfront_minor` is what was paid before (nothing: there is no asset). `ended_on` is the last day of use of one that
    ended early or was exchanged. Raises `BadValueError` for days that are out of order.
    """

    id: str
    name: str
    starts_on: date
    ends_on: date
    currency: str
    upfront_minor: int
    ended_on: date | None = None

    def __post_init__(self) -> None:
        if self.ends_on < self.starts_on:
            raise BadValueError(f"Commitment {self.id} ends on {self.ends_on}, before it starts.")
        if self.ended_on is not None and not self.starts_on <= self.ended_on <= self.ends_on:
            raise BadValueError(f"Commitment {self.id} cannot have ended on {self.ended_on}.")

    @property
    def days(self) -> int:
        """All days that it was bought for."""
        return (self.ends_on - self.starts_on).days + 1

    def used_minor(self, until: date) -> int:
        """What is used up of the price at the end of day `until`."""
        last = min(until, self.ended_on or self.ends_on)
        days = max((last - self.starts_on).days + 1, 0)
        return to_step(self.upfront_minor * days, self.days)

    @property
    def rest_minor(self) -> int:
        """What an early end or an exchange leaves, and moves once."""
        return self.upfront_minor - self.used_minor(self.ends_on)


@dataclass(frozen=True, slots=True)
class Instalment:
    """A month's part: how many days, the amount, and all amounts up to it."""

    period: BillingPeriod
    days: int
    minor: int
    cumulative_minor: int


def schedule(commitment: Commitment) -> tuple[Instalment, ...]:
    """Every month of use in order. The last cumulative amount is the price, less what an early end leaves."""
    found: list[Instalment] = []
    period, last = BillingPeriod.of(commitment.starts_on), commitment.ended_on or commitment.ends_on
    before = 0
    while period.starts_on <= last:
        first = max(period.starts_on, commitment.starts_on)
        after = min(period.ends_on, last + timedelta(days=1))
        used = commitment.used_minor(after - timedelta(days=1))
        found.append(Instalment(period, (after - first).days, used - before, used))
        before, period = used, period.next
    return tuple(found)


def purchase(commitment: Commitment, entry_id: str, posting_on: date, accounts: PostingAccounts) -> Entry | None:
    """The asset and what is owed for it; None where nothing is paid before. Raises `UnmappedError`."""
    if not commitment.upfront_minor:
        return None
    head = Head(entry_id, posting_on, posting_on, f"Prepaid: {commitment.name}")
    currency, minor = commitment.currency, commitment.upfront_minor
    return head.entry(
        EntryKind.PREPAYMENT,
        [
            Posting.at(accounts.at("prepaid"), currency, minor, head.text, commitment.id),
            Posting.at(accounts.at("payables"), currency, -minor, head.text, commitment.id),
        ],
    )


def amortise(
    commitment: Commitment, period: BillingPeriod, shares: Sequence[Share], entry_id: str, accounts: PostingAccounts
) -> Entry | None:
    """A month's part on those who used it, by their weights (the unused part is a share too); None in other months.

    Raises `UnmappedError`, and as `pass_on` does.
    """
    month = next((each for each in schedule(commitment) if each.period == period), None)
    if month is None or not month.minor:
        return None
    last_day = period.ends_on - timedelta(days=1)
    head = Head(entry_id, last_day, last_day, f"Used up {period}: {commitment.name}")
    named = [Share(each.at, each.weight, each.text, each.ref or commitment.id) for each in shares]
    entry = pass_on(head, EntryKind.AMORTISATION, month.minor, commitment.currency, named, accounts.at("prepaid"))
    return _with_ref(entry, commitment.id)


def end_early(
    commitment: Commitment, moved_to: LedgerAccount, entry_id: str, accounts: PostingAccounts
) -> Entry | None:
    """What an early end or an exchange leaves, moved once: to cost, or to the commitment that came in its place.

    None where nothing is left. Raises `InputRefusedError` where the commitment has not ended, and `UnmappedError`.
    """
    if commitment.ended_on is None:
        raise InputRefusedError(f"Commitment {commitment.id} has not ended early.", advice="Say its last day of use.")
    if not commitment.rest_minor:
        return None
    day = commitment.ended_on
    head = Head(entry_id, day, day, f"Ended early: {commitment.name}")
    shares = [Share(moved_to, 1, ref=commitment.id)]
    prepaid = accounts.at("prepaid")
    entry = pass_on(head, EntryKind.AMORTISATION, commitment.rest_minor, commitment.currency, shares, prepaid)
    return _with_ref(entry, commitment.id)


def _with_ref(entry: Entry, ref: str) -> Entry:
    """The asset's own line, which is the last, names the commitment as well."""
    *shares, asset = entry.postings
    return replace(entry, postings=(*shares, replace(asset, ref=ref)))
