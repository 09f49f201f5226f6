"""Value added tax: worked out for each rate on its whole net amount, as EN 16931 has it, never line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from apportion.errors import BadValueError
from apportion.money.split import to_step

_PER_CENT = re.compile(r"\d{1,3}(\.\d{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tax:
    """A rate in per cent as decimal text (``19``), the ledger's code for it, and who owes it.

    With `reverse_charge` the buyer owes it (between EU countries): it is on no invoice, and the buyer books it on both
    sides. Raises `BadValueError` for no rate.
    """

    rate: str
    code: str = ""
    reverse_charge: bool = False

    def __post_init__(self) -> None:
        per_cent(self.rate)


def per_cent(text: str) -> Fraction:
    """A part of one from per cents: ``19`` is 19/100. Raises `BadValueError`."""
    if not _PER_CENT.fullmatch(text):
        raise BadValueError(f"'{text}' is not a per cent.", advice="Write for example 19 or 7.7.")
    return Fraction(text) * Fraction(1, 100)


def part_minor(whole_minor: int, rate: str) -> int:
    """So many per cents of an amount, in its minor units, halves away from zero. Raises `BadValueError`."""
    part = per_cent(rate)
    return to_step(whole_minor * part.numerator, part.denominator)


def taxes(net: Iterable[tuple[int, Tax]]) -> dict[Tax, tuple[int, int]]:
    """For each tax its whole net amount and the tax on it, in minor units of one currency, from (net, tax) of lines."""
    sums: dict[Tax, int] = {}
    for minor, tax in net:
        sums[tax] = sums.get(tax, 0) + minor
    return {tax: (whole, part_minor(whole, tax.rate)) for tax, whole in sums.items()}
