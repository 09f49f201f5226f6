"""What the demo hands over: the deliveries in the order they arrive, and what they hold by plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from apportion.periods import BillingPeriod
from apportion.warehouse.record import Dataset, Mode


@dataclass(frozen=True, slots=True)
class DemoDelivery:
    """One delivery: the files of one source for one billing period. `note` says what is unusual about it."""

    source: str
    period: BillingPeriod
    paths: tuple[Path, ...]
    dataset: Dataset = Dataset.COST_AND_USAGE
    mode: Mode = Mode.OVERWRITE
    note: str = ""


@dataclass(frozen=True, slots=True)
class DemoTotal:
    """What the current delivery of a source and period adds up to, by plan; amounts in units of 10⁻¹⁸.

    `intended` is EffectiveCost by the holder that the policy should find: a cost group's code, ``pool:…``,
    ``kept_central`` or ``unallocated``.
    """

    source: str
    period: BillingPeriod
    currency: str
    rows: int
    billed_units: int
    effective_units: int
    intended: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """A workspace that is ready to run its months."""

    root: Path
    periods: tuple[BillingPeriod, ...]
    deliveries: tuple[DemoDelivery, ...]
    totals: tuple[DemoTotal, ...]
