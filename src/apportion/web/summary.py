"""The period on one page, for somebody who reads one: their part of the tree, or all of it; on one printed sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apportion.actions import configured
from apportion.errors import NotFoundError
from apportion.invoice.paper import Part
from apportion.invoice.papers.wording import PARTS
from apportion.money.currency import exponent
from apportion.periods import BillingPeriod
from apportion.records import summary as books
from apportion.records.closes import Close
from apportion.records.measures import Key, Measure, last_periods, of_run
from apportion.records.stamp import stamp
from apportion.records.streams import streams
from apportion.records.summary import MonthSum, Scope, Stand, Why
from apportion.review.permission import Permission
from apportion.web.drawing.diagrams import budget_bar, part_bar
from apportion.web.drawing.streams_picture import name_of, picture
from apportion.web.frame.page import Reach, Request, page
from apportion.web.words.figures import money, period_name, signed_money, spoken
from apportion.web.words.measure_words import unknown_words

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_SEE = Permission.SEE_SUMMARY
_PERIODS = 36


@dataclass(frozen=True, slots=True)
class Cause:
    """One row of why the total changed, with its bar."""

    name: str
    about: str
    minor: int
    bar: SafeString


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the close: done at an instant, or not yet."""

    name: _StrPromise
    done_at: datetime | date | None
    until: date | None = None


@page(Reach.SOMEWHERE, _SEE)
def summary(request: Request, period: str = "") -> HttpResponse:
    """The page; without a period, the last one whose documents are out."""
    rights = request.actor.rights
    wanted = books.scope(rights, request.GET.get("group", "")[:200])
    closes = Close.objects.filter(issued_at__isnull=False).order_by("-period").defer("tie_out")[:_PERIODS]
    by_period = {close.period: close for close in closes}
    if not by_period:
        return render(request, "summary/none.html", {"may_see_close": rights.may(Permission.SEE_CLOSE)})
    period = period or request.GET.get("period", "")
    chosen = str(BillingPeriod.parse(period)) if period else next(iter(by_period))
    close = by_period.get(chosen)
    if close is None:
        raise NotFoundError(
            _("No documents of %s are out.") % period_name(chosen), advice=_("Choose another period of the summary.")
        )
    context = {
        "scope": wanted,
        "is_whole": wanted.paths is None,
        "is_everybody": _SEE in rights.everywhere,
        "period": chosen,
        "periods": list(by_period),
        "close": close,
        "steps": _steps(close),
        "asked": request.GET.get("group", "")[:200],
        **_figures(wanted, close, request.GET.get("currency", "")[:3]),
    }
    return render(request, "summary/summary.html", context)


def _figures(wanted: Scope, close: Close, asked_currency: str) -> Mapping[str, object]:
    """Everything that is counted, in one currency: the one asked for, else the one that most lines are in."""
    period, now = close.period, stamp()
    periods = last_periods(period)
    sums = books.months(now, wanted, tuple(periods))
    here = sums.get(period, {})
    main = close.summary.get("main_currency", "")
    largest = max(here, key=lambda code: abs(here[code].minor), default="")
    currency = asked_currency if asked_currency in here else main if main in here else largest
    if not currency:
        return {"currency": ""}
    total, last = here[currency], sums.get(periods[-2], {}).get(currency)
    change = total.minor - last.minor if last is not None else None
    why = books.why(now, wanted, period, currency, change)
    flows = streams(wanted, close, period, currency, total.minor)
    stand = books.stand(now, wanted, period)
    causes = _causes(why) if change is not None else []
    return {
        "currency": currency,
        "currencies": list(here),
        "now": total,
        "last": last,
        "last_period": periods[-2],
        "change": change,
        "why": why,
        "causes": causes,
        "headline": _headline(period, currency, total, last, causes),
        "budget_bar": budget_bar(why.budgeted, why.budget) if why.budget is not None else "",
        "budget_left": max(why.budget - why.budgeted, 0) if why.budget is not None else None,
        "budget_over": max(why.budgeted - why.budget, 0) if why.budget is not None else 0,
        "stand": stand,
        "acceptance": _acceptance(stand),
        "months": [(each, sums.get(each, {}).get(currency)) for each in periods],
        "chart": _chart(periods, sums, currency),
        "streams": [(name_of(each.source), name_of(each.target), each.minor) for each in flows],
        "picture": picture(flows, currency),
        "shares": _company(close),
    }


