"""Two months of a small company, September and October, to ask why totals changed and to look into lines."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from apportion.close import month as months
from apportion.close import run as runs
from apportion.close.changes import changes
from apportion.close.run import Run
from apportion.ingest.load import ingest
from apportion.invoice.paper import Change
from apportion.invoice.statement import Statement
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Workspace

SEPTEMBER, OCTOBER = BillingPeriod(2026, 9), BillingPeriod(2026, 10)
SETTINGS = """\
company: Northwind
payer: {company: "1", cost_center: "9", department: "", ledger_account: "6"}
ledger: {transferred_out: "699"}
"""
ORGANIZATION = """\
groups:
  - {code: red, name: Red, coding: {company: "1", cost_center: "1", ledger_account: "6"}}
  - {code: green, name: Green, coding: {company: "1", cost_center: "2", ledger_account: "6"}}
"""
POLICY = """\
policy: Northwind policy
cost_basis: effective
rules:
  - {id: support, when: {ServiceName: Support}, charge_to: {pool: support}}
  - {id: by-team, charge_to: {tag: team}}
pools:
  - {id: support, name: Support, share: proportional to direct cost}
"""
Row = Mapping[str, str]
_COLUMNS = (
    "BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingCurrency", "BillingPeriodStart",
    "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ChargeClass", "InvoiceIssuerName",
    "InvoiceId", "BillingAccountId", "SubAccountId", "RegionId", "ServiceName", "ResourceId", "ResourceName",
    "ResourceType", "SkuId", "ConsumedQuantity", "ConsumedUnit", "PricingQuantity", "PricingUnit", "Tags",
)  # fmt: skip


def charge(team: str, resource: str, cost: str, quantity: str = "", unit: str = "Hours", **more: str) -> Row:
    """One row: a resource of a team, with what it cost and how much of it was used."""
    return {
        "Tags": json.dumps({"team": team}) if team else "{}",
        "ResourceId": resource,
        "BilledCost": cost,
        "ConsumedQuantity": quantity,
        "ConsumedUnit": unit if quantity else "",
        **more,
    }


class Books:
    """A workspace whose months are delivered and allocated."""

    def __init__(
        self, root: Path, *, policy: str = POLICY, organization: str = ORGANIZATION, settings: str = SETTINGS
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.write("policy.yaml", policy)
        self.write("organization.yaml", organization)
        self.write("apportion.yaml", settings)
        self.workspace = Workspace.create(root)

    def reopened(self) -> Books:
        """The same books as another process finds them: settings are read once."""
        found = object.__new__(Books)
        found.root, found.workspace = self.root, Workspace.open(self.root)
        return found

    def copied(self, root: Path) -> Books:
        """The same books once more at `root`, which can be changed without changing these."""
        shutil.copytree(self.root, root)
        found = object.__new__(Books)
        found.root, found.workspace = root, Workspace.open(root)
        return found

    def write(self, name: str, text: str) -> None:
        """Replace a file of the workspace."""
        (self.root / name).write_text(text, encoding="utf-8")

    def deliver(self, period: BillingPeriod, rows: Sequence[Row]) -> None:
        """One delivery of a billing period; what a row does not say is the same for all."""
        path = self.root.parent / f"{self.root.name}-{period}.csv"
        usual = dict.fromkeys(_COLUMNS, "") | {
            "BillingCurrency": "USD",
            "BillingPeriodStart": f"{period}-01T00:00:00Z",
            "BillingPeriodEnd": f"{period.next}-01T00:00:00Z",
            "ChargePeriodStart": f"{period}-01T00:00:00Z",
            "ChargePeriodEnd": f"{period}-01T01:00:00Z",
            "ChargeCategory": "Usage",
            "InvoiceIssuerName": "Cloud",
            "InvoiceId": f"INV-{period}",
            "BillingAccountId": "account",
            "SubAccountId": "sub-account",
            "RegionId": "north",
            "ServiceName": "Compute",
            "SkuId": "sku",
        }
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _COLUMNS)
            writer.writeheader()
            for row in rows:
                full = {**usual, **row}
                costs = dict.fromkeys(("EffectiveCost", "ListCost", "ContractedCost"), full["BilledCost"])
                writer.writerow({**full, **costs})
        ingest(self.workspace, [path], source="cloud")

    def month(self, period: BillingPeriod, rows: Sequence[Row]) -> Run:
        """Deliver and allocate a month."""
        self.deliver(period, rows)
        return runs.allocate(self.workspace, period)

    def statements(self, period: BillingPeriod) -> tuple[Statement, ...]:
        """The statements of a month's current run."""
        return months.statements(runs.current(self.workspace, period))

    def changes(self, period: BillingPeriod = OCTOBER) -> dict[str, tuple[Change, ...]]:
        """Why each holder's total differs from the month before."""
        run = runs.current(self.workspace, period)
        found = changes(self.workspace, run, months.statements(run))
        return {str(holder): each for holder, each in found.items()}


def parts(change: Change) -> dict[str, int]:
    """The parts of a change by name, in minor units."""
    return {str(part): minor for part, minor in change.parts}
