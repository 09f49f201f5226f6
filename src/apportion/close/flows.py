"""Where the month's money goes: from who invoiced it, through pools, to cost groups. For a Sankey diagram.

Every flow is a sum of settled lines, so that what leaves the providers, what passes the middle and what arrives are the
same in every currency, to the minor unit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping
from enum import StrEnum
from typing import NamedTuple, TypeVar

from apportion.allocate.allocation import Line
from apportion.allocate.rule import UNALLOCATED, Holder, Target
from apportion.close.run import Run
from apportion.invoice import wording
from apportion.organization.cost_group import Tree

MOST_NODES = 12
_KEY = TypeVar("_KEY", bound=Hashable)


class Column(StrEnum):
    """The three columns of nodes, from left to right."""

    ISSUER = "issuer"
    POOL = "pool"
    HOLDER = "holder"


class Node(NamedTuple):
    """One node. In POOL, `code` is empty for cost that passes no pool; in HOLDER, for what no cost group carries.

    `is_other` marks what the smaller nodes of a column became together.
    """

    column: Column
    code: str
    name: str
    is_other: bool = False


class Flow(NamedTuple):
    """How much goes from one node to the next, in minor units; below zero where credits outweigh cost."""

    source: Node
    target: Node
    currency: str
    minor: int


def flows(run: Run, *, depth: int = 1, most: int = MOST_NODES, below: str = "", currency: str = "") -> tuple[Flow, ...]:
    """The flows of a run in the currencies that were billed, the largest first within each currency and step.

    Cost groups are rolled up to `depth`, counted from 1 at the top of the tree; with `below`, only that group and those
    below it count, and depth is counted from there. Of each column and currency at most `most` nodes stay, and the rest
    is one more. With `currency`, only that one. Raises `NotFoundError` for a group that is not in the tree.
    """
    found: dict[tuple[str, Node, Node, Node], int] = defaultdict(int)
    name = _Names(run, depth, below)
    inside = set(run.tree.below(below)) if below else None
    for line in run.allocation.lines:
        if (inside is not None and line.holder.code not in inside) or currency not in ("", line.scope.currency):
            continue
        way = (name.issuer(line), name.pool(line), name.holder(line.holder))
        found[line.scope.currency, *way] += line.minor
    sums: dict[tuple[str, Node, Node], int] = defaultdict(int)
    for code in sorted({key[0] for key in found}):
        ways = {key[1:]: minor for key, minor in found.items() if key[0] == code}
        kept = [_largest(ways, place, most) for place in range(3)]
        for way, minor in ways.items():
            shown = [node if node in kept[place] else _other(node.column) for place, node in enumerate(way)]
            sums[code, shown[0], shown[1]] += minor
            sums[code, shown[1], shown[2]] += minor
    made = [Flow(source, target, code, minor) for (code, source, target), minor in sums.items() if minor]
    order = list(Column)
    return tuple(
        sorted(made, key=lambda flow: (flow.currency, order.index(flow.source.column), -abs(flow.minor), *flow[:2]))
    )


def _largest(ways: Mapping[tuple[Node, Node, Node], int], place: int, most: int) -> Collection[Node]:
    """The nodes of a column that stay; what passes no pool, and what nobody carries, always does."""
    sizes: dict[Node, int] = defaultdict(int)
    for way, minor in ways.items():
        sizes[way[place]] += abs(minor)
    always = [node for node in sizes if not node.code]
    rest = sorted((node for node in sizes if node.code), key=lambda node: (-sizes[node], node))
    room = max(most - len(always), 0)
    # One node too many is not replaced by "other": that would be one node as well.
    return {*always, *(rest if len(rest) <= room + 1 else rest[:room])}


def _other(column: Column) -> Node:
    return Node(column, "", "Other", is_other=True)


class _Names:
    """The nodes that a line passes, each made once."""

    def __init__(self, run: Run, depth: int, below: str) -> None:
        self._tree: Tree = run.tree
        self._level = depth + (len(run.tree.path(below)) - 1 if below else 0)
        said = (*run.policy.pools, *(pool for policy in run.former.values() for pool in policy.pools))
        self._pools = {pool.id: pool.name for pool in reversed(said)}
        self._pools |= {commitment.id: commitment.name for commitment in run.policy.commitments}
        self._pools |= {uplift.id: uplift.name for uplift in run.policy.uplifts}
        self.holder: Callable[[Target], Node] = _remembered(self._holder)

    def issuer(self, line: Line) -> Node:
        issuer = line.scope.invoice_issuer or "Unnamed issuer"
        return Node(Column.ISSUER, issuer, issuer)

    def pool(self, line: Line) -> Node:
        if line.pool_id is None:
            return Node(Column.POOL, "", "Direct cost")
        return Node(Column.POOL, line.pool_id, self._pools.get(line.pool_id) or line.pool_id)

    def _holder(self, holder: Target) -> Node:
        if holder.holder is not Holder.COST_GROUP:
            name = wording.UNALLOCATED_NAME if holder == UNALLOCATED else wording.KEPT_CENTRAL_NAME
            return Node(Column.HOLDER, "", name)
        code = self._tree.path(holder.code)[: self._level][-1]
        return Node(Column.HOLDER, code, self._tree[code].name)


def _remembered(made: Callable[[_KEY], Node]) -> Callable[[_KEY], Node]:
    known: dict[_KEY, Node] = {}

    def of(key: _KEY) -> Node:
        if key not in known:
            known[key] = made(key)
        return known[key]

    return of
