"""Looking something up: documents, cost groups, services and (for administrators) people, each within one's reach."""

from __future__ import annotations

from django.db.models import Count, F, Q, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from apportion.actions.words import one_line
from apportion.records import reach
from apportion.records.documents import DocumentLine
from apportion.records.people import Person
from apportion.review.permission import Permission
from apportion.review.states import Issue
from apportion.web.frame.page import Reach, Request, page

_FEW = 20
_LEAST = 2


@page(Reach.SELF)
def search(request: Request) -> HttpResponse:
    """What a few letters lead to."""
    q = one_line(request.GET.get("q", ""), 200)
    context: dict[str, object] = {"q": q, "is_short": 0 < len(q) < _LEAST}
    if len(q) >= _LEAST:
        context |= _found(request, q)
    return render(request, "search/search.html", context)


def _found(request: Request, q: str) -> dict[str, object]:
    rights = request.actor.rights
    within = reach.documents(rights)
    documents = within.filter(Q(label__icontains=q) | Q(name__icontains=q)).select_related("cost_group")
    groups = reach.cost_groups(rights).filter(Q(code__icontains=q) | Q(name__icontains=q)).select_related("parent")
    latest = within.exclude(issue_state=Issue.OPEN).order_by("-period").values_list("period", flat=True).first()
    people = (
        Person.objects.filter(Q(name__icontains=q) | Q(email__icontains=q)).order_by("name")[:_FEW]
        if rights.may(Permission.MANAGE_PEOPLE)
        else ()
    )
    services = (
        DocumentLine.objects.filter(
            Q(service__icontains=q) | Q(pool_id__icontains=q),
            document__in=within.filter(period=latest, issue_state=Issue.ISSUED),
        )
        .values("service", "currency", pool=F("pool_id"), group=F("document__name"), document_pk=F("document_id"))
        .annotate(minor=Sum("amount_minor"), lines=Count("pk"))
        .order_by("-minor", "document_id")[:_FEW]
        if latest
        else ()
    )
    found = {
        "documents": list(documents.prefetch_related("totals").order_by("-period", "cost_group__number", "pk")[:_FEW]),
        "groups": list(groups[:_FEW]),
        "services": list(services),
        "people": list(people),
    }
    return {**found, "latest": latest, "is_empty": not any(found.values()), "most": _FEW}


urlpatterns = [path("search/", search, name="search")]
