"""The method lab on W8 of the worked examples, whose figures are known for every method."""

from __future__ import annotations

from fractions import Fraction

import pytest

from apportion.allocate import lab as lab_room
from apportion.allocate.allocation import Cell, Share
from apportion.allocate.basis import Cost, Fixed
from apportion.allocate.lab import Lab, Way, lab
from apportion.allocate.policy import Pool, PoolOrder
from apportion.allocate.rule import Holder, Target
from apportion.allocate.waterfall import Circumstances, Shared
from apportion.errors import ConservationError, InputRefusedError
from apportion.money.amount import ONE, units
from apportion.organization.cost_group import CostGroup, Tree
from tests.examples.sharing import PERIOD, SCOPE, cells


def fixed(pool: str, **shares: int) -> Pool:
    return Pool(pool, pool, Fixed(tuple(shares.items())))


W8 = (
    fixed("hr", dp=20, rm=10, machining=40, assembly=30),
    fixed("dp", hr=8, rm=7, machining=30, assembly=55),
    fixed("rm", machining=50, assembly=50),
)
DIRECT = {"hr": "80000", "dp": "120000", "rm": "40000"}
GROUPS = ("machining", "assembly")
TREE = Tree(CostGroup(code, code) for code in GROUPS)
MACHINING = (Target(Holder.COST_GROUP, "machining"), "USD")


def made(pools: tuple[Pool, ...] = W8, costs: dict[str, str] = DIRECT, **asked: int | tuple[str, ...]) -> Lab:
    given = Circumstances(TREE, PERIOD, PoolOrder.RECIPROCAL)
    return lab(cells(costs, pools), pools, given, **asked)  # type: ignore[arg-type]


def cents(amount: int) -> str:
    return f"{amount / ONE:.4f}"


def test_every_method_gives_its_known_figure() -> None:
    found = made()
    assert found.pools == ("hr", "dp", "rm")
    ways = {tried.way: cents(tried.carried[MACHINING]) for tried in found.ways}
    assert ways == {Way.POLICY: "107276.4228", Way.DIRECT: "108067.2269", Way.RECIPROCAL: "107276.4228"}
    steps = {tried.order: cents(tried.carried[MACHINING]) for tried in found.step_down}
    assert len(steps) == 6
    assert steps["hr", "dp", "rm"] == "105521.7391"
    assert steps["dp", "hr", "rm"] == "110600.0000"


def test_shapley_is_the_mean_over_all_orders_and_lies_within_the_spread() -> None:
    found = made()
    assert found.shapley is not None
    assert found.shapley.is_exact
    values = [tried.carried[MACHINING] for tried in found.step_down]
    assert found.shapley.mean[MACHINING] == Fraction(sum(values), 6)
    assert found.spread(MACHINING) == (min(values), max(values))
    assert sum(found.shapley.whole().values()) == units("240000") == found.total["USD"]


def test_many_pools_are_a_sample_with_its_error() -> None:
    chain = tuple(
        fixed(f"p{place}", **{f"p{(place + 1) % 6}": 1, "machining": 1 + place, "assembly": 9}) for place in range(6)
    )
    costs = {pool.id: "1000" for pool in chain}
    found = made(chain, costs, samples=30, seed=3)
    assert not found.is_all
    assert len(found.step_down) == 30
    assert found == made(chain, costs, samples=30, seed=3)
    assert found.shapley is not None
    assert not found.shapley.is_exact
    assert found.shapley.error[MACHINING] > 0
    exact = made(chain, costs, most_pools=6)
    assert exact.is_all
    assert exact.shapley is not None
    off = abs(exact.shapley.mean[MACHINING] - found.shapley.mean[MACHINING])
    assert 0 < off <= 3 * found.shapley.error[MACHINING]


def test_pools_that_serve_nobody_keep_their_places() -> None:
    pools = (fixed("alone", machining=1), *W8)
    found = made(pools, {**DIRECT, "alone": "5"})
    assert found.pools == ("hr", "dp", "rm")
    assert len(found.step_down) == 6
    none = made((fixed("one", machining=1), fixed("two", assembly=1)), {"one": "1", "two": "2"})
    assert none.pools == ()
    assert len(none.step_down) == 1
    assert none.step_down[0].carried == none.ways[0].carried


def test_where_a_pool_follows_cost_so_far_every_order_matters() -> None:
    pools = (fixed("one", machining=1), Pool("two", "two", Cost(so_far=True)))
    found = made(pools, {"one": "10", "two": "6", "machining": "10", "assembly": "10"})
    assert found.pools == ("one", "two")
    assert {tried.order: cents(tried.carried[MACHINING]) for tried in found.step_down} == {
        ("one", "two"): "24.0000",
        ("two", "one"): "23.0000",
    }


def test_chosen_pools_change_places_and_the_others_stay() -> None:
    found = made(chosen=("rm", "hr"))
    assert {tried.order for tried in found.step_down} == {("hr", "rm"), ("rm", "hr")}
    with pytest.raises(InputRefusedError, match="There is no pool 'hrr'") as refused:
        made(chosen=("hrr",))
    assert "hr" in refused.value.advice


def test_an_order_that_cannot_be_followed_is_named_and_left_out_of_the_mean() -> None:
    """Before 'b' is shared, 'a' has nobody but 'b'; after it, it has nobody at all."""
    pools = (fixed("a", b=1), fixed("b", a=1, machining=1))
    found = made(pools, {"a": "6", "b": "4"})
    refused = {tried.order: tried.refused for tried in found.step_down}
    assert refused["a", "b"] == ""
    assert "nobody is left to take a share" in refused["b", "a"]
    assert len(found.followed) == 1
    assert found.shapley is not None
    assert found.shapley.mean[MACHINING] == units("10")
    direct = next(tried for tried in found.ways if tried.way is Way.DIRECT)
    assert "nobody is left" in direct.refused


def test_corrections_of_other_periods_stay_out() -> None:
    late = cells({"machining": "7"}, W8)[0]._replace(corrects="2026-05")
    given = Circumstances(TREE, PERIOD, PoolOrder.RECIPROCAL)
    found = lab([*cells(DIRECT, W8), late], W8, given)
    assert found.total == {"USD": units("240000")}


def test_a_way_that_loses_money_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def lossy(some: list[Cell], pools: object, given: Circumstances) -> Shared:
        whole = sum(cell.units for cell in some)
        return Shared((Share(1, "hr", MACHINING[0], SCOPE, whole - 1, 1, 1, whole),), ())

    monkeypatch.setattr(lab_room, "share_pools", lossy)
    with pytest.raises(ConservationError, match="no longer what came in"):
        made()
