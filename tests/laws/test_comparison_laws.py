"""Laws of comparing: parts sum to differences, differences to nothing, and the same twice shows nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apportion.allocate.allocation import Allocation, Cell, Scope
from apportion.allocate.allocator import Decision
from apportion.allocate.basis import Basis, Cost, Even, Fixed
from apportion.allocate.policy import CostBasis, NegativeBasis, Policy, Pool, PoolOrder
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.close.bridge import Cause, bridge
from apportion.close.compare import Comparison, Why, compare
from apportion.close.run import Run
from apportion.errors import AllocationRefusedError
from apportion.organization.cost_group import CostGroup, Organization
from apportion.periods import BillingPeriod
from apportion.settings import Settings
from apportion.warehouse.crossing import Crossed

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


PERIOD = BillingPeriod(2026, 10)
GROUPS, POOLS = ("a", "b", "c", "d"), ("p", "q")
SCOPES = (Scope("One", "I-1", "", "USD"), Scope("One", "I-2", "", "USD"), Scope("Two", "J", "", "JPY"))
TARGETS = (
    *(Target(Holder.COST_GROUP, code) for code in GROUPS),
    *(Target(Holder.POOL, code) for code in POOLS),
    KEPT_CENTRAL,
    UNALLOCATED,
)
Charge = tuple[int, int, Scope, int]  # the place of its target before and after, its scope, its units

charges = st.lists(
    st.tuples(
        st.integers(0, len(TARGETS) - 1),
        st.integers(0, len(TARGETS) - 1),
        st.sampled_from(SCOPES),
        st.integers(-(10**20), 10**21),
    ),
    min_size=1,
    max_size=12,
)


@st.composite
def policies(draw: st.DrawFn) -> tuple[Pool, ...]:
    """Two pools, of which the first may serve the second."""
    made = []
    for place, code in enumerate(POOLS):
        others = draw(st.lists(st.sampled_from([*GROUPS, *POOLS[place + 1 :]]), min_size=1, unique=True))
        fixed = Fixed(tuple((other, draw(st.integers(1, 7))) for other in others))
        bases: list[Basis] = [Even(), Cost(), fixed]
        made.append(Pool(code, code, draw(st.sampled_from(bases)), negative_basis=NegativeBasis.ZERO))
    return tuple(made)


@st.composite
def trees(draw: st.DrawFn) -> Organization:
    """The four groups at the top, or below one of two divisions."""
    above = st.sampled_from([None, "north", "south"])
    divisions = [CostGroup("north", "North"), CostGroup("south", "South")]
    return Organization((*divisions, *(CostGroup(code, code.upper(), draw(above)) for code in GROUPS)), "digest")


orders = st.sampled_from([PoolOrder.DERIVED, PoolOrder.DECLARED, PoolOrder.DIRECT])
sides = st.tuples(policies(), trees(), orders)
Side = tuple[tuple[Pool, ...], Organization, PoolOrder]


def run(found: Sequence[tuple[int, Scope, int]], side: Side) -> Run:
    pools, organization, order = side
    sums: dict[tuple[int, Scope], int] = defaultdict(int)
    for place, scope, units in found:
        sums[place, scope] += units
    cells = tuple(
        Cell(f"r{place}", TARGETS[place], scope, "Compute", "Usage", 1, units)
        for (place, scope), units in sorted(sums.items())
    )
    tree = organization.during(PERIOD.starts_on, PERIOD.ends_on)
    try:
        shares = share_pools(cells, pools, Circumstances(tree, PERIOD, order)).shares
    except AllocationRefusedError:
        assume(False)
    made = Allocation(PERIOD, CostBasis.BILLED, cells, shares, lines(cells, shares, tree), "", "", "")
    decisions = tuple(Decision(f"r{place}", target) for place, target in enumerate(TARGETS))
    policy = Policy("policy", CostBasis.BILLED, (), pools, "", order)
    return Run(Path(), "", made, decisions, Settings(company="Law Ltd"), policy, organization)


def compared(found: Sequence[Charge], one: Side, other: Side) -> Comparison:
    before = run([(was, scope, units) for was, _, scope, units in found], one)
    after = run([(now, scope, units) for _, now, scope, units in found], other)
    flows: dict[tuple[int, int, str], list[int]] = defaultdict(list)
    for was, now, scope, units in found:
        flows[was, now, scope.currency].append(units)
    crossed = [Crossed(*key, len(each), sum(each), sum(each)) for key, each in sorted(flows.items())]
    return compare(before, after, crossed)


@given(charges, sides, sides)
def test_parts_sum_to_differences_and_differences_to_nothing(found: list[Charge], one: Side, other: Side) -> None:
    made = compared(found, one, other)
    for change in made.changes:
        assert sum(part.minor for part in change.parts) == change.minor
        assert all(part.minor for part in change.parts)
        assert all(part.why not in (Why.OTHER, Why.COST_BASIS, Why.AGREED) for part in change.parts)
        assert all(abs(part.minor) <= 2 * len(SCOPES) for part in change.parts if part.why is Why.CENTS)
    for total in made.totals:
        assert sum(change.minor for change in made.changes if change.currency == total.currency) == 0
        assert total.before == total.after


@given(charges, sides)
def test_the_same_twice_shows_nothing(found: list[Charge], side: Side) -> None:
    made = compared([(was, was, scope, units) for was, _, scope, units in found], side, side)
    assert made.changed == ()
    assert all(change.parts == () for change in made.changes)


@given(charges, sides, sides)
def test_the_way_back_is_the_opposite(found: list[Charge], one: Side, other: Side) -> None:
    there = compared(found, one, other)
    back = compared([(now, was, scope, units) for was, now, scope, units in found], other, one)
    assert {(change.holder, change.currency): change.minor for change in there.changed} == {
        (change.holder, change.currency): -change.minor for change in back.changed
    }


@given(charges, sides, sides)
def test_every_step_of_the_bridge_adds_up_at_every_level(found: list[Charge], one: Side, other: Side) -> None:
    made = compared(found, one, other)
    steps = bridge(made, made.before.tree, made.after.tree)
    for step in steps:
        assert step.before - step.moved_out + step.moved_in == step.after
    for total in made.totals:
        tops = [step for step in steps if step.currency == total.currency and step.depth == 0]
        assert sum(step.after for step in tops) == total.after


@given(charges, trees(), trees())
def test_where_only_the_tree_is_another_nobody_pays_more(
    found: list[Charge], one: Organization, other: Organization
) -> None:
    """With agreed shares, a team that moves takes along what it carries, and nothing else."""
    same = [(was, was, scope, units) for was, _, scope, units in found]
    pools = (Pool("p", "p", Fixed((("a", 1), ("q", 2)))), Pool("q", "q", Fixed((("b", 2), ("c", 1)))))
    made = compared(same, (pools, one, PoolOrder.DERIVED), (pools, other, PoolOrder.DERIVED))
    assert made.changed == ()
    for step in bridge(made, made.before.tree, made.after.tree):
        assert {moved.cause for moved in step.moved} <= {Cause.GROUPS}
