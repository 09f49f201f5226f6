"""Amounts in machine files: a minus sign or none, digits, and exactly the currency's decimals."""

from __future__ import annotations

import re

from apportion.errors import BadValueError
from apportion.money.amount import units
from apportion.money.currency import minor_text, units_per_minor
from apportion.money.split import to_step

_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def minor(text: str, currency: str) -> int:
    """Minor units of a text that `minor_text` wrote. Raises `BadValueError` for any other, ``-0.00`` included."""
    if _NUMBER.fullmatch(text):
        amount = to_step(units(text), units_per_minor(currency))
        if minor_text(amount, currency) == text:
            return amount
    raise BadValueError(
        f"'{text}' is not an amount in {currency} as machine files write it.",
        advice="Write digits with a decimal point and the currency's decimals, no thousands and no plus.",
    )
