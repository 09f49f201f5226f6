"""Quantities that a basis is made of, from delivered usage: tiers, the greater of several, sums and prices.

Every value is kept in units of 10⁻¹⁸ of its unit; what has more decimals is rounded half to even.
"""

from __future__ import annotations

from apportion.allocate.basis import Basis, Greater, Metered, Priced, Quantity, Tier, meters, quantities
from apportion.allocate.rule import Target
from apportion.allocate.usage import Usage
from apportion.errors import MissingBasisError
from apportion.money.amount import ONE, half_even
from apportion.periods import BillingPeriod


def times(value: int, factor: int) -> int:
    """Two numbers in units of 10⁻¹⁸, multiplied."""
    return half_even(value * factor, ONE)


def values(asked: Quantity, usage: Usage, period: BillingPeriod) -> dict[Target, int]:
    """What each target has of a quantity. Raises `MissingBasisError` where no usage of a metric was delivered."""
    delivered = usage.metrics
    for meter in meters(asked):
        if meter.metric not in delivered:
            raise MissingBasisError(
                f"No usage of '{meter.metric}' was delivered for {period}.",
                advice="Load it with `apportion usage PATH`, or name a basis to fall back on (otherwise: [even]).",
            )
    if isinstance(asked, Metered):
        return _tiered(asked, usage)
    found: dict[Target, int] = {}
    if isinstance(asked, Greater):
        for meter in asked.of:
            for target, value in _tiered(meter, usage).items():
                found[target] = max(found.get(target, value), value)
        return found
    for meter, factor in asked.of:
        for target, value in _tiered(meter, usage).items():
            found[target] = found.get(target, 0) + times(value, factor)
    return found


def _tiered(meter: Metered, usage: Usage) -> dict[Target, int]:
    found = usage.values(meter)
    return {target: stepped(value, meter.tiers) for target, value in found.items()} if meter.tiers else found


def stepped(value: int, tiers: tuple[Tier, ...]) -> int:
    """A quantity with each tier's part of it counted by its factor; below zero it mirrors."""
    size, reached, total = abs(value), 0, 0
    for tier in tiers:
        top = size if tier.up_to is None else min(size, tier.up_to)
        total += max(0, top - reached) * tier.factor
        reached = max(reached, top)
    return half_even(-total if value < 0 else total, ONE)


def price_on(priced: Priced, period: BillingPeriod) -> int:
    """The price in force on the first day of the period. Raises `MissingBasisError` before the first price."""
    in_force = [price for price in priced.prices if price.valid_from is None or price.valid_from <= period.starts_on]
    if not in_force:
        raise MissingBasisError(
            f"No price for '{meters(priced.quantity)[0].metric}' is in force on {period.starts_on}.",
            advice="Add a price with an earlier `from`.",
        )
    return in_force[-1].price


def needed(basis: Basis) -> tuple[str, ...]:
    """The metrics that a basis asks for."""
    return tuple(dict.fromkeys(meter.metric for one in quantities(basis) for meter in meters(one)))
