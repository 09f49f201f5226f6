"""Whether the pools of a policy can be shared: who takes part exists, and every way of sharing can be reached."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from apportion.allocate.basis import Basis, Cost, Even, Fixed, KeptCentral, Mix
from apportion.allocate.policy import Policy, Pool, PoolOrder
from apportion.allocate.pool_order_checks import check_order
from apportion.allocate.recipient_checks import Entry, World, check_group, check_in_force, check_recipients
from apportion.allocate.rule import Holder
from apportion.errors import Mistake
from apportion.organization.cost_group import Organization, Tree
from apportion.yamlfile import Key, suggestion


class Placed(NamedTuple):
    """A basis and the path from its pool to it."""

    path: tuple[Key, ...]
    basis: Basis


def check_pools(policy: Policy, organization: Organization, tree: Tree) -> Iterator[Mistake]:
    """Every mistake in the pools. `tree` is the tree that they are shared in."""
    world = World(policy, organization, tree)
    for position, pool in enumerate(policy.pools):
        entry = Entry("pools", position, "pool", pool.id)
        yield from check_recipients(world, entry, pool.recipients)
        for placed in parts_of(pool):
            yield from _basis(world, entry, placed)
        yield from _rest(world, entry, pool)
        yield from _unreachable(world, entry, pool)
    yield from check_order(world)


def bases_of(pool: Pool) -> list[Placed]:
    """The basis of a pool and those that it falls back on."""
    return [Placed(("share",), pool.basis)] + [
        Placed(("otherwise", position), basis) for position, basis in enumerate(pool.otherwise)
    ]


def parts_of(pool: Pool) -> list[Placed]:
    """Like `bases_of`, with the bases of its parts in place of each mix."""
    found = []
    for placed in bases_of(pool):
        if isinstance(placed.basis, Mix):
            parts = enumerate(placed.basis.parts)
            found += [Placed((*placed.path, "mix", position, "by"), part.basis) for position, part in parts]
        else:
            found.append(placed)
    return found


def _basis(world: World, entry: Entry, placed: Placed) -> Iterator[Mistake]:
    if isinstance(placed.basis, Fixed):
        yield from _fixed(world, entry, placed.path, placed.basis)
    elif isinstance(placed.basis, Cost):
        for position, code in enumerate(placed.basis.under):
            yield from check_group(world, code, entry.at(world, *placed.path, "direct_cost", "under", position))


def _fixed(world: World, entry: Entry, path: tuple[Key, ...], basis: Fixed) -> Iterator[Mistake]:
    pools, known = world.pools, world.codes
    for code, _ in basis.shares:
        place = world.spots.key(entry.listed, entry.position, *path, "fixed", code)
        if code in pools and code in known:
            sentence = f"'{code}' is a pool and a cost group, and a share cannot tell which of them is meant."
            yield Mistake("AMBIGUOUS_NAME", sentence, place, "Give the pool another id.")
        elif code not in pools and code not in known:
            sentence = f"'{code}' is neither a cost group nor a pool."
            yield Mistake("UNKNOWN_COST_GROUP", sentence, place, suggestion(code, [*known, *sorted(pools)]))
        elif code not in pools:
            yield from check_in_force(world, code, place)


def _rest(world: World, entry: Entry, pool: Pool) -> Iterator[Mistake]:
    """Where the rest of a cap goes."""
    if pool.cap is None:
        return
    rest = pool.cap.rest
    if rest.holder is Holder.COST_GROUP:
        yield from check_group(world, rest.code, entry.at(world, "cap", "rest", "cost_group"))
    elif rest.holder is Holder.POOL and rest.code not in world.pools:
        advice = suggestion(rest.code, world.pools)
        if rest.code in world.codes:
            advice = f"It is a cost group: write {{cost_group: {rest.code}}}."
        place = entry.at(world, "cap", "rest", "pool")
        yield Mistake("UNKNOWN_POOL", f"There is no pool '{rest.code}'.", place, advice)


def _unreachable(world: World, entry: Entry, pool: Pool) -> Iterator[Mistake]:
    """The first basis that is never tried, because one before it can always be followed or is the same."""
    found = bases_of(pool)
    for place, (before, after) in enumerate(itertools.pairwise(found)):
        there = entry.at(world, *after.path)
        if _never_fails(before.basis, world.policy, place_of_pool=entry.position):
            words = "Nothing here is ever tried: what stands before it can always be followed."
            yield Mistake("UNREACHABLE_BASIS", words, there, "Leave it out, or move it further up.")
            return
        if after.basis in [basis for _, basis in found[: place + 1]]:
            sentence = "The same way of sharing was tried before, and will fail again."
            yield Mistake("UNREACHABLE_BASIS", sentence, there, "Leave it out, or name another.")


def _never_fails(basis: Basis, policy: Policy, place_of_pool: int) -> bool:
    """Whether a basis can be followed in every month, as far as somebody takes part at all."""
    if isinstance(basis, Mix):
        return basis.is_proportional and all(_never_fails(part.basis, policy, place_of_pool) for part in basis.parts)
    if not isinstance(basis, Fixed):
        return isinstance(basis, Even | KeptCentral)
    # Of fixed shares only those of pools that take none under the order of pools fall out.
    later = {pool.id for pool in policy.pools[place_of_pool + 1 :]}
    pools = {pool.id for pool in policy.pools}
    if policy.pool_order is PoolOrder.DIRECT:
        out = pools
    elif policy.pool_order is PoolOrder.DECLARED:
        out = pools - later
    else:
        out = {policy.pools[place_of_pool].id}
    return any(weight and code not in out for code, weight in basis.shares)
