"""What to measure in: the files of a workspace, and snapshots of the generated charges without one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse.snapshot import ChargeFile, Column, Snapshot
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
