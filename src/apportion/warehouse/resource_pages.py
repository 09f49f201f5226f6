"""Looking into an amount, a page at a time: its resources, its days, and the delivered rows of one resource.

Takes charges selected as for `resource_sums` and gives values; what is shown of an amount always comes with what the
whole of it adds up to, so that the caller can prove it.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from apportion.warehouse import duckdb as engine
from apportion.warehouse.queries import side_by_side
from apportion.warehouse.resource_sums import (
    DESCRIBED,
    KEY,
    QUANTITY_UNITS,
    Selection,
    Slice,
    add_up,
    charges,
    create_places,
    must_lie_beside,
    slices,
)
from apportion.warehouse.snapshot import ChargeFile


class ResourceSum(NamedTuple):
    """One resource in one place. `key` names it for the other questions; empty texts where nothing is known.

    `quantity` is in units of 10⁻¹⁸ of `unit`, and None where charges have none, or of several units. `before_units` is
    what all resources before it, in the same place and order, add up to.
    """

    place: int
    key: str
    id: str
    name: str
    type: str
    region: str
    sub_account: str
    service: str
    sku: str
    quantity: int | None
    unit: str
    rows: int
    units: int
    before_units: int


class PlaceSum(NamedTuple):
    """All charges of one place: how many resources and rows, and what they add up to."""

    resources: int
    rows: int
    units: int


@dataclass(frozen=True, slots=True)
class ResourcePage:
    """Some resources, and the whole of each place."""

    resources: tuple[ResourceSum, ...]
    places: Mapping[int, PlaceSum]


class DaySum(NamedTuple):
    """The charges of one place that start on one day (ISO, empty where no day is known)."""

    place: int
    day: str
    rows: int
    units: int


class DeliveredRow(NamedTuple):
    """A row as it was delivered: file, data row from 1, its cost in units, and the text in each column it fills."""

    file: str
    row: int
    units: int
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows, and how many there are in all and what those add up to."""

    rows: tuple[DeliveredRow, ...]
    count: int
    units: int


_BY_RESOURCE = """
SELECT place, key, coalesce(min(resource), '') AS resource,
  coalesce(min(ResourceName), '') AS name, coalesce(min(ResourceType), '') AS type,
  CASE WHEN count(DISTINCT RegionId) = 1 THEN min(RegionId) ELSE '' END AS region,
  CASE WHEN count(DISTINCT SubAccountId) = 1 THEN min(SubAccountId) ELSE '' END AS sub_account,
  CASE WHEN count(DISTINCT service) = 1 THEN min(service) ELSE '' END AS service,
  CASE WHEN count(DISTINCT sku) = 1 THEN min(sku) ELSE '' END AS sku,
  CASE WHEN count(DISTINCT unit) = 1 THEN sum(quantity) END AS quantity,
  CASE WHEN count(DISTINCT unit) = 1 THEN min(unit) ELSE '' END AS unit,
  sum(rows)::BIGINT AS rows, sum(cost) AS units
FROM {} GROUP BY place, key
"""
_ORDER = "abs(units) DESC, key"  # within a place


def resource_page(
    selection: Selection, directory: Path, *, offset: int, size: int, parts: Mapping[int, Fraction] | None = None
) -> ResourcePage:
    """The resources from `offset`, the largest first: by what `parts` takes of each place, else by the whole.

    `directory` is empty, and is filled.
    """
    table = add_up(selection, directory, "resources", described=DESCRIBED)
    with closing(engine.connect(directory)) as connection:
        connection.execute(f"CREATE TABLE resources AS {_BY_RESOURCE.format(table)}").fetchall()
        places = connection.execute(
            "SELECT place, count(*), sum(rows)::BIGINT, sum(units)::VARCHAR FROM resources GROUP BY place"
        ).fetchall()
        weights = [(place, float((parts or {}).get(place, 1))) for place, *_ in places]  # float: for the order alone
        weight = " ".join(f"WHEN {place:d} THEN {abs(part)!r}::DOUBLE" for place, part in weights)
        by_part = f"abs(units)::DOUBLE * (CASE place {weight} END) DESC, place, {_ORDER}" if weights else _ORDER
        found = connection.execute(
            "SELECT place, key::VARCHAR, resource, name, type, region, sub_account, service, sku, quantity::VARCHAR, "
            "unit, rows, units::VARCHAR, (before - units)::VARCHAR FROM (SELECT *, sum(units) OVER (PARTITION BY place "
            f"ORDER BY {_ORDER} ROWS UNBOUNDED PRECEDING) AS before FROM resources) "
            f"ORDER BY {by_part} LIMIT {size:d} OFFSET {offset:d}"
        ).fetchall()
    return ResourcePage(
        tuple(_resource(row) for row in found),
        {place: PlaceSum(count, rows, engine.units(units)) for place, count, rows, units in places},
    )


def _resource(row: Sequence[Any]) -> ResourceSum:
    quantity = None if row[9] is None else int(row[9].replace(".", "")) * QUANTITY_UNITS
    return ResourceSum._make((*row[:9], quantity, row[10], row[11], engine.units(row[12]), engine.units(row[13])))


