"""W3: twelve containers in two clusters, aggregated by namespace and label, with idle and shared cost in every way.

Source: opencost/opencost, the aggregation cases of its allocation sets (Apache-2.0; numbers only). Each container costs
1 of each of six resources, the first 11 of memory.
"""

from __future__ import annotations

import json
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pytest

from apportion.allocate import consumers
from apportion.allocate.basis import Cost, Even, Metered
from apportion.allocate.cluster import (
    Container,
    Idle,
    Part,
    Spread,
    by_label,
    by_namespace,
    keep_idle,
    per_node,
    share_idle,
    spread,
    totals,
)
from apportion.allocate.policy import CostBasis, Policy, Pool, PoolOrder, Recipients
from apportion.allocate.rule import Equals, Field, Holder, Rule, Target
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.ingest.usage import load
from apportion.money.amount import ONE
from apportion.organization.cost_group import CostGroup, Tree
from apportion.warehouse import usage as stored
from apportion.warehouse.store import Workspace
from tests.examples.sharing import PERIOD, Result, cells, near

RESOURCES = ("cpu", "memory", "gpu", "storage", "network", "load_balancer")
PLACES = (
    ("cluster1", "c1nodes", "ns1", 3),
    ("cluster1", "c1nodes", "ns2", 3),
    ("cluster2", "node1", "ns2", 2),
    ("cluster2", "node2", "ns2", 1),
    ("cluster2", "node2", "ns3", 1),
    ("cluster2", "node3", "ns3", 2),
)


def containers() -> list[Container]:
    made = [
        Container(cluster, node, namespace, {}, dict.fromkeys(RESOURCES, ONE))
        for cluster, node, namespace, count in PLACES
        for _ in range(count)
    ]
    return [made[0]._replace(labels={"app": "app1"}, amounts={**made[0].amounts, "memory": 11 * ONE}), *made[1:]]


IDLE = [
    Idle("cluster1", "", "cpu", 5 * ONE),
    Idle("cluster1", "", "memory", 15 * ONE),
    Idle("cluster2", "", "cpu", 5 * ONE),
    Idle("cluster2", "", "memory", 5 * ONE),
]


def shown(parts: list[Part[str]]) -> dict[str, Fraction]:
    return {holder: Fraction(units, ONE) for holder, units in totals(parts).items()}


def is_near(found: dict[str, Fraction], expected: dict[str, Fraction], idle: int = 0) -> None:
    """Each amount is right to 10⁻¹⁷, and everything adds up to the last digit."""
    assert found.keys() == expected.keys()
    assert all(near(found[name], expected[name]) for name in expected)
    assert sum(found.values()) + idle == 112


def test_what_comes_in() -> None:
    assert shown(by_namespace(containers())) == {"ns1": 28, "ns2": 36, "ns3": 18}
    assert shown(by_label(containers(), "app")) == {"app1": 16, "__unallocated__": 66}


def test_3a_idle_shared_per_cluster_and_per_resource() -> None:
    parts, left = share_idle(by_namespace(containers()), IDLE)
    assert left == []
    is_near(shown(parts), {"ns1": Fraction("42.6875"), "ns2": Fraction("46.3125"), "ns3": Fraction(23)})


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        pytest.param(Spread.EVEN, {"ns1": Fraction(37), "ns2": Fraction(45)}, id="4a"),
        pytest.param(Spread.BY_COST, {"ns1": Fraction("35.875"), "ns2": Fraction("46.125")}, id="4b"),
    ],
)
def test_4_a_shared_namespace(how: Spread, expected: dict[str, Fraction]) -> None:
    parts = by_namespace(containers())
    shared = [part for part in parts if part.holder == "ns3"]
    others = [part for part in parts if part.holder != "ns3"]
    is_near(shown(spread(others, shared, how)), expected, idle=30)


def test_4c_a_shared_label() -> None:
    labelled = [one for one in containers() if one.labels.get("app") == "app1"]
    others = [one for one in containers() if one not in labelled]
    found = shown(spread(by_namespace(others), by_namespace(labelled), Spread.EVEN))
    is_near(found, {"ns1": Fraction(52, 3), "ns2": Fraction(124, 3), "ns3": Fraction(70, 3)}, idle=30)


def test_6k_idle_kept_apart_per_node() -> None:
    parts = by_namespace(containers())
    apart: dict[str, Fraction] = defaultdict(Fraction)
    for one in per_node(IDLE, parts):
        apart[one.node] += Fraction(one.units, ONE)
    assert shown(parts) == {"ns1": 28, "ns2": 36, "ns3": 18}
    third = Fraction(10, 3)
    for node, expected in {"c1nodes": Fraction(20), "node1": third, "node2": third, "node3": third}.items():
        assert near(apart[node], expected)
    assert sum(apart.values()) == 30


def test_idle_kept_with_the_owner_of_the_cluster() -> None:
    """Own case: cluster1 has an owner, cluster2 has none."""
    parts, left = keep_idle(IDLE, {"cluster1": "platform"})
    assert shown(parts) == {"platform": 20}
    assert sum(one.units for one in left) == 10 * ONE


# The same through the program: OpenCost's export, the policy's consumers, and a pool for each cluster.


