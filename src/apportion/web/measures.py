"""How well the close runs: the measures of a period against their thresholds, and those of twelve months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, path, reverse
from django.utils.translation import gettext_lazy as _

from apportion.actions import configured
from apportion.actions.post import verifying
from apportion.periods import BillingPeriod
from apportion.records.closes import Close
from apportion.records.measures import Key, Measure, Month, last_periods, measured
from apportion.review.permission import Permission
from apportion.web.frame.page import Reach, Request, page
from apportion.web.words.measure_words import (
    ABOUT,
    NAMES,
    brief,
    counted_words,
    threshold_words,
    unknown_words,
    value_words,
)

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_PERIODS = 36
_OF_COST = (
    Key.ALLOCATED_SHARE,
    Key.TAG_COVERAGE,
    Key.UNUSED_COMMITMENT,
    Key.IDLE_COST,
    Key.ANOMALY_COST,
)
_STILL_MOVING = {Key.ACCEPTANCE_RATE, Key.DISPUTES, Key.DAYS_TO_RESOLVE, Key.SHARE_POSTED, Key.RECHARGE_RATE}


@dataclass(frozen=True, slots=True)
class Cell:
    """A measure in one month of the table."""

    value: str
    is_met: bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """A measure as it is shown. `tone` and `state` are its badge; `url` leads to what it counts."""

    name: _StrPromise
    about: _StrPromise
    value: str
    unknown: str
    threshold: str
    counted: str
    url: str
    tone: str
    icon: str
    state: _StrPromise
    line: tuple[int | None, ...]
    cells: tuple[Cell, ...]


@page(Reach.EVERYWHERE, Permission.SEE_CLOSE)
def measures(request: Request, period: str = "") -> HttpResponse:
    """The page; without a period, the last one that is in the books."""
    known = list(Close.objects.order_by("-period").values_list("period", flat=True)[:_PERIODS])
    period = period or request.GET.get("period", "")
    if not known and not period:
        return render(request, "measures/none.html")
    chosen = str(BillingPeriod.parse(period)) if period else known[0]
    periods = last_periods(chosen)
    found = measured(periods, configured.current())
    rows = [_row(found, place) for place in range(len(Key))]
    kinds = [each.key for each in found[-1].measures]
    context = {
        "period": chosen,
        "periods": known if chosen in known else [chosen, *known],
        "shown_periods": periods,
        "of_cost": [row for row, key in zip(rows, kinds, strict=True) if key in _OF_COST],
        "of_review": [row for row, key in zip(rows, kinds, strict=True) if key not in _OF_COST],
        "missed": sum(each.is_met is False for each in found[-1].measures),
        "unknown": sum(each.is_met is None for each in found[-1].measures),
        "met": sum(each.is_met is True for each in found[-1].measures),
        "recharges": verifying.recharge_rate(BillingPeriod.parse(chosen)),
        "close": found[-1].close,
        "so_far": found[-1].so_far,
    }
    return render(request, "measures/measures.html", context)


def _row(months: Sequence[Month], place: int) -> Row:
    now = months[-1]
    each = now.measures[place]
    tone, icon, state = _state(each, now)
    return Row(
        name=NAMES[each.key],
        about=ABOUT[each.key],
        value=value_words(each),
        unknown=unknown_words(each.unknown),
        threshold=threshold_words(each),
        counted=counted_words(each),
        url=_address(each.key, now.period),
        tone=tone,
        icon=icon,
        state=state,
        line=tuple(month.measures[place].value for month in months),
        cells=tuple(Cell(brief(month.measures[place]), month.measures[place].is_met) for month in months),
    )


def _state(each: Measure, month: Month) -> tuple[str, str, _StrPromise]:
    if each.is_met is None:
        return "quiet", "circle-dashed", _("Not known")
    if each.is_met:
        return "good", "circle-check", _("Met")
    if month.so_far and each.key in _STILL_MOVING:
        return "wait", "hourglass", _("Not yet met")
    return "bad", "alert-circle", _("Missed")


def _address(key: Key, period: str) -> str:
    """Where the things that a measure counts are listed."""
    match key:
        case Key.ALLOCATED_SHARE | Key.TAG_COVERAGE:
            return _found("work_list", {"period": period})
        case Key.DAYS_TO_ISSUE:
            return _found("close_period", {}, period)
        case Key.DISPUTES:
            return _found("disputes", {"state": "all"})
        case Key.DAYS_TO_RESOLVE:
            return _found("disputes", {"state": "decided"})
        case Key.SHARE_POSTED:
            return _found("documents", {"period": period, "kind": "invoice"})
        case Key.UNUSED_COMMITMENT | Key.IDLE_COST:
            return _found("summary_of", {}, period) + "#flows"
        case Key.ANOMALY_COST:
            return _found("summary_of", {}, period) + "#movers"
        case _other:
            return _found("documents", {"period": period})


def _found(name: str, query: dict[str, str], *arguments: str) -> str:
    try:
        address = reverse(name, args=arguments)
    except NoReverseMatch:
        return ""
    return f"{address}?{urlencode(query)}" if query else address


urlpatterns = [
    path("measures/", measures, name="measures"),
    path("measures/<str:period>/", measures, name="measures_of"),
]
