"""What a piece of work cost: CPU seconds of all threads, wall seconds and the process's peak of memory."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock


@dataclass(slots=True)
class Meter:
    """Measures the blocks under `running`, and inside them, by name, the calls under `watching`."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The work that is measured. What imports and prepares stands outside."""
        cpu, wall = _cpu_s(), time.monotonic()
        try:
            yield
        finally:
            self.cpu_s += _cpu_s() - cpu
            self.wall_s += time.monotonic() - wall

    @contextmanager
    def watching(self, module: object, **calls: str) -> Iterator[None]:
        """While the block runs, the CPU seconds of a module's functions are added up; `calls` are their names here."""
        wrapped = {name: self._watched(getattr(module, name), shown) for name, shown in calls.items()}
        with ExitStack() as stack:
            for name, function in wrapped.items():
                stack.enter_context(mock.patch.object(module, name, function))
            yield

    def _watched(self, function: Callable[..., Any], shown: str) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            cpu = _cpu_s()
            try:
                return function(*given, **named)
            finally:
                self.parts[shown] = self.parts.get(shown, 0.0) + _cpu_s() - cpu

        return called

    def figures(self) -> Mapping[str, Any]:
        """Everything measured, for the report."""
        return {"cpu_s": self.cpu_s, "wall_s": self.wall_s, "peak_mb": peak_mb(), "parts": dict(self.parts)}


def _cpu_s() -> float:
    """User and system seconds of this process and of the children it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def cpu_s_of(process: int) -> float:
    """User and system seconds of another process and all that it began and that still run; Linux alone says so."""
    ticks: dict[int, int] = {}
    above: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="latin-1")
        except OSError:
            continue  # it has just ended
        fields = text.rpartition(")")[2].split()
        number = int(path.parent.name)
        above[number], ticks[number] = int(fields[1]), sum(int(each) for each in fields[11:15])
    wanted, found = {process}, 0
    while wanted:
        found += sum(ticks.get(number, 0) for number in wanted)
        wanted = {number for number, parent in above.items() if parent in wanted}
    return found / os.sysconf("SC_CLK_TCK")


def peak_mb() -> float:
    """The most memory that this process has held, in MB of 10⁶ bytes.

    Linux says so for the program that runs now; the figure of `getrusage` also knows the process it was forked from.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
