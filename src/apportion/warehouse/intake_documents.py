"""What the datasets beside Cost and Usage say: provider invoices, and the status of billing periods."""

from __future__ import annotations

from collections import defaultdict

from apportion.money.amount import units
from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse.intake_values import Stage
from apportion.warehouse.snapshot import ChargeFile, DeliveredInvoice

# Of lines with different statuses the invoice has the one that is least settled.
_LEAST_SETTLED = ("Open", "Issued", "Voided")


def invoices(connection: engine.Connection, file: ChargeFile) -> dict[BillingPeriod, list[DeliveredInvoice]]:
    """The provider invoices of an Invoice Detail file, without quarantined lines; one for each invoice and currency."""
    stage = Stage()
    cost, start = file.column("BilledCost"), file.column("BillingPeriodStart")
    if cost is None or start is None:
        return {}
    keys = {
        "k_start": f"strftime({stage.instant(start).value}, '%Y-%m')",
        "k_issuer": engine.issuer(file),
        "k_invoice": f"coalesce({engine.field_text(file, 'InvoiceId')}, '')",
        "k_currency": engine.field_text(file, "BillingCurrency"),
        "k_status": f"coalesce({engine.field_text(file, 'InvoiceIssueStatus')}, '')",
        "k_tax": f"coalesce({engine.field_text(file, 'ChargeCategory')} = 'Tax', FALSE)",
    }
    value = stage.number(cost).value
    rows = connection.execute(
        f"SELECT {', '.join(keys)}, sum(k_cost)::VARCHAR FROM "
        f"(SELECT {', '.join(f'{sql} AS {name}' for name, sql in keys.items())}, {value} AS k_cost "
        f"FROM {stage.relation(_kept(file))}) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found: dict[tuple[str, ...], list[tuple[str, bool, int]]] = defaultdict(list)
    for period, issuer, invoice, currency, status, is_tax, billed in rows:
        found[period, issuer, invoice, currency].append((status, is_tax, units(billed)))
    by_period: dict[BillingPeriod, list[DeliveredInvoice]] = defaultdict(list)
    for (period, issuer, invoice, currency), lines in found.items():
        delivered = DeliveredInvoice(
            file.source,
            issuer,
            invoice,
            currency,
            sum(billed for _, _, billed in lines),
            _status([status for status, _, _ in lines]),
            sum(billed for _, is_tax, billed in lines if is_tax),
        )
        by_period[BillingPeriod.parse(period)].append(delivered)
    return dict(by_period)


def statuses(connection: engine.Connection, file: ChargeFile) -> dict[BillingPeriod, list[tuple[str, str]]]:
    """Issuer and BillingPeriodStatus by billing period, from a Billing Period file."""
    stage = Stage()
    start = file.column("BillingPeriodStart")
    if start is None:
        return {}
    period, status = f"strftime({stage.instant(start).value}, '%Y-%m')", engine.field_text(file, "BillingPeriodStatus")
    rows = connection.execute(
        f"SELECT DISTINCT {period}, {engine.issuer(file)}, coalesce({status}, '') "
        f"FROM {stage.relation(_kept(file))} ORDER BY ALL"
    ).fetchall()
    by_period: dict[BillingPeriod, list[tuple[str, str]]] = defaultdict(list)
    for month, issuer, state in rows:
        by_period[BillingPeriod.parse(month)].append((issuer, state))
    return dict(by_period)


def _kept(file: ChargeFile) -> str:
    kept = ""
    if file.quarantine:
        kept = f' WHERE file_row_number NOT IN (SELECT "row" FROM {engine.files([file.quarantine])})'
    return f"(SELECT * FROM {engine.files([file.path])}{kept})"


def _status(found: list[str]) -> str:
    ranked = sorted(set(found), key=lambda status: (status not in _LEAST_SETTLED, status))
    return next((status for status in _LEAST_SETTLED if status in ranked), ranked[0])
