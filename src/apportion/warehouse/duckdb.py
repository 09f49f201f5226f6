"""DuckDB as the embedded engine, and the small dialect that queries are written in.

The dialect turns a `Column` into SQL for its text, exact decimal, instant or tag. Everything that differs
between engines is here; a query built from these expressions is the same text elsewhere.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import duckdb

from apportion.warehouse.snapshot import ChargeFile, Column

Connection: TypeAlias = duckdb.DuckDBPyConnection

MEMORY_LIMIT_MB = 800
DECIMAL = "DECIMAL(38,18)"
FOCUS_NULLS = ("", "NULL", "null", "(null)")
_NUMBERS = ("DECIMAL", "DOUBLE", "FLOAT", "BIGINT", "INTEGER", "HUGEINT", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER")

# Text to DECIMAL(38,18), decimals beyond the eighteenth rounded half to even: the engine's own cast rounds halves
# away from zero, so a tie that it moved to an odd digit is moved back. From 10¹⁰ on a tie has no room in 38 digits.
_EXACT = """
CREATE OR REPLACE MACRO exact(shown) AS
  CASE WHEN abs(shown::DECIMAL(38,18)) < 10000000000
        AND abs(shown::DECIMAL(38,18)::DECIMAL(38,27) - shown::DECIMAL(38,27)) = 0.0000000000000000005
        AND shown::DECIMAL(38,18) % 0.000000000000000002 <> 0
       THEN shown::DECIMAL(38,18) - sign(shown::DECIMAL(38,18)) * 0.000000000000000001
       ELSE shown::DECIMAL(38,18) END
"""


def connect(spill: Path | None = None, *, threads: int | None = None, share: int = 1) -> Connection:
    """An engine in memory that reads no configuration, loads no extension and reaches no network.

    `spill` is where it may write what does not fit into its memory limit; without it, it may not. `share` is how
    many engines share the limit.
    """
    connection = duckdb.connect(
        ":memory:",
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
    )
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT_MB // share}MB'")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET temp_directory = {literal(str(spill) if spill else '')}")
    if threads:
        connection.execute(f"SET threads = {threads:d}")
    connection.execute(_EXACT)
    return connection


@functools.cache
def version() -> str:
    """The engine's name and version, as it is pinned in sealed periods."""
    return f"duckdb {duckdb.__version__}"


def units(shown: str) -> int:
    """Units of 10⁻¹⁸ of the engine's own text of a DECIMAL(38,18), which always shows its eighteen decimals."""
    return int(shown.replace(".", ""))


def identifier(name: str) -> str:
    """A quoted identifier, whatever is in the name."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A quoted string literal, whatever is in the value."""
    if "\0" in value:
        raise ValueError("a NUL character cannot stand in a query")
    return "'" + value.replace("'", "''") + "'"


def literals(values: Sequence[str]) -> str:
    """A parenthesised list of string literals."""
    return f"({', '.join(literal(value) for value in values)})"


def files(paths: Sequence[Path]) -> str:
    """A table of Parquet files in this order; each row's place in its file, from 0, is ``file_row_number``."""
    names = ", ".join(literal(str(path)) for path in paths)
    return f"read_parquet([{names}], hive_partitioning = false)"


def raw(column: Column) -> str:
    """The column as it lies in the file."""
    return identifier(column.physical)


def text(column: Column | None) -> str:
    """SQL for the value as text, NULL for every spelling of null. Numbers come without trailing zeros."""
    if column is None:
        return "NULL::VARCHAR"
    if not column.physical:
        return "NULL::VARCHAR" if column.constant is None else literal(column.constant)
    if column.type == "VARCHAR":
        if not column.nulls:
            return raw(column)
        return f"CASE WHEN {raw(column)} NOT IN {literals(column.nulls)} THEN {raw(column)} END"
    if column.type.startswith("DECIMAL"):
        shown = f"{raw(column)}::VARCHAR"
        return f"CASE WHEN contains({shown}, '.') THEN rtrim(rtrim({shown}, '0'), '.') ELSE {shown} END"
    return f"{raw(column)}::VARCHAR"


