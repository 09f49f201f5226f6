"""Cost groups: the tree with owners and last totals, and the page of one with its readiness for chargeback."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apportion.actions.close import charging as acts
from apportion.errors import InputRefusedError
from apportion.periods import BillingPeriod
from apportion.records import reach
from apportion.records.closes import Close
from apportion.records.documents import Document
from apportion.records.groups import Charging, CostGroup, Mode
from apportion.review.permission import Permission
from apportion.review.readiness import Measure, Row, Unit, is_ready
from apportion.web import group_sums
from apportion.web.frame.page import Reach, Request, page
from apportion.web.me import refused_input
from apportion.web.words.figures import short_month
from apportion.web.words.told import told_error

_ON_A_PAGE = 100
_LEVELS = 2  # of a large tree that are shown at once
_WHOLE = 150  # a tree of no more groups is shown whole
_DOCUMENTS = 14
_READ = 40  # documents, notes included, among which the last twelve months are
_SEE = Permission.SEE_DOCUMENTS

MEASURES = {
    Measure.ALLOCATED_SHARE: (
        gettext_lazy("Allocated share"), gettext_lazy("of the company's cost has an owner")
    ),
    Measure.TAGGED_SHARE: (gettext_lazy("Tagged share"), gettext_lazy("of the group's direct cost carries its tags")),
    Measure.QUIET_MONTHS: (
        gettext_lazy("Quiet months"), gettext_lazy("in a row without a dispute or a large change")
    ),
    Measure.OPEN_DISPUTES: (gettext_lazy("Open disputes"), gettext_lazy("not decided yet")),
}  # fmt: skip


class ChargingForm(forms.Form):
    """From when on a group is charged, and why."""

    charging = forms.ChoiceField(
        choices=[
            (Charging.CHARGEBACK, gettext_lazy("Chargeback")),
            (Charging.SHOWBACK, gettext_lazy("Showback")),
        ],
        widget=forms.HiddenInput,
    )
    from_period = forms.CharField(
        label=gettext_lazy("From the period"), max_length=7, help_text=gettext_lazy("As 2026-11. Issued periods stay.")
    )
    reason = forms.CharField(
        label=gettext_lazy("What the decision rests on"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def clean_from_period(self) -> BillingPeriod:
        """A billing period."""
        try:
            return BillingPeriod.parse(self.cleaned_data["from_period"])
        except InputRefusedError as error:
            raise forms.ValidationError(told_error(error)) from None


@page(Reach.SOMEWHERE, _SEE)
def groups(request: Request) -> HttpResponse:
    """The part of the tree that somebody sees; searched by name, code or owner, or below one group."""
    seen = reach.cost_groups(request.actor.rights).filter(is_current=True)
    wanted = request.GET.get("q", "").strip()[:200]
    under = _under(seen, request.GET.get("under", ""))
    count = seen.count()
    if wanted:
        by = Q(name__icontains=wanted) | Q(code__icontains=wanted) | Q(owners__icontains=wanted)
        chosen, top = seen.filter(by), None
    else:
        top = (
            under.depth + 1
            if under is not None
            else (seen.values_list("depth", flat=True).order_by("depth").first() or 0)
        )
        chosen = seen.filter(path__startswith=under.path).exclude(pk=under.pk) if under is not None else seen
        if count > _WHOLE:
            chosen = chosen.filter(depth__lt=top + _LEVELS)
    shown = Paginator(chosen, _ON_A_PAGE).get_page(request.GET.get("page"))
    period = group_sums.latest_period(seen)
    rows = group_sums.listed(list(shown.object_list), seen, period, top if top is not None else 10**6)
    deepest = None if wanted or count <= _WHOLE else (top or 0) + _LEVELS - 1
    context = {
        "page": shown,
        "rows": rows,
        "q": wanted,
        "under": under,
        "above": _above(seen, under) if under is not None else [],
        "count": count,
        "period": period,
        "deepest": deepest,
    }
    return render(request, "groups/list.html", context)


def _under(seen: QuerySet[CostGroup], text: str) -> CostGroup | None:
    return seen.filter(pk=int(text)).first() if text.isascii() and text.isdigit() and len(text) < 10 else None


def _above(seen: QuerySet[CostGroup], group: CostGroup) -> list[CostGroup]:
    """The groups above one that this person sees too, from the top."""
    keys = [int(each) for each in group.path.strip("/").split("/")[:-1]]
    return list(seen.filter(pk__in=keys).order_by("depth")) if keys else []


@page(Reach.OBJECT, _SEE)
def group(request: Request, group: int) -> HttpResponse:
    """One cost group: owners, coding, documents, twelve months, and whether it is ready for chargeback."""
    return _shown(request, reach.cost_group(request.actor.rights, group))


def _shown(request: Request, row: CostGroup, form: ChargingForm | None = None) -> HttpResponse:
    rights = request.actor.rights
    seen = reach.cost_groups(rights)
    mine = reach.documents(rights).filter(cost_group=row).prefetch_related("totals").order_by("-period", "-pk")
    documents = list(mine[:_READ])
    period = documents[0].period if documents else ""
    above = [int(each) for each in row.path.strip("/").split("/")[:-1]]
    around = list(seen.filter(Q(pk__in=above) | Q(parent=row, is_current=True)))
    children = [each for each in around if each.parent_id == row.pk][:_ON_A_PAGE]
    decided = Mode.objects.filter(cost_group__in=[row, *children]).select_related("decided_by")
    decisions = list(decided.order_by("-from_period", "-pk"))
    modes = [each for each in decisions if each.cost_group_id == row.pk]
    last = Charging(modes[0].charging) if modes else Charging.SHOWBACK
    other = Charging.SHOWBACK if last is Charging.CHARGEBACK else Charging.CHARGEBACK
    now = _in_period(decisions, period)
    closes = list(Close.objects.order_by("-period").only("period", "issued_at")[:24])
    report = acts.readiness_of(row)
    may = rights.may(Permission.MOVE_TO_CHARGEBACK)
    context = {
        "group": row,
        "above": sorted((each for each in around if each.pk in above), key=lambda each: each.depth),
        "owners": [(kind, owner) for kind, owner in row.owners.items() if owner],
        "documents": documents[:_DOCUMENTS],
        "charts": _charts(documents),
        "children": group_sums.listed(children, seen.filter(path__startswith=row.path), period, row.depth + 1, now),
        "charging": now.get(row.pk, Charging.SHOWBACK),
        "period": period,
        "modes": modes,
        "report": [(each, *MEASURES[each.measure], _value(each), _value(each, each.threshold)) for each in report],
        "is_ready": is_ready(report),
        "other": other,
        "form": (form or _form(other, closes)) if may else None,
        "refused": form is not None,
    }
    return render(request, "groups/group.html", context, status=400 if form is not None else 200)


def _in_period(decisions: list[Mode], period: str) -> dict[int, Charging]:
    """What each group is in, from decisions of which the latest come first."""
    held = [each for each in decisions if not period or each.from_period <= period]
    return {each.cost_group_id: Charging(each.charging) for each in reversed(held)}


def _form(other: Charging, closes: list[Close]) -> ChargingForm:
    """Filled in with the first period that is still open to the decision."""
    latest = next((close.period for close in closes if close.issued_at is not None), None)
    first = BillingPeriod.parse(latest).next if latest else BillingPeriod.of(timezone.localdate())
    return ChargingForm(initial={"charging": other, "from_period": str(first)})


def _value(row: Row, value: int | None = None) -> tuple[str, int | None]:
    """A value with the unit that it is printed in."""
    shown = row.value if value is None else value
    return ("ppm" if row.unit is Unit.PPM else "count"), shown


def _charts(documents: list[Document]) -> list[dict[str, object]]:
    """A column for each of the twelve months up to the latest; none where nothing was issued."""
    found = group_sums.months(documents)
    latest = max((period for amounts in found.values() for period, _minor in amounts), default="")
    if not latest:
        return []
    periods = [BillingPeriod.parse(latest)]
    while len(periods) < group_sums.MONTHS:
        periods.append(periods[-1].previous)
    names = [str(period) for period in reversed(periods)]
    return [
        {
            "currency": currency,
            "labels": [short_month(name) for name in names],
            "values": [dict(amounts).get(name) for name in names],
        }
        for currency, amounts in found.items()
    ]


@page(Reach.EVERYWHERE, Permission.MOVE_TO_CHARGEBACK, methods="POST")
def set_charging(request: Request, group: int) -> HttpResponse:
    """Move a group to chargeback, or back to showback, from a period on."""
    row = reach.cost_group(request.actor.rights, group)
    form = ChargingForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        wanted = Charging(said["charging"])
        try:
            acts.set_charging(request.actor, row.pk, wanted, said["from_period"], said["reason"])
        except InputRefusedError as error:
            refused_input(form, error)
        else:
            words = _("chargeback") if wanted is Charging.CHARGEBACK else _("showback")
            said_words = _("%(name)s is in %(charging)s from %(period)s on.")
            messages.success(request, said_words % {"name": row, "charging": words, "period": said["from_period"]})
            return redirect("group", row.pk)
    return _shown(request, row, form)


urlpatterns = [
    path("groups/", groups, name="groups"),
    path("groups/<int:group>/", group, name="group"),
    path("groups/<int:group>/charging/", set_charging, name="set_charging"),
]
