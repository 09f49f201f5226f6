"""The arguments that several commands take, and how their text is read."""

from __future__ import annotations

from typing import Annotated

import typer

from apportion.errors import InputRefusedError
from apportion.periods import BillingPeriod


def read_period(text: str | BillingPeriod) -> BillingPeriod:
    """``2026-10`` as a period; anything else is wrong usage."""
    if isinstance(text, BillingPeriod):
        return text
    try:
        return BillingPeriod.parse(text)
    except InputRefusedError as error:
        raise typer.BadParameter(f"{error.sentence} {error.advice}") from None


def read_count(text: str | int) -> int:
    """A whole number from 0."""
    if isinstance(text, int):
        return text
    if not (text.isascii() and text.isdecimal()) or len(text) > 15:
        raise typer.BadParameter(f"'{text}' is not a whole number from 0.")
    return int(text)


Period = Annotated[
    BillingPeriod,
    typer.Argument(
        parser=read_period, metavar="PERIOD", help="The billing period, such as 2026-10.", show_default=False
    ),
]

OnlyPeriod = Annotated[
    BillingPeriod | None,
    typer.Option("--period", parser=read_period, metavar="PERIOD", help="Only this billing period, such as 2026-10."),
]
