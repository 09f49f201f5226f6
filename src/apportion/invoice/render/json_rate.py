"""What a line is charged at in another currency as JSON, and back: exact rates as text, never as numbers."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from apportion.invoice.statement import Charged
from apportion.money.amount import plain, units
from apportion.money.currency import minor_text, units_per_minor
from apportion.money.exchange import Leg, Rate, exact_text
from apportion.money.split import to_step


def charged_keys(charged: Charged | None) -> dict[str, object]:
    """The keys of a line that say so; empty where nothing is converted."""
    if charged is None:
        return {"charged_currency": "", "charged_amount": "", "charged_units": "", "rate": "", "rate_legs": []}
    return {
        "charged_currency": charged.currency,
        "charged_amount": minor_text(charged.minor, charged.currency),
        "charged_units": plain(charged.units),
        "rate": exact_text(charged.rate.value),
        "rate_legs": [
            {
                "from_currency": leg.from_currency,
                "to_currency": leg.to_currency,
                "quoted": exact_text(leg.quoted),
                "inverted": leg.inverted,
                "first_on": leg.first_on.isoformat(),
                "last_on": leg.last_on.isoformat(),
                "days": leg.days,
                "source": leg.source,
            }
            for leg in charged.rate.legs
        ],
    }


def read_charged(line: Any) -> Charged | None:
    """What `charged_keys` wrote. Raises `ValueError`, `KeyError` or `BadValueError` for anything else."""
    if not line["charged_currency"]:
        return None
    currency = line["charged_currency"]
    return Charged(
        currency=currency,
        units=units(line["charged_units"]),
        minor=to_step(units(line["charged_amount"]), units_per_minor(currency)),
        rate=Rate(tuple(_leg(leg) for leg in line["rate_legs"])),
    )


def _leg(leg: Any) -> Leg:
    quoted = Fraction(leg["quoted"])
    return Leg(
        from_currency=leg["from_currency"],
        to_currency=leg["to_currency"],
        value=Fraction(quoted.denominator, quoted.numerator) if leg["inverted"] else quoted,
        inverted=leg["inverted"],
        first_on=date.fromisoformat(leg["first_on"]),
        last_on=date.fromisoformat(leg["last_on"]),
        days=leg["days"],
        source=leg["source"],
    )
