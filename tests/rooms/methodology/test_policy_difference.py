"""The difference of two policies: nothing missed, nothing invented, in words that say what was and what is."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apportion.allocate.basis import Cost, Even, Fixed, Metered, Tier
from apportion.allocate.policy import CostBasis, Limits, NegativeBasis, Policy, PoolOrder, Recipients
from apportion.allocate.rule import And, ByTag, Equals, Exists, Not, Rule
from apportion.errors import Place
from apportion.methodology.difference import Change, Kind, Part, differences, sentence
from apportion.money.amount import units
from tests.often import often
from tests.rooms.allocate.test_policy_round_trip import policies
from tests.rooms.methodology.everything import ACCOUNT, ALIASES, POLICY, SERVICE, STAGE, TEAM, group

LISTS = ("rules", "consumers", "commitments", "pools", "uplifts")


def said(old: Policy, new: Policy) -> list[tuple[str, str, str]]:
    return [(str(change.kind), change.id, sentence(change)) for change in differences(old, new)]


def with_rule(place: int, **changes: Any) -> Policy:
    rules = list(POLICY.rules)
    rules[place] = replace(rules[place], **changes)
    return replace(POLICY, rules=tuple(rules))


def with_pool(code: str, **changes: Any) -> Policy:
    pools = (replace(pool, **changes) if pool.id == code else pool for pool in POLICY.pools)
    return replace(POLICY, pools=tuple(pools))


def bare(policy: Policy) -> Policy:
    """What the policy holds, without where it stands and what its file looks like."""
    lists: dict[str, Any] = {
        name: tuple(replace(each, place=Place()) for each in getattr(policy, name)) for name in LISTS
    }
    return replace(policy, digest="", places=None, **lists)


@pytest.mark.slow
@settings(max_examples=often(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(policies(), policies())
def test_there_is_no_difference_exactly_where_policies_are_the_same(one: Policy, other: Policy) -> None:
    assert (
        differences(
            one, replace(one, digest="another", rules=tuple(replace(r, place=Place("x", 7)) for r in one.rules))
        )
        == ()
    )
    assert (differences(one, other) == ()) == (bare(one) == bare(other))


@pytest.mark.slow
@settings(max_examples=often(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(policies(), policies(), st.data())
def test_a_change_of_any_field_of_any_element_is_named(policy: Policy, donor: Policy, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(LISTS))
    own, others = getattr(policy, name), getattr(donor, name)
    if not own or not others:
        return
    at = data.draw(st.integers(0, len(own) - 1))
    field = data.draw(st.sampled_from([f.name for f in fields(own[at]) if f.name not in ("id", "place")]))
    value = getattr(data.draw(st.sampled_from(others)), field)
    changed = replace(own[at], **{field: value})
    after: dict[str, Any] = {name: (*own[:at], changed, *own[at + 1 :])}
    found = differences(policy, replace(policy, **after))
    assert bool(found) == (changed != own[at])
    for change in found:
        assert (change.part, change.kind, change.id) == (Part(name), Kind.CHANGED, own[at].id)
        assert change.before != change.after
        assert change.about


@settings(max_examples=often(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(policies())
def test_there_and_back_names_the_same_elements(policy: Policy) -> None:
    there, back = differences(policy, POLICY), differences(POLICY, policy)
    turned = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED}
    key = [(change.part, turned.get(change.kind, change.kind), change.id) for change in back]
    assert {(change.part, change.kind, change.id) for change in there} == set(key)


def test_the_policy_itself() -> None:
    new = replace(POLICY, name="Next year", cost_basis=CostBasis.BILLED, pool_order=PoolOrder.DECLARED)
    assert [text for _, _, text in said(POLICY, new)] == [
        "name: Everything → “Next year”",
        "cost basis: effective → billed",
        "order of pools: reciprocal → declared",
    ]


def test_added_removed_and_moved() -> None:
    new = Rule("new", "New", Equals(SERVICE, ("X",)), group("pay"), date(2026, 1, 1))
    rules = (POLICY.rules[4], new, *POLICY.rules[:4], POLICY.rules[6])
    assert said(POLICY, replace(POLICY, rules=rules)) == [
        ("removed", "team", "goes to: the cost group that tag team names, by way of table names"),
        ("added", "new", "condition: ServiceName is X; goes to: cost group pay; in force from: 2026-01-01"),
        ("moved", "desk", "moved from place 5 to place 1"),
    ]


def test_values_of_a_condition() -> None:
    values = tuple(f"account-{number}" for number in range(2, 10))
    assert [text for _, _, text in said(POLICY, with_rule(1, when=Equals(ACCOUNT, values)))] == [
        "values of SubAccountId, no longer: account-1",
        "values of SubAccountId, new: account-9",
    ]
    deep = POLICY.rules[2].when
    assert isinstance(deep, And)
    other = And((*deep.parts[1:], Not(Exists(TEAM))))
    found = [text for _, _, text in said(POLICY, with_rule(2, when=other))]
    assert found == [
        "condition, no longer: ServiceName begins with Amazon or AWS",
        "condition, new: not (tag team is present)",
    ]


def test_dates_targets_and_order_of_values() -> None:
    assert [text for _, _, text in said(POLICY, with_rule(2, valid_until=None, target=group("shop")))] == [
        "goes to: cost group pay → cost group shop",
        "in force until (not included): 2027-01-01 → nothing",
    ]
    turned = Not(Equals(STAGE, ("dev", "test"), fold=True))
    assert (
        len(differences(with_rule(2, when=turned), with_rule(2, when=Not(Equals(STAGE, ("test", "dev"), fold=True)))))
        == 1
    )


def test_shares_from_and_to() -> None:
    new = with_pool("network", basis=Fixed((("pay", 2), ("shop", 1), ("top", 1))))
    assert [text for _, _, text in said(POLICY, new)] == [
        "share of pay: 1/3 (about 33.3333 %) → 50 %",
        "share of shop: 1/3 (about 33.3333 %) → 25 %",
        "share of desk: 1/3 (about 33.3333 %) → nothing",
        "share of top: nothing → 25 %",
    ]
    scaled = with_pool("network", basis=Fixed((("pay", 2), ("shop", 2), ("desk", 2))))
    assert len(differences(POLICY, scaled)) == 1


@pytest.mark.parametrize(
    ("code", "changes", "texts"),
    [
        ("mix", {"basis": Even()}, ["shared: 30 % even, 70 % kept central → even"]),
        ("tax", {"otherwise": (Even(),)}, ["otherwise shared: in proportion to direct cost, even → even"]),
        (
            "desk",
            {"recipients": Recipients(under=("top",))},
            ["except: shop → nothing", "pools: network → nothing"],
        ),
        (
            "bounded",
            {"limits": None},
            ["limits: at least 20.00 USD; at most 1/3 (about 33.3333 %); beyond the most kept central → nothing"],
        ),
        (
            "bounded",
            {"basis": Cost(services=("Compute", "Disk"), categories=("Usage",), under=("top",))},
            ["services, new: Disk"],
        ),
        ("sum", {"negative_basis": NegativeBasis.REFUSE}, ["a basis below zero: zero → refuse"]),
        ("kept", {"name": "Kept by choice"}, ["name: Kept → “Kept by choice”"]),
    ],
)
def test_pools(code: str, changes: dict[str, Any], texts: list[str]) -> None:
    assert [text for _, _, text in said(POLICY, with_pool(code, **changes))] == texts


def test_tiers_and_limits() -> None:
    new = with_pool("desk", basis=Metered("calls", (("region", ("eu",)),), (Tier(None, units("1")),)))
    assert [text for _, _, text in said(POLICY, new)] == [
        "where region: eu, us → eu",
        "tiers: up to 100 × 1, up to 500 × 0.5 → beyond × 1",
    ]
    limits = Limits(POLICY.pools[7].limits.at_least if POLICY.pools[7].limits else None, Fraction(1, 2))
    assert [text for _, _, text in said(POLICY, with_pool("bounded", limits=limits))] == [
        "at most: 1/3 (about 33.3333 %) → 50 %",
        "beyond the most: kept central → passed on",
    ]


def test_a_table_of_spellings_is_told_once() -> None:
    pairs = (*ALIASES, ("paid", "pay"))
    target = ByTag(TEAM, pairs)
    rules = tuple(replace(rule, target=target) if rule.id == "team" else rule for rule in POLICY.rules)
    consumers = tuple(
        replace(rule, target=replace(rule.target, aliases=pairs)) if isinstance(rule.target, ByTag) else rule
        for rule in POLICY.consumers
    )
    new = replace(POLICY, rules=rules, consumers=consumers, alias_tables=(("names", pairs), POLICY.alias_tables[1]))
    assert differences(POLICY, new) == (
        Change(Part.ALIASES, Kind.CHANGED, "names", "names", "spelling paid", "", "pay"),
    )
    other = replace(
        POLICY,
        rules=tuple(replace(r, target=ByTag(TEAM, (("old", "pay"),))) if r.id == "team" else r for r in POLICY.rules),
    )
    assert said(POLICY, other) == [("changed", "team", "table of spellings: names → unused")]


def test_agreements() -> None:
    commitments = (replace(POLICY.commitments[0], buyer="shop"), *POLICY.commitments[1:])
    uplifts = (replace(POLICY.uplifts[0], percent=Fraction(1, 20)), POLICY.uplifts[1])
    assert said(POLICY, replace(POLICY, commitments=commitments, uplifts=uplifts)) == [
        ("changed", "plans", "buyer: pay → shop"),
        ("changed", "fee", "per cent: 2.5 % → 5 %"),
    ]
