"""Where a period's money went: from who invoiced it, by pool or directly, to divisions. For a picture and its table.

Taken from the run's own figures where they are of the same documents and the whole company is asked for; else added up
from document lines, in the currency that was charged. Both come to the documents' total, to the minor unit.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db.models import Sum

from apportion.invoice.paper import PaperLineKind
from apportion.records.closes import Close
from apportion.records.documents import DocumentLine
from apportion.records.groups import CostGroup
from apportion.records.measures import MONTHLY
from apportion.records.summary import Scope
from apportion.review.states import Issue

ISSUER, POOL, DIVISION = range(3)
MOST = 8
_KEPT_SECONDS = 24 * 60 * 60


class End(NamedTuple):
    """One end of a stream: in which of the three columns, and what it is.

    `code` is empty for direct cost, for what no cost group carries, and for what small ones became together (`other`).
    """

    column: int
    code: str
    name: str
    is_other: bool = False


class Stream(NamedTuple):
    """How much goes from one end to the next, in minor units; below zero where credits outweigh cost."""

    source: End
    target: End
    minor: int


def streams(wanted: Scope, close: Close | None, period: str, currency: str, total: int) -> tuple[Stream, ...]:
    """The streams of a period in one currency, whose documents come to `total`. At most two queries."""
    figures: Mapping[str, Any] = close.summary.get("figures", {}) if close is not None else {}
    if wanted.paths is None and close is not None and close.run_digest == close.issued_run_digest:
        found = _of_run(figures.get("flows", {}), currency)
        if found and sum(each.minor for each in found if each.source.column == ISSUER) == total:
            return found
    run = close.issued_run_digest if close is not None else ""
    said = "|".join([run, period, currency, str(total), *(wanted.paths if wanted.paths is not None else ("*",))])
    key = f"streams-{hashlib.sha256(said.encode()).hexdigest()}"
    kept: tuple[Stream, ...] | None = cache.get(key)
    if kept is None:
        kept = _of_lines(wanted, period, currency, figures.get("pool_names", {}))
        cache.set(key, kept, _KEPT_SECONDS)
    return kept


_COLUMNS = {"issuer": ISSUER, "pool": POOL, "holder": DIVISION}


def _of_run(picture: Mapping[str, Any], currency: str) -> tuple[Stream, ...]:
    ends = [End(_COLUMNS[column], code, name, other) for column, code, name, other in picture.get("nodes", [])]
    return tuple(
        Stream(ends[one], ends[two], minor) for one, two, code, minor in picture.get("links", []) if code == currency
    )


def _of_lines(wanted: Scope, period: str, currency: str, names: Mapping[str, str]) -> tuple[Stream, ...]:
    rows = DocumentLine.objects.filter(
        wanted.rows("document__"),
        document__period=period,
        document__kind__in=MONTHLY,
        document__issue_state=Issue.ISSUED,
        currency=currency,
    ).values_list("invoice_issuer", "kind", "pool_id", "document__holder", "document__cost_group__path")
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for issuer, kind, pool, holder, path, minor in rows.annotate(minor=Sum("amount_minor")).order_by():
        sums[issuer, pool if kind == PaperLineKind.SHARE else "", path or f" {holder}"] += int(minor)
    division = wanted.divisions({key[2] for key in sums if key[2].startswith("/")})
    groups = CostGroup.objects.filter(path__in=set(division.values()))
    known = {path: (code, name) for path, code, name in groups.values_list("path", "code", "name")}
    ways: dict[tuple[End, End, End], int] = defaultdict(int)
    for (issuer, pool, place), minor in sums.items():
        code, name = known.get(division.get(place, ""), ("", place.strip()))
        way = (End(ISSUER, issuer, issuer), End(POOL, pool, names.get(pool, pool)), End(DIVISION, code, name))
        ways[way] += minor
    kept = [_largest(ways, place) for place in (ISSUER, POOL, DIVISION)]
    links: dict[tuple[End, End], int] = defaultdict(int)
    for way, minor in ways.items():
        one, two, three = (end if end in kept[end.column] else End(end.column, "", "", True) for end in way)
        links[one, two] += minor
        links[two, three] += minor
    order = sorted(links.items(), key=lambda item: (item[0][0].column, -abs(item[1]), item[0]))
    return tuple(Stream(one, two, minor) for (one, two), minor in order if minor)


def _largest(ways: Mapping[tuple[End, End, End], int], column: int) -> Iterable[End]:
    sizes: dict[End, int] = defaultdict(int)
    for way, minor in ways.items():
        sizes[way[column]] += abs(minor)
    ordered = sorted(sizes, key=lambda end: (-sizes[end], end))
    # One too many is not put together: "other" would be one as well.
    return set(ordered if len(ordered) <= MOST + 1 else ordered[:MOST])
