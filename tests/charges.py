"""Small months for tests: charges written as a real Parquet file, and allocated by the real engine."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from apportion.allocate.allocation import Allocation, Line
from apportion.allocate.allocator import allocate
from apportion.allocate.policy import CostBasis, Policy, Pool
from apportion.allocate.rule import Condition, Equals, Field, Rule, Target
from apportion.money.amount import plain
from apportion.organization.cost_group import CostGroup, Organization
from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse.snapshot import ChargeFile, Column, Snapshot

PERIOD = BillingPeriod(2026, 10)
TYPES = {
    "BilledCost": "DECIMAL(38,18)",
    "EffectiveCost": "DECIMAL(38,18)",
    "BillingPeriodStart": "TIMESTAMP",
    "ChargePeriodStart": "TIMESTAMP",
    "Tags": "MAP(VARCHAR, VARCHAR)",
}
USUAL = {
    "EffectiveCost": None,
    "BilledCost": None,
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-10-01",
    "ChargePeriodStart": "2026-10-01",
    "ChargeCategory": "Usage",
    "InvoiceIssuerName": "Cloud, Inc.",
    "InvoiceId": "INV-1",
    "ServiceName": "Compute",
    "SubAccountId": None,
    "Tags": None,
}

NULL = "a value that is not there"

Row = Mapping[str, str | None]


def snapshot(directory: Path, rows: Sequence[Row], types: Mapping[str, str] = TYPES) -> Snapshot:
    """The rows as one delivered file; a cost that is not named equals the other one, tags are JSON text."""
    names = list(dict.fromkeys([*USUAL, *(name for row in rows for name in row)]))
    path = directory / "charges.parquet"
    with (directory / "charges.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        for row in rows:
            full = {**USUAL, **row}
            full["BilledCost"] = full["BilledCost"] or full["EffectiveCost"]
            full["EffectiveCost"] = full["EffectiveCost"] or full["BilledCost"]
            writer.writerow([NULL if full.get(name) is None else full[name] for name in names])
    columns = ", ".join(_typed(f"column{place}", name, types.get(name, "VARCHAR")) for place, name in enumerate(names))
    given = ", ".join(f"'column{place}': 'VARCHAR'" for place in range(len(names)))
    table = f"read_csv({engine.literal(str(directory / 'charges.csv'))}, header = false, auto_detect = false, "
    table += f"quote = '\"', escape = '\"', nullstr = '{NULL}', columns = {{{given}}})"
    with closing(engine.connect()) as connection:
        copy = f"COPY (SELECT {columns} FROM {table}) TO {engine.literal(str(path))} (FORMAT parquet)"
        connection.execute(copy).fetchall()
    shape = tuple(Column(name, name, types.get(name, "VARCHAR")) for name in names)
    return Snapshot(PERIOD, (ChargeFile(path, "charges.csv", len(rows), shape, "test", "delivery"),), "digest")


def _typed(column: str, name: str, kind: str) -> str:
    shown = f"{column}::JSON" if kind.startswith("MAP") else column
    return f"{shown}::{kind} AS {engine.identifier(name)}"


def allocated(
    directory: Path,
    rows: Sequence[Row],
    rules: Sequence[Rule],
    pools: Sequence[Pool] = (),
    groups: Sequence[str | CostGroup] = (),
    basis: CostBasis = CostBasis.EFFECTIVE,
) -> Allocation:
    """Allocate the rows under a policy of these rules and pools, over a flat tree of these cost groups."""
    versions = tuple(CostGroup(group, group) if isinstance(group, str) else group for group in groups)
    sidecars = directory / "sidecars"
    sidecars.mkdir(exist_ok=True)
    made, _ = allocate(
        Policy("test", basis, tuple(rules), tuple(pools), "policy"),
        Organization(versions, "organization"),
        snapshot(directory, rows),
        sidecars=sidecars,
        issuer_aliases={},
    )
    return made


def rule(name: str, target: Target, when: Condition | None = None) -> Rule:
    return Rule(name, name, when, target)


def service(name: str) -> Equals:
    return Equals(Field("ServiceName"), (name,))


def tag(key: str, *values: str) -> Equals:
    return Equals(Field(key, is_tag=True), values)


def carried(lines: Sequence[Line]) -> dict[str, str]:
    """What each holder carries in all, exact, as plain text; holders named by their code."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[str(line.holder)] = sums.get(str(line.holder), 0) + line.units
    return {holder: plain(units) for holder, units in sums.items()}
