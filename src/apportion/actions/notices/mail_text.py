"""What mails say: sentences in the language that is active, with dates and amounts as people of it write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from babel.numbers import format_decimal
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from apportion.actions import configured
from apportion.invoice.paper import PaperKind
from apportion.money.currency import exponent, minor_text
from apportion.records.disputes import Dispute
from apportion.records.documents import Document

_LISTED = 20
_QUOTED = 1_500


def link(path: str) -> str:
    """A page of the site, as an address that a mail program opens."""
    return configured.current().site.url.rstrip("/") + path


def document_link(document: Document) -> str:
    """The page of a document."""
    return link(f"/documents/{document.pk}/")


def dispute_link(dispute: Dispute) -> str:
    """The page of a dispute."""
    return link(f"/disputes/{dispute.pk}/")


def list_link() -> str:
    """The page that lists what awaits its reader."""
    return link("/documents/")


def day(value: date | None) -> str:
    """A day as it is written."""
    return date_format(value, "DATE_FORMAT") if value else "–"


def money(minor: int, currency: str) -> str:
    """An amount with its currency, or nothing where the settings keep amounts out of mails."""
    if not configured.current().mail.amounts:
        return ""
    places = exponent(currency)
    pattern = "#,##0" + ("." + "0" * places if places else "")
    return f"{format_decimal(Decimal(minor_text(minor, currency)), pattern, locale=get_language() or 'en')} {currency}"


def what(document: Document) -> str:
    """What a document is called, with its number: ``Statement KES-0-FY2026-S-000004``."""
    words = {
        PaperKind.STATEMENT: _("Statement"),
        PaperKind.INVOICE: _("Invoice"),
        PaperKind.CREDIT_NOTE: _("Credit note"),
        PaperKind.DEBIT_NOTE: _("Debit note"),
    }
    return f"{words[PaperKind(document.kind)]} {document}"


def entry(document: Document) -> str:
    """A line of a list: what it is, of whom, what it comes to, until when, and where to open it."""
    totals = [each for each in (money(row.amount_minor, row.currency) for row in document.totals.all()) if each]
    parts = [f"{what(document)}: {document.name}, {document.period}"]
    if totals:
        parts.append(_("Total: %(amounts)s") % {"amounts": ", ".join(totals)})
    if document.review_until:
        parts.append(_("Please review it until %(day)s.") % {"day": day(document.review_until)})
    return "\n  ".join([*parts, document_link(document)])


def entries(documents: Sequence[Document]) -> str:
    """A list of documents; of a long one the beginning, and how many more there are."""
    found = [f"- {entry(each)}" for each in documents[:_LISTED]]
    more = len(documents) - _LISTED
    if more > 0:
        found.append(ngettext("- and %(count)d more", "- and %(count)d more", more) % {"count": more})
        found.append(f"  {list_link()}")
    return "\n\n".join(found)


def about(dispute: Dispute) -> str:
    """What is disputed: ``line 3 of Invoice …``."""
    if dispute.line is None:
        return what(dispute.document)
    return _("line %(line)d of %(document)s") % {"line": dispute.line, "document": what(dispute.document)}


def quoted(text: str) -> str:
    """What somebody wrote, marked as theirs, and not endlessly."""
    short = text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"
    return "\n".join(f"> {line}".rstrip() for line in short.splitlines())


def letter(*parts: str) -> str:
    """The parts that say something, parted by blank lines, with why this mail comes."""
    because = _("You get this mail because of your role in Apportion, where bills of cloud cost are reviewed.")
    return "\n\n".join([*(part for part in parts if part), f"-- \n{because}"])
