"""Cells, pools and usage for examples of the waterfall: amounts and quantities as text, results as fractions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction

from apportion.allocate.allocation import Cell, Line, Scope
from apportion.allocate.policy import Pool, PoolOrder
from apportion.allocate.rule import KEPT_CENTRAL, Holder, Target
from apportion.allocate.usage import Usage, Used
from apportion.allocate.waterfall import Circumstances, Shared, lines, share_pools
from apportion.money.amount import ONE, units
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod

PERIOD = BillingPeriod(2026, 10)
SCOPE = Scope("Northwind Cloud", "", "", "USD")


def target(code: str, pools: Sequence[Pool]) -> Target:
    """A pool of that id, or else a cost group; an empty code is kept central."""
    if not code:
        return KEPT_CENTRAL
    return Target(Holder.POOL if code in {pool.id for pool in pools} else Holder.COST_GROUP, code)


def cells(costs: Mapping[str, str], pools: Sequence[Pool], scope: Scope = SCOPE) -> list[Cell]:
    """One cell for each cost, by cost group or pool."""
    return [
        Cell(f"to-{code}", target(code, pools), scope, "Compute", "Usage", 1, units(cost))
        for code, cost in costs.items()
    ]


def usage(metrics: Mapping[str, Mapping[str, str]], pools: Sequence[Pool]) -> Usage:
    """Metrics with the quantity of each consumer."""
    return Usage(
        Used(metric, target(code, pools), (), units(value))
        for metric, values in metrics.items()
        for code, value in values.items()
    )


class Result:
    """What came out, in main units of the currency."""

    def __init__(self, shared: Shared, made: Sequence[Line]) -> None:
        self.shared, self.lines = shared, made

    @property
    def carried(self) -> dict[str, Fraction]:
        """What each holder carries, to 10⁻¹⁸."""
        found: dict[str, int] = defaultdict(int)
        for line in self.lines:
            found[str(line.holder)] += line.units
        return {holder: Fraction(amount, ONE) for holder, amount in found.items()}

    @property
    def cents(self) -> dict[str, int]:
        """What each holder carries, settled."""
        found: dict[str, int] = defaultdict(int)
        for line in self.lines:
            found[str(line.holder)] += line.minor
        return dict(found)

    def passed(self, pool: str) -> Fraction:
        """What a pool passed on."""
        amounts = {share.scope: share.pool_units for share in self.shared.shares if share.pool_id == pool}
        return Fraction(sum(amounts.values()), ONE)

    def part(self, pool: str, to: str) -> Fraction:
        """What a recipient got of a pool."""
        return Fraction(
            sum(share.units for share in self.shared.shares if (share.pool_id, str(share.target)) == (pool, to)), ONE
        )


def shared(
    costs: Mapping[str, str],
    pools: Sequence[Pool],
    groups: Sequence[str],
    *,
    order: PoolOrder = PoolOrder.DERIVED,
    metered: Mapping[str, Mapping[str, str]] | None = None,
    scope: Scope = SCOPE,
) -> Result:
    """Share pools among cost groups without any tree, in one scope."""
    tree = Tree(CostGroup(code, code) for code in groups)
    given = Circumstances(tree, PERIOD, order, usage(metered or {}, pools))
    found = cells(costs, pools, scope)
    made = share_pools(found, pools, given)
    return Result(made, lines(found, made.shares, tree))


def near(one: Fraction, other: Fraction, within: int = 10) -> bool:
    """Whether two amounts differ by no more than `within` units of 10⁻¹⁸."""
    return abs(one - other) * ONE <= within
