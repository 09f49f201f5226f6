"""From an issued document, the companies' particulars and the charge on top: e-invoices, or every reason why not.

One document gives one e-invoice for each of its currencies, as an e-invoice has only one. Nothing is guessed: what is
missing is a mistake with its place and advice, and all mistakes are said at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from apportion.errors import ConservationError, EInvoiceRefusedError, Mistake, Place
from apportion.invoice.paper import Paper, PaperKind, PaperLine
from apportion.money.currency import exponent
from apportion.periods import BillingPeriod
from apportion.post.einvoice.model import Category, EInvoice, Kind, Line, Surcharge, Vat, breakdown
from apportion.post.intercompany import charged
from apportion.post.tax import Tax, per_cent
from apportion.settings.parties import Party

_KINDS = {
    PaperKind.INVOICE: Kind.INVOICE,
    PaperKind.CREDIT_NOTE: Kind.CREDIT_NOTE,
    PaperKind.DEBIT_NOTE: Kind.DEBIT_NOTE,
}
_EN_16931_DECIMALS = 2
_FILE = "apportion.yaml"

# The first letters of a VAT number where they are not those of the country, and those that the EU's rules are for.
_EU = frozenset("AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI".split())


@dataclass(frozen=True, slots=True)
class Charge:
    """What the company `seller` charges on top of cost: an uplift in per cent, and its tax, None inside a tax group.

    `books_in` is the currency of the seller's books; e-invoices in another one have it at the end of their number.
    `tax_in_books` is, for each such currency, the tax in minor units of the seller's own, which tax law asks for.
    """

    seller: str
    uplift: str = "0"
    tax: Tax | None = None
    books_in: str = ""
    tax_in_books: Mapping[str, int] = field(default_factory=dict)


def einvoices(paper: Paper, parties: Mapping[str, Party], charge: Charge) -> tuple[EInvoice, ...]:
    """One e-invoice for each currency of an issued document that goes to another company, in the order of their codes.

    Each has what `post.intercompany.charged` works out for its total: the same cost, uplift, tax and amount due as the
    journal. Raises `EInvoiceRefusedError` with every reason why there is none, and `BadValueError` for no per cent.
    """
    vat = _vat(charge.tax)
    per_cent(charge.uplift)
    mistakes = list(_mistakes(paper, parties, charge, vat))
    if mistakes:
        raise EInvoiceRefusedError(mistakes)
    return tuple(_einvoice(paper, parties, charge, vat, total.currency) for total in paper.totals)


def about_document(paper: Paper, charge: Charge) -> tuple[Mistake, ...]:
    """Why a document is nothing to make an e-invoice of, whatever is known of the companies; nothing where it is."""
    return tuple(_document(paper, charge))


def file_stem(number: str) -> str:
    """The number as the beginning of a file's name."""
    return "".join(each if each.isalnum() or each in "-_." else "-" for each in number)


def number(label: str, currency: str, books_in: str) -> str:
    """``KES-2026-000017``, and ``KES-2026-000017-USD`` in another currency than that of the seller's books."""
    return label if not books_in or currency == books_in else f"{label}-{currency}"


def only(paper: Paper, currency: str) -> Paper:
    """The part of a document that is in one currency, with the number of its e-invoice's."""
    return replace(
        paper,
        lines=tuple(line for line in paper.lines if line.currency == currency),
        totals=tuple(total for total in paper.totals if total.currency == currency),
        changes=tuple(change for change in paper.changes if change.currency == currency),
        history=tuple(month for month in paper.history if month.currency == currency),
        budgets=tuple(budget for budget in paper.budgets if budget.currency == currency),
    )


def _vat(tax: Tax | None) -> Vat:
    if tax is None:
        return Vat(Category.OUTSIDE)
    if tax.reverse_charge:
        return Vat(Category.REVERSE_CHARGE)
    rate = _plain(tax.rate)
    return Vat(Category.STANDARD if rate != "0" else Category.ZERO, rate)


def _plain(rate: str) -> str:
    """A per cent without needless zeros: ``7.70`` is ``7.7``."""
    whole, _, part = rate.partition(".")
    part = part.rstrip("0")
    return f"{int(whole)}.{part}" if part else str(int(whole))


