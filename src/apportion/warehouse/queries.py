"""The one query that may be large: scan → classify → cube.

For each batch of files of one shape, classification joins the plan's lookups to the rows that rules look at and
writes each row's outcome number to a *sidecar*: a Parquet file with one row for each charge, in the same order.
A second, cheap scan adds up the amounts by outcome beside it. Nothing but the sidecar and the cube is kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from apportion.errors import ConservationError
from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse.lookups import Lookups
from apportion.warehouse.plan import Plan
from apportion.warehouse.snapshot import ChargeFile, Snapshot

BATCH_ROWS = 2_500_000
MOST_WORKERS = 4
_MARK = "(CASE WHEN file_row_number % 64 = 0 THEN file_row_number::INTEGER END)"  # proves the order at little cost
ASIDE = -1  # the outcome of a row that is quarantined or belongs to another billing period


@dataclass(frozen=True, slots=True)
class CubeRow:
    """Charges of one outcome, added up exactly. On effective cost the invoice and billing account are empty."""

    outcome: int
    invoice_issuer: str
    invoice_id: str
    billing_account_id: str
    currency: str
    service: str
    charge_category: str
    rows: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of one shape that are scanned together, and the sidecar of their outcomes."""

    files: tuple[ChargeFile, ...]
    sidecar: Path

    @property
    def first(self) -> ChargeFile:
        return self.files[0]

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


def span(snapshot: Snapshot) -> tuple[str, str] | None:
    """The first and last day (ISO) on which a charge of the snapshot starts; None where there is no charge."""
    days: list[str] = []
    with closing(engine.connect()) as connection:
        for batch in batches(snapshot, Path()):
            start = engine.charge_start(batch.first)
            kept = _kept(batch.first, snapshot.period) or "true"
            found = connection.execute(
                f"SELECT min({start})::DATE::VARCHAR, max({start})::DATE::VARCHAR FROM {source(batch)} WHERE {kept}"
            ).fetchall()[0]
            days += [day for day in found if day is not None]
    return (min(days), max(days)) if days else None


def classify(
    snapshot: Snapshot,
    plan: Plan,
    *,
    effective: bool,
    sidecars: Path,
    progress: Callable[[int], None] = lambda _: None,
) -> list[CubeRow]:
    """Classify every charge of the snapshot and add up, sorted. `progress` hears of the rows done.

    Works on batches side by side, each in a single-threaded engine of its own: with several threads a join hands
    rows on out of order, and the sidecar lives by order. Raises `ConservationError` if the cube does not hold the
    rows that the snapshot promised, or a sidecar is out of order.
    """
    todo = list(batches(snapshot, sidecars))
    workers = max(1, min(len(todo), os.cpu_count() or 1, MOST_WORKERS))

    def work(first: int) -> list[list[CubeRow]]:
        cubes = []
        with closing(engine.connect(threads=1, share=workers)) as connection:
            # A lookup larger than a batch would otherwise be streamed, and the charges come out in its order.
            connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
            lookups = Lookups(connection, plan)
            for batch in todo[first::workers]:
                connection.execute(_classification(batch, lookups, snapshot.period)).fetchall()
                cubes.append(_cube(connection, batch, effective=effective))
                progress(batch.rows)
        return cubes

    with ThreadPoolExecutor(max_workers=workers) as pool:
        return _merged(row for cubes in pool.map(work, range(workers)) for cube in cubes for row in cube)


def batches(snapshot: Snapshot, sidecars: Path) -> Iterator[Batch]:
    """The snapshot's files in order, cut into batches of one shape."""
    number = 0
    for _, alike in groupby(snapshot.files, key=_shape):
        held: list[ChargeFile] = []
        for file in alike:
            if held and sum(other.rows for other in held) + file.rows > BATCH_ROWS:
                yield Batch(tuple(held), sidecars / f"{number:06d}.parquet")
                held, number = [], number + 1
            held.append(file)
        yield Batch(tuple(held), sidecars / f"{number:06d}.parquet")
        number += 1


def _shape(file: ChargeFile) -> tuple[object, ...]:
    alone = file.path if file.quarantine else None
    return (file.source, file.columns, file.mixed, alone)


def source(batch: Batch) -> str:
    """SQL for the charges of a batch, in order."""
    return engine.files([file.path for file in batch.files])


