"""The record of one delivery: what came, what it adds up to, and what was found in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from apportion.focus.finding import Finding
from apportion.periods import BillingPeriod
from apportion.warehouse.snapshot import ChargeFile, DeliveredInvoice, Total
from apportion.warehouse.usage import UsageFile


class Dataset(StrEnum):
    """The FOCUS dataset that a delivery holds, or usage from outside."""

    COST_AND_USAGE = "cost_and_usage"
    CONTRACT_COMMITMENT = "contract_commitment"
    INVOICE_DETAIL = "invoice_detail"
    BILLING_PERIOD = "billing_period"
    USAGE = "usage"


class Mode(StrEnum):
    """Whether a delivery replaces what its source sent for the same billing periods, or adds to it."""

    OVERWRITE = "overwrite"
    APPEND = "append"


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """One file as it came: its name, size in bytes, SHA-256 and data rows (quarantined ones included)."""

    name: str
    size: int
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Rows kept aside in one currency (empty: unreadable), and the sum of those BilledCosts that can be read."""

    currency: str
    rows: int
    billed_units: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One received set of files. `id` is derived from content, source and what the user supplied.

    `totals` and `quarantined` are keyed by billing period; rows whose own period is unreadable count with the
    delivery's first. `rounding_units` is the total effect of rounding decimals beyond the eighteenth. `statuses`
    holds BillingPeriodStatus by issuer and period from that dataset, `usage` the files of usage by period.
    """

    id: str
    source: str
    dataset: Dataset
    focus_version: str
    mode: Mode
    received_at: str
    files: tuple[DeliveredFile, ...]
    charges: tuple[ChargeFile, ...]
    totals: Mapping[BillingPeriod, tuple[Total, ...]]
    quarantined: Mapping[BillingPeriod, tuple[Quarantined, ...]]
    rounding_units: int
    invoices: Mapping[BillingPeriod, tuple[DeliveredInvoice, ...]]
    statuses: Mapping[BillingPeriod, tuple[tuple[str, str], ...]]
    findings: tuple[Finding, ...]
    usage: Mapping[BillingPeriod, UsageFile] = field(default_factory=dict)

    @property
    def contents(self) -> tuple[tuple[str, str], ...]:
        """(what it holds, its name) of all that may count only once: files, or the usage of each period.

        A file without rows cannot count twice, and providers send the same empty file again and again. One file may
        hold several metrics, each delivered under a source of its own; so of usage it is what came of the files.
        """
        if self.dataset is Dataset.USAGE:
            return tuple((f"{period} {file.sha256}", f"usage of {period}") for period, file in self.usage.items())
        return tuple((file.sha256, file.name) for file in self.files if file.rows)
