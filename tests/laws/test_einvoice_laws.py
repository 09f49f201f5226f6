"""Whatever is charged between companies, the e-invoice is valid, adds up, and asks for what the journal says."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.invoice.paper import PaperKind
from apportion.post.einvoice import Charge, einvoices
from apportion.post.einvoice.cii import cii
from apportion.post.einvoice.terms import terms
from apportion.post.einvoice.ubl import ubl
from apportion.post.einvoice.validate import faults
from apportion.post.intercompany import charged
from apportion.post.tax import Tax
from tests.einvoices import PARTIES, document

AMOUNTS = st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=6)
RATES = st.sampled_from(("0", "5", "7.7", "19", "19.00", "25", "8.125"))
TAXES = st.none() | st.builds(Tax, rate=RATES, reverse_charge=st.booleans())
UPLIFTS = st.sampled_from(("0", "0.5", "3.25", "5", "100"))
KINDS = st.sampled_from((PaperKind.INVOICE, PaperKind.CREDIT_NOTE, PaperKind.DEBIT_NOTE))
CURRENCIES = st.sampled_from(("EUR", "USD", "JPY"))
TEXTS = st.text(max_size=20)


@given(AMOUNTS, TAXES, UPLIFTS, KINDS, CURRENCIES)
@settings(max_examples=150, deadline=None)
def test_the_totals_hold_and_are_those_of_the_journal(
    minor: list[int], tax: Tax | None, uplift: str, kind: PaperKind, currency: str
) -> None:
    (invoice,) = einvoices(
        document(*minor, kind=kind, currency=currency, about="KES-1"), PARTIES, Charge("1000", uplift, tax)
    )
    said = terms(invoice)
    number = {term: Decimal(said.get(term, "0")) for term in ("BT-106", "BT-107", "BT-108", "BT-109", "BT-110")}
    assert number["BT-106"] == sum(Decimal(each["BT-131"]) for each in said["BG-25"])
    assert number["BT-109"] == number["BT-106"] + number["BT-108"] - number["BT-107"]
    assert Decimal(said["BT-112"]) == number["BT-109"] + number["BT-110"] == Decimal(said["BT-115"])
    (subtotal,) = said["BG-23"]
    exact = Decimal(subtotal["BT-116"]) * Decimal(subtotal.get("BT-119", "0")) / 100
    step = Decimal(1) if currency == "JPY" else Decimal("0.01")
    assert Decimal(subtotal["BT-117"]) == exact.quantize(step, ROUND_HALF_UP)
    sign = -1 if kind is PaperKind.CREDIT_NOTE else 1
    assert invoice.due_minor == sign * charged(sum(minor), uplift, tax).due_minor


@pytest.mark.slow
@given(AMOUNTS, TAXES, UPLIFTS, KINDS, CURRENCIES, TEXTS, TEXTS)
@settings(max_examples=60, deadline=None)
def test_every_e_invoice_is_valid_in_both_syntaxes(
    minor: list[int], tax: Tax | None, uplift: str, kind: PaperKind, currency: str, note: str, code: str
) -> None:
    paper = document(*minor, kind=kind, currency=currency, about="KES-1", note=note, code=f"shop {code}")
    (invoice,) = einvoices(paper, PARTIES, Charge("1000", uplift, tax))
    assert faults(cii(invoice)) == ()
    assert faults(ubl(invoice)) == ()
