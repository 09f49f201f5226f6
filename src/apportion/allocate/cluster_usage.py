"""Usage of clusters made ready for a basis: what was needed, what nodes have left, and idle that nobody is named for.

Metrics are ``cluster.RESOURCE.KIND``. Of quantities the kinds are ``requested``, ``used`` and ``needed`` (the greater
of the two) and, of nodes, ``capacity``; ``cost`` is an amount. The consumer ``__idle__`` is what nobody asked for,
``__node__`` a node itself. The dimensions ``cluster`` and ``node`` say where.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from apportion.allocate import cluster
from apportion.allocate.cluster import IDLE, Idle, Node, Part
from apportion.allocate.rule import Target
from apportion.allocate.usage import Used
from apportion.warehouse.usage import UsageRow

NODE = "__node__"
COST, NEEDED = "cost", "needed"
TOTAL = "cluster.cost"
"""The metric that adds up the cost of all resources."""

_METRIC = re.compile(r"cluster\.([^.]+)\.(cost|needed|requested|used|capacity)")
_PLACE = ("cluster", "node")

_Who = tuple[str, str, tuple[tuple[str, str], ...]]  # source, consumer, dimensions


class Measure(NamedTuple):
    """What a metric of a cluster is about."""

    resource: str
    kind: str


def measure(metric: str) -> Measure | None:
    """The resource and kind of a metric of a cluster; None for any other metric."""
    found = _METRIC.fullmatch(metric)
    return Measure(found[1], found[2]) if found else None


def is_idle(row: UsageRow) -> bool:
    """Whether a row is what nobody asked for of a cluster."""
    found = measure(row.metric)
    return row.consumer == IDLE and found is not None and found.kind in (COST, NEEDED)


def place(dimensions: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The cluster and node that dimensions name; empty where they name none."""
    found = dict(dimensions)
    return found.get("cluster", ""), found.get("node", "")


def prepared(rows: Sequence[UsageRow]) -> list[UsageRow]:
    """The rows, and those that follow from them: what was needed, the cost of it on nodes, and what they have idle.

    Needed is the greater of requested and used, for each consumer and set of dimensions, where it was not delivered.
    With a node's capacity the rest of it is idle; with its cost too, that cost goes to what is needed and to idle.
    Rows of nodes themselves are taken in by this.
    """
    others: list[UsageRow] = []
    nodes: list[UsageRow] = []
    for row in rows:
        (nodes if row.consumer == NODE and measure(row.metric) else others).append(row)
    others += _needed(others)
    return [*others, *_on_nodes(others, nodes)] if nodes else others


def _needed(rows: Iterable[UsageRow]) -> list[UsageRow]:
    wanted: dict[tuple[_Who, str], int] = {}
    delivered: set[tuple[str, str]] = set()
    for row in rows:
        found = measure(row.metric)
        if found is None:
            continue
        if found.kind == NEEDED:
            delivered.add((row.source, found.resource))
        elif found.kind in ("requested", "used"):
            key = (row.source, row.consumer, row.dimensions), found.resource
            wanted[key] = max(wanted.get(key, row.value), row.value)
    return [
        UsageRow(source, f"cluster.{resource}.{NEEDED}", consumer, dimensions, value)
        for ((source, consumer, dimensions), resource), value in wanted.items()
        if (source, resource) not in delivered
    ]


def _on_nodes(rows: Iterable[UsageRow], of_nodes: Iterable[UsageRow]) -> list[UsageRow]:
    known: dict[tuple[str, str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in of_nodes:
        found = measure(row.metric)
        if found is not None:
            known[(row.source, *place(row.dimensions), found.resource)][found.kind] += row.value
    needs: dict[str, list[Part[_Who]]] = defaultdict(list)
    for row in rows:
        found = measure(row.metric)
        if found is not None and found.kind == NEEDED and row.consumer != IDLE:
            who = (row.source, row.consumer, row.dimensions)
            needs[row.source].append(Part(*place(row.dimensions), found.resource, who, row.value))
    made: list[UsageRow] = []
    for source in sorted({source for source, *_ in known}):
        here = [
            Node(name, node, resource, kinds["capacity"], kinds[COST])
            for (other, name, node, resource), kinds in known.items()
            if other == source and "capacity" in kinds
        ]
        costs, idle_costs = cluster.priced(needs[source], [node for node in here if node.cost])
        made += [
            UsageRow(part.holder[0], f"cluster.{part.resource}.{COST}", part.holder[1], part.holder[2], part.units)
            for part in costs
        ]
        made += [_idle_row(source, one, COST) for one in idle_costs]
        made += [_idle_row(source, one, NEEDED) for one in cluster.unused(needs[source], here)]
        # What a node costs without saying what it has is idle as a whole, until somebody is named for it.
        made += [
            _idle_row(source, Idle(name, node, resource, kinds[COST]), COST)
            for (other, name, node, resource), kinds in known.items()
            if other == source and "capacity" not in kinds and kinds[COST]
        ]
    return made


def _idle_row(source: str, idle: Idle, kind: str) -> UsageRow:
    dimensions = tuple((name, value) for name, value in zip(_PLACE, idle[:2], strict=True) if value)
    return UsageRow(source, f"cluster.{idle.resource}.{kind}", IDLE, dimensions, idle.units)


def shared(used: Iterable[Used], idle: Iterable[UsageRow]) -> tuple[list[Used], list[UsageRow]]:
    """Usage with the idle that no rule sent anywhere shared among those who used the same; and what nobody could take.

    Of each kind by itself, per cluster (or node) and resource. The cost of all resources together is added as the
    metric ``cluster.cost``.
    """
    found = list(used)
    left: list[UsageRow] = []
    waiting = list(idle)
    for kind in (COST, NEEDED):
        parts = [
            Part(*place(one.dimensions), about.resource, one.target, one.value)
            for one in found
            if (about := measure(one.metric)) is not None and about.kind == kind
        ]
        mine = [row for row in waiting if row.metric.endswith(f".{kind}")]
        asked = [
            Idle(*place(row.dimensions), about.resource, row.value)
            for row in mine
            if (about := measure(row.metric)) is not None
        ]
        everything, rest = cluster.share_idle(parts, asked)
        before = {part[:4]: part.units for part in cluster.added_up(parts)}
        for part in everything:
            if units := part.units - before.get(part[:4], 0):
                dimensions = tuple((name, value) for name, value in zip(_PLACE, part[:2], strict=True) if value)
                found.append(Used(f"cluster.{part.resource}.{kind}", part.holder, dimensions, units))
        lonely = {one[:3] for one in rest}
        left += [row for row in mine if (*place(row.dimensions), _resource(row)) in lonely]
    return [*found, *_totals(found)], left


def _resource(row: UsageRow) -> str:
    found = measure(row.metric)
    return found.resource if found else ""


def _totals(used: Iterable[Used]) -> list[Used]:
    sums: dict[tuple[Target, tuple[tuple[str, str], ...]], int] = defaultdict(int)
    for one in used:
        found = measure(one.metric)
        if found is not None and found.kind == COST:
            sums[one.target, one.dimensions] += one.value
    return [Used(TOTAL, target, dimensions, value) for (target, dimensions), value in sums.items()]
