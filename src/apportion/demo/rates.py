"""The rates that the group agrees on each month, at which its Nordic company is charged in its own currency."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from apportion.demo.numbers import drawn
from apportion.demo.story import Month

RATES = "rates.csv"

# The bounds of a rate to SEK, in ten-thousandths.
_TO_SEK = {"EUR": (109_500, 112_500), "USD": (92_800, 96_400)}


def write_rates(path: Path, months: Iterable[Month]) -> None:
    """Write one rate a month for each billing currency: units of SEK for one of it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["period", "from", "to", "rate"])
        for month in months:
            for currency, bounds in _TO_SEK.items():
                whole, part = divmod(drawn(*bounds, "rate", currency, month.place), 10_000)
                writer.writerow([month.period, currency, "SEK", f"{whole}.{part:04d}"])
