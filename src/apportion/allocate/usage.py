"""Usage from outside, by who used it: what a metered basis follows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

from apportion.allocate.basis import Metered
from apportion.allocate.rule import Target


class Used(NamedTuple):
    """What one cost group or pool used of one metric; `value` in units of 10⁻¹⁸ of the metric's unit."""

    metric: str
    target: Target
    dimensions: tuple[tuple[str, str], ...]
    value: int


class Usage:
    """The usage of one billing period. `digest` names what it was read from; empty where there is none."""

    def __init__(self, used: Iterable[Used] = (), digest: str = "") -> None:
        self.used = tuple(used)
        self.digest = digest

    @cached_property
    def _by_metric(self) -> Mapping[str, tuple[Used, ...]]:
        found: dict[str, list[Used]] = defaultdict(list)
        for one in self.used:
            found[one.metric].append(one)
        return {metric: tuple(rows) for metric, rows in found.items()}

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that were delivered."""
        return tuple(sorted(self._by_metric))

    def values(self, meter: Metered) -> dict[Target, int]:
        """What each target used of a metric where its dimensions say so, before tiers; empty where nothing is."""
        asked = [(name, frozenset(values)) for name, values in meter.where]
        found: dict[Target, int] = defaultdict(int)
        for one in self._by_metric.get(meter.metric, ()):
            dimensions = dict(one.dimensions)
            if all(dimensions.get(name) in values for name, values in asked):
                found[one.target] += one.value
        return dict(found)


NO_USAGE = Usage()
