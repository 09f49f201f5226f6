"""Written files of allocated charges read back and added up, and turned into one file or into CSV."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from apportion.focus.columns import COSTS
from apportion.warehouse import duckdb as engine
from apportion.warehouse.allocated import ROW_GROUP, Control, Costs, control
from apportion.warehouse.allocated_layout import OutColumn

ByLine = dict[tuple[str, int], tuple[int, int]]


def controls(paths: Sequence[Path], columns: Sequence[OutColumn]) -> tuple[Control, ...]:
    """What the rows of Parquet files add up to by issuer, invoice, account and currency."""
    there = {out.name for out in columns}
    by = ", ".join(
        f"coalesce({name}, '')" if name in there else "''"
        for name in ("InvoiceIssuerName", "InvoiceId", "BillingAccountId", "BillingCurrency")
    )
    sums = ", ".join(f"sum({name})::VARCHAR" if name in there else "NULL" for name in COSTS)
    with closing(engine.connect()) as connection:
        rows = connection.execute(
            f"SELECT {by}, count(*), {sums} FROM {engine.files(paths)} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    return tuple(control(row[:4], row[4], _costs(row[5:])) for row in rows)


def _costs(texts: Sequence[str | None]) -> Costs:
    one, two, three, four = (None if text is None else engine.units(text) for text in texts)
    return (one, two, three, four)


def by_line(paths: Sequence[Path], statement: str, line: str, cost: str) -> ByLine:
    """Rows, and one of the costs in units, by the columns that name a statement and its line; empty and 0 for none."""
    with closing(engine.connect()) as connection:
        rows = connection.execute(
            f"SELECT coalesce({statement}, ''), coalesce({line}, 0), count(*), coalesce(sum({cost}), 0)::VARCHAR "
            f"FROM {engine.files(paths)} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    return {(number, place): (count, engine.units(total)) for number, place, count, total in rows}


def together(paths: Sequence[Path], target: Path) -> None:
    """All rows in their order as one Parquet file."""
    _copy(
        f"SELECT * FROM {engine.files(paths)}", target, f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}"
    )


def as_csv(paths: Sequence[Path], columns: Sequence[OutColumn], target: Path) -> None:
    """All rows in their order as one CSV file: plain decimals, instants as in FOCUS, null as an empty field."""
    shown = ", ".join(f"{_text(out)} AS {engine.identifier(out.name)}" for out in columns)
    _copy(f"SELECT {shown} FROM {engine.files(paths)}", target, "FORMAT csv, HEADER true")


def _copy(query: str, target: Path, how: str) -> None:
    with closing(engine.connect(threads=1)) as connection:
        connection.execute(f"COPY ({query}) TO {engine.literal(str(target))} ({how})").fetchall()


def _text(out: OutColumn) -> str:
    name = engine.identifier(out.name)
    if out.type == "TIMESTAMP":
        # Fractions of a second are rare, and nothing is cut off.
        whole, fine = (f"strftime({name}, '%Y-%m-%dT%H:%M:%S{more}Z')" for more in ("", ".%f"))
        return f"CASE WHEN microsecond({name}) % 1000000 = 0 THEN {whole} ELSE {fine} END"
    if out.type.startswith("DECIMAL"):
        shown = f"{name}::VARCHAR"
        return f"CASE WHEN contains({shown}, '.') THEN rtrim(rtrim({shown}, '0'), '.') ELSE {shown} END"
    return name
