"""From cells to lines: pools are shared in order, then cents are settled once.

A pool is shared after every pool that shares into it; pools that serve each other are solved together, where the
policy allows it. Each pool is split within each scope, in units of 10⁻¹⁸, by largest remainder, so every step
conserves to the last digit. Only then are the lines of each scope rounded to minor units together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from apportion.allocate.allocation import Cell, Line, Scope, Share, Weighed
from apportion.allocate.basis import Follow, Priced
from apportion.allocate.follow import NOBODY, Following, follow
from apportion.allocate.order import components, loop, served, stages
from apportion.allocate.policy import Pool, PoolOrder
from apportion.allocate.reciprocal import Loop
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.allocate.usage import NO_USAGE, Usage
from apportion.allocate.weigh import Facts, Weighing, Weights, is_linear, weigh
from apportion.errors import ConservationError, PoolLoopError
from apportion.money.amount import half_even
from apportion.money.currency import units_per_minor
from apportion.money.split import settle, split, to_step
from apportion.organization.cost_group import Tree
from apportion.periods import BillingPeriod

NOTHING: Mapping[Scope, int] = {}

_Carried = tuple[Target, str, str, str, str]  # a holder; a pool, or a service and category; the period corrected


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What pools are shared under, beside the cells: the tree, usage, and cost moved between holders beforehand.

    `moved` are shares that were made before the pools (of commitments), and count as direct cost.
    """

    tree: Tree
    period: BillingPeriod
    order: PoolOrder = PoolOrder.DERIVED
    usage: Usage = NO_USAGE
    following: Following = NOBODY
    moved: tuple[Share, ...] = ()


class Shared(NamedTuple):
    """Every share in the order they were made, and what is to be said of pools that fell back or are in parts."""

    shares: tuple[Share, ...]
    weighed: tuple[Weighed, ...]


def share_pools(cells: Sequence[Cell], pools: Sequence[Pool], given: Circumstances) -> Shared:
    """Share every pool in every scope. Corrections of other periods stay out: they are shared as those were.

    Raises what `weigh` raises, and `PoolLoopError` for a loop that the order of pools does not allow or that nothing
    leaves.
    """
    waterfall = _Waterfall([cell for cell in cells if not cell.corrects], pools, given)
    for stage in stages(pools, waterfall.into, given.order):
        if len(stage) == 1:
            waterfall.share(stage[0])
        else:
            waterfall.share_loop(stage)
    return Shared(tuple(waterfall.shares), tuple(waterfall.weighed))


