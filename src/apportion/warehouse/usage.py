"""Usage as it is kept: one CSV for each delivery and billing period, added up, in an order of its own.

Rows of one metric, consumer and dimensions are one row. The same usage gives the same bytes, however it was delivered,
so the SHA-256 of these files says whether anything changed.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from apportion.money.amount import plain, units

HEADER = ("metric", "consumer", "dimensions", "value")


class UsageRow(NamedTuple):
    """What one consumer used of one metric; `value` in units of 10⁻¹⁸ of the metric's unit.

    Names of `dimensions` are in lower case and sorted; a dimension without a value is not among them.
    """

    source: str
    metric: str
    consumer: str
    dimensions: tuple[tuple[str, str], ...]
    value: int


@dataclass(frozen=True, slots=True)
class MetricTotal:
    """What a delivery holds of one metric in one period: delivered rows, and their sum in units of 10⁻¹⁸."""

    metric: str
    rows: int
    value_units: int


@dataclass(frozen=True, slots=True)
class UsageFile:
    """The usage of one period in a delivery: its file (None where there is none), rows loaded and kept aside."""

    path: Path | None
    sha256: str
    rows: int
    rows_aside: int
    totals: tuple[MetricTotal, ...]


def added_up(rows: Iterable[UsageRow]) -> list[UsageRow]:
    """One row for each metric, consumer and dimensions of a source, sorted."""
    sums: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], int] = defaultdict(int)
    for source, metric, consumer, dimensions, value in rows:
        sums[source, metric, consumer, dimensions] += value
    return [UsageRow(*key, sums[key]) for key in sorted(sums)]


def write(rows: Iterable[UsageRow], path: Path) -> str:
    """Write the rows of one source, already added up. Gives the SHA-256 of the file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(HEADER)
        for _, metric, consumer, dimensions, value in rows:
            shown = json.dumps(dict(dimensions), ensure_ascii=False, sort_keys=True) if dimensions else ""
            writer.writerow([metric, consumer, shown, plain(value)])
    return sha256_of(path)


def read(path: Path, source: str) -> Iterator[UsageRow]:
    """The rows that `write` wrote."""
    seen: dict[str, tuple[tuple[str, str], ...]] = {"": ()}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for metric, consumer, shown, value in rows:
            if shown not in seen:
                seen[shown] = tuple(sorted(json.loads(shown).items()))
            yield UsageRow(source, metric, consumer, seen[shown], units(value))


def digest(files: Mapping[str, str]) -> str:
    """What names the usage of a period: SHA-256 over its sources and their files' SHA-256; empty where none is."""
    text = "".join(f"{source} {files[source]}\n" for source in sorted(files))
    return hashlib.sha256(text.encode()).hexdigest() if files else ""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
