"""What people do with documents: accept, one or many; reopen, extend, void; look who is waited for."""

from __future__ import annotations

from typing import Annotated

from django.db import transaction
from ninja import Router, Schema
from pydantic import Field

from apportion.actions.close import issuing
from apportion.actions.moving import lock
from apportion.actions.post import posting
from apportion.actions.review import accepting, reviewing
from apportion.api.auth import Request
from apportion.api.document_shapes import DocumentOut, document, etag
from apportion.api.documents import read
from apportion.api.incoming import Incoming
from apportion.api.route import require_unchanged, route
from apportion.api.shapes import Day, Number, Text
from apportion.records.rule import Reach
from apportion.review.permission import Permission

router = Router(tags=["review"])
_Numbers = Annotated[list[Number], Field(min_length=1, max_length=accepting.MOST_AT_ONCE)]


class Remark(Incoming):
    """A word that goes into the audit chain."""

    remark: Text = ""


class Why(Incoming):
    """A reason, which others read."""

    reason: Text


@route(router, "POST", "/documents/{document}/accept", Reach.OBJECT, Permission.ACCEPT, gives=DocumentOut, matches=True)
def accept_document(request: Request, document: Number, body: Remark) -> DocumentOut:
    """Accept a document."""
    with transaction.atomic():
        _same(request, document)
        accepting.accept(request.actor, document, remark=body.remark)
    return _now(request, document)


class Many(Incoming):
    """Documents by number, or all that await review in a cost group and below it."""

    documents: _Numbers | None = None
    below: Number | None = None
    remark: Text = ""


class AcceptedOut(Schema):
    """What became of one of many."""

    document: int
    label: str
    accepted: bool
    sentence: str = Field(description="Why it was not accepted")


@route(router, "POST", "/documents/accept", Reach.SOMEWHERE, Permission.ACCEPT, gives=list[AcceptedOut])
def accept_documents(request: Request, body: Many) -> list[AcceptedOut]:
    """Accept many documents: each for itself, so that one that cannot be accepted keeps nothing else back."""
    answers = accepting.accept_many(request.actor, body.documents, below=body.below, remark=body.remark)
    return [
        AcceptedOut(document=each.document, label=each.label, accepted=each.is_accepted, sentence=each.sentence)
        for each in answers
    ]


@route(router, "POST", "/documents/{document}/reopen", Reach.OBJECT, Permission.DECIDE, gives=DocumentOut, matches=True)
def reopen_document(request: Request, document: Number, body: Why) -> DocumentOut:
    """Put an accepted document back into review."""
    with transaction.atomic():
        _same(request, document)
        reviewing.reopen(request.actor, document, body.reason)
    return _now(request, document)


class Extension(Incoming):
    """Documents, and their new last day of review."""

    documents: _Numbers
    until: Day
    reason: Text


@route(router, "POST", "/documents/extend-deadline", Reach.SOMEWHERE, Permission.DECIDE, gives=list[DocumentOut])
def extend_deadline(request: Request, body: Extension) -> list[DocumentOut]:
    """Give documents in review more time: all of them, or, where one is refused, none."""
    moved = reviewing.extend_deadline(request.actor, body.documents, body.until, body.reason)
    return [_now(request, row.pk) for row in moved[:100]]


@route(router, "POST", "/documents/{document}/void", Reach.OBJECT, Permission.ISSUE, gives=DocumentOut, matches=True)
def void_document(request: Request, document: Number, body: Why) -> DocumentOut:
    """Take a document back that is not in the ledger; its number stays taken."""
    with transaction.atomic():
        _same(request, document)
        issuing.void(request.actor, document, body.reason)
    return _now(request, document)


@route(router, "POST", "/documents/{document}/reverse", Reach.OBJECT, Permission.POST, gives=DocumentOut, matches=True)
def reverse_document(request: Request, document: Number, body: Why) -> DocumentOut:
    """Say that the ledger has reversed the posting of a document."""
    with transaction.atomic():
        _same(request, document)
        posting.reverse(request.actor, document, body.reason)
    return _now(request, document)


def _same(request: Request, number: int) -> None:
    """Hold the document, and refuse where it is not what the caller has read. Raises `NotFoundError`."""
    if "If-Match" in request.headers:
        read(request.actor, number)
        require_unchanged(request, etag(lock(number)))


def _now(request: Request, number: int) -> DocumentOut:
    return document(read(request.actor, number))
