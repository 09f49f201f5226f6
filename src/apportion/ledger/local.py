"""An amount in the company's own currency, beside the one that it was made in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from apportion.errors import BadValueError
from apportion.ledger.account import tidy
from apportion.money.currency import exponent

_RATE = re.compile(r"(?=.*[1-9])(0|[1-9]\d{0,11})(\.\d{1,12})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Local:
    """A posting in the currency that its company keeps its books in, and the rate that it was converted at.

    `rate` is decimal text as its source quotes it: how much of `currency` is one of the posting's currency, or with
    `inverted` the other way round (the European Central Bank quotes one EUR in USD). It is empty only where nothing
    was converted: on an exchange difference. Raises `BadValueError` for no currency, no whole number, and no rate.
    """

    currency: str
    amount_minor: int
    rate: str
    rate_on: date
    source: str
    inverted: bool = False

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise BadValueError(f"{self.amount_minor!r} is not a whole number of minor units.")
        exponent(self.currency)
        if self.rate and not _RATE.fullmatch(self.rate):
            raise BadValueError(
                f"'{self.rate}' is not a rate of exchange.",
                advice="Write digits with a decimal point, above zero, at most twelve on either side.",
            )
        if self.source != tidy(self.source):
            raise BadValueError(f"The source {self.source!r} of a rate holds characters that ledgers change.")

    @property
    def value(self) -> Fraction:
        """How much of `currency` is one of the posting's. Raises `BadValueError` where nothing was converted."""
        if not self.rate:
            raise BadValueError("An exchange difference has no rate of its own.")
        quoted = Fraction(self.rate)
        return Fraction(quoted.denominator, quoted.numerator) if self.inverted else quoted
