"""The example company, written once, and its files read back without the project's own readers."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from apportion import demo
from apportion.demo import DemoCompany, DemoDelivery
from apportion.periods import BillingPeriod
from apportion.warehouse.record import Dataset
from tests.rooms.demo.allocating import Done, allocated

Row = dict[str, Any]
Current = Callable[[str, BillingPeriod], list[Row]]

ROWS = 5_000


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> DemoCompany:
    return demo.write(tmp_path_factory.mktemp("demo") / "kestrel", rows=ROWS)


@pytest.fixture(scope="session")
def current(company: DemoCompany) -> Current:
    """The charges of the last delivery of a source and period, as its files have them."""
    last = {
        (delivery.source, delivery.period): delivery
        for delivery in company.deliveries
        if delivery.dataset is Dataset.COST_AND_USAGE
    }

    @cache
    def rows(source: str, period: BillingPeriod) -> list[Row]:
        return list(charges(last[source, period]))

    return rows


@pytest.fixture(scope="session")
def done(company: DemoCompany, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A month, allocated by the company's policy; each is worked out once."""
    return cache(lambda period: allocated(company, period, tmp_path_factory.mktemp(f"{period}")))


@pytest.fixture(scope="session")
def read() -> Callable[[DemoDelivery], Iterator[Row]]:
    """Every row of a delivery as its files have it."""
    return charges


def charges(delivery: DemoDelivery) -> Iterator[Row]:
    """Every row of a delivery: text where the file is text, numbers as exact decimals."""
    for path in sorted(file for given in delivery.paths for file in (given.rglob("*") if given.is_dir() else [given])):
        if path.suffix == ".parquet":
            yield from _parquet(path)
        elif path.suffix == ".zst":  # the standard library of Python 3.11 knows no Zstandard
            yield from _query(f"SELECT * FROM read_csv('{path}', all_varchar = true, header = true)")
        elif path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                yield from csv.DictReader(file)
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                yield from csv.DictReader(file, delimiter=";" if delivery.source == "suitebench" else ",")


def _parquet(path: Path) -> Iterator[Row]:
    return _query(f"SELECT * FROM read_parquet('{path}', hive_partitioning = false)")


def _query(sql: str) -> Iterator[Row]:
    with duckdb.connect() as connection:
        found = connection.execute(sql)
        names = [column[0] for column in found.description or ()]
        rows = found.fetchall()
    for row in rows:
        # What a DOUBLE means is the shortest decimal that reads back to it, which is what repr gives.
        values = [Decimal(repr(value)) if isinstance(value, float) else value for value in row]
        yield dict(zip(names, values, strict=True))
