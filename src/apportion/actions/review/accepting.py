"""Accepting documents: one, or all that await review in a part of the tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from apportion.actions import configured
from apportion.actions.acting import Actor, person_of, recorded
from apportion.actions.moving import lock, move
from apportion.actions.notices import telling
from apportion.actions.words import cleaned
from apportion.errors import ApportionError, InputRefusedError
from apportion.records import reach
from apportion.records.documents import Document
from apportion.review.permission import Permission
from apportion.review.states import Act, Issue, Review

MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one document of many; `sentence` says why it was not accepted."""

    document: int
    label: str
    is_accepted: bool
    sentence: str = ""


def accept(actor: Actor, document: int, *, remark: str = "") -> Document:
    """Accept a document for those who answer for its cost group.

    Raises `NotFoundError`, `ForbiddenError`, and `StateError` where it does not await review (any more).
    """
    person_of(actor)
    reach.document(actor.rights, document)
    with recorded(actor, "accept", reason=cleaned(remark)) as record:
        row = lock(document)
        move(actor, row, Act.ACCEPT, record, configured.silence())
        telling.accepted(row, actor)
    return row


def awaiting(actor: Actor, *, below: int | None = None) -> QuerySet[Document]:
    """The documents that the actor could accept now, of one cost group and those under it, or of all.

    Raises `NotFoundError` for a cost group that the actor does not reach.
    """
    found = Document.objects.filter(
        actor.rights.within(Permission.ACCEPT, "cost_group__"),
        issue_state=Issue.ISSUED,
        review_state=Review.AWAITING,
    )
    if below is not None:
        found = found.filter(cost_group__path__startswith=reach.cost_group(actor.rights, below).path)
    return found.order_by("period", "cost_group__number", "pk")


def accept_many(
    actor: Actor, documents: Sequence[int] | None = None, *, below: int | None = None, remark: str = ""
) -> list[Answer]:
    """Accept the named documents, or with `below` all that await review in that cost group and those under it.

    Each is an act of its own: what cannot be accepted is answered with the reason and keeps nothing else back. No more
    than `MOST_AT_ONCE` at a time. Raises `InputRefusedError` where neither or too many are named.
    """
    person_of(actor)
    if documents is None and below is None:
        raise InputRefusedError("Nothing is named that should be accepted.", advice="Choose at least one document.")
    wanted = list(dict.fromkeys(documents)) if documents is not None else _numbers(actor, below)
    if len(wanted) > MOST_AT_ONCE:
        raise InputRefusedError(
            f"{len(wanted):,} documents are more than can be accepted at once.",
            advice=f"Accept at most {MOST_AT_ONCE:,}, such as those of one branch.",
        )
    known = [number for number in wanted if 0 < number < 2**63]  # what a database can be asked for
    labels = dict(reach.documents(actor.rights).filter(pk__in=known).values_list("pk", "label"))
    return [_answer(actor, number, labels.get(number) or "", remark) for number in wanted]


def _numbers(actor: Actor, below: int | None) -> list[int]:
    return list(awaiting(actor, below=below).values_list("pk", flat=True)[:MOST_AT_ONCE])


def _answer(actor: Actor, document: int, label: str, remark: str) -> Answer:
    try:
        accept(actor, document, remark=remark)
    except ApportionError as error:
        return Answer(document, label, is_accepted=False, sentence=error.sentence)
    return Answer(document, label, is_accepted=True)
