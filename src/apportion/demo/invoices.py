"""The vendors' own invoices as FOCUS 1.4 Invoice Detail, and the state of their billing periods.

An invoice is in whole cents: its total is the rounded sum of the cost data, and its lines, one for each charge
category, are rounded to that total. The invoice of AWS for February 2026 is two cents higher than its cost data, as
happens when a vendor rounds earlier than it exports.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from apportion.demo.aws import ISSUER as AWS_ISSUER
from apportion.demo.aws import ISSUER_SHORT
from apportion.demo.line import CENT_STEPS
from apportion.demo.plan import Bill
from apportion.focus.columns import BILLING_PERIOD, INVOICE_DETAIL, columns
from apportion.money.currency import minor_text
from apportion.money.split import settle
from apportion.periods import BillingPeriod

ODD_PERIOD, ODD_CENTS = BillingPeriod(2026, 2), 2


def invoice_detail_file(path: Path, bill: Bill) -> Path:
    """Write the month's invoices of one source, one row for each invoice and charge category."""
    issued = bill.month.after(2, 9)
    rows = []
    odd = bill.source.name == "aws" and bill.month.period == ODD_PERIOD
    for place, (invoice_id, by_category) in enumerate(_invoices(bill).items()):
        cents = settle(list(by_category.values()), CENT_STEPS)
        for category, amount in zip(by_category, cents, strict=True):
            more = ODD_CENTS if odd and place == 0 and category == "Usage" else 0
            rows.append(_row(bill, invoice_id, category, amount + more, issued))
    return _write(path, sorted(columns(INVOICE_DETAIL, "1.4")), rows)


def billing_period_file(path: Path, bill: Bill) -> Path:
    """Write that the month is closed at the source."""
    period = bill.month.period
    issuers = sorted({line.columns["InvoiceIssuerName"] for line in bill.lines})
    rows = [
        {
            "BillingPeriodCreated": _instant(period.start),
            "BillingPeriodStart": _instant(period.start),
            "BillingPeriodEnd": _instant(period.end),
            "BillingPeriodLastUpdated": _instant(bill.month.after(2, 9)),
            "BillingPeriodStatus": "Closed",
            "InvoiceIssuerName": issuer,
        }
        for issuer in issuers
    ]
    return _write(path, sorted(columns(BILLING_PERIOD, "1.4")), rows)


def _invoices(bill: Bill) -> dict[str, dict[str, int]]:
    """BilledCost in steps of 10⁻¹⁰ by invoice and charge category, in the order of the bill."""
    found: dict[str, dict[str, int]] = {}
    for line in bill.lines:
        by_category = found.setdefault(line.columns["InvoiceId"], {})
        category = line.columns["ChargeCategory"]
        by_category[category] = by_category.get(category, 0) + line.quantity * line.prices.billed
    return found


def _row(bill: Bill, invoice_id: str, category: str, cents: int, issued: datetime) -> dict[str, str]:
    columns = next(line.columns for line in bill.lines if line.columns["InvoiceId"] == invoice_id)
    issuer = columns["InvoiceIssuerName"]
    amount = minor_text(cents, bill.source.currency)
    return {
        "BilledCost": amount,
        "BillingAccountId": columns["BillingAccountId"],
        "BillingCurrency": bill.source.currency,
        "BillingPeriodStart": _instant(bill.month.period.start),
        "BillingPeriodEnd": _instant(bill.month.period.end),
        "ChargeCategory": category,
        "InvoiceDetailCreated": _instant(issued),
        "InvoiceDetailLastUpdated": _instant(issued),
        "InvoiceDetailDescription": f"{category} charges of {bill.month.period}",
        "InvoiceDetailGrain": '{"x_GroupedBy": "ChargeCategory"}',
        "InvoiceDetailId": f"{invoice_id}-{category.upper()}",
        "InvoiceId": invoice_id,
        "InvoiceIssueDate": _instant(issued),
        "InvoiceIssueStatus": "Issued",
        "InvoiceIssuerName": AWS_ISSUER if issuer == ISSUER_SHORT else issuer,
        "PaymentCurrency": bill.source.currency,
        "PaymentCurrencyBilledCost": amount,
        "PaymentCurrencyInvoiceDetailId": f"{invoice_id}-{category.upper()}",
        "PaymentDueDate": _instant(bill.month.after(32)),
        "PaymentTerms": "Net 30",
        "PurchaseOrderNumber": f"PO-{bill.month.period.year}-1000",
        "ReferenceInvoiceId": invoice_id,
    }


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _write(path: Path, columns: Sequence[str], rows: Iterable[dict[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path
