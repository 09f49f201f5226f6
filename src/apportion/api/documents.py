"""Documents: lists with every filter, one with all of its content, lines, and files."""

from __future__ import annotations

from datetime import datetime

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast
from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from apportion.actions import configured
from apportion.actions.acting import Actor
from apportion.actions.moving import situation
from apportion.actions.post import e_invoices
from apportion.api.auth import Request
from apportion.api.document_shapes import DocumentOut, DocumentWhole, FoundLine, document, found_line, whole
from apportion.api.incoming import Incoming
from apportion.api.route import route
from apportion.api.shapes import Day, Number, Page, Paging, PeriodText, Short, Since, paged
from apportion.errors import NotFoundError
from apportion.invoice.paper import Paper, PaperKind
from apportion.invoice.papers.csv_file import csv
from apportion.invoice.papers.pdf import pdf
from apportion.invoice.papers.spreadsheet import xlsx
from apportion.records import convert, reach
from apportion.records.attachments import headers
from apportion.records.audit import AuditEntry
from apportion.records.disputes import Dispute
from apportion.records.documents import Document, DocumentLine
from apportion.records.journals import LedgerJournal
from apportion.records.rule import Reach
from apportion.review.permission import Permission
from apportion.review.states import TABLE, Act, Issue, Posting, Review, acts

router = Router(tags=["documents"])
_ROWS = ("cost_group", "about", "issued_by", "reviewed_by")
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILES = {"pdf": "application/pdf", "xlsx": _SHEET, "csv": "text/csv"}
# Acts on one document that a person asks for by a route of their own; the others are parts of other acts.
_ASKED = (Act.ACCEPT, Act.DISPUTE, Act.REOPEN, Act.VOID, Act.REVERSE)


class DocumentFilter(Paging):
    """Which documents. Filters add up: all of them must hold."""

    period: PeriodText | None = None
    kind: PaperKind | None = None
    issue: Issue | None = None
    review: Review | None = None
    posting: Posting | None = None
    showback: bool | None = Field(None, description="Only those for reading, or only those that are charged")
    group: Number | None = Field(None, description="Of this cost group alone")
    below: Number | None = Field(None, description="Of this cost group and all below it")
    about: Number | None = Field(None, description="Notes about this document")
    search: Short | None = Field(None, description="Part of a number, a name, a code or a service")
    due_by: Day | None = Field(None, description="To be reviewed by this day")
    changed_since: Since | None = Field(None, description="Issued, moved or talked about since this instant")


@route(router, "GET", "/documents", Reach.SOMEWHERE, Permission.SEE_DOCUMENTS, gives=Page[DocumentOut])
def list_documents(request: Request, wanted: Query[DocumentFilter]) -> dict[str, object]:
    """List documents that you may see, newest period first."""
    rows = filtered(request.actor, wanted).select_related(*_ROWS).prefetch_related("totals")
    return paged(request, rows.order_by("-period", "cost_group__number", "pk"), wanted, document)


@route(router, "GET", "/documents/{document}", Reach.OBJECT, Permission.SEE_DOCUMENTS, gives=DocumentWhole)
def get_document(request: Request, document: Number) -> DocumentWhole:
    """Get a document with its lines, totals, change and history."""
    row = read(request.actor, document)
    return whole(row, convert.paper(row), may(request.actor, row))


class LineWanted(Paging):
    """Which lines."""

    period: PeriodText | None = None
    group: Number | None = Field(None, description="Of this cost group alone")
    below: Number | None = Field(None, description="Of this cost group and all below it")
    document: Number | None = None
    service: Short | None = None
    pool: Short | None = Field(None, description="Shares of this pool, by its id")


@route(router, "GET", "/lines", Reach.SOMEWHERE, Permission.SEE_DOCUMENTS, gives=Page[FoundLine])
def list_lines(request: Request, wanted: Query[LineWanted]) -> dict[str, object]:
    """List lines of issued documents that you may see, across documents."""
    within = reach.documents(request.actor.rights).filter(issue_state=Issue.ISSUED)
    within = _of_groups(request.actor, within, wanted.group, wanted.below)
    if wanted.period:
        within = within.filter(period=wanted.period)
    if wanted.document:
        within = within.filter(pk=wanted.document)
    rows = DocumentLine.objects.filter(document__in=within).select_related("document__cost_group")
    if wanted.service is not None:
        rows = rows.filter(service=wanted.service)
    if wanted.pool is not None:
        rows = rows.filter(pool_id=wanted.pool)
    return paged(request, rows.order_by("-document__period", "document_id", "number"), wanted, found_line)


class Language(Incoming):
    """In which language numbers and words are written."""

    locale: str = Field("en", pattern="^(en|de|en_GB|en_US|de_DE|de_CH|de_AT)$")


def _file(kind: str, made: bytes, label: str) -> HttpResponse:
    return HttpResponse(made, headers=headers(f"{label}.{kind}", FILES[kind]))


@route(
    router,
    "GET",
    "/documents/{document}/pdf",
    Reach.OBJECT,
    Permission.SEE_DOCUMENTS,
    files={"application/pdf": "The document"},
)
def download_pdf(request: Request, document: Number, language: Query[Language]) -> HttpResponse:
    """Download a document as PDF: the same bytes every time."""
    paper = paper_of(request.actor, document)
    return _file("pdf", pdf(paper, language.locale), paper.label)


@route(
    router, "GET", "/documents/{document}/xlsx", Reach.OBJECT, Permission.SEE_DOCUMENTS, files={_SHEET: "The document"}
)
def download_xlsx(request: Request, document: Number, language: Query[Language]) -> HttpResponse:
    """Download a document as a spreadsheet with typed cells."""
    paper = paper_of(request.actor, document)
    return _file("xlsx", xlsx(paper, language.locale), paper.label)


