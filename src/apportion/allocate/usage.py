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
    """The usage of one billing period. `digest` names what it was read from; empty where there is none.

    `delivered` are metrics that came, even if nobody known used any of them. Names of dimensions are in lower case,
    and asked for without regard to case.
    """

    def __init__(self, used: Iterable[Used] = (), digest: str = "", delivered: Iterable[str] = ()) -> None:
        self.used = tuple(used)
        self.digest = digest
        self._delivered = frozenset(delivered)
        self._found: dict[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], dict[Target, int]] = {}

    @cached_property
    def _by_metric(self) -> Mapping[str, tuple[Used, ...]]:
        found: dict[str, list[Used]] = defaultdict(list)
        for one in self.used:
            found[one.metric].append(one)
        return {metric: tuple(rows) for metric, rows in found.items()}

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that were delivered."""
        return tuple(sorted(self._delivered | set(self._by_metric)))

    def values(self, meter: Metered) -> dict[Target, int]:
        """What each target used of a metric where its dimensions say so, before tiers; empty where nothing is."""
        key = (meter.metric, meter.where)
        if key not in self._found:  # many pools ask for the same
            self._found[key] = self._added_up(*key)
        return dict(self._found[key])

    def _added_up(self, metric: str, where: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[Target, int]:
        asked = [(name.lower(), frozenset(values)) for name, values in where]
        found: dict[Target, int] = defaultdict(int)
        for one in self._by_metric.get(metric, ()):
            dimensions = {name.lower(): value for name, value in one.dimensions} if asked else {}
            if all(dimensions.get(name) in values for name, values in asked):
                found[one.target] += one.value
        return dict(found)


NO_USAGE = Usage()
