"""Figures of cost groups for lists: last totals, with all that is below, and whether each is charged.

Reads only what somebody may see: the groups are given, or found by `records.reach`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from apportion.actions.close.charging import MONTHLY
from apportion.records.documents import Document, DocumentTotal
from apportion.records.groups import Charging, CostGroup, Mode
from apportion.review.states import Issue

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Listed:
    """A cost group on a list. Amounts are (currency, minor units) of the latest issued period.

    `below` is with all groups below it; `level` counts from the list's own top; `children` are its current ones.
    """

    group: CostGroup
    level: int
    own: tuple[tuple[str, int], ...]
    below: tuple[tuple[str, int], ...]
    charging: Charging
    children: int
    owners: tuple[str, ...]


def latest_period(groups: QuerySet[CostGroup]) -> str:
    """The latest period of which any of these groups has a document; empty where none has. One query."""
    # From the latest on, so that the database may stop at the first.
    rows = Document.objects.filter(cost_group__in=groups, issue_state=Issue.ISSUED, kind__in=MONTHLY)
    return rows.order_by("-period").values_list("period", flat=True).first() or ""


def totals(groups: QuerySet[CostGroup], period: str) -> tuple[dict[int, dict[str, int]], dict[int, dict[str, int]]]:
    """What each group carries in a period, alone and with all below it, by currency. One query."""
    own: dict[int, dict[str, int]] = defaultdict(dict)
    below: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    if not period:
        return own, below
    rows = DocumentTotal.objects.filter(
        document__period=period,
        document__cost_group__in=groups,
        document__issue_state=Issue.ISSUED,
        document__kind__in=MONTHLY,
    ).values_list("document__cost_group", "document__cost_group__path", "currency", "amount_minor")
    for group, path, currency, minor in rows:
        own[group][currency] = own[group].get(currency, 0) + minor
        for above in path.strip("/").split("/"):
            below[int(above)][currency] += minor
    return own, below


def listed(
    rows: Sequence[CostGroup],
    seen: QuerySet[CostGroup],
    period: str,
    top: int,
    modes: Mapping[int, Charging] | None = None,
) -> list[Listed]:
    """Groups as they are listed; `seen` are all that this person may see, `top` the depth of the first level.

    With `modes`, which are known already, how many groups are below each is not asked.
    """
    if not rows:
        return []
    keys = [row.pk for row in rows]
    own, below = totals(seen, period)
    children = _children(keys) if modes is None else {}
    known = charging(keys, period) if modes is None else modes
    return [
        Listed(
            row,
            min(max(row.depth - top, 0), 6),
            _pairs(own.get(row.pk, {})),
            _pairs(below.get(row.pk, {})),
            known.get(row.pk, Charging.SHOWBACK),
            children.get(row.pk, 0),
            tuple(dict.fromkeys(str(owner) for owner in row.owners.values() if owner)),
        )
        for row in rows
    ]


def _children(keys: Sequence[int]) -> dict[int, int]:
    rows = CostGroup.objects.filter(parent__in=keys, is_current=True).values_list("parent")
    return dict(rows.annotate(count=Count("pk")).order_by())


def charging(keys: Iterable[int], period: str) -> dict[int, Charging]:
    """What each group is in, in a period (or as last decided where there is none). One query."""
    rows = Mode.objects.filter(cost_group__in=list(keys)).order_by("from_period", "id")
    if period:
        rows = rows.filter(from_period__lte=period)
    return {group: Charging(mode) for group, mode in rows.values_list("cost_group", "charging")}


def _pairs(amounts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(amounts.items(), key=lambda pair: -abs(pair[1])))


def months(documents: Iterable[Document]) -> dict[str, list[tuple[str, int]]]:
    """What a group itself carried in its last twelve months, by currency: (period, minor units). No query."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    monthly = sorted(
        (each for each in documents if each.kind in MONTHLY and each.issue_state == Issue.ISSUED),
        key=lambda each: each.period,
    )
    for each in monthly[-MONTHS:]:
        for total in each.totals.all():
            found[total.currency].append((each.period, total.amount_minor))
    return dict(found)
