"""The files of usage: one CSV for each system that measures and each month."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from apportion.demo.delivery import DemoDelivery
from apportion.demo.meters import METERS, Meter
from apportion.demo.story import UNMEASURED, Month
from apportion.warehouse.record import Dataset

USAGE = "usage"


def write_usage(folder: Path, month: Month) -> Iterator[DemoDelivery]:
    """Write the usage of the month below `folder`, a file for each meter, and give its deliveries."""
    for meter in METERS:
        path = _write(folder / USAGE / meter.name / f"{meter.name}-{month.period}.csv", meter, month)
        lost = meter.name == "clusters" and month.place == UNMEASURED
        note = "the CPU used was not measured; its pool falls back" if lost else ""
        yield DemoDelivery(meter.name, month.period, (path,), Dataset.USAGE, note=note)


def _write(path: Path, meter: Meter, month: Month) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["period", "metric", "consumer", "value", *meter.dimensions])
        for reading in meter.readings(month):
            more = dict(reading.dimensions)
            writer.writerow([
                month.period, reading.metric, reading.consumer, reading.value,
                *(more.get(name, "") for name in meter.dimensions),
            ])  # fmt: skip
    return path
