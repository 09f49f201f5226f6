"""Consumers of usage to cost groups and pools, and what is nobody's."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path

import pytest

from apportion.allocate.basis import Greater, Metered
from apportion.allocate.consumers import Unknown, mapped, meters_anything
from apportion.allocate.match import compile_rules
from apportion.allocate.policy import CostBasis, Policy, Pool
from apportion.allocate.rule import (
    And,
    ByTag,
    Condition,
    Equals,
    Exists,
    Field,
    Glob,
    Holder,
    Matches,
    Not,
    Or,
    Prefix,
    Rule,
    Target,
)
from apportion.allocate.usage import Used
from apportion.errors import AllocationRefusedError, Place
from apportion.organization.cost_group import CostGroup, Organization, Tree
from apportion.periods import BillingPeriod
from apportion.warehouse import queries, usage_match
from apportion.warehouse.usage import UsageRow
from tests.charges import Row, snapshot

pytestmark = pytest.mark.thorough

PERIOD = BillingPeriod(2026, 10)
TREE = Tree(CostGroup(code, code) for code in ("web", "shop", "data"))
WEB, SHOP, DATA = (Target(Holder.COST_GROUP, code) for code in ("web", "shop", "data"))
NET = Target(Holder.POOL, "net")
CONSUMER, METRIC = Field("consumer"), Field("metric")


def policy(*rules: Rule, pools: tuple[Pool, ...] = ()) -> Policy:
    basis = Metered("n", (("env", ("prod",)),))
    return Policy("p", CostBasis.EFFECTIVE, (), (Pool("net", "net", basis), *pools), "", consumers=rules)


def row(consumer: str, value: int = 1, metric: str = "n", source: str = "s", **dimensions: str) -> UsageRow:
    return UsageRow(source, metric, consumer, tuple(sorted(dimensions.items())), value)


def by_target(rows: list[UsageRow], rules: Policy, tree: Tree = TREE) -> dict[str, int]:
    sums: dict[str, int] = {}
    for one in mapped(rows, rules, tree, PERIOD).usage.used:
        sums[str(one.target)] = sums.get(str(one.target), 0) + one.value
    return sums


def test_a_consumer_is_the_cost_group_or_pool_that_it_names() -> None:
    rows = [row("web", 1), row("WEB", 2), row("net", 4), row("Net", 8), row("webs", 16), row("webs", 32, metric="m")]
    assert by_target(rows, policy()) == {"web": 3, "net": 12}
    found = mapped(rows, policy(), TREE, PERIOD, digest="d")
    assert found.unknown == (Unknown("m", "webs", 1, 32), Unknown("n", "webs", 1, 16))
    assert found.usage.digest == "d"
    assert found.usage.metrics == ("m", "n"), "a metric that nobody known used was delivered all the same"


def test_rules_come_first_in_their_order() -> None:
    rules = policy(
        Rule("a", "", And((Prefix(CONSUMER, ("shop-",)), Equals(Field("env"), ("prod",)))), SHOP),
        Rule("b", "", Prefix(CONSUMER, ("shop-",)), DATA),
        Rule("c", "", Equals(CONSUMER, ("web",)), NET),
    )
    rows = [row("shop-1", 1, env="prod"), row("shop-1", 2, env="test"), row("shop-2", 4), row("web", 8)]
    assert by_target(rows, rules) == {"shop": 1, "data": 6, "net": 8}


def test_a_dimension_names_the_cost_group_through_aliases() -> None:
    rules = policy(Rule("team", "", None, ByTag(Field("Team"), (("Red Team", "shop"),))))
    rows = [row("x", 1, team="red team"), row("x", 2, team="DATA"), row("x", 4, team="green"), row("web", 8)]
    assert by_target(rows, rules) == {"shop": 1, "data": 2, "web": 8}
    assert mapped(rows, rules, TREE, PERIOD).unknown == (Unknown("n", "x", 1, 4),)


def test_tags_labels_and_the_source_can_be_asked_for() -> None:
    rules = policy(
        Rule("label", "", Equals(Field("app", is_tag=True), ("till",)), SHOP),
        Rule("source", "", Equals(Field("source"), ("edge",)), DATA),
    )
    rows = [row("x", 1, **{"label.app": "till"}), row("x", 2, **{"tag.app": "till"}), row("x", 4, source="edge")]
    assert by_target(rows, rules) == {"shop": 3, "data": 4}


@pytest.mark.parametrize(
    ("first", "after", "holds"),
    [
        (date(2026, 10, 31), None, True),
        (date(2026, 11, 1), None, False),
        (None, date(2026, 10, 31), False),
        (None, date(2026, 11, 1), True),
    ],
)
def test_a_rule_is_in_force_on_the_last_day_as_the_tree_is(first: date | None, after: date | None, holds: bool) -> None:
    rules = policy(Rule("a", "", Equals(CONSUMER, ("x",)), SHOP, first, after))
    assert by_target([row("x", 1)], rules) == ({"shop": 1} if holds else {})


def test_a_rule_whose_cost_group_is_gone_is_refused() -> None:
    gone = Rule("a", "", Equals(CONSUMER, ("x",)), Target(Holder.COST_GROUP, "gone"), place=Place("policy.yaml", 7))
    with pytest.raises(AllocationRefusedError, match="'gone', which is not in the tree") as refused:
        mapped([row("x")], policy(gone), TREE, PERIOD)
    assert str(refused.value.place) == "policy.yaml:7"
    assert by_target([row("web")], policy(gone)) == {"web": 1}, "as long as nothing meets it, it does no harm"


def test_only_dimensions_that_a_basis_asks_for_are_kept() -> None:
    rows = [row("web", 1, env="prod", pod="1"), row("web", 2, env="prod", pod="2"), row("web", 4, env="test")]
    usage = mapped(rows, policy(), TREE, PERIOD).usage
    assert usage.used == (Used("n", WEB, (("env", "prod"),), 3), Used("n", WEB, (("env", "test"),), 4))
    assert usage.values(Metered("n", (("ENV", ("prod",)),))) == {WEB: 3}
    assert usage.values(Metered("n")) == {WEB: 7}


def test_which_policies_follow_usage() -> None:
    assert meters_anything(policy())
    assert not meters_anything(Policy("p", CostBasis.EFFECTIVE, (), (), ""))


# One meaning for charges and usage.

VALUES = ("web", "Web", "WEB-1", "web.1", "web[1]", "wéb", "WÉB", "İstanbul", "a\nb", "", None)
CONDITIONS: dict[str, Condition] = {
    "equals": Equals(CONSUMER, ("web", "wéb")),
    "folded": Equals(CONSUMER, ("WEB", "İSTANBUL", "wéB"), fold=True),
    "prefix": Prefix(CONSUMER, ("web", "W")),
    "glob": Glob(CONSUMER, "w?b[.-]*"),
    "glob of letters beyond ASCII": Glob(CONSUMER, "?éb"),
    "regex": Matches(CONSUMER, r"^w\wb\b"),
    "regex to the end": Matches(CONSUMER, r"b$"),
    "regex without case": Matches(CONSUMER, r"(?i)^WÉB$"),
    "exists": Exists(CONSUMER),
    "not": Not(Prefix(CONSUMER, ("web",))),
    "not there": Not(Exists(CONSUMER)),
    "any": Or((Equals(CONSUMER, ("Web",)), And((Exists(CONSUMER), Not(Matches(CONSUMER, "[a-z]")))))),
}


def as_charge(condition: Condition) -> Condition:
    """The same condition about a column of charges."""
    if isinstance(condition, And | Or):
        return type(condition)(tuple(as_charge(part) for part in condition.parts))
    if isinstance(condition, Not):
        return Not(as_charge(condition.part))
    if isinstance(condition, Equals):
        return Equals(Field("SubAccountId"), condition.values, condition.fold)
    if isinstance(condition, Prefix):
        return Prefix(Field("SubAccountId"), condition.values)
    if isinstance(condition, Glob | Matches):
        return type(condition)(Field("SubAccountId"), condition.pattern)
    return Exists(Field("SubAccountId"))


def test_conditions_mean_the_same_for_usage_as_for_charges(tmp_path: Path) -> None:
    """Every value meets the same rules as a charge with that value, classified by the warehouse from a file."""
    day, names = date(2026, 10, 1), list(CONDITIONS)
    for name in names:
        alone = [Rule(name, "", CONDITIONS[name], SHOP)]
        plan = compile_rules(alone, Organization((), ""), day, day).plan
        width = len(usage_match.fields(plan))
        found = usage_match.outcomes(plan, [(value,) * width for value in VALUES])
        directory = tmp_path / name.replace(" ", "-")
        (directory / "sidecars").mkdir(parents=True)
        rows: list[Row] = [{"BilledCost": str(2**place), "SubAccountId": value} for place, value in enumerate(VALUES)]
        charges = [Rule(name, "", as_charge(CONDITIONS[name]), SHOP)]
        cube = queries.classify(
            snapshot(directory, rows),
            compile_rules(charges, Organization((), ""), day, day).plan,
            effective=False,
            sidecars=directory / "sidecars",
        )
        met = {row.outcome: row.units // 10**18 for row in cube}
        usage = {
            outcome: sum(2**place for place, other in enumerate(found) if other == outcome) for outcome in set(found)
        }
        assert usage == met, name


def test_the_order_of_rows_makes_no_difference() -> None:
    rows = [row("web", 1), row("x", 2), row("__idle__", 7, "cluster.cpu.cost", cluster="c")]
    rows += [row("web", 3, "cluster.cpu.cost", cluster="c"), row("shop", 1, "cluster.cpu.cost", cluster="c")]
    found = {
        (made.usage.used, made.unknown)
        for order in itertools.permutations(rows)
        for made in [mapped(order, policy(), TREE, PERIOD)]
    }
    assert len(found) == 1


# Clusters.


def values(rows: list[UsageRow], metric: str, *rules: Rule, where: dict[str, str] | None = None) -> dict[str, int]:
    asked = tuple((name, (value,)) for name, value in (where or {}).items())
    pools = (Pool("p", "p", Greater((Metered(metric, asked), Metered(metric)))),)
    usage = mapped(rows, policy(*rules, pools=pools), TREE, PERIOD).usage
    return {str(target): value for target, value in usage.values(Metered(metric, asked)).items()}


CLUSTER = [
    row("web", 6, "cluster.cpu.cost", cluster="c1", node="n1"),
    row("shop", 2, "cluster.cpu.cost", cluster="c1", node="n2"),
    row("shop", 4, "cluster.memory.cost", cluster="c1", node="n2"),
    row("shop", 10, "cluster.cpu.cost", cluster="c2"),
    row("ghost", 5, "cluster.cpu.cost", cluster="c1"),
    row("__idle__", 8, "cluster.cpu.cost", cluster="c1"),
    row("__idle__", 3, "cluster.memory.cost", cluster="c1", node="n1"),
]


def test_idle_goes_to_those_who_use_the_same_resource_of_the_same_cluster() -> None:
    # CPU of c1: 8 idle over 6 and 2. Memory of n1, where nobody has memory: to those who have anything on n1.
    assert values(CLUSTER, "cluster.cost") == {"web": 6 + 6 + 3, "shop": 2 + 2 + 4 + 10}
    assert values(CLUSTER, "cluster.cost", where={"cluster": "c2"}) == {"shop": 10}
    assert values(CLUSTER, "cluster.memory.cost") == {"shop": 4, "web": 3}
    assert mapped(CLUSTER, policy(), TREE, PERIOD).unknown == (Unknown("cluster.cpu.cost", "ghost", 1, 5),)


def test_idle_that_a_rule_names_is_kept_there() -> None:
    rule = Rule("idle", "", And((Equals(CONSUMER, ("__idle__",)), Equals(Field("cluster"), ("c1",)))), DATA)
    assert values(CLUSTER, "cluster.cost", rule) == {"web": 6, "shop": 2 + 4 + 10, "data": 11}


def test_idle_of_a_cluster_that_nobody_uses_is_shown() -> None:
    rows = [*CLUSTER, row("__idle__", 9, "cluster.cpu.cost", cluster="c3")]
    assert Unknown("cluster.cpu.cost", "__idle__", 1, 9) in mapped(rows, policy(), TREE, PERIOD).unknown


def test_needed_is_the_greater_of_requested_and_used_for_each_consumer() -> None:
    rows = [
        row("web", 4, "cluster.cpu.requested", cluster="c1", pod="a"),
        row("web", 9, "cluster.cpu.used", cluster="c1", pod="a"),
        row("web", 5, "cluster.cpu.requested", cluster="c1", pod="b"),
        row("web", 1, "cluster.cpu.used", cluster="c1", pod="b"),
        row("shop", 2, "cluster.cpu.used", cluster="c1"),
    ]
    assert values(rows, "cluster.cpu.needed") == {"web": 14, "shop": 2}
    delivered = [*rows, row("shop", 3, "cluster.cpu.needed", cluster="c1")]
    assert values(delivered, "cluster.cpu.needed") == {"shop": 3}, "what was delivered is not worked out again"


def test_a_node_with_capacity_and_cost_gives_cost_and_idle() -> None:
    rows = [
        row("web", 30, "cluster.cpu.requested", cluster="c1", node="n1"),
        row("shop", 20, "cluster.cpu.used", cluster="c1", node="n1"),
        row("__node__", 100, "cluster.cpu.capacity", cluster="c1", node="n1"),
        row("__node__", 1000, "cluster.cpu.cost", cluster="c1", node="n1"),
    ]
    owner = Rule("idle", "", Equals(CONSUMER, ("__idle__",)), DATA)
    assert values(rows, "cluster.cost", owner) == {"web": 300, "shop": 200, "data": 500}
    assert values(rows, "cluster.cpu.needed", owner) == {"web": 30, "shop": 20, "data": 50}
    assert values(rows, "cluster.cost") == {"web": 600, "shop": 400}
    only_cost = [each for each in rows if each.metric != "cluster.cpu.capacity"]
    assert values(only_cost, "cluster.cost", owner) == {"data": 1000}, "whose node it is is not known, so it is idle"
