"""What a basis comes to in a month: one whole-number weight for each recipient of a pool.

Most bases give the same weights for every amount of the pool (`is_linear`). A cap, limits, prices and parts of a
given size depend on how much the pool holds; their weights are the amounts themselves, in units of 10⁻¹⁸.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from apportion.allocate import quantity
from apportion.allocate.allocation import Cell, PartTaken
from apportion.allocate.basis import (
    Amount,
    Basis,
    Cost,
    Even,
    Fixed,
    Follow,
    KeptCentral,
    Mix,
    Priced,
    Rate,
    Rest,
    Simple,
    Weight,
    meters,
    quantities,
)
from apportion.allocate.limits import limited
from apportion.allocate.policy import NegativeBasis, Pool, Recipients
from apportion.allocate.rule import KEPT_CENTRAL, Holder, Target
from apportion.allocate.usage import NO_USAGE, Usage
from apportion.errors import AllocationRefusedError, MissingBasisError, NegativeBasisError, ZeroBasisError
from apportion.money.amount import plain
from apportion.money.split import split
from apportion.organization.cost_group import Tree
from apportion.periods import BillingPeriod

Weights = tuple[tuple[Target, int], ...]


class Weighing(NamedTuple):
    """The weights of a pool in one currency, which of its bases gave them, and why those before it did not."""

    weights: Weights
    chosen: int
    refused: tuple[str, ...] = ()
    parts: tuple[PartTaken, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What bases are worked out from, in one currency. Of all `pools`, those in `receiving` may take a part.

    `direct` is what rules (and commitments) brought each target, `so_far` adds the shares made until now.
    """

    tree: Tree
    period: BillingPeriod
    currency: str
    pools: frozenset[str] = frozenset()
    receiving: frozenset[str] = frozenset()
    usage: Usage = NO_USAGE
    cells: Sequence[Cell] = ()
    direct: Mapping[Target, int] = field(default_factory=dict)
    so_far: Mapping[Target, int] = field(default_factory=dict)


def is_linear(pool: Pool) -> bool:
    """Whether the pool's weights are the same whatever it holds, and whatever was shared before it."""
    return pool.limits is None and pool.cap is None and all(_is_linear(basis) for basis in pool.bases)


def _is_linear(basis: Basis) -> bool:
    if isinstance(basis, Mix):
        return basis.is_proportional and all(_is_linear(part.basis) for part in basis.parts)
    return not (isinstance(basis, Priced | Follow) or (isinstance(basis, Cost) and basis.so_far))


def weigh(pool: Pool, facts: Facts, amount: int) -> Weighing:
    """The weights by which `amount`, units of the facts' currency, is shared; they never add up to zero.

    Weights are zero or above, but for what a price list keeps central. Raises `ZeroBasisError`,
    `NegativeBasisError` or `MissingBasisError` where neither the pool's basis nor one of `otherwise` can be followed,
    `AllocationRefusedError` where nobody takes part or limits cannot be held.
    """
    refused: list[str] = []
    for place, basis in enumerate(pool.bases):
        if isinstance(basis, Follow):
            continue
        try:
            weights, parts = _weights(pool, basis, facts, amount)
            bounded = _bounded(pool, facts, weights, amount)
        except (ZeroBasisError, NegativeBasisError, MissingBasisError) as error:
            if place == len(pool.otherwise):
                raise
            refused.append(error.sentence)
            continue
        return Weighing(bounded, place, tuple(refused), parts)
    raise ZeroBasisError(
        f"Some cost in pool '{pool.id}' has no other charge to follow.",
        place=pool.place,
        advice="Name what it takes then, for example: otherwise: [proportional to direct cost].",
    )


def _bounded(pool: Pool, facts: Facts, weights: Weights, amount: int) -> Weights:
    if pool.limits is None and pool.cap is None:
        return weights
    if any(isinstance(basis, Priced) for basis in pool.bases):
        raise AllocationRefusedError(
            f"Pool '{pool.id}' is shared by prices, which no limit and no cap may change.",
            place=pool.place,
            advice="Take `limits` and `cap` out, or share by another basis.",
        )
    return limited(pool, facts.currency, weights, amount)


def _weights(
    pool: Pool, basis: Simple | Priced | Mix, facts: Facts, amount: int
) -> tuple[Weights, tuple[PartTaken, ...]]:
    if isinstance(basis, Mix):
        return _mixed(pool, basis, facts, amount)
    if isinstance(basis, Priced):
        return _priced(pool, basis, facts, amount), ()
    found = _simple(pool, basis, facts)
    if sum(weight for _, weight in found) == 0:
        raise ZeroBasisError(_nothing(pool, basis, facts), place=pool.place, advice=_ZERO)
    return found, ()


