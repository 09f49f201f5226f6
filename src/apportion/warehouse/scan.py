"""What classification reads: charges as a table, whether straight from the delivered files or from a cache.

A scan names SQL for everything a query may ask of a charge. Rows come in a fixed order and are numbered by
``file_row_number``, so that what is written beside them stays beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse.condition import Field
from apportion.warehouse.snapshot import ChargeFile, Snapshot

BATCH_ROWS = 5_000_000
DIMENSIONS = ("issuer", "invoice", "account", "currency", "service", "category")


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of one shape that are scanned together, and the sidecar of their outcomes."""

    number: int
    files: tuple[ChargeFile, ...]
    sidecar: Path

    @property
    def first(self) -> ChargeFile:
        return self.files[0]

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


@dataclass(frozen=True, slots=True)
class Scan:
    """SQL over one batch.

    `relation` stands after FROM; `fields` gives each field's text, `start` when the charge started, `kept` whether
    it counts in this period (empty: always), `billed` and `effective` its costs. `grouped` is what amounts are
    grouped by, and `named` turns a relation of those groups into one with the columns of `DIMENSIONS`.
    """

    relation: str
    fields: Mapping[Field, str]
    start: str
    kept: str
    billed: str
    effective: str
    grouped: str
    named: str


def batches(snapshot: Snapshot, sidecars: Path) -> Iterator[Batch]:
    """The snapshot's files in order, cut into batches of one shape."""
    number = 0
    for _, alike in groupby(snapshot.files, key=_shape):
        held: list[ChargeFile] = []
        for file in alike:
            if held and sum(other.rows for other in held) + file.rows > BATCH_ROWS:
                yield Batch(number, tuple(held), sidecars / f"{number:06d}.parquet")
                held, number = [], number + 1
            held.append(file)
        yield Batch(number, tuple(held), sidecars / f"{number:06d}.parquet")
        number += 1


def _shape(file: ChargeFile) -> tuple[object, ...]:
    alone = file.path if file.quarantine else None
    return (file.source, file.columns, file.mixed, alone)


def relation(batch: Batch) -> str:
    """SQL for the charges of a batch as delivered, in order."""
    return engine.files([file.path for file in batch.files])


def delivered(batch: Batch, period: BillingPeriod, fields: Iterable[Field]) -> Scan:
    """The scan of a batch's own files."""
    file = batch.first
    wanted = sorted(fields)
    keys = [field for field in wanted if field.is_tag]
    shown = {field: engine.field_text(file, field.name) for field in wanted if not field.is_tag}
    shown |= dict(zip(keys, engine.tags(file.column("Tags"), [key.name for key in keys]), strict=True))
    dimensions = {
        "issuer": engine.text(engine.issuer_column(file)),
        "invoice": engine.field_text(file, "InvoiceId"),
        "account": engine.field_text(file, "BillingAccountId"),
        "currency": engine.field_text(file, "BillingCurrency"),
        "service": engine.field_text(file, "ServiceName"),
        "category": engine.field_text(file, "ChargeCategory"),
    }
    named = ", ".join(
        f"coalesce(d_{name}, {engine.literal(file.source if name == 'issuer' else '')}) AS {name}"
        for name in DIMENSIONS
    )
    return Scan(
        relation=relation(batch),
        fields=shown,
        start=engine.charge_start(file),
        kept=_kept(file, period),
        billed=engine.cost(file, "BilledCost"),
        effective=engine.cost(file, "EffectiveCost"),
        # Grouped as delivered, so that the engine hashes dictionary codes; named only when few rows are left.
        grouped=", ".join(f"{expression} AS d_{name}" for name, expression in dimensions.items()),
        named=f"SELECT *, {named} FROM ({{}})",
    )


def _kept(file: ChargeFile, period: BillingPeriod) -> str:
    tests = []
    if file.mixed:
        start = engine.billing_start(file)
        tests.append(f"coalesce({start} >= TIMESTAMP '{period.start}' AND {start} < TIMESTAMP '{period.end}', false)")
    if file.quarantine:
        aside = f"SELECT row FROM read_parquet({engine.literal(str(file.quarantine))})"
        tests.append(f"file_row_number NOT IN ({aside})")
    return " AND ".join(tests)
