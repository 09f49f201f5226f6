"""The list of documents, and accepting many of them at once. The pages of one document are put beside it here."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F, Prefetch, Q, QuerySet, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apportion.actions.review import accepting
from apportion.errors import ApportionError, InputRefusedError
from apportion.invoice.paper import PaperKind
from apportion.records import reach
from apportion.records.documents import Document, DocumentTotal
from apportion.records.groups import CostGroup
from apportion.records.stamp import stamp
from apportion.review.permission import Permission
from apportion.review.states import Issue, Posting, Review
from apportion.web import document as document_page
from apportion.web import downloads, lines, threads
from apportion.web.frame.answers import say_no
from apportion.web.frame.page import Reach, Request, page

_ON_A_PAGE = 50
_SUGGESTED = 300
_MOST = accepting.MOST_AT_ONCE
KIND_WORDS = {
    PaperKind.STATEMENT: _("Statement (showback)"),
    PaperKind.INVOICE: _("Internal invoice"),
    PaperKind.CREDIT_NOTE: _("Credit note"),
    PaperKind.DEBIT_NOTE: _("Debit note"),
}
_STATES: dict[str, tuple[object, Q]] = {
    "awaiting_review": (_("Awaiting review"), Q(issue_state=Issue.ISSUED, review_state=Review.AWAITING)),
    "disputed": (_("Disputed"), Q(issue_state=Issue.ISSUED, review_state=Review.DISPUTED)),
    "accepted": (_("Accepted"), Q(issue_state=Issue.ISSUED, review_state__in=[Review.ACCEPTED, Review.DEEMED])),
    "posted": (_("Posted"), Q(posting_state=Posting.POSTED)),
    "voided": (_("Voided"), Q(issue_state=Issue.VOIDED)),
    "draft": (_("Draft"), Q(issue_state=Issue.OPEN)),
}


class FilterForm(forms.Form):
    """What the list shows."""

    q = forms.CharField(label=_("Number or name"), required=False, max_length=200)
    period = forms.ChoiceField(label=_("Period"), required=False)
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("Any kind")), *KIND_WORDS.items()])
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Any state")), *((name, words) for name, (words, _q) in _STATES.items())],
    )
    group = forms.CharField(label=_("Cost group, and all below it"), required=False, max_length=200)

    def __init__(self, data: object, periods: Sequence[str], latest: str) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        from apportion.web.words.figures import period_name

        field = self.fields["period"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        newest = gettext("Latest (%s)") % period_name(latest) if latest else gettext("Latest")
        field.choices = [
            ("", newest),
            ("all", gettext("All periods")),
            *((each, period_name(each)) for each in periods),
        ]
        self.fields["group"].widget.attrs["list"] = "cost-groups"
        self.fields["group"].widget.attrs["autocomplete"] = "off"


def totals() -> Prefetch[str, QuerySet[DocumentTotal], str]:
    """Totals with their change, for lists."""
    rows = DocumentTotal.objects.annotate(change_minor=F("amount_minor") - F("before_minor"))
    return Prefetch("totals", rows.order_by("currency").defer("change_parts"))


@page(Reach.SOMEWHERE, Permission.SEE_DOCUMENTS)
def documents(request: Request) -> HttpResponse:
    """The documents within reach, of the latest period unless others are asked for."""
    periods = reach.periods(stamp(), request.actor.rights)
    within = reach.documents(request.actor.rights)
    latest = periods[0] if periods else ""
    form = FilterForm(request.GET, periods, latest)
    form.is_valid()
    said = {name: form.cleaned_data.get(name, "") for name in form.fields}
    groups = reach.cost_groups(request.actor.rights)
    group = _group(groups, said["group"])
    chosen = _chosen(within, said, latest, group)
    ordered = chosen.select_related("cost_group").order_by("-period", "cost_group__number", "holder", "kind", "pk")
    shown = Paginator(ordered.prefetch_related(totals()), _ON_A_PAGE).get_page(request.GET.get("page"))
    sums = (
        DocumentTotal.objects.filter(document__in=chosen)
        .exclude(document__issue_state__in=[Issue.VOIDED, Issue.OPEN])
        .values("currency")
        .annotate(minor=Sum("amount_minor"), documents=Count("document"))
        .order_by("currency")
    )
    can_accept = {each.pk for each in shown if _acceptable(request, each)}
    context = {
        "page": shown,
        "filters": form,
        "sums": sums if shown.object_list else (),
        "group": group,
        "groups": groups.filter(is_current=True).only("code", "name")[:_SUGGESTED],
        "is_filtered": any(said.values()),
        "no_such_group": bool(said["group"]) and group is None,
        "period": said["period"] if said["period"] not in {"", "all"} else latest if not said["period"] else "",
        "can_accept": can_accept,
        "has_any": bool(periods),
        "today": timezone.localdate(),
    }
    return render(request, "documents/list.html", context)


def _acceptable(request: Request, row: Document) -> bool:
    where = row.cost_group.path if row.cost_group is not None else None
    is_waiting = row.issue_state == Issue.ISSUED and row.review_state == Review.AWAITING
    return is_waiting and request.actor.rights.may(Permission.ACCEPT, where)


def _group(groups: QuerySet[CostGroup], typed: str) -> CostGroup | None:
    """The group of a code or number, within reach."""
    if not typed.strip():
        return None
    wanted = Q(code=typed.strip())
    if typed.isascii() and typed.isdecimal() and len(typed) < 18:
        wanted |= Q(pk=int(typed))
    return groups.filter(wanted).order_by("-code").first()


def _chosen(
    within: QuerySet[Document], said: dict[str, str], latest: str, group: CostGroup | None
) -> QuerySet[Document]:
    found = within
    if said["period"] != "all" and not (said["q"] and not said["period"]):
        found = found.filter(period=said["period"] or latest)
    if said["kind"]:
        found = found.filter(kind=said["kind"])
    if said["state"]:
        found = found.filter(_STATES[said["state"]][1])
    if said["q"]:
        found = found.filter(Q(label__icontains=said["q"]) | Q(name__icontains=said["q"]))
    if said["group"]:
        found = found.filter(cost_group__path__startswith=group.path) if group is not None else found.none()
    return found


@page(Reach.SOMEWHERE, Permission.ACCEPT, methods="POST")
def accept_many(request: Request) -> HttpResponse:
    """Accept the chosen documents, or all that wait in a part of the tree: first shown with their sums, then done."""
    try:
        numbers = _numbers(request)
    except ApportionError as error:
        say_no(request, error)
        return redirect("documents")
    if request.POST.get("sure") != "yes":
        return _ask(request, numbers)
    try:
        answers = accepting.accept_many(request.actor, numbers, remark=request.POST.get("remark", "")[:2000])
    except InputRefusedError as error:
        say_no(request, error)
        return redirect("documents")
    request.session["accepted"] = {
        "done": [each.document for each in answers if each.is_accepted],
        "not": [[each.document, each.sentence] for each in answers if not each.is_accepted],
    }
    return redirect("accepted_documents")


def _numbers(request: Request) -> list[int]:
    """The documents that a form names. Raises `InputRefusedError` where it names none, or what is no number."""
    below = request.POST.get("below", "")
    texts = request.POST.getlist("document")
    if any(
        not text.isascii() or not text.isdecimal() or len(text) > 18 for text in [*texts, *([below] if below else [])]
    ):
        raise InputRefusedError(
            gettext("The form names something that is no document."), advice=gettext("Load the list again.")
        )
    if below:
        waiting = accepting.awaiting(request.actor, below=int(below))
        return list(waiting.values_list("pk", flat=True)[:_MOST])
    if request.POST.get("all") == "yes":
        return list(accepting.awaiting(request.actor).values_list("pk", flat=True)[:_MOST])
    if not texts:
        raise InputRefusedError(
            gettext("No document was chosen."), advice=gettext("Tick at least one in the first column.")
        )
    return [int(text) for text in texts]


def _ask(request: Request, numbers: Sequence[int]) -> HttpResponse:
    """What would be accepted, and what it comes to."""
    waiting = accepting.awaiting(request.actor).filter(pk__in=numbers).select_related("cost_group")
    rows = list(waiting.prefetch_related(totals())[:_MOST])
    sums = (
        DocumentTotal.objects.filter(document__in=[row.pk for row in rows])
        .values("currency")
        .annotate(minor=Sum("amount_minor"), documents=Count("document"))
        .order_by("currency")
    )
    if not rows:
        messages.info(request, gettext("Nothing of it awaits your review any more."))
        return redirect("documents")
    context = {"rows": rows, "sums": sums, "left_out": len(set(numbers)) - len(rows), "most": _MOST}
    return render(request, "documents/accept_many.html", context)


@page(Reach.SOMEWHERE, Permission.ACCEPT)
def accepted(request: Request) -> HttpResponse:
    """What became of the documents that were accepted together last."""
    told = request.session.get("accepted")
    if not told:
        return redirect("documents")
    refused: dict[int, str] = dict(told["not"])
    found = reach.documents(request.actor.rights).filter(pk__in=[*told["done"], *refused])
    rows = {row.pk: row for row in found.select_related("cost_group").prefetch_related(totals()).order_by("pk")}
    context = {
        "done": [rows[number] for number in told["done"] if number in rows],
        "refused": [(rows.get(number), sentence) for number, sentence in refused.items()],
    }
    return render(request, "documents/accepted.html", context)


urlpatterns = [
    path("documents/", documents, name="documents"),
    path("documents/accept/", accept_many, name="accept_documents"),
    path("documents/accepted/", accepted, name="accepted_documents"),
    *document_page.urlpatterns,
    *lines.urlpatterns,
    *threads.urlpatterns,
    *downloads.urlpatterns,
]
