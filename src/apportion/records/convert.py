"""The one bridge between the core's papers and the rows of the books, there and back.

Takes papers that have their number and dates, gives saved documents; takes a document, gives its paper. Changes nothing
on the way: what comes back is what went in, and a body that was touched since is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from apportion.errors import ConservationError
from apportion.invoice.paper import Paper, from_json, to_json
from apportion.records.documents import Document, DocumentBody, DocumentLine, DocumentTotal
from apportion.review.states import Issue, Review

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Numbered:
    """A paper with its place in a series, and the rows that it belongs to. `before` are last month's totals."""

    paper: Paper
    series_id: int
    number: int
    cost_group_id: int | None
    prepared_by_id: int | None = None
    about_id: int | None = None
    dispute_id: int | None = None
    before: Mapping[str, int] = field(default_factory=dict)


def keep(
    numbered: Iterable[Numbered], *, issued_at: datetime, issued_by_id: int | None, review: Review = Review.AWAITING
) -> list[Document]:
    """Save papers as issued documents with their totals, lines and bodies, inside the caller's transaction.

    A few statements for each five hundred documents, however many lines they have.
    """
    made: list[Document] = []
    for batch in _batches(numbered):
        texts = [to_json(each.paper) for each in batch]
        documents = Document.objects.bulk_create(
            [_document(each, text, issued_at, issued_by_id, review) for each, text in zip(batch, texts, strict=True)]
        )
        DocumentBody.objects.bulk_create(
            [DocumentBody(document=document, text=text) for document, text in zip(documents, texts, strict=True)]
        )
        pairs = list(zip(documents, batch, strict=True))
        DocumentTotal.objects.bulk_create([total for pair in pairs for total in _totals(*pair)])
        DocumentLine.objects.bulk_create([line for pair in pairs for line in _lines(*pair)], batch_size=2000)
        made += documents
    return made


def keep_draft(
    made: Paper, *, cost_group_id: int | None, prepared_by_id: int | None, about_id: int | None, dispute_id: int | None
) -> Document:
    """Save a paper as a document that is not issued yet and has no number, inside the caller's transaction.

    What is issued from it is another row: the draft is deleted then.
    """
    each = Numbered(made, 0, 0, cost_group_id, prepared_by_id, about_id, dispute_id)
    text = to_json(made)
    document = _document(each, text, None, None, Review.NONE)
    document.series_id = document.number = document.label = None
    document.issue_state = Issue.OPEN
    document.save(force_insert=True)
    DocumentBody.objects.create(document=document, text=text)
    DocumentTotal.objects.bulk_create(_totals(document, each))
    DocumentLine.objects.bulk_create(_lines(document, each))
    return document


def paper(document: Document) -> Paper:
    """The paper of a document, as it was issued. Raises `ConservationError` where it was touched since.

    Load documents with ``select_related("body")`` where there are several.
    """
    text = document.body.text
    if digest(text) != document.body_digest:
        raise ConservationError(
            f"The text of {document} is not what was issued.",
            advice="Somebody changed the database. Restore the books from a backup, and tell your auditor.",
        )
    return from_json(text)


def digest(text: str) -> str:
    """SHA-256 of a body, as its document keeps it."""
    return hashlib.sha256(text.encode()).hexdigest()


def _batches(numbered: Iterable[Numbered]) -> Iterator[Sequence[Numbered]]:
    rest = iter(numbered)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _document(each: Numbered, text: str, at: datetime | None, by: int | None, review: Review) -> Document:
    made = each.paper
    return Document(
        kind=made.kind,
        period=made.period,
        series_id=each.series_id,
        number=each.number,
        label=made.label,
        statement=made.statement,
        holder=made.holder,
        cost_group_id=each.cost_group_id,
        name=made.name,
        about_id=each.about_id,
        dispute_id=each.dispute_id,
        showback=made.showback,
        run_digest=made.run_digest,
        policy_digest=made.policy_digest,
        body_digest=digest(text),
        issue_state=Issue.ISSUED,
        review_state=review,
        prepared_by_id=each.prepared_by_id,
        issued_at=at,
        issued_by_id=by,
        review_until=made.review_until,
    )


def _totals(document: Document, each: Numbered) -> Iterator[DocumentTotal]:
    budgets = {budget.currency: budget.minor for budget in each.paper.budgets}
    parts = {change.currency: {str(part): minor for part, minor in change.parts} for change in each.paper.changes}
    for total in each.paper.totals:
        yield DocumentTotal(
            document=document,
            currency=total.currency,
            amount_minor=total.minor,
            direct_minor=total.direct_minor,
            shared_minor=total.shared_minor,
            adjusted_minor=total.adjusted_minor,
            before_minor=each.before.get(total.currency),
            budget_minor=budgets.get(total.currency),
            change_parts=parts.get(total.currency, {}),
        )


def _lines(document: Document, each: Numbered) -> Iterator[DocumentLine]:
    for line in each.paper.lines:
        yield DocumentLine(
            document=document,
            number=line.number,
            kind=line.kind,
            service=line.service,
            charge_category=line.charge_category,
            pool_id=line.pool_id,
            invoice_issuer=line.invoice_issuer,
            invoice_id=line.invoice_id,
            billing_account_id=line.billing_account_id,
            billed_currency=line.billed_currency,
            billed_minor=line.billed_minor,
            currency=line.currency,
            amount_minor=line.minor,
            corrects=line.corrects,
        )
