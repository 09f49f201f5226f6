"""Is a cost group ready for chargeback? Coverage, quiet months and open disputes against the settings' thresholds.

Takes plain figures; gives rows with value, threshold and a sentence. Decides nothing: moving a group is an act of a
controller, who may do it with good reason before every row is met. Shares are millionths, compared exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from apportion.money.amount import half_even
from apportion.periods import BillingPeriod
from apportion.settings import ReadinessSettings

WHOLE = 10**6


class Measure(StrEnum):
    """What is looked at."""

    ALLOCATED_SHARE = "allocated_share"
    TAGGED_SHARE = "tagged_share"
    QUIET_MONTHS = "quiet_months"
    OPEN_DISPUTES = "open_disputes"


class Unit(StrEnum):
    """What a value counts."""

    PPM = "ppm"
    MONTHS = "months"
    DISPUTES = "disputes"


@dataclass(frozen=True, slots=True)
class Month:
    """What a group carried in one billing period, in one currency, and how many disputes were raised about it."""

    period: BillingPeriod
    minor: int
    disputes: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of one group. Amounts are of one period, in one currency and unit.

    `allocated` of `cost`: how much of the company's whole cost has found its owner. `tagged` of `direct`: how much of
    the group's direct cost carries the tags that the policy asks for. `months` are in order, the newest last.
    """

    allocated: int
    cost: int
    tagged: int
    direct: int
    months: Sequence[Month]
    open_disputes: int


@dataclass(frozen=True, slots=True)
class Row:
    """One measure. `value` is None where there is nothing to measure, such as tags without direct cost."""

    measure: Measure
    unit: Unit
    value: int | None
    threshold: int
    is_met: bool
    sentence: str


def readiness(figures: Figures, settings: ReadinessSettings) -> tuple[Row, ...]:
    """The four rows, in a fixed order."""
    quiet = quiet_months(figures.months, settings.quiet_change)
    return (
        _share(
            Measure.ALLOCATED_SHARE,
            figures.allocated,
            figures.cost,
            settings.allocated_share,
            "of the company's cost has an owner",
            "There is no cost to find owners for.",
        ),
        _share(
            Measure.TAGGED_SHARE,
            figures.tagged,
            figures.direct,
            settings.tagged_share,
            "of the group's direct cost carries its tags",
            "The group has no direct cost that could carry tags.",
        ),
        Row(
            Measure.QUIET_MONTHS,
            Unit.MONTHS,
            quiet,
            settings.quiet_months,
            quiet >= settings.quiet_months,
            f"{_count(quiet, 'month')} in a row without a dispute and with a change of at most "
            f"{percent(settings.quiet_change)}; {settings.quiet_months} are asked for.",
        ),
        Row(
            Measure.OPEN_DISPUTES,
            Unit.DISPUTES,
            figures.open_disputes,
            settings.open_disputes,
            figures.open_disputes <= settings.open_disputes,
            f"{_count(figures.open_disputes, 'dispute')} not decided yet; at most {settings.open_disputes} may be.",
        ),
    )


def is_ready(rows: Sequence[Row]) -> bool:
    """Is every measure met?"""
    return all(row.is_met for row in rows)


def quiet_months(months: Sequence[Month], most_change: int) -> int:
    """How many months in a row, up to the newest, passed without a dispute and with a change of at most `most_change`
    (millionths) against the month before.

    A month without a month before it, or after a gap, cannot be compared, and ends the row. After zero only zero is
    quiet.
    """
    count = 0
    for place in range(len(months) - 1, 0, -1):
        before, month = months[place - 1], months[place]
        is_next = before.period.next == month.period
        change = abs(month.minor - before.minor) * WHOLE
        if month.disputes or not is_next or change > most_change * abs(before.minor):
            break
        count += 1
    return count


def percent(ppm: int) -> str:
    """Millionths in per cent: ``95 %``, ``99.5 %``."""
    whole, fraction = divmod(ppm, 10**4)
    tail = f"{fraction:04d}".rstrip("0")
    return f"{whole}.{tail} %" if tail else f"{whole} %"


def _share(measure: Measure, part: int, whole: int, threshold: int, words: str, nothing: str) -> Row:
    """A share against its threshold. Of nothing, nothing is missing. Parts can be credits: the share is 0 to 1."""
    if whole <= 0:
        return Row(measure, Unit.PPM, None, threshold, True, nothing)
    is_met = part * WHOLE >= threshold * whole
    shown = min(max(half_even(part * WHOLE, whole), 0), WHOLE)
    if shown >= threshold and not is_met:
        shown = threshold - 1  # rounding must not show a threshold as reached that is not
    sentence = f"{percent(shown)} {words}; {percent(threshold)} is asked for."
    return Row(measure, Unit.PPM, shown, threshold, is_met, sentence)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
