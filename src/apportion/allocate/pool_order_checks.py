"""Whether pools can be shared one after the other: no loop that the order forbids, and cost arrives in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from apportion.allocate.basis import Basis, Fixed, KeptCentral, Mix
from apportion.allocate.order import components, loop, served
from apportion.allocate.policy import Policy, Pool, PoolOrder
from apportion.allocate.recipient_checks import World
from apportion.allocate.rule import Holder, Target
from apportion.allocate.weigh import groups_of, is_linear
from apportion.errors import Mistake, Place
from apportion.organization.cost_group import Tree
from apportion.yamlfile import Key

_SOLVED = "Take one of these shares out"
_RECIPROCAL = ", or write `pool_order: reciprocal` to have the loop solved."


def check_order(world: World) -> Iterator[Mistake]:
    """Every loop, every share that its order loses, and every pool that nothing leads to."""
    policy = world.policy
    into = served(policy.pools, policy.pool_order)
    yield from _to_themselves(world)
    if policy.pool_order is PoolOrder.RECIPROCAL:
        yield from _unsolvable(world, into)
    else:
        yield from _loops(world, into)
    yield from _nothing_left(world, into)
    yield from _rest_is_lost(world, into)
    yield from _not_fed(world)


def _to_themselves(world: World) -> Iterator[Mistake]:
    for position, pool in enumerate(world.policy.pools):
        if pool.id in _named(pool):
            sentence = f"The pool '{pool.id}' shares into itself."
            place = _where(world, position, pool.id)
            yield Mistake("POOL_LOOP", sentence, place, "Take this share out: it would only come back.")


def _loops(world: World, into: Mapping[str, Sequence[str]]) -> Iterator[Mistake]:
    """Each loop once, at the share that closes it."""
    positions = {pool.id: position for position, pool in enumerate(world.policy.pools)}
    done: set[str] = set()
    for start in into:
        path: list[str] = []
        left: list[Iterator[str]] = [iter([start])]
        while left:
            code = next(left[-1], None)
            if code is None:
                left.pop()
                if path:
                    done.add(path.pop())
            elif code in path:
                way = [*path[path.index(code) :], code]
                sentence = f"Pools share into each other: {' → '.join(way)}."
                place = _where(world, positions[path[-1]], code)
                yield Mistake("POOL_LOOP", sentence, place, _SOLVED + _RECIPROCAL)
            elif code not in done:
                path.append(code)
                left.append(iter(into[code]))


def _unsolvable(world: World, into: Mapping[str, Sequence[str]]) -> Iterator[Mistake]:
    """Loops that nothing leaves, and pools in a loop whose shares depend on what they hold."""
    pools = {pool.id: (position, pool) for position, pool in enumerate(world.policy.pools)}
    feeders: dict[str, list[str]] = {code: [] for code in into}
    for code, others in into.items():
        for other in others:
            feeders[other].append(code)
    for group in components(feeders):
        if len(group) == 1:
            continue
        inside = set(group)
        first = min(group, key=lambda code: pools[code][0])
        if all(_stays(pools[code][1], inside, world.tree) for code in group):
            sentence = f"Nothing ever leaves the pools {' → '.join(loop(inside, into, first))}."
            place = world.spots.pool(pools[first][0], "share")
            yield Mistake("POOL_LOOP", sentence, place, "Give a cost group a share of one of them.")
        for code in group:
            position, pool = pools[code]
            if not is_linear(pool):
                way = " → ".join(loop(inside, into, code))
                sentence = (
                    f"The pool '{code}' is part of a loop ({way}), but how it is shared depends on what it holds."
                )
                advice = "In a loop take a basis without prices, caps, limits, amounts or cost so far."
                place = world.spots.pool(position, *_what_depends(pool))
                yield Mistake("POOL_LOOP", sentence, place, advice)


def _what_depends(pool: Pool) -> tuple[Key, ...]:
    if pool.limits is not None:
        return ("limits",)
    if pool.cap is not None:
        return ("cap",)
    for position, basis in enumerate(pool.bases):
        if not is_linear(Pool(pool.id, pool.name, basis)):
            return ("otherwise", position - 1) if position else ("share",)
    return ()


def _stays(pool: Pool, inside: set[str], tree: Tree) -> bool:
    """Whether all that a pool ever shares surely goes to pools of `inside`."""
    return all(_basis_stays(pool, basis, inside, tree) for basis in pool.bases)


def _basis_stays(pool: Pool, basis: Basis, inside: set[str], tree: Tree) -> bool:
    if isinstance(basis, KeptCentral):
        return False
    if isinstance(basis, Fixed):
        return all(code in inside for code, weight in basis.shares if weight)
    if isinstance(basis, Mix):
        return all(_basis_stays(pool, part.basis, inside, tree) for part in basis.parts)
    asked = pool.recipients
    if asked.charged_by or not inside.issuperset(asked.pools):
        return False
    return not groups_of(asked, tree) if all(code in tree for code in (*asked.groups, *asked.under)) else False


def _nothing_left(world: World, into: Mapping[str, Sequence[str]]) -> Iterator[Mistake]:
    """Fixed shares of pools alone, none of which comes after this one."""
    for position, pool in enumerate(world.policy.pools):
        if isinstance(pool.basis, Fixed):
            taking = {code for code, weight in pool.basis.shares if weight}
            if taking - {pool.id} and taking <= world.pools.keys() and not taking & set(into[pool.id]):
                sentence = f"Nobody is left to take a share of '{pool.id}': {_why(world.policy)}."
                place = world.spots.pool(position, "share")
                yield Mistake("NO_RECIPIENTS", sentence, place, "Give a cost group a share, or a pool further down.")


def _why(policy: Policy) -> str:
    if policy.pool_order is PoolOrder.DIRECT:
        return "with `pool_order: direct` no pool takes part in another"
    return "with `pool_order: declared` only pools further down take part"


def _rest_is_lost(world: World, into: Mapping[str, Sequence[str]]) -> Iterator[Mistake]:
    """A rest that goes to a pool which was shared before."""
    for position, pool in enumerate(world.policy.pools):
        if pool.cap is None or pool.cap.rest.holder is not Holder.POOL:
            continue
        code = pool.cap.rest.code
        if code in world.pools and code != pool.id and code not in into[pool.id]:
            sentence = f"The rest of '{pool.id}' cannot go to the pool '{code}': {_why(world.policy)}."
            place = world.spots.pool(position, "cap", "rest", "pool")
            yield Mistake("POOL_LOOP", sentence, place, "Move that pool further down, or write kept_central.")


def _not_fed(world: World) -> Iterator[Mistake]:
    """Pools that no rule and no share leads to: whoever reads the policy believes that they hold something."""
    policy = world.policy
    fed = {
        rule.target.code
        for rule in policy.rules
        if isinstance(rule.target, Target) and rule.target.holder is Holder.POOL
    }
    named: set[str] = set()
    for position, pool in enumerate(policy.pools):
        after = {other.id for other in policy.pools[position + 1 :]}
        codes = _named(pool) - {pool.id}
        named |= codes
        if policy.pool_order is not PoolOrder.DIRECT:
            fed |= codes & after if policy.pool_order is PoolOrder.DECLARED else codes
    for position, pool in enumerate(policy.pools):
        if pool.id in fed:
            continue
        sentence = f"No rule and no share leads to the pool '{pool.id}'."
        if pool.id in named:
            sentence = (
                f"No rule leads to the pool '{pool.id}', and the shares that do count for nothing: {_why(policy)}."
            )
        advice = "Charge something to it with {pool: …}, or delete it."
        yield Mistake("POOL_NOT_FED", sentence, world.spots.pool(position), advice)


def _named(pool: Pool) -> set[str]:
    """The pools (or cost groups) that take part of a pool by its own words."""
    rest = {pool.cap.rest.code} if pool.cap is not None and pool.cap.rest.holder is Holder.POOL else set()
    return rest.union(pool.recipients.pools, *(_fixed_names(basis) for basis in pool.bases))


def _fixed_names(basis: Basis) -> set[str]:
    if isinstance(basis, Fixed):
        return {code for code, weight in basis.shares if weight}
    if isinstance(basis, Mix):
        return {code for part in basis.parts for code in _fixed_names(part.basis)}
    return set()


def _where(world: World, position: int, code: str) -> Place:
    """Where a pool gives another a share of itself."""
    pool, spots, places = world.policy.pools[position], world.spots, world.policy.places
    if places is None:
        return pool.place
    for path in _ways_to(pool, code):
        if places.has("pools", position, *path):
            return spots.key("pools", position, *path)
    return spots.pool(position)


def _ways_to(pool: Pool, code: str) -> Iterator[tuple[Key, ...]]:
    for number, basis in enumerate(pool.bases):
        path: tuple[Key, ...] = ("otherwise", number - 1) if number else ("share",)
        yield (*path, "fixed", code)
        parts = basis.parts if isinstance(basis, Mix) else ()
        yield from ((*path, "mix", part, "by", "fixed", code) for part in range(len(parts)))
    if code in pool.recipients.pools:
        yield ("recipients", "pools", pool.recipients.pools.index(code))
    yield ("cap", "rest", "pool")
