"""Whether the pools of a policy can be shared: recipients exist, shares end somewhere, and cost arrives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apportion.allocate.basis import Fixed
from apportion.allocate.policy import Policy, Pool
from apportion.allocate.rule import Holder, Target
from apportion.allocate.spots import Spots
from apportion.allocate.weigh import groups_of
from apportion.errors import Mistake, Place
from apportion.organization.cost_group import Organization, Tree
from apportion.organization.life import life_text, lives
from apportion.yamlfile import suggestion


def check_pools(policy: Policy, organization: Organization, tree: Tree) -> Iterator[Mistake]:
    """Every mistake in the pools. `tree` is the tree that they are shared in."""
    spots = Spots(policy)
    for position, pool in enumerate(policy.pools):
        if isinstance(pool.basis, Fixed):
            yield from _fixed(policy, position, pool.basis, organization, tree)
        else:
            yield from _recipients(policy, position, organization, tree)
    yield from _loops(policy.pools, spots)
    yield from _not_fed(policy, spots)


def _fixed(policy: Policy, position: int, basis: Fixed, organization: Organization, tree: Tree) -> Iterator[Mistake]:
    spots = Spots(policy)
    pools = {other.id for other in policy.pools}
    for code, _ in basis.shares:
        place = spots.pool_key(position, "share", "fixed", code)
        if code in pools and code in organization.codes:
            sentence = f"'{code}' is a pool and a cost group, and a share cannot tell which of them is meant."
            yield Mistake("AMBIGUOUS_NAME", sentence, place, "Give the pool another id.")
        elif code not in pools:
            yield from _known_group(code, place, organization, tree, also=pools)


def _recipients(policy: Policy, position: int, organization: Organization, tree: Tree) -> Iterator[Mistake]:
    spots, pool = Spots(policy), policy.pools[position]
    asked = pool.recipients
    found: list[Mistake] = []
    for key, codes in (("groups", asked.groups), ("under", asked.under), ("except", asked.excluded)):
        for place, code in enumerate(codes):
            there = spots.pool(position, "recipients", key, place)
            # To leave out somebody who is not there is no mistake, as long as such a group exists at all.
            among = tree if key != "except" or code not in organization.codes else None
            if among is not None:
                found += _known_group(code, there, organization, among)
    yield from found
    if not found and (mistake := _nobody(pool, tree, spots.pool(position, "recipients"))):
        yield mistake


def _known_group(
    code: str, place: Place, organization: Organization, tree: Tree, also: set[str] | None = None
) -> Iterator[Mistake]:
    if code not in organization.codes:
        what = "neither a cost group nor a pool" if also is not None else "no cost group"
        advice = suggestion(code, [*organization.codes, *sorted(also or ())])
        yield Mistake("UNKNOWN_COST_GROUP", f"'{code}' is {what}.", place, advice)
    elif code not in tree:
        life = life_text(lives(organization.versions)[code])
        sentence = f"The cost group '{code}' is in the tree only {life}."
        yield Mistake("NOT_IN_FORCE", sentence, place, "Take it out, or change its dates in the organization.")


def _nobody(pool: Pool, tree: Tree, place: Place) -> Mistake | None:
    if not groups_of(pool.recipients, tree):
        advice = "Name recipients that are in the tree, or leave out fewer."
        return Mistake("NO_RECIPIENTS", f"Nobody takes part in the pool '{pool.id}'.", place, advice)
    return None


def _loops(pools: Sequence[Pool], spots: Spots) -> Iterator[Mistake]:
    """Each loop once, at the share that closes it."""
    positions = {pool.id: position for position, pool in enumerate(pools)}
    into = {
        pool.id: [code for code, weight in pool.basis.shares if weight and code in positions]
        for pool in pools
        if isinstance(pool.basis, Fixed)
    }
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
                loop = [*path[path.index(code) :], code]
                place = spots.pool_key(positions[path[-1]], "share", "fixed", code)
                sentence = f"Pools share into each other: {' → '.join(loop)}."
                yield Mistake("POOL_LOOP", sentence, place, "Take one of these shares out.")
            elif code not in done:
                path.append(code)
                left.append(iter(into.get(code, ())))


def _not_fed(policy: Policy, spots: Spots) -> Iterator[Mistake]:
    """Pools that no rule and no share leads to: whoever reads the policy believes that they hold something."""
    fed = {
        rule.target.code
        for rule in policy.rules
        if isinstance(rule.target, Target) and rule.target.holder is Holder.POOL
    }
    fed |= {
        code for pool in policy.pools if isinstance(pool.basis, Fixed) for code, weight in pool.basis.shares if weight
    }
    for position, pool in enumerate(policy.pools):
        if pool.id not in fed:
            sentence = f"No rule and no share leads to the pool '{pool.id}'."
            advice = "Charge something to it with {pool: …}, or delete it."
            yield Mistake("POOL_NOT_FED", sentence, spots.pool(position), advice)