class _Waterfall:
    """What pools hold and recipients carry while pools are shared, one after the other."""

    def __init__(self, cells: Sequence[Cell], pools: Sequence[Pool], given: Circumstances) -> None:
        self._cells, self._given = cells, given
        self._pools = frozenset(pool.id for pool in pools)
        self.into = served(pools, given.order, given.usage)
        for pool in pools:
            followed = (code for code in given.following.pools(pool.id) if code != pool.id and code in self._pools)
            self.into[pool.id] = tuple(dict.fromkeys((*self.into[pool.id], *followed)))
        self._held: dict[str, dict[Scope, int]] = defaultdict(lambda: defaultdict(int))
        self._direct: dict[str, dict[Target, int]] = defaultdict(lambda: defaultdict(int))
        self._so_far: dict[str, dict[Target, int]] = defaultdict(lambda: defaultdict(int))
        self.shares: list[Share] = []
        self.weighed: list[Weighed] = []
        self._step = 0
        brought = [(cell.target, cell.scope, cell.units) for cell in cells]
        brought += [(share.target, share.scope, share.units) for share in given.moved]
        for target, scope, units in brought:
            self._receive(target, scope, units)
            self._direct[scope.currency][target] += units

    def _receive(self, target: Target, scope: Scope, units: int) -> None:
        if target.holder is Holder.POOL:
            self._held[target.code][scope] += units
        self._so_far[scope.currency][target] += units

    def share(self, pool: Pool) -> None:
        """Share one pool that received all it will."""
        self._step += 1
        held = self._held[pool.id]
        for currency in sorted({scope.currency for scope in held}):
            scopes = sorted(scope for scope in held if scope.currency == currency)
            found = {scope: follow(self._given.following.groups(pool.id, scope)) for scope in scopes}
            left = {scope: held[scope] - sum(units for _, units in found[scope]) for scope in scopes}
            weighing = None
            if not isinstance(pool.basis, Follow) or any(left.values()):
                weighing = self._weigh(pool, currency, sum(left.values()))
            for scope in scopes:
                if found[scope]:
                    parts = _followed(found[scope], left[scope], weighing.weights if weighing else (), held[scope])
                elif weighing is None:
                    parts = []
                elif isinstance(pool.bases[weighing.chosen], Priced):
                    parts = _paid(held[scope], weighing.weights)
                else:
                    parts = _split(held[scope], weighing.weights)
                self._add(pool, scope, held[scope], parts)

    def share_loop(self, pools: Sequence[Pool]) -> None:
        """Share pools that may serve each other: those that do in this month are solved together."""
        for pool in pools:
            if not is_linear(pool):
                raise PoolLoopError(
                    f"Pool '{pool.id}' is part of a loop, but how it is shared depends on what it holds.",
                    place=pool.place,
                    advice="In a loop take a basis without prices, caps, limits, amounts or cost so far.",
                )
        currencies = sorted({scope.currency for pool in pools for scope in self._held[pool.id]})
        for currency in currencies:
            weights = {pool.id: _above_zero(self._weigh(pool, currency, 0).weights) for pool in pools}
            into = {code: [t.code for t, _ in found if t.holder is Holder.POOL] for code, found in weights.items()}
            feeders: dict[str, list[str]] = {pool.id: [] for pool in pools}
            for code, others in into.items():
                for other in others:
                    if other in feeders:
                        feeders[other].append(code)
            for group in components(feeders):
                self._step += 1
                if len(group) > 1:
                    self._solve({code: weights[code] for code in group}, into, currency)
                else:
                    self._pass_on(next(pool for pool in pools if pool.id == group[0]), weights[group[0]], currency)

    def _pass_on(self, pool: Pool, weights: Weights, currency: str) -> None:
        held = self._held[pool.id]
        for scope in sorted(scope for scope in held if scope.currency == currency):
            self._add(pool, scope, held[scope], _split(held[scope], weights))

    def _solve(self, weights: Mapping[str, Weights], into: Mapping[str, Sequence[str]], currency: str) -> None:
        inside = set(weights)
        if all(inside.issuperset(into[code]) and len(into[code]) == len(weights[code]) for code in weights):
            way = loop(inside, into, next(iter(weights)))
            raise PoolLoopError(
                f"Nothing ever leaves the pools {' → '.join(way)}.", advice="Give a cost group a share of one of them."
            )
        solved = Loop(weights)
        scopes = {scope for code in weights for scope in self._held[code] if scope.currency == currency}
        for scope in sorted(scopes):
            passed = solved.shares([self._held[code][scope] for code in solved.pools])
            for code, (amount, parts) in zip(solved.pools, passed, strict=True):
                total = sum(weight for _, weight in weights[code])
                made = [
                    Share(self._step, code, target, scope, part, weight, total, amount)
                    for (target, weight), part in zip(weights[code], parts, strict=True)
                ]
                self._keep(code, amount, [share for share in made if share.units or amount == 0], inside)

    def _weigh(self, pool: Pool, currency: str, amount: int) -> Weighing:
        facts = Facts(
            tree=self._given.tree,
            period=self._given.period,
            currency=currency,
            pools=self._pools,
            receiving=frozenset(self.into[pool.id]),
            usage=self._given.usage,
            cells=self._cells,
            direct=self._direct[currency],
            so_far=self._so_far[currency],
        )
        found = weigh(pool, facts, amount)
        if found.refused or found.parts:
            self.weighed.append(Weighed(self._step, pool.id, currency, found.chosen, found.refused, found.parts))
        return found

    def _add(self, pool: Pool, scope: Scope, amount: int, parts: Sequence[tuple[Target, int, int, int]]) -> None:
        made = [
            Share(self._step, pool.id, target, scope, units, weight, total, amount)
            for target, units, weight, total in parts
        ]
        self._keep(pool.id, amount, made, ())

    def _keep(self, pool_id: str, amount: int, made: Sequence[Share], inside: Iterable[str]) -> None:
        """Book shares; those between pools of one loop were counted when it was solved."""
        if (shared := sum(share.units for share in made)) != amount:
            raise ConservationError(f"Pool '{pool_id}' held {amount} units and shared {shared}.")
        for share in made:
            if not (share.target.holder is Holder.POOL and share.target.code in inside):
                self._receive(share.target, share.scope, share.units)
        self.shares += made


_Part = tuple[Target, int, int, int]  # a recipient, its units, its weight, the weights' total


