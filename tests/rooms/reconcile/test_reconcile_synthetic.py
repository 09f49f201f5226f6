"""Generated FOCUS 1.4 data with its Invoice Detail: every invoice of every month is found and agrees."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from apportion.money.amount import plain, units
from apportion.reconcile.compare import compare
from apportion.reconcile.provider_invoice import Origin, provider_invoices
from apportion.warehouse.snapshot import DeliveredInvoice, Total

DATA = Path(__file__).parents[4] / "shared" / "data" / "focus-synthetic" / "1.4-gcp"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the shared test data is not at {DATA}")


def rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def test_cost_data_and_invoice_detail_agree() -> None:
    totals = [
        Total(
            "gcp",
            row["InvoiceIssuerName"],
            row["BillingAccountId"],
            row["InvoiceId"] or None,
            row["BillingCurrency"],
            row["ChargeCategory"],
            "",
            1,
            units(row["BilledCost"]),
            units(row["EffectiveCost"]),
            None,
            None,
        )
        for row in rows("synthetic_focus_1_4_cost_and_usage.csv")
    ]
    delivered = [
        DeliveredInvoice(
            "gcp",
            row["InvoiceIssuerName"],
            row["InvoiceId"],
            row["BillingCurrency"],
            units(row["BilledCost"]),
            row["InvoiceIssueStatus"],
            units(row["BilledCost"]) if row["ChargeCategory"] == "Tax" else 0,
        )
        for row in rows("synthetic_focus_1_4_invoice_detail.csv")
    ]
    comparisons = compare(provider_invoices(totals, delivered), totals)
    assert {each.invoice.origin for each in comparisons if each.invoice} == {Origin.INVOICE_DETAIL}
    assert [each for each in comparisons if not each.agrees or each.invoice is None] == []
    # The sum that the data's own notes give.
    assert plain(sum(each.cost_units for each in comparisons)) == "57289.565245352334"
