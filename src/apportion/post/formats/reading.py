"""What the readers of all formats share: amounts as machine files write them, and one refusal for what is wrong."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager

from apportion.errors import ApportionError, BadValueError
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


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Whatever goes wrong while a text is read, as `BadValueError`: it is not `what`, say "an hledger journal"."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error, ApportionError) as error:
        said = error.sentence if isinstance(error, ApportionError) else f"{type(error).__name__}: {error}"
        raise BadValueError(
            f"This is not {what} that Apportion wrote ({said}).", advice="Write the journal again."
        ) from error
