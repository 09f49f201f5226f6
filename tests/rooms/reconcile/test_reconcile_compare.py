"""Provider invoices against the cost data: tolerance, exemptions, and what is missing on either side."""

from __future__ import annotations

import pytest

from apportion.money.amount import units
from apportion.reconcile.compare import Comparison, compare
from apportion.reconcile.difference import Reason, tolerance
from apportion.reconcile.provider_invoice import InvoiceKey, Origin, provider_invoices, under_one_name
from apportion.warehouse.snapshot import DeliveredInvoice, Total


def total(
    amount: str,
    invoice: str | None = "I-1",
    *,
    rows: int = 5,
    category: str = "Usage",
    currency: str = "USD",
    issuer: str = "Nimbus",
    billing_account: str = "ba-1",
) -> Total:
    billed = units(amount)
    return Total("s", issuer, billing_account, invoice, currency, category, "", rows, billed, billed, None, None)


def invoice(
    amount: str,
    number: str = "I-1",
    *,
    tax: str = "0",
    status: str = "Issued",
    currency: str = "USD",
    issuer: str = "Nimbus",
) -> DeliveredInvoice:
    return DeliveredInvoice("s", issuer, number, currency, units(amount), status, units(tax))


def compared(totals: list[Total], delivered: list[DeliveredInvoice]) -> tuple[Comparison, ...]:
    return compare(provider_invoices(totals, delivered), totals)


def reasons(comparison: Comparison) -> list[tuple[Reason, int, bool]]:
    return [(each.reason, each.units, each.within_tolerance) for each in comparison.differences]


@pytest.mark.parametrize(
    ("rows", "currency", "expected"),
    [
        (0, "USD", "1.00"),
        (5, "USD", "1.00"),
        (40_000, "USD", "1.00"),
        (40_001, "USD", "1.000012499921875976"),
        (1_000_000, "USD", "5.00"),
        (1_000_000, "JPY", "500"),
        (1, "JPY", "100"),
        (1, "KWD", "0.1"),
    ],
)
def test_tolerance_follows_the_formula(rows: int, currency: str, expected: str) -> None:
    assert tolerance(rows, currency) == units(expected)


# The four scenarios of FOCUS 1.4, appendix "Rounding Variance Tolerance".
@pytest.mark.parametrize(
    ("rows", "cost", "stated", "reason", "agrees"),
    [
        (5, "12.50", "12.52", Reason.ROUNDING, True),
        (5, "10.00", "15.00", Reason.BEYOND_TOLERANCE, False),
        (1_000_000, "5000000.00", "5000004.50", Reason.ROUNDING, True),
        (1_000_000, "5000000.00", "5000015.00", Reason.BEYOND_TOLERANCE, False),
    ],
)
def test_published_scenarios(rows: int, cost: str, stated: str, reason: Reason, agrees: bool) -> None:
    (comparison,) = compared([total(cost, rows=rows)], [invoice(stated)])
    assert reasons(comparison) == [(reason, units(cost) - units(stated), agrees)]
    assert comparison.agrees is agrees


@pytest.mark.parametrize(("stated", "agrees"), [("101.00", True), ("101.000000000000000001", False)])
def test_the_limit_itself_is_within_tolerance(stated: str, agrees: bool) -> None:
    (comparison,) = compared([total("100")], [invoice(stated)])
    assert comparison.agrees is agrees


def test_cost_data_states_its_own_invoices_where_there_is_no_invoice_detail() -> None:
    totals = [total("10"), total("2", category="Tax"), total("5", None), total("7", None, billing_account="ba-2")]
    comparisons = compared(totals, [])
    assert [(each.key, each.invoice_units, each.cost_units) for each in comparisons] == [
        (InvoiceKey("Nimbus", "", "ba-1", "USD"), units("5"), units("5")),
        (InvoiceKey("Nimbus", "", "ba-2", "USD"), units("7"), units("7")),
        (InvoiceKey("Nimbus", "I-1", "", "USD"), units("12"), units("12")),
    ]
    assert {each.invoice.origin for each in comparisons if each.invoice} == {Origin.COST_DATA}
    assert not any(each.differences for each in comparisons)


