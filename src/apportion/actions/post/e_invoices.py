"""E-invoices of documents between companies of the group: made when they are asked for, and nothing is written.

An e-invoice is charged on the terms of the settings, as the journal is; one whose journal says another amount is
refused, so that nobody is sent a figure that is not in the books.
"""

from __future__ import annotations

from collections.abc import Mapping

from apportion.actions import configured
from apportion.actions.acting import Actor
from apportion.actions.post import posting
from apportion.actions.post.journals import content
from apportion.actions.workspace import workspace
from apportion.close import run as runs
from apportion.close.month import charge_terms, posting_accounts
from apportion.errors import (
    ApportionError,
    EInvoiceRefusedError,
    InputRefusedError,
    MissingRateError,
    Mistake,
    NotFoundError,
    Place,
)
from apportion.invoice.paper import Paper
from apportion.periods import BillingPeriod
from apportion.post import charging, einvoice
from apportion.post.foreign import quote
from apportion.post.intercompany import charged
from apportion.post.lifecycle import JournalKind, JournalState
from apportion.post.terms import Terms
from apportion.records import convert, reach
from apportion.records.documents import Document
from apportion.records.journals import LedgerJournal
from apportion.review.states import Posting
from apportion.settings import Settings
from apportion.warehouse.store import Workspace

FORMATS = {"pdf": ".pdf", "xml": ".ubl.xml"}  # Factur-X, and UBL for Peppol
MEDIA_TYPES = {"pdf": "application/pdf", "xml": "application/xml"}
_IN_JOURNAL = (Posting.EXPORTED, Posting.POSTED)


def currencies(row: Document, paper: Paper) -> tuple[str, ...]:
    """The currencies that a document has an e-invoice in; none where it is none between companies.

    Says nothing of what else may be missing: that is said by `files`.
    """
    if paper.is_showback or paper.issued_on is None or row.label is None:
        return ()
    settings = configured.current()
    if paper.coding.company == settings.payer.company or paper.coding.company not in settings.ledger.charges:
        return ()
    return tuple(total.currency for total in paper.totals)


def files(actor: Actor, document: int, locale: str = "en") -> Mapping[str, bytes]:
    """The e-invoices of a document that the actor may see, by file name: see `post.einvoice.written`.

    Raises `NotFoundError` for any other document, `EInvoiceRefusedError` with everything that keeps it from being one,
    `WorkspaceError` without the extra, and `BadValueError` for no locale.
    """
    row = reach.document(actor.rights, document)
    place, paper = workspace(), convert.paper(row)
    _require_charged(place.settings, paper)
    terms = charge_terms(place.settings, paper.coding.company)
    charge = _charge(place, paper, terms)
    made = einvoice.written(paper, place.settings.parties, charge, locale)
    _require_as_in_journal(place, row, paper)
    return made


def file(actor: Actor, document: int, form: str, currency: str = "", locale: str = "en") -> tuple[str, bytes]:
    """One of them with its name: `form` is ``pdf`` or ``xml``; `currency` is needed where there are several.

    Raises as `files` does, and `InputRefusedError` where it is not said which of several.
    """
    if form not in FORMATS:
        raise NotFoundError("There is no such kind of e-invoice.", advice="Choose pdf or xml.")
    paper = convert.paper(reach.document(actor.rights, document))
    made = files(actor, document, locale)
    names = [name for name in made if name.endswith(FORMATS[form])]
    of = dict(zip((total.currency for total in paper.totals), names, strict=True))
    if not currency and len(of) > 1:
        raise InputRefusedError(
            f"{paper.label} is in {', '.join(of)}, and has an e-invoice in each.",
            place=Place(field="currency"),
            advice="Say which currency.",
        )
    name = of.get(currency, "") if currency else names[0]
    if not name:
        raise NotFoundError(f"{paper.label} has no e-invoice in {currency}.", advice=f"It is in {', '.join(of)}.")
    return name, made[name]


def _require_charged(settings: Settings, paper: Paper) -> None:
    """Raise `EInvoiceRefusedError` where nothing is charged by the document, or nobody has said on which terms."""
    company, seller = paper.coding.company, settings.payer.company
    is_between = bool(company) and company != seller
    if is_between and company in settings.ledger.charges:
        return
    books_in = settings.ledger.currencies.get(seller, "")
    mistakes = [*einvoice.about_document(paper, einvoice.Charge(seller, books_in=books_in))]
    if is_between:
        mistakes.append(
            Mistake(
                "NO_CHARGE",
                f"The settings do not say what company {company} is charged on top of cost.",
                Place("apportion.yaml", field=f"ledger.charges.{company}"),
                f"Add 'ledger: charges: \"{company}\":' with its uplift and tax; {{}} for neither.",
            )
        )
    raise EInvoiceRefusedError(mistakes)


def _charge(place: Workspace, paper: Paper, terms: Terms) -> einvoice.Charge:
    settings = place.settings
    seller = settings.payer.company
    books_in = settings.ledger.currencies.get(seller, "")
    return einvoice.Charge(
        seller, terms.uplift, terms.tax, books_in, _tax_in_books(place, paper, terms, books_in) if books_in else {}
    )


def _tax_in_books(place: Workspace, paper: Paper, terms: Terms, books_in: str) -> dict[str, int]:
    """The tax of each foreign currency in that of the seller's books, at the rates of the period's run.

    A currency without a rate is left out: the e-invoice says that it is missing.
    """
    foreign = [total for total in paper.totals if total.currency != books_in]
    if not foreign or terms.tax is None or terms.tax.reverse_charge:
        return {}
    try:
        exchange = runs.current(place, BillingPeriod.parse(paper.period)).exchange
    except ApportionError:
        return {}
    found = {}
    for total in foreign:
        try:
            rate = quote(exchange.rate(total.currency, books_in))
        except MissingRateError:
            continue
        tax = charged(total.minor, terms.uplift, terms.tax).tax_minor
        found[total.currency] = rate.local(tax, total.currency).amount_minor
    return found


def _require_as_in_journal(place: Workspace, row: Document, paper: Paper) -> None:
    """Raise `EInvoiceRefusedError` where the document's journal was made on other terms than the settings' now."""
    if not row.journal or row.posting_state not in _IN_JOURNAL:
        return
    kept = LedgerJournal.objects.filter(journal_id=row.journal, kind=JournalKind.TRANSFER)
    journal = kept.exclude(state__in=[JournalState.WITHDRAWN, JournalState.REVERSED]).order_by("-pk").first()
    if journal is None:
        return
    made = content(journal)
    company = paper.coding.company
    together = posting.postable(posting.made_from(journal, made))
    documents = [each for each in together if each.coding.company == company]
    mapping = posting.mapping_of(place, BillingPeriod.parse(row.period))
    accounts = posting_accounts(place.settings)
    if not charging.agrees(made.entries, documents, accounts, mapping, company):
        raise EInvoiceRefusedError(
            [
                Mistake(
                    "CHARGED_OTHERWISE",
                    f"{paper.label} is in journal {journal}, which charges company {company} on other terms than the "
                    "settings say now.",
                    Place("apportion.yaml", field=f"ledger.charges.{company}"),
                    "Put the terms back to what they were; or reverse the journal, and post it on the new ones.",
                )
            ]
        )