def sums_of(selection: Selection, directory: Path, wanted: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """What each wanted resource (place and key) adds up to, in units; those that are not there are left out."""
    table = add_up(selection, directory, "former")
    places, keys = zip(*sorted(wanted), strict=True) if wanted else ((), ())
    with closing(engine.connect(directory)) as connection:
        connection.execute(
            "CREATE TABLE wanted AS SELECT unnest($1::INTEGER[]) AS place, unnest($2::UUID[]) AS key",
            [list(places), list(keys)],
        ).fetchall()
        rows = connection.execute(
            f"SELECT place, key::VARCHAR, sum(cost)::VARCHAR FROM {table} JOIN wanted USING (place, key) GROUP BY ALL"
        ).fetchall()
    return {(place, key): engine.units(units) for place, key, units in rows}


def days(selection: Selection) -> tuple[DaySum, ...]:
    """What starts on each day, in order, by ChargePeriodStart."""

    def work(connection: engine.Connection, mine: Sequence[Slice]) -> list[tuple[Any, ...]]:
        create_places(connection, selection)
        found = []
        for each in mine:
            must_lie_beside(connection, each)
            source = charges(each, selection, {"day": f"{engine.charge_start(each.files[0])}::DATE"})
            found += connection.execute(
                f"SELECT place, coalesce(day::VARCHAR, ''), count(*), sum(cost)::VARCHAR FROM {source} GROUP BY ALL"
            ).fetchall()
        return found

    sums: dict[tuple[int, str], tuple[int, int]] = {}
    for part in side_by_side(slices(selection), work):
        for place, day, rows, units in part:
            before = sums.get((place, day), (0, 0))
            sums[place, day] = (before[0] + rows, before[1] + engine.units(units))
    return tuple(DaySum(place, day, *sums[place, day]) for place, day in sorted(sums))


_Place = tuple[int, str, int]  # units, path, row from 0


def row_page(selection: Selection, place: int, key: str, *, offset: int, size: int) -> RowPage:
    """The delivered rows of one resource from `offset`, the largest first."""
    most = offset + size

    def work(connection: engine.Connection, mine: Sequence[Slice]) -> list[tuple[int, int, list[_Place]]]:
        create_places(connection, selection)
        return [_rows_in(connection, each, selection, place, key, most) for each in mine]

    parts = [part for done in side_by_side(slices(selection), work) for part in done]
    ordered = heapq.merge(*(part[2] for part in parts), key=lambda row: (-abs(row[0]), *row[1:]))
    chosen = [row for number, row in enumerate(ordered) if offset <= number < most]
    files = {str(file.path): file for file in selection.snapshot.files}
    columns = _delivered(files, chosen)
    return RowPage(
        tuple(
            DeliveredRow(f"{files[path].source}/{files[path].name}", row + 1, units, columns[path, row])
            for units, path, row in chosen
        ),
        sum(part[0] for part in parts),
        sum(part[1] for part in parts),
    )


def _rows_in(
    connection: engine.Connection, part: Slice, selection: Selection, place: int, key: str, most: int
) -> tuple[int, int, list[_Place]]:
    must_lie_beside(connection, part)
    source = charges(part, selection, {"path": "filename", "row": "file_row_number"})
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE found AS SELECT cost, path, row "
        f"FROM (SELECT *, {KEY} AS key FROM {source} WHERE place = {place:d}) WHERE key = {engine.literal(key)}::UUID"
    ).fetchall()
    ((count, units),) = connection.execute(
        "SELECT count(*), coalesce(sum(cost), 0)::DECIMAL(38,18)::VARCHAR FROM found"
    ).fetchall()
    largest = connection.execute(
        f"SELECT cost::VARCHAR, path, row FROM found ORDER BY abs(cost) DESC, path, row LIMIT {most:d}"
    ).fetchall()
    return count, engine.units(units), [(engine.units(cost), *rest) for cost, *rest in largest]


def _delivered(files: Mapping[str, ChargeFile], chosen: Sequence[_Place]) -> dict[tuple[str, int], dict[str, str]]:
    """What the files hold in these rows, as text, without what is null."""
    places: dict[str, list[int]] = {}
    for _, path, row in chosen:
        places.setdefault(path, []).append(row)
    found: dict[tuple[str, int], dict[str, str]] = {}
    with closing(engine.connect()) as connection:
        for path, rows in places.items():
            columns = [column for column in files[path].columns if column.physical]
            shown = ", ".join(f"{engine.raw(column)}::VARCHAR" for column in columns)
            numbers = ", ".join(str(row) for row in rows)
            held = connection.execute(
                f"SELECT file_row_number, {shown} FROM {engine.files([files[path].path])} "
                f"WHERE file_row_number IN ({numbers})"
            ).fetchall()
            for row, *texts in held:
                pairs = zip(columns, texts, strict=True)
                found[path, row] = {column.name: text for column, text in pairs if text is not None}
    return found
