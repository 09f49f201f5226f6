"""A narrow copy of a period's charges for classifying it again: only the columns that rules and statements use.

One engine file for each batch, in the order of the delivered rows, with the dimensions of the cube as one number.
It is built when a period is classified for the second time, answers as the delivered files would, and can be
thrown away at any moment.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from apportion.warehouse import duckdb as engine
from apportion.warehouse.condition import Field
from apportion.warehouse.scan import DIMENSIONS, Batch, Scan, delivered
from apportion.warehouse.snapshot import Snapshot

_FIELDS = "fields.json"


def held(directory: Path) -> list[Field]:
    """The fields of a complete cache, in order; none where there is no complete one."""
    path = directory / _FIELDS
    if not path.is_file():
        return []
    return [Field(name, is_tag) for name, is_tag in json.loads(path.read_text(encoding="utf-8"))]


def start(directory: Path) -> None:
    """Begin anew: an unfinished cache has no list of fields, and nobody reads it."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)


def finish(directory: Path, fields: Iterable[Field]) -> None:
    """Say that every batch is there, for these fields."""
    listed = [[field.name, field.is_tag] for field in sorted(fields)]
    (directory / _FIELDS).write_text(json.dumps(listed), encoding="utf-8")


def build(connection: engine.Connection, directory: Path, batch: Batch, snapshot: Snapshot, fields: set[Field]) -> None:
    """Copy one batch. The engine must be single-threaded: rows are to stay in their order."""
    scan = delivered(batch, snapshot.period, fields)
    columns = [f"{scan.fields[field]} AS f{place}" for place, field in enumerate(sorted(fields))]
    columns += [f"{scan.start} AS start", f"{scan.kept or 'true'} AS kept"]
    columns += [f"{_readable(scan, scan.billed)} AS billed", f"{_readable(scan, scan.effective)} AS effective"]
    dimensions = ", ".join(DIMENSIONS)
    same = " AND ".join(f"c.{name} = n.{name}" for name in DIMENSIONS)
    path = engine.literal(str(_path(directory, batch)))
    connection.execute(f"ATTACH {path} AS building (STORAGE_VERSION 'latest')")
    try:
        connection.execute(
            f"CREATE TABLE building.cells AS SELECT (row_number() OVER ())::INTEGER AS cell, {dimensions} "
            f"FROM ({scan.named.format(f'SELECT DISTINCT {scan.grouped} FROM {scan.relation}')})"
        ).fetchall()
        narrow = scan.named.format(f"SELECT {', '.join(columns)}, {scan.grouped} FROM {scan.relation}")
        dropped = ", ".join([*DIMENSIONS, *(f"d_{name}" for name in DIMENSIONS)])
        connection.execute(
            f"CREATE TABLE building.charges AS SELECT n.* EXCLUDE ({dropped}), c.cell "
            f"FROM ({narrow}) n LEFT JOIN building.cells c ON {same}"
        ).fetchall()
    finally:
        connection.execute("DETACH building")


@contextmanager
def cached(connection: engine.Connection, directory: Path, batch: Batch, fields: Collection[Field]) -> Iterator[Scan]:
    """The scan of a batch from the cache that was built with these fields, while the block runs."""
    connection.execute(f"ATTACH {engine.literal(str(_path(directory, batch)))} AS cached (READ_ONLY)")
    try:
        yield Scan(
            relation="(SELECT *, rowid AS file_row_number FROM cached.charges)",
            fields={field: f"f{place}" for place, field in enumerate(sorted(fields))},
            start="start",
            kept="kept" if batch.first.mixed or batch.first.quarantine else "",
            billed="billed",
            effective="effective",
            grouped="cell",
            named="SELECT * FROM ({}) JOIN cached.cells USING (cell)",
        )
    finally:
        connection.execute("DETACH cached")


def _readable(scan: Scan, cost: str) -> str:
    """A quarantined row's cost may be unreadable; it does not count anyway."""
    return f"CASE WHEN {scan.kept} THEN {cost} END" if scan.kept else cost


def _path(directory: Path, batch: Batch) -> Path:
    return directory / f"{batch.number:06d}.duckdb"
