"""Laws of late corrections and of what rounding carries on: nothing is lost, whatever comes in."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion.allocate.allocation import Cell, Line, Scope, Share
from apportion.allocate.basis import Basis, Cost, Even, Fixed
from apportion.allocate.carried import carried_on
from apportion.allocate.correction_shares import Recorded, shared_as_then
from apportion.allocate.policy import Pool, PoolOrder, Recipients
from apportion.allocate.rule import UNALLOCATED, Holder, Target
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.money.amount import ONE
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


MAY = BillingPeriod(2025, 5)
CODES = ("a", "b", "c")
POOLS = ("p", "q", "r")
SCOPES = tuple(Scope("Cloud", invoice, "", "USD") for invoice in ("1", "2", "3"))
TREE = Tree(CostGroup(code, code) for code in CODES)
CENT = ONE // 100

amounts = st.integers(-(10**24), 10**24)
charges = st.integers(1, 10**24)


def group(code: str) -> Target:
    return Target(Holder.COST_GROUP, code)


def pool(code: str) -> Target:
    return Target(Holder.POOL, code)


def cell(target: Target, scope: Scope, units: int, corrects: str = "") -> Cell:
    return Cell("rule", target, scope, "Compute", "Usage", 1, units, corrects)


@st.composite
def bases(draw: st.DrawFn) -> Basis:
    weights = draw(st.lists(st.integers(0, 9), min_size=6, max_size=6))
    fixed = Fixed((*zip((*CODES, *POOLS), weights, strict=True), ("a", 1)))
    choices: list[Basis] = [Even(), Cost(), fixed]
    return draw(st.sampled_from(choices))


@st.composite
def recorded(draw: st.DrawFn) -> tuple[Recorded, tuple[Share, ...]]:
    """The shares of a month in which everybody had cost, and pools may serve each other."""
    pools = [Pool(code, code, draw(bases()), Recipients(groups=CODES, pools=POOLS)) for code in POOLS]
    cells = [cell(group(code), scope, draw(charges)) for code in CODES for scope in SCOPES[:2]]
    cells += [cell(pool(code), draw(st.sampled_from(SCOPES[:2])), draw(charges)) for code in POOLS]
    shares = share_pools(cells, pools, Circumstances(TREE, MAY, PoolOrder.RECIPROCAL)).shares
    return Recorded(pools, shares, ()), shares


@st.composite
def corrections(draw: st.DrawFn) -> list[Cell]:
    """Corrections in pools, of invoices that the month had and of one that it had not."""
    drawn = st.tuples(st.sampled_from(POOLS), st.sampled_from(SCOPES), amounts)
    return [cell(pool(code), scope, units, "2025-05") for code, scope, units in draw(st.lists(drawn, max_size=6))]


def sums(shares: tuple[Share, ...]) -> dict[tuple[Target, Scope], int]:
    found: dict[tuple[Target, Scope], int] = defaultdict(int)
    for share in shares:
        if share.target.holder is not Holder.POOL:
            found[share.target, share.scope] += share.units
    return {key: units for key, units in found.items() if units}


def is_near(one: dict[tuple[Target, Scope], int], other: dict[tuple[Target, Scope], int]) -> bool:
    """A loop is exact to as many units as it has pools, and so is each amount that passes through it."""
    return all(abs(one.get(key, 0) - other.get(key, 0)) <= 12 for key in one.keys() | other.keys())


@given(recorded(), corrections(), st.sampled_from(CODES))
def test_corrections_are_conserved_in_every_scope_and_mirrored(
    month: tuple[Recorded, tuple[Share, ...]], cells: list[Cell], gone: str
) -> None:
    def heir(target: Target) -> Target:
        return UNALLOCATED if target == group(gone) else target

    made = shared_as_then(cells, month[0], heir, "2025-05", 1)
    came: dict[Scope, int] = defaultdict(int)
    for each in cells:
        came[each.scope] += each.units
    went: dict[Scope, int] = defaultdict(int)
    for (target, scope), units in sums(made).items():
        assert target != group(gone)
        went[scope] += units
    assert {scope: units for scope, units in came.items() if units} == {s: units for s, units in went.items() if units}
    assert sum(line.units for line in lines(cells, made, TREE)) == sum(came.values())
    mirror = shared_as_then([each._replace(units=-each.units) for each in cells], month[0], heir, "2025-05", 1)
    assert is_near(sums(mirror), {key: -units for key, units in sums(made).items()})


@given(recorded())
def test_the_same_charges_once_more_go_the_same_way(month: tuple[Recorded, tuple[Share, ...]]) -> None:
    known, shares = month
    into: dict[tuple[str, Scope], int] = defaultdict(int)
    for share in shares:
        if share.target.holder is Holder.POOL:
            into[share.target.code, share.scope] += share.units
    held = {(share.pool_id, share.scope): share.pool_units for share in shares}
    again = [cell(pool(code), scope, units - into[code, scope]) for (code, scope), units in held.items()]
    made = shared_as_then(again, known, lambda target: target, "2025-05", 1)
    assert is_near(sums(shares), sums(made))


@given(st.lists(st.lists(st.tuples(st.sampled_from(CODES), amounts), max_size=4), max_size=6))
def test_over_the_months_rounding_loses_nothing(months: list[list[tuple[str, int]]]) -> None:
    left: dict[Scope, int] = {}
    exact = settled = 0
    for month in months:
        cells = [cell(group(code), SCOPES[0], units) for code, units in month]
        made: tuple[Line, ...] = lines(cells, (), TREE, left)
        carried = carried_on(made, left)
        assert {each.scope: each.units_in for each in carried if each.units_in} == left
        left = {each.scope: each.units_out for each in carried if each.units_out}
        exact += sum(line.units for line in made)
        settled += sum(line.minor for line in made) * CENT
        rest = sum(left.values())
        assert exact == settled + rest
        assert 2 * abs(rest) <= CENT
        assert all(abs(line.minor * CENT - line.units) <= CENT * 2 for line in made)
        assert all(line.units or not line.minor for line in made) or not any(cell.units for cell in cells)
