"""The one query that may be large: scan → classify → cube.

For each batch of files of one shape, classification joins the plan's lookups to the rows that rules look at and
writes each row's outcome number to a *sidecar*: a Parquet file with one row for each charge, in the same order.
A second, cheap scan adds up the amounts by outcome beside it. Nothing but the sidecar and the cube is kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from apportion.errors import ConservationError
from apportion.warehouse import cache
from apportion.warehouse import duckdb as engine
from apportion.warehouse.condition import Field
from apportion.warehouse.lookups import Lookups, plan_fields
from apportion.warehouse.plan import Plan
from apportion.warehouse.scan import Batch, Scan, batches, delivered
from apportion.warehouse.snapshot import Snapshot

T = TypeVar("T")
B = TypeVar("B")
_Group = tuple[Any, ...]  # the fields of a CubeRow, and more, as the engine gives them

MOST_WORKERS = 4
MARK = "(CASE WHEN file_row_number & 63 = 0 THEN file_row_number::INTEGER END)"  # proves the order at little cost
ASIDE = -1  # the outcome of a row that is quarantined or belongs to another billing period


@dataclass(frozen=True, slots=True)
class CubeRow:
    """Charges of one outcome, added up exactly in units of 10⁻¹⁸. On effective cost invoice and account are empty."""

    outcome: int
    invoice_issuer: str
    invoice_id: str
    billing_account_id: str
    currency: str
    service: str
    charge_category: str
    rows: int
    units: int


def span(snapshot: Snapshot) -> tuple[str, str] | None:
    """The first and last day (ISO) on which a charge of the snapshot starts; None where there is no charge."""
    days: list[str] = []
    with closing(engine.connect()) as connection:
        for batch in batches(snapshot, Path()):
            scan = delivered(batch, snapshot.period, ())
            found = connection.execute(
                f"SELECT min({scan.start})::DATE::VARCHAR, max({scan.start})::DATE::VARCHAR "
                f"FROM {scan.relation} WHERE {scan.kept or 'true'}"
            ).fetchall()[0]
            days += [day for day in found if day is not None]
    return (min(days), max(days)) if days else None


def classify(
    snapshot: Snapshot,
    plan: Plan,
    *,
    effective: bool,
    sidecars: Path,
    cache_directory: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> list[CubeRow]:
    """Classify every charge of the snapshot and add up, sorted. `progress` hears of the rows done.

    With a `cache_directory` the charges are read from the cache there, which is built first if need be.

    Works on batches side by side, each in a single-threaded engine of its own: with several threads a join hands
    rows on out of order, and the sidecar lives by order. Raises `ConservationError` if the cube does not hold the
    rows that the snapshot promised, or a sidecar is out of order.
    """
    todo = list(batches(snapshot, sidecars))
    fields = plan_fields(plan)
    build = False
    if cache_directory is not None:
        held = set(cache.held(cache_directory))
        build = not held or not fields <= held
        fields = fields if build else held
        if build:
            cache.start(cache_directory)

    def work(connection: engine.Connection, mine: Sequence[Batch]) -> list[list[_Group]]:
        cubes = []
        lookups = Lookups(connection, plan)
        for batch in mine:
            if cache_directory is not None and build:
                cache.build(connection, cache_directory, batch, snapshot, fields)
            with _scan(connection, batch, snapshot, fields, cache_directory) as scan:
                connection.execute(_classification(scan, batch, lookups)).fetchall()
                cubes.append(_cube(connection, scan, batch, effective=effective))
            progress(batch.rows)
        return cubes

    done = _merged(row for cubes in side_by_side(todo, work) for cube in cubes for row in cube)
    if cache_directory is not None and build:
        cache.finish(cache_directory, fields)
    return done


def side_by_side(todo: Sequence[B], work: Callable[[engine.Connection, Sequence[B]], T]) -> list[T]:
    """Divide batches among single-threaded engines, one for each processor up to `MOST_WORKERS`."""
    workers = max(1, min(len(todo), os.cpu_count() or 1, MOST_WORKERS))

    def run(first: int) -> T:
        with closing(engine.connect(threads=1, share=workers)) as connection:
            # A table larger than a batch would otherwise be streamed, and the charges come out in its order; and
            # the last few rows of a file or row group would be held back and overtaken by the next.
            connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
            connection.execute("SET enable_caching_operators = false")
            return work(connection, todo[first::workers])

    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(run, range(workers)))


def _scan(
    connection: engine.Connection, batch: Batch, snapshot: Snapshot, fields: set[Field], directory: Path | None
) -> AbstractContextManager[Scan]:
    if directory is None:
        return nullcontext(delivered(batch, snapshot.period, fields))
    return cache.cached(connection, directory, batch, fields)


def _classification(scan: Scan, batch: Batch, lookups: Lookups) -> str:
    """COPY of the outcome of each row, in the order of the files."""
    selected = [f"{scan.fields[field]} AS {lookups.name(field)}" for field in lookups.fields]
    if lookups.plan.boundaries:
        selected.append(f"{_epoch(scan, lookups.plan)} AS epoch")
    if scan.kept:
        selected.append(f"{scan.kept} AS kept")
    selected.append(f"{MARK} AS mark")
    charges = f"(SELECT {', '.join(selected)} FROM {scan.relation})"
    outcome = f"CASE WHEN kept THEN {lookups.outcome} ELSE {ASIDE} END" if scan.kept else lookups.outcome
    return (
        f"COPY (SELECT mark, ({outcome})::{lookups.type} AS outcome "
        f"FROM {lookups.joined(charges)}) "
        f"TO {engine.literal(str(batch.sidecar))} (FORMAT parquet, COMPRESSION uncompressed)"
    )


def _epoch(scan: Scan, plan: Plan) -> str:
    days = enumerate(plan.boundaries)
    cases = " ".join(f"WHEN {scan.start} < TIMESTAMP '{day}' THEN {place}" for place, day in days)
    return f"(CASE {cases} ELSE {len(plan.boundaries)} END)::SMALLINT"


def _cube(connection: engine.Connection, scan: Scan, batch: Batch, *, effective: bool) -> list[_Group]:
    """Add up one batch beside its sidecar, after proving that the two lie row beside row."""
    cost = scan.effective if effective else scan.billed
    if scan.kept:
        cost = f"CASE WHEN sidecar_outcome <> {ASIDE} THEN {cost} END"
    sidecar = f"SELECT mark AS sidecar_mark, outcome AS sidecar_outcome FROM {engine.files([batch.sidecar])}"
    groups = (
        f"SELECT sidecar_outcome, {scan.grouped}, count(*) AS counted, sum({cost}) AS total, "
        f"count(*) FILTER (sidecar_mark IS DISTINCT FROM {MARK}) AS moved "
        f"FROM {scan.relation} POSITIONAL JOIN ({sidecar}) GROUP BY ALL"
    )
    invoice = "''" if effective else "invoice"
    account = "''" if effective else "CASE WHEN invoice = '' THEN account ELSE '' END"
    found = connection.execute(
        f"SELECT sidecar_outcome, issuer, {invoice}, {account}, currency, service, category, "
        f"counted, total::VARCHAR, moved FROM ({scan.named.format(groups)})"
    ).fetchall()
    counted, moved = sum(row[7] for row in found), sum(row[9] for row in found)
    if counted != batch.rows or moved:
        raise ConservationError(
            f"{batch.rows} charges were to be classified, {counted} were, {moved} marks of them out of order.",
            advice="Nothing was saved. The files may have changed on disk: run `apportion ingest` again.",
        )
    return [(*row[:8], engine.units(row[8])) for row in found if row[0] != ASIDE]


def _merged(rows: Iterable[_Group]) -> list[CubeRow]:
    """One row for each combination of dimensions, over all batches, in a fixed order."""
    sums: dict[_Group, tuple[int, int]] = {}
    for row in rows:
        key, count, units = row[:7], row[7], row[8]
        if key in sums:
            before = sums[key]
            sums[key] = (before[0] + count, before[1] + units)
        else:
            sums[key] = (count, units)
    return [CubeRow(*(key + sums[key])) for key in sorted(sums)]