@route(
    router, "GET", "/documents/{document}/csv", Reach.OBJECT, Permission.SEE_DOCUMENTS, files={"text/csv": "The lines"}
)
def download_csv(request: Request, document: Number) -> HttpResponse:
    """Download the lines of a document as CSV."""
    paper = paper_of(request.actor, document)
    return _file("csv", csv(paper), paper.label)


class EInvoiceWanted(Language):
    """Which of a document's e-invoices."""

    currency: str = Field("", pattern="^([A-Z]{3})?$", description="Needed where the document has several currencies")


@route(
    router,
    "GET",
    "/documents/{document}/e-invoice/pdf",
    Reach.OBJECT,
    Permission.SEE_DOCUMENTS,
    files={"application/pdf": "The e-invoice"},
)
def download_factur_x(request: Request, document: Number, wanted: Query[EInvoiceWanted]) -> HttpResponse:
    """Download the e-invoice between two companies as Factur-X / ZUGFeRD, a PDF with its XML inside."""
    return _e_invoice(request.actor, document, "pdf", wanted)


@route(
    router,
    "GET",
    "/documents/{document}/e-invoice/xml",
    Reach.OBJECT,
    Permission.SEE_DOCUMENTS,
    files={"application/xml": "The e-invoice"},
)
def download_ubl(request: Request, document: Number, wanted: Query[EInvoiceWanted]) -> HttpResponse:
    """Download the e-invoice between two companies as UBL for Peppol."""
    return _e_invoice(request.actor, document, "xml", wanted)


def _e_invoice(actor: Actor, document: int, form: str, wanted: EInvoiceWanted) -> HttpResponse:
    name, content = e_invoices.file(actor, document, form, wanted.currency, wanted.locale)
    return HttpResponse(content, headers=headers(name, e_invoices.MEDIA_TYPES[form]))


def read(actor: Actor, number: int) -> Document:
    """A document with everything that its shape needs. Raises `NotFoundError`."""
    rows = reach.documents(actor.rights).select_related(*_ROWS, "body").prefetch_related("totals")
    row = rows.filter(pk=number).first()
    if row is None:
        reach.document(actor.rights, number)  # says it in its words
        raise NotFoundError("There is no such document for you.")
    return row


def paper_of(actor: Actor, number: int) -> Paper:
    """The content of a document that the actor may see."""
    return convert.paper(reach.document(actor.rights, number))


def may(actor: Actor, row: Document) -> list[str]:
    """What the actor could do with a document as it stands, by the one table."""
    permissions = {each.act: each.permission for each in TABLE}
    path = reach.path_of(row)
    found = [
        str(act)
        for act in acts(situation(row, configured.silence()))
        if act in _ASKED and (needed := permissions[act]) is not None and actor.rights.may(needed, path)
    ]
    if row.issue_state != Issue.OPEN and actor.rights.may(Permission.COMMENT, path):
        found.append("comment")
    return found


def filtered(actor: Actor, wanted: DocumentFilter) -> QuerySet[Document]:
    """The documents that the actor may see and the filters let through."""
    rows = reach.documents(actor.rights)
    exact = {
        "period": wanted.period,
        "kind": wanted.kind,
        "issue_state": wanted.issue,
        "review_state": wanted.review,
        "posting_state": wanted.posting,
        "about": wanted.about,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value is not None})
    if wanted.showback is not None:
        reading = Q(showback=True) | Q(kind=PaperKind.STATEMENT)
        rows = rows.filter(reading if wanted.showback else ~reading)
    if wanted.due_by is not None:
        rows = rows.filter(review_until__lte=wanted.due_by)
    if wanted.search:
        rows = rows.filter(_says(wanted.search))
    if wanted.changed_since is not None:
        rows = rows.filter(_changed(wanted.changed_since))
    return _of_groups(actor, rows, wanted.group, wanted.below)


def _of_groups(actor: Actor, rows: QuerySet[Document], group: int | None, below: int | None) -> QuerySet[Document]:
    if group is not None:
        rows = rows.filter(cost_group=reach.cost_group(actor.rights, group))
    if below is not None:
        rows = rows.filter(cost_group__path__startswith=reach.cost_group(actor.rights, below).path)
    return rows


def _says(text: str) -> Q:
    lines = DocumentLine.objects.filter(document=OuterRef("pk"), service__icontains=text)
    return Q(label__icontains=text) | Q(name__icontains=text) | Q(cost_group__code__icontains=text) | Q(Exists(lines))


def _changed(at: datetime) -> Q:
    """Whatever may have changed: a reader who asks again gets a document once too often rather than too seldom."""
    disputes = Dispute.objects.filter(document=OuterRef("pk")).filter(
        Q(opened_at__gte=at) | Q(proposed_at__gte=at) | Q(decided_at__gte=at)
    )
    said = AuditEntry.objects.filter(subject_kind="document", subject_id=Cast(OuterRef("pk"), CharField()), at__gte=at)
    journals = AuditEntry.objects.filter(
        subject_kind="ledgerjournal",
        subject_id__in=LedgerJournal.objects.filter(journal_id=OuterRef(OuterRef("journal")))
        .annotate(said=Cast("pk", CharField()))
        .values("said"),
        at__gte=at,
    )
    return (
        Q(issued_at__gte=at)
        | Q(voided_at__gte=at)
        | Q(Exists(disputes))
        | Q(Exists(said))
        | (~Q(journal="") & Q(Exists(journals)))
    )
