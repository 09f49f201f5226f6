"""One measurement in a process of its own: nothing that ran before is in its caches or its memory."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.meter import Meter

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Task:
    """What to measure: the name of a function of `bench.items`, and what it is given."""

    item: str
    options: tuple[tuple[str, Any], ...] = ()


class MeasurementFailedError(Exception):
    """A measurement ended with an error; its text is the end of what the process said."""


def task(item: str, **options: Any) -> Task:
    """A task; options are plain JSON values."""
    return Task(item, tuple(sorted(options.items())))


def measure(wanted: Task) -> dict[str, Any]:
    """Run a task and give what it measured, with the facts it found. Raises `MeasurementFailedError`."""
    command = [sys.executable, "-m", "bench.process", wanted.item, json.dumps(dict(wanted.options))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasurementFailedError(f"{wanted.item} {dict(wanted.options)}: {done.stderr[-2000:].strip()}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(item: str, options: str) -> None:
    """Inside the process: run one task and print what was measured as the last line."""
    from bench import items

    meter = Meter()
    facts = items.ITEMS[item](meter, **json.loads(options))
    print(json.dumps({**meter.figures(), "facts": facts}))


if __name__ == "__main__":
    main(*sys.argv[1:])
