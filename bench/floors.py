"""The least that the work can cost: what plain DuckDB needs to decode the columns, and to turn CSV into Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

THREADS = 2
COLUMNS = (
    # what the rules ask for
    "SubAccountId", "ServiceName", "RegionId", "ResourceName", "ChargePeriodStart",
    # what a statement and its tie-out need besides
    "InvoiceIssuerName", "InvoiceId", "BillingAccountId", "BillingCurrency", "ChargeCategory", "BilledCost",
)  # fmt: skip
TAGS = ("app", "env", "team", "cost_center")


def engine() -> duckdb.DuckDBPyConnection:
    """DuckDB with two threads, as anyone has it."""
    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute("SET enable_progress_bar = false")
    return connection


def table(paths: Sequence[Path]) -> str:
    """SQL for Parquet files as one table."""
    return f"read_parquet([{', '.join(repr(str(path)) for path in paths)}])"


def scan(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    """Decode every column that rules and statements need, four tags included, and throw the values away.

    EXPLAIN ANALYZE runs the query and keeps no row. Counting a column would not do: that reads only its nulls.
    """
    shown = ", ".join([*COLUMNS, *(f"Tags['{key}']" for key in TAGS)])
    connection.execute(f"EXPLAIN ANALYZE SELECT {shown} FROM {table(paths)}").fetchall()


def convert(connection: duckdb.DuckDBPyConnection, csv: Path, parquet: Path) -> None:
    """Turn a CSV file into Parquet (zstd), types guessed."""
    connection.execute(f"COPY (FROM read_csv('{csv}')) TO '{parquet}' (FORMAT parquet, COMPRESSION zstd)").fetchall()
