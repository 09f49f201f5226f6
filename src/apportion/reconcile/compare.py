"""Provider invoices against the sum of BilledCost, invoice by invoice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apportion.reconcile.difference import Difference, Reason, tolerance
from apportion.reconcile.provider_invoice import InvoiceKey, Origin, ProviderInvoice, key_of
from apportion.warehouse.snapshot import Total


@dataclass(frozen=True, slots=True)
class Comparison:
    """One provider invoice beside the cost data; amounts in units of 10⁻¹⁸.

    `invoice` is None where no provider invoice carries the cost. `rows` counts the charges compared (without tax
    rows), and `tolerance_units` follows from it. The differences sum to `cost_units` minus the invoice's amount.
    """

    key: InvoiceKey
    invoice: ProviderInvoice | None
    cost_units: int
    rows: int
    tolerance_units: int
    differences: tuple[Difference, ...]

    @property
    def invoice_units(self) -> int:
        """What the provider invoice asks for; zero where there is none."""
        return self.invoice.units if self.invoice else 0

    @property
    def agrees(self) -> bool:
        """Whether every difference may stand."""
        return all(difference.within_tolerance for difference in self.differences)


@dataclass(frozen=True, slots=True)
class _Cost:
    """BilledCost of one key."""

    units: int = 0
    tax_units: int = 0
    rows: int = 0
    tax_rows: int = 0


def compare(invoices: Sequence[ProviderInvoice], totals: Iterable[Total]) -> tuple[Comparison, ...]:
    """One comparison for every provider invoice and for cost that none carries, sorted by key.

    Tax lines are compared apart, and an open invoice may differ: FOCUS exempts both from the tolerance.
    """
    costs = _costs(totals)
    by_key = {invoice.key: invoice for invoice in invoices}
    comparisons: list[Comparison] = []
    for key in sorted(by_key.keys() | costs.keys()):
        invoice, cost = by_key.get(key), costs.get(key)
        rows = cost.rows - cost.tax_rows if cost else 0
        allowed = tolerance(rows, key.currency)
        differences = tuple(_differences(invoice, cost, allowed))
        comparisons.append(Comparison(key, invoice, cost.units if cost else 0, rows, allowed, differences))
    return tuple(comparisons)


def _costs(totals: Iterable[Total]) -> dict[InvoiceKey, _Cost]:
    costs: dict[InvoiceKey, _Cost] = {}
    for total in totals:
        key = key_of(total)
        old = costs.get(key, _Cost())
        is_tax = total.charge_category == "Tax"
        costs[key] = _Cost(
            old.units + total.billed_units,
            old.tax_units + (total.billed_units if is_tax else 0),
            old.rows + total.rows,
            old.tax_rows + (total.rows if is_tax else 0),
        )
    return costs


def _differences(invoice: ProviderInvoice | None, cost: _Cost | None, allowed: int) -> list[Difference]:
    if invoice is None:
        units = cost.units if cost else 0
        # Rows that come to nothing need no invoice: FOCUS lets zero-value lines be left out.
        return [Difference(units, Reason.MISSING_IN_INVOICES, within_tolerance=False)] if units else []
    if cost is None:
        if invoice.units == 0:
            return []
        is_open = _is_open(invoice)
        reason = Reason.OPEN if is_open else Reason.MISSING_IN_COST_DATA
        return [Difference(-invoice.units, reason, within_tolerance=is_open)]
    found: list[Difference] = []
    tax = cost.tax_units - invoice.tax_units
    rest = cost.units - cost.tax_units - (invoice.units - invoice.tax_units)
    if rest:
        found.append(_judged(rest, allowed, invoice))
    if tax:
        reason = Reason.ROUNDING if abs(tax) <= allowed else Reason.TAX
        found.append(Difference(tax, reason, within_tolerance=True))
    return found


def _judged(units: int, allowed: int, invoice: ProviderInvoice) -> Difference:
    if abs(units) <= allowed:
        return Difference(units, Reason.ROUNDING, within_tolerance=True)
    if _is_open(invoice):
        return Difference(units, Reason.OPEN, within_tolerance=True)
    return Difference(units, Reason.BEYOND_TOLERANCE, within_tolerance=False)


def _is_open(invoice: ProviderInvoice) -> bool:
    return invoice.origin is Origin.INVOICE_DETAIL and invoice.status.casefold() == "open"
