"""The e-invoice as its page says it: the same particulars, lines, tax and totals as the XML, ready to be set.

Texts are English, and German where the locale's language is German.
"""

from __future__ import annotations

from typing import Any

from apportion.invoice.papers.page import breakable
from apportion.invoice.papers.words import Words
from apportion.money.currency import minor_text
from apportion.post.einvoice.model import EXEMPTION, Category, EInvoice, Kind
from apportion.settings.parties import Party

_KINDS = {Kind.INVOICE: "Invoice", Kind.CREDIT_NOTE: "Credit note", Kind.DEBIT_NOTE: "Debit note"}

_GERMAN = {
    "Invoice": "Rechnung",
    "Credit note": "Gutschrift (Rechnungskorrektur)",
    "Debit note": "Nachbelastung",
    "From": "Von",
    "To": "An",
    "Number": "Nummer",
    "Date": "Datum",
    "Period": "Leistungszeitraum",
    "Due": "Fällig",
    "Currency": "Währung",
    "Your reference": "Ihr Zeichen",
    "Your accounts": "Ihre Kontierung",
    "About": "Zu",
    "Corrects": "Berichtigt",
    "VAT number": "USt-IdNr.",
    "Register number": "Registernummer",
    "Electronic address": "Elektronische Adresse",
    "No.": "Nr.",
    "What": "Leistung",
    "Net": "Netto",
    "Sum of lines": "Summe der Positionen",
    "Uplift of {rate} % on {base}": "Aufschlag von {rate} % auf {base}",
    "Net total": "Nettobetrag",
    "VAT": "Umsatzsteuer",
    "VAT {rate} % on {base}": "Umsatzsteuer {rate} % auf {base}",
    "Total with VAT": "Bruttobetrag",
    "Amount due": "Zahlbetrag",
    "VAT in {currency}": "Umsatzsteuer in {currency}",
    "Reason": "Grund",
    "Pay to": "Zahlung an",
    "Settled between the companies' current accounts.": "Ausgleich über die Verrechnungskonten der Gesellschaften.",
    "Reverse charge: the recipient owes the VAT": "Steuerschuldnerschaft des Leistungsempfängers",
    "Not subject to VAT": "Nicht umsatzsteuerbar",
    "This file holds the same e-invoice for machines, as {file}; what stands behind each line follows.": (
        "Diese Datei enthält dieselbe Rechnung für Maschinen als {file}; was hinter jeder Position steht, folgt."
    ),
    "Page": "Seite",
    "Contact": "Ansprechpartner",
}


def page(invoice: EInvoice, words: Words, file: str) -> dict[str, Any]:
    """Everything on the page, in its order; `file` is the name of the XML in the PDF."""

    def say(text: str, **named: object) -> str:
        found = _GERMAN.get(text, text) if words.language == "de" else text
        return found.format(**named) if named else found

    def amount(minor: int) -> str:
        return words.amount(minor, invoice.currency)

    facts = [
        ("Number", invoice.number),
        ("Date", words.day(invoice.issued_on)),
        ("Period", f"{words.day(invoice.starts_on)} – {words.day(invoice.ends_on)}"),
        ("Due", words.day(invoice.due_on)),
        ("Currency", invoice.currency),
        ("Your reference", invoice.buyer_reference),
        ("Your accounts", invoice.accounting_reference),
        ("Corrects", invoice.about),
        ("Reason", invoice.note),
    ]
    title = f"{say(_KINDS[invoice.kind])} {invoice.number}"
    pay = [seller for seller in (invoice.seller.name, invoice.seller.iban, invoice.seller.bic) if seller]
    return {
        "title": title,
        "kind": say(_KINDS[invoice.kind]),
        "parties": [
            [say("From"), _party(invoice.seller, invoice, say)],
            [say("To"), _party(invoice.buyer, invoice, say)],
        ],
        "facts": [[say(name), breakable(value)] for name, value in facts if value],
        "head": [say("No."), say("What"), f"{say('Net')} {invoice.currency}"],
        "lines": [
            [line.id, breakable(line.name), breakable(line.about), amount(line.net_minor)] for line in invoice.lines
        ],
        "totals": _totals(invoice, say, amount),
        "due": [say("Amount due"), words.money(invoice.due_minor, invoice.currency)],
        "pay": [
            say("Pay to"),
            " · ".join(pay) if invoice.seller.iban else say("Settled between the companies' current accounts."),
        ],
        "behind": say(
            "This file holds the same e-invoice for machines, as {file}; what stands behind each line follows.",
            file=file,
        ),
        "page": say("Page"),
    }


def _party(party: Party, invoice: EInvoice, say: Any) -> list[Any]:
    taxed = any(each.vat.category is not Category.OUTSIDE for each in invoice.breakdown)
    particulars = [
        ("VAT number", party.vat_id if taxed else ""),
        ("Register number", party.legal_id),
        ("Electronic address", f"{party.electronic_scheme}:{party.electronic_address}"),
    ]
    if party is invoice.seller:
        particulars.append(("Contact", ", ".join(filter(None, (party.contact, party.phone, party.email)))))
    return [
        breakable(party.name, 40),
        [breakable(line, 40) for line in (*party.address, f"{party.postcode} {party.city}", party.country)],
        [[say(name), breakable(value, 30)] for name, value in particulars if value],
    ]


def _totals(invoice: EInvoice, say: Any, amount: Any) -> list[list[str]]:
    rows = [[say("Sum of lines"), amount(invoice.lines_minor)]]
    rows += [
        [say("Uplift of {rate} % on {base}", rate=each.rate, base=amount(each.base_minor)), amount(each.minor)]
        for each in invoice.surcharges
    ]
    rows.append([say("Net total"), amount(invoice.net_minor)])
    for each in invoice.breakdown:
        name = say("VAT {rate} % on {base}", rate=each.vat.rate, base=amount(each.net_minor))
        if each.vat.category in EXEMPTION:
            name = say(EXEMPTION[each.vat.category][1])
        rows.append([name, amount(each.tax_minor)])
    if invoice.tax_abroad:
        currency, minor = invoice.tax_abroad
        rows.append([say("VAT in {currency}", currency=currency), minor_text(minor, currency)])
    return [*rows, [say("Total with VAT"), amount(invoice.net_minor + invoice.tax_minor)]]
