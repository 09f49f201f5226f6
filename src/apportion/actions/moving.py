"""How a document goes from one state to the next: always by the table, always locked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from django.utils import timezone

from apportion.actions.acting import Actor, Record, locked, require_second_person
from apportion.invoice.paper import PaperKind
from apportion.records.closes import Close
from apportion.records.disputes import UNDECIDED, Dispute
from apportion.records.documents import Document
from apportion.records.reach import path_of
from apportion.review.states import Act, Issue, Posting, Review, Situation, step, transition


@dataclass(frozen=True, slots=True)
class Silence:
    """What a review deadline that has passed means: from the settings."""

    accepts: bool
    today: date


def situation(document: Document, silence: Silence | None = None) -> Situation:
    """Where a document stands, with what the guards ask. Three queries."""
    return Situation(
        kind=PaperKind(document.kind),
        issue=Issue(document.issue_state),
        review=Review(document.review_state),
        posting=Posting(document.posting_state),
        open_disputes=Dispute.objects.filter(document=document, state__in=UNDECIDED).count(),
        is_past_deadline=bool(silence and document.review_until and document.review_until < silence.today),
        silence_accepts=bool(silence and silence.accepts),
        is_sealed=Close.objects.filter(period=document.period, sealed_at__isnull=False).exists(),
        in_showback=document.showback,
        notes=Document.objects.filter(about=document, issue_state=Issue.ISSUED).count(),
    )


def lock(pk: int) -> Document:
    """The document, locked until the transaction ends. Raises `NotFoundError`."""
    return locked(Document, pk)


def move(
    actor: Actor,
    document: Document,
    act: Act,
    record: Record,
    silence: Silence | None = None,
    prepared_by: Collection[int | None] | None = None,
) -> None:
    """Take a locked document through the table and save it. Checks permission and the second person.

    `prepared_by` are those who prepared what is approved now, where that is not the document itself (a decision).

    Raises `StateError`, `ForbiddenError` or `SamePersonError`.
    """
    now = situation(document, silence)
    row = transition(now, act)
    if row.permission is not None:
        actor.rights.require(row.permission, path_of(document))
    after = step(now, act)
    if row.second_person:
        require_second_person(actor, *((document.prepared_by_id,) if prepared_by is None else prepared_by))
    fields = _apply(actor, document, act, after)
    document.save(update_fields=fields)
    record.about(document)
    record.changed(_states(now), _states(after))


def _apply(actor: Actor, document: Document, act: Act, after: Situation) -> list[str]:
    document.issue_state, document.review_state = after.issue, after.review
    document.posting_state = after.posting
    fields = ["issue_state", "review_state", "posting_state"]
    instant = timezone.now()
    if act in {Act.ACCEPT, Act.DEEM_ACCEPTED}:
        document.reviewed_at, document.reviewed_by = instant, actor.person
        fields += ["reviewed_at", "reviewed_by"]
    elif act in {Act.REOPEN, Act.DISPUTE}:
        document.reviewed_at, document.reviewed_by = None, None
        fields += ["reviewed_at", "reviewed_by"]
    elif act is Act.VOID:
        document.voided_at = instant
        fields.append("voided_at")
    elif act is Act.POST:
        document.posted_at = instant
        fields.append("posted_at")
    return fields


def _states(of: Situation) -> dict[str, object]:
    return {"issue": str(of.issue), "review": str(of.review), "posting": str(of.posting)}


def in_period(period: str) -> QuerySet[Document]:
    """The documents of a period that count: not voided."""
    return Document.objects.filter(period=period).exclude(issue_state=Issue.VOIDED)