_ZERO = "Name another basis to fall back on (otherwise: [even]), or recipients that have one."


def _nothing(pool: Pool, basis: Basis, facts: Facts) -> str:
    holds = f"Pool '{pool.id}' holds {facts.currency}"
    if isinstance(basis, Cost):
        what = "cost" if basis.so_far else "direct cost"
        return f"{holds}, but its recipients have no {what} in {facts.currency} to share it by."
    if isinstance(basis, Fixed | Even):
        return f"{holds}, but nobody is left to take a share."
    return f"{holds}, but its recipients used nothing of {_metrics(basis)}."


def _metrics(basis: Basis) -> str:
    return " or ".join(f"'{meter.metric}'" for one in quantities(basis) for meter in meters(one))


def _simple(pool: Pool, basis: Simple, facts: Facts) -> Weights:
    if isinstance(basis, KeptCentral):
        return ((KEPT_CENTRAL, 1),)
    if isinstance(basis, Fixed):
        shares = ((_named(code, facts), weight) for code, weight in basis.shares)
        return tuple((target, weight) for target, weight in shares if target is not None)
    taking = recipients(pool, facts)
    if isinstance(basis, Even):
        return tuple((target, 1) for target in taking)
    if isinstance(basis, Cost):
        return _above_zero(pool, _cost(basis, facts), taking, f"{facts.currency} of cost")
    found = quantity.values(basis, facts.usage, facts.period)
    return _above_zero(pool, found, taking, f"of {_metrics(basis)}")


def _named(code: str, facts: Facts) -> Target | None:
    """Who has a fixed share; None for a pool that is shared before this one."""
    if code in facts.receiving:
        return Target(Holder.POOL, code)
    return Target(Holder.COST_GROUP, facts.tree[code].code) if code not in facts.pools else None


def _above_zero(pool: Pool, found: Mapping[Target, int], taking: Iterable[Target], unit: str) -> Weights:
    weights = []
    for target in taking:
        weight = found.get(target, 0)
        if weight < 0:
            if pool.negative_basis is NegativeBasis.REFUSE:
                raise NegativeBasisError(
                    f"'{target.code}' has {plain(weight)} {unit}; pool '{pool.id}' cannot follow it.",
                    place=pool.place,
                    advice="Write `negative_basis: zero` in the pool to leave such recipients out, or another basis "
                    "to fall back on (otherwise: [even]).",
                )
            weight = 0
        weights.append((target, weight))
    return tuple(weights)


def _cost(basis: Cost, facts: Facts) -> Mapping[Target, int]:
    if basis.so_far:
        return facts.so_far
    if not (basis.services or basis.categories or basis.under):
        return facts.direct
    inside = frozenset(code for top in basis.under if top in facts.tree for code in facts.tree.below(top))
    found: dict[Target, int] = {}
    for cell in facts.cells:
        if cell.scope.currency == facts.currency and not (
            (basis.services and cell.service not in basis.services)
            or (basis.categories and cell.charge_category not in basis.categories)
            or (basis.under and cell.target.code not in inside)
        ):
            found[cell.target] = found.get(cell.target, 0) + cell.units
    return found


def _priced(pool: Pool, basis: Priced, facts: Facts, amount: int) -> Weights:
    if facts.currency != basis.currency:
        raise MissingBasisError(
            f"The prices of pool '{pool.id}' are in {basis.currency}, but it holds {facts.currency}.",
            place=pool.place,
            advice="Name a basis to fall back on for other currencies (otherwise: [even]).",
        )
    if amount == 0:
        raise ZeroBasisError(f"Pool '{pool.id}' comes to nothing, and cannot carry prices.", place=pool.place)
    price = quantity.price_on(basis, facts.period)
    found = quantity.values(basis.quantity, facts.usage, facts.period)
    charged = [(target, quantity.times(found.get(target, 0), price)) for target in recipients(pool, facts)]
    return (*charged, (KEPT_CENTRAL, amount - sum(units for _, units in charged)))


