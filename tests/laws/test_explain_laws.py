"""Laws of explaining, for every basis and order of pools: what is taken apart adds up, forwards and backwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from apportion.allocate.allocation import Allocation, Cell, Scope
from apportion.allocate.basis import Mix
from apportion.allocate.onward import onward
from apportion.allocate.policy import CostBasis, Policy, Pool, PoolOrder
from apportion.allocate.rule import Holder, Target
from apportion.allocate.trace import ShareTrace, trace
from apportion.allocate.usage import Usage
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.errors import AllocationRefusedError, NotFoundError
from apportion.invoice.render import json_text
from apportion.invoice.statement import statements
from tests.laws.generated import PERIOD, TREE, cells, orders, pools, usages
from tests.often import often

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


few = settings(
    max_examples=often(25), deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
# Any policy under any order; and such as may be solved together, which refuses less.
policies = st.one_of(
    st.tuples(pools(), orders), st.tuples(pools(loops=True, linear=True), st.just(PoolOrder.RECIPROCAL))
)


def allocated(found: Sequence[Cell], policy: Sequence[Pool], order: PoolOrder, usage: Usage) -> Allocation:
    """The month; policies that are refused have nothing to explain."""
    try:
        made = share_pools(found, policy, Circumstances(TREE, PERIOD, order, usage))
    except AllocationRefusedError:
        assume(False)
        raise
    carried = lines(found, made.shares, TREE)
    return Allocation(
        PERIOD, CostBasis.BILLED, tuple(found), made.shares, carried, "", "", "", weighed=made.weighed
    )  # fmt: skip


@few
@given(cells, policies, usages)
def test_every_line_is_taken_apart_into_pools_that_add_up(
    found: list[Cell], policy: tuple[list[Pool], PoolOrder], usage: Usage
) -> None:
    made = allocated(found, *policy, usage)
    for line in made.lines:
        traced = trace(made, line, policy[0])
        parts = (cell.units for cell in traced.cells) if traced.cells else (each.share.units for each in traced.shares)
        assert sum(parts) == line.units
        held = {pool.pool_id: pool.units for pool in traced.pools}
        assert len(held) == len(traced.pools)
        for pool in traced.pools:
            received = sum(part.share.units for part in pool.received)
            assert sum(cell.units for cell in pool.cells) + received == pool.units
        for part in (*traced.shares, *(part for pool in traced.pools for part in pool.received)):
            share = part.share
            assert held.get(share.pool_id, 0) == share.pool_units
            loop = len(part.based.loop) if part.based else 0
            exact = Fraction(share.pool_units * share.weight, share.total_weight)
            assert abs(share.units - exact) <= 1 + 2 * loop
            if part.parts:
                assert sum(one.units for one in part.parts) == share.units
                whole = sum(one.size * Fraction(one.weight, one.total_weight) for one in part.parts)
                assert abs(whole - Fraction(share.weight, share.total_weight)) <= slack(part)


def slack(part: ShareTrace) -> Fraction:
    """A mix of shares is exact; one of given amounts is rounded to 10⁻¹⁸ part by part."""
    if part.based is None or not isinstance(part.based.basis, Mix) or part.based.basis.is_proportional:
        return Fraction(0)
    return Fraction(2 * len(part.parts), abs(part.based.amount) or 1)


@few
@given(cells, policies, usages)
def test_every_share_has_its_sentence_and_every_statement_is_read_back(
    found: list[Cell], policy: tuple[list[Pool], PoolOrder], usage: Usage
) -> None:
    made = allocated(found, *policy, usage)
    for each in statements(made, TREE, Policy("P", CostBasis.BILLED, (), tuple(policy[0]), ""), "ST"):
        assert all(line.reason for line in each.lines)
        assert all(line.method for line in each.lines if line.pool_id)
        assert json_text.parse(json_text.render(each)) == each


@few
@given(cells, policies, usages)
def test_every_cell_arrives_whole_and_all_of_them_are_the_shares(
    found: list[Cell], policy: tuple[list[Pool], PoolOrder], usage: Usage
) -> None:
    made = allocated(found, *policy, usage)
    arrived: dict[tuple[Target, Scope, str], int] = defaultdict(int)
    divisions = 0
    for cell in found:
        try:
            passed = onward(made, cell.target, cell.scope, cell.units)
        except NotFoundError:
            assume(False)
        for through in passed:
            assert sum(part.units for part in through.parts) == through.units
            divisions += len(through.parts) + len(through.loop)
        ends = [
            (part.target, cell.scope, through.pool_id, part.units)
            for through in passed
            for part in through.parts
            if part.target.holder is not Holder.POOL
        ]
        if cell.target.holder is Holder.POOL:
            assert sum(units for *_, units in ends) == cell.units
        for target, scope, pool_id, units in ends:
            arrived[target, scope, pool_id] += units
    shared: dict[tuple[Target, Scope, str], int] = defaultdict(int)
    for share in made.shares:
        if share.target.holder is not Holder.POOL:
            shared[share.target, share.scope, share.pool_id] += share.units
    for key in arrived.keys() | shared.keys():
        assert abs(arrived[key] - shared[key]) <= 4 * divisions + 4
