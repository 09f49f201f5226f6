"""Pools for the measurements of sharing: in stages by metered usage, all the same, and many that serve each other."""

from __future__ import annotations

import random
from dataclasses import replace

from apportion.allocate.allocation import Cell, Scope
from apportion.allocate.basis import Even, Fixed, Metered
from apportion.allocate.policy import Policy, Pool, Recipients
from apportion.allocate.rule import Holder, Target
from apportion.allocate.usage import Usage, Used
from apportion.money.amount import ONE
from apportion.organization.cost_group import CostGroup, Tree
from bench import policies

STAGES = 5


def even(policy: Policy) -> Policy:
    """Every pool shared evenly among all cost groups."""
    return replace(policy, pools=tuple(Pool(pool.id, pool.name, Even()) for pool in policy.pools))


def staged(policy: Policy) -> tuple[Policy, Usage]:
    """The pools in five stages, each by a metric of its own among all cost groups and all pools of later stages."""
    chance = random.Random(len(policy.pools))
    codes = [pool.id for pool in policy.pools]
    size = -(-len(codes) // STAGES)
    pools, used = [], []
    for place, pool in enumerate(policy.pools):
        later = tuple(codes[(place // size + 1) * size :])
        recipients = Recipients(under=tuple(f"c{company}" for company in range(policies.COMPANIES)), pools=later)
        pools.append(Pool(pool.id, pool.name, Metered(f"metric-{place}"), recipients))
        consumers = [Target(Holder.COST_GROUP, code) for code in policies.LEAVES]
        consumers += [Target(Holder.POOL, code) for code in later]
        used += [Used(f"metric-{place}", target, (), chance.randint(1, 10**9) * ONE // 1000) for target in consumers]
    return replace(policy, pools=tuple(pools)), Usage(used)


def reciprocal(groups: int, pools: int, recipients: int) -> tuple[list[Cell], list[Pool], Tree]:
    """Pools that all serve each other and so many cost groups each, with cost in one scope."""
    chance = random.Random(groups * pools)
    codes = [f"pool-{place}" for place in range(pools)]
    leaves = [f"group-{place}" for place in range(groups)]
    scope = Scope("Provider", "", "", "USD")
    made, cells = [], []
    for code in codes:
        shares = [(other, chance.randint(1, 1000)) for other in codes if other != code]
        shares += [(leaf, chance.randint(1, 10_000)) for leaf in chance.sample(leaves, recipients)]
        made.append(Pool(code, code, Fixed(tuple(shares))))
        cells.append(Cell("rule", Target(Holder.POOL, code), scope, "Compute", "Usage", 1, chance.randint(1, 10**24)))
    return cells, made, Tree(CostGroup(leaf, leaf) for leaf in leaves)
