"""From cells to lines: pools are shared in order, then cents are settled once.

Pools flow into cost groups, and by fixed shares into other pools; a pool is shared after every pool that flows
into it. Each pool is split within each scope by the same weights, in units of 10⁻¹⁸, by largest remainder, so
every step conserves to the last digit. Only then are the lines of each scope rounded to minor units together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from apportion.allocate.allocation import Cell, Line, Scope, Share
from apportion.allocate.basis import weights
from apportion.allocate.policy import Method, Pool
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.errors import ConservationError, PoolLoopError
from apportion.money.currency import units_per_minor
from apportion.money.split import settle, split, to_step
from apportion.organization.cost_group import Tree

_Carried = tuple[Target, str, str, str]  # a holder, and a pool or a service and category


def order(pools: Sequence[Pool]) -> tuple[Pool, ...]:
    """The pools in the order they are shared: as written, but each after those that flow into it.

    Raises `PoolLoopError` naming the loop where pools flow into each other.
    """
    known = {pool.id: pool for pool in pools}
    feeders: dict[str, list[str]] = {pool.id: [] for pool in pools}
    for pool in pools:
        if pool.method is Method.FIXED:
            for code, weight in pool.shares:
                if code in known and weight:
                    feeders[code].append(pool.id)
    done: dict[str, Pool] = {}

    def visit(pool_id: str, path: tuple[str, ...]) -> None:
        if pool_id in path:
            loop = " → ".join(reversed((*path[path.index(pool_id) :], pool_id)))
            raise PoolLoopError(
                f"Pools share into each other: {loop}.",
                place=known[pool_id].place,
                advice="Take one of these shares out.",
            )
        if pool_id not in done:
            for feeder in feeders[pool_id]:
                visit(feeder, (*path, pool_id))
            done[pool_id] = known[pool_id]

    for pool in pools:
        visit(pool.id, ())
    return tuple(done.values())


def share_pools(cells: Iterable[Cell], pools: Sequence[Pool], tree: Tree) -> tuple[Share, ...]:
    """Every share of every pool in every scope, in the order they were made. Raises what `weights` raises."""
    held: dict[str, dict[Scope, int]] = defaultdict(lambda: defaultdict(int))
    direct: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for cell in cells:
        if cell.target.holder is Holder.POOL:
            held[cell.target.code][cell.scope] += cell.units
        elif cell.target.holder is Holder.COST_GROUP:
            direct[cell.scope.currency][cell.target.code] += cell.units
    names = [pool.id for pool in pools]
    shares: list[Share] = []
    for step, pool in enumerate(order(pools), start=1):
        found: dict[str, tuple[tuple[Target, int], ...]] = {}
        for scope, amount in sorted(held[pool.id].items()):
            if scope.currency not in found:
                found[scope.currency] = weights(pool, tree, names, direct[scope.currency], scope.currency)
            made = _shares(step, pool.id, scope, amount, found[scope.currency])
            for share in made:
                if share.target.holder is Holder.POOL:
                    held[share.target.code][scope] += share.units
            shares += made
    return tuple(shares)


def _shares(step: int, pool_id: str, scope: Scope, amount: int, found: Sequence[tuple[Target, int]]) -> list[Share]:
    taking = [(target, weight) for target, weight in found if weight]
    total = sum(weight for _, weight in taking)
    parts = split(amount, [weight for _, weight in taking])
    if sum(parts) != amount:
        raise ConservationError(f"Pool '{pool_id}' held {amount} units and shared {sum(parts)}.")
    return [
        Share(step, pool_id, target, scope, part, weight, total, amount)
        for (target, weight), part in zip(taking, parts, strict=True)
    ]


def lines(cells: Sequence[Cell], shares: Sequence[Share], tree: Tree) -> tuple[Line, ...]:
    """The lines of every holder, settled to minor units within each scope.

    Sorted by scope, then holder in the tree's order (kept central and unallocated last), direct cost before
    shares. Raises `ConservationError` if the lines do not hold exactly what the cells brought.
    """
    carried: dict[Scope, dict[_Carried, int]] = defaultdict(lambda: defaultdict(int))
    for cell in cells:
        if cell.target.holder is not Holder.POOL:
            carried[cell.scope][cell.target, "", cell.service, cell.charge_category] += cell.units
    for share in shares:
        if share.target.holder is not Holder.POOL:
            carried[share.scope][share.target, share.pool_id, "", ""] += share.units
    place = _places(tree)
    whole = _brought(cells)
    settled: list[Line] = []
    for scope in sorted(carried):
        found = sorted(carried[scope].items(), key=lambda each: (place[each[0][0]], *each[0][1:]))
        amounts = [amount for _, amount in found]
        step = units_per_minor(scope.currency)
        minors = settle(amounts, step)
        if sum(amounts) != whole[scope] or sum(minors) != to_step(whole[scope], step):
            raise ConservationError(f"The lines of {scope} do not add up to what came in.")
        settled += [
            Line(target, scope, pool_id or None, service, category, amount, minor)
            for ((target, pool_id, service, category), amount), minor in zip(found, minors, strict=True)
        ]
    return tuple(settled)


def _places(tree: Tree) -> Mapping[Target, int]:
    holders = [Target(Holder.COST_GROUP, code) for code in tree]
    return {target: place for place, target in enumerate([*holders, KEPT_CENTRAL, UNALLOCATED])}


def _brought(cells: Iterable[Cell]) -> Mapping[Scope, int]:
    whole: dict[Scope, int] = defaultdict(int)
    for cell in cells:
        whole[cell.scope] += cell.units
    return whole
