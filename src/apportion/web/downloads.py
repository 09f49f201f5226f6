"""A document to take away: PDF, XLSX, CSV and its e-invoices, and the methodology that it was made by."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext

from apportion.actions.post import e_invoices
from apportion.actions.workspace import workspace
from apportion.close import run as runs
from apportion.errors import ApportionError, NotFoundError
from apportion.invoice.paper import Paper
from apportion.invoice.papers.csv_file import csv
from apportion.invoice.papers.pdf import pdf
from apportion.invoice.papers.spreadsheet import xlsx
from apportion.methodology.compiled import compiled
from apportion.methodology.render import html
from apportion.periods import BillingPeriod
from apportion.records import convert, reach
from apportion.records.attachments import headers
from apportion.records.documents import Document
from apportion.review.permission import Permission
from apportion.web.frame.page import Reach, Request, page
from apportion.web.words.figures import locale

_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMATS: dict[str, tuple[Callable[[Paper, str], bytes], str]] = {
    "pdf": (pdf, "application/pdf"),
    "xlsx": (xlsx, _SHEET),
    "csv": (lambda paper, _: csv(paper), "text/csv; charset=utf-8"),  # for programs: the same in every language
}
# A page of its own, with its own style in it: nothing but that style is allowed on it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@page(Reach.OBJECT, Permission.SEE_DOCUMENTS)
def download(request: Request, document: int, format: str) -> HttpResponse:  # noqa: A002 - as the address calls it
    """One file. It is made when it is asked for: the same document gives the same bytes."""
    row = reach.document(request.actor.rights, document)
    if format not in _FORMATS:
        raise NotFoundError(
            gettext("There is no such kind of file."), advice=gettext("Choose PDF, XLSX or CSV on the document's page.")
        )
    make, media_type = _FORMATS[format]
    content = make(convert.paper(row), locale())
    name = re.sub(r"[^A-Za-z0-9._-]", "_", row.label or f"draft-{row.pk}")
    return HttpResponse(
        content,
        headers={
            "Content-Type": media_type,
            "Content-Disposition": f'attachment; filename="{name}.{format}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@page(Reach.OBJECT, Permission.SEE_DOCUMENTS)
def e_invoice(request: Request, document: int, format: str) -> HttpResponse:  # noqa: A002 - as the address calls it
    """The e-invoice between companies as Factur-X (pdf) or for Peppol (xml), in `currency` where there are several."""
    name, content = e_invoices.file(request.actor, document, format, request.GET.get("currency", ""), locale())
    return HttpResponse(content, headers=headers(name, e_invoices.MEDIA_TYPES[format]))


@page(Reach.OBJECT, Permission.SEE_DOCUMENTS)
def methodology(request: Request, document: int) -> HttpResponse:
    """How the cost of this document was charged: the policy that its run was made by, as people read it."""
    row = reach.document(request.actor.rights, document)
    try:
        settings, policy, organization = runs.frozen(workspace(), BillingPeriod.parse(row.period))
    except ApportionError:
        return _gone(request, row)
    if not row.policy_digest or policy.digest != row.policy_digest:
        return _gone(request, row)
    period = BillingPeriod.parse(row.period)
    made = compiled(policy, organization, period, company=settings.company, exchange=settings.exchange)
    return HttpResponse(html.render(made), headers={"Content-Security-Policy": _POLICY})


def _gone(request: Request, row: Document) -> HttpResponse:
    return render(request, "documents/methodology_gone.html", {"document": row})


urlpatterns = [
    path("documents/<int:document>/download/<str:format>/", download, name="download"),
    path("documents/<int:document>/e-invoice/<str:format>/", e_invoice, name="e_invoice"),
    path("documents/<int:document>/methodology/", methodology, name="methodology"),
]
