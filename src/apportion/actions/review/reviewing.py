"""The review around accepting and disputing: opening it again, giving more time, and leaving disputes behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from apportion.actions import configured
from apportion.actions.acting import Actor, Record, person_of, recorded
from apportion.actions.moving import lock, move
from apportion.actions.notices import telling
from apportion.actions.words import said
from apportion.errors import InputRefusedError, Place
from apportion.records import reach
from apportion.records.disputes import UNDECIDED, Dispute
from apportion.records.documents import Document
from apportion.records.kinds import NAME_LENGTH
from apportion.review.deadlines import after_decision
from apportion.review.permission import Permission
from apportion.review.states import STATE_WORDS, Act, Issue, Review, StateError

FURTHEST = 366


def reopen(actor: Actor, document: int, reason: str) -> Document:
    """Put an accepted document back into review, for a controller who found it wrong or was asked to.

    Its recipient has at least the settings' `after_decision` working days. Raises `NotFoundError`, `ForbiddenError`,
    `StateError` (posted, or its period is sealed), or `InputRefusedError` without a reason.
    """
    person_of(actor)
    reach.document(actor.rights, document)
    words = said(reason, "reason", "Write why: its owner reads it.")
    with recorded(actor, "reopen", reason=words) as record:
        row = lock(document)
        move(actor, row, Act.REOPEN, record)
        _give_time(row, record)
        telling.reopened(row, words, actor)
    return row


def extend_deadline(actor: Actor, documents: Sequence[int], until: date, reason: str) -> list[Document]:
    """Give documents in review until a later day: all of them, or, where one is refused, none.

    Raises `NotFoundError`, `ForbiddenError`, `StateError` for one that is not in review, and `InputRefusedError` for a
    day that is not later, or more than a year away.
    """
    person_of(actor)
    words = said(reason, "reason", "Write why: owners read it.")
    if until > timezone.localdate() + timedelta(days=FURTHEST):
        raise InputRefusedError("That day is more than a year away.", place=Place(field="until"))
    with transaction.atomic():
        # One order, so that two who extend never wait for each other.
        numbers = [reach.document(actor.rights, number).pk for number in sorted(set(documents))]
        moved = [_extended(actor, number, until, words) for number in numbers]
        telling.extended(moved, until, words, actor)
    return moved


def _extended(actor: Actor, document: int, until: date, words: str) -> Document:
    with recorded(actor, "extend deadline", reason=words) as record:
        row = lock(document)
        actor.rights.require(Permission.DECIDE, reach.path_of(row))
        if row.issue_state != Issue.ISSUED or row.review_state not in {Review.AWAITING, Review.DISPUTED}:
            raise StateError(
                f"{row} has no review deadline to extend: it is {STATE_WORDS[Review(row.review_state)]}.",
                advice="Reopen it first, if it should be reviewed again.",
            )
        if until <= max(row.review_until or date.min, timezone.localdate()):
            raise InputRefusedError(
                f"{row} can be reviewed until {row.review_until}: the new day must be later, and not past.",
                place=Place(field="until"),
            )
        before, row.review_until = row.review_until, until
        row.save(update_fields=["review_until"])
        record.about(row)
        record.changed({"review_until": str(before)}, {"review_until": str(until)})
    return row


def leave_disputes(actor: Actor, document: Document, record: Record) -> bool:
    """Let a locked document await review again if no dispute holds it back any more; says whether it did."""
    if document.disputes.filter(state__in=UNDECIDED).exists():
        return False
    move(actor, document, Act.SETTLE, record)
    _give_time(document, record)
    return True


def subject(record: Record, document: Document, objection: Dispute) -> None:
    """Make a dispute the subject of an audit entry."""
    where = f"line {objection.line} of {document}" if objection.line is not None else str(document)
    record.subject_kind, record.subject_id = "dispute", str(objection.pk)
    record.subject = f"Dispute about {where}"[:NAME_LENGTH]


def _give_time(document: Document, record: Record) -> None:
    """Who gets a document back must be able to read it before silence counts."""
    today = timezone.localdate()
    before = document.review_until
    after = after_decision(before or today, today, configured.current().review, configured.working_days())
    if after != before:
        document.review_until = after
        document.save(update_fields=["review_until"])
        record.changed({"review_until": str(before)}, {"review_until": str(after)})
