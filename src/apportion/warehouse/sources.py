"""From a cell back to its charges: which rows of which delivered files an amount was added up from."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from apportion.warehouse import duckdb as engine
from apportion.warehouse.queries import side_by_side
from apportion.warehouse.scan import Batch, batches, relation
from apportion.warehouse.snapshot import ChargeFile, Snapshot

_Place = tuple[int, str, int]

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
    """Which charges: their outcomes, and the columns that must hold one of these texts (``""`` is null)."""

    outcomes: Collection[int]
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


def sources(snapshot: Snapshot, sidecars: Path, wanted: Wanted, *, effective: bool, most: int) -> Sources:
    """The charges behind an amount, found by the sidecars' outcomes; the `most` largest are shown with their columns.

    The first pass reads only what selects and adds; only the files that hold a shown row are then read further.
    """

    def work(connection: engine.Connection, mine: Sequence[Batch]) -> tuple[int, int, list[_Place]]:
        rows, units, largest = 0, 0, []
        for batch in mine:
            selected = _selected(batch, wanted, effective=effective)
            found = connection.execute(
                f"WITH found AS MATERIALIZED ({selected}) "
                f"SELECT count(*) OVER (), (sum(cost) OVER ())::VARCHAR, cost::VARCHAR, filename, file_row_number "
                f"FROM found ORDER BY abs(cost) DESC, filename, file_row_number LIMIT {max(most, 1):d}"
            ).fetchall()
            if found:
                rows, units = rows + found[0][0], units + engine.units(found[0][1])
                largest += [(engine.units(row[2]), row[3], row[4]) for row in found[:most]]
        return rows, units, largest

    parts = side_by_side(list(batches(snapshot, sidecars)), work)
    largest = heapq.nsmallest(
        most, (row for part in parts for row in part[2]), key=lambda row: (-abs(row[0]), *row[1:])
    )
    files = {str(file.path): file for file in snapshot.files}
    return Sources(
        rows=sum(part[0] for part in parts),
        units=sum(part[1] for part in parts),
        largest=_with_columns(files, largest),
    )


def _selected(batch: Batch, wanted: Wanted, *, effective: bool) -> str:
    file = batch.first
    outcomes = ", ".join(str(outcome) for outcome in sorted(wanted.outcomes)) or "NULL"
    tests = [f"sidecar_outcome IN ({outcomes})", f"{engine.issuer(file)} IN {engine.literals(sorted(wanted.issuers))}"]
    for name, value in wanted.columns.items():
        shown = engine.field_text(file, name)
        tests.append(f"{shown} = {engine.literal(value)}" if value else f"coalesce({shown}, '') = ''")
    cost = engine.cost(file, "EffectiveCost" if effective else "BilledCost")
    sidecar = f"SELECT outcome AS sidecar_outcome FROM {engine.files([batch.sidecar])}"
    return (
        f"SELECT {cost} AS cost, filename, file_row_number FROM {relation(batch)} POSITIONAL JOIN ({sidecar}) "
        f"WHERE {' AND '.join(tests)}"
    )


def _with_columns(files: Mapping[str, ChargeFile], largest: Sequence[_Place]) -> tuple[SourceRow, ...]:
    places: dict[str, list[int]] = {}
    for _, path, row in largest:
        places.setdefault(path, []).append(row)
    shown: dict[tuple[str, int], dict[str, str]] = {}
    with closing(engine.connect()) as connection:
        for path, rows in places.items():
            file = files[path]
            columns = ", ".join(engine.field_text(file, name) for name in SHOWN)
            numbers = ", ".join(str(row) for row in rows)
            rows_of = f"FROM {engine.files([file.path])} WHERE file_row_number IN ({numbers})"
            for found in connection.execute(f"SELECT file_row_number, {columns} {rows_of}").fetchall():
                texts = zip(SHOWN, found[1:], strict=True)
                shown[path, found[0]] = {name: text for name, text in texts if text is not None}
    return tuple(
        SourceRow(f"{files[path].source}/{files[path].name}", row + 1, units, shown[path, row])
        for units, path, row in largest
    )
