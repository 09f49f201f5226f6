"""Laws of what is passed on: every kind of charge, with every cost of it, ends with holders to the last digit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from apportion.allocate.allocation import Allocation, Cell, Scope
from apportion.allocate.basis import Even
from apportion.allocate.passed_on import InPool, PassedOn, passed_on
from apportion.allocate.policy import CostBasis, Pool, PoolOrder
from apportion.allocate.rule import Holder, Target
from apportion.allocate.usage import Usage
from apportion.allocate.waterfall import Circumstances, share_pools
from apportion.errors import AllocationRefusedError, ConservationError, InputRefusedError
from apportion.money.amount import ONE
from tests.laws.generated import PERIOD, TREE, cells, orders, pools, usages
from tests.often import often

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


CHARGED, COSTS = 1, 4
others = st.lists(st.integers(-(10**22), 10**22) | st.none(), min_size=3, max_size=3)
many = settings(max_examples=often(30), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def allocation(found: Sequence[Cell], policy: Sequence[Pool], order: PoolOrder, usage: Usage) -> Allocation:
    """The shares of these pools. Policies that are refused say nothing about money."""
    try:
        shared = share_pools(found, policy, Circumstances(TREE, PERIOD, order, usage))
    except AllocationRefusedError:
        assume(False)
        raise
    return Allocation(PERIOD, CostBasis.EFFECTIVE, tuple(found), shared.shares, (), "", "", "", shared.weighed)


def in_pools(found: Sequence[Cell], more: Sequence[Sequence[int | None]]) -> list[InPool]:
    """What the cells put into pools, each its own kind, with three costs beside the one that is charged."""
    made = []
    for place, cell in enumerate(found):
        if cell.target.holder is Holder.POOL:
            one, *rest = more[place % len(more)]
            kind = (cell.target.code, cell.rule_id, *cell.scope, cell.service, cell.charge_category)
            made.append(InPool("", cell.target.code, cell.scope, kind, (one, cell.units, *rest)))
    return made


def by_line(rows: Sequence[PassedOn]) -> dict[tuple[Target, Scope, str], int]:
    sums: dict[tuple[Target, Scope, str], int] = defaultdict(int)
    for row in rows:
        sums[row.target, row.scope, row.pool_id] += row.costs[CHARGED] or 0
    return {key: units for key, units in sums.items() if units}


@many
@given(cells, pools() | pools(loops=True, linear=True), orders, usages, st.lists(others, min_size=1, max_size=5))
def test_nothing_is_lost_of_any_cost_and_every_line_is_what_was_shared(
    found: list[Cell],
    policy: list[Pool],
    order: PoolOrder,
    usage: Usage,
    more: list[list[int | None]],
) -> None:
    made = allocation(found, policy, order, usage)
    brought = in_pools(found, more)
    rows = passed_on(made, brought, (), CHARGED, COSTS)
    for each in brought:
        mine = [row for row in rows if row.kind == each.kind]
        assert {row.scope for row in mine} <= {each.scope}
        for place, whole in enumerate(each.costs):
            assert sum(row.costs[place] or 0 for row in mine) == (whole or 0)
        assert sum(row.ratio or 0 for row in mine) == ONE
    wanted: dict[tuple[Target, Scope, str], int] = defaultdict(int)
    for share in made.shares:
        if share.target.holder is not Holder.POOL:
            wanted[share.target, share.scope, share.pool_id] += share.units
    assert by_line(rows) == {key: units for key, units in wanted.items() if units}
    assert rows == passed_on(made, brought, (), CHARGED, COSTS)


@given(st.integers(1, 10**20))
def test_charges_that_are_not_those_that_were_shared_are_refused(units: int) -> None:
    scope = Scope("One", "", "", "USD")
    cell = Cell("r", Target(Holder.POOL, "p"), scope, "Compute", "Usage", 1, units)
    made = allocation([cell], [Pool("p", "p", Even())], PoolOrder.DERIVED, Usage([]))
    wrong = InPool("", "p", scope, ("p",), (None, units + 1, None, None))
    with pytest.raises(ConservationError, match="were not what was shared"):
        passed_on(made, [wrong], (), CHARGED, COSTS)


def test_more_rows_than_memory_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    scope = Scope("One", "", "", "USD")
    cell = Cell("r", Target(Holder.POOL, "p"), scope, "Compute", "Usage", 1, 4)
    made = allocation([cell], [Pool("p", "p", Even())], PoolOrder.DERIVED, Usage([]))
    brought = [InPool("", "p", scope, ("p",), (None, 4, None, None))]
    assert len(passed_on(made, brought, (), CHARGED, COSTS)) == 4
    monkeypatch.setattr("apportion.allocate.passed_on.MOST_ROWS", 3)
    with pytest.raises(InputRefusedError, match="More than 3 rows"):
        passed_on(made, brought, (), CHARGED, COSTS)
