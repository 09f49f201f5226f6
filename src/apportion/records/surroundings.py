"""A document with what there is around it, asked at once: most have nothing, and then no further query is needed."""

from __future__ import annotations

from dataclasses import dataclass

from apportion.records.documents import Document
from apportion.records.ready import Ready


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Whether a document has any of these; `entries` of the audit chain; `is_sealed` says whether its period is."""

    disputes: bool
    comments: bool
    files: bool
    notes: bool
    entries: bool
    is_sealed: bool


_ANY = {
    "any_disputes": "EXISTS (SELECT 1 FROM records_dispute WHERE document_id = records_document.id)",
    "any_comments": "EXISTS (SELECT 1 FROM records_comment WHERE document_id = records_document.id)",
    "any_files": "EXISTS (SELECT 1 FROM records_attachment WHERE document_id = records_document.id)",
    "any_notes": "EXISTS (SELECT 1 FROM records_document note WHERE note.about_id = records_document.id)",
    "any_entries": """
        EXISTS (SELECT 1 FROM records_auditentry
        WHERE subject_kind = 'document' AND subject_id = CAST(records_document.id AS text))
    """,
    "any_seal": """
        EXISTS (SELECT 1 FROM records_close
        WHERE records_close.period = records_document.period AND sealed_at IS NOT NULL)
    """,
}
_DOCUMENT = Ready(Document, ("cost_group", "body", "issued_by", "reviewed_by"), "WHERE records_document.id = %s", _ANY)


def surrounded(pk: int) -> tuple[Document, Surroundings] | None:
    """A document with its cost group, body and those who issued and reviewed it; None where there is none. One query.

    Whoever asks has yet to ask whether it is within reach.
    """
    row = _DOCUMENT.first([pk])
    return None if row is None else (row, Surroundings(*(bool(getattr(row, name)) for name in _ANY)))
