"""Whether the company's policy finds every holder that its story intends, charge by charge, by the real engine."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import duckdb
import pytest

from apportion import settings
from apportion.allocate import policy_file
from apportion.allocate.allocation import Allocation
from apportion.allocate.allocator import allocate
from apportion.allocate.rule import Holder, Target
from apportion.demo import DemoCompany, DemoDelivery
from apportion.organization import organization_file
from apportion.periods import BillingPeriod
from apportion.warehouse.record import Dataset
from apportion.warehouse.snapshot import ChargeFile, Column, Snapshot

# The season; a team founded and a monolith that ends; a team moved, a correction and everything later.
PERIODS = [BillingPeriod(2025, 12), BillingPeriod(2026, 3), BillingPeriod(2026, 6)]


def charge_files(delivery: DemoDelivery, directory: Path) -> list[ChargeFile]:
    """The delivery's files as the engine reads them; CSV is made Parquet as it stands, all text."""
    found: list[ChargeFile] = []
    with duckdb.connect() as connection:
        for given in delivery.paths:
            for path in sorted(given.rglob("*")) if given.is_dir() else [given]:
                if path.suffix not in (".csv", ".gz", ".zst", ".parquet"):
                    continue
                table = path
                if path.suffix != ".parquet":
                    table = directory / f"{delivery.source}-{len(found)}.parquet"
                    sign = ";" if delivery.source == "suitebench" else ","
                    rows = f"SELECT * FROM read_csv('{path}', all_varchar = true, header = true, delim = '{sign}')"
                    connection.execute(f"COPY ({rows}) TO '{table}' (FORMAT parquet)")
                scan = f"read_parquet('{table}', hive_partitioning = false)"
                described = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
                [(rows_in_file,)] = connection.execute(f"SELECT count(*) FROM {scan}").fetchall()
                columns = tuple(
                    Column(name, name, kind, nulls=("",) if kind == "VARCHAR" else ()) for name, kind, *_ in described
                )
                found.append(ChargeFile(table, path.name, rows_in_file, columns, delivery.source, "delivery"))
    return found


def allocated(company: DemoCompany, period: BillingPeriod, directory: Path) -> Allocation:
    last = {
        delivery.source: delivery
        for delivery in company.deliveries
        if delivery.period == period and delivery.dataset is Dataset.COST_AND_USAGE
    }
    files = [file for delivery in last.values() for file in charge_files(delivery, directory)]
    (directory / "sidecars").mkdir()
    allocation, _ = allocate(
        policy_file.read(company.root / "policy.yaml"),
        organization_file.read(company.root / "organization.yaml"),
        Snapshot(period, tuple(files), "digest"),
        sidecars=directory / "sidecars",
        issuer_aliases=settings.load(company.root).issuer_aliases,
    )
    return allocation


def written(target: Target) -> str:
    return f"pool:{target.code}" if target.holder is Holder.POOL else str(target)


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_every_charge_finds_the_holder_that_the_story_intends(
    company: DemoCompany, period: BillingPeriod, tmp_path: Path
) -> None:
    allocation = allocated(company, period, tmp_path)
    found: dict[tuple[str, str], int] = defaultdict(int)
    for cell in allocation.cells:
        found[cell.scope.currency, written(cell.target)] += cell.units
    intended: dict[tuple[str, str], int] = defaultdict(int)
    for total in company.totals:
        if total.period == period:
            for holder, units in total.intended.items():
                intended[total.currency, holder] += units
    assert found == intended
    assert sum(cell.rows for cell in allocation.cells) == sum(t.rows for t in company.totals if t.period == period)
    # Pools are empty in the end: what came in is with cost groups, kept central or unallocated.
    assert {line.holder.holder for line in allocation.lines} == {
        Holder.COST_GROUP,
        Holder.KEPT_CENTRAL,
        Holder.UNALLOCATED,
    }
    assert sum(line.units for line in allocation.lines) == sum(intended.values())