def _einvoice(paper: Paper, parties: Mapping[str, Party], charge: Charge, vat: Vat, currency: str) -> EInvoice:
    # Credit notes lower what the recipient carries; the e-invoice of kind 381 says what is credited, above zero.
    sign = -1 if paper.kind is PaperKind.CREDIT_NOTE else 1
    lines = tuple(_line(each, sign, vat) for each in paper.lines if each.currency == currency)
    cost = sum(line.net_minor for line in lines)
    amounts = charged(cost, charge.uplift, charge.tax)
    surcharges: tuple[Surcharge, ...] = ()
    if amounts.uplift_minor:
        rate = _plain(charge.uplift)
        surcharges = (Surcharge(f"Uplift of {rate} %", rate, cost, amounts.uplift_minor, vat),)
    seller, buyer = parties[charge.seller], parties[paper.coding.company]
    period = BillingPeriod.parse(paper.period)
    issued_on = _issued_on(paper)
    parts = breakdown(lines, surcharges)
    made = EInvoice(
        number=number(paper.label, currency, charge.books_in),
        kind=_KINDS[paper.kind],
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=seller.payment_days),
        starts_on=period.starts_on,
        ends_on=period.ends_on - timedelta(days=1),
        currency=currency,
        seller=seller,
        buyer=buyer,
        lines=lines,
        surcharges=surcharges,
        breakdown=parts,
        lines_minor=cost,
        surcharges_minor=amounts.uplift_minor,
        net_minor=amounts.net_minor,
        tax_minor=sum(each.tax_minor for each in parts),
        due_minor=amounts.due_minor,
        buyer_reference=paper.code,
        accounting_reference="/".join(filter(None, (paper.coding.cost_center, paper.coding.ledger_account))),
        about=number(paper.about, currency, charge.books_in) if paper.about else "",
        note=paper.note,
        tax_abroad=(charge.books_in, sign * charge.tax_in_books[currency]) if _is_abroad(charge, currency) else None,
    )
    if made.due_minor != amounts.due_minor:
        raise ConservationError(f"{made.number}: the amount due is not that of the charge between the companies.")
    return made


def _line(line: PaperLine, sign: int, vat: Vat) -> Line:
    name = line.heading or line.charge_category or "Cloud cost"
    return Line(str(line.number), name, line.reason, sign * line.minor, vat)


def _issued_on(paper: Paper) -> date:
    if paper.issued_on is None:
        raise ConservationError(f"{paper.label} is a draft.")
    return paper.issued_on


def _is_abroad(charge: Charge, currency: str) -> bool:
    """Is there tax on it that the seller's country wants in the currency of the seller's books?"""
    taxed = charge.tax is not None and not charge.tax.reverse_charge
    return taxed and bool(charge.books_in) and currency != charge.books_in


def _mistakes(paper: Paper, parties: Mapping[str, Party], charge: Charge, vat: Vat) -> Iterator[Mistake]:
    yield from _document(paper, charge)
    for code, role in ((charge.seller, "seller"), (paper.coding.company, "buyer")):
        if not code:
            continue  # said already
        if code not in parties:
            yield _mistake(
                "NO_PARTY",
                f"Nothing is known of company {code}, the {role} of {paper.label}.",
                _FILE,
                f"parties.{code}",
                f"Add 'parties: {code}:' with its name, country and address to the settings.",
            )
        else:
            yield from _party(parties[code], code, role, vat)
    seller, buyer = parties.get(charge.seller), parties.get(paper.coding.company)
    if seller and buyer and seller is not buyer and seller.country == buyer.country == "DE":
        for name, value in (("contact", seller.contact), ("phone", seller.phone), ("email", seller.email)):
            if not value:
                yield _mistake(
                    "NO_CONTACT",
                    f"Company {charge.seller} names no {name}, which invoices within Germany must have.",
                    _FILE,
                    f"parties.{charge.seller}.{name}",
                    f"Add '{name}' to the company in the settings.",
                )