def export() -> str:
    """The twelve containers as OpenCost gives them, idle by cluster."""
    window = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-02T00:00:00Z"}
    fields = dict(
        zip(RESOURCES, ("cpuCost", "ramCost", "gpuCost", "pvCost", "networkCost", "loadBalancerCost"), strict=True)
    )
    made: dict[str, object] = {}
    for number, one in enumerate(containers()):
        properties = {"cluster": one.cluster, "node": one.node, "namespace": one.namespace, "labels": one.labels}
        costs = {fields[resource]: units // ONE for resource, units in one.amounts.items()}
        made[f"{one.cluster}/{one.namespace}/c{number}"] = {"properties": properties, "window": window, **costs}
    for cluster in ("cluster1", "cluster2"):
        costs = {fields[one.resource]: one.units // ONE for one in IDLE if one.cluster == cluster}
        made[f"{cluster}/__idle__"] = {"properties": {"cluster": cluster}, "window": window, **costs}
    return json.dumps({"code": 200, "data": [made]})


def rows_of(directory: Path) -> list[stored.UsageRow]:
    workspace = Workspace.create(directory / "close")
    (directory / "close" / "apportion.yaml").write_text("company: Harbour Foods\n", encoding="utf-8")
    (directory / "allocation.json").write_text(export(), encoding="utf-8")
    load(workspace, [directory / "allocation.json"], source="clusters")
    file = workspace.usage(PERIOD)["clusters"]
    assert file.path is not None
    return list(stored.read(file.path, "clusters"))


def metered(cluster: str, recipients: Recipients) -> Pool:
    basis = Metered("cluster.cost", (("cluster", (cluster,)),))
    return Pool(cluster, cluster, basis, recipients)


def month(rows: list[stored.UsageRow], pools: tuple[Pool, ...], rules: tuple[Rule, ...] = ()) -> dict[str, Fraction]:
    """Both clusters' bills, 66 and 46, brought to the namespaces by the export."""
    tree = Tree(CostGroup(code, code) for code in ("ns1", "ns2", "ns3", "owner"))
    policy = Policy("W3", CostBasis.EFFECTIVE, (), pools, "", consumers=rules)
    usage, unknown = consumers.mapped(rows, policy, tree, PERIOD)
    assert unknown == ()
    found = cells({"cluster1": "66", "cluster2": "46"}, pools)
    made = share_pools(found, pools, Circumstances(tree, PERIOD, PoolOrder.DERIVED, usage))
    carried = Result(made, lines(found, made.shares, tree)).carried
    assert sum(carried.values()) == 112
    return {holder: amount for holder, amount in carried.items() if amount}


def by_consumer(name: str, target: Target, **where: str) -> Rule:
    when = Equals(Field("consumer"), (name,))
    return Rule(name + "".join(where.values()), "", when, target)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[stored.UsageRow]:
    return rows_of(tmp_path_factory.mktemp("w3"))


EVERYBODY = Recipients(groups=("ns1", "ns2", "ns3", "owner"))
BOTH = ("cluster1", "cluster2")


def test_3a_from_the_export_to_the_statement(rows: list[stored.UsageRow]) -> None:
    found = month(rows, tuple(metered(name, EVERYBODY) for name in BOTH))
    is_near(found, {"ns1": Fraction("42.6875"), "ns2": Fraction("46.3125"), "ns3": Fraction(23)})


def test_idle_is_kept_by_the_owner_whom_a_rule_names(rows: list[stored.UsageRow]) -> None:
    rule = by_consumer("__idle__", Target(Holder.COST_GROUP, "owner"))
    found = month(rows, tuple(metered(name, EVERYBODY) for name in BOTH), (rule,))
    is_near(found, {"ns1": Fraction(28), "ns2": Fraction(36), "ns3": Fraction(18), "owner": Fraction(30)})


@pytest.mark.parametrize(
    ("basis", "expected"),
    [
        pytest.param(Even(), {"ns1": Fraction(37), "ns2": Fraction(45), "owner": Fraction(30)}, id="4a"),
        pytest.param(
            Cost(so_far=True), {"ns1": Fraction("35.875"), "ns2": Fraction("46.125"), "owner": Fraction(30)}, id="4b"
        ),
    ],
)
def test_4_a_shared_namespace_is_a_pool(
    rows: list[stored.UsageRow], basis: Even | Cost, expected: dict[str, Fraction]
) -> None:
    rules = (
        by_consumer("__idle__", Target(Holder.COST_GROUP, "owner")),
        by_consumer("ns3", Target(Holder.POOL, "shared")),
    )
    taking = Recipients(groups=("ns1", "ns2", "owner"), pools=("shared",))
    pools = (
        *(metered(name, taking) for name in BOTH),
        Pool("shared", "Shared namespaces", basis, Recipients(groups=("ns1", "ns2"))),
    )
    is_near(month(rows, pools, rules), expected)


def test_4c_a_shared_label_is_a_pool(rows: list[stored.UsageRow]) -> None:
    rules = (
        by_consumer("__idle__", Target(Holder.COST_GROUP, "owner")),
        Rule("label", "", Equals(Field("label.app"), ("app1",)), Target(Holder.POOL, "shared")),
    )
    taking = Recipients(groups=("ns1", "ns2", "ns3", "owner"), pools=("shared",))
    pools = (
        *(metered(name, taking) for name in BOTH),
        Pool("shared", "Shared labels", Even(), Recipients(groups=("ns1", "ns2", "ns3"))),
    )
    third = Fraction(1, 3)
    expected = {"ns1": 52 * third, "ns2": 124 * third, "ns3": 70 * third, "owner": Fraction(30)}
    is_near(month(rows, pools, rules), expected)
