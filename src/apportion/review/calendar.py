"""The calendar of a period's close: which step is due when, what is done, what blocks, and who is waited for.

Takes the period, the settings and plain facts of each step; gives rows that a page prints. Decides nothing and looks at
no clock: the day is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from apportion.periods import BillingPeriod
from apportion.review.workdays import WEEKENDS_ONLY, Workdays
from apportion.settings import CloseCalendarSettings, ReviewSettings


class Step(StrEnum):
    """The steps of a close, in their order."""

    DATA_COMPLETE = "data_complete"
    RECONCILE = "reconcile"
    ALLOCATE = "allocate"
    ISSUE = "issue"
    REVIEW = "review"
    POST = "post"
    SEAL = "seal"


STEP_WORDS = {
    Step.DATA_COMPLETE: "Data complete",
    Step.RECONCILE: "Reconcile with the providers' invoices",
    Step.ALLOCATE: "Allocate",
    Step.ISSUE: "Issue the documents",
    Step.REVIEW: "Review deadline",
    Step.POST: "Post to the ledger",
    Step.SEAL: "Seal the period",
}


class Progress(StrEnum):
    """How far a step is."""

    DONE = "done"
    BLOCKED = "blocked"  # something stands in its way
    WAITING = "waiting"  # somebody has to do their part
    NEXT = "next"  # it can be done now
    LATER = "later"  # steps before it are not done


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of a step: when and by whom it was done, what blocks it (in sentences), who is waited for."""

    done_at: datetime | None = None
    done_by: str = ""
    blocked_by: tuple[str, ...] = ()
    waiting_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A step as it is printed. `days_late` are working days past the due date, until it was done or until today."""

    step: Step
    due_on: date
    progress: Progress
    days_late: int
    done_at: datetime | None
    done_by: str
    blocked_by: tuple[str, ...]
    waiting_for: tuple[str, ...]
    after: Step | None
    sentence: str


def due_dates(
    period: BillingPeriod,
    settings: CloseCalendarSettings,
    review: ReviewSettings,
    days: Workdays = WEEKENDS_ONLY,
    review_until: date | None = None,
) -> dict[Step, date]:
    """When each step is due. Working day 1 is the first one after the period.

    The review deadline is `review_until` once documents are issued; until then so many working days after the day that
    they are due. Posting and sealing are never due before it.
    """
    end = days.before(period.ends_on, 1)  # so that day 1 is the first of the next month, where that is a working day
    due = {
        Step.DATA_COMPLETE: days.after(end, settings.data_complete),
        Step.RECONCILE: days.after(end, settings.reconcile),
        Step.ALLOCATE: days.after(end, settings.allocate),
        Step.ISSUE: days.after(end, settings.issue),
    }
    due[Step.REVIEW] = review_until or days.after(due[Step.ISSUE], review.days)
    due[Step.POST] = max(days.after(end, settings.post), due[Step.REVIEW])
    due[Step.SEAL] = max(days.after(end, settings.seal), due[Step.POST])
    return due


def calendar(
    due: Mapping[Step, date], facts: Mapping[Step, Fact], today: date, days: Workdays = WEEKENDS_ONLY
) -> tuple[Row, ...]:
    """A row for each step, in order. A step without facts is not done; one that is done stays so, whatever blocks."""
    rows: list[Row] = []
    for step in Step:
        before = next((row.step for row in rows if row.progress is not Progress.DONE), None)
        rows.append(_row(step, due[step], facts.get(step, Fact()), before, today, days))
    return tuple(rows)


def _row(step: Step, due_on: date, fact: Fact, before: Step | None, today: date, days: Workdays) -> Row:
    progress = _progress(fact, before)
    until = fact.done_at.date() if fact.done_at else today
    late = max(days.between(due_on, until), 0)
    return Row(
        step=step,
        due_on=due_on,
        progress=progress,
        days_late=late,
        done_at=fact.done_at,
        done_by=fact.done_by,
        blocked_by=fact.blocked_by,
        waiting_for=fact.waiting_for,
        after=before if progress is Progress.LATER else None,
        sentence=_sentence(progress, fact, before, late),
    )


def _progress(fact: Fact, before: Step | None) -> Progress:
    if fact.done_at:
        return Progress.DONE
    if fact.blocked_by:
        return Progress.BLOCKED
    if before:
        return Progress.LATER
    return Progress.WAITING if fact.waiting_for else Progress.NEXT


def _sentence(progress: Progress, fact: Fact, before: Step | None, late: int) -> str:
    passed = f" {late} working day{'s' if late > 1 else ''} late." if late else ""
    match progress:
        case Progress.DONE:
            by = f" by {fact.done_by}" if fact.done_by else ""
            return f"Done{by}.{passed}"
        case Progress.BLOCKED:
            return f"{' '.join(fact.blocked_by)}{passed}"
        case Progress.WAITING:
            return f"Waiting for {_listed(fact.waiting_for)}.{passed}"
        case Progress.LATER:
            return f"After “{STEP_WORDS[before]}”.{passed}" if before else passed.strip()
        case Progress.NEXT:
            return f"Can be done now.{passed}"


def _listed(names: tuple[str, ...], most: int = 3) -> str:
    shown = list(names) if len(names) <= most else [*names[:most], f"{len(names) - most} more"]
    *first, last = shown
    return f"{', '.join(first)} and {last}" if first else last
