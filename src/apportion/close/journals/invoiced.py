"""What providers have invoiced of a billing period, and what they have not: from its totals and their own invoices."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from apportion.close.journals.before import Asked, ref
from apportion.money.currency import units_per_minor
from apportion.money.split import to_step
from apportion.periods import BillingPeriod
from apportion.reconcile.provider_invoice import InvoiceKey, ProviderInvoice, key_of, provider_invoices
from apportion.warehouse.snapshot import Total

_TAX = "Tax"


@dataclass(frozen=True, slots=True, order=True)
class Bill:
    """Whose bill, and in which currency."""

    issuer: str
    currency: str


@dataclass
class Invoiced:
    """One billing period. `issued` are the invoices that a provider has issued; amounts in units of 10⁻¹⁸.

    `cost` is all that the cost data holds, `invoiced` all that is on issued invoices, both without reclaimed tax.
    `waiting` is cost that no issued invoice names, less what issued invoices hold that names no cost: part of a month
    that was delivered without invoice ids may be invoiced already. It is left out where it is nothing.
    """

    issued: tuple[ProviderInvoice, ...] = ()
    cost: dict[Bill, int] = field(default_factory=dict)
    invoiced: dict[Bill, int] = field(default_factory=dict)
    waiting: dict[Bill, int] = field(default_factory=dict)


def invoiced(asked: Asked, period: BillingPeriod) -> Invoiced:
    """What is invoiced of a period and what is not.

    An invoice is not issued where the provider says that it, or its whole billing period, is open. A provider that says
    that the period is closed invoices nothing more.
    """
    place = asked.workspace
    totals, delivered = place.totals(period), place.provider_invoices(period)
    statuses = {issuer: status.casefold() for issuer, status in place.billing_statuses(period)}
    found = Invoiced(
        tuple(
            each
            for each in provider_invoices(totals, delivered)
            if each.key.invoice_id
            and each.status.casefold() != "open"
            and statuses.get(each.key.invoice_issuer) != "open"
        )
    )
    named = {each.key for each in found.issued}
    costs = _costs(asked, totals)
    left: dict[Bill, int] = defaultdict(int)
    beyond: dict[Bill, int] = defaultdict(int)
    for key, units in costs.items():
        bill = _bill(key)
        found.cost[bill] = found.cost.get(bill, 0) + units
        left[bill] += 0 if key in named else units
    for each in found.issued:
        bill, units = _bill(each.key), net_units(asked, each)
        found.invoiced[bill] = found.invoiced.get(bill, 0) + units
        beyond[bill] += 0 if each.key in costs else units
    for bill, units in left.items():
        rest = _rest(units, beyond[bill])
        if rest and statuses.get(bill.issuer) != "closed":
            found.waiting[bill] = rest
    return found


def net_units(asked: Asked, invoice: ProviderInvoice) -> int:
    """What an invoice adds to cost: without tax, where that is reclaimed."""
    return invoice.units - (invoice.tax_units if asked.reclaims_tax else 0)


def accrual_ref(issuer: str, period: str, currency: str) -> str:
    """What names an issuer's cost of a period (``2026-10``) that is accrued."""
    return ref(issuer, period, currency)


def minor(units: int, currency: str) -> int:
    """Units in whole minor units, as an invoice has them."""
    return to_step(units, units_per_minor(currency))


def _rest(units: int, beyond: int) -> int:
    """What is left of an amount after another of the same sign, never on the other side of zero."""
    if units * beyond <= 0:
        return units
    return 0 if abs(beyond) >= abs(units) else units - beyond


def _costs(asked: Asked, totals: tuple[Total, ...]) -> dict[InvoiceKey, int]:
    costs: dict[InvoiceKey, int] = {}
    for total in totals:
        counts = total.charge_category != _TAX or not asked.reclaims_tax
        key = key_of(total)
        costs[key] = costs.get(key, 0) + (total.billed_units if counts else 0)
    return costs


def _bill(key: InvoiceKey) -> Bill:
    return Bill(key.invoice_issuer, key.currency)
