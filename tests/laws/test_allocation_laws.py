"""Laws of the waterfall: money is conserved at every step, for any cells, pools and trees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apportion.allocate.allocation import Allocation, Cell, Scope
from apportion.allocate.basis import Basis, Cost, Even, Fixed
from apportion.allocate.policy import CostBasis, NegativeBasis, Pool
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.allocate.trace import pools as pools_of
from apportion.allocate.trace import trace
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.errors import PoolLoopError, ZeroBasisError
from apportion.money.currency import units_per_minor
from apportion.money.split import to_step
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod

GROUPS = ("a", "b", "c", "d")
POOLS = ("p", "q", "r")
PERIOD = BillingPeriod(2026, 10)
TREE = Tree(CostGroup(code, code) for code in GROUPS)
SCOPES = (
    Scope("One", "I-1", "", "USD"),
    Scope("One", "I-2", "", "USD"),
    Scope("Two", "", "acct", "JPY"),
    Scope("Two", "K-1", "", "KWD"),
)

targets = st.sampled_from(
    [
        *(Target(Holder.COST_GROUP, code) for code in GROUPS),
        *(Target(Holder.POOL, code) for code in POOLS),
        KEPT_CENTRAL,
        UNALLOCATED,
    ]
)
cells = st.lists(
    st.builds(
        Cell,
        st.sampled_from(["r1", "r2"]),
        targets,
        st.sampled_from(SCOPES),
        st.sampled_from(["Compute", "Storage"]),
        st.sampled_from(["Usage", "Credit"]),
        st.integers(1, 9),
        st.integers(-(10**22), 10**23),
        st.just(""),
    ),
    max_size=25,
).map(lambda found: list({_key(cell): cell for cell in found}.values()))


@st.composite
def pools(draw: st.DrawFn) -> list[Pool]:
    """Pools in any order; fixed shares only flow to pools later in the alphabet, so there is no loop."""
    made = []
    for place, code in enumerate(POOLS):
        others = draw(st.lists(st.sampled_from([*GROUPS, *POOLS[place + 1 :]]), min_size=1, unique=True))
        fixed = Fixed(tuple((other, draw(st.integers(1, 7))) for other in others))
        bases: list[Basis] = [Even(), Cost(), fixed]
        basis = draw(st.sampled_from(bases))
        made.append(Pool(code, code, basis, negative_basis=NegativeBasis.ZERO))
    return draw(st.permutations(made))


def _key(cell: Cell) -> tuple[object, ...]:
    return (cell.rule_id, cell.target, cell.scope, cell.service, cell.charge_category)


def run(found: Sequence[Cell], policy: Sequence[Pool]) -> Allocation:
    try:
        shares = share_pools(found, policy, Circumstances(TREE, PERIOD)).shares
    except ZeroBasisError:
        assume(False)
    made = lines(found, shares, TREE)
    return Allocation(PERIOD, CostBasis.BILLED, tuple(found), shares, made, "", "", "")


@given(cells, pools())
def test_every_scope_carries_what_came_in_and_its_cents_sum_to_its_rounded_total(
    found: list[Cell], policy: list[Pool]
) -> None:
    made = run(found, policy)
    for scope in SCOPES:
        brought = sum(cell.units for cell in found if cell.scope == scope)
        carried = [line for line in made.lines if line.scope == scope]
        step = units_per_minor(scope.currency)
        assert sum(line.units for line in carried) == brought
        assert sum(line.minor for line in carried) == to_step(brought, step)
        assert all(abs(line.minor * step - line.units) < step for line in carried)
        for holder in {line.holder for line in carried}:
            mine = [line for line in carried if line.holder == holder]
            assert abs(sum(line.minor for line in mine) * step - sum(line.units for line in mine)) < step


@given(cells, pools())
def test_every_pool_ends_empty_and_each_share_is_its_exact_fraction(found: list[Cell], policy: list[Pool]) -> None:
    made = run(found, policy)
    held: dict[tuple[str, Scope], int] = defaultdict(int)
    for cell in found:
        if cell.target.holder is Holder.POOL:
            held[cell.target.code, cell.scope] += cell.units
    for share in made.shares:
        held[share.pool_id, share.scope] -= share.units
        if share.target.holder is Holder.POOL:
            held[share.target.code, share.scope] += share.units
        assert abs(share.units - Fraction(share.pool_units * share.weight, share.total_weight)) < 1
    assert not any(held.values())


@given(cells, pools(), st.data())
def test_the_order_of_charges_and_pools_is_irrelevant(
    found: list[Cell], policy: list[Pool], data: st.DataObject
) -> None:
    shuffled = run(data.draw(st.permutations(found)), data.draw(st.permutations(policy)))
    assert shuffled.lines == run(found, policy).lines


@given(cells, pools())
def test_a_credit_of_everything_mirrors_everything(found: list[Cell], policy: list[Pool]) -> None:
    fixed = [replace(pool, basis=Even()) if isinstance(pool.basis, Cost) else pool for pool in policy]
    made = run(found, fixed)
    mirrored = run([cell._replace(units=-cell.units) for cell in found], fixed)
    assert [(line.units, line.minor) for line in mirrored.lines] == [(-line.units, -line.minor) for line in made.lines]


@given(cells, pools())
def test_every_line_can_be_taken_apart_down_to_cells(found: list[Cell], policy: list[Pool]) -> None:
    made = run(found, policy)
    for line in made.lines:
        traced = trace(made, line)
        if line.pool_id is None:
            assert sum(cell.units for cell in traced.cells) == line.units
        else:
            assert sum(part.share.units for part in traced.shares) == line.units
            for pool in pools_of(traced):
                received = sum(part.share.units for part in pool.received)
                assert sum(cell.units for cell in pool.cells) + received == pool.units


def test_pools_that_share_into_each_other_are_refused_and_the_loop_is_named() -> None:
    loop = [
        Pool("p", "P", Fixed((("q", 1), ("a", 1)))),
        Pool("q", "Q", Fixed((("r", 1),))),
        Pool("r", "R", Fixed((("p", 1),))),
    ]
    with pytest.raises(PoolLoopError, match="p → q → r → p"):
        share_pools([], loop, Circumstances(TREE, PERIOD))


def test_a_pool_is_shared_after_those_that_flow_into_it() -> None:
    held = Cell("r", Target(Holder.POOL, "early"), SCOPES[0], "Compute", "Usage", 1, 8)
    made = share_pools(
        [held],
        [Pool("late", "Late", Even()), Pool("early", "Early", Fixed((("late", 1),)))],
        Circumstances(TREE, PERIOD),
    )
    assert [(share.pool_id, share.target.code, share.units) for share in made.shares] == [
        ("early", "late", 8),
        *(("late", code, 2) for code in GROUPS),
    ]
