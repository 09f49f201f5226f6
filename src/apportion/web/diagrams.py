"""Pictures of a document, drawn on the server: where the money flows, parts of a change, a budget. SVG, integers only.

Every picture stands beside a table that says the same, and takes its colours from the style sheet. What runs backwards
(credits) cannot be drawn as a flow, and is only in the table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from apportion.invoice.paper import Paper, PaperLine, PaperLineKind
from apportion.invoice.papers.words import words
from apportion.money.amount import half_even
from apportion.web.templatetags.apportion import locale

_WIDTH, _NODE, _GAP, _TALL, _LEAST = 960, 12, 14, 260, 2
_LEFT, _MIDDLE, _RIGHT = 190, 474, 758
_MOST = 9
_LETTERS = 30


class Flow(NamedTuple):
    """How much goes from a provider by way of a service or pool, in minor units. `is_shared`: by a pool."""

    issuer: str
    way: str
    is_shared: bool
    minor: int


@dataclass(frozen=True, slots=True)
class Flows:
    """The flows of one currency, the largest first, and their picture (empty where there is nothing to draw)."""

    currency: str
    flows: tuple[Flow, ...]
    picture: SafeString

    @property
    def minor(self) -> int:
        """What arrives at the cost group."""
        return sum(flow.minor for flow in self.flows)


def flows(paper: Paper) -> tuple[Flows, ...]:
    """Provider, then service or pool, then the cost group: the sums of a paper's lines, by currency."""
    found: dict[str, dict[tuple[str, str, bool], int]] = defaultdict(lambda: defaultdict(int))
    for line in paper.lines:
        key = (line.invoice_issuer or _("Unnamed issuer"), _way(line), line.kind is PaperLineKind.SHARE)
        found[line.currency][key] += line.minor
    made = []
    for currency in sorted(found):
        ordered = sorted(found[currency].items(), key=lambda item: (-abs(item[1]), item[0]))
        these = tuple(Flow(*key, minor) for key, minor in ordered if minor)
        made.append(Flows(currency, these, _sankey(these, paper.name, currency)))
    return tuple(made)


def _way(line: PaperLine) -> str:
    if line.kind is PaperLineKind.SHARE:
        return line.heading
    if line.kind is PaperLineKind.ADJUSTMENT:
        return _("Adjustments")
    return line.service or _("No service named")


@dataclass(slots=True)
class _Node:
    name: str
    kind: str
    minor: int
    top: int = 0
    tall: int = 0
    used_left: int = 0
    used_right: int = 0


def _few(drawn: Sequence[Flow], place: int) -> Mapping[str, str]:
    """Each name of a column by what it is drawn as: the smallest together are one more."""
    sizes: dict[str, int] = defaultdict(int)
    for flow in drawn:
        sizes[str(flow[place])] += flow.minor
    order = sorted(sizes, key=lambda name: (-sizes[name], name))
    if len(order) <= _MOST + 1:
        return {name: name for name in order}
    return {name: name if number < _MOST else _("Other") for number, name in enumerate(order)}


def _sankey(all_flows: Sequence[Flow], name: str, currency: str) -> SafeString:
    drawn = [flow for flow in all_flows if flow.minor > 0]
    whole = sum(flow.minor for flow in drawn)
    if not whole or len(drawn) < 2:
        return SafeString("")
    issuers, ways = _few(drawn, 0), _few(drawn, 1)
    first: dict[tuple[str, str, bool], int] = defaultdict(int)
    for flow in drawn:
        first[issuers[flow.issuer], ways[flow.way], flow.is_shared] += flow.minor
    left = _nodes({key[0]: "issuer" for key in first}, first, 0)
    middle = _nodes({key[1]: "pool" if key[2] else "service" for key in first}, first, 1)
    right = {"": _Node(name, "group", whole)}
    height = max(_placed(list(column.values()), whole) for column in (left, middle, right)) + _GAP
    for column in (left, middle, right):
        _centre(list(column.values()), height)
    shapes = []
    for (issuer, way, shared), minor in sorted(
        first.items(), key=lambda item: (left[item[0][0]].top, middle[item[0][1]].top)
    ):
        one, two = left[issuer], middle[way]
        shapes.append(
            _ribbon(
                _LEFT, one, _MIDDLE, two, minor, whole, "shared" if shared else "direct", f"{issuer} → {way}", currency
            )
        )
    for way, node in middle.items():
        kind = "shared" if node.kind == "pool" else "direct"
        shapes.append(_ribbon(_MIDDLE, node, _RIGHT, right[""], node.minor, whole, kind, f"{way} → {name}", currency))
    shapes += [_drawn(node, _LEFT, currency, before=True) for node in left.values()]
    shapes += [_drawn(node, _MIDDLE, currency, before=False) for node in middle.values()]
    shapes += [_drawn(node, _RIGHT, currency, before=False) for node in right.values()]
    label = escape(_("Where the money flows; the table says the same"))
    return mark_safe(  # noqa: S308 - integers and escaped text
        f'<svg class="sankey" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">{"".join(shapes)}</svg>'
    )


