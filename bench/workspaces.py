"""Workspaces to measure in: the settings, policy and organization written, and the generated charges delivered."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse.record import Dataset, DeliveredFile, Delivery, Mode
from apportion.warehouse.snapshot import ChargeFile, Column, Snapshot, Total
from apportion.warehouse.store import Workspace
from bench import policies
from bench.data import PERIOD

SOURCE = "bill"
_SETTINGS = """\
company: Benchmark Company
payer: {company: "c0", cost_center: "9900", department: "000", ledger_account: "600100"}
ledger:
  transferred_out: "600199"
  intercompany_receivable: "140000"
  intercompany_payable: "160000"
  suspense: "609900"
  rounding: "600900"
"""


def write(root: Path, rules: int, variant: int = 0) -> None:
    """Write the files of a workspace, or another variant of its policy."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "apportion.yaml").write_text(_SETTINGS, encoding="utf-8")
    (root / "policy.yaml").write_text(policies.policy_text(policies.policy(rules, variant=variant)), encoding="utf-8")
    (root / "organization.yaml").write_text(policies.organization_text(policies.organization()), encoding="utf-8")


def snapshot(paths: Sequence[Path], period: BillingPeriod = PERIOD) -> Snapshot:
    """The files where they are, as one billing period, without a workspace."""
    return Snapshot(period, _charge_files(paths), "0" * 64)


def deliver(root: Path, paths: Sequence[Path]) -> None:
    """Make a workspace in `root` whose current delivery is a copy of the files.

    Goes past `apportion.ingest`, which is measured by itself, so its totals are not those of a real delivery.
    """
    workspace = Workspace.create(root)
    with workspace.lock("benchmark"), workspace.staging() as staged:
        copies = [Path(shutil.copyfile(path, staged / path.name)) for path in paths]
        charges = _charge_files(copies)
        rows = sum(file.rows for file in charges)
        delivery = Delivery(
            id="benchmark",
            source=SOURCE,
            dataset=Dataset.COST_AND_USAGE,
            focus_version="1.2",
            mode=Mode.OVERWRITE,
            received_at="2026-11-02T00:00:00Z",
            files=tuple(DeliveredFile(file.name, file.path.stat().st_size, file.name, file.rows) for file in charges),
            charges=charges,
            totals={PERIOD: (Total(SOURCE, "", "", None, "USD", "Usage", "", rows, 0, 0, None, None),)},
            quarantined={},
            rounding_units=0,
            invoices={},
            statuses={},
            findings=(),
        )
        workspace.commit_delivery(staged, delivery)


def _charge_files(paths: Sequence[Path]) -> tuple[ChargeFile, ...]:
    connection = engine.connect()
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {engine.files(list(paths[:1]))}").fetchall()
        columns = tuple(Column(name, name, kind) for name, kind, *_ in described)
        counts = [connection.execute(f"SELECT count(*) FROM {engine.files([path])}").fetchall() for path in paths]
    finally:
        connection.close()
    return tuple(
        ChargeFile(path, path.name, count[0][0], columns, SOURCE, "benchmark")
        for path, count in zip(paths, counts, strict=True)
    )
