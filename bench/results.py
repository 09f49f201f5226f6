"""What a run of the benchmark measured: every round of every measurement, and their medians."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(slots=True)
class Series:
    """The rounds of one measurement, each as `bench.meter.Meter.figures` gave it, with its facts."""

    rounds: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cpu_s(self) -> float:
        return self._median(lambda found: found["cpu_s"])

    @property
    def wall_s(self) -> float:
        return self._median(lambda found: found["wall_s"])

    @property
    def peak_mb(self) -> float:
        """The highest of the rounds: memory is a limit, not a habit."""
        return max(float(found["peak_mb"]) for found in self.rounds)

    @property
    def to_cube_s(self) -> float:
        """CPU seconds of an allocation up to the cube: span, compilation, classification and aggregation."""
        return self._median(_to_cube_s)

    @property
    def after_cube_s(self) -> float:
        """CPU seconds of an allocation after the cube, with what its caller does before."""
        return self._median(lambda found: found["cpu_s"] - _to_cube_s(found))

    @property
    def has_cube(self) -> bool:
        """Whether the way up to the cube was watched by itself."""
        return "classify" in self.rounds[-1]["parts"]

    def _median(self, figure: Callable[[dict[str, Any]], float]) -> float:
        return float(median(figure(found) for found in self.rounds))

    def page(self, name: str, figure: str) -> float:
        """A figure of a page of the review, the median of all rounds."""
        return self._median(lambda found: found["facts"]["pages"][name][figure])

    @property
    def facts(self) -> Mapping[str, Any]:
        """The facts of the last round."""
        found: Mapping[str, Any] = self.rounds[-1]["facts"]
        return found


def _to_cube_s(found: dict[str, Any]) -> float:
    return float(sum(found["parts"][part] for part in ("span", "compile", "classify")))


@dataclass(slots=True)
class Results:
    """All series by name, and what could not be measured, with the reason."""

    rows: int
    rules: int
    machine: Mapping[str, str]
    series: dict[str, Series] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, found: dict[str, Any]) -> None:
        """One more round of a measurement."""
        self.series.setdefault(name, Series()).rounds.append(found)

    def has(self, *names: str) -> bool:
        """Whether all of these were measured."""
        return all(name in self.series for name in names)

    def named(self, start: str) -> dict[str, Series]:
        """The series whose names begin so, by the rest of their names."""
        return {name.removeprefix(start): found for name, found in self.series.items() if name.startswith(start)}

    def overlaid(self, newer: Results) -> Results:
        """These, with what was measured anew in its place. Raises `ValueError` for what does not compare."""
        if (self.rows, self.rules, self.machine) != (newer.rows, newer.rules, newer.machine):
            raise ValueError("The figures that are there are of another machine, other versions or another size.")
        failures = {name: why for name, why in self.failures.items() if name not in newer.series}
        return replace(newer, series={**self.series, **newer.series}, failures={**failures, **newer.failures})

    @classmethod
    def load(cls, path: Path) -> Results:
        """What `save` has written."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**found, "series": {name: Series(**each) for name, each in found["series"].items()}})

    def save(self, path: Path) -> None:
        """Write everything as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def machine() -> dict[str, str]:
    """The machine and the versions, in words that name nobody's computer."""
    versions = {"Python": platform.python_version(), "apportion": metadata.version("apportion")}
    for package in ("duckdb", "polars"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    about = f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB of memory, {platform.system()}"
    return {"about": about, "versions": ", ".join(f"{name} {version}" for name, version in versions.items())}
