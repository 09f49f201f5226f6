"""E-invoices between companies of a group, by EN 16931: Factur-X / ZUGFeRD (PDF/A-3 with CII) and Peppol BIS 3 (UBL).

Takes an issued document, the companies' particulars and what is charged on top of cost; gives files. What a journal
says of the charge and what the e-invoice asks for are one figure. Each file is checked against its XML Schema and every
rule of EN 16931 before it is handed over, and none is that fails. Never posts, sends, or keeps anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from apportion.errors import ConservationError, EInvoiceRefusedError, Mistake, WorkspaceError
from apportion.invoice.paper import Paper
from apportion.post.einvoice.cii import cii
from apportion.post.einvoice.drafting import Charge, about_document, einvoices, file_stem, only
from apportion.post.einvoice.model import EInvoice
from apportion.post.einvoice.pdf import attached, pdf
from apportion.post.einvoice.ubl import ubl
from apportion.post.einvoice.validate import faults
from apportion.settings.parties import Party

__all__ = ["Charge", "EInvoice", "about_document", "einvoices", "written"]

EXTRA = "einvoice"


def written(paper: Paper, parties: Mapping[str, Party], charge: Charge, locale: str = "en") -> Mapping[str, bytes]:
    """The files of an issued document: for each of its currencies ``NUMBER.pdf`` (Factur-X) and ``NUMBER.ubl.xml``.

    `parties` are the companies by their code. The same input gives the same bytes. Raises `EInvoiceRefusedError` with
    everything that is missing or that a rule of EN 16931 refuses, and then there is no file at all; `BadValueError` for
    a per cent or locale that is none; `WorkspaceError` where the extra ``einvoice`` is not installed.
    """
    _require_extra()
    files: dict[str, bytes] = {}
    mistakes: list[Mistake] = []
    for invoice in einvoices(paper, parties, charge):
        stem = file_stem(invoice.number)
        xml, peppol = cii(invoice), ubl(invoice)
        found = (*faults(xml, f"{stem}.pdf"), *faults(peppol, f"{stem}.ubl.xml"))
        mistakes += found
        if not found:
            files[f"{stem}.pdf"] = pdf(invoice, only(paper, invoice.currency), xml, locale)
            files[f"{stem}.ubl.xml"] = peppol
            if attached(files[f"{stem}.pdf"]) != xml:
                raise ConservationError(f"{invoice.number}: the PDF does not hold the XML that was put into it.")
    if mistakes:
        raise EInvoiceRefusedError(mistakes)
    return files


def _require_extra() -> None:
    if not find_spec("facturx") or not find_spec("saxonche"):
        raise WorkspaceError(
            "E-invoices are written and checked by programs that are not installed.",
            advice=f"Install them: pip install 'apportion[{EXTRA}]'.",
        )
