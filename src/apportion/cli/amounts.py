"""Amounts, shares and counts as text for people."""

from __future__ import annotations

from collections.abc import Iterable

from apportion.invoice import wording
from apportion.money.amount import half_even


def count(number: int, one: str, many: str = "") -> str:
    """``1 row``, ``3,000 rows``."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def percent(part: int, whole: int) -> str:
    """A part of a whole to a tenth of a per cent; nothing where the whole is not above zero."""
    if whole <= 0:
        return ""
    tenths = half_even(1000 * abs(part), whole)
    return f"{'-' if part < 0 else ''}{tenths // 10}.{tenths % 10} %"


def listed(names: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


class Aligned:
    """Exact amounts of one currency at one width, decimal points below each other."""

    def __init__(self, currency: str, amounts: Iterable[int]) -> None:
        """`amounts` in units of 10⁻¹⁸: all that will be shown."""
        self._currency = currency
        shown = [wording.exact(amount, currency).partition(".") for amount in amounts]
        self._whole = max((len(whole) for whole, _, _ in shown), default=1)
        self._fraction = max((len(point + fraction) for _, point, fraction in shown), default=0)

    @property
    def width(self) -> int:
        return self._whole + self._fraction

    def text(self, amount: int) -> str:
        """One amount, as wide as all of them."""
        whole, point, fraction = wording.exact(amount, self._currency).partition(".")
        return f"{whole:>{self._whole}}{point + fraction:<{self._fraction}}"
