"""A cluster's cost to those who use it: by resource, with idle capacity shared, kept with an owner, or shown apart.

Takes parts: what one holder (a namespace, the value of a label, a cost group) has of one resource on one node, as cost
or as quantity; gives parts that add up to what came in, per cluster and resource. Amounts are integers of 10⁻¹⁸.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from apportion.money.split import split

Key = TypeVar("Key", bound=Hashable)

IDLE = "__idle__"
UNLABELLED = "__unallocated__"


class Container(NamedTuple):
    """One container, pod or task, and what it has of each resource: cost, or quantity."""

    cluster: str
    node: str
    namespace: str
    labels: Mapping[str, str]
    amounts: Mapping[str, int]


class Part(NamedTuple, Generic[Key]):
    """What one holder has of one resource. An empty `node` stands for the cluster as a whole."""

    cluster: str
    node: str
    resource: str
    holder: Key
    units: int


class Idle(NamedTuple):
    """What nobody asked for of one resource of a node, or of a cluster as a whole (`node` empty)."""

    cluster: str
    node: str
    resource: str
    units: int


class Node(NamedTuple):
    """One resource of a node: how much of it there is, and what it costs."""

    cluster: str
    node: str
    resource: str
    capacity: int
    cost: int


class Spread(StrEnum):
    """How the cost of shared holders is divided among all others."""

    EVEN = "even"
    BY_COST = "by_cost"


def greater(requested: Mapping[str, int], used: Mapping[str, int]) -> dict[str, int]:
    """Of each resource what was requested, or what was used if that was more."""
    return {
        resource: max(amounts)
        for resource in sorted({*requested, *used})
        if (amounts := [each[resource] for each in (requested, used) if resource in each])
    }


def by_namespace(containers: Iterable[Container]) -> list[Part[str]]:
    """What each namespace has."""
    return _by(containers, lambda container: container.namespace)


def by_label(containers: Iterable[Container], key: str) -> list[Part[str]]:
    """What each value of a label has; containers without it stand under ``__unallocated__``."""
    return _by(containers, lambda container: container.labels.get(key, UNLABELLED))


def _by(containers: Iterable[Container], holder: Callable[[Container], str]) -> list[Part[str]]:
    return added_up(
        Part(container.cluster, container.node, resource, holder(container), units)
        for container in containers
        for resource, units in container.amounts.items()
    )


def added_up(parts: Iterable[Part[Key]]) -> list[Part[Key]]:
    """One part for each cluster, node, resource and holder, in an order of their own."""
    sums: dict[tuple[str, str, str, Key], int] = defaultdict(int)
    for part in parts:
        sums[part[:4]] += part.units
    return [Part(*key, sums[key]) for key in sorted(sums, key=_order)]


def _order(key: tuple[str, str, str, Hashable]) -> tuple[str, str, str, str]:
    return (*key[:3], repr(key[3]))


def priced(needs: Iterable[Part[Key]], nodes: Iterable[Node]) -> tuple[list[Part[Key]], list[Idle]]:
    """Quantities as cost: a node's cost of a resource in proportion to what is needed there, and the idle rest.

    Where more is needed than there is, nothing is idle. Quantities on nodes without a cost come to nothing, and
    quantities below zero count as none.
    """
    by_place: dict[tuple[str, str, str], list[Part[Key]]] = defaultdict(list)
    for part in added_up(needs):
        by_place[part[:3]].append(part)
    costs, idle = [], []
    for cluster, node, resource, capacity, cost in sorted(nodes):
        here = by_place[cluster, node, resource]
        wanted = [max(part.units, 0) for part in here]
        rest = max(capacity - sum(wanted), 0)
        if not rest and not any(wanted):
            rest = 1  # a node without any capacity that still costs: all of it is idle
        *shares, left = split(cost, [*wanted, rest])
        costs += [part._replace(units=share) for part, share in zip(here, shares, strict=True)]
        idle += [Idle(cluster, node, resource, left)] if left else []
    return costs, idle


def unused(needs: Iterable[Part[Key]], nodes: Iterable[Node]) -> list[Idle]:
    """What is left of each node's capacity as a quantity; nothing where more is needed than there is."""
    needed: dict[tuple[str, str, str], int] = defaultdict(int)
    for part in needs:
        needed[part[:3]] += part.units
    return [
        Idle(cluster, node, resource, rest)
        for cluster, node, resource, capacity, _ in sorted(nodes)
        if (rest := max(capacity - max(needed[cluster, node, resource], 0), 0))
    ]


