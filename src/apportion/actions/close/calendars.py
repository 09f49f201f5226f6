"""How far each step of a close is: what pages and programs are told alike. Reads only.

The sentences are the caller's, in the language of whoever reads them; which step is done, when and by whom, what blocks
it and who is waited for is decided here, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from apportion.actions import configured
from apportion.actions.close.close_sums import Counts
from apportion.periods import BillingPeriod
from apportion.records.closes import Close
from apportion.review.calendar import Fact, Row, Step, calendar, due_dates
from apportion.review.states import Review

PEOPLE = ("data_complete_by", "allocated_by", "issued_by", "posted_by", "sealed_by")


@dataclass(frozen=True, slots=True)
class Said:
    """What stands in the way of a step, in sentences, and who is waited for, in words.

    `missed` are sources that are expected and have sent nothing; `unreconciled` says which provider invoices do not
    agree. `is_stale`: what the run was made from has changed since.
    """

    undelivered: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    unreconciled: tuple[str, ...] = ()
    is_stale: bool = False
    differences: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    ledger: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()


def rows(close: Close, counted: Counts, said: Said, today: date) -> tuple[Row, ...]:
    """The calendar of a period's close. No query, where the people of `close` are at hand."""
    settings, days = configured.current(), configured.working_days()
    period = BillingPeriod.parse(close.period)
    due = due_dates(period, settings.close_calendar, settings.review, days, close.review_until)
    return calendar(due, facts(close, counted, said), today, days)


def facts(close: Close, counted: Counts, said: Said) -> dict[Step, Fact]:
    """What is known of each step. Charges that agree with the providers' invoices are reconciled once complete."""
    complete = close.data_complete_at
    found = {
        Step.DATA_COMPLETE: Fact(
            complete, _who(close.data_complete_by if complete else None), said.undelivered, said.missed
        ),
        Step.RECONCILE: Fact(complete if not said.unreconciled else None, "", said.unreconciled),
        Step.ALLOCATE: _allocated(close, is_stale=said.is_stale),
    }
    is_out = close.issued_at is not None and close.issued_run_digest == close.run_digest
    found[Step.ISSUE] = Fact(
        close.issued_at if is_out else None, _who(close.issued_by if is_out else None), said.differences
    )
    if close.issued_at is not None:
        found[Step.REVIEW] = _reviewed(close, counted, said)
        found[Step.POST] = _posted(close, counted, said, found[Step.REVIEW])
    sealing = said.blocking if close.issued_at is not None and found[Step.POST].done_at else ()
    found[Step.SEAL] = Fact(close.sealed_at, _who(close.sealed_by if close.sealed_at else None), sealing)
    return found


def _who(person: object) -> str:
    return str(person) if person else ""


def _allocated(close: Close, *, is_stale: bool) -> Fact:
    if close.allocated_at is None or (is_stale and close.issued_at is None):
        return Fact()
    return Fact(close.allocated_at, _who(close.allocated_by))


def _reviewed(close: Close, counted: Counts, said: Said) -> Fact:
    if said.reviewers or counted.of(Review.DISPUTED):
        return Fact(None, "", (), said.reviewers)
    return Fact(counted.reviewed_at or close.issued_at)


def _posted(close: Close, counted: Counts, said: Said, reviewed: Fact) -> Fact:
    if close.posted_at is not None:
        return Fact(close.posted_at, _who(close.posted_by))
    if not counted.charged:
        return Fact(reviewed.done_at)
    if counted.posted == counted.charged:
        return Fact(close.sealed_at or reviewed.done_at)
    if counted.exported and not counted.exportable:
        return Fact(None, "", (), said.ledger)
    return Fact()
