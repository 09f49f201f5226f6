"""Pictures of a document, drawn on the server: where the money flows, parts of a change, a budget. SVG, integers only.

Every picture stands beside a table that says the same, and takes its colours from the style sheet. What runs backwards
(credits) cannot be drawn as a flow, and is only in the table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from apportion.invoice.paper import Paper, PaperLine, PaperLineKind
from apportion.money.amount import half_even
from apportion.web.drawing.sankey import Band, Place, sankey
from apportion.web.words.figures import spoken

_MOST = 9


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
    def rows(self) -> SafeString:
        """The rows of the table that says the same."""
        return mark_safe("".join(_rows(self.flows, self.currency)))  # noqa: S308 - escaped below

    @property
    def minor(self) -> int:
        """What arrives at the cost group."""
        return sum(flow.minor for flow in self.flows)


def _rows(flows: Sequence[Flow], currency: str) -> Iterator[str]:
    amount, shared, direct, credit = spoken().amount, _("shared"), _("direct"), _("credit")
    for each in flows:
        kind = f"{shared if each.is_shared else direct}{f', {credit}' if each.minor < 0 else ''}"
        yield (
            f'<tr><td>{escape(each.issuer)}</td><th scope="row">{escape(each.way)}</th><td>{escape(kind)}</td>'
            f'<td class="number">{amount(each.minor, currency)}</td></tr>'
        )


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
        made.append(Flows(currency, these, _picture(these, paper.name, currency)))
    return tuple(made)


def _way(line: PaperLine) -> str:
    if line.kind is PaperLineKind.SHARE:
        return line.heading
    if line.kind is PaperLineKind.ADJUSTMENT:
        return _("Adjustments")
    return line.service or _("No service named")


def _few(drawn: Sequence[Flow], place: int, other: str) -> Mapping[str, str]:
    """Each name of a column by what it is drawn as: the smallest together are one more."""
    sizes: dict[str, int] = defaultdict(int)
    for flow in drawn:
        sizes[str(flow[place])] += flow.minor
    order = sorted(sizes, key=lambda name: (-sizes[name], name))
    if len(order) <= _MOST + 1:
        return {name: name for name in order}
    return {name: name if number < _MOST else other for number, name in enumerate(order)}


def _picture(all_flows: Sequence[Flow], name: str, currency: str) -> SafeString:
    drawn = [flow for flow in all_flows if flow.minor > 0]
    other = _("Other")
    issuers, ways = _few(drawn, 0, other), _few(drawn, 1, other)
    places: dict[Hashable, Place] = {"": Place(2, name, "group")}
    first: dict[tuple[str, str, bool], int] = defaultdict(int)
    for flow in drawn:
        issuer, way = issuers[flow.issuer], ways[flow.way]
        places[0, issuer] = Place(0, issuer, "issuer", issuer == other)
        places[1, way, flow.is_shared] = Place(1, way, "pool" if flow.is_shared else "service", way == other)
        first[issuer, way, flow.is_shared] += flow.minor
    bands, second = [], dict.fromkeys(((1, way, shared) for _issuer, way, shared in first), 0)
    for (issuer, way, shared), minor in first.items():
        bands.append(Band((0, issuer), (1, way, shared), minor, "shared" if shared else "direct"))
        second[1, way, shared] += minor
    bands += [Band(key, "", minor, "shared" if key[2] else "direct") for key, minor in second.items()]
    return sankey(places, bands, currency, _("Where the money flows; the table says the same"))


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
