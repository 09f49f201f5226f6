"""A month of the example company, allocated by the real engine straight from the files it was written to."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from apportion import settings
from apportion.allocate import consumers, policy_file
from apportion.allocate.allocation import Allocation
from apportion.allocate.allocator import allocate
from apportion.allocate.consumers import Mapped
from apportion.allocate.policy import Policy
from apportion.demo import DemoCompany, DemoDelivery
from apportion.money.amount import ONE
from apportion.organization import organization_file
from apportion.organization.cost_group import Tree
from apportion.periods import BillingPeriod
from apportion.warehouse.record import Dataset
from apportion.warehouse.snapshot import ChargeFile, Column, Snapshot
from apportion.warehouse.usage import UsageRow


@dataclass(frozen=True, slots=True)
class MonthDone:
    """A month with what it was made from."""

    policy: Policy
    tree: Tree
    measured: Mapped
    allocation: Allocation


Done = Callable[[BillingPeriod], MonthDone]


def allocated(company: DemoCompany, period: BillingPeriod, directory: Path) -> MonthDone:
    """Allocate the last deliveries of a month, without any other month."""
    last = {
        delivery.source: delivery
        for delivery in company.deliveries
        if delivery.period == period and delivery.dataset is Dataset.COST_AND_USAGE
    }
    files = [file for delivery in last.values() for file in _charge_files(delivery, directory)]
    (directory / "sidecars").mkdir()
    policy = policy_file.read(company.root / "policy.yaml")
    organization = organization_file.read(company.root / "organization.yaml")
    tree = organization.during(period.starts_on, period.ends_on)
    measured = consumers.mapped(usage_rows(company, period), policy, tree, period, "usage")
    allocation, _ = allocate(
        policy,
        organization,
        Snapshot(period, tuple(files), "digest"),
        sidecars=directory / "sidecars",
        issuer_aliases=settings.load(company.root).issuer_aliases,
        usage=measured.usage,
    )
    return MonthDone(policy, tree, measured, allocation)


def usage_rows(company: DemoCompany, period: BillingPeriod) -> Iterator[UsageRow]:
    """Every row of the month's usage as its files have it."""
    for delivery in company.deliveries:
        if delivery.period != period or delivery.dataset is not Dataset.USAGE:
            continue
        [path] = delivery.paths
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                assert row.pop("period") == str(period)
                metric, consumer, value = row.pop("metric"), row.pop("consumer"), row.pop("value")
                dimensions = tuple(sorted((name, text) for name, text in row.items() if text))
                yield UsageRow(delivery.source, metric, consumer, dimensions, int(value) * ONE)


def _charge_files(delivery: DemoDelivery, directory: Path) -> list[ChargeFile]:
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
