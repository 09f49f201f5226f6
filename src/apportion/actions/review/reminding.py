"""Reminding owners by hand, before the timer would."""

from __future__ import annotations

from django.utils import timezone

from apportion.actions import configured
from apportion.actions.acting import Actor, person_of, recorded
from apportion.actions.close.closing import close_of
from apportion.actions.notices import telling
from apportion.periods import BillingPeriod
from apportion.records.documents import Document
from apportion.review.deadlines import days_left
from apportion.review.permission import Permission
from apportion.review.states import Issue, Review, StateError


def remind(actor: Actor, period: BillingPeriod) -> int:
    """Remind the owners of what awaits their review in a period; gives about how many documents.

    Twice on a day, they get one mail. Raises `ForbiddenError`, and `StateError` where nothing waits.
    """
    actor.rights.require(Permission.ISSUE)
    person_of(actor)
    with recorded(actor, "remind") as record:
        close = close_of(period)
        rows = list(
            Document.objects.filter(
                period=str(period),
                issue_state=Issue.ISSUED,
                review_state=Review.AWAITING,
                cost_group__isnull=False,
            )
            .select_related("cost_group")
            .order_by("pk")
        )
        if not rows:
            raise StateError(f"Nothing of {period} awaits review.", advice="Nobody has to be reminded.")
        today, days = timezone.localdate(), configured.working_days()
        by_days: dict[int, list[Document]] = {}
        for row in rows:
            by_days.setdefault(max(days_left(row.review_until or today, today, days), 0), []).append(row)
        for left, documents in by_days.items():
            telling.reminded(documents, left)
        record.about(close)
        record.changed({}, {"reminded": len(rows)})
    return len(rows)
