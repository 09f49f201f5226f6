"""Exact amounts as integers of 10⁻¹⁸, and their text."""

from __future__ import annotations

import re
from decimal import Context, Decimal, Inexact

SCALE = 18
ONE: int = 10**SCALE

# The usual context has 28 digits, and would round a total of ten thousand million without a word.
_WIDE = Context(prec=200, traps=[Inexact])

_NUMBER = re.compile(r"(-?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?")


def units(text: str) -> int:
    """Units of a plain or E-notation decimal: ``1.81E-8`` is 18100000000.

    Digits beyond the eighteenth decimal are rounded half to even, as the warehouse does. Raises `ValueError`
    for anything that is not such a number.
    """
    found = _NUMBER.fullmatch(text.strip())
    if not found or not (found[2] or found[3]):
        raise ValueError(f"not a decimal number: {text!r}")
    sign, whole, fraction, exponent = found[1], found[2], found[3] or "", int(found[4] or 0)
    shift = SCALE + exponent - len(fraction)
    number = int(whole + fraction)
    if shift >= 0:
        number *= 10**shift
    else:
        number = half_even(number, 10**-shift)
    return -number if sign else number


def plain(amount: int) -> str:
    """The shortest plain decimal text of units: no exponent, no trailing zeros, never ``-0``."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), ONE)
    tail = f"{fraction:018d}".rstrip("0")
    return f"{sign}{whole}.{tail}" if tail else f"{sign}{whole}"


def from_decimal(value: Decimal) -> int:
    """Units of a decimal that has at most 18 decimals. Raises `ValueError` if it has more."""
    if not value.is_finite() or (scaled := value.scaleb(SCALE, _WIDE)) != scaled.to_integral_value(context=_WIDE):
        raise ValueError(f"more than {SCALE} decimals: {value}")
    return int(scaled)


def half_even(number: int, divisor: int) -> int:
    """`number` / `divisor` to the nearest integer, halves to the even one. `divisor` is above zero."""
    quotient, rest = divmod(number, divisor)
    if 2 * rest > divisor or (2 * rest == divisor and quotient % 2):
        quotient += 1
    return quotient
