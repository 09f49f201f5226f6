"""The story by month: how the company's cost grows, peaks, ends and begins.

Everything is in thousandths and whole months from November 2025, so that a figure of the story can be looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from apportion.money.split import to_step
from apportion.periods import BillingPeriod

FIRST = BillingPeriod(2025, 11)

LEGACY_ENDS = 5  # the warehouse monolith is switched off in the course of March 2026
UNMEASURED = 2  # in January 2026 the clusters did not measure the CPU that was used
LAUNCH = 4  # the assistants go live in March 2026
TEAM_MOVES = 6  # the maps team moves from Nordic rides to European parcels on 1 May 2026
RETAGGED = 7  # AWS corrects April 2026 in the bill for June 2026
LATE_USAGE = 9  # Google delivers usage of July 2026 with the bill for August 2026

# Thousandths by calendar month, January first: the shop lives from November and December, rides from the summer.
_PEAK = (930, 900, 950, 970, 980, 960, 940, 950, 1000, 1060, 1220, 1340)
_SUMMER = (860, 880, 930, 980, 1060, 1160, 1250, 1220, 1080, 980, 910, 900)
_RETIRED = (1000, 1000, 780, 470, 160)
_LAUNCHED = (180, 380, 560, 700, 810, 890, 950, 1000)


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the story: `place` counts from 0 in November 2025."""

    place: int

    @property
    def period(self) -> BillingPeriod:
        return BillingPeriod(FIRST.year + (FIRST.month - 1 + self.place) // 12, (FIRST.month - 1 + self.place) % 12 + 1)

    @property
    def days(self) -> int:
        return (self.period.ends_on - self.period.starts_on).days

    @property
    def hours(self) -> int:
        return 24 * self.days

    @property
    def start(self) -> datetime:
        return self.period.start

    def after(self, days: int, hours: int = 0) -> datetime:
        """The instant so many days and hours after the month has ended."""
        return self.period.end + timedelta(days=days, hours=hours)


def permille(curve: str, month: Month) -> int:
    """How much of its usual monthly cost a workload has in a month, in thousandths; growth is included."""
    place, season = month.place, month.period.month - 1
    growth = 1000 + 8 * place
    if curve == "steady":
        return 1000
    if curve == "growth":
        return growth
    if curve == "peak":
        return to_step(growth * _PEAK[season], 1000)
    if curve == "summer":
        return to_step(growth * _SUMMER[season], 1000)
    if curve == "retired":
        return _RETIRED[place] if place < LEGACY_ENDS else 0
    if curve == "launched":
        return 0 if place < LAUNCH else _LAUNCHED[min(place - LAUNCH, len(_LAUNCHED) - 1)]
    if curve == "pilot":
        return 1000 if place < LAUNCH else 0
    raise ValueError(f"there is no curve '{curve}'")
