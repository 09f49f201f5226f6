"""Charges added up by resource: the grain at which an amount can be compared with the month before, and looked into.

A resource is what ResourceId names. A charge without one belongs to what stands in for it: its sub account, service,
SKU and region together. Within a resource, charges of one service, charge category, SKU and unit are one *item*, so
that quantities of one unit alone are added up. Sums lie in Parquet files, one for each batch, and never in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apportion.errors import ConservationError
from apportion.warehouse import duckdb as engine
from apportion.warehouse.queries import ASIDE, side_by_side
from apportion.warehouse.scan import batches
from apportion.warehouse.snapshot import ChargeFile, Column, Snapshot

QUANTITY = "DECIMAL(38,12)"
QUANTITY_UNITS = 10**6  # of 10⁻¹⁸ in the last digit of QUANTITY
_SLICE_ROWS = 1_000_000
_MOST_QUANTITY = 10**17  # a charge of more is taken as one without a quantity: a month of them would not fit
DESCRIBED = ("ResourceName", "ResourceType", "SubAccountId", "RegionId")

# What tells items apart, and with what a resource is named where ResourceId is null.
KEY = (
    "CASE WHEN resource IS NOT NULL THEN md5(concat_ws(chr(31), 'resource', resource)) "
    "ELSE md5(concat_ws(chr(31), 'other', coalesce(account, ''), service, coalesce(sku, ''), coalesce(region, ''))) "
    "END::UUID"
)
_ITEM = (
    "md5(concat_ws(chr(31), key::VARCHAR, currency, service, category, coalesce(sku, ''), coalesce(unit, '')))::UUID"
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which charges: those whose outcome has a place in `places`, a number that sums are kept apart by.

    With `issuers`, only theirs; with `columns`, only charges that hold these texts (``""`` is null).
    """

    snapshot: Snapshot
    sidecars: Path
    places: Mapping[int, int]
    effective: bool
    issuers: Collection[str] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slice:
    """Some files of a batch, so few that their sums fit into memory; the sidecar's rows from `first_row` are theirs."""

    files: tuple[ChargeFile, ...]
    sidecar: Path
    first_row: int

    @property
    def rows(self) -> int:
        """How many charges the files hold."""
        return sum(file.rows for file in self.files)

    @property
    def outcomes(self) -> str:
        """SQL for the table of the sidecar's rows."""
        last = self.first_row + self.rows - 1
        mine = f"file_row_number BETWEEN {self.first_row:d} AND {last:d}"
        return f"(SELECT outcome AS sidecar_outcome FROM {engine.files([self.sidecar])} WHERE {mine})"


def slices(selection: Selection) -> list[Slice]:
    """The selection's files in order, cut into slices."""
    found = []
    for batch in batches(selection.snapshot, selection.sidecars):
        first_row = 0
        held: list[ChargeFile] = []
        for file in batch.files:
            if held and sum(other.rows for other in held) + file.rows > _SLICE_ROWS:
                found.append(Slice(tuple(held), batch.sidecar, first_row))
                first_row += found[-1].rows
                held = []
            held.append(file)
        found.append(Slice(tuple(held), batch.sidecar, first_row))
    return found


def add_up(selection: Selection, directory: Path, name: str, *, described: Sequence[str] = ()) -> str:
    """Write the sums below `directory`, and give SQL for the table of them.

    Its columns are place, key (of the resource), item, has_id, resource, account, region, currency, service, category,
    sku, unit, rows, cost and quantity (null where none has one), and the `described` ones; the same item may stand in
    it once for each slice. Raises `ConservationError` where sidecars and charges do not lie row beside row.
    """

    def work(connection: engine.Connection, mine: Sequence[tuple[int, Slice]]) -> list[Path]:
        connection.execute(f"SET temp_directory = {engine.literal(str(directory))}")
        create_places(connection, selection)
        paths = [directory / f"{name}-{number:06d}.parquet" for number, _ in mine]
        for path, (_, part) in zip(paths, mine, strict=True):
            _write(connection, part, selection, path, described)
        return paths

    done = side_by_side(list(enumerate(slices(selection))), work)
    return engine.files(sorted(path for paths in done for path in paths))


def create_places(connection: engine.Connection, selection: Selection) -> None:
    """The table ``places`` that `charges` is joined to."""
    given = [list(selection.places), list(selection.places.values())]
    connection.execute(
        "CREATE OR REPLACE TABLE places AS SELECT unnest($1::INTEGER[]) AS outcome, unnest($2::INTEGER[]) AS place",
        given,
    ).fetchall()


