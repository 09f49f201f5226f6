"""Laws of what moves cost between holders: charges that follow others, commitments and uplifts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apportion.allocate.allocation import Cell, Scope, Share
from apportion.allocate.basis import Follow
from apportion.allocate.charges import Charges
from apportion.allocate.commitments import Eligible, Held, carried, shares
from apportion.allocate.follow import follow, following
from apportion.allocate.policy import Commitment, CommitmentMethod, Pool, Unused, Uplift
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Exists, Field, Holder, Target
from apportion.allocate.uplift import uplifted
from apportion.errors import ZeroBasisError
from apportion.organization.cost_group import CostGroup, Tree
from apportion.warehouse.measure import Measured, Question

TREE = Tree([CostGroup("a", "a"), CostGroup("b", "b"), *(CostGroup(code, code, parent="b") for code in ("b1", "b2"))])
HOLDERS = [*(Target(Holder.COST_GROUP, code) for code in ("a", "b1", "b2")), Target(Holder.POOL, "p"), KEPT_CENTRAL]
SCOPE = Scope("Cloud", "", "", "USD")

amounts = st.integers(-(10**21), 10**21)
usual = st.integers(0, 10**21)


def held(of: st.SearchStrategy[int]) -> st.SearchStrategy[dict[Target, Held]]:
    return st.dictionaries(st.sampled_from(HOLDERS), st.builds(Held, of, of, of, of, of), min_size=1)


plans = st.builds(
    Commitment,
    st.just("plan"),
    st.just("Plan"),
    st.just(Exists(Field("ServiceName"))),
    st.sampled_from(CommitmentMethod),
    st.sampled_from(["a", "b"]),
    st.lists(st.sampled_from(["b2", "a", "b"]), unique=True).map(tuple),
    st.sampled_from(Unused),
)


def divided(plan: Commitment, found: dict[Target, Held]) -> dict[Target, int]:
    try:
        return carried(plan, found, TREE, "USD")
    except ZeroBasisError:
        assume(False)
        raise


@given(plans, held(amounts))
def test_every_division_of_a_commitment_conserves_it(plan: Commitment, found: dict[Target, Held]) -> None:
    assert sum(divided(plan, found).values()) == sum(one.units for one in found.values())
    made = shares([Eligible(plan, {SCOPE: found}, {})], TREE)
    assert sum(share.units for share in made) == 0
    assert all(share.weight - share.units == found.get(share.target, Held()).units for share in made)


@given(plans, held(amounts))
def test_a_month_of_credits_mirrors_a_month_of_charges(plan: Commitment, found: dict[Target, Held]) -> None:
    mirrored = {target: Held(*(-units for units in one)) for target, one in found.items()}
    assume(sum(one.covered_worth + one.uncovered_worth for one in found.values()))
    assert divided(plan, mirrored) == {target: -units for target, units in divided(plan, found).items()}


@given(plans, held(usual))
def test_the_order_of_holders_is_irrelevant(plan: Commitment, found: dict[Target, Held]) -> None:
    assert divided(plan, dict(reversed(found.items()))) == divided(plan, found)


@given(held(usual))
def test_without_an_order_priority_is_one_rate(found: dict[Target, Held]) -> None:
    """To the units that are rounded: both parts of the price, and what one unit of coverage makes of it."""
    plan = Commitment("p", "P", Exists(Field("x")), CommitmentMethod.PRIORITY, unused=Unused.KEPT_CENTRAL)
    listed, blended = (divided(replace(plan, method=each), found) for each in (plan.method, CommitmentMethod.BLENDED))
    covered, rest = (sum(one[place] for one in found.values()) for place in (1, 3))
    assume(covered and rest)
    price = sum(one.covered for one in found.values()) // covered
    full = sum(one.uncovered for one in found.values()) // rest
    assert all(abs(listed[target] - units) <= 5 + price + full for target, units in blended.items())


@given(held(usual), st.sampled_from(["a", "b"]))
def test_who_comes_first_has_all_it_can_have_covered(found: dict[Target, Held], buyer: str) -> None:
    """The buyer pays the price of coverage for what is covered, and nobody else is covered before it is."""
    plan = Commitment("p", "P", Exists(Field("x")), CommitmentMethod.BUYER_FIRST, buyer, (), Unused.KEPT_CENTRAL)
    covered = sum(one.covered_worth for one in found.values())
    mine = {target: one for target, one in found.items() if target.code in TREE.below(buyer)}
    own = sum(one.covered_worth + one.uncovered_worth for one in mine.values())
    rest = sum(one.uncovered_worth for one in found.values())
    assume(covered and rest and own)
    price = Fraction(sum(one.covered for one in found.values()), covered)
    full = Fraction(sum(one.uncovered for one in found.values()), rest)
    expected = price * min(covered, own) + full * (own - min(covered, own))
    paid = divided(plan, found)
    assert abs(sum(paid[target] for target in mine) - expected) <= 2 * len(found)


cells = st.lists(
    st.builds(
        Cell,
        st.just("r"),
        st.sampled_from([*HOLDERS[:3], KEPT_CENTRAL, UNALLOCATED]),
        st.sampled_from([SCOPE, Scope("Other", "I-1", "", "USD"), Scope("Yen", "", "", "JPY")]),
        st.sampled_from(["Compute", "Storage"]),
        st.just("Usage"),
        st.just(1),
        amounts,
    ),
    min_size=1,
)
rates = st.fractions(0, 1, max_denominator=1000)


@given(cells, st.lists(rates, min_size=1, max_size=3))
def test_a_surcharge_adds_nothing_and_mirrors(found: list[Cell], percents: Sequence[Fraction]) -> None:
    fees = [Uplift(str(place), "", percent=percent) for place, percent in enumerate(percents)]
    made = uplifted(fees, found, (), TREE)
    sums: dict[tuple[str, Scope], int] = defaultdict(int)
    for share in made:
        sums[share.pool_id, share.scope] += share.units
        if share.target != KEPT_CENTRAL:
            assert abs(share.units - percents[int(share.pool_id)] * share.weight) <= Fraction(1, 2)
    assert not any(sums.values())
    mirrored = uplifted(fees, [cell._replace(units=-cell.units) for cell in found], (), TREE)
    assert mirrored == tuple(
        share._replace(units=-share.units, weight=-share.weight, total_weight=-share.total_weight) for share in made
    )


@dataclass
class Rows:
    """Charges in memory that answer questions as the warehouse does: (outcome, resource, account, units)."""

    rows: Sequence[tuple[int, str | None, str | None, int]]
    targets: dict[int, Target] = field(default_factory=dict)

    def ask(self, questions: Sequence[Question]) -> list[list[Measured]]:
        return [list(self._answer(question)) for question in questions]

    def scope(self, found: Measured) -> Scope:
        return SCOPE

    def _answer(self, question: Question) -> Sequence[Measured]:
        sums: dict[tuple[int, tuple[str | None, ...]], int] = defaultdict(int)
        for outcome, resource, account, units in self.rows:
            values = {"ResourceId": resource, "SubAccountId": account}
            key = tuple(values[column.name] for column in question.columns)
            if outcome in (question.outcomes or ()) and (question.among is None or key in question.among):
                sums[outcome, key] += units
        return [Measured(outcome, 0, key, "", "", "", "USD", 1, units, ()) for (outcome, key), units in sums.items()]


OUTCOMES = {0: Target(Holder.POOL, "tax"), 1: Target(Holder.POOL, "support")}
OUTCOMES |= dict(enumerate(HOLDERS, start=2))
rows = st.lists(
    st.tuples(
        st.sampled_from(list(OUTCOMES)),
        st.sampled_from(["r1", "r2", None]),
        st.sampled_from(["x", "y", None]),
        st.integers(-(10**6), 10**7),
    ),
    max_size=30,
)


@given(rows)
def test_what_follows_is_shared_as_one_charge_after_the_other_would_be(
    found: list[tuple[int, str | None, str | None, int]],
) -> None:
    """Against the definition, charge by charge: the same to as many units as there are groups that follow."""
    pools = [Pool(code, code, Follow((("ResourceId",), ("SubAccountId",)))) for code in ("tax", "support")]
    made = following(pools, cast(Charges, Rows(found, OUTCOMES)))
    for outcome, pool in enumerate(pools):
        expected: dict[Target, Fraction] = defaultdict(Fraction)
        for mine in found:
            if mine[0] != outcome:
                continue
            for place in (1, 2):
                costs: dict[Target, int] = defaultdict(int)
                for other in found:
                    if other[0] > 1 and other[place] == mine[place] is not None:
                        costs[OUTCOMES[other[0]]] += other[3]
                if sum(costs.values()) > 0:
                    weights = {target: cost for target, cost in costs.items() if cost > 0}
                    for target, weight in weights.items():
                        expected[target] += Fraction(mine[3] * weight, sum(weights.values()))
                    break
        groups = made.groups(pool.id, SCOPE)
        parts: dict[Target, int] = defaultdict(int)
        for target, units in follow(groups):
            parts[target] += units
        assert sum(parts.values()) == sum(group.units for group in groups) == sum(expected.values())
        assert all(abs(parts[target] - expected[target]) <= len(groups) for target in {*parts, *expected})


@pytest.mark.parametrize("broken", ["lost", "kept"])
def test_these_laws_catch_a_division_that_loses_or_keeps(broken: str) -> None:
    """A blended rate that floors each part, or that forgets what was not used, is not conserved."""
    found = {HOLDERS[0]: Held(10, 10, 0, 0, 1), HOLDERS[1]: Held(0, 0, 10, 10, 0), HOLDERS[2]: Held(0, 0, 3, 10, 0)}
    whole = sum(one.units for one in found.values())
    rate = Fraction(23, 30)
    floored = {target: int(rate * (one.covered_worth + one.uncovered_worth)) for target, one in found.items()}
    parts = floored if broken == "lost" else divided(_blended(), {**found, HOLDERS[0]: Held(10, 10, 0, 0, 0)})
    assert sum(parts.values()) != whole
    assert sum(divided(_blended(), found).values()) == whole


def _blended() -> Commitment:
    return Commitment("p", "P", Exists(Field("x")), CommitmentMethod.BLENDED, unused=Unused.KEPT_CENTRAL)


def test_shares_are_those_of_step_zero() -> None:
    found = {HOLDERS[0]: Held(60, 100, 0, 0, 0), HOLDERS[1]: Held(0, 0, 60, 60, 0)}
    made = shares([Eligible(_blended(), {SCOPE: found}, {})], TREE)
    assert made == (
        Share(0, "p", HOLDERS[0], SCOPE, 15, 75, 120, 0),
        Share(0, "p", HOLDERS[1], SCOPE, -15, 45, 120, 0),
    )
