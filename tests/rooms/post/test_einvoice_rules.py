"""The rules of EN 16931 are really run: each way to break an e-invoice is caught by the rule that forbids it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from lxml import etree

from apportion.errors import EInvoiceRefusedError
from apportion.post.einvoice.cii import cii
from apportion.post.einvoice.ubl import ubl
from apportion.post.einvoice.validate import faults, require
from tests.einvoices import REVERSE, ZERO, Change, changed, credit_note, document, drop, each_element, made, put
from tests.rooms.post.einvoice_mutations import CATALOGUE, Mutation

pytestmark = pytest.mark.thorough

WRITERS = {"cii": cii, "ubl": ubl}
BASES = ("standard", "reverse", "outside", "zero", "credit")


@cache
def base(name: str, syntax: str) -> bytes:
    invoice = {
        "standard": lambda: made(document(70_000, 40_000, -10_000)),
        "reverse": lambda: made(document(70_000, 40_000, -10_000), REVERSE),
        "outside": lambda: made(document(70_000, 40_000, -10_000), None),
        "zero": lambda: made(document(70_000, 40_000, -10_000), ZERO),
        "credit": lambda: made(credit_note(-5_000)),
    }[name]()
    return WRITERS[syntax](invoice)


@pytest.mark.parametrize("syntax", WRITERS)
@pytest.mark.parametrize("name", BASES)
def test_what_is_not_broken_is_valid(name: str, syntax: str) -> None:
    assert faults(base(name, syntax)) == ()
    require(base(name, syntax))


def test_a_broken_rule_is_named_with_its_sentence_line_and_place() -> None:
    xml = changed(base("standard", "ubl"), put("LegalMonetaryTotal/PayableAmount", "1249.51"))
    with pytest.raises(EInvoiceRefusedError) as error:
        require(xml, "KES.ubl.xml")
    (mistake,) = error.value.mistakes
    assert mistake.code == "BR-CO-16"
    assert mistake.sentence.startswith("Amount due for payment (BT-115) = ")
    line = xml.decode().splitlines().index("  <cac:LegalMonetaryTotal>") + 1
    assert str(mistake.place) == f"KES.ubl.xml:{line}, /Invoice[1]/LegalMonetaryTotal[1]"


def test_the_schema_and_the_rules_are_both_asked() -> None:
    codes = [each.code for each in faults(changed(base("standard", "ubl"), drop("Invoice/ID")))]
    assert codes == ["XSD", "BR-02"]


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<Invoice",
        b"<order/>",
        b'<!DOCTYPE Invoice [<!ENTITY a "b">]><Invoice>&a;</Invoice>',
        b'<!DOCTYPE Invoice SYSTEM "file:///etc/hostname"><Invoice/>',
    ],
)
def test_what_is_no_e_invoice_is_refused(xml: bytes) -> None:
    assert [each.code for each in faults(xml)] == ["NOT_AN_EINVOICE"]


@pytest.mark.parametrize("xml", [b"<Invoice/>", b"<CrossIndustryInvoice/>", b"<CreditNote/>"])
def test_a_name_alone_makes_no_e_invoice(xml: bytes) -> None:
    assert "XSD" in {each.code for each in faults(xml)}


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("PEPPOL-EN16931-R001", drop("ProfileID")),
        ("PEPPOL-EN16931-R003", drop("BuyerReference")),
        ("PEPPOL-EN16931-R004", put("CustomizationID", "urn:example")),
        ("PEPPOL-EN16931-R007", put("ProfileID", "urn:example")),
        ("PEPPOL-EN16931-R008", put("PartyLegalEntity/CompanyID", "")),
        ("PEPPOL-EN16931-R010", drop("AccountingCustomerParty/Party/EndpointID")),
        ("PEPPOL-EN16931-R020", drop("AccountingSupplierParty/Party/EndpointID")),
        ("DE-R-001", drop("PaymentMeans")),
        ("DE-R-002", drop("Contact")),
        ("DE-R-003", drop("AccountingSupplierParty/Party/PostalAddress/CityName")),
        ("DE-R-004", drop("AccountingSupplierParty/Party/PostalAddress/PostalZone")),
        ("DE-R-005", drop("Contact/Name")),
        ("DE-R-006", drop("Contact/Telephone")),
        ("DE-R-007", drop("Contact/ElectronicMail")),
        ("DE-R-008", drop("AccountingCustomerParty/Party/PostalAddress/CityName")),
        ("DE-R-009", drop("AccountingCustomerParty/Party/PostalAddress/PostalZone")),
        ("DE-R-014", drop("TaxSubtotal/TaxCategory/Percent")),
    ],
)
def test_what_peppol_must_have(rule: str, change: Change) -> None:
    assert rule in {each.code for each in faults(changed(base("standard", "ubl"), change))}


def test_rules_that_cannot_be_run_to_their_end_are_no_pass() -> None:
    found = faults(changed(base("standard", "cii"), put("NetPriceProductTradePrice/ChargeAmount", "much")))
    assert {each.code for each in found} == {"XSD", "RULES_STOPPED"}


def test_many_threads_may_ask() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(faults, [base("standard", "ubl")] * 12)) == {()}


@pytest.mark.slow
@pytest.mark.parametrize("syntax", WRITERS)
@pytest.mark.parametrize("mutation", CATALOGUE, ids=lambda each: f"{each.rule}: {each.what}")
def test_each_way_to_break_an_e_invoice_is_caught(mutation: Mutation, syntax: str) -> None:
    rule = (mutation.cii_rule if syntax == "cii" else "") or mutation.rule
    broken = changed(base(mutation.base, syntax), *(mutation.cii if syntax == "cii" else mutation.ubl))
    assert rule in {each.code for each in faults(broken)}


def remove(node: Any) -> bool:
    node.getparent().remove(node)
    return True


def repeat(node: Any) -> bool:
    node.addnext(etree.fromstring(etree.tostring(node)))
    return True


def a_cent_more(node: Any) -> bool:
    if len(node) or not re.fullmatch(r"-?\d+\.\d\d", node.text or ""):
        return False
    node.text = str(Decimal(node.text) + Decimal("0.01"))
    return True


def empty(node: Any) -> bool:
    if len(node) or not (node.text or "").strip():
        return False
    node.text = ""
    return True


def garble(node: Any) -> bool:
    if len(node) or not (node.text or "").strip():
        return False
    node.text = "??"
    return True


# What EN 16931 lets anybody leave out, repeat or word freely. Everything else is caught, element by element.
FREE: dict[tuple[str, Callable[[Any], bool]], str] = {
    ("cii", remove): """
        SpecifiedTradeProduct/Description BuyerReference SellerTradeParty/SpecifiedLegalOrganization
        SellerTradeParty/DefinedTradeContact DefinedTradeContact/PersonName
        DefinedTradeContact/TelephoneUniversalCommunication DefinedTradeContact/EmailURIUniversalCommunication
        SellerTradeParty/PostalTradeAddress/PostcodeCode SellerTradeParty/PostalTradeAddress/LineOne
        SellerTradeParty/PostalTradeAddress/CityName SellerTradeParty/URIUniversalCommunication
        BuyerTradeParty/SpecifiedLegalOrganization BuyerTradeParty/PostalTradeAddress/PostcodeCode
        BuyerTradeParty/PostalTradeAddress/LineOne PostalTradeAddress/LineTwo
        BuyerTradeParty/PostalTradeAddress/CityName BuyerTradeParty/URIUniversalCommunication
        BuyerTradeParty/SpecifiedTaxRegistration PaymentReference SpecifiedTradeSettlementPaymentMeans
        PayeePartyCreditorFinancialAccount/AccountName BillingSpecifiedPeriod BillingSpecifiedPeriod/StartDateTime
        BillingSpecifiedPeriod/EndDateTime SpecifiedTradeAllowanceCharge/CalculationPercent
        SpecifiedTradeAllowanceCharge/BasisAmount SpecifiedTradePaymentTerms/Description
        SpecifiedTradePaymentTerms/DueDateDateTime ReceivableSpecifiedTradeAccountingAccount
    """,
    ("ubl", remove): """
        DueDate AccountingCost InvoicePeriod InvoicePeriod/StartDate InvoicePeriod/EndDate
        AccountingSupplierParty/Party/PostalAddress/StreetName
        AccountingSupplierParty/Party/PartyLegalEntity/CompanyID
        AccountingCustomerParty/Party/PostalAddress/StreetName PostalAddress/AdditionalStreetName
        AccountingCustomerParty/Party/PartyTaxScheme AccountingCustomerParty/Party/PartyLegalEntity/CompanyID
        Delivery PaymentMeans/PaymentID PayeeFinancialAccount/Name PaymentTerms
        AllowanceCharge/MultiplierFactorNumeric AllowanceCharge/BaseAmount Item/Description
    """,
    ("cii", repeat): "SpecifiedTradeSettlementPaymentMeans",
    ("ubl", repeat): "PaymentMeans",
    # 5 % of a cent more is the same uplift.
    ("cii", a_cent_more): "SpecifiedTradeAllowanceCharge/BasisAmount",
    ("ubl", a_cent_more): "AllowanceCharge/BaseAmount",
    ("cii", empty): "",
    ("ubl", empty): "",
    ("cii", garble): """
        ExchangedDocument/ID LineID SpecifiedTradeProduct/Name SpecifiedTradeProduct/Description BuyerReference
        SellerTradeParty/Name BuyerTradeParty/Name SpecifiedLegalOrganization/ID PersonName CompleteNumber URIID
        PostcodeCode LineOne LineTwo CityName PaymentReference IBANID AccountName
        SpecifiedTradeAllowanceCharge/Reason SpecifiedTradePaymentTerms/Description
        ReceivableSpecifiedTradeAccountingAccount/ID
    """,
    # A tax number of another scheme than VAT is a tax number still (BT-32).
    ("ubl", garble): """
        ID AccountingCost BuyerReference EndpointID StreetName AdditionalStreetName CityName PostalZone
        PartyTaxScheme/TaxScheme/ID RegistrationName PartyLegalEntity/CompanyID Contact/Name Contact/Telephone
        Contact/ElectronicMail PaymentID PayeeFinancialAccount/ID PayeeFinancialAccount/Name PaymentTerms/Note
        AllowanceChargeReason InvoiceLine/ID Item/Description Item/Name
    """,
}


def is_free(path: str, free: list[str]) -> bool:
    """Does the path end in one of these? One name alone is the whole path or, in the CII, its end."""
    return any(path == each or (path.endswith(f"/{each}") and each != "ID") for each in free)


@pytest.mark.slow
@pytest.mark.parametrize(("syntax", "act"), FREE, ids=lambda each: getattr(each, "__name__", each))
def test_each_element_is_missed_and_each_amount_counts(syntax: str, act: Callable[[Any], bool]) -> None:
    free = FREE[syntax, act].split()
    passed: Counter[str] = Counter()
    tried = 0
    for path, xml in each_element(base("standard", syntax), act):
        tried += 1
        if not faults(xml):
            passed[path] += 1
    assert tried > 10
    assert [path for path in passed if not is_free(path, free)] == []
    assert [each for each in free if not any(is_free(path, [each]) for path in passed)] == []
