"""One picture of where money flows, in three columns, drawn on the server. SVG, integers only.

Stands beside a table that says the same, and takes its colours from the style sheet. What runs backwards (credits)
cannot be drawn as a flow, and is only in the table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

from apportion.money.amount import half_even
from apportion.web.words.figures import spoken

_WIDTH, _NODE, _GAP, _TALL, _LEAST, _ROW = 1040, 12, 12, 240, 2, 16
_AT = (240, 528, 816)
_LETTERS = 30


@dataclass(frozen=True, slots=True)
class Place:
    """One end of a flow: its column (0, 1 or 2), its name, and the kind that the style sheet knows."""

    column: int
    name: str
    kind: str
    is_last: bool = False  # what is other or nobody's stands below the rest


@dataclass(frozen=True, slots=True)
class Band:
    """How much flows from one place to a place in the next column. `kind` is direct or shared."""

    source: Hashable
    target: Hashable
    minor: int
    kind: str


@dataclass(slots=True)
class _Node:
    place: Place
    minor: int
    top: int = 0
    tall: int = 0
    used_before: int = 0
    used_after: int = 0


def sankey(places: Mapping[Hashable, Place], bands: Sequence[Band], currency: str, label: str) -> SafeString:
    """The picture of the bands above zero; empty where there is too little to draw."""
    drawn = [band for band in bands if band.minor > 0]
    nodes = _nodes(places, drawn)
    columns = [[node for node in nodes.values() if node.place.column == number] for number in range(3)]
    whole = max((sum(node.minor for node in column) for column in columns), default=0)
    if not whole or len(drawn) < 2:
        return SafeString("")
    height = max(_stack(column, whole) for column in columns if column)
    for column in columns:
        _centre(column, height)
    ordered = sorted(drawn, key=lambda band: (nodes[band.source].top, nodes[band.target].top))
    said = spoken()
    shapes = []
    for band in ordered:
        amount = said.money(band.minor, currency)
        shapes.append(_ribbon(nodes[band.source], nodes[band.target], band, whole, amount))
    shapes += [_drawn(node, said.money(node.minor, currency)) for column in columns for node in column]
    return mark_safe(  # noqa: S308 - integers and escaped text
        f'<svg class="sankey" viewBox="0 0 {_WIDTH} {height + 4}" role="img" '
        f'aria-label="{escape(label)}">{"".join(shapes)}</svg>'
    )


def _nodes(places: Mapping[Hashable, Place], drawn: Sequence[Band]) -> dict[Hashable, _Node]:
    """What comes in or goes out of each place, whichever is more; the largest of a column first."""
    comes: dict[Hashable, int] = defaultdict(int)
    goes: dict[Hashable, int] = defaultdict(int)
    for band in drawn:
        goes[band.source] += band.minor
        comes[band.target] += band.minor
    made = {key: _Node(places[key], max(comes[key], goes[key])) for key in {**goes, **comes}}
    order = sorted(made, key=lambda key: (made[key].place.is_last, -made[key].minor, made[key].place.name))
    return {key: made[key] for key in order}


def _stack(column: Sequence[_Node], whole: int) -> int:
    """Put the nodes of a column one below the other, with room for their names; gives where it ends."""
    top = 2
    for node in column:
        node.tall = max(half_even(node.minor * _TALL, whole), _LEAST)
        node.top = top
        top += max(node.tall, _ROW) + _GAP
    return top - _GAP


def _centre(column: Sequence[_Node], height: int) -> None:
    if column:
        shift = max((height - (column[-1].top + max(column[-1].tall, _ROW))) >> 1, 0)
        for node in column:
            node.top += shift


def _ribbon(one: _Node, two: _Node, band: Band, whole: int, amount: str) -> str:
    thick = max(half_even(band.minor * _TALL, whole), 1)
    top1 = one.top + min(one.used_after, max(one.tall - thick, 0))
    top2 = two.top + min(two.used_before, max(two.tall - thick, 0))
    one.used_after += thick
    two.used_before += thick
    a, b = _AT[one.place.column] + _NODE, _AT[two.place.column]
    half = (a + b) >> 1
    said = escape(f"{one.place.name} → {two.place.name}: {amount}")
    return (
        f'<path class="flow flow-{band.kind}" d="M{a} {top1}C{half} {top1} {half} {top2} {b} {top2}V{top2 + thick}'
        f'C{half} {top2 + thick} {half} {top1 + thick} {a} {top1 + thick}Z"><title>{said}</title></path>'
    )


def _drawn(node: _Node, amount: str) -> str:
    name, x = node.place.name, _AT[node.place.column]
    short = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
    at, anchor = (x - 8, "end") if node.place.column == 0 else (x + _NODE + 8, "start")
    middle = node.top + (node.tall >> 1) + 4
    return (
        f"<g><title>{escape(name)}: {escape(amount)}</title>"
        f'<rect class="node node-{node.place.kind}" x="{x}" y="{node.top}" width="{_NODE}" height="{node.tall}"/>'
        f'<text x="{at}" y="{middle}" text-anchor="{anchor}">{escape(short)}</text></g>'
    )
