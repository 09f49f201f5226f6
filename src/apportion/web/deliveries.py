"""The deliveries of a period: how fresh each source is, what was found, and what is kept aside."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from apportion.actions.close.delivery_facts import delivered
from apportion.actions.workspace import workspace
from apportion.errors import NotFoundError
from apportion.focus.finding import Example
from apportion.invoice.render.csv_text import guarded, table
from apportion.review.permission import Permission
from apportion.web.close import period_of
from apportion.web.frame.page import Reach, Request, page

_COLUMNS = "source delivery file column row value code behaviour rows sentence advice".split()
_SEE = Permission.SEE_CLOSE


@page(Reach.EVERYWHERE, _SEE)
def deliveries(request: Request, period: str) -> HttpResponse:
    """Sources, findings and rows kept aside."""
    wanted = period_of(period)
    return render(request, "deliveries/period.html", {"period": str(wanted), "came": delivered(wanted)})


@page(Reach.EVERYWHERE, _SEE)
def findings(request: Request, period: str, format: str) -> HttpResponse:  # noqa: A002 - as the address calls it
    """All findings as CSV, a row an example."""
    wanted = period_of(period)
    if format != "csv":
        raise NotFoundError(_("There is no such kind of file."), advice=_("Findings come as CSV."))
    rows = (
        [
            *map(guarded, (delivery.source, delivery.id, found.file, found.column)),
            str(example.row),
            *map(guarded, (example.value, found.code, str(found.behaviour))),
            str(found.rows),
            *map(guarded, (found.sentence, found.advice)),
        ]
        for delivery, found in workspace().findings(wanted)
        for example in found.examples or (Example(0, ""),)
    )
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="findings-{wanted}.csv"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(table(_COLUMNS, rows).encode(), headers=headers)


urlpatterns = [
    path("close/<str:period>/deliveries/", deliveries, name="deliveries"),
    path("close/<str:period>/findings/<str:format>/", findings, name="findings"),
]
