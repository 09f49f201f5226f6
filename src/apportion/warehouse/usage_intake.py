"""What the loading of usage asks of the engine: a delivered table's columns, its rows added up, and its bad rows.

Values become exact decimals and instants as those of charges do (`intake_values`); the engine adds them up by month
and key columns. What columns mean is the caller's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from apportion.focus.checks import EXAMPLES
from apportion.money.amount import units
from apportion.warehouse import duckdb as engine
from apportion.warehouse import intake
from apportion.warehouse.intake_translate import RAGGED, Csv
from apportion.warehouse.intake_values import Stage
from apportion.warehouse.snapshot import Column

_ROW = "__row"
_MONTH_ONLY = "[0-9]{4}-[0-9]{2}"
_NESTED = ("MAP", "STRUCT")


@dataclass(frozen=True, slots=True)
class Table:
    """A delivered file as a table: SQL that gives its rows numbered from 1, and its columns with engine types."""

    relation: str
    columns: tuple[tuple[str, str], ...]
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What is read of a table. `period`, `keys` and `values` are columns as the table has them.

    `constant_period` stands in for a table without a column of it. Of rows where all of `only` are null, nothing is
    read. `required` are keys and values that every other row must have.
    """

    period: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    required: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    constant_period: str = ""


class Group(NamedTuple):
    """Rows of one month (``2026-10``) and one set of keys, added up; None for a value that no row has."""

    period: str
    keys: tuple[str | None, ...]
    sums: tuple[int | None, ...]
    rows: int


class Problem(NamedTuple):
    """Rows that break the same check in the same column: how many, and (row, value) of the first of them.

    `check` is ``ragged``, ``period``, ``missing`` or ``number``.
    """

    check: str
    column: str
    rows: int
    examples: tuple[tuple[int, str], ...]


def csv_table(csv: Csv) -> Table:
    """A CSV, all columns text; rows are numbered as they stand in the file, without its header."""
    names = [*csv.names, RAGGED] if csv.repaired else csv.names
    relation = f"(SELECT *, row_number() OVER () AS {_ROW} FROM {csv.relation})"
    return Table(relation, tuple((name, "VARCHAR") for name in names), csv.repaired)


def parquet_table(connection: engine.Connection, path: Path) -> Table:
    """A Parquet file."""
    shape = intake.parquet_shape(connection, path)
    relation = f"(SELECT *, file_row_number + 1 AS {_ROW} FROM {engine.files([path])})"
    return Table(relation, shape.columns)


