"""Working days: Monday to Friday, without the holidays of a country or market where one is named.

Takes the settings' country; gives `Workdays`. Holidays come from the `holidays` package, which is in the `web` extra
and is loaded only where a country is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from apportion.errors import ApportionError


class CalendarError(ApportionError):
    """A country, region or market whose holidays nobody here knows."""

    code = "NO_HOLIDAYS"


class Calendar(Protocol):
    """What is asked of a country's holidays."""

    def is_working_day(self, key: date, /) -> bool:
        """Is it neither a holiday nor a weekend there?"""


@dataclass(frozen=True, slots=True)
class Workdays:
    """Counts working days. Without a calendar every Monday to Friday is one."""

    calendar: Calendar | None = None

    def is_workday(self, day: date) -> bool:
        """Is it a working day?"""
        if self.calendar is None:  # not "if self.calendar": holidays are a mapping, and empty until somebody asks
            return day.weekday() < 5
        return self.calendar.is_working_day(day)

    def after(self, day: date, count: int) -> date:
        """So many working days after a day, which is not counted itself. Zero: the day, whatever it is."""
        while count > 0:
            day += timedelta(days=1)
            count -= self.is_workday(day)
        return day

    def before(self, day: date, count: int) -> date:
        """So many working days before a day, which is not counted itself. Zero: the day, whatever it is."""
        while count > 0:
            day -= timedelta(days=1)
            count -= self.is_workday(day)
        return day

    def between(self, first: date, last: date) -> int:
        """How many working days lie after `first`, up to and with `last`; below zero where that is the earlier day."""
        if last < first:
            return -self.between(last, first)
        days = (first + timedelta(days=count) for count in range(1, (last - first).days + 1))
        return sum(self.is_workday(day) for day in days)


WEEKENDS_ONLY = Workdays()


def workdays(country: str = "", subdivision: str = "") -> Workdays:
    """The working days of a country (``DE``), a part of it (``BY``) or a market (``ECB``); else all but weekends.

    Raises `CalendarError` where nobody knows the holidays, or the package for them is not installed.
    """
    if not country:
        return WEEKENDS_ONLY
    try:
        import holidays
    except ImportError:
        raise CalendarError(
            f"The holidays of {country} are not known here: the package for them is not installed.",
            advice="Install apportion[web], or name no country under close_calendar.",
        ) from None
    try:
        if country in holidays.list_supported_financial():
            return Workdays(holidays.financial_holidays(country, subdiv=subdivision or None))
        return Workdays(holidays.country_holidays(country, subdiv=subdivision or None))
    except NotImplementedError:
        region = f", {subdivision}" if subdivision else ""
        raise CalendarError(
            f"The holidays of '{country}{region}' are not known.",
            advice="Use a country's two letters as in ISO 3166 (DE), a part of it as in ISO 3166-2 (BY), or ECB.",
        ) from None