def per_node(idle: Iterable[Idle], parts: Iterable[Part[Key]]) -> list[Idle]:
    """Idle of a cluster as a whole, divided evenly over those of its nodes that anything runs on."""
    nodes: dict[str, set[str]] = defaultdict(set)
    for part in parts:
        if part.node:
            nodes[part.cluster].add(part.node)
    found: list[Idle] = []
    for one in sorted(idle):
        names = sorted(nodes[one.cluster])
        if one.node or not names:
            found.append(one)
        else:
            found += [one._replace(node=name, units=units) for name, units in _evenly(one.units, names)]
    return found


def _evenly(units: int, names: list[str]) -> Iterable[tuple[str, int]]:
    return zip(names, split(units, [1] * len(names)), strict=True)


def share_idle(parts: Iterable[Part[Key]], idle: Iterable[Idle]) -> tuple[list[Part[Key]], list[Idle]]:
    """Idle shared among those who have the same resource of the same cluster (of the same node, where it is a node's).

    Where nobody has that resource there, in proportion to all they have there, and of a node where nothing runs to
    all of the cluster. Gives all parts, idle shares among them, and the idle of clusters in which nobody has anything.
    """
    had = added_up(parts)
    weights = _Weights(had)
    shared: list[Part[Key]] = list(had)
    left: list[Idle] = []
    for one in sorted(idle):
        found = weights.of(one)
        if not found:
            left.append(one)
            continue
        shares = split(one.units, [weight for _, weight in found])
        shared += [
            Part(one.cluster, one.node, one.resource, holder, units)
            for (holder, _), units in zip(found, shares, strict=True)
        ]
    return added_up(shared), left


class _Weights(Generic[Key]):
    """What holders have, by cluster, node and resource; each of these may be left open."""

    def __init__(self, parts: Iterable[Part[Key]]) -> None:
        self._sums: dict[tuple[str, str, str], dict[Key, int]] = defaultdict(lambda: defaultdict(int))
        for cluster, node, resource, holder, units in parts:
            for place in {(cluster, node, resource), (cluster, "", resource), (cluster, node, ""), (cluster, "", "")}:
                self._sums[place][holder] += units

    def of(self, idle: Idle) -> list[tuple[Key, int]]:
        """Holders and weights above zero, at the nearest place where anybody has anything."""
        cluster, node, resource, _ = idle
        for place in ((cluster, node, resource), (cluster, node, ""), (cluster, "", resource), (cluster, "", "")):
            found = [(holder, units) for holder, units in self._sums.get(place, {}).items() if units > 0]
            if found:
                return sorted(found, key=lambda each: repr(each[0]))
        return []


def keep_idle(idle: Iterable[Idle], owners: Mapping[str, Key]) -> tuple[list[Part[Key]], list[Idle]]:
    """Idle as parts of the owners of their clusters; and the idle of clusters without one, which stays apart."""
    found = sorted(idle)
    kept = [Part(*one[:3], owners[one.cluster], one.units) for one in found if one.cluster in owners]
    return added_up(kept), [one for one in found if one.cluster not in owners]


def spread(parts: Iterable[Part[Key]], shared: Iterable[Part[Key]], how: Spread) -> list[Part[Key]]:
    """Shared parts divided among the holders of all others: evenly, or in proportion to what they have in all.

    Per cluster and resource, so that each cluster still adds up. Where there is nobody to take them, they stay.
    """
    had = added_up(parts)
    totals: dict[Key, int] = defaultdict(int)
    for part in had:
        totals[part.holder] += part.units
    weights = [
        (holder, 1 if how is Spread.EVEN else totals[holder])
        for holder in sorted(totals, key=repr)
        if how is Spread.EVEN or totals[holder] > 0
    ]
    spread_out: list[Part[Key]] = []
    for part in added_up(shared):
        if not weights:
            spread_out.append(part)
            continue
        shares = split(part.units, [weight for _, weight in weights])
        spread_out += [
            part._replace(holder=holder, units=units) for (holder, _), units in zip(weights, shares, strict=True)
        ]
    return added_up([*had, *spread_out])


def totals(parts: Iterable[Part[Key]]) -> dict[Key, int]:
    """What each holder has in all."""
    found: dict[Key, int] = defaultdict(int)
    for part in added_up(parts):
        found[part.holder] += part.units
    return dict(found)
