"""One charge: what a delivered row says, and the number that the sidecars have of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from apportion.errors import InputRefusedError, NotFoundError
from apportion.warehouse import duckdb as engine
from apportion.warehouse.condition import Field
from apportion.warehouse.queries import ASIDE
from apportion.warehouse.scan import batches, delivered
from apportion.warehouse.snapshot import ChargeFile, Snapshot
from apportion.warehouse.sources import SHOWN

_DIMENSIONS = ("InvoiceId", "BillingAccountId", "BillingCurrency", "ServiceName", "ChargeCategory")
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class OneCharge:
    """A charge of a file, data row from 1, `units` of its cost on the basis that was asked for.

    `outcome` is its number in the sidecars: None where it is kept aside or counts in another billing period.
    `dimensions` are what amounts are grouped by, empty for null; `shown` what identifies it, without nulls.
    """

    file: str
    row: int
    units: int
    outcome: int | None
    issuer: str
    dimensions: Mapping[str, str]
    shown: Mapping[str, str]


def chosen_file(snapshot: Snapshot, name: str) -> ChargeFile:
    """The file that explanations and findings call so: ``source/name``, the name alone, or with the delivery between.

    Raises `NotFoundError` for a file that has no charges of the period, `InputRefusedError` for several.
    """
    found = [file for file in snapshot.files if name in (_name(file), f"{file.source}/{file.delivery_id}/{file.name}")]
    found = found or [file for file in snapshot.files if file.name == name]
    if not found:
        known = sorted({_name(file) for file in snapshot.files})
        more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
        raise NotFoundError(
            f"There is no file '{name}' with charges of {snapshot.period}.",
            advice=f"There are: {', '.join(known[:_MOST_NAMED])}{more}.",
        )
    if len(found) > 1:
        one = found[0]
        raise InputRefusedError(
            f"{len(found)} files with charges of {snapshot.period} are called '{name}'.",
            advice=f"Name the source and the delivery too, for example {one.source}/{one.delivery_id}/{one.name}.",
        )
    return found[0]


def one_charge(snapshot: Snapshot, sidecars: Path, file: ChargeFile, row: int, *, effective: bool) -> OneCharge:
    """The charge in data row `row`, from 1, of one of the snapshot's files. Raises `NotFoundError` for no such row."""
    if not 1 <= row <= file.rows:
        raise NotFoundError(f"{_name(file)} has no row {row:,}.", advice=f"Its rows are 1 to {file.rows:,}.")
    cost = engine.cost(file, "EffectiveCost" if effective else "BilledCost")
    columns = [f"{cost}::VARCHAR", engine.issuer(file)]
    columns += [engine.field_text(file, name) for name in (*_DIMENSIONS, *SHOWN)]
    with closing(engine.connect()) as connection:
        (found,) = connection.execute(f"SELECT {', '.join(columns)} {_row_of(file, row)}").fetchall()
        sidecar, place = _beside(snapshot, sidecars, file, row)
        ((outcome,),) = connection.execute(
            f"SELECT outcome FROM {engine.files([sidecar])} WHERE file_row_number = {place:d}"
        ).fetchall()
    units, issuer, *texts = found
    dimensions, shown = texts[: len(_DIMENSIONS)], texts[len(_DIMENSIONS) :]
    return OneCharge(
        file=_name(file),
        row=row,
        units=engine.units(units),
        outcome=None if outcome == ASIDE else outcome,
        issuer=issuer,
        dimensions={name: text or "" for name, text in zip(_DIMENSIONS, dimensions, strict=True)},
        shown={name: text for name, text in zip(SHOWN, shown, strict=True) if text is not None},
    )


def values(snapshot: Snapshot, file: ChargeFile, row: int, fields: Sequence[Field]) -> tuple[str | None, ...]:
    """What a charge has in columns and tags, read as rules read them."""
    if not fields:
        return ()
    batch = next(batch for batch in batches(snapshot, Path()) if file in batch.files)
    scan = delivered(batch, snapshot.period, fields)
    columns = ", ".join(scan.fields[field] for field in fields)
    with closing(engine.connect()) as connection:
        (found,) = connection.execute(f"SELECT {columns} {_row_of(file, row)}").fetchall()
    return tuple(found)


def _row_of(file: ChargeFile, row: int) -> str:
    return f"FROM {engine.files([file.path])} WHERE file_row_number = {row - 1:d}"


def _beside(snapshot: Snapshot, sidecars: Path, file: ChargeFile, row: int) -> tuple[Path, int]:
    """The sidecar that a row lies beside, and the row's place in it from 0."""
    batch = next(batch for batch in batches(snapshot, sidecars) if file in batch.files)
    before = batch.files[: batch.files.index(file)]
    return batch.sidecar, sum(other.rows for other in before) + row - 1


def _name(file: ChargeFile) -> str:
    return f"{file.source}/{file.name}"