class Sweep:
    """One table as it was asked for: its groups, and what is wrong with its rows."""

    def __init__(self, table: Table, asked: Asked, nulls: Sequence[str] = engine.FOCUS_NULLS) -> None:
        """`nulls` are spellings of null in text."""
        self._types = dict(table.columns)
        self._nulls = tuple(nulls)
        stage = Stage()
        self._values = [stage.number(self._column(name)) for name in asked.values]
        self._keys = {name: stage.keep(f"k_{name}", self._text(name)) for name in asked.keys}
        self._month, period_checks = self._period(stage, asked)
        checks = [(f"{engine.identifier(RAGGED)} IS NOT NULL", "ragged", "")] if table.repaired else []
        checks += period_checks
        for name, number in zip(asked.values, self._values, strict=True):
            if name in asked.required:
                checks.append((number.missing, "missing", name))
            if number.unreadable:
                checks.append((number.unreadable, "number", name))
        checks += [
            (f"({self._keys[name]} IS NULL OR trim({self._keys[name]}) = '')", "missing", name)
            for name in asked.required
            if name in self._keys
        ]
        self._checks = checks
        cases = " ".join(f"WHEN {sql} THEN {place}" for place, (sql, _, _) in enumerate(checks))
        self._problem = f"(CASE {cases} END)" if cases else "NULL::INTEGER"
        source = table.relation
        if asked.only:
            there = " OR ".join(f"{self._text(name)} IS NOT NULL" for name in asked.only)
            ragged = f" OR {engine.identifier(RAGGED)} IS NOT NULL" if table.repaired else ""
            source = f"(SELECT * FROM {source} WHERE {there}{ragged})"
        self._source = stage.relation(source)

    def groups(self, connection: engine.Connection) -> Iterator[Group]:
        """The good rows, added up exactly."""
        keys = list(self._keys.values())
        sums = [sql for number in self._values for sql in number.sums]
        selected = [f"{self._month} AS month", *keys, "count(*)", *sums]
        grouped = ", ".join(["month", *keys])
        cursor = connection.execute(
            f"SELECT {', '.join(selected)} FROM {self._source} WHERE {self._problem} IS NULL GROUP BY {grouped}"
        )
        width = 1 + len(keys)
        while rows := cursor.fetchmany(10_000):
            for row in rows:
                pairs = zip(row[width + 1 :: 2], row[width + 2 :: 2], strict=True)
                yield Group(row[0], tuple(row[1:width]), tuple(_units(*pair) for pair in pairs), row[width])

    def problems(self, connection: engine.Connection) -> list[Problem]:
        """What is wrong with the bad rows; each counts once, for the first check that it breaks."""
        counted = connection.execute(
            f"SELECT problem, count(*), min_by({_ROW}, {_ROW}, {EXAMPLES}) FROM (SELECT {self._problem} AS problem, "
            f"{_ROW} FROM {self._source}) WHERE problem IS NOT NULL GROUP BY problem ORDER BY problem"
        ).fetchall()
        found = []
        for place, rows, numbers in counted:
            _, check, column = self._checks[place]
            shown = f"coalesce({self._text(column)}, '')" if column else (RAGGED if check == "ragged" else "''")
            examples = connection.execute(
                f"SELECT {_ROW}, {shown} FROM {self._source} WHERE {_ROW} IN ({', '.join(map(str, numbers))}) "
                f"ORDER BY {_ROW}"
            ).fetchall()
            found.append(Problem(check, column, rows, tuple((row, value) for row, value in examples)))
        return found

    def bad_rows(self, connection: engine.Connection) -> Iterator[tuple[int, str, str]]:
        """(row, check, column) of every bad row, in order."""
        rows = connection.execute(
            f"SELECT {_ROW}, problem FROM (SELECT {self._problem} AS problem, {_ROW} FROM {self._source}) "
            f"WHERE problem IS NOT NULL ORDER BY {_ROW}"
        ).fetchall()
        for row, place in rows:
            _, check, column = self._checks[place]
            yield row, check, column

    def _period(self, stage: Stage, asked: Asked) -> tuple[str, list[tuple[str, str, str]]]:
        """SQL of the month as text, and what can be wrong with it."""
        if not asked.period:
            return engine.literal(asked.constant_period), []
        column = self._column(asked.period)
        if column.type != "VARCHAR":
            read = stage.instant(column)
            shown, value = engine.raw(column), read.value
        else:
            shown = engine.text(column)
            first = f"CASE WHEN regexp_full_match({shown}, '{_MONTH_ONLY}') THEN {shown} || '-01' ELSE {shown} END"
            value = stage.keep("period", f"instant({first})", 1)
        month = stage.keep("month", f"strftime({value}, '%Y-%m')", 2)
        wrong = f"({value} IS NULL OR NOT in_range({value}))"
        return month, [(f"{shown} IS NULL", "missing", asked.period), (wrong, "period", asked.period)]

    def _column(self, name: str) -> Column:
        kind = self._types[name]
        return Column(name, name, kind, None, self._nulls if kind == "VARCHAR" else ())

    def _text(self, name: str) -> str:
        column = self._column(name)
        if column.type.startswith(_NESTED) or column.type.endswith("]"):
            return f"to_json({engine.raw(column)})::VARCHAR"
        if column.type == "BLOB":
            return f"decode({engine.raw(column)})"
        return engine.text(column)


def _units(tens: str | None, whole: str | None) -> int | None:
    """Units of the two sums of a number; None where there was nothing to add up."""
    if tens is None and whole is None:
        return None
    return int(tens or 0) * 10**8 + (units(whole) if whole else 0)
