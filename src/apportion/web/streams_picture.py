"""A picture of where money goes, in three columns: who invoiced it, what it passes, who carries it. SVG, integers only.

Stands beside a table that says the same. What runs backwards (credits) cannot be drawn, and is only in the table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from apportion.money.amount import half_even
from apportion.records.streams import DIVISION, ISSUER, POOL, End, Stream
from apportion.web.templatetags.apportion import money

_WIDTH, _NODE, _GAP, _TALL, _LEAST, _ROW = 960, 12, 10, 220, 2, 16
_AT = {ISSUER: 190, POOL: 474, DIVISION: 758}
_LETTERS = 27


@dataclass(slots=True)
class _Node:
    name: str
    minor: int
    top: int = 0
    tall: int = 0
    used_left: int = 0
    used_right: int = 0


def name_of(end: End) -> str:
    """What an end is called: what has no name of its own in words."""
    if end.is_other:
        return _("Other")
    if end.column == POOL and not end.code:
        return _("Direct cost")
    if end.column == ISSUER and not end.code:
        return _("Adjustments")
    if end.column == DIVISION and not end.code:
        return {"unallocated": _("Unallocated"), "kept_central": _("Kept central")}.get(end.name, end.name)
    return end.name


def picture(streams: Sequence[Stream], currency: str) -> SafeString:
    """The picture; empty where there is too little to draw."""
    drawn = [each for each in streams if each.minor > 0]
    columns = {column: _nodes(drawn, column) for column in (ISSUER, POOL, DIVISION)}
    whole = max((sum(node.minor for node in nodes.values()) for nodes in columns.values()), default=0)
    if not whole or len(drawn) < 2:
        return SafeString("")
    height = max(_place(list(nodes.values()), whole) for nodes in columns.values())
    for nodes in columns.values():
        _centre(list(nodes.values()), height)
    ordered = sorted(drawn, key=lambda each: (columns[each.source.column][each.source].top, _node(columns, each).top))
    shapes = [_ribbon(columns, each, whole, currency) for each in ordered]
    for column, nodes in columns.items():
        shapes += [_drawn(node, column, currency) for node in nodes.values()]
    label = escape(_("Where the money goes; the table says the same"))
    return mark_safe(  # noqa: S308 - integers and escaped text
        f'<svg class="streams" viewBox="0 0 {_WIDTH} {height + 4}" role="img" '
        f'aria-label="{label}">{"".join(shapes)}</svg>'
    )


def _node(columns: Mapping[int, Mapping[End, _Node]], stream: Stream) -> _Node:
    return columns[stream.target.column][stream.target]


def _nodes(drawn: Sequence[Stream], column: int) -> dict[End, _Node]:
    """What comes in or goes out, whichever is more, the largest first; what is other or nobody's comes last."""
    sums: dict[End, list[int]] = defaultdict(lambda: [0, 0])
    for each in drawn:
        if each.source.column == column:
            sums[each.source][0] += each.minor
        if each.target.column == column:
            sums[each.target][1] += each.minor
    order = sorted(sums, key=lambda end: (not end.code and column != POOL, -max(sums[end]), end))
    return {end: _Node(name_of(end), max(sums[end])) for end in order}


def _place(column: Sequence[_Node], whole: int) -> int:
    top = 2
    for node in column:
        node.tall = max(half_even(node.minor * _TALL, whole), _LEAST)
        node.top = top
        top += max(node.tall, _ROW) + _GAP
    return top - _GAP


def _centre(column: Sequence[_Node], height: int) -> None:
    last = column[-1]
    shift = max((height - (last.top + max(last.tall, _ROW))) >> 1, 0)
    for node in column:
        node.top += shift


def _ribbon(columns: Mapping[int, Mapping[End, _Node]], stream: Stream, whole: int, currency: str) -> str:
    one, two = columns[stream.source.column][stream.source], _node(columns, stream)
    thick = max(half_even(stream.minor * _TALL, whole), 1)
    top1 = one.top + min(one.used_right, max(one.tall - thick, 0))
    top2 = two.top + min(two.used_left, max(two.tall - thick, 0))
    one.used_right += thick
    two.used_left += thick
    a, b = _AT[stream.source.column] + _NODE, _AT[stream.target.column]
    half = (a + b) >> 1
    pool = stream.source if stream.source.column == POOL else stream.target
    kind = "shared" if pool.code or pool.is_other else "direct"
    said = escape(f"{one.name} → {two.name}: {money(stream.minor, currency)}")
    return (
        f'<path class="stream stream-{kind}" d="M{a} {top1}C{half} {top1} {half} {top2} {b} {top2}V{top2 + thick}'
        f'C{half} {top2 + thick} {half} {top1 + thick} {a} {top1 + thick}Z"><title>{said}</title></path>'
    )


def _drawn(node: _Node, column: int, currency: str) -> str:
    short = node.name if len(node.name) <= _LETTERS else f"{node.name[: _LETTERS - 1]}…"
    x = _AT[column]
    at, anchor = (x - 8, "end") if column == ISSUER else (x + _NODE + 8, "start")
    middle = node.top + (node.tall >> 1) + 4
    return (
        f"<g><title>{escape(node.name)}: {escape(money(node.minor, currency))}</title>"
        f'<rect x="{x}" y="{node.top}" width="{_NODE}" height="{node.tall}"/>'
        f'<text x="{at}" y="{middle}" text-anchor="{anchor}">{escape(short)}</text></g>'
    )
