"""Months with late corrections for tests: a workspace with one provider, closed month by month."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from apportion.close import run as runs
from apportion.close.month import Month, close
from apportion.ingest.load import ingest
from apportion.invoice.statement import StatementLine
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Workspace

MAY, JUNE, JULY = (BillingPeriod(2025, month) for month in (5, 6, 7))
SETTINGS = """\
company: Late
payer: {company: "1", cost_center: "9", department: "", ledger_account: "6"}
ledger: {transferred_out: "699"}
"""
Row = Mapping[str, str]


class Books:
    """A workspace whose months are delivered, closed and asked about."""

    def __init__(self, root: Path, policy: str, organization: str) -> None:
        root.mkdir()
        self.root = root
        self.write(policy=policy, organization=organization)
        (root / "apportion.yaml").write_text(SETTINGS, encoding="utf-8")
        self.workspace = Workspace.create(root)

    def write(self, **files: str) -> None:
        """Replace input files by name."""
        for name, text in files.items():
            (self.root / f"{name}.yaml").write_text(text, encoding="utf-8")

    def deliver(self, period: BillingPeriod, rows: Sequence[Row]) -> None:
        """One delivery of a billing period; a row that says nothing else is of that period, in Compute."""
        path = self.root / f"{period}.csv"
        usual = {
            "BilledCost": "0",
            "BillingCurrency": "USD",
            "BillingPeriodStart": f"{period}-01T00:00:00Z",
            "BillingPeriodEnd": f"{period.next}-01T00:00:00Z",
            "ChargePeriodStart": f"{period}-01T00:00:00Z",
            "ChargePeriodEnd": f"{period}-01T01:00:00Z",
            "ChargeCategory": "Usage",
            "ChargeClass": "",
            "InvoiceIssuerName": "Cloud",
            "InvoiceId": f"INV-{period}",
            "BillingAccountId": "account",
            "ServiceName": "Compute",
            "ResourceId": "",
            "SkuId": "",
        }
        names = ["EffectiveCost", "ListCost", "ContractedCost", *usual]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            for row in rows:
                full = {**usual, **row}
                costs = dict.fromkeys(("EffectiveCost", "ListCost", "ContractedCost"), full["BilledCost"])
                writer.writerow({**costs, **full})
        ingest(self.workspace, [path], source="cloud")

    def close(self, period: BillingPeriod, *, seal: bool = True) -> Month:
        """Close a delivered month; it must tie out."""
        return close(self.workspace, period, seal=seal)

    def files(self, period: BillingPeriod) -> dict[str, bytes]:
        """Every file of a month's run."""
        directory = runs.current(self.workspace, period).directory
        return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def corrections(month: Month) -> dict[str, list[StatementLine]]:
    """The lines of late corrections by the code of who takes them."""
    found: dict[str, list[StatementLine]] = {}
    for statement in month.statements:
        lines = [line for line in statement.lines if line.corrects]
        if lines:
            found[str(statement.holder)] = lines
    return found


def totals(month: Month) -> dict[str, int]:
    """What each holder is charged, in cents."""
    return {str(each.holder): sum(line.minor for line in each.lines) for each in month.statements}


def exact(month: Month) -> int:
    """What all lines come to, in units."""
    return sum(line.units for line in month.run.allocation.lines)


def correction(resource: str, cost: str, of: BillingPeriod = MAY, **more: str) -> Row:
    """A correction row for a resource in an earlier month."""
    return {
        "ResourceId": resource,
        "BilledCost": cost,
        "ChargeClass": "Correction",
        "ChargePeriodStart": f"{of}-01T00:00:00Z",
        "ChargePeriodEnd": f"{of}-01T01:00:00Z",
        **more,
    }
