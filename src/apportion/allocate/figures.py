"""Amounts of money, numbers and per cents as people write them, made exact."""

from __future__ import annotations

import re
from fractions import Fraction

from apportion.allocate.basis import Amount
from apportion.allocate.shares import parse_share
from apportion.money.amount import units
from apportion.money.currency import CODES
from apportion.yamlfile import refuse

NUMBER_PATTERN = r"[0-9]{1,18}(\.[0-9]{1,18})?"
AMOUNT_PATTERN = NUMBER_PATTERN + " ?[A-Z]{3}"
PERCENT_PATTERN = r"[0-9]{1,18}(\.[0-9]{1,18}|/[0-9]{1,18})? ?%"

_NUMBER = re.compile(NUMBER_PATTERN)
_AMOUNT = re.compile(rf"({NUMBER_PATTERN}) ?([A-Z]{{3}})")
_PLAIN = "Write digits and, for decimals, a point: 1000 or 0.25."


def parse_number(text: str) -> int:
    """A number of zero or more such as ``1000`` or ``0.25``, in units of 10⁻¹⁸."""
    if not _NUMBER.fullmatch(text):
        sentence = f"'{text}' is below zero." if _NUMBER.fullmatch(text[1:]) and text[0] == "-" else ""
        raise refuse("BAD_NUMBER", sentence or f"'{text}' is not a number.", "" if sentence else _PLAIN)
    return units(text)


def parse_amount(text: str) -> Amount:
    """An amount of zero or more such as ``1000.00 USD``, in units of 10⁻¹⁸ of its currency."""
    found = _AMOUNT.fullmatch(text)
    if not found:
        raise refuse("BAD_AMOUNT", *_no_amount(text))
    number, _, currency = found.groups()
    if currency not in CODES:
        sentence = f"'{currency}' is not an ISO 4217 currency."
        raise refuse("BAD_AMOUNT", sentence, "Use a code such as USD, EUR or JPY.")
    return Amount(units(number), currency)


def _no_amount(text: str) -> tuple[str, str]:
    """Why a text is no amount, and what to write."""
    number = re.search(NUMBER_PATTERN, text)
    word = re.search(r"[A-Za-z]{3}", text)
    currency = word[0].upper() if word and word[0].upper() in CODES else "USD"
    if _NUMBER.fullmatch(text):
        return f"'{text}' has no currency.", f"Write it with one, for example {text} USD."
    if number and word and text in (f"{number[0]} {word[0]}", f"{word[0]} {number[0]}", word[0] + number[0]):
        return f"'{text}' is not an amount.", f"Write it as {number[0]} {currency}."
    if text.endswith("%"):
        return f"'{text}' is in per cent, and an amount of money is asked for.", "Write for example 1000.00 USD."
    if text.startswith("-"):
        return f"'{text}' is below zero.", "Write an amount of zero or more."
    return f"'{text}' is not an amount.", f"Write digits, a point for decimals, and the currency: 1000.00 {currency}."


def parse_percent(text: str) -> Fraction:
    """A part of a whole in per cent: ``5%`` is 1/20. Without its sign it would mean five wholes."""
    if not text.endswith("%"):
        advice = f"Write {text}%." if _NUMBER.fullmatch(text) else "Write for example 5%."
        raise refuse("BAD_SHARE", f"'{text}' is not in per cent.", advice)
    return parse_share(text)


def parse_limit(text: str) -> Amount | Fraction:
    """A limit: an amount of money, or a part of the pool in per cent."""
    if _NUMBER.fullmatch(text):
        sentence = f"'{text}' is neither an amount of money nor a per cent."
        raise refuse("BAD_AMOUNT", sentence, f"Write for example {text} USD or {text}%.")
    return parse_percent(text) if text.endswith("%") else parse_amount(text)
