"""What ingest asks of the engine: the shape of a delivered file, its rows as lines, and whether it reads as it should.

Turns every failure of the engine over a delivered file into an error that says what is wrong with the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from apportion.errors import ApportionError, BadValueError, Place, StorageError, UnreadableFileError
from apportion.focus.checks import EXAMPLES
from apportion.focus.columns import COSTS
from apportion.focus.finding import Example
from apportion.money.amount import units
from apportion.warehouse import duckdb as engine
from apportion.warehouse import engine_errors, intake_values
from apportion.warehouse import intake_translate as translate
from apportion.warehouse.intake_translate import Csv
from apportion.warehouse.intake_values import Stage, units_of
from apportion.warehouse.snapshot import ChargeFile, Column

SPELLED_NULLS = tuple(word for word in engine.FOCUS_NULLS if word)
"""The spellings of null that FOCUS exports use, but for the empty field."""

_DATES = ("BillingPeriodStart", "ChargePeriodStart", "BillingPeriodEnd", "ChargePeriodEnd")
_CHARGED = ("BilledCost", "EffectiveCost")
_BEYOND = chr(0x10FFFF)  # no text is greater
_LINE_SEPARATOR = "\x1f"
_LINES_AT_ONCE = 1000
_LINE = re.compile(r"Line: (\d+)")


class RaggedCsvError(Exception):
    """A CSV that cannot be read as it is: rows of different length, stray quotation marks, or mixed line ends."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a Parquet file with their engine types, its rows, and the columns that are null in all of them.

    `ranges` holds the smallest and largest value, as text, of columns for which the file tells them.
    """

    columns: tuple[tuple[str, str], ...]
    rows: int
    empty: frozenset[str]
    ranges: Mapping[str, tuple[str, str]]


def connect(spill: Path, *, threads: int | None = None, share: int = 1) -> engine.Connection:
    """An engine that knows how delivered values are read. `spill` and the others are those of `duckdb.connect`."""
    connection = engine.connect(spill, threads=threads, share=share)
    intake_values.prepare(connection)
    return connection


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Failures of the engine over the file `name` as errors with a sentence.

    Raises `UnreadableFileError`, `StorageError`, or `RaggedCsvError` for a CSV that can be repaired.
    """
    try:
        yield
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
        raise  # a fault of the query, not of the file
    except duckdb.Error as error:
        raise _explanation(name, error) from error


def _explanation(name: str, error: duckdb.Error) -> Exception:
    message = str(error)
    if isinstance(error, duckdb.OutOfMemoryException):
        return StorageError(
            f"'{name}' needs more than {engine.MEMORY_LIMIT_MB} MB of memory.", advice="Split the file into several."
        )
    if "No space left" in message or "max_temp_directory_size" in message:
        return StorageError("The disk is full.", advice="Free some space and run the command again; nothing changed.")
    if engine_errors.is_overflow(error):
        return BadValueError(
            engine_errors.TOO_LARGE,
            place=Place(name),
            advice="Nothing was loaded. Look for an amount that cannot be meant.",
        )
    line = int(found[1]) if (found := _LINE.search(message)) else None
    if "Invalid unicode" in message:
        return _unreadable(name, "The text is not UTF-8.", "Export it as UTF-8, or convert it first.", line)
    if isinstance(error, duckdb.IOException) and any(word in message for word in ("GZIP stream", "ZSTD", "checksum")):
        return _unreadable(name, "The compressed file is truncated or damaged.", "Fetch the file again.")
    if "Maximum line size" in message or ("exceeds" in message and "line" in message):
        return _unreadable(
            name, "A row is longer than 16 MiB.", "Check for a quotation mark that is never closed.", line
        )
    if "CSV Error" in message or "CSV Parser" in message:
        return RaggedCsvError(message.splitlines()[0])
    return _unreadable(
        name,
        "The Parquet file is truncated or damaged.",
        f"Fetch the file again. The engine says: {message.splitlines()[0][:200]}",
    )


def _unreadable(name: str, sentence: str, advice: str, line: int | None = None) -> ApportionError:
    return UnreadableFileError(sentence, place=Place(name, line=line), advice=advice)


def parquet_shape(connection: engine.Connection, path: Path) -> Shape:
    """What a Parquet file holds, from its footer alone."""
    table = engine.files([path])
    described = connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    literal = engine.literal(str(path))
    rows = connection.execute(f"SELECT num_rows FROM parquet_file_metadata({literal})").fetchall()[0][0]
    told = connection.execute(
        "SELECT path_in_schema, sum(num_values), sum(stats_null_count), count(*) FILTER (WHERE stats_min_value IS NULL "
        "AND stats_null_count IS DISTINCT FROM num_values), min(stats_min_value), max(stats_max_value) "
        f"FROM parquet_metadata({literal}) GROUP BY 1"
    ).fetchall()
    empty = frozenset(row[0] for row in told if row[1] == row[2])
    ranges = {row[0]: (row[4], row[5]) for row in told if not row[3] and row[4] is not None and row[5] is not None}
    return Shape(tuple((row[0], row[1]) for row in described), rows, empty, ranges)


def _is_plain(column: Column) -> bool:
    """Whether a cost is of a type that the engine turns into an exact decimal without any doubt."""
    return not column.physical or column.type in ("DOUBLE", engine.DECIMAL)