def _mixed(pool: Pool, mix: Mix, facts: Facts, amount: int) -> tuple[Weights, tuple[PartTaken, ...]]:
    weights = [_weights(pool, part.basis, facts, amount)[0] for part in mix.parts]
    sizes = _sizes(pool, mix, facts, amount)
    taken = tuple(PartTaken(size, found) for size, found in zip(sizes, weights, strict=True))
    if not mix.is_proportional:
        shared = [
            (target, units)
            for part in taken
            for target, units in zip(
                (target for target, _ in part.weights),
                split(part.units, [weight for _, weight in part.weights]),
                strict=True,
            )
        ]
        sign = -1 if amount < 0 else 1
        return _merged((target, sign * units) for target, units in shared), taken
    # Exactly: the size of a part times the share in it, over one common denominator.
    totals = [sum(weight for _, weight in found) for found in weights]
    common = math.lcm(*totals)
    merged = _merged(
        (target, part.size.weight * weight * (common // total))
        for part, found, total in zip(mix.parts, weights, totals, strict=True)
        if isinstance(part.size, Weight)
        for target, weight in found
    )
    shrink = math.gcd(*(weight for _, weight in merged))
    return tuple((target, weight // shrink) for target, weight in merged), taken


def _sizes(pool: Pool, mix: Mix, facts: Facts, amount: int) -> list[int]:
    """How much of the amount each part is, in order."""
    if mix.is_proportional:
        return split(amount, [part.size.weight for part in mix.parts if isinstance(part.size, Weight)])
    left, sign = abs(amount), -1 if amount < 0 else 1
    sizes = []
    for part in mix.parts:
        size = left if isinstance(part.size, Rest | Weight) else min(left, _asked(pool, part.size, facts, left))
        sizes.append(sign * size)
        left -= size
    return sizes


def _asked(pool: Pool, size: Amount | Rate, facts: Facts, left: int) -> int:
    """What a part of given size asks for. A rate is charged in full or not at all."""
    if size.currency != facts.currency:
        raise MissingBasisError(
            f"A part of pool '{pool.id}' is given in {size.currency}, but it holds {facts.currency}.",
            place=pool.place,
            advice="Name a basis to fall back on for other currencies (otherwise: [even]).",
        )
    if isinstance(size, Amount):
        return size.units
    found = quantity.values(size.quantity, facts.usage, facts.period)
    taking = recipients(pool, facts)
    asked = quantity.times(sum(found.get(target, 0) for target in taking), size.units)
    if asked > left:
        raise AllocationRefusedError(
            f"The rate of pool '{pool.id}' asks for {plain(asked)} {facts.currency}, but only {plain(left)} is there.",
            place=pool.place,
            advice="Lower the rate, or share by `price`, which keeps what is over-recovered central.",
        )
    return asked


def _merged(weights: Iterable[tuple[Target, int]]) -> Weights:
    found: dict[Target, int] = {}
    for target, weight in weights:
        found[target] = found.get(target, 0) + weight
    return tuple(found.items())


def recipients(pool: Pool, facts: Facts) -> tuple[Target, ...]:
    """The cost groups that take part in a pool, in the tree's order, then the pools that may.

    Raises `AllocationRefusedError` when nobody is left.
    """
    groups = groups_of(pool.recipients, facts.tree, facts.cells)
    found = [Target(Holder.COST_GROUP, code) for code in groups]
    found += [Target(Holder.POOL, code) for code in pool.recipients.pools if code in facts.receiving]
    if not found:
        raise MissingBasisError(
            f"Nobody takes part in pool '{pool.id}'.",
            place=pool.place,
            advice="Name recipients that are in the tree in this period.",
        )
    return tuple(found)


def groups_of(asked: Recipients, tree: Tree, cells: Iterable[Cell] = ()) -> tuple[str, ...]:
    """The cost groups that are asked for, in the tree's order; none where only pools are.

    `excluded` speaks of cost groups: beside nothing but pools it means everybody at the bottom but those.
    Raises `NotFoundError` for one that is not in the tree.
    """
    leaves = tree.leaves()
    if asked.groups or asked.under or asked.having or asked.charged_by:
        taking = set(asked.groups).union(*(set(leaves).intersection(tree.below(code)) for code in asked.under))
        for code in asked.groups:
            tree[code]
        if asked.having:
            has_all = (
                code for code in leaves if all(tree[code].attribute(name) in values for name, values in asked.having)
            )
            taking.update(has_all)
        if asked.charged_by:
            rules = set(asked.charged_by)
            taking.update(cell.target.code for cell in cells if cell.rule_id in rules and cell.target.code in tree)
    elif asked.pools and not asked.excluded:
        taking = set()
    else:
        taking = set(leaves)
    taking.difference_update(*(tree.below(code) for code in asked.excluded if code in tree))
    return tuple(code for code in tree if code in taking)