def test_only_an_issuer_with_invoice_detail_is_held_to_it() -> None:
    totals = [total("10", "I-9"), total("20", issuer="Hoshi")]
    by_issuer = {each.key.invoice_issuer: each for each in compared(totals, [invoice("1", "I-9")])}
    assert by_issuer["Hoshi"].agrees
    assert reasons(by_issuer["Nimbus"]) == [(Reason.BEYOND_TOLERANCE, units("9"), False)]


def test_what_is_missing_on_either_side_is_named() -> None:
    totals = [total("10", "I-1"), total("3", None), total("0", "I-3")]
    comparisons = compared(totals, [invoice("10", "I-1"), invoice("8", "I-2"), invoice("0", "I-4")])
    assert {str(each.key): reasons(each) for each in comparisons if each.differences} == {
        "Nimbus, billing account ba-1, no invoice id": [(Reason.MISSING_IN_INVOICES, units("3"), False)],
        "Nimbus, invoice I-2": [(Reason.MISSING_IN_COST_DATA, units("-8"), False)],
    }


def test_an_invoice_in_another_currency_is_another_invoice() -> None:
    comparisons = compared([total("10", currency="EUR")], [invoice("10", currency="USD")])
    assert [reasons(each)[0][0] for each in comparisons] == [Reason.MISSING_IN_INVOICES, Reason.MISSING_IN_COST_DATA]


@pytest.mark.parametrize("cost", [[total("10")], []])
def test_an_open_invoice_may_differ(cost: list[Total]) -> None:
    (comparison,) = compared(cost, [invoice("500", status="Open")])
    assert [(reason, fine) for reason, _, fine in reasons(comparison)] == [(Reason.OPEN, True)]


def test_an_invoice_is_open_as_long_as_one_of_its_lines_is() -> None:
    (comparison,) = compared([total("10")], [invoice("300"), invoice("200", status="Open")])
    assert [(reason, units) for reason, units, _ in reasons(comparison)] == [(Reason.OPEN, units("-490"))]


def test_a_voided_invoice_asks_for_nothing() -> None:
    assert compared([], [invoice("500", tax="50", status="Voided")])[0].differences == ()
    (comparison,) = compared([total("500")], [invoice("500", status="Voided")])
    assert reasons(comparison) == [(Reason.BEYOND_TOLERANCE, units("500"), False)]


def test_tax_is_compared_apart_and_may_differ() -> None:
    totals = [total("100"), total("1", category="Tax", rows=2)]
    (comparison,) = compared(totals, [invoice("119.50", tax="19")])
    assert comparison.rows == 5
    assert reasons(comparison) == [
        (Reason.ROUNDING, units("-0.50"), True),
        (Reason.TAX, units("-18"), True),
    ]
    assert sum(each.units for each in comparison.differences) == comparison.cost_units - comparison.invoice_units


def test_tax_does_not_hide_what_is_wrong_with_the_rest() -> None:
    totals = [total("100"), total("0", category="Tax")]
    (comparison,) = compared(totals, [invoice("100", tax="19")])
    # The totals agree, but 19 of usage has no place on the invoice.
    assert reasons(comparison) == [(Reason.BEYOND_TOLERANCE, units("19"), False), (Reason.TAX, units("-19"), True)]
    assert not comparison.agrees


def test_issuers_are_compared_under_one_name() -> None:
    totals = under_one_name([total("10", issuer="NIMBUS, Inc.")], {"NIMBUS, Inc.": "Nimbus"})
    delivered = under_one_name([invoice("10")], {"NIMBUS, Inc.": "Nimbus"})
    (comparison,) = compare(provider_invoices(totals, delivered), totals)
    assert comparison.differences == ()