def _classification(batch: Batch, lookups: Lookups, period: BillingPeriod) -> str:
    """COPY of the outcome of each row, in the order of the files."""
    file = batch.first
    wanted = lookups.fields
    columns = [field for field in wanted if not field.is_tag]
    keys = [field for field in wanted if field.is_tag]
    shown = {field: engine.field_text(file, field.name) for field in columns}
    shown |= dict(zip(keys, engine.tags(file.column("Tags"), [key.name for key in keys]), strict=True))
    selected = [f"{expression} AS {lookups.name(field)}" for field, expression in shown.items()]
    if lookups.plan.boundaries:
        selected.append(f"{_epoch(file, lookups.plan)} AS epoch")
    kept = _kept(file, period)
    if kept:
        selected.append(f"{kept} AS kept")
    selected.append(f"{_MARK} AS mark")
    outcome = f"CASE WHEN kept THEN {lookups.outcome} ELSE {ASIDE} END" if kept else lookups.outcome
    return (
        f"COPY (SELECT mark, ({outcome})::{lookups.type} AS outcome "
        f"FROM (SELECT {', '.join(selected)} FROM {source(batch)}) r {lookups.joins}) "
        f"TO {engine.literal(str(batch.sidecar))} (FORMAT parquet, COMPRESSION zstd)"
    )


def _epoch(file: ChargeFile, plan: Plan) -> str:
    start = engine.charge_start(file)
    cases = " ".join(f"WHEN {start} < TIMESTAMP '{day}' THEN {place}" for place, day in enumerate(plan.boundaries))
    return f"(CASE {cases} ELSE {len(plan.boundaries)} END)::SMALLINT"


def _kept(file: ChargeFile, period: BillingPeriod) -> str:
    """SQL for whether a row counts in this period, or nothing where all rows do."""
    tests = []
    if file.mixed:
        start = engine.billing_start(file)
        tests.append(f"coalesce({start} >= TIMESTAMP '{period.start}' AND {start} < TIMESTAMP '{period.end}', false)")
    if file.quarantine:
        aside = f"SELECT row FROM read_parquet({engine.literal(str(file.quarantine))})"
        tests.append(f"file_row_number NOT IN ({aside})")
    return " AND ".join(tests)


def _cube(connection: engine.Connection, batch: Batch, *, effective: bool) -> list[CubeRow]:
    """Add up one batch beside its sidecar, after proving that the two lie row beside row."""
    file = batch.first
    cost = engine.cost(file, "EffectiveCost" if effective else "BilledCost")
    dimensions = {
        "issuer": engine.text(engine.issuer_column(file)),
        "invoice": "NULL" if effective else engine.field_text(file, "InvoiceId"),
        "account": "NULL" if effective else engine.field_text(file, "BillingAccountId"),
        "currency": engine.field_text(file, "BillingCurrency"),
        "service": engine.field_text(file, "ServiceName"),
        "category": engine.field_text(file, "ChargeCategory"),
    }
    selected = ", ".join(f"{expression} AS d_{name}" for name, expression in dimensions.items())
    sidecar = f"SELECT mark AS sidecar_mark, outcome AS sidecar_outcome FROM {engine.files([batch.sidecar])}"
    found = connection.execute(
        # Grouped as delivered, so that the engine hashes dictionary codes; named only when few rows are left.
        f"SELECT sidecar_outcome, coalesce(d_issuer, {engine.literal(file.source)}), coalesce(d_invoice, ''), "
        f"CASE WHEN d_invoice IS NULL THEN coalesce(d_account, '') ELSE '' END, coalesce(d_currency, ''), "
        f"coalesce(d_service, ''), coalesce(d_category, ''), counted, cost, moved FROM ("
        f"SELECT sidecar_outcome, {selected}, count(*) AS counted, sum({cost}) AS cost, "
        f"count(*) FILTER (sidecar_mark IS DISTINCT FROM {_MARK}) AS moved "
        f"FROM {source(batch)} POSITIONAL JOIN ({sidecar}) GROUP BY ALL)"
    ).fetchall()
    counted, moved = sum(row[7] for row in found), sum(row[9] for row in found)
    if counted != batch.rows or moved:
        raise ConservationError(
            f"{batch.rows} charges were to be classified, {counted} were, {moved} marks of them out of order.",
            advice="Nothing was saved. The files may have changed on disk: run `apportion ingest` again.",
        )
    return [CubeRow(*row[:9]) for row in found if row[0] != ASIDE]


def _merged(rows: Iterator[CubeRow]) -> list[CubeRow]:
    """One row for each combination of dimensions, over all batches, in a fixed order."""
    sums: dict[tuple[int, str, str, str, str, str, str], tuple[int, Decimal]] = {}
    for row in rows:
        key = (
            row.outcome,
            row.invoice_issuer,
            row.invoice_id,
            row.billing_account_id,
            row.currency,
            row.service,
            row.charge_category,
        )
        count, cost = sums.get(key, (0, Decimal(0)))
        sums[key] = (count + row.rows, cost + row.cost)
    return [CubeRow(*key, *sums[key]) for key in sorted(sums)]
