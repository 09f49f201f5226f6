"""What was delivered for a period, what was found in it, and whether it agrees with the providers' own invoices.

Read from the workspace's catalog and kept until the catalog or the settings change: pages ask often, deliveries come
seldom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings as site

from apportion import settings as settings_file
from apportion.focus.finding import Behaviour, Finding
from apportion.money.amount import half_even
from apportion.money.currency import units_per_minor
from apportion.periods import BillingPeriod
from apportion.reconcile.compare import compare
from apportion.reconcile.provider_invoice import provider_invoices
from apportion.warehouse import catalog
from apportion.warehouse.record import Dataset, Delivery
from apportion.warehouse.store import STORE, Workspace

_PLACES = 5


@dataclass(frozen=True, slots=True)
class Source:
    """What one source sent for a period. `received_at` is None where nothing came; `last` is when it sent anything.

    `is_missed`: it sent charges for the month before, and none for this one.
    """

    name: str
    datasets: tuple[str, ...]
    received_at: datetime | None
    last: datetime | None
    deliveries: int
    rows: int
    aside: int
    is_missed: bool


@dataclass(frozen=True, slots=True)
class Aside:
    """Rows of a source that are kept aside and count nowhere, and what they cost as far as that can be read."""

    source: str
    currency: str
    rows: int
    minor: int


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a finding is: source, file and column, in how many rows, and an example (row 0: the file as a whole)."""

    source: str
    file: str
    column: str
    rows: int
    row: int
    value: str


@dataclass(frozen=True, slots=True)
class FoundKind:
    """Findings of one kind. `places` are all of them, `spots` the first few; `rows` counts rows in each."""

    code: str
    behaviour: str
    sentence: str
    advice: str
    rows: int
    places: int
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Invoice:
    """A provider invoice that the cost data do not agree with: minor units of its currency, data minus invoice."""

    issuer: str
    number: str
    currency: str
    minor: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """Everything of a period. `digest` names its charges; `invoices` are those that do not agree."""

    period: BillingPeriod
    sources: tuple[Source, ...]
    aside: tuple[Aside, ...]
    findings: tuple[FoundKind, ...]
    invoices: tuple[Invoice, ...]
    compared: int
    rows: int
    digest: str

    @property
    def is_anything(self) -> bool:
        """Whether there is any charge."""
        return self.rows > 0

    @property
    def missed(self) -> tuple[Source, ...]:
        """Sources that are expected and have sent nothing."""
        return tuple(source for source in self.sources if source.is_missed)


def delivered(period: BillingPeriod) -> Delivered:
    """What there is of a period; nothing where none was delivered."""
    root: Path = site.APPORTION_WORKSPACE
    return _read(root, period, _stamp(root / STORE / catalog.FILE_NAME), _stamp(root / settings_file.FILE_NAME))


def periods() -> tuple[BillingPeriod, ...]:
    """Every period that has charges, in order."""
    root: Path = site.APPORTION_WORKSPACE
    return _periods(root, _stamp(root / STORE / catalog.FILE_NAME))


def sealed_in_workspace() -> frozenset[BillingPeriod]:
    """The periods that the workspace has sealed, whatever the books know of them."""
    root: Path = site.APPORTION_WORKSPACE
    return _sealed(root, _stamp(root / STORE / catalog.FILE_NAME))


@lru_cache(maxsize=8)
def _sealed(root: Path, stamp: tuple[int, int]) -> frozenset[BillingPeriod]:
    place = Workspace.open(root)
    return frozenset(period for period in place.periods() if place.sealed(period) is not None)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _periods(root: Path, stamp: tuple[int, int]) -> tuple[BillingPeriod, ...]:
    return Workspace.open(root).periods()


@lru_cache(maxsize=64)
def _read(root: Path, period: BillingPeriod, stamp: tuple[int, int], settings: tuple[int, int]) -> Delivered:
    place = Workspace.open(root)
    snapshot = place.snapshot(period)
    totals = place.totals(period)
    comparisons = compare(provider_invoices(totals, place.provider_invoices(period)), totals)
    return Delivered(
        period,
        tuple(_sources(place, period)),
        tuple(
            Aside(delivery.source, each.currency, each.rows, _minor(each.billed_units, each.currency))
            for delivery, each in place.quarantined(period)
        ),
        tuple(_kinds(place.findings(period))),
        tuple(
            Invoice(
                comparison.key.invoice_issuer,
                comparison.key.invoice_id,
                comparison.key.currency,
                _minor(difference.units, comparison.key.currency),
                difference.sentence,
            )
            for comparison in comparisons
            for difference in comparison.differences
            if not difference.within_tolerance
        ),
        len(comparisons),
        sum(file.rows for file in snapshot.files),
        snapshot.digest,
    )


def _minor(units: int, currency: str) -> int:
    return half_even(units, units_per_minor(currency)) if currency else 0


def _sources(place: Workspace, period: BillingPeriod) -> list[Source]:
    current = place.current(period)
    before = {each.source for each in place.current(period.previous) if each.dataset is Dataset.COST_AND_USAGE}
    ever: dict[str, list[Delivery]] = {}
    for each in place.deliveries():
        ever.setdefault(each.source, []).append(each)
    found = []
    for name in sorted(ever):
        mine = [each for each in current if each.source == name]
        received = [datetime.fromisoformat(each.received_at) for each in mine]
        charged = any(each.dataset is Dataset.COST_AND_USAGE for each in mine)
        is_missed = name in before and not charged
        if not mine and not is_missed:
            continue
        found.append(
            Source(
                name,
                tuple(sorted({str(each.dataset) for each in mine or ever[name]})),
                max(received, default=None),
                max(datetime.fromisoformat(each.received_at) for each in ever[name]),
                len(mine),
                sum(_rows(each, period) for each in mine),
                sum(rows.rows for each in mine for rows in each.quarantined.get(period, ())),
                is_missed,
            )
        )
    return found


def _rows(delivery: Delivery, period: BillingPeriod) -> int:
    charges = sum(total.rows for total in delivery.totals.get(period, ()))
    usage = delivery.usage.get(period)
    return charges + len(delivery.invoices.get(period, ())) + (usage.rows if usage else 0)


def _kinds(found: Sequence[tuple[Delivery, Finding]]) -> list[FoundKind]:
    """By code and what was done; those that cost rows first, then those in most rows."""
    kinds: dict[tuple[str, str], list[tuple[Delivery, Finding]]] = {}
    for delivery, finding in found:
        kinds.setdefault((finding.code, str(finding.behaviour)), []).append((delivery, finding))
    made = [
        FoundKind(
            code,
            behaviour,
            each[0][1].sentence,
            each[0][1].advice,
            sum(finding.rows for _, finding in each),
            len(each),
            tuple(_spot(delivery, finding) for delivery, finding in each[:_PLACES]),
        )
        for (code, behaviour), each in kinds.items()
    ]
    return sorted(made, key=lambda kind: (kind.behaviour == Behaviour.ACCEPTED, -kind.rows, kind.code))


def _spot(delivery: Delivery, finding: Finding) -> Spot:
    example = finding.examples[0] if finding.examples else None
    return Spot(
        delivery.source,
        finding.file,
        finding.column,
        finding.rows,
        example.row if example else 0,
        example.value if example else "",
    )