def _document(paper: Paper, charge: Charge) -> Iterator[Mistake]:
    def said(code: str, sentence: str, field_: str, advice: str) -> Mistake:
        return _mistake(code, sentence, paper.label, field_, advice)

    if paper.is_showback:
        yield said("SHOWBACK", f"{paper.label} is showback: nothing is charged by it.", "kind", "Choose an invoice.")
    if paper.issued_on is None:
        yield said("DRAFT", f"{paper.label} is a draft.", "issued_on", "Issue it first.")
    if not paper.coding.company or not charge.seller:
        yield said(
            "NO_COMPANY",
            f"{paper.label} does not say which company {'pays it' if charge.seller else 'charges it'}.",
            "company",
            "Give the cost group a company code." if charge.seller else "Give 'payer.company' in the settings.",
        )
    elif paper.coding.company == charge.seller:
        yield said(
            "SAME_COMPANY",
            f"{paper.label} stays inside company {charge.seller}.",
            "company",
            "E-invoices are between companies; this one is a cost transfer.",
        )
    if not paper.lines:
        yield said("NO_LINES", f"{paper.label} has no lines.", "lines", "There is nothing to invoice.")
    if paper.kind in (PaperKind.CREDIT_NOTE, PaperKind.DEBIT_NOTE) and not paper.about:
        yield said("NO_REFERENCE", f"{paper.label} does not say what it corrects.", "about", "Name the first document.")
    if len(paper.totals) > 1 and not charge.books_in:
        yield said(
            "SEVERAL_CURRENCIES",
            f"{paper.label} is in {', '.join(each.currency for each in paper.totals)}; an e-invoice has one currency.",
            "currency",
            f"Say in 'ledger.currencies' which one the books of {charge.seller or 'the seller'} are kept in.",
        )
    for total in paper.totals:
        if exponent(total.currency) > _EN_16931_DECIMALS:
            yield said(
                "WRONG_CURRENCY",
                f"{total.currency} has {exponent(total.currency)} decimals; an e-invoice can say two.",
                "currency",
                "Let the cost group have its documents in another currency.",
            )
        if _is_abroad(charge, total.currency) and total.currency not in charge.tax_in_books:
            yield said(
                "NO_TAX_IN_BOOKS",
                f"The tax on {total.currency} must be said in {charge.books_in} too, and its rate is not there.",
                "currency",
                f"Deliver a rate of exchange from {total.currency} to {charge.books_in}.",
            )


def _party(party: Party, code: str, role: str, vat: Vat) -> Iterator[Mistake]:
    def lacks(code_: str, field_: str, what: str, advice: str) -> Mistake:
        return _mistake(code_, f"Company {code}, the {role}, has no {what}.", _FILE, f"parties.{code}.{field_}", advice)

    for field_, what, value in (
        ("address", "street address", "".join(party.address)),
        ("postcode", "postcode", party.postcode),
        ("city", "city", party.city),
    ):
        if not value.strip():
            yield lacks("NO_ADDRESS", field_, what, f"Add '{field_}' to the company in the settings.")
    if not party.electronic_address:
        yield lacks(
            "NO_ELECTRONIC_ADDRESS",
            "electronic_address",
            "electronic address",
            "Add 'electronic_address' and 'electronic_scheme', such as its GLN with 0088.",
        )
    if vat.category is Category.OUTSIDE:
        if not party.legal_id and role == "seller":
            yield lacks("NO_LEGAL_ID", "legal_id", "number in the register of companies", "Add 'legal_id'.")
    elif not party.vat_id:
        # The buyer's is asked for where the buyer owes the tax.
        if role == "seller" or vat.category is Category.REVERSE_CHARGE:
            yield lacks("NO_VAT_ID", "vat_id", "VAT identification number", "Add 'vat_id', such as DE123456788.")
    elif not _is_vat_id(party.vat_id):
        yield _mistake(
            "BAD_VAT_ID",
            f"'{party.vat_id}' of company {code} is not a VAT identification number: its check digits are wrong.",
            _FILE,
            f"parties.{code}.vat_id",
            "Copy it from the company's registration.",
        )


def _is_vat_id(text: str) -> bool:
    """By the check digits of its country in the EU; those of others are taken as they are."""
    from stdnum.eu import vat

    return text[:2] not in _EU or bool(vat.is_valid(text))


def _mistake(code: str, sentence: str, file: str, field_: str, advice: str) -> Mistake:
    return Mistake(code, sentence, Place(file, field=field_), advice)