def decimal(column: Column) -> str:
    """SQL for the exact DECIMAL(38,18).

    A DOUBLE becomes the shortest decimal that reads back to it. Where at most ten decimals and fifteen digits do
    (almost always), they are found by arithmetic that is proved by reading back: two different decimals of at most
    fifteen digits never share a double. The rest goes through text.
    """
    if not column.physical:
        return f"{literal(column.constant or '')}::{DECIMAL}"
    if column.type in ("DOUBLE", "FLOAT"):
        value = raw(column)
        digits = f"round({value} * 1e10)"
        short = f"abs({digits}) < 1e15 AND {digits} / 1e10 = {value}"  # float: proved exact by reading back
        exact = f"({digits}::BIGINT::DECIMAL(18,0) * 0.0000000001)::{DECIMAL}"
        return f"CASE WHEN {short} THEN {exact} ELSE exact({value}::VARCHAR) END"
    if column.type == DECIMAL:
        return raw(column)
    if column.type == "VARCHAR":
        return f"exact({text(column)})"
    return f"{raw(column)}::{DECIMAL}"


def is_number(column: Column) -> bool:
    """Whether the engine holds the column as a number."""
    return column.type.startswith(_NUMBERS)


def timestamp(column: Column | None) -> str:
    """SQL for the instant in UTC as TIMESTAMP, NULL where the value is no date-time."""
    if column is None:
        return "NULL::TIMESTAMP"
    if not column.physical or column.type == "VARCHAR":
        return f"TRY_CAST({text(column)} AS TIMESTAMP)"
    return raw(column) if column.type == "TIMESTAMP" else f"{raw(column)}::TIMESTAMP"


def tags(column: Column | None, keys: Sequence[str]) -> list[str]:
    """SQL for the value of each tag key as text, NULL where there is none.

    Reads a MAP, JSON text, and JSON text without its braces; text that is no JSON object has no tags.
    """
    if column is None or not column.physical:
        return ["NULL::VARCHAR"] * len(keys)
    if column.type.startswith("MAP"):
        # Cheaper than map[key], and the same.
        names, values = f"map_keys({raw(column)})", f"map_values({raw(column)})"
        return [f"{values}[list_position({names}, {literal(key)})]" for key in keys]
    paths = ", ".join(literal('$."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"') for key in keys)
    found = f"json_extract_string({_json_object(column)}, [{paths}])"
    return [f"({found})[{place}]" for place in range(1, len(keys) + 1)]


def _json_object(column: Column) -> str:
    shown = text(column)
    braced = f"CASE WHEN starts_with(ltrim({shown}), '{{') THEN {shown} ELSE '{{' || {shown} || '}}' END"
    return f"CASE WHEN json_valid({braced}) THEN {braced} END"


# Which column says what, for every query that groups charges the same way.


def issuer_column(file: ChargeFile) -> Column | None:
    """The column that says who invoiced: InvoiceIssuerName, or the provider where the file lacks it."""
    names = ("InvoiceIssuerName", "ServiceProviderName", "ProviderName", "PublisherName")
    return next((column for name in names if (column := file.column(name))), None)


def issuer(file: ChargeFile) -> str:
    """SQL for who invoiced; where nothing says so, the name of the source."""
    return f"coalesce({text(issuer_column(file))}, {literal(file.source)})"


def charge_start(file: ChargeFile) -> str:
    """SQL for ChargePeriodStart, else the start of the billing period."""
    return f"coalesce({timestamp(file.column('ChargePeriodStart'))}, {timestamp(file.column('BillingPeriodStart'))})"


def billing_start(file: ChargeFile) -> str:
    """SQL for BillingPeriodStart, else the instant the charge started."""
    return f"coalesce({timestamp(file.column('BillingPeriodStart'))}, {timestamp(file.column('ChargePeriodStart'))})"


def field_text(file: ChargeFile, name: str) -> str:
    """SQL for a column's value as text, NULL where the file has no such column."""
    return text(file.column(name))


def cost(file: ChargeFile, name: str) -> str:
    """SQL for one of the cost columns as exact decimal; zero where the file has no such column."""
    column = file.column(name)
    return decimal(column) if column else f"0::{DECIMAL}"