def _split(amount: int, weights: Weights) -> list[_Part]:
    taking = _above_zero(weights)
    total = sum(weight for _, weight in taking)
    parts = split(amount, [weight for _, weight in taking])
    return [(target, part, weight, total) for (target, weight), part in zip(taking, parts, strict=True)]


def _above_zero(weights: Weights) -> Weights:
    return tuple((target, weight) for target, weight in weights if weight)


def _paid(amount: int, weights: Weights) -> list[_Part]:
    """Prices in proportion: recipients to the nearest unit, and the rest, of either sign, kept central."""
    total = sum(weight for _, weight in weights)
    sign = -1 if total < 0 else 1
    parts = [(target, half_even(sign * amount * weight, abs(total)), weight, total) for target, weight in weights]
    *charged, (kept, _, weight, _) = parts
    return [part for part in charged if part[2]] + [(kept, amount - sum(part[1] for part in charged), weight, total)]


def _followed(found: Sequence[tuple[Target, int]], left: int, weights: Weights, amount: int) -> list[_Part]:
    """What followed other charges, and the rest by weights; the weights of the whole are the amounts themselves."""
    units: dict[Target, int] = defaultdict(int)
    for target, part in found:
        units[target] += part
    for target, part, _, _ in _split(left, weights) if left else ():
        units[target] += part
    return [(target, part, part, amount) for target, part in units.items() if part]


def lines(
    cells: Sequence[Cell], shares: Sequence[Share], tree: Tree, left_over: Mapping[Scope, int] = NOTHING
) -> tuple[Line, ...]:
    """The lines of every holder, settled to minor units within each scope: first holders, then their lines.

    `left_over` is what rounding left of the month before: it counts in a scope's rounded total. Sorted by scope, then
    holder in the tree's order (kept central and unallocated last), direct cost before shares. Raises
    `ConservationError` if the lines do not hold exactly what the cells brought.
    """
    carried: dict[Scope, dict[_Carried, int]] = defaultdict(lambda: defaultdict(int))
    for cell in cells:
        if cell.target.holder is not Holder.POOL:
            carried[cell.scope][cell.target, "", cell.service, cell.charge_category, cell.corrects] += cell.units
    for share in shares:
        if share.target.holder is not Holder.POOL:
            carried[share.scope][share.target, share.pool_id, "", "", share.corrects] += share.units
    place = _places(tree)
    whole = _brought(cells)
    settled: list[Line] = []
    for scope in sorted(carried):
        found = sorted(carried[scope].items(), key=lambda each: (place[each[0][0]], *each[0][1:]))
        amounts = [amount for _, amount in found]
        step = units_per_minor(scope.currency)
        minors, rounded = _settled([key[0] for key, _ in found], amounts, step, left_over.get(scope, 0))
        if sum(amounts) != whole[scope] or sum(minors) != rounded:
            raise ConservationError(f"The lines of {scope} do not add up to what came in.")
        settled += [
            Line(target, scope, pool_id or None, service, category, amount, minor, corrects)
            for ((target, pool_id, service, category, corrects), amount), minor in zip(found, minors, strict=True)
        ]
    return tuple(settled)


def settled_total(totals: Sequence[int], left_over: int, step: int) -> int:
    """What a scope comes to in whole steps, of the total of each holder and what the month before left over.

    Zero where nobody carries any cost: there is no line that a step could be on.
    """
    return to_step(sum(totals) + left_over, step) if any(totals) else 0


def _settled(holders: Sequence[Target], amounts: Sequence[int], step: int, left_over: int) -> tuple[list[int], int]:
    """Amounts of one scope in minor units, and what they come to: first the total of each holder, then its lines, so
    that both are closest.
    """
    ends = [
        place for place in range(1, len(holders) + 1) if place == len(holders) or holders[place] != holders[place - 1]
    ]
    groups = [amounts[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    sums = [sum(group) for group in groups]
    whole = settled_total(sums, left_over, step)
    totals = settle(sums, step, whole)
    return [minor for group, total in zip(groups, totals, strict=True) for minor in settle(group, step, total)], whole


def _places(tree: Tree) -> Mapping[Target, int]:
    holders = [Target(Holder.COST_GROUP, code) for code in tree]
    return {target: place for place, target in enumerate([*holders, KEPT_CENTRAL, UNALLOCATED])}


def _brought(cells: Iterable[Cell]) -> Mapping[Scope, int]:
    whole: dict[Scope, int] = defaultdict(int)
    for cell in cells:
        whole[cell.scope] += cell.units
    return whole
