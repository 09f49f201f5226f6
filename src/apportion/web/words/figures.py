"""Amounts, days and names as the language of the page writes them.

Amounts are integers in minor units and stay exact. Where there is nothing to say, a dash is said.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from babel.dates import format_date, format_time, format_timedelta
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from apportion.invoice.papers.words import Words, words
from apportion.invoice.wording import KEPT_CENTRAL_NAME, UNALLOCATED_NAME

_LOCALES = {"en": "en_GB", "de": "de"}
NOTHING = "–"


def locale() -> str:
    """The locale of the language that this page is in."""
    return _locale_of(get_language() or "en")


@lru_cache(maxsize=64)
def _locale_of(language: str) -> str:
    return _LOCALES.get(language.partition("-")[0], "en_GB")


def spoken() -> Words:
    """How the language of this page writes amounts, months and the like; ask once where there is much to say."""
    return words(locale())


def amount(minor: int | None, currency: str) -> str:
    """Minor units without their currency, for columns that name it in their head: ``-1,234.50``."""
    return NOTHING if minor is None else spoken().amount(minor, currency)


def signed_amount(minor: int | None, currency: str) -> str:
    """The same, with a plus where it is above zero: ``+1,234.50``."""
    return NOTHING if minor is None else spoken().amount(minor, currency, signed=True)


def money(minor: int | None, currency: str) -> str:
    """Minor units with their currency: ``-1,234.50 EUR``. None is a dash."""
    return NOTHING if minor is None else spoken().money(minor, currency)


def signed_money(minor: int | None, currency: str) -> str:
    """The same for a difference: ``+1,234.50 EUR``."""
    return NOTHING if minor is None else spoken().money(minor, currency, signed=True)


def holder(name: str) -> str:
    """The name of whoever carries cost: what is nobody's is called so in the language of the page."""
    if name == UNALLOCATED_NAME:
        return gettext("Unallocated")
    return gettext("Kept central") if name == KEPT_CENTRAL_NAME else name


def percent_of(minor: int | None, whole: int | None) -> str:
    """A difference as a part of a whole, with its sign: ``+4.2 %``; a dash where there is no whole."""
    return (minor is not None and whole is not None and spoken().percent(minor, whole)) or NOTHING


def percent_ppm(share: int | None) -> str:
    """Millionths as per cent, without a plus: ``97.3 %``."""
    return NOTHING if share is None else spoken().percent(share, 10**6).lstrip("+")


def count(number: int | None) -> str:
    """A whole number, grouped: ``4,120``."""
    return NOTHING if number is None else spoken().count(number)


def period_name(period: object) -> str:
    """A billing period in words: ``October 2026``."""
    return spoken().month(str(period)) if period else NOTHING


def short_month(period: object) -> str:
    """The month of a billing period in a few letters: ``Oct``."""
    return spoken().short_month(str(period)) if period else NOTHING


def day(when: date | datetime | None) -> str:
    """A day, for an instant that of the site's time zone: ``12 November 2026``."""
    if when is None:
        return NOTHING
    return spoken().day(timezone.localtime(when).date() if isinstance(when, datetime) else when)


def last_day(end: datetime | None) -> str:
    """The last day before an instant at which something ends: midnight ends the day before it."""
    return day(end - timedelta(microseconds=1)) if end is not None else NOTHING


def instant(when: datetime | None) -> str:
    """Day, hour and minute in the site's time zone: ``12 Nov 2026, 14:05``."""
    if when is None:
        return NOTHING
    return _instant(timezone.localtime(when).replace(second=0, microsecond=0, tzinfo=None), locale())


@lru_cache(maxsize=4096)
def _instant(here: datetime, said: str) -> str:
    return f"{format_date(here, 'medium', locale=said)}, {format_time(here, 'short', locale=said)}"


def ago(when: datetime | None) -> str | SafeString:
    """How long an instant is past, or how far ahead, as a ``<time>`` whose title says when: ``2 hours ago``."""
    if when is None:
        return NOTHING
    said = format_timedelta(when - timezone.now(), add_direction=True, locale=locale(), threshold=1.2)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        when.astimezone(UTC).isoformat(timespec="seconds"),
        instant(when),
        said,
    )


def days_left(last: date | None) -> str:
    """How far a last day is: ``3 days left``, ``today``, ``2 days over``."""
    if last is None:
        return ""
    left = (last - timezone.localdate()).days
    if left == 0:
        return gettext("today is the last day")
    if left == 1:
        return gettext("1 day left")
    if left == -1:
        return gettext("1 day over")
    return gettext("%d days left") % left if left > 0 else gettext("%d days over") % -left


FILTERS = (
    amount,
    signed_amount,
    money,
    signed_money,
    holder,
    percent_of,
    percent_ppm,
    count,
    period_name,
    short_month,
    day,
    last_day,
    instant,
    ago,
    days_left,
)
