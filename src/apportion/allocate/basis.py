"""What a pool's split follows: one non-negative integer weight for each recipient.

A new method is a new function here and a new case in `weights`; everything after it (division, settlement,
trace) is the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apportion.allocate.policy import Method, NegativeBasis, Pool
from apportion.allocate.rule import Holder, Target
from apportion.errors import AllocationRefusedError, NegativeBasisError, ZeroBasisError
from apportion.money.amount import plain
from apportion.organization.cost_group import Tree

DirectCost = Mapping[str, int]


def recipients(pool: Pool, tree: Tree) -> tuple[str, ...]:
    """The cost groups that take part in a pool that is shared evenly or in proportion, in the tree's order.

    Raises `AllocationRefusedError` when nobody is left.
    """
    asked = pool.recipients
    if asked.groups or asked.under:
        leaves = set(tree.leaves())
        taking = set(asked.groups).union(*(leaves.intersection(tree.below(code)) for code in asked.under))
        for code in asked.groups:
            tree[code]
    else:
        taking = set(tree.leaves())
    taking.difference_update(*(tree.below(code) for code in asked.excluded if code in tree))
    found = tuple(code for code in tree if code in taking)
    if not found:
        raise AllocationRefusedError(
            f"Nobody takes part in pool '{pool.id}'.",
            place=pool.place,
            advice="Name recipients that are in the tree in this period.",
        )
    return found


def weights(
    pool: Pool, tree: Tree, pools: Sequence[str], direct: DirectCost, currency: str
) -> tuple[tuple[Target, int], ...]:
    """Recipients and their weights, in order; the weights add up to more than zero.

    `direct` is the direct cost of each cost group in units of 10⁻¹⁸ of `currency`. Raises `ZeroBasisError` or
    `NegativeBasisError` where money would be lost, `NotFoundError` for a cost group that is not in the tree.
    """
    if pool.method is Method.FIXED:
        found = tuple((_share_target(code, tree, pools), weight) for code, weight in pool.shares)
    else:
        groups = recipients(pool, tree)
        if pool.method is Method.EVEN:
            found = tuple((Target(Holder.COST_GROUP, code), 1) for code in groups)
        else:
            found = _proportional(pool, groups, direct, currency)
    if sum(weight for _, weight in found) == 0:
        raise ZeroBasisError(
            f"Pool '{pool.id}' holds {currency}, but its recipients have no direct cost in {currency} to share it by.",
            place=pool.place,
            advice="Share it evenly or by fixed shares, or choose recipients that have cost.",
        )
    return found


def _proportional(
    pool: Pool, groups: Sequence[str], direct: DirectCost, currency: str
) -> tuple[tuple[Target, int], ...]:
    found = []
    for code in groups:
        weight = direct.get(code, 0)
        if weight < 0:
            if pool.negative_basis is NegativeBasis.REFUSE:
                raise NegativeBasisError(
                    f"The direct cost of '{code}' is {plain(weight)} {currency}; pool '{pool.id}' cannot follow it.",
                    place=pool.place,
                    advice="Write `negative_basis: zero` in the pool to leave such cost groups out.",
                )
            weight = 0
        found.append((Target(Holder.COST_GROUP, code), weight))
    return tuple(found)


def _share_target(code: str, tree: Tree, pools: Sequence[str]) -> Target:
    if code in pools:
        return Target(Holder.POOL, code)
    return Target(Holder.COST_GROUP, tree[code].code)
