"""The calendar of a close: which step is due when, what is done, and what stands in the way of the seal."""

from __future__ import annotations

from datetime import date

from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from apportion.actions import configured
from apportion.actions.close import calendars, close_sums, sealing
from apportion.actions.close.calendars import Said
from apportion.actions.close.delivery_facts import delivered
from apportion.api.auth import Request
from apportion.api.route import route
from apportion.api.shapes import Instant, PeriodText, period_of
from apportion.errors import NotFoundError
from apportion.records.closes import Close
from apportion.records.rule import Reach
from apportion.records.stamp import stamp
from apportion.review.calendar import Progress, Step
from apportion.review.permission import Permission
from apportion.review.states import Review

router = Router(tags=["periods"])
_NAMED = 3


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
    close = Close.objects.select_related(*calendars.PEOPLE).filter(period=period).first()
    if close is None:
        raise NotFoundError(f"{period} is not in the books.", advice="Its close begins with its data.")
    today = timezone.localdate()
    found = close_sums.figures(stamp(), period, today) if close.issued_at else close_sums.Figures()
    rows = calendars.rows(close, found.counts, _said(close, found), today)
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


def _said(close: Close, found: close_sums.Figures) -> Said:
    """What the calendar says, in English."""
    period = period_of(close.period)
    came = delivered(period)
    digest = close.summary.get("snapshot_digest")
    open_differences = [each["sentence"] for each in close.tie_out.get("differences", ()) if not each["accepted"]]
    waiting = (
        (found.counts.of(Review.AWAITING), "the owners of {} documents"),
        (found.dispute_count, "decisions on {} disputes"),
    )
    is_answered = close.issued_at is not None and not any(count for count, _ in waiting)
    return Said(
        undelivered=() if came.is_anything else ("Nothing was delivered yet.",),
        missed=tuple(source.name for source in came.missed),
        unreconciled=tuple(f"{each.issuer} {each.number}: {each.sentence}." for each in came.invoices[:_NAMED]),
        is_stale=bool(close.allocated_at and not close.sealed_at and digest not in (None, came.digest)),
        differences=tuple(open_differences[:_NAMED]) if close.tie_out.get("holds") is False else (),
        reviewers=tuple(words.format(count) for count, words in waiting if count),
        ledger=("the ledger's confirmation",),
        # What blocks the seal is told once nobody is waited for any more, and is only asked for then.
        blocking=sealing.blocking(period, configured.current()) if is_answered and not close.sealed_at else (),
    )
