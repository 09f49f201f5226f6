"""What current deliveries say of one billing period, put together: totals, provider invoices, statuses, files.

Takes delivery records, gives values in an order of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from apportion.periods import BillingPeriod
from apportion.settings import Settings
from apportion.warehouse.record import Delivery
from apportion.warehouse.snapshot import ChargeFile, DeliveredInvoice, Snapshot, Total


def located(delivery: Delivery, directory: Path) -> Delivery:
    """The record with the paths of its files below `directory` made absolute."""
    return replace(
        delivery,
        charges=tuple(
            replace(
                file,
                path=directory / file.path,
                quarantine=None if file.quarantine is None else directory / file.quarantine,
            )
            for file in delivery.charges
        ),
        usage={
            period: replace(file, path=None if file.path is None else directory / file.path)
            for period, file in delivery.usage.items()
        },
    )


def relative(delivery: Delivery, staged: Path) -> Delivery:
    """The record with the paths of its files below `staged` made relative to it.

    Raises `ValueError` for a file that is elsewhere or missing: the record would promise what is not there.
    """
    return replace(
        delivery,
        charges=tuple(
            replace(
                file,
                path=_below(staged, file.path),
                quarantine=None if file.quarantine is None else _below(staged, file.quarantine),
            )
            for file in delivery.charges
        ),
        usage={
            period: replace(file, path=None if file.path is None else _below(staged, file.path))
            for period, file in delivery.usage.items()
        },
    )


def _below(staged: Path, path: Path) -> Path:
    inner = path.relative_to(staged) if path.is_absolute() else path
    if ".." in inner.parts or not (staged / inner).is_file():
        raise ValueError(f"the staged delivery has no file {path}")
    return inner


def snapshot(period: BillingPeriod, deliveries: Iterable[Delivery]) -> Snapshot:
    """The charge files of the deliveries that hold charges of the period, and a digest over their ids.

    The period is part of the digest: one delivery of two months has different charges in each.
    """
    files: list[ChargeFile] = []
    digest = hashlib.sha256(f"{period}\n".encode())
    for delivery in sorted(deliveries, key=lambda delivery: (delivery.source, delivery.id)):
        if period not in delivery.totals:
            continue
        digest.update(f"{delivery.id}\n".encode())
        several = len(delivery.totals) > 1
        files += [replace(file, mixed=file.mixed or several) for file in delivery.charges]
    return Snapshot(period, tuple(files), digest.hexdigest())


def totals(period: BillingPeriod, deliveries: Iterable[Delivery], settings: Settings) -> tuple[Total, ...]:
    """One total for each combination of source, issuer (by its one name), account, invoice, and so on."""
    merged: dict[tuple[str, ...], Total] = {}
    for delivery in deliveries:
        for delivered in delivery.totals.get(period, ()):
            total = replace(delivered, invoice_issuer=settings.issuer(delivered.invoice_issuer))
            key = _total_key(total)
            merged[key] = _sum(merged[key], total) if key in merged else total
    return tuple(merged[key] for key in sorted(merged))


def _total_key(total: Total) -> tuple[str, ...]:
    return (
        total.source,
        total.invoice_issuer,
        total.billing_account_id,
        # No invoice id yet is not the same as an empty one, and comes first.
        "" if total.invoice_id is None else f"={total.invoice_id}",
        total.currency,
        total.charge_category,
        total.commitment,
    )


def _sum(one: Total, other: Total) -> Total:
    return replace(
        one,
        rows=one.rows + other.rows,
        billed_units=one.billed_units + other.billed_units,
        effective_units=one.effective_units + other.effective_units,
        list_units=_sum_known(one.list_units, other.list_units),
        contracted_units=_sum_known(one.contracted_units, other.contracted_units),
    )


def _sum_known(one: int | None, other: int | None) -> int | None:
    """A sum of which one part is unknown is unknown."""
    return None if one is None or other is None else one + other


def provider_invoices(
    period: BillingPeriod, deliveries: Iterable[Delivery], settings: Settings
) -> tuple[DeliveredInvoice, ...]:
    """One record for each invoice of a source: amounts of several deliveries added, the latest status kept.

    `deliveries` in order of arrival.
    """
    merged: dict[tuple[str, ...], DeliveredInvoice] = {}
    for delivery in deliveries:
        for delivered in delivery.invoices.get(period, ()):
            invoice = replace(delivered, invoice_issuer=settings.issuer(delivered.invoice_issuer))
            key = (invoice.source, invoice.invoice_issuer, invoice.invoice_id, invoice.currency)
            if key in merged:
                invoice = replace(
                    invoice,
                    billed_units=merged[key].billed_units + invoice.billed_units,
                    tax_units=merged[key].tax_units + invoice.tax_units,
                )
            merged[key] = invoice
    return tuple(merged[key] for key in sorted(merged))


def billing_statuses(
    period: BillingPeriod, deliveries: Iterable[Delivery], settings: Settings
) -> tuple[tuple[str, str], ...]:
    """(issuer, BillingPeriodStatus), one for each issuer: what was delivered last. In order of arrival."""
    statuses: dict[str, str] = {}
    for delivery in deliveries:
        for issuer, status in delivery.statuses.get(period, ()):
            statuses[settings.issuer(issuer)] = status
    return tuple(sorted(statuses.items()))
