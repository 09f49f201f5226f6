"""How documents say things in a locale: texts, amounts, days, months and per cents. No number is ever a float.

Texts are English, and German where the locale's language is German; a locale of another language keeps English words
with its own figures and dates. Sentences that a paper carries (reasons, rates, notes) are printed as they were frozen.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import get_decimal_symbol, get_group_symbol, parse_pattern

from apportion.errors import BadValueError
from apportion.invoice.papers.german import GERMAN
from apportion.money.amount import half_even
from apportion.money.currency import exponent
from apportion.periods import BillingPeriod

_UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]+")


class Words:
    """The words of one locale, such as ``en``, ``de`` or ``de_AT``. Raises `BadValueError` for no locale."""

    def __init__(self, locale: str) -> None:
        try:
            self._locale = Locale.parse(locale.replace("-", "_"))
        except (ValueError, UnknownLocaleError):
            raise BadValueError(f"'{locale}' is not a locale.", advice="Use a code such as en, de or en_GB.") from None
        self._name = str(self._locale)
        german = self._locale.language == "de"
        self.language = "de" if german else "en"
        self._texts = GERMAN if german else {}
        # With German words, dates are German; with English ones, months must not be in a third language.
        self._dated = self._locale if german or self._locale.language == "en" else Locale("en", "GB")
        self._months = str(self._dated)

    def say(self, text: str, **named: object) -> str:
        """The text in the language, with names filled in."""
        found = self._texts.get(text, text)
        return found.format(**named) if named else found

    def amount(self, minor: int, currency: str, *, signed: bool = False) -> str:
        """Minor units with the currency's decimals: ``-1,234.50``; with a plus where it is `signed` and above zero."""
        shown = self._number(minor, exponent(currency))
        return f"+{shown}" if signed and minor > 0 else shown

    def money(self, minor: int, currency: str, *, signed: bool = False) -> str:
        """The same with the currency's code: ``1,234.50 USD``."""
        return f"{self.amount(minor, currency, signed=signed)}\N{NO-BREAK SPACE}{currency}"

    def percent(self, minor: int, whole: int) -> str:
        """How many per cent of `whole` (taken without its sign) an amount is: ``+4.2 %``. Empty where it is nothing."""
        if not whole:
            return ""
        tenths = half_even(minor * 1000, abs(whole))
        return f"{'+' if tenths > 0 else ''}{self._number(tenths, 1)}\N{NO-BREAK SPACE}%"

    def count(self, number: int) -> str:
        """A whole number: ``4,120``."""
        return self._number(number, 0)

    def day(self, day: date) -> str:
        """``12 November 2026`` or as the locale has it."""
        return _day(day, self._months)

    def month(self, period: str) -> str:
        """A billing period in words: ``November 2026``."""
        return _month(period, self._months)

    def short_month(self, period: str) -> str:
        """The month in a few letters: ``Nov``."""
        return _short_month(period, self._months)

    def _number(self, number: int, places: int) -> str:
        return _pattern(self._name, places).apply(number)


@lru_cache(maxsize=256)
def words(locale: str) -> Words:
    """The words of a locale, read once."""
    return Words(locale)


@lru_cache(maxsize=2048)
def _day(day: date, locale: str) -> str:
    return str(format_date(day, "long", locale=locale))


@lru_cache(maxsize=2048)
def _month(period: str, locale: str) -> str:
    return str(format_skeleton("yMMMM", BillingPeriod.parse(period).starts_on, locale=locale))


@lru_cache(maxsize=2048)
def _short_month(period: str, locale: str) -> str:
    return str(format_date(BillingPeriod.parse(period).starts_on, "LLL", locale=locale)).rstrip(".")


def clean(text: str) -> str:
    """Text as it is, with a space for control characters: they have no picture, or turn round the text after them."""
    return _UNPRINTABLE.sub(" ", text)


class _Pattern:
    """The locale's way of writing numbers, grouped as there, with a fixed count of decimals.

    A page has hundreds of amounts, so the locale is asked once and digits are only put together.
    """

    def __init__(self, locale: Locale, places: int) -> None:
        whole = re.split(r"\.", locale.decimal_formats[None].pattern.partition(";")[0])[0]
        pattern = parse_pattern(f"{whole}.{'0' * places}" if places else whole)
        self._places, (self._first, self._rest) = places, pattern.grouping
        self._before, self._behind = pattern.prefix, pattern.suffix
        self._group, self._point = get_group_symbol(locale), get_decimal_symbol(locale)

    def apply(self, number: int) -> str:
        """A whole number of the last decimal place."""
        digits = str(abs(number)).rjust(self._places + 1, "0")
        end = len(digits) - self._places
        start = end - self._first
        groups = [digits[max(start, 0) : end]]
        while start > 0:
            groups.append(digits[max(start - self._rest, 0) : start])
            start -= self._rest
        shown = self._group.join(reversed(groups))
        part = f"{self._point}{digits[end:]}" if self._places else ""
        return f"{self._before[number < 0]}{shown}{part}{self._behind[number < 0]}"


@lru_cache(maxsize=256)
def _pattern(locale: str, places: int) -> _Pattern:
    return _Pattern(Locale.parse(locale), places)
