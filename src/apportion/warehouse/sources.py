"""From a cell back to its charges: which rows of which delivered files an amount was added up from."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from apportion.warehouse import duckdb as engine
from apportion.warehouse.queries import MOST_WORKERS, side_by_side
from apportion.warehouse.scan import Batch, batches, relation
from apportion.warehouse.snapshot import ChargeFile, Snapshot

_Place = tuple[int, str, int]  # units, path, row from 0
_Found = tuple[int, int, list[_Place]]  # rows, units, the largest

SHOWN = (
    "ChargePeriodStart",
    "ResourceId",
    "ResourceName",
    "SubAccountId",
    "RegionId",
    "SkuId",
    "ChargeDescription",
    "ChargeClass",
    "InvoiceId",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which charges: their outcomes, and the columns that must hold one of these texts (``""`` is null).

    `outcomes` are those of several amounts that are looked for together; none is in two of them.
    """

    outcomes: Sequence[Collection[int]]
    issuers: Collection[str]
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One charge: its file as delivered, data row from 1, cost in units of 10⁻¹⁸, and what identifies it."""

    file: str
    row: int
    units: int
    shown: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sources:
    """How many charges there are, what they add up to, and the largest of them; largest first."""

    rows: int
    units: int
    largest: tuple[SourceRow, ...]


def sources(snapshot: Snapshot, sidecars: Path, wanted: Wanted, *, effective: bool, most: int) -> tuple[Sources, ...]:
    """The charges behind amounts, found by the sidecars' outcomes; of each, the `most` largest are shown with their
    columns.

    The first pass reads only what selects and adds; only the files that hold a shown row are then read further.
    """

    def work(connection: engine.Connection, mine: Sequence[Batch]) -> list[list[_Found]]:
        return [_found(connection, batch, wanted, effective=effective, most=most) for batch in mine]

    parts = [part for done in side_by_side(list(batches(snapshot, sidecars)), work) for part in done]
    amounts = list(zip(*parts, strict=True))
    largest = [
        heapq.nsmallest(most, (row for part in amount for row in part[2]), key=lambda row: (-abs(row[0]), *row[1:]))
        for amount in amounts
    ]
    shown = _with_columns({str(file.path): file for file in snapshot.files}, largest)
    return tuple(
        Sources(sum(part[0] for part in amount), sum(part[1] for part in amount), rows)
        for amount, rows in zip(amounts, shown, strict=True)
    )


def _found(connection: engine.Connection, batch: Batch, wanted: Wanted, *, effective: bool, most: int) -> list[_Found]:
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE found AS {_selected(batch, wanted, effective=effective)}"
    ).fetchall()
    parts = []
    for outcomes in wanted.outcomes:
        mine = f"FROM found WHERE {_decided(outcomes)}"
        ((rows, units),) = connection.execute(f"SELECT count(*), coalesce(sum(cost), 0)::VARCHAR {mine}").fetchall()
        places = connection.execute(
            f"SELECT cost::VARCHAR, filename, file_row_number {mine} "
            f"ORDER BY abs(cost) DESC, filename, file_row_number LIMIT {most:d}"
        ).fetchall()
        parts.append((rows, engine.units(units), [(engine.units(cost), *place) for cost, *place in places]))
    return parts


def _decided(outcomes: Iterable[int]) -> str:
    return f"sidecar_outcome IN ({', '.join(str(outcome) for outcome in sorted(outcomes)) or 'NULL'})"


def _selected(batch: Batch, wanted: Wanted, *, effective: bool) -> str:
    file = batch.first
    decided = _decided(outcome for outcomes in wanted.outcomes for outcome in outcomes)
    tests = [decided, f"{engine.issuer(file)} IN {engine.literals(sorted(wanted.issuers))}"]
    for name, value in wanted.columns.items():
        shown = engine.field_text(file, name)
        tests.append(f"{shown} = {engine.literal(value)}" if value else f"coalesce({shown}, '') = ''")
    cost = engine.cost(file, "EffectiveCost" if effective else "BilledCost")
    sidecar = f"SELECT outcome AS sidecar_outcome FROM {engine.files([batch.sidecar])}"
    return (
        f"SELECT sidecar_outcome, {cost} AS cost, filename, file_row_number "
        f"FROM {relation(batch)} POSITIONAL JOIN ({sidecar}) WHERE {' AND '.join(tests)}"
    )


def _with_columns(files: Mapping[str, ChargeFile], largest: Sequence[Sequence[_Place]]) -> list[tuple[SourceRow, ...]]:
    places: dict[str, list[int]] = {}
    for _, path, row in chain.from_iterable(largest):
        places.setdefault(path, []).append(row)
    shown: dict[tuple[str, int], dict[str, str]] = {}
    with closing(engine.connect()) as connection, ThreadPoolExecutor(max_workers=MOST_WORKERS) as pool:

        def look_up(path: str) -> list[tuple[Any, ...]]:
            columns = ", ".join(engine.field_text(files[path], name) for name in SHOWN)
            numbers = ", ".join(str(row) for row in places[path])
            rows_of = f"FROM {engine.files([files[path].path])} WHERE file_row_number IN ({numbers})"
            # A file at a time: of one file, the engine reads only the row groups that hold these rows.
            return connection.cursor().execute(f"SELECT file_row_number, {columns} {rows_of}").fetchall()

        for path, found in zip(places, pool.map(look_up, places), strict=True):
            for row, *texts in found:
                pairs = zip(SHOWN, texts, strict=True)
                shown[path, row] = {name: text for name, text in pairs if text is not None}
    return [
        tuple(
            SourceRow(f"{files[path].source}/{files[path].name}", row + 1, units, shown[path, row])
            for units, path, row in rows
        )
        for rows in largest
    ]
