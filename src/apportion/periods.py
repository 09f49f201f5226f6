"""Billing periods as half-open ranges of UTC time.

Takes text such as ``2026-10``, gives `BillingPeriod`. Instants are naive datetimes in UTC: FOCUS knows no
other time zone, and engines compare them without conversion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from apportion.errors import InputRefusedError

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_YEARS = range(1900, 3000)  # those of a charge's billing period, see `apportion.warehouse.intake_values`


@dataclass(frozen=True, slots=True, order=True)
class BillingPeriod:
    """One calendar month: from its first instant up to, not including, the first instant of the next."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> BillingPeriod:
        """Read ``YYYY-MM`` of the years that charges can be of. Raises `InputRefusedError` for anything else."""
        found = _MONTH.fullmatch(text.strip())
        is_month = found is not None and 1 <= int(found[2]) <= 12
        if found and is_month and int(found[1]) in _YEARS:
            return cls(int(found[1]), int(found[2]))
        advice = "Write it as YYYY-MM, for example 2026-10."
        if is_month:
            advice = f"Write a year from {_YEARS[0]} to {_YEARS[-1]}, for example 2026-10."
        raise InputRefusedError(f"'{text}' is not a billing period.", advice=advice)

    @classmethod
    def of(cls, instant: datetime | date) -> BillingPeriod:
        """The period that an instant or day lies in."""
        return cls(instant.year, instant.month)

    @property
    def starts_on(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def ends_on(self) -> date:
        """The first day after the period."""
        return self.next.starts_on

    @property
    def start(self) -> datetime:
        return datetime(self.year, self.month, 1)  # noqa: DTZ001 - UTC by definition, see the module docstring

    @property
    def end(self) -> datetime:
        """The first instant after the period."""
        return self.next.start

    @property
    def next(self) -> BillingPeriod:
        return BillingPeriod(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def previous(self) -> BillingPeriod:
        return BillingPeriod(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
