"""In which order pools are shared: each after those that share into it, pools that serve each other together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from apportion.allocate.basis import Basis, Fixed, KeptCentral, Metered, Mix, Priced, Quantity, meters, quantities
from apportion.allocate.policy import Pool, PoolOrder
from apportion.allocate.rule import Holder, Target
from apportion.allocate.usage import NO_USAGE, Usage
from apportion.errors import PoolLoopError


def served(pools: Sequence[Pool], order: PoolOrder, usage: Usage = NO_USAGE) -> dict[str, tuple[str, ...]]:
    """The pools that each pool may share into, under an order of pools; never the pool itself.

    Usage tells which pools a metered basis leads to; other bases lead to every pool that is named.
    """
    known = {pool.id: place for place, pool in enumerate(pools)}
    found: dict[str, tuple[str, ...]] = {}
    for place, pool in enumerate(pools):
        after = {} if order is PoolOrder.DIRECT else known
        if order is PoolOrder.DECLARED:
            after = {code: other for code, other in known.items() if other > place}
        asked = dict.fromkeys(code for basis in pool.bases for code in _leads_to(pool, basis, usage))
        if pool.cap is not None and pool.cap.rest.holder is Holder.POOL:
            asked[pool.cap.rest.code] = None
        found[pool.id] = tuple(code for code in asked if code in after and code != pool.id)
    return found


def _leads_to(pool: Pool, basis: Basis, usage: Usage) -> Iterable[str]:
    if isinstance(basis, Fixed):
        return [code for code, weight in basis.shares if weight]
    if isinstance(basis, Mix):
        return [code for part in basis.parts for code in _leads_to(pool, part.basis, usage)]
    if isinstance(basis, KeptCentral) or not pool.recipients.pools:
        return []
    asked: tuple[Quantity, ...] = () if isinstance(basis, Priced) else quantities(basis)
    if not asked:
        return pool.recipients.pools
    used = {target for one in asked for meter in meters(one) for target in _users(meter, usage)}
    return [code for code in pool.recipients.pools if Target(Holder.POOL, code) in used]


def _users(meter: Metered, usage: Usage) -> Iterable[Target]:
    return [target for target, value in usage.values(meter).items() if value]


def stages(pools: Sequence[Pool], into: Mapping[str, Sequence[str]], order: PoolOrder) -> tuple[tuple[Pool, ...], ...]:
    """The pools in the order they are shared, as written where nothing else asks for more.

    A stage of several pools is a loop, solved as one. Raises `PoolLoopError` naming the loop where the order does not
    allow any.
    """
    known = {pool.id: pool for pool in pools}
    feeders: dict[str, list[str]] = {pool.id: [] for pool in pools}
    for code, others in into.items():
        for other in others:
            feeders[other].append(code)
    places = {code: place for place, code in enumerate(known)}
    found = tuple(tuple(known[code] for code in sorted(group, key=places.__getitem__)) for group in components(feeders))
    for group in found:
        if len(group) > 1 and order is not PoolOrder.RECIPROCAL:
            way = loop({pool.id for pool in group}, into, group[0].id)
            raise PoolLoopError(
                f"Pools share into each other: {' → '.join(way)}.",
                place=known[way[0]].place,
                advice="Take one of these shares out, or write `pool_order: reciprocal` to have the loop solved.",
            )
    return found


def components(edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Strongly connected components, each after those that its edges lead to; in the order given otherwise.

    Method: Tarjan 1972, without recursion, for chains of any length.
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_, is_open = list[str](), set[str]()
    found: list[list[str]] = []
    for start in edges:
        if start in index:
            continue
        path = [(start, iter(edges[start]))]
        index[start] = low[start] = len(index)
        open_.append(start)
        is_open.add(start)
        while path:
            node, left = path[-1]
            nearest = next((other for other in left if other not in index or other in is_open), None)
            if nearest is not None and nearest not in index:
                index[nearest] = low[nearest] = len(index)
                open_.append(nearest)
                is_open.add(nearest)
                path.append((nearest, iter(edges[nearest])))
            elif nearest is not None:
                low[node] = min(low[node], index[nearest])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == index[node]:
                    place = open_.index(node)
                    found.append(open_[place:])
                    is_open.difference_update(open_[place:])
                    del open_[place:]
    return found


def loop(inside: set[str], into: Mapping[str, Sequence[str]], start: str) -> list[str]:
    """The shortest way from a pool back to itself through pools of `inside`, or just the pool where there is none."""
    ways = {start: [start]}
    waiting = [start]
    for code in waiting:
        for other in into[code]:
            if other == start:
                return [*ways[code], start]
            if other in inside and other not in ways:
                ways[other] = [*ways[code], other]
                waiting.append(other)
    return [start]
