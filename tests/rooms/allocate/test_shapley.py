"""Averages over orders: exact by sets, exact by orders, and sampled with an honest error."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from apportion.allocate.shapley import average, incremental, orders_of, shapley

RUNWAY = {"small": 8, "middle": 11, "large": 13, "huge": 18}


def airport(users: frozenset[str]) -> int:
    """The runway that the largest of the users needs (Littlechild and Owen 1973)."""
    return max((RUNWAY[user] for user in users), default=0)


def test_the_airport_game_by_hand() -> None:
    """The first 8 by four, the next 3 by three, 2 by two, and 5 by one."""
    found = shapley(tuple(RUNWAY), airport)
    assert found.mean == {"small": 2, "middle": 3, "large": 4, "huge": 9}


@given(st.lists(st.integers(-1000, 1000), min_size=16, max_size=16))
def test_by_sets_it_is_the_mean_over_all_orders(costs: list[int]) -> None:
    players = ("a", "b", "c", "d")

    def cost(users: frozenset[str]) -> int:
        return costs[sum(1 << place for place, player in enumerate(players) if player in users)]

    found = shapley(players, cost)
    every = [incremental(order, cost) for order in permutations(players)]
    assert found.mean == {player: Fraction(sum(each[player] for each in every), 24) for player in players}
    assert sum(found.mean.values()) == cost(frozenset(players)) - cost(frozenset())
    assert sum(found.whole().values()) == sum(found.mean.values())


def test_beyond_a_few_players_it_is_sampled_the_same_way_each_time_and_says_how_far_off_it_may_be() -> None:
    players = tuple(f"p{place:02d}" for place in range(14))
    sizes = {player: 1000 * (place + 1) for place, player in enumerate(players)}

    def cost(users: frozenset[str]) -> int:
        return max((sizes[user] for user in users), default=0)

    one, same, other = (shapley(players, cost, samples=400, seed=seed) for seed in (7, 7, 8))
    assert one == same != other
    assert not one.is_exact
    assert one.orders == 400
    assert sum(one.mean.values()) == 14_000
    exact = shapley(players, cost, most_players=14).mean
    assert exact["p00"] == Fraction(1000, 14)
    # Four standard errors and a whole unit: with a fixed seed this holds or does not, once and for all.
    assert all(abs(one.mean[player] - exact[player]) <= 4 * one.error[player] + 1 for player in players)
    assert any(one.error.values())


def test_the_standard_error_by_hand() -> None:
    """2, 4, 4, 6: mean 4, squares 4 + 0 + 0 + 4 = 8, variance 8/3, error √(8/3/4) = 0.816…, up to 1; scaled: 817."""
    found = average([{"x": 2000}, {"x": 4000}, {"x": 4000}, {"x": 6000}], is_exact=False)
    assert found.mean == {"x": 4000}
    assert found.error == {"x": 817}
    assert average([{"x": 5}, {"x": 5}], is_exact=False).error == {"x": 0}


def test_a_key_that_an_outcome_lacks_is_zero_there() -> None:
    assert average([{"x": 3}, {"y": 1}], is_exact=True).mean == {"x": Fraction(3, 2), "y": Fraction(1, 2)}


def test_orders_are_all_of_few_and_a_draw_of_many() -> None:
    few = orders_of("abc", most_players=3, samples=5, seed=0)
    assert few.is_all
    assert len(set(few.orders)) == 6
    many = orders_of("abcd", most_players=3, samples=5, seed=0)
    assert not many.is_all
    assert len(many.orders) == 5
    assert all(sorted(order) == list("abcd") for order in many.orders)
