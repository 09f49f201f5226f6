"""Laws of sharing, for every basis, order of pools, usage and sign: money is never lost and never invented."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from apportion.allocate.allocation import Cell, Scope, Share
from apportion.allocate.basis import Cost, Metered, Mix, Priced
from apportion.allocate.policy import Pool, PoolOrder, Recipients
from apportion.allocate.rule import Holder, Target
from apportion.allocate.usage import Usage, Used
from apportion.allocate.waterfall import Circumstances, Shared, lines, share_pools
from apportion.errors import AllocationRefusedError
from apportion.money.currency import units_per_minor
from apportion.money.split import to_step
from tests.laws.generated import GROUPS, PERIOD, TREE, bases, cells, meters, orders, pools, quantities, usages
from tests.often import often

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


generous = settings(
    max_examples=often(40), deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


def run(found: Sequence[Cell], policy: Sequence[Pool], order: PoolOrder, usage: Usage) -> Shared:
    """Share the pools; policies that are refused say nothing about money."""
    try:
        return share_pools(found, policy, Circumstances(TREE, PERIOD, order, usage))
    except AllocationRefusedError:
        assume(False)
        raise


def conserves(found: Sequence[Cell], shared: Shared) -> None:
    """Every pool passes on all that came in, and nothing more; every scope carries what it brought, to the cent."""
    held: dict[tuple[str, Scope], int] = defaultdict(int)
    for cell in found:
        if cell.target.holder is Holder.POOL:
            held[cell.target.code, cell.scope] += cell.units
    for share in shared.shares:
        held[share.pool_id, share.scope] -= share.units
        if share.target.holder is Holder.POOL:
            held[share.target.code, share.scope] += share.units
    assert not any(held.values())
    made = lines(found, shared.shares, TREE)
    for scope in {cell.scope for cell in found}:
        brought = sum(cell.units for cell in found if cell.scope == scope)
        mine = [line for line in made if line.scope == scope]
        assert sum(line.units for line in mine) == brought
        assert sum(line.minor for line in mine) == to_step(brought, units_per_minor(scope.currency))


def exact(shares: Sequence[Share], within: int = 1) -> None:
    """Every share is its exact fraction of what its pool passed on in the scope."""
    for share in shares:
        if share.total_weight:
            assert abs(share.units - Fraction(share.pool_units * share.weight, share.total_weight)) <= within
        else:
            assert share.units == 0


@generous
@given(cells, pools(), orders, usages)
def test_every_step_conserves(found: list[Cell], policy: list[Pool], order: PoolOrder, usage: Usage) -> None:
    shared = run(found, policy, order, usage)
    conserves(found, shared)
    exact(shared.shares)


@generous
@given(cells, pools(loops=True, linear=True), usages)
def test_loops_conserve_and_their_equations_hold(found: list[Cell], policy: list[Pool], usage: Usage) -> None:
    shared = run(found, policy, PoolOrder.RECIPROCAL, usage)
    conserves(found, shared)
    exact(shared.shares, within=2 * len(policy))


@generous
@given(cells, pools(), usages)
def test_reciprocal_is_step_down_where_nothing_serves_upstream(
    found: list[Cell], policy: list[Pool], usage: Usage
) -> None:
    shared = run(found, policy, PoolOrder.DERIVED, usage)
    assert run(found, policy, PoolOrder.RECIPROCAL, usage) == shared


@generous
@given(cells, pools(loops=True, linear=True), orders, usages, st.data())
def test_the_order_of_charges_is_irrelevant(
    found: list[Cell], policy: list[Pool], order: PoolOrder, usage: Usage, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(found))
    made = lines(found, run(found, policy, order, usage).shares, TREE)
    assert lines(shuffled, run(shuffled, policy, order, usage).shares, TREE) == made


@generous
@given(cells, pools(linear=True), usages, st.data())
def test_the_order_of_pools_is_irrelevant_where_it_is_derived(
    found: list[Cell], policy: list[Pool], usage: Usage, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(policy))
    made = lines(found, run(found, policy, PoolOrder.DERIVED, usage).shares, TREE)
    assert lines(found, run(found, shuffled, PoolOrder.DERIVED, usage).shares, TREE) == made


def follows_no_cost(pool: Pool) -> bool:
    """Whether the pool's weights are the same for charges and for credits."""
    simple = [part.basis for basis in pool.bases if isinstance(basis, Mix) for part in basis.parts]
    return not any(isinstance(basis, Cost | Priced) for basis in (*pool.bases, *simple))


@generous
@given(cells, pools(), orders, usages)
def test_credits_mirror_charges(found: list[Cell], policy: list[Pool], order: PoolOrder, usage: Usage) -> None:
    policy = [pool for pool in policy if follows_no_cost(pool)]
    ids = {pool.id for pool in policy}
    found = [cell for cell in found if cell.target.holder is not Holder.POOL or cell.target.code in ids]
    policy = [replace(pool, cap=None) for pool in policy]
    assume(all(code in ids or code in GROUPS for pool in policy for code in leads_to(pool)))
    made = lines(found, run(found, policy, order, usage).shares, TREE)
    negated = [cell._replace(units=-cell.units) for cell in found]
    mirrored = lines(negated, run(negated, policy, order, usage).shares, TREE)
    assert [(line.units, line.minor) for line in mirrored] == [(-line.units, -line.minor) for line in made]


def leads_to(pool: Pool) -> list[str]:
    """Every name in the fixed shares of a pool."""
    simple = [part.basis for basis in pool.bases if isinstance(basis, Mix) for part in basis.parts]
    return [code for basis in (*pool.bases, *simple) for code, _ in getattr(basis, "shares", ())]


@generous
@given(bases((), linear=True), usages, meters, st.sampled_from(GROUPS), quantities, st.integers(1, 10**24))
def test_more_usage_never_means_less_share(
    basis: Metered, usage: Usage, meter: Metered, code: str, more: int, held: int
) -> None:
    found = [Cell("r", Target(Holder.POOL, "p"), Scope("N", "", "", "USD"), "s", "Usage", 1, held)]
    policy = [Pool("p", "P", basis, Recipients(under=GROUPS))]
    before = run(found, policy, PoolOrder.DERIVED, usage)
    grown = Usage([*usage.used, Used(meter.metric, Target(Holder.COST_GROUP, code), (), more)])
    after = run(found, policy, PoolOrder.DERIVED, grown)
    assert share_of(after, code) >= share_of(before, code) - 3  # parts are whole units each


def share_of(shared: Shared, code: str) -> int:
    """What a cost group got, in units."""
    return sum(share.units for share in shared.shares if share.target.code == code)
