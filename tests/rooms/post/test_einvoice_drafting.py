"""From issued documents to e-invoices: amounts that a person can check, and everything that is missing said at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from apportion.errors import BadValueError, ConservationError, EInvoiceRefusedError
from apportion.invoice.paper import Paper, PaperKind
from apportion.ledger.account import LedgerAccount
from apportion.organization.coding import Coding
from apportion.post.einvoice import Charge, einvoices, written
from apportion.post.einvoice.cii import cii
from apportion.post.einvoice.model import Category, EInvoice, Kind
from apportion.post.einvoice.terms import terms
from apportion.post.einvoice.ubl import ubl
from apportion.post.einvoice.validate import faults
from apportion.post.intercompany import charge, charged
from apportion.post.mapping import PostingAccounts
from apportion.post.passing_on import Head
from apportion.post.tax import Tax
from tests.einvoices import HOLDING, PARTIES, RETAIL, REVERSE, STANDARD, ZERO, credit_note, document, joined, made

pytestmark = pytest.mark.thorough


def valid(invoice: EInvoice) -> bool:
    return not faults(cii(invoice)) and not faults(ubl(invoice))


def refused(paper: Paper, charge: Charge, **parties: object) -> list[tuple[str, str]]:
    known = {"1000": HOLDING, "2000": RETAIL, **{code.strip("_"): party for code, party in parties.items()}}
    with pytest.raises(EInvoiceRefusedError) as error:
        einvoices(paper, {code: party for code, party in known.items() if party}, charge)  # type: ignore[misc]
    for mistake in error.value.mistakes:
        assert mistake.sentence.endswith(".")
        assert mistake.advice.endswith(".")
    return [(mistake.code, mistake.place.field) for mistake in error.value.mistakes]


def test_example_f_thousand_and_five_per_cent() -> None:
    said = terms(made(document(70_000, 40_000, -10_000)))
    assert {term: said[term] for term in ("BT-106", "BT-108", "BT-109", "BT-110", "BT-112", "BT-115")} == {
        "BT-106": "1000.00",
        "BT-108": "50.00",
        "BT-109": "1050.00",
        "BT-110": "199.50",
        "BT-112": "1249.50",
        "BT-115": "1249.50",
    }
    (uplift,) = said["BG-21"]
    assert (uplift["amount"], uplift["base_amount"], uplift["rate"]) == ("50.00", "1000.00", "5")
    assert [(each["BT-129"], each["BT-146"], each["BT-131"]) for each in said["BG-25"]] == [
        ("1", "700.00", "700.00"),
        ("1", "400.00", "400.00"),
        ("-1", "100.00", "-100.00"),  # a price is never below zero
    ]


def test_example_g_vat_is_rounded_once_for_its_category() -> None:
    invoice = made(document(1_003, 1_003, 1_003), uplift="0")
    (subtotal,) = invoice.breakdown
    assert (subtotal.net_minor, subtotal.tax_minor) == (3_009, 572)  # line by line it would be 573
    assert invoice.due_minor == 3_581
    assert valid(invoice)


@pytest.mark.parametrize("tax", [STANDARD, REVERSE, ZERO, None, Tax("7.70")], ids=str)
@pytest.mark.parametrize("kind", [PaperKind.INVOICE, PaperKind.CREDIT_NOTE, PaperKind.DEBIT_NOTE])
def test_every_kind_of_document_and_tax_is_a_valid_e_invoice(tax: Tax | None, kind: PaperKind) -> None:
    about = "" if kind is PaperKind.INVOICE else "KES-2026-000012"
    assert valid(made(document(70_000, -333, 1, kind=kind, about=about), tax, uplift="3.25"))


def test_reverse_charge_has_no_tax_and_its_reason() -> None:
    said = terms(made(document(100_000), REVERSE))
    assert said["BT-115"] == "1050.00"
    assert said["BG-23"] == [
        {
            "BT-116": "1050.00",
            "BT-117": "0.00",
            "BT-118": "AE",
            "BT-119": "0",
            "BT-120": "Reverse charge: the recipient owes the VAT",
            "BT-121": "VATEX-EU-AE",
        }
    ]


def test_inside_a_tax_group_it_is_outside_vat_and_says_no_vat_number() -> None:
    said = terms(made(document(100_000), None))
    assert said["BG-23"][0]["BT-118"] == Category.OUTSIDE.value
    assert "BT-152" not in said["BG-25"][0]
    assert "vat_rate" not in said["BG-21"][0]
    assert "vat_identifier" not in said["BG-4"] | said["BG-7"]


def test_a_credit_note_says_what_is_credited_above_zero_and_about_what() -> None:
    invoice = made(credit_note(-5_000, 1_000))
    assert (invoice.kind, invoice.lines_minor, invoice.due_minor) == (Kind.CREDIT_NOTE, 4_000, 4_998)
    assert terms(invoice)["BG-3"] == [{"BT-25": "KES-2026-000017"}]
    assert terms(invoice)["BG-1"] == [{"BT-22": "Late"}]
    assert valid(invoice)


def test_a_per_cent_that_a_currency_without_decimals_rounds_is_in_words_only() -> None:
    def uplift(minor: int) -> dict[str, str]:
        (found,) = terms(made(document(minor, currency="JPY"), uplift="3.25"))["BG-21"]
        return {name: found[name] for name in ("amount", "base_amount", "rate", "reason") if name in found}

    assert uplift(700) == {"amount": "23", "reason": "Uplift of 3.25 %"}
    assert uplift(400) == {"amount": "13", "base_amount": "400", "rate": "3.25", "reason": "Uplift of 3.25 %"}


def test_less_than_nothing_is_uplifted_by_an_allowance() -> None:
    invoice = made(document(-100_000))
    said = terms(invoice)
    assert "BG-21" not in said
    assert (said["BT-107"], said["BT-109"], said["BT-115"]) == ("50.00", "-1050.00", "-1249.50")
    assert valid(invoice)


@pytest.mark.parametrize("tax", [STANDARD, REVERSE, None], ids=str)
@pytest.mark.parametrize("minor", [100_000, -100_000, 1])
def test_the_amount_due_is_the_receivable_of_the_journal(tax: Tax | None, minor: int) -> None:
    accounts = PostingAccounts(
        payer=Coding("1000"),
        transferred_out="600199",
        intercompany_receivable="140000",
        intercompany_payable="160000",
        intercompany_revenue="820000",
        intercompany_input_tax="157600",
        intercompany_output_tax="177600",
    )
    day = date(2026, 11, 5)
    buyer = LedgerAccount("2000", "600150", cost_center="0010")
    entry = charge(Head("E-1", day, day, "Cloud"), charged(minor, "5", tax), "EUR", buyer, accounts)
    receivable = sum(each.amount_minor for each in entry.postings if each.account == "140000")
    assert made(document(minor), tax).due_minor == receivable


def test_each_currency_is_an_e_invoice_of_its_own() -> None:
    paper = joined(document(1_000), document(700, currency="JPY"), document(2_000, currency="USD"))
    invoices = einvoices(paper, PARTIES, Charge("1000", "5", REVERSE, books_in="EUR"))
    assert [(each.number, each.currency, each.due_minor) for each in invoices] == [
        ("KES-2026-000017", "EUR", 1_050),
        ("KES-2026-000017-JPY", "JPY", 735),
        ("KES-2026-000017-USD", "USD", 2_100),
    ]
    assert terms(invoices[1])["BT-115"] == "735"
    assert all(valid(each) for each in invoices)


def test_tax_in_another_currency_is_said_in_the_sellers_too() -> None:
    paper = document(10_000, currency="USD")
    assert refused(paper, Charge("1000", "5", STANDARD, "EUR")) == [("NO_TAX_IN_BOOKS", "currency")]
    (invoice,) = einvoices(paper, PARTIES, Charge("1000", "5", STANDARD, "EUR", {"USD": 1_841}))
    assert (terms(invoice)["BT-6"], terms(invoice)["BT-111"]) == ("EUR", "18.41")
    assert valid(invoice)


def test_everything_that_is_missing_is_said_at_once() -> None:
    bare = RETAIL.model_copy(update={"postcode": "", "city": "", "address": (), "electronic_address": ""})
    seller = HOLDING.model_copy(update={"vat_id": "", "contact": "", "phone": ""})
    assert refused(document(1), Charge("1000", "5", STANDARD), _1000=seller, _2000=bare) == [
        ("NO_VAT_ID", "parties.1000.vat_id"),
        ("NO_ADDRESS", "parties.2000.address"),
        ("NO_ADDRESS", "parties.2000.postcode"),
        ("NO_ADDRESS", "parties.2000.city"),
        ("NO_ELECTRONIC_ADDRESS", "parties.2000.electronic_address"),
        ("NO_CONTACT", "parties.1000.contact"),
        ("NO_CONTACT", "parties.1000.phone"),
    ]


@pytest.mark.parametrize(
    ("paper", "charge", "found"),
    [
        (document(1, kind=PaperKind.STATEMENT), Charge("1000"), ("SHOWBACK", "kind")),
        (document(1, issued_on=None), Charge("1000"), ("DRAFT", "issued_on")),
        (document(1, coding=Coding()), Charge("1000"), ("NO_COMPANY", "company")),
        (document(1), Charge(""), ("NO_COMPANY", "company")),
        (document(1), Charge("2000"), ("SAME_COMPANY", "company")),
        (document(), Charge("1000"), ("NO_LINES", "lines")),
        (document(1, kind=PaperKind.CREDIT_NOTE), Charge("1000"), ("NO_REFERENCE", "about")),
        (joined(document(1), document(1, currency="USD")), Charge("1000"), ("SEVERAL_CURRENCIES", "currency")),
        (document(1, currency="KWD"), Charge("1000"), ("WRONG_CURRENCY", "currency")),
        (document(1), Charge("3000"), ("NO_PARTY", "parties.3000")),
        (document(1, coding=Coding("4000")), Charge("1000"), ("NO_PARTY", "parties.4000")),
    ],
)
def test_each_reason_why_there_is_no_e_invoice(paper: Paper, charge: Charge, found: tuple[str, str]) -> None:
    assert refused(paper, charge) == [found]


@pytest.mark.parametrize(
    ("tax", "update", "found"),
    [
        (STANDARD, {"vat_id": "DE136695977"}, ("BAD_VAT_ID", "parties.1000.vat_id")),
        (None, {"legal_id": ""}, ("NO_LEGAL_ID", "parties.1000.legal_id")),
    ],
)
def test_particulars_that_the_tax_asks_for(tax: Tax, update: dict[str, str], found: tuple[str, str]) -> None:
    assert refused(document(1), Charge("1000", "5", tax), _1000=HOLDING.model_copy(update=update)) == [found]


def test_the_buyers_vat_number_is_needed_where_the_buyer_owes_the_tax() -> None:
    buyer = RETAIL.model_copy(update={"vat_id": ""})
    assert refused(document(1), Charge("1000", "5", REVERSE), _2000=buyer) == [("NO_VAT_ID", "parties.2000.vat_id")]
    (invoice,) = einvoices(document(1), {**PARTIES, "2000": buyer}, Charge("1000", "5", STANDARD))
    assert valid(invoice)


def test_no_per_cent_is_refused() -> None:
    with pytest.raises(BadValueError, match="not a per cent"):
        einvoices(document(1), PARTIES, Charge("1000", "five"))


@pytest.mark.parametrize("name", ["due_minor", "tax_minor", "net_minor", "lines_minor", "surcharges_minor"])
def test_an_e_invoice_that_does_not_add_up_cannot_be_made(name: str) -> None:
    invoice = made(document(100_000))
    with pytest.raises(ConservationError):
        replace(invoice, **{name: getattr(invoice, name) + 1})


def test_text_that_would_break_xml_is_written_as_text() -> None:
    nasty = document(1, code="a<b>&\x00\x1b \ud800", note="]]> \N{BLACK SMILING FACE} <!ENTITY x>")
    invoice = made(replace(nasty, lines=(replace(nasty.lines[0], service="\x01", charge_category="\x02"),)))
    assert terms(invoice)["BT-10"] == "a<b>&"
    assert terms(invoice)["BG-25"][0]["BT-153"] == "Cloud cost"
    assert valid(invoice)


def test_the_files_are_the_same_bytes_for_the_same_document() -> None:
    paper = joined(document(70_000, -300), document(2_000, currency="USD"))
    charge = Charge("1000", "5", REVERSE, books_in="EUR")
    files = written(paper, PARTIES, charge)
    assert list(files) == [
        "KES-2026-000017.pdf",
        "KES-2026-000017.ubl.xml",
        "KES-2026-000017-USD.pdf",
        "KES-2026-000017-USD.ubl.xml",
    ]
    assert written(paper, PARTIES, charge) == files


def test_nothing_is_handed_over_where_a_rule_refuses_it() -> None:
    seller = HOLDING.model_copy(update={"electronic_scheme": "9999"})
    with pytest.raises(EInvoiceRefusedError) as error:
        written(document(1), {**PARTIES, "1000": seller}, Charge("1000"))
    assert [(each.code, each.place.file) for each in error.value.mistakes] == [
        ("BR-CL-25", "KES-2026-000017.pdf"),
        ("BR-CL-25", "KES-2026-000017.ubl.xml"),
    ]
