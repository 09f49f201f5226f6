"""The review deadline, and what is due around it: reminders before, escalations or deemed acceptance after.

Takes the settings, the day and what was sent; gives the deadline and the notices that are due. Sends nothing. The last
day itself still belongs to the recipient: the deadline has passed on the day after.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from apportion.review.states import Issue, Review, Situation
from apportion.review.workdays import WEEKENDS_ONLY, Workdays
from apportion.settings import ReviewSettings


class NoticeKind(StrEnum):
    """What is due. A reminder goes to the owners, an escalation to whoever stands above them."""

    REMINDER = "reminder"
    ESCALATION = "escalation"
    DEEM_ACCEPTED = "deem_accepted"


@dataclass(frozen=True, slots=True, order=True)
class Notice:
    """One notice, once for each document. `days` are the settings' working days before or after the deadline."""

    kind: NoticeKind
    days: int


def deadline(issued_on: date, review: ReviewSettings, days: Workdays = WEEKENDS_ONLY) -> date:
    """The last day on which a document issued then can be reviewed in time."""
    return days.after(issued_on, review.days)


def after_decision(
    review_until: date, decided_on: date, review: ReviewSettings, days: Workdays = WEEKENDS_ONLY
) -> date:
    """The deadline once the last open dispute is decided or withdrawn: never earlier, and with time to read it."""
    return max(review_until, days.after(decided_on, review.after_decision))


def has_passed(review_until: date, today: date) -> bool:
    """Is the review deadline over?"""
    return today > review_until


def days_left(review_until: date, today: date, days: Workdays = WEEKENDS_ONLY) -> int:
    """Working days that are left after today, the last day counted; below zero: how many have passed since."""
    return days.between(today, review_until)


def schedule(review_until: date, review: ReviewSettings, days: Workdays = WEEKENDS_ONLY) -> dict[Notice, date]:
    """When each notice is due for a document that stays silent, in the order of days.

    Where silence accepts, there is nothing to escalate: the document counts as accepted on the day after the deadline.
    """
    due = {Notice(NoticeKind.REMINDER, count): days.before(review_until, count) for count in review.remind}
    if review.silence == "accepts":
        due[Notice(NoticeKind.DEEM_ACCEPTED, 0)] = date.fromordinal(review_until.toordinal() + 1)
    else:
        due |= {Notice(NoticeKind.ESCALATION, count): days.after(review_until, count) for count in review.escalate}
    return dict(sorted(due.items(), key=lambda item: (item[1], item[0])))


def due(
    now: Situation,
    review_until: date,
    today: date,
    sent: Collection[Notice],
    review: ReviewSettings,
    days: Workdays = WEEKENDS_ONLY,
) -> tuple[Notice, ...]:
    """What is due today for one document.

    Nothing unless it is issued and awaits review. Of several reminders, or escalations, that are due at once (the timer
    was down) only the latest goes out, and never one that is older than what was sent; no reminder does after the
    deadline.
    """
    if now.issue is not Issue.ISSUED or now.review is not Review.AWAITING or now.open_disputes:
        return ()
    dates = schedule(review_until, review, days)
    found = []
    for kind in NoticeKind:
        if kind is NoticeKind.REMINDER and has_passed(review_until, today):
            continue
        reached = [notice for notice, on in dates.items() if notice.kind is kind and on <= today]
        if reached and not any(notice in sent for notice in _from(reached[-1], dates)):
            found.append(reached[-1])
    return tuple(found)


def _from(notice: Notice, dates: dict[Notice, date]) -> list[Notice]:
    """The notice and those of its kind that are due later: where one of them was sent, this one is too late."""
    same = [each for each in dates if each.kind is notice.kind]
    return same[same.index(notice) :]
