"""A cluster's cost by hand: request and usage, nodes and their idle rest, shared holders, and what cannot be shared."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.allocate.cluster import (
    Container,
    Idle,
    Node,
    Part,
    Spread,
    added_up,
    by_namespace,
    greater,
    per_node,
    priced,
    share_idle,
    spread,
    totals,
    unused,
)
from tests.often import often


def test_the_greater_of_request_and_usage_for_each_resource() -> None:
    requested, used = {"cpu": 2, "memory": 8}, {"cpu": 3, "memory": 5, "gpu": 1}
    assert greater(requested, used) == {"cpu": 3, "memory": 8, "gpu": 1}
    assert greater({}, used) == used


# The node of AWS's own example in shape: 4 vCPU for 36 and 16 GB for 16; pods reserve and use as below.
PODS = (
    ("frontend", {"cpu": 1, "memory": 4}, {"cpu": 0, "memory": 4}),
    ("frontend", {"cpu": 1, "memory": 4}, {"cpu": 2, "memory": 2}),
    ("jobs", {"cpu": 1, "memory": 2}, {"cpu": 0, "memory": 1}),
)
NODES = [Node("c", "n", "cpu", 4, 36), Node("c", "n", "memory", 16, 16)]


def needs() -> list[Part[str]]:
    return by_namespace(Container("c", "n", name, {}, greater(asked, used)) for name, asked, used in PODS)


def test_a_node_is_paid_by_what_is_needed_on_it() -> None:
    assert totals(needs()) == {"frontend": 3 + 8, "jobs": 1 + 2}
    costs, idle = priced(needs(), NODES)
    assert {(part.holder, part.resource): part.units for part in costs} == {
        ("frontend", "cpu"): 27,
        ("frontend", "memory"): 8,
        ("jobs", "cpu"): 9,
        ("jobs", "memory"): 2,
    }
    assert idle == [Idle("c", "n", "memory", 6)]
    assert unused(needs(), NODES) == [Idle("c", "n", "memory", 6)]


def test_where_more_is_needed_than_there_is_nothing_is_idle() -> None:
    costs, idle = priced([Part("c", "n", "cpu", "a", 6), Part("c", "n", "cpu", "b", 3)], [Node("c", "n", "cpu", 4, 90)])
    assert (totals(costs), idle) == ({"a": 60, "b": 30}, [])


def test_a_node_on_which_nothing_runs_is_idle() -> None:
    costs, idle = priced(list[Part[str]](), [Node("c", "n", "cpu", 0, 90)])
    assert (costs, idle) == ([], [Idle("c", "n", "cpu", 90)])


def test_idle_of_a_node_stays_on_the_node_as_long_as_anything_runs_there() -> None:
    parts = [
        Part("c", "n1", "cpu", "a", 1),
        Part("c", "n1", "memory", "b", 3),
        Part("c", "n2", "cpu", "c", 4),
        Part("d", "n9", "cpu", "d", 9),
    ]

    def gained(idle: Idle) -> dict[str, int]:
        shared, left = share_idle(parts, [idle])
        assert not left
        before = totals(parts)
        return {holder: units - before[holder] for holder, units in totals(shared).items() if units != before[holder]}

    assert gained(Idle("c", "n1", "cpu", 10)) == {"a": 10}, "who has that resource of that node"
    assert gained(Idle("c", "n1", "gpu", 8)) == {"a": 2, "b": 6}, "else who has anything on that node"
    assert gained(Idle("c", "n3", "cpu", 10)) == {"a": 2, "c": 8}, "else who has that resource of the cluster"
    assert gained(Idle("c", "n3", "gpu", 8)) == {"a": 1, "b": 3, "c": 4}, "else who has anything of the cluster"
    assert share_idle(parts, [Idle("e", "", "cpu", 5)])[1] == [Idle("e", "", "cpu", 5)]


def test_who_has_less_than_nothing_takes_no_idle() -> None:
    shared, _ = share_idle([Part("c", "", "cpu", "a", -4), Part("c", "", "cpu", "b", 2)], [Idle("c", "", "cpu", 6)])
    assert totals(shared) == {"a": -4, "b": 8}


def test_shared_holders_stay_where_there_is_nobody_to_take_them() -> None:
    shared = [Part("c", "", "cpu", "system", 5)]
    assert spread([], shared, Spread.EVEN) == shared
    assert spread([Part("c", "", "cpu", "a", 0)], shared, Spread.BY_COST) == added_up(
        [*shared, Part("c", "", "cpu", "a", 0)]
    )


def test_idle_of_a_cluster_is_divided_evenly_over_nodes_that_are_used() -> None:
    parts = [Part("c", node, "cpu", "a", 1) for node in ("n2", "n1", "n3")]
    assert per_node([Idle("c", "", "cpu", 10), Idle("d", "", "cpu", 1), Idle("c", "n7", "cpu", 2)], parts) == [
        Idle("c", "n1", "cpu", 4),
        Idle("c", "n2", "cpu", 3),
        Idle("c", "n3", "cpu", 3),
        Idle("c", "n7", "cpu", 2),
        Idle("d", "", "cpu", 1),
    ]


PLACES = st.tuples(st.sampled_from("cd"), st.sampled_from(["", "1", "2"]), st.sampled_from(["cpu", "memory"]))
PARTS = st.lists(
    st.tuples(PLACES, st.sampled_from("xyz"), st.integers(-100, 10**20)).map(
        lambda drawn: Part(drawn[0][0], drawn[0][1], drawn[0][2], drawn[1], drawn[2])
    ),
    max_size=8,
)
IDLES = st.lists(
    st.tuples(PLACES, st.integers(-50, 10**20)).map(
        lambda drawn: Idle(drawn[0][0], drawn[0][1], drawn[0][2], drawn[1])
    ),
    max_size=5,
)


@settings(max_examples=often(60), deadline=None)
@given(parts=PARTS, idle=IDLES, shared=PARTS, how=st.sampled_from(Spread), chance=st.randoms())
def test_nothing_is_lost_or_moved_between_clusters_or_resources(
    parts: list[Part[str]], idle: list[Idle], shared: list[Part[str]], how: Spread, chance: object
) -> None:
    def sums(*of: list[Part[str]] | list[Idle]) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for each in (each for one in of for each in one):
            key = (each.cluster, each.resource)
            found[key] = found.get(key, 0) + each.units
        return {key: units for key, units in found.items() if units}

    with_idle, left = share_idle(parts, idle)
    assert sums(with_idle, left) == sums(parts, idle)
    assert sums(spread(parts, shared, how)) == sums(parts, shared)
    assert sums(per_node(idle, parts)) == sums(idle)
    chance.shuffle(parts)  # type: ignore[attr-defined]
    chance.shuffle(idle)  # type: ignore[attr-defined]
    assert share_idle(parts, idle) == (with_idle, left)