def _headline(period: str, currency: str, now: MonthSum, last: MonthSum | None, causes: Sequence[Cause]) -> str:
    """The page in one or two sentences."""
    said = {"period": period_name(period), "total": money(now.minor, currency)}
    if last is None:
        return _("%(period)s came to %(total)s. There is no month before to compare it with.") % said
    change = now.minor - last.minor
    if not change:
        return _("%(period)s came to %(total)s, as much as the month before.") % said
    percent = spoken().percent(abs(change), last.minor).lstrip("+")
    said |= {"change": money(abs(change), currency), "percent": percent or "–"}
    more = _("%(period)s came to %(total)s, %(change)s (%(percent)s) more than the month before.")
    less = _("%(period)s came to %(total)s, %(change)s (%(percent)s) less than the month before.")
    first = (more if change > 0 else less) % said
    along = [cause for cause in causes if (cause.minor > 0) == (change > 0)]
    if not along:
        return first
    largest = max(along, key=lambda cause: abs(cause.minor))
    second = _("The largest reason: %(cause)s (%(amount)s).")
    return f"{first} {second % {'cause': largest.name, 'amount': signed_money(largest.minor, currency)}}"


def _causes(why: Why) -> list[Cause]:
    say = spoken().say
    largest = max((abs(minor) for minor in (*(each for _part, each in why.parts), why.rest)), default=0)
    found = [
        Cause(say(PARTS[part][0]), say(PARTS[part][1]), minor, part_bar(minor, largest))
        for part, minor in sorted(why.parts, key=lambda item: (item[0] is Part.ROUNDING, -abs(item[1])))
    ]
    if why.rest:
        about = _("cost groups that had a document the month before and have none now")
        found.append(Cause(_("Without a document"), about, why.rest, part_bar(why.rest, largest)))
    return found


def _acceptance(stand: Stand) -> tuple[int, int]:
    """Accepted by somebody or by silence, and all."""
    return stand.accepted + stand.deemed, stand.documents


def _chart(periods: Sequence[str], sums: Mapping[str, Mapping[str, MonthSum]], currency: str) -> Mapping[str, object]:
    """What the script draws; the columns that stand there without it are drawn from the same."""
    say = spoken()
    found = [sums.get(each, {}).get(currency) for each in periods]
    shown = [(each.direct, each.shared, each.minor) if each else None for each in found]
    return {
        "currency": currency,
        "labels": [say.short_month(each) for each in periods],
        "values": [each.minor if each else None for each in found],
        "drawn": {
            "minor": 10 ** exponent(currency),
            "labels": [f"{say.short_month(each)} {each[2:4]}" for each in periods],
            "series": [
                {"name": _("Direct cost"), "values": [each[0] if each else None for each in shown]},
                {"name": _("Shared cost"), "values": [each[1] if each else None for each in shown]},
            ],
            "said": [
                {
                    "period": say.month(period),
                    "total": say.money(each[2], currency) if each else "–",
                    "parts": [say.money(each[0], currency), say.money(each[1], currency)] if each else [],
                }
                for period, each in zip(periods, shown, strict=True)
            ],
        },
    }


def _company(close: Close) -> Mapping[str, tuple[Measure, str]]:
    """Shares of the whole company's cost, with why they are not known: everybody who sums up may see the shares."""
    found = of_run(close, configured.current())
    wanted = {"allocated": found[Key.ALLOCATED_SHARE], "unused": found[Key.UNUSED_COMMITMENT]}
    return {name: (each, unknown_words(each.unknown)) for name, each in wanted.items()}


def _steps(close: Close) -> list[Step]:
    today = timezone.localdate()
    over = close.review_until is not None and close.review_until < today
    return [
        Step(gettext_lazy("Data complete"), close.data_complete_at),
        Step(gettext_lazy("Allocated"), close.allocated_at),
        Step(gettext_lazy("Issued"), close.issued_at),
        Step(gettext_lazy("Review over"), close.review_until if over else None, close.review_until),
        Step(gettext_lazy("Posted"), close.posted_at),
        Step(gettext_lazy("Sealed"), close.sealed_at),
    ]


urlpatterns = [
    path("summary/", summary, name="summary"),
    path("summary/<str:period>/", summary, name="summary_of"),
]
