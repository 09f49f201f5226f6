"""The provider's invoices of one billing period: as it states them itself, or as its cost data states them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from apportion.warehouse.snapshot import DeliveredInvoice, Total

_Issued = TypeVar("_Issued", Total, DeliveredInvoice)


class Origin(StrEnum):
    """Where the amount of a provider invoice comes from."""

    INVOICE_DETAIL = "invoice_detail"
    COST_DATA = "cost_data"


@dataclass(frozen=True, slots=True, order=True)
class InvoiceKey:
    """What is compared with what. `billing_account_id` stands in where there is no invoice id; else it is empty."""

    invoice_issuer: str
    invoice_id: str
    billing_account_id: str
    currency: str

    def __str__(self) -> str:
        if self.invoice_id:
            return f"{self.invoice_issuer}, invoice {self.invoice_id}"
        account = f"billing account {self.billing_account_id}" if self.billing_account_id else "no billing account"
        return f"{self.invoice_issuer}, {account}, no invoice id"


@dataclass(frozen=True, slots=True)
class ProviderInvoice:
    """One provider invoice; amounts in units of 10⁻¹⁸. `status` is InvoiceIssueStatus, empty where not known."""

    key: InvoiceKey
    units: int
    tax_units: int
    status: str
    origin: Origin


def key_of(total: Total) -> InvoiceKey:
    """The provider invoice that a total belongs to; without an id it is found by billing account."""
    if total.invoice_id:
        return InvoiceKey(total.invoice_issuer, total.invoice_id, "", total.currency)
    return InvoiceKey(total.invoice_issuer, "", total.billing_account_id, total.currency)


def under_one_name(items: Iterable[_Issued], aliases: Mapping[str, str]) -> tuple[_Issued, ...]:
    """Totals or delivered invoices with each issuer under its one name: an alias where there is one."""
    return tuple(replace(item, invoice_issuer=aliases.get(item.invoice_issuer, item.invoice_issuer)) for item in items)


def provider_invoices(totals: Iterable[Total], delivered: Iterable[DeliveredInvoice]) -> tuple[ProviderInvoice, ...]:
    """All provider invoices of the period, sorted by key.

    An issuer that delivered Invoice Detail is taken at its word: its invoices are the delivered ones and no
    others. For an issuer that delivered none, the cost data states the invoices. A voided invoice asks for
    nothing, so its amount is zero.
    """
    stated: dict[InvoiceKey, ProviderInvoice] = {}
    for invoice in delivered:
        key = InvoiceKey(invoice.invoice_issuer, invoice.invoice_id, "", invoice.currency)
        voided = invoice.status.casefold() == "voided"
        _add(
            stated,
            ProviderInvoice(
                key,
                0 if voided else invoice.billed_units,
                0 if voided else invoice.tax_units,
                invoice.status,
                Origin.INVOICE_DETAIL,
            ),
        )
    issuers = {key.invoice_issuer for key in stated}
    for total in totals:
        if total.invoice_issuer not in issuers:
            tax = total.billed_units if total.charge_category == "Tax" else 0
            _add(stated, ProviderInvoice(key_of(total), total.billed_units, tax, "", Origin.COST_DATA))
    return tuple(stated[key] for key in sorted(stated))


def _add(invoices: dict[InvoiceKey, ProviderInvoice], new: ProviderInvoice) -> None:
    old = invoices.get(new.key)
    if old is not None:
        # Lines of one invoice may carry several states; it is open as long as one of them is.
        status = next((state for state in (old.status, new.status) if state.casefold() == "open"), old.status)
        new = ProviderInvoice(new.key, old.units + new.units, old.tax_units + new.tax_units, status, new.origin)
    invoices[new.key] = new
