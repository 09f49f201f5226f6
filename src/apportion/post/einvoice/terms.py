"""An e-invoice as business terms of EN 16931 (BT-1, BG-4, …), in the shape that both syntaxes are written from.

Amounts are text from whole minor units; nothing is worked out here.
"""

from __future__ import annotations

from typing import Any

from apportion.invoice.papers.words import clean
from apportion.money.currency import exponent, minor_text
from apportion.post.einvoice.model import EXEMPTION, Category, EInvoice, Line, Subtotal, Surcharge, Vat
from apportion.post.tax import part_minor
from apportion.settings.parties import Party

Terms = dict[str, Any]

CREDIT_TRANSFER = "30"
SEPA_CREDIT_TRANSFER = "58"
CLEARING = "97"  # between partners: companies of a group that settle by their current accounts
_ONE = "C62"  # UN/ECE Recommendation 20: one of it


def terms(invoice: EInvoice) -> Terms:
    """The business terms. BT-24, which names the rules that a file follows, is the writer's."""
    made: Terms = {
        "BT-1": invoice.number,
        "BT-2": invoice.issued_on,
        "BT-3": invoice.kind.value,
        "BT-5": invoice.currency,
        "BT-9": invoice.due_on,
        "BT-10": said(invoice.buyer_reference),
        "BT-19": said(invoice.accounting_reference),
        "BT-20": f"Due on {invoice.due_on.isoformat()}",
        "BG-1": [{"BT-22": said(invoice.note)}] if said(invoice.note) else [],
        "BG-3": [{"BT-25": invoice.about}] if invoice.about else [],
        "BG-4": _party(invoice.seller, invoice, as_seller=True),
        "BG-7": _party(invoice.buyer, invoice, as_seller=False),
        "BT-72": invoice.ends_on,
        "BT-73": invoice.starts_on,
        "BT-74": invoice.ends_on,
        **_payment(invoice),
        "BG-20": [_surcharge(each, invoice) for each in invoice.surcharges if each.minor < 0],
        "BG-21": [_surcharge(each, invoice) for each in invoice.surcharges if each.minor > 0],
        "BT-106": invoice.text(invoice.lines_minor),
        "BT-109": invoice.text(invoice.net_minor),
        "BT-110": invoice.text(invoice.tax_minor),
        "BT-112": invoice.text(invoice.net_minor + invoice.tax_minor),
        "BT-115": invoice.text(invoice.due_minor),
        "BG-23": [_subtotal(each, invoice) for each in invoice.breakdown],
        "BG-25": [_line(each, invoice) for each in invoice.lines],
    }
    for term, parts in (
        ("BT-107", [-each.minor for each in invoice.surcharges if each.minor < 0]),
        ("BT-108", [each.minor for each in invoice.surcharges if each.minor > 0]),
    ):
        if parts:
            made[term] = invoice.text(sum(parts))
    if invoice.tax_abroad:
        currency, minor = invoice.tax_abroad
        made["BT-6"], made["BT-111"] = currency, minor_text(minor, currency)
    return {term: value for term, value in made.items() if value not in ("", [])}


def said(text: str) -> str:
    """Text as XML can have it: no control characters, single spaces."""
    return " ".join(clean(text).split())


def _party(party: Party, invoice: EInvoice, *, as_seller: bool) -> Terms:
    taxed = any(each.vat.category is not Category.OUTSIDE for each in invoice.breakdown)
    made: Terms = {
        "name": said(party.name),
        "legal_identifier": said(party.legal_id),
        "vat_identifier": party.vat_id if taxed else "",  # BR-O-02: none where nothing is subject to VAT
        "einvoicing_addr": said(party.electronic_address),
        "einvoicing_addr_schemeid": party.electronic_scheme,
        **{f"addr_l{count}": said(line) for count, line in enumerate(party.address, start=1)},
        "postcode": said(party.postcode),
        "city": said(party.city),
        "country_code": party.country,
    }
    contact = {"name": said(party.contact), "phone": said(party.phone), "email": said(party.email)}
    if as_seller and any(contact.values()):
        made["contacts"] = [{key: value for key, value in contact.items() if value}]
    return {key: value for key, value in made.items() if value}


def _payment(invoice: EInvoice) -> Terms:
    seller = invoice.seller
    if not seller.iban:
        return {"BT-81": CLEARING}
    return {
        "BT-81": SEPA_CREDIT_TRANSFER if invoice.currency == "EUR" else CREDIT_TRANSFER,
        "BT-83": invoice.number,
        "BT-84": seller.iban,
        "BT-85": said(seller.name),
        "BT-86": seller.bic,
    }


def _rate(vat: Vat, term: str) -> Terms:
    """The rate under the name of its term; what is not subject to VAT has none, not even zero (BR-O-05)."""
    return {} if vat.category is Category.OUTSIDE else {term: vat.rate}


def _surcharge(each: Surcharge, invoice: EInvoice) -> Terms:
    # Peppol takes no per cent that a currency without decimals has rounded (R040); the reason says it in any case.
    exact = exponent(invoice.currency) > 0 or abs(part_minor(each.base_minor * 100, each.rate)) == abs(each.minor) * 100
    return {
        "amount": invoice.text(abs(each.minor)),
        **({"base_amount": invoice.text(abs(each.base_minor)), "rate": each.rate} if exact else {}),
        "reason": each.reason,
        "vat_category_code": each.vat.category.value,
        **_rate(each.vat, "vat_rate"),
    }


def _subtotal(each: Subtotal, invoice: EInvoice) -> Terms:
    code, reason = EXEMPTION.get(each.vat.category, ("", ""))
    return {
        "BT-116": invoice.text(each.net_minor),
        "BT-117": invoice.text(each.tax_minor),
        "BT-118": each.vat.category.value,
        "BT-119": each.vat.rate,  # zero outside VAT too: EN 16931 leaves it open, and Germany asks for it (DE-R-014)
        **({"BT-120": reason, "BT-121": code} if code else {}),
    }


def _line(line: Line, invoice: EInvoice) -> Terms:
    # A price is never below zero (BR-27), so what is given back is a negative quantity at that price.
    made: Terms = {
        "BT-126": line.id,
        "BT-129": "-1" if line.net_minor < 0 else "1",
        "BT-130": _ONE,
        "BT-131": invoice.text(line.net_minor),
        "BT-146": invoice.text(abs(line.net_minor)),
        "BT-151": line.vat.category.value,
        **_rate(line.vat, "BT-152"),
        "BT-153": said(line.name) or "Cloud cost",
        "BT-154": said(line.about),
    }
    return {term: value for term, value in made.items() if value}
