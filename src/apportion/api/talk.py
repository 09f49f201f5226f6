"""What is said about a document, and the files beside it."""

from __future__ import annotations

from typing import BinaryIO, cast

from django.db.models import Q
from django.http import FileResponse
from ninja import File, Form, Query, Router, Schema, UploadedFile
from pydantic import Field

from apportion.actions.notices.audience import who_see
from apportion.actions.review import attaching, commenting
from apportion.actions.review.attaching import Upload
from apportion.api.auth import Request
from apportion.api.incoming import Incoming
from apportion.api.route import route
from apportion.api.shapes import Instant, Named, Number, Page, Paging, Text, paged
from apportion.errors import NotFoundError
from apportion.records import reach
from apportion.records.attachments import headers
from apportion.records.audit import AuditEntry
from apportion.records.disputes import Attachment, Comment
from apportion.records.rule import Reach
from apportion.review.permission import Permission

router = Router(tags=["comments and files"])


class CommentOut(Schema):
    """A contribution to the thread of a document, of one of its lines, or of a dispute."""

    id: int
    document: int
    dispute: int | None
    line: int | None
    text: str
    by: Named
    at: Instant
    mentions: list[Named]


def _comment(row: Comment) -> CommentOut:
    return CommentOut(
        id=row.pk,
        document=row.document_id,
        dispute=row.dispute_id,
        line=row.line,
        text=row.text,
        by=Named(id=row.by_id, name=str(row.by)),
        at=row.at,
        mentions=[Named(id=each.person_id, name=str(each.person)) for each in row.mentions.all()],
    )


class Thread(Paging):
    """Which comments."""

    dispute: Number | None = None
    line: Number | None = None


@route(router, "GET", "/documents/{document}/comments", Reach.OBJECT, Permission.SEE_DOCUMENTS, gives=Page[CommentOut])
def list_comments(request: Request, document: Number, wanted: Query[Thread]) -> dict[str, object]:
    """List what was said about a document, the oldest first."""
    rows = reach.document(request.actor.rights, document).comments.select_related("by")
    if wanted.dispute is not None:
        rows = rows.filter(dispute=wanted.dispute)
    if wanted.line is not None:
        rows = rows.filter(line=wanted.line)
    return paged(request, rows.prefetch_related("mentions__person").order_by("at", "pk"), wanted, _comment)


class Said(Incoming):
    """A comment. People are named as @name in the text, or by number."""

    text: Text
    line: Number | None = None
    dispute: Number | None = None
    mention: list[Number] = Field(default_factory=list, max_length=commenting.MOST_MENTIONS)


@route(
    router,
    "POST",
    "/documents/{document}/comments",
    Reach.OBJECT,
    Permission.COMMENT,
    gives=CommentOut,
    status=201,
)
def add_comment(request: Request, document: Number, body: Said) -> CommentOut:
    """Say something about a document, one of its lines, or a dispute about it."""
    made = commenting.comment(
        request.actor, document, body.text, line=body.line, dispute=body.dispute, mention=body.mention
    )
    return _comment(made)


@route(router, "GET", "/documents/{document}/people", Reach.OBJECT, Permission.SEE_DOCUMENTS, gives=list[Named])
def list_readers(request: Request, document: Number) -> list[Named]:
    """List the people who may see a document, and so can be named in a comment."""
    row = reach.document(request.actor.rights, document)
    return [Named(id=person.pk, name=str(person)) for person in who_see(row)]


class EventOut(Schema):
    """One act; `reason` is what was said with it."""

    at: Instant
    by: str
    act: str
    subject: str
    reason: str


_UNAPPROVED = ("propose decision", "withdraw proposal")


@route(router, "GET", "/documents/{document}/activity", Reach.OBJECT, Permission.SEE_DOCUMENTS, gives=Page[EventOut])
def list_activity(request: Request, document: Number, paging: Query[Paging]) -> dict[str, object]:
    """List what was done with a document and its disputes, the latest first."""
    row = reach.document(request.actor.rights, document)
    disputes = [str(number) for number in row.disputes.values_list("pk", flat=True)]
    about = Q(subject_kind="document", subject_id=str(row.pk)) | Q(subject_kind="dispute", subject_id__in=disputes)
    inside = request.actor.rights.may(Permission.SEE_CLOSE)

    def event(entry: AuditEntry) -> EventOut:
        # What controllers write to each other about a decision that is not taken stays inside the close.
        reason = entry.reason if inside or entry.act not in _UNAPPROVED else ""
        return EventOut(at=entry.at, by=entry.person_name, act=entry.act, subject=entry.subject, reason=reason)

    rows = AuditEntry.objects.filter(about).exclude(act__startswith="refused").order_by("-number")
    return paged(request, rows, paging, event)


class AttachmentOut(Schema):
    """A file beside a document or dispute."""

    id: int
    document: int
    dispute: int | None
    name: str
    media_type: str
    size: int = Field(description="Bytes")
    sha256: str
    by: Named
    at: Instant


def _attachment(row: Attachment) -> AttachmentOut:
    return AttachmentOut(
        id=row.pk,
        document=row.document_id,
        dispute=row.dispute_id,
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        sha256=row.digest,
        by=Named(id=row.by_id, name=str(row.by)),
        at=row.at,
    )


@route(
    router,
    "GET",
    "/documents/{document}/attachments",
    Reach.OBJECT,
    Permission.SEE_DOCUMENTS,
    gives=Page[AttachmentOut],
)
def list_attachments(request: Request, document: Number, paging: Query[Paging]) -> dict[str, object]:
    """List the files beside a document and its disputes."""
    rows = reach.document(request.actor.rights, document).attachments.select_related("by")
    return paged(request, rows.order_by("at", "pk"), paging, _attachment)


class Beside(Incoming):
    """What the files belong to."""

    dispute: Number | None = Field(None, description="A dispute about the document")


@route(
    router,
    "POST",
    "/documents/{document}/attachments",
    Reach.OBJECT,
    Permission.COMMENT,
    gives=list[AttachmentOut],
    status=201,
)
def add_attachments(
    request: Request, document: Number, beside: Form[Beside], files: File[list[UploadedFile]]
) -> list[AttachmentOut]:
    """Attach files to a document, or to a dispute about it: PDF, PNG, JPEG, text, CSV, XLSX or DOCX."""
    uploads = [Upload(each.name or "", each.content_type or "", cast(BinaryIO, each)) for each in files]
    return [_attachment(each) for each in attaching.attach(request.actor, document, uploads, dispute=beside.dispute)]


@route(
    router,
    "GET",
    "/attachments/{attachment}",
    Reach.OBJECT,
    Permission.SEE_DOCUMENTS,
    files={"application/octet-stream": "The file"},
)
def download_attachment(request: Request, attachment: Number) -> FileResponse:
    """Download a file, to be saved and never shown by a browser."""
    row, path = attaching.open_attachment(request.actor, attachment)
    if not path.is_file():
        raise NotFoundError("The file is not in the workspace any more.", advice="Ask for a backup of it.")
    response = FileResponse(path.open("rb"))
    for name, value in headers(row.name, row.media_type).items():  # after it has written its own, which show the file
        response[name] = value
    return response