def _nodes(kinds: Mapping[str, str], flows_of: Mapping[tuple[str, str, bool], int], place: int) -> dict[str, _Node]:
    sums: dict[str, int] = defaultdict(int)
    for key, minor in flows_of.items():
        sums[str(key[place])] += minor
    order = sorted(sums, key=lambda name: (kinds[name] == "pool", -sums[name], name))
    return {name: _Node(name, kinds[name], sums[name]) for name in order}


def _placed(column: Sequence[_Node], whole: int) -> int:
    """Put the nodes of a column one below the other; gives where it ends."""
    top = 0
    for node in column:
        node.tall = max(half_even(node.minor * _TALL, whole), _LEAST)
        node.top = top
        top += max(node.tall, 16) + _GAP  # room for its name
    return top - _GAP


def _centre(column: Sequence[_Node], height: int) -> None:
    last = column[-1]
    shift = max((height - (last.top + max(last.tall, 16))) >> 1, 0)
    for node in column:
        node.top += shift


def _ribbon(
    x1: int, one: _Node, x2: int, two: _Node, minor: int, whole: int, kind: str, words_of: str, currency: str
) -> str:
    thick = max(half_even(minor * _TALL, whole), 1)
    top1, top2 = (
        one.top + min(one.used_right, max(one.tall - thick, 0)),
        two.top + min(two.used_left, max(two.tall - thick, 0)),
    )
    one.used_right += thick
    two.used_left += thick
    a, b = x1 + _NODE, x2
    half = (a + b) >> 1
    said = words(locale()).money(minor, currency)
    return (
        f'<path class="flow flow-{kind}" d="M{a} {top1}C{half} {top1} {half} {top2} {b} {top2}V{top2 + thick}'
        f'C{half} {top2 + thick} {half} {top1 + thick} {a} {top1 + thick}Z">'
        f"<title>{escape(words_of)}: {escape(said)}</title></path>"
    )


def _drawn(node: _Node, x: int, currency: str, *, before: bool) -> str:
    short = node.name if len(node.name) <= _LETTERS else f"{node.name[: _LETTERS - 1]}…"
    at, anchor = (x - 8, "end") if before else (x + _NODE + 8, "start")
    middle = node.top + (max(node.tall, 1) >> 1) + 4
    said = words(locale()).money(node.minor, currency)
    return (
        f"<g><title>{escape(node.name)}: {escape(said)}</title>"
        f'<rect class="node node-{node.kind}" x="{x}" y="{node.top}" width="{_NODE}" height="{node.tall}"/>'
        f'<text x="{at}" y="{middle}" text-anchor="{anchor}">{escape(short)}</text></g>'
    )


def part_bar(minor: int, scale: int) -> SafeString:
    """A bar from the middle: to the right for more, to the left for less. For the eye only."""
    if not scale:
        return SafeString("")
    length = max(half_even(abs(minor) * 100, scale), 1)
    kind, x = ("more", 100) if minor > 0 else ("less", 100 - length)
    return mark_safe(  # noqa: S308 - integers
        f'<svg class="part-bar" viewBox="0 0 200 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="bar-{kind}" x="{x}" y="1" width="{length}" height="8"/>'
        '<line x1="100" x2="100" y1="0" y2="10"/></svg>'
    )


def budget_bar(minor: int, budget: int) -> SafeString:
    """How much of a budget is used, with a mark at the budget. For the eye only: the words stand beside it."""
    whole = max(minor, budget)
    if whole <= 0:
        return SafeString("")
    used, mark = half_even(max(minor, 0) * 1000, whole), half_even(max(budget, 0) * 1000, whole)
    kind = "over" if minor > budget else "near" if minor * 10 >= budget * 9 else "within"
    over = f'<rect class="budget-over" x="{mark}" y="2" width="{used - mark}" height="10"/>' if used > mark else ""
    return mark_safe(  # noqa: S308 - integers
        f'<svg class="budget" viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="budget-ground" x="0" y="2" width="1000" height="10"/>'
        f'<rect class="budget-{kind} budget-used" x="0" y="2" width="{min(used, mark)}" height="10"/>{over}'
        f'<rect class="budget-mark" x="{max(mark - 4, 0)}" y="0" width="4" height="14"/></svg>'
    )
