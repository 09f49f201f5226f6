"""What is read for one billing period: the files of the deliveries that are current, frozen as values.

A snapshot is a value: it names immutable files and how their columns are to be read. Two snapshots with the
same digest hold the same charges.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from apportion.periods import BillingPeriod


@dataclass(frozen=True, slots=True)
class Column:
    """How one column of a charge is found in a file.

    `name` is the FOCUS Column ID, or the name as delivered for ``x_`` and unknown columns. `physical` is the
    column in the Parquet file and `type` its engine type (``VARCHAR``, ``DOUBLE``, ``DECIMAL(38,18)``,
    ``TIMESTAMP``, ``MAP(VARCHAR, VARCHAR)``, ...). A column that the file lacks and the user supplied has no
    `physical`, and `constant` is its value as text. `nulls` are the spellings of null that occur in it.
    """

    name: str
    physical: str = ""
    type: str = "VARCHAR"
    constant: str | None = None
    nulls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChargeFile:
    """One Parquet file of charges. Rows are numbered from 0 in file order.

    `name` is the file as it was delivered (a CSV, perhaps), for findings and traces. `mixed` says that it also
    holds rows of other billing periods, which are then filtered out. `quarantine` is a Parquet file with the
    column ``row``: the numbers of the rows that are kept aside; None where there are none.
    """

    path: Path
    name: str
    rows: int
    columns: tuple[Column, ...]
    source: str
    delivery_id: str
    mixed: bool = False
    quarantine: Path | None = None

    def column(self, name: str) -> Column | None:
        """The column of that name, or None where neither the file nor the user has it."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The charge files of one billing period over all sources. `digest` is SHA-256 over the delivery ids."""

    period: BillingPeriod
    files: tuple[ChargeFile, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Total:
    """What was delivered for one billing period, summed exactly when it was loaded; amounts in units of 10⁻¹⁸.

    One for each combination of the first fields. `list_units` and `contracted_units` are None where the
    delivery has no such column. `commitment` is CommitmentDiscountStatus, or ``purchase`` for a purchase row
    with a commitment id, or ``""``.
    """

    source: str
    invoice_issuer: str
    billing_account_id: str
    invoice_id: str | None
    currency: str
    charge_category: str
    commitment: str
    rows: int
    billed_units: int
    effective_units: int
    list_units: int | None
    contracted_units: int | None


@dataclass(frozen=True, slots=True)
class DeliveredInvoice:
    """A provider invoice as the provider's own Invoice Detail dataset states it; amount in units of 10⁻¹⁸."""

    source: str
    invoice_issuer: str
    invoice_id: str
    currency: str
    billed_units: int
    status: str
    tax_units: int
