"""Documents say things exactly, in both languages, and nothing is left out in one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from apportion.errors import BadValueError
from apportion.invoice import papers as room
from apportion.invoice.papers import german
from apportion.invoice.papers.pdf import pdf
from apportion.invoice.papers.spreadsheet import xlsx
from apportion.invoice.papers.words import Words
from tests.papers import PAPERS

CODE = "".join(
    path.read_text(encoding="utf-8")
    for path in sorted(Path(str(room.__file__)).parent.glob("*.py"))
    if path.name != "german.py"
)


@pytest.mark.parametrize(
    ("locale", "minor", "currency", "shown"),
    [
        ("en", -123456, "USD", "-1,234.56"),
        ("de", -123456, "EUR", "-1.234,56"),
        ("de_CH", 123456, "CHF", "1’234.56"),
        ("en_IN", 123456789, "INR", "12,34,567.89"),
        ("fr", 123456, "EUR", "1\N{NARROW NO-BREAK SPACE}234,56"),
        ("en", 5, "JPY", "5"),
        ("en", -5, "KWD", "-0.005"),
        ("en", 0, "USD", "0.00"),
        ("en", 10**40 + 1, "USD", f"1{'00,000' * 0}" + "00,000,000,000,000,000,000,000,000,000,000,000,000.01"),
        ("en", 9_007_199_254_740_993, "USD", "90,071,992,547,409.93"),
    ],
)
def test_amounts_are_exact_in_the_habits_of_a_locale(locale: str, minor: int, currency: str, shown: str) -> None:
    assert Words(locale).amount(minor, currency) == shown


@pytest.mark.parametrize(
    ("minor", "whole", "shown"),
    [
        (81329, 972316, "+8.4\N{NO-BREAK SPACE}%"),
        (-1, 3, "-33.3\N{NO-BREAK SPACE}%"),
        (25, -100, "+25.0\N{NO-BREAK SPACE}%"),
        (0, 5, "0.0\N{NO-BREAK SPACE}%"),
        (125, 100_000, "+0.1\N{NO-BREAK SPACE}%"),
        (5, 0, ""),
    ],
)
def test_per_cents_are_rounded_once_and_signed(minor: int, whole: int, shown: str) -> None:
    assert Words("en").percent(minor, whole) == shown


def test_a_plus_stands_before_what_was_added_only() -> None:
    words = Words("de")
    assert [words.amount(minor, "EUR", signed=True) for minor in (1, 0, -1)] == ["+0,01", "0,00", "-0,01"]


@pytest.mark.parametrize(
    ("locale", "day", "month", "short"),
    [
        ("en", "November 5, 2026", "March 2026", "Mar"),
        ("en-GB", "5 November 2026", "March 2026", "Mar"),
        ("de", "5. November 2026", "März 2026", "Mär"),
        ("fr", "5 November 2026", "March 2026", "Mar"),
    ],
)
def test_dates_are_in_the_language_of_the_words(locale: str, day: str, month: str, short: str) -> None:
    words = Words(locale)
    said = (words.day(date(2026, 11, 5)), words.month("2026-03"), words.short_month("2026-03"))
    assert said == (day, month, short)


@pytest.mark.parametrize("locale", ["", "klingon", "xx_YY", "en; rm", "../de"])
def test_what_is_no_locale_is_refused(locale: str) -> None:
    with pytest.raises(BadValueError, match="is not a locale"):
        Words(locale)


def test_german_fills_in_the_same_names() -> None:
    for english, translated in german.GERMAN.items():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", translated)), english


def test_no_german_text_is_left_of_an_english_one_that_is_gone() -> None:
    assert [english for english in german.GERMAN if f'"{english}"' not in CODE and english not in CATEGORIES] == []


CATEGORIES = {"Usage", "Purchase", "Tax", "Credit", "Adjustment"}  # said by FOCUS, not by our code


def _literals() -> Iterator[str]:
    for found in re.finditer(r'say\(\s*"([^"]+)"', CODE):
        yield found[1]


def test_every_text_that_is_said_has_its_german(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = set(_literals())
    assert len(asked) > 30
    first = Words.say

    def say(self: Words, text: str, **named: object) -> str:
        asked.add(text)
        return first(self, text, **named)

    monkeypatch.setattr(Words, "say", say)
    for made in PAPERS.values():
        pdf(made(), "de")
        xlsx(made(), "de")
    assert sorted(text for text in asked if text and text not in german.GERMAN) == []
