"""A workspace, and deliveries small enough to read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from apportion.focus.finding import Behaviour, Example, Finding
from apportion.periods import BillingPeriod
from apportion.warehouse.record import Dataset, DeliveredFile, Delivery, Mode, Quarantined
from apportion.warehouse.snapshot import ChargeFile, Column, DeliveredInvoice, Total
from apportion.warehouse.store import Committed, Workspace

# More digits than a double, a 64-bit integer or a SQLite INTEGER can hold.
LARGE_UNITS = 123_456_789_012_345_678_901_234_567


@dataclass(frozen=True)
class Parcel:
    """What a test wants delivered. `contents` are the files; the same contents and source give the same id."""

    contents: tuple[str, ...] = ("october",)
    rows: Mapping[str, int] | None = None
    source: str = "aws"
    mode: Mode = Mode.OVERWRITE
    dataset: Dataset = Dataset.COST_AND_USAGE
    quarantined: Mapping[str, int] | None = None
    invoices: Mapping[str, tuple[DeliveredInvoice, ...]] | None = None
    statuses: Mapping[str, tuple[tuple[str, str], ...]] | None = None
    issuer: str = "AWS"
    received_at: str = "2026-11-02T08:00:00Z"

    @property
    def id(self) -> str:
        return hashlib.sha256("|".join((self.source, *sorted(self.contents))).encode()).hexdigest()[:16]

    def pack(self, staged: Path) -> Delivery:
        """Write the files into `staged` and give the record of them."""
        rows = {"2026-10": 100} if self.rows is None else self.rows
        files, charges = [], []
        for content in self.contents:
            path = Path("charges", f"{content}.parquet")
            (staged / path).parent.mkdir(exist_ok=True)
            (staged / path).write_text(content, encoding="utf-8")
            sha256 = hashlib.sha256(content.encode()).hexdigest()
            count = 0 if content.startswith("empty") else sum(rows.values()) or 1
            files.append(DeliveredFile(f"{content}.csv", len(content), sha256, count))
            columns = (Column("BilledCost", "BilledCost", "DOUBLE", None, ("NULL",)), Column("Tags", constant="{}"))
            charges.append(ChargeFile(path, f"{content}.csv", count, columns, self.source, self.id))
        return Delivery(
            id=self.id,
            source=self.source,
            dataset=self.dataset,
            focus_version="1.2",
            mode=self.mode,
            received_at=self.received_at,
            files=tuple(files),
            charges=tuple(charges) if self.dataset is Dataset.COST_AND_USAGE else (),
            totals={BillingPeriod.parse(period): (self._total(count),) for period, count in rows.items()},
            quarantined={
                BillingPeriod.parse(period): (Quarantined("USD", count, 7),)
                for period, count in (self.quarantined or {}).items()
            },
            rounding_units=-3,
            invoices={BillingPeriod.parse(period): found for period, found in (self.invoices or {}).items()},
            statuses={BillingPeriod.parse(period): found for period, found in (self.statuses or {}).items()},
            findings=(
                Finding("NULL_SPELLING", Behaviour.ACCEPTED, "As null.", "", "a.csv", "Tags", 2, (Example(1, "NULL"),)),
            ),
        )

    def _total(self, rows: int) -> Total:
        return Total(
            self.source, self.issuer, "111", None, "USD", "Usage", "", rows, rows * LARGE_UNITS, -rows, None, 5
        )


Bring = Callable[..., Committed]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "close"
    made = Workspace.create(root)
    (root / "apportion.yaml").write_text(
        "company: Harbour Foods\nissuer_aliases: {AWS: Amazon, 'Amazon Web Services': Amazon}\n", encoding="utf-8"
    )
    return made


@pytest.fixture
def parcel() -> type[Parcel]:
    return Parcel


@pytest.fixture
def bring(workspace: Workspace) -> Bring:
    """Deliver a parcel the way ingest does: lock, stage, commit."""

    def commit(one: Parcel, *, allow_shrink: bool = False) -> Committed:
        with workspace.lock("test"), workspace.staging() as staged:
            return workspace.commit_delivery(staged, one.pack(staged), allow_shrink=allow_shrink)

    return commit
