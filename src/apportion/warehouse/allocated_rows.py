"""Allocated rows written as charges: each from the texts of its kind and its line, and its own amounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from apportion.focus.columns import COSTS
from apportion.warehouse import duckdb as engine
from apportion.warehouse.allocated import FORMAT, Part, insert
from apportion.warehouse.allocated_layout import OutColumn

CHUNK = 100_000


class Table(NamedTuple):
    """Texts that many rows share: names of columns, and for each number from 0 the values."""

    names: tuple[str, ...]
    rows: Sequence[Sequence[str | None]]


class Row(NamedTuple):
    """One allocated row: the numbers of its kind and its line, the four costs and its ratio as decimal texts."""

    kind: int
    line: int
    billed: str | None
    effective: str | None
    listed: str | None
    contracted: str | None
    ratio: str | None


DETAILS = "details"
"""The column of lines that holds what follows the ratio in AllocatedMethodDetails."""

_ROW = ("INTEGER", "INTEGER", *["VARCHAR"] * 5)


def write_rows(
    directory: Path, columns: Sequence[OutColumn], kinds: Table, lines: Table, rows: Iterable[Row]
) -> tuple[Part, ...]:
    """Write allocated rows as Parquet files of at most `CHUNK` rows, in their order. A column that neither the row nor
    its kind or line has is null; what the kind says goes before the line.
    """
    shown = _row_values(kinds, lines)
    selected = ", ".join(
        f"({shown.get(out.name, 'NULL')})::{out.type} AS {engine.identifier(out.name)}" for out in columns
    )
    source = iter(rows)
    parts: list[Part] = []
    with closing(engine.connect(threads=1)) as connection:
        for name, table in (("kind", kinds), ("line", lines)):
            fields = "".join(f", v{place} VARCHAR" for place in range(len(table.names)))
            connection.execute(f"CREATE TABLE {name} (number INTEGER{fields})").fetchall()
            numbered = [(number, *row) for number, row in enumerate(table.rows)]
            insert(connection, name, ["INTEGER", *["VARCHAR"] * len(table.names)], numbered)
        while chunk := list(islice(source, CHUNK)):
            connection.execute(
                "CREATE OR REPLACE TABLE chunk (seq INTEGER, kind INTEGER, line INTEGER, "
                f"{', '.join(f'{name} VARCHAR' for name in COSTS)}, ratio VARCHAR)"
            ).fetchall()
            insert(connection, "chunk", ["INTEGER", *_ROW], [(place, *row) for place, row in enumerate(chunk)])
            path = directory / f"allocated-{len(parts):06d}.parquet"
            connection.execute(
                f"COPY (SELECT {selected} FROM chunk r JOIN kind k ON k.number = r.kind "
                f"JOIN line l ON l.number = r.line ORDER BY r.seq) TO {engine.literal(str(path))} {FORMAT}"
            ).fetchall()
            parts.append(Part(path, len(chunk)))
    return tuple(parts)


def _row_values(kinds: Table, lines: Table) -> dict[str, str]:
    of_line = {name: f"l.v{place}" for place, name in enumerate(lines.names)}
    shown = {**of_line, **{name: f"k.v{place}" for place, name in enumerate(kinds.names)}}
    ratio = "rtrim(rtrim(r.ratio, '0'), '.')"
    service, name = shown["ServiceName"], of_line["ChargeDescription"]
    return {
        **shown,
        **{cost: f"r.{cost}" for cost in COSTS},
        "ChargeDescription": f"CASE WHEN {service} <> {name} THEN {name} || ': ' || {service} ELSE {name} END",
        "AllocatedMethodDetails": f"""'{{"Elements": [{{"AllocatedRatio": ' || {ratio} || {of_line[DETAILS]}""",
    }
