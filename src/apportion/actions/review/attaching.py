"""Attaching files to a document or dispute, and opening them again for those who may see the document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from apportion.actions import configured
from apportion.actions.acting import Actor, person_of, recorded
from apportion.actions.moving import lock
from apportion.errors import NotFoundError
from apportion.records import attachments as files
from apportion.records import reach
from apportion.records.disputes import Attachment, Dispute
from apportion.records.documents import Document
from apportion.records.people import Person
from apportion.review.permission import Permission
from apportion.review.states import Issue, StateError

MOST_FILES = 10  # in one act
MOST_OF_A_DOCUMENT = 100
_FORM = 4 * 1024 * 1024  # what stands beside the files


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as somebody sends it: what its sender calls it and says that it is, and its bytes, read once."""

    name: str
    media_type: str
    stream: BinaryIO


@dataclass(slots=True)
class Attached:
    """Files that lie in the store and wait for the act that names them."""

    stored: list[files.Stored] = field(default_factory=list)

    def keep(self, document: Document, dispute: Dispute | None, person: Person) -> list[Attachment]:
        """Name them in the books, inside the act. Raises `AttachmentError` for more than a document takes."""
        there = Attachment.objects.filter(document=document).count() if self.stored else 0
        if there + len(self.stored) > MOST_OF_A_DOCUMENT:
            raise files.AttachmentError(
                f"{document} has {there} files, and takes no more than {MOST_OF_A_DOCUMENT}.",
                advice="Put several into one PDF or sheet.",
            )
        return [
            Attachment.objects.create(
                document=document,
                dispute=dispute,
                name=each.name,
                media_type=each.media_type,
                size=each.size,
                digest=each.digest,
                by=person,
            )
            for each in self.stored
        ]


def most_bytes() -> int:
    """How many bytes an act may come with at most: all its files and what is typed beside them."""
    return MOST_FILES * configured.current().review.attachment_limit + _FORM


@contextmanager
def attached(uploads: Sequence[Upload]) -> Iterator[Attached]:
    """Check and store files around an act; where it is refused, none of them stays that was not there before.

    Raises `AttachmentError`.
    """
    if len(uploads) > MOST_FILES:
        raise files.AttachmentError(f"{len(uploads)} files are more than {MOST_FILES} at once.")
    limit = configured.current().review.attachment_limit
    waiting = Attached()
    try:
        for upload in uploads:
            waiting.stored.append(files.store(upload.stream, upload.name, upload.media_type, limit))
        yield waiting
    except BaseException:
        for each in waiting.stored:
            if each.is_new and not Attachment.objects.filter(digest=each.digest).exists():
                files.discard(each)
        raise


def attach(actor: Actor, document: int, uploads: Sequence[Upload], *, dispute: int | None = None) -> list[Attachment]:
    """Add files to a document, or to a dispute about it. Needs the right to comment.

    Raises `NotFoundError`, `ForbiddenError`, `StateError` for a draft, `AttachmentError`.
    """
    person = person_of(actor)
    found = reach.document(actor.rights, document)
    actor.rights.require(Permission.COMMENT, reach.path_of(found))
    about = reach.dispute(actor.rights, dispute) if dispute is not None else None
    if about is not None and about.document_id != document:
        raise NotFoundError("That dispute is about another document.", advice="Open it from its own document.")
    if not uploads:
        raise files.AttachmentError("No file was chosen.", advice="Choose a file and send it again.")
    with attached(uploads) as waiting, recorded(actor, "attach") as record:
        row = lock(document)
        if row.issue_state == Issue.OPEN:
            raise StateError(f"{row} is not issued yet.", advice="Attach files once it is.")
        kept = waiting.keep(row, about, person)
        record.about(row)
        record.changed({}, {"attachments": [{"name": each.name, "sha256": each.digest} for each in kept]})
    return kept


def open_attachment(actor: Actor, attachment: int) -> tuple[Attachment, Path]:
    """The row of a file and where its bytes lie, for somebody who may see its document.

    Send it with the headers of `records.attachments.headers`, never inline. Raises `NotFoundError`.
    """
    row = Attachment.objects.filter(pk=attachment, document__in=reach.documents(actor.rights)).first()
    if row is None:
        raise NotFoundError("There is no such file for you.", advice="Open it from its document.")
    return row, files.path_of(row.digest)
