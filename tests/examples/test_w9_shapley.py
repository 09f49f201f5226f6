"""W9 of the worked examples: a common cost, divided four ways (Horngren, *Cost Accounting*, 15-23: figures)."""

from __future__ import annotations

from fractions import Fraction

from apportion.allocate.shapley import incremental, shapley, stand_alone

EVAN, BRETT = "Evan", "Brett"
COSTS = {
    frozenset[str](): 0,
    frozenset({EVAN}): 7_500,
    frozenset({BRETT}): 2_500,
    frozenset({EVAN, BRETT}): 9_000,
}


def test_stand_alone_weights() -> None:
    assert stand_alone(9_000, {EVAN: 7_500, BRETT: 2_500}) == {EVAN: 6_750, BRETT: 2_250}


def test_incremental_in_both_orders() -> None:
    assert incremental((BRETT, EVAN), COSTS.__getitem__) == {BRETT: 2_500, EVAN: 6_500}
    assert incremental((EVAN, BRETT), COSTS.__getitem__) == {EVAN: 7_500, BRETT: 1_500}


def test_shapley_is_the_mean_of_both_orders() -> None:
    found = shapley((EVAN, BRETT), COSTS.__getitem__)
    assert found.mean == {EVAN: Fraction(7_000), BRETT: Fraction(2_000)}
    assert found.is_exact
    assert found.orders == 2
    assert set(found.error.values()) == {0}