def csv_lines(connection: engine.Connection, path: Path, compression: str) -> Iterator[str]:
    """The lines of a text file, with their line ends, blank ones too."""
    cursor = connection.cursor()  # one of its own, for not all lines may be asked for
    cursor.execute(
        f"SELECT line FROM read_csv({engine.literal(str(path))}, auto_detect = false, columns = {{'line': 'VARCHAR'}}, "
        f"delim = {engine.literal(_LINE_SEPARATOR)}, quote = '', escape = '', header = false, strict_mode = false, "
        f"compression = {engine.literal(compression)}, max_line_size = {translate.LONGEST_ROW}, "
        f"buffer_size = {2 * translate.LONGEST_ROW})"
    )
    try:
        while rows := cursor.fetchmany(_LINES_AT_ONCE):
            for (line,) in rows:
                yield f"{line or ''}\n"
    finally:
        cursor.close()


def csv_sums(
    connection: engine.Connection, csv: Csv, columns: Sequence[Column], made_from: Sequence[str], nulls: Sequence[str]
) -> tuple[int, tuple[int | None, ...]]:
    """Rows and sums of the costs of a CSV on which somebody is charged, added up from its own bytes."""
    origin = {column.name: name for column, name in zip(columns, made_from, strict=True)}
    stage = Stage()
    numbers = {name: stage.text_number(name, engine.identifier(origin[name])) for name in _CHARGED if name in origin}
    among = engine.literals(nulls) if nulls else "('')"
    cleaned = [
        f"CASE WHEN {quoted} NOT IN {among} THEN {quoted} END AS {quoted}"
        for quoted in dict.fromkeys(engine.identifier(origin[name]) for name in numbers)
    ]
    sums = [sql for number in numbers.values() for sql in number.sums]
    source = f"(SELECT {', '.join(cleaned) or '1'} FROM {csv.relation})"
    row = connection.execute(
        f"SELECT {', '.join(['count(*)', *sums])} FROM {stage.relation(source, *sums)}"
    ).fetchall()[0]
    pairs = dict(zip(numbers, zip(row[1::2], row[2::2], strict=True), strict=True))
    return row[0], tuple(units_of(pairs[name]) if name in pairs else None for name in COSTS)


def spelled_nulls(
    connection: engine.Connection, path: Path, columns: Sequence[Column], nulls: Sequence[str], shape: Shape
) -> dict[str, tuple[str, ...]]:
    """The spellings of null that occur in each text column of a Parquet file, by physical name."""
    table, found = engine.files([path]), {}
    for physical in dict.fromkeys(
        column.physical for column in columns if column.type == "VARCHAR" and column.physical
    ):
        first, last = shape.ranges.get(physical, ("", _BEYOND))
        if physical in shape.empty or not any(first <= word <= last for word in nulls):
            continue
        quoted = engine.identifier(physical)
        # A filter over one column is answered from its statistics and dictionaries almost everywhere.
        rows = connection.execute(
            f"SELECT DISTINCT {quoted} FROM {table} WHERE {quoted} IN {engine.literals(nulls)}"
        ).fetchall()
        if rows:
            found[physical] = tuple(sorted(row[0] for row in rows))
    return found


def null_examples(
    connection: engine.Connection, path: Path, physical: str, spellings: Sequence[str]
) -> tuple[int, list[Example]]:
    """How many rows of a Parquet file spell null in one column, and the first of them."""
    table = engine.files([path])
    condition = f"{engine.identifier(physical)} IN {engine.literals(spellings)}"
    return _first(connection, table, condition, engine.identifier(physical))


def _first(connection: engine.Connection, table: str, condition: str, shown: str) -> tuple[int, list[Example]]:
    count = connection.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchall()[0][0]
    if not count:
        return 0, []
    connection.execute("SET preserve_insertion_order = true")
    rows = connection.execute(
        f"SELECT file_row_number + 1, {shown} FROM {table} WHERE {condition} LIMIT {EXAMPLES}"
    ).fetchall()
    return count, [Example(row, value) for row, value in sorted(rows)]


def proved(connection: engine.Connection, file: ChargeFile) -> tuple[int, tuple[int | None, ...]] | None:
    """Rows and sums as every later query will read them, without quarantined rows; None where it cannot, or not so.

    List and contracted cost, on which nobody is charged, are only added up where their type may be misread. Date-times
    in text are compared as well, because a query may read them less strictly.
    """
    costs = {
        name: engine.decimal(column)
        for name in COSTS
        if (column := file.column(name)) and (name in _CHARGED or file.quarantine or not _is_plain(column))
    }
    sums = [f"coalesce(sum({sql}), 0)::VARCHAR" for sql in costs.values()]
    stage = Stage()
    texts = [
        column for column in file.columns if column.name in _DATES and column.type == "VARCHAR" and column.physical
    ]
    differing = [f"({engine.timestamp(column)}) IS DISTINCT FROM {stage.instant(column).value}" for column in texts]
    kept = ""
    if file.quarantine:
        kept = f' WHERE file_row_number NOT IN (SELECT "row" FROM {engine.files([file.quarantine])})'
    source = stage.relation(f"(SELECT * FROM {engine.files([file.path])}{kept})")
    counted = ["count(*)", f"count(*) FILTER (WHERE {' OR '.join(differing) or 'FALSE'})"]
    try:
        row = connection.execute(f"SELECT {', '.join([*counted, *sums])} FROM {source}").fetchall()[0]
    except (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException) as error:
        if engine_errors.is_overflow(error):
            raise
        return None
    if row[1]:
        return None
    found = dict(zip(costs, row[2:], strict=True))
    return row[0], tuple(units(found[name]) if name in found else None for name in COSTS)
