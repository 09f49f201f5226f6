"""Cost before its invoice: accrued at the end of the month, taken back on the first of the next, trued up later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from apportion.errors import BadValueError, InputRefusedError
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.periods import BillingPeriod
from apportion.post.mapping import PostingAccounts
from apportion.post.passing_on import Head, Share, pass_on


@dataclass(frozen=True, slots=True)
class Expected:
    """Cost of a period whose provider invoice is not there; `ref` names it or its issuer, without blanks."""

    ref: str
    currency: str
    minor: int
    text: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A provider invoice that arrived for an expected one: its net amount, and whether more is to come."""

    ref: str
    minor: int
    is_last: bool = True


def accrue(period: BillingPeriod, expected: Iterable[Expected], entry_id: str, accounts: PostingAccounts) -> Entry:
    """Debit the payer's cost, credit `accrued`, on the last day of the period; made on the first day after it.

    Raises `UnmappedError`, and `BadValueError` for the same reference twice.
    """
    waiting = tuple(expected)
    refs = [each.ref for each in waiting]
    if len(set(refs)) != len(refs) or not all(refs) or any(" " in ref for ref in refs):
        raise BadValueError("Each expected invoice needs a reference of its own, without blanks.")
    last_day = period.ends_on - timedelta(days=1)
    postings = [
        posting
        for each in waiting
        for posting in (
            Posting.at(accounts.expense, each.currency, each.minor, each.text, each.ref),
            Posting.at(accounts.at("accrued"), each.currency, -each.minor, each.text, each.ref),
        )
    ]
    return Head(entry_id, last_day, last_day, f"Cloud cost {period} without invoice").entry(EntryKind.ACCRUAL, postings)


def reversal_on(accrual: Entry) -> date:
    """The day of the automatic reversal: the first of the month after the accrual."""
    return BillingPeriod.of(accrual.posting_on).ends_on


def reverse(accrual: Entry) -> Entry:
    """All of it taken back on the first of the next month. Raises `InputRefusedError` for an entry of another kind."""
    if accrual.kind is not EntryKind.ACCRUAL:
        raise InputRefusedError(f"Entry {accrual.id} is no accrual.", advice="Reverse it as any other entry.")
    return accrual.reversal(reversal_on(accrual))


def release(
    accrual: Entry,
    released: Sequence[Entry],
    arrivals: Sequence[Arrival],
    entry_id: str,
    posting_on: date,
) -> Entry | None:
    """Only what arrived is taken back, for companies that keep an accrual until its invoices are there.

    Of each expected invoice as much as arrived, never more than is left of it after the entries `released` so far;
    with the last one, all that is left. None where nothing is left to take back. Raises `InputRefusedError` for an
    arrival that was not accrued.
    """
    left: dict[str, int] = {}
    for posting in (each for entry in (accrual, *released) for each in entry.postings):
        if posting.account == _account(accrual):
            left[posting.ref] = left.get(posting.ref, 0) - posting.amount_minor
    share: dict[str, int] = {}
    for arrival in arrivals:
        if arrival.ref not in left:
            raise InputRefusedError(
                f"Nothing was accrued for {arrival.ref}.", advice="Enter its invoice without an accrual."
            )
        rest = left[arrival.ref] - share.get(arrival.ref, 0)
        size = abs(rest) if arrival.is_last else min(abs(rest), max(arrival.minor * _sign(rest), 0))
        share[arrival.ref] = share.get(arrival.ref, 0) + size * _sign(rest)
    postings = []
    for posting in accrual.postings:
        matched = share.get(posting.ref, 0)
        if matched:
            amount = matched if posting.account == _account(accrual) else -matched
            postings.append(Posting.at(posting.ledger_account, posting.currency, amount, posting.text, posting.ref))
    if not postings:
        return None
    head = Head(entry_id, posting_on, posting_on, f"Invoices arrived: {accrual.text}")
    return head.entry(EntryKind.ACCRUAL_REVERSAL, postings)


def true_up(
    head: Head,
    accrued_minor: int,
    invoiced_minor: int,
    currency: str,
    shares: Sequence[Share],
    accounts: PostingAccounts,
) -> Entry | None:
    """What the invoice differs from what was passed on before, passed on by the same weights; None where it does not.

    Raises as `pass_on` does.
    """
    difference = invoiced_minor - accrued_minor
    if not difference:
        return None
    return pass_on(head, EntryKind.TRUE_UP, difference, currency, shares, accounts.contra)


def _account(accrual: Entry) -> str:
    """The account of what is owed without an invoice: every second line's (see `accrue`)."""
    return accrual.postings[1].account


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
