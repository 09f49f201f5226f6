"""How rates of exchange are said: what was quoted, of which days, by whom, and what it comes to."""

from __future__ import annotations

from apportion.invoice import wording
from apportion.invoice.statement import StatementLine
from apportion.money.exchange import Leg, Rate, shown


def rate_dates(rate: Rate) -> str:
    """``2026-10-30``, ``mean of 22 days, 2026-10-01 to 2026-10-30`` or ``agreed for 2026-10``; of every leg, once."""
    return "; ".join(dict.fromkeys(_dates(leg) for leg in rate.legs))


def rate_source(rate: Rate) -> str:
    """The files that the rate is made of."""
    return "; ".join(dict.fromkeys(leg.source for leg in rate.legs))


def rate_text(rate: Rate) -> str:
    """All of it: ``1 USD = 0.9214891… EUR (1 EUR = 1.0852 USD, 2026-10-30, eurofxref.csv)``."""
    quoted = "; ".join(_quoted(leg) for leg in rate.legs)
    return f"{_equals(rate)} ({quoted})"


def charged_text(line: StatementLine) -> str:
    """What a line is charged at in its statement's currency, and the rate; empty where nothing is converted."""
    if line.charged is None:
        return ""
    rate = line.charged.rate
    amount = f"{wording.grouped(line.charged.minor, line.charged.currency)} {line.charged.currency}"
    return f"Charged {amount}: {_equals(rate)}, {rate_dates(rate)}, {rate_source(rate)}"


def _equals(rate: Rate) -> str:
    return f"1 {rate.from_currency} = {shown(rate.value)} {rate.to_currency}"


def _quoted(leg: Leg) -> str:
    one, other = (leg.to_currency, leg.from_currency) if leg.inverted else (leg.from_currency, leg.to_currency)
    return f"1 {one} = {shown(leg.quoted)} {other}, {_dates(leg)}, {leg.source}"


def _dates(leg: Leg) -> str:
    if leg.days == 0:
        return f"agreed for {leg.first_on:%Y-%m}"
    if leg.days == 1:
        return str(leg.first_on)
    return f"mean of {leg.days} days, {leg.first_on} to {leg.last_on}"
