"""The least and the most that a recipient pays, and the most of a pool that is shared."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from apportion.allocate.basis import Amount
from apportion.allocate.policy import Beyond, Limits, Pool
from apportion.allocate.rule import KEPT_CENTRAL, Target
from apportion.errors import AllocationRefusedError, MissingBasisError
from apportion.money.amount import plain
from apportion.money.split import split

Weights = tuple[tuple[Target, int], ...]


def limited(pool: Pool, currency: str, weights: Weights, amount: int) -> Weights:
    """The amounts (units, above zero) that recipients pay of `amount` when the pool's cap and limits hold.

    A negative amount mirrors the positive one. Raises `AllocationRefusedError` where limits cannot all be held,
    `MissingBasisError` for a limit in another currency.
    """
    whole = abs(amount)
    if whole == 0:
        return weights
    shared = whole if pool.cap is None else min(whole, _units(pool, pool.cap.most, currency, whole))
    paid = _paid(pool, pool.limits, currency, weights, shared) if pool.limits else _split(shared, weights)
    found: dict[Target, int] = {}
    beyond = [(pool.cap.rest, whole - shared)] if pool.cap and whole > shared else []
    for target, units in (*paid, *beyond):
        found[target] = found.get(target, 0) + units
    return tuple(found.items())


def _split(amount: int, weights: Weights) -> list[tuple[Target, int]]:
    parts = split(amount, [weight for _, weight in weights])
    return [(target, part) for (target, _), part in zip(weights, parts, strict=True)]


def _paid(pool: Pool, limits: Limits, currency: str, weights: Weights, amount: int) -> list[tuple[Target, int]]:
    """Whoever is outside the limits is set to them, and the others share what is left, until all are inside."""
    taking = [(target, weight) for target, weight in weights if weight]
    least = _units(pool, limits.at_least, currency, amount) if limits.at_least is not None else 0
    most = _units(pool, limits.at_most, currency, amount) if limits.at_most is not None else amount
    if least > most or least * len(taking) > amount:
        raise AllocationRefusedError(
            f"Pool '{pool.id}' holds {plain(amount)} {currency}, too little for {len(taking)} recipients "
            f"that pay {plain(least)} at least.",
            place=pool.place,
            advice="Lower `at_least`, or name fewer recipients.",
        )
    short = most * len(taking) < amount
    if short and limits.beyond is Beyond.PASSED_ON:
        raise AllocationRefusedError(
            f"Pool '{pool.id}' holds {plain(amount)} {currency}, more than {len(taking)} recipients "
            f"that pay {plain(most)} at most can carry.",
            place=pool.place,
            advice="Raise `at_most`, or write `beyond: kept_central`.",
        )
    if limits.beyond is Beyond.KEPT_CENTRAL:
        raised = _within(taking, amount, least, amount)
        cut = [(target, min(units, most)) for target, units in raised]
        return [*cut, (KEPT_CENTRAL, amount - sum(units for _, units in cut))]
    return _within(taking, amount, least, most)


def _within(taking: Sequence[tuple[Target, int]], amount: int, least: int, most: int) -> list[tuple[Target, int]]:
    """Amounts in proportion to weights, none below `least` or above `most`, that sum to `amount`.

    Those outside are fixed at the side that outweighs (all above the most, or all below the least), and the rest is
    shared again: with one scale for all others, the result does not depend on the order of recipients.
    """
    fixed: dict[Target, int] = {}
    while True:
        free = [(target, weight) for target, weight in taking if target not in fixed]
        left = amount - sum(fixed.values())
        total = sum(weight for _, weight in free)
        over = [target for target, weight in free if left * weight > most * total]
        under = [target for target, weight in free if left * weight < least * total]
        if not over and not under:
            break
        too_much = sum((Fraction(left * weight, total) - most for target, weight in free if target in over), Fraction())
        too_little = sum(
            (least - Fraction(left * weight, total) for target, weight in free if target in under), Fraction()
        )
        fixed.update(dict.fromkeys(over, most) if too_much >= too_little else dict.fromkeys(under, least))
        if len(fixed) == len(taking):
            break
    shared = dict(_split(left, tuple(free))) if len(fixed) < len(taking) else {}
    return [(target, fixed.get(target, 0) + shared.get(target, 0)) for target, _ in taking]


def _units(pool: Pool, limit: Amount | Fraction, currency: str, amount: int) -> int:
    """A limit in units; a part of the pool is taken of `amount`, rounded down."""
    if isinstance(limit, Fraction):
        return amount * limit.numerator // limit.denominator
    if limit.currency != currency:
        raise MissingBasisError(
            f"A limit of pool '{pool.id}' is given in {limit.currency}, but it holds {currency}.",
            place=pool.place,
            advice="Give it as a part of the pool (10%), or put each currency into a pool of its own.",
        )
    return limit.units
