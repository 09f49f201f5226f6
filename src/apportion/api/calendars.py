"""The calendar of a close: which step is due when, what is done, and what stands in the way of the seal."""

from __future__ import annotations

from datetime import date

from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from apportion.actions import configured, sealing, tying
from apportion.api.auth import Request
from apportion.api.route import route
from apportion.api.shapes import Instant, PeriodText, period_of
from apportion.errors import NotFoundError
from apportion.records.closes import Close
from apportion.records.rule import Reach
from apportion.review.calendar import Fact, Progress, Step, calendar, due_dates
from apportion.review.permission import Permission
from apportion.review.states import Review

router = Router(tags=["periods"])
_PEOPLE = ("data_complete_by", "allocated_by", "issued_by", "posted_by", "sealed_by")


class StepRow(Schema):
    """A step of the close."""

    step: Step
    due_on: date
    progress: Progress
    days_late: int = Field(description="Working days past the due date, until it was done or until today")
    done_at: Instant | None
    done_by: str
    blocked_by: list[str]
    waiting_for: list[str]
    sentence: str


@route(router, "GET", "/periods/{period}/calendar", Reach.EVERYWHERE, Permission.SEE_CLOSE, gives=list[StepRow])
def get_calendar(request: Request, period: PeriodText) -> list[StepRow]:
    """Get the steps of a close with their due dates, and how far each is."""
    close = Close.objects.select_related(*_PEOPLE).filter(period=period).first()
    if close is None:
        raise NotFoundError(f"{period} is not in the books.", advice="Its close begins with its data.")
    settings, days = configured.current(), configured.working_days()
    due = due_dates(period_of(period), settings.close_calendar, settings.review, days, close.review_until)
    rows = calendar(due, _facts(close), timezone.localdate(), days)
    return [
        StepRow(
            step=row.step,
            due_on=row.due_on,
            progress=row.progress,
            days_late=row.days_late,
            done_at=row.done_at,
            done_by=row.done_by,
            blocked_by=[*row.blocked_by],
            waiting_for=[*row.waiting_for],
            sentence=row.sentence,
        )
        for row in rows
    ]


def _facts(close: Close) -> dict[Step, Fact]:
    """What the books say of each step. A run that ties out has been reconciled with the providers' invoices."""
    period = period_of(close.period)
    holds = close.tie_out.get("holds")
    open_differences = [each["sentence"] for each in close.tie_out.get("differences", ()) if not each["accepted"]]
    is_out = close.issued_at is not None and close.issued_run_digest == close.run_digest
    by_state = tying.by_state(period)
    undecided, awaiting = by_state.get(Review.DISPUTED, 0), by_state.get(Review.AWAITING, 0)
    waiting = [
        words
        for count, words in (
            (awaiting, f"owners of {awaiting} documents"),
            (undecided, f"decisions on {undecided} disputed documents"),
        )
        if count
    ]
    reviewed = close.issued_at if is_out and not waiting else None
    return {
        Step.DATA_COMPLETE: Fact(close.data_complete_at, _name(close.data_complete_by)),
        Step.RECONCILE: Fact(
            close.allocated_at if holds else None, "", tuple(open_differences[:3]) if holds is False else ()
        ),
        Step.ALLOCATE: Fact(close.allocated_at, _name(close.allocated_by)),
        Step.ISSUE: Fact(close.issued_at if is_out else None, _name(close.issued_by) if is_out else ""),
        Step.REVIEW: Fact(reviewed, "", (), tuple(waiting) if is_out else ()),
        Step.POST: Fact(close.posted_at, _name(close.posted_by)),
        Step.SEAL: Fact(
            close.sealed_at,
            _name(close.sealed_by),
            () if close.sealed_at or not is_out else sealing.blocking(period, configured.current()),
        ),
    }


def _name(person: object) -> str:
    return str(person) if person else ""
