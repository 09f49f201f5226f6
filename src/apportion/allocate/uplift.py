"""Surcharges on what cost groups carry: a percentage, or a fixed amount for each. Nothing is added to the total.

What is charged to cost groups is taken off what is kept central: the centre recovers its own cost that way, and where
it recovers more than it has, what is kept central goes below zero for everybody to see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from apportion.allocate.allocation import Cell, Scope, Share
from apportion.allocate.basis import Amount
from apportion.allocate.policy import Uplift
from apportion.allocate.rule import KEPT_CENTRAL, Holder, Target
from apportion.allocate.weigh import groups_of
from apportion.errors import AllocationRefusedError
from apportion.money.amount import half_even
from apportion.organization.cost_group import Tree

_Carried = dict[Scope, dict[Target, int]]


def uplifted(
    uplifts: Sequence[Uplift], cells: Sequence[Cell], shares: Sequence[Share], tree: Tree
) -> tuple[Share, ...]:
    """Shares that charge each uplift in turn, a step each after those of `shares`; in a scope they sum to zero.

    A percentage is taken of what a cost group carries in a scope, earlier uplifts included, to the nearest 10⁻¹⁸. A
    fixed amount stands in the scope of its currency that cost most. Corrections of other periods are left alone.
    Raises `AllocationRefusedError` where nobody takes part, and where nothing costs a fixed amount's currency.
    """
    carried: _Carried = defaultdict(lambda: defaultdict(int))
    cost: dict[Scope, int] = defaultdict(int)
    for cell in cells:
        if not cell.corrects:
            carried[cell.scope][cell.target] += cell.units
            cost[cell.scope] += cell.units
    for share in shares:
        if not share.corrects:
            carried[share.scope][share.target] += share.units
    step = max((share.step for share in shares), default=0)
    made: list[Share] = []
    for uplift in uplifts:
        step += 1
        groups = groups_of(uplift.recipients, tree, cells)
        if not groups:
            raise AllocationRefusedError(
                f"Nobody takes part in uplift '{uplift.id}'.",
                place=uplift.place,
                advice="Name recipients that are in the tree in this period.",
            )
        targets = [Target(Holder.COST_GROUP, code) for code in groups]
        for scope, amounts in _charged(uplift, targets, carried, cost).items():
            mine = _shares(step, uplift, scope, amounts, carried[scope])
            for share in mine:
                carried[scope][share.target] += share.units
            made += mine
    return tuple(made)


def _charged(
    uplift: Uplift, targets: Sequence[Target], carried: _Carried, cost: Mapping[Scope, int]
) -> dict[Scope, dict[Target, int]]:
    """What each cost group is charged in each scope."""
    if uplift.fixed is not None:
        scope = _largest(uplift, uplift.fixed, cost)
        return {scope: dict.fromkeys(targets, uplift.fixed.units)}
    if uplift.percent is None:
        return {}
    part, whole = uplift.percent.numerator, uplift.percent.denominator
    return {
        scope: {target: half_even(carried[scope].get(target, 0) * part, whole) for target in targets}
        for scope in sorted(carried)
    }


def _largest(uplift: Uplift, fixed: Amount, cost: Mapping[Scope, int]) -> Scope:
    """The scope that cost most; of equal ones the first."""
    scopes = [scope for scope in cost if scope.currency == fixed.currency]
    if not scopes:
        raise AllocationRefusedError(
            f"Uplift '{uplift.id}' is in {fixed.currency}, but nothing of the period costs {fixed.currency}.",
            place=uplift.place,
            advice="Give the amount in a currency that the providers bill in.",
        )
    return min(scopes, key=lambda scope: (-cost[scope], scope))


def _shares(
    step: int, uplift: Uplift, scope: Scope, amounts: Mapping[Target, int], carried: Mapping[Target, int]
) -> list[Share]:
    """One share for each cost group that is charged something, and what kept central is relieved of."""
    total = sum(amounts.values())
    base = sum(carried.get(target, 0) for target in amounts)
    charged = [
        Share(step, uplift.id, target, scope, units, carried.get(target, 0), base, 0)
        for target, units in amounts.items()
        if units
    ]
    if not charged:
        return []
    return [*charged, Share(step, uplift.id, KEPT_CENTRAL, scope, -total, base, base, 0)]
