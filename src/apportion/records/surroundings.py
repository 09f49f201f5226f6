"""What there is around a document, asked at once: most documents have nothing, and then no further query is needed."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from apportion.records.closes import Close
from apportion.records.disputes import Attachment, Comment, Dispute
from apportion.records.documents import Document


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Whether a document has any of these; `is_sealed` says whether its period is."""

    disputes: bool
    comments: bool
    files: bool
    notes: bool
    is_sealed: bool


_ANY = ", ".join(
    f"EXISTS (SELECT 1 FROM {model._meta.db_table} WHERE {condition})"
    for model, condition in (
        (Dispute, "document_id = %s"),
        (Comment, "document_id = %s"),
        (Attachment, "document_id = %s"),
        (Document, "about_id = %s"),
        (Close, "period = %s AND sealed_at IS NOT NULL"),
    )
)


def surroundings(document: Document) -> Surroundings:
    """One query. Written by hand, for five of the usual ones would cost more than the rest of a document's page."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_ANY}", [document.pk] * 4 + [document.period])
        return Surroundings(*map(bool, cursor.fetchone()))