def _write(
    connection: engine.Connection, part: Slice, selection: Selection, path: Path, described: Sequence[str]
) -> None:
    must_lie_beside(connection, part)
    shown = {f"described_{number}": engine.field_text(part.files[0], each) for number, each in enumerate(described)}
    least = "".join(
        f"min({alias}) AS {engine.identifier(each)}, " for alias, each in zip(shown, described, strict=True)
    )
    grouped = (
        "SELECT place, resource, account, region, currency, service, category, sku, unit, "
        f"{least}count(*) AS rows, sum(cost) AS cost, sum(quantity) AS quantity "
        f"FROM {charges(part, selection, shown)} GROUP BY ALL"
    )
    keyed = f"SELECT *, resource IS NOT NULL AS has_id, {KEY} AS key FROM ({grouped})"
    connection.execute(
        f"COPY (SELECT *, {_ITEM} AS item FROM ({keyed})) TO {engine.literal(str(path))} "
        "(FORMAT parquet, COMPRESSION lz4_raw)"
    ).fetchall()


def must_lie_beside(connection: engine.Connection, part: Slice) -> None:
    """Raise `ConservationError` where the sidecar has not one row for each charge."""
    ((held,),) = connection.execute(f"SELECT count(*) FROM {part.outcomes}").fetchall()
    if held != part.rows:
        raise ConservationError(
            f"{part.rows} charges lie beside {held} outcomes.",
            advice="Files of the workspace may have been touched; allocate the period again.",
        )


def charges(part: Slice, selection: Selection, more: Mapping[str, str]) -> str:
    """SQL for the selected charges of a slice: place, what tells items apart, cost, quantity, and `more` by alias."""
    file = part.files[0]
    resource = f"nullif({engine.field_text(file, 'ResourceId')}, '')"
    columns = {
        "resource": resource,
        "account": f"CASE WHEN {resource} IS NULL THEN {engine.field_text(file, 'SubAccountId')} END",
        "region": f"CASE WHEN {resource} IS NULL THEN {engine.field_text(file, 'RegionId')} END",
        "currency": f"coalesce({engine.field_text(file, 'BillingCurrency')}, '')",
        "service": f"coalesce({engine.field_text(file, 'ServiceName')}, '')",
        "category": f"coalesce({engine.field_text(file, 'ChargeCategory')}, '')",
        "sku": engine.field_text(file, "SkuId"),
        # The cost of a row that is kept aside may be unreadable.
        "cost": f"CASE WHEN sidecar_outcome <> {ASIDE} THEN {_cost(file, selection)} END",
        "consumed": _quantity(file.column("ConsumedQuantity")),
        "priced": _quantity(file.column("PricingQuantity")),
        "consumed_unit": engine.field_text(file, "ConsumedUnit"),
        "pricing_unit": engine.field_text(file, "PricingUnit"),
        **more,
    }
    selected = ", ".join(f"{expression} AS {alias}" for alias, expression in columns.items())
    delivered = engine.files([each.path for each in part.files])
    tests = " AND ".join([f"sidecar_outcome <> {ASIDE}", *_tests(file, selection)])
    return (
        "(SELECT r.* EXCLUDE (outcome, consumed, priced, consumed_unit, pricing_unit), p.place, "
        "coalesce(consumed, priced) AS quantity, "
        "CASE WHEN consumed IS NOT NULL THEN consumed_unit WHEN priced IS NOT NULL THEN pricing_unit END AS unit "
        f"FROM (SELECT {selected}, sidecar_outcome AS outcome FROM {delivered} "
        f"POSITIONAL JOIN {part.outcomes} WHERE {tests}) r JOIN places p USING (outcome))"
    )


def _cost(file: ChargeFile, selection: Selection) -> str:
    return engine.cost(file, "EffectiveCost" if selection.effective else "BilledCost")


def _tests(file: ChargeFile, selection: Selection) -> list[str]:
    tests = []
    if selection.issuers is not None:
        tests.append(f"{engine.issuer(file)} IN {engine.literals(sorted(selection.issuers))}")
    for name, value in selection.columns.items():
        shown = engine.field_text(file, name)
        tests.append(f"{shown} = {engine.literal(value)}" if value else f"coalesce({shown}, '') = ''")
    return tests


def _quantity(column: Column | None) -> str:
    """SQL for a quantity; null where it is no number, or too large to be added up."""
    if column is None:
        return f"NULL::{QUANTITY}"
    shown = engine.text(column) if column.type == "VARCHAR" or not column.physical else engine.raw(column)
    value = f"TRY_CAST({shown} AS {QUANTITY})"
    return f"CASE WHEN abs({value}) < {_MOST_QUANTITY} THEN {value} END"
