"""Disputes between the books and the core: a row as `review.dispute` knows it, and the notes about a document."""

from __future__ import annotations

from apportion.invoice.paper import Paper
from apportion.records import convert
from apportion.records.disputes import Dispute, DisputeState
from apportion.records.documents import Document
from apportion.review import dispute as core
from apportion.review.states import Issue


def pure(row: Dispute, label: str) -> core.Dispute:
    """The dispute of a row; people are named by their numbers. `label` is that of its document."""
    withdrawn = row.state == DisputeState.WITHDRAWN
    return core.Dispute(
        document=label,
        line=row.line,
        reason=core.Reason(row.reason),
        currency=row.currency,
        claimed_minor=row.amount_minor,
        text=row.text,
        raised_by=str(row.opened_by_id),
        raised_at=row.opened_at,
        decision=None if withdrawn else _decision(row),
        withdrawn_by=str(row.decided_by_id or row.opened_by_id) if withdrawn else "",
        withdrawn_at=row.decided_at if withdrawn else None,
    )


def disputes_of(document: Document, but: Dispute | None = None) -> tuple[core.Dispute, ...]:
    """All disputes that there ever were about a document, but one, in the order they were raised."""
    rows = document.disputes.order_by("opened_at", "pk")
    return tuple(pure(row, document.label or "") for row in rows if but is None or row.pk != but.pk)


def notes_about(document: Document) -> tuple[Paper, ...]:
    """The issued credit and debit notes about a document to its own holder, without voided ones."""
    rows = Document.objects.filter(
        about=document, issue_state=Issue.ISSUED, holder=document.holder, cost_group=document.cost_group_id
    )
    return tuple(convert.paper(row) for row in rows.select_related("body").order_by("pk"))


def _decision(row: Dispute) -> core.Decision | None:
    if not row.outcome or row.proposed_at is None:
        return None
    decided = row.state not in {DisputeState.OPEN, DisputeState.PROPOSED}
    return core.Decision(
        outcome=core.Outcome(row.outcome),
        upheld_minor=row.agreed_minor or 0,
        reason=row.decision,
        proposed_by=str(row.proposed_by_id),
        proposed_at=row.proposed_at,
        approved_by=str(row.decided_by_id) if decided else "",
        approved_at=row.decided_at if decided else None,
    )
