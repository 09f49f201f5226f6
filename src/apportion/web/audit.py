"""The audit log: who did what, when and why; whether the chain holds; and the entries as a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apportion.actions import auditing
from apportion.actions.auditing import Proof, Wanted
from apportion.errors import NotFoundError
from apportion.records import chain
from apportion.records.audit import AuditEntry, AuditHead
from apportion.records.stamp import kept, stamp
from apportion.records.work import Work, WorkState
from apportion.review.permission import Permission
from apportion.web.frame.page import Reach, Request, page
from apportion.web.words.audit_words import ACTS, SUBJECTS, act_words, sides, subject_words, via_words

_SEE = Permission.SEE_AUDIT
_ON_A_PAGE = 50
_LAST = 2**62
_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
# Where a subject has a page: its address, whether that takes its number or its name, and who may open it.
_PAGES = {
    "document": ("document", "subject_id", Permission.SEE_DOCUMENTS),
    "dispute": ("dispute", "subject_id", Permission.SEE_DOCUMENTS),
    "costgroup": ("group", "subject_id", Permission.SEE_DOCUMENTS),
    "close": ("close_period", "subject", Permission.SEE_CLOSE),
    "ledgerjournal": ("journal", "subject_id", Permission.SEE_CLOSE),
    "person": ("person", "subject_id", Permission.MANAGE_PEOPLE),
}


class FilterForm(forms.Form):
    """What the list shows."""

    person = forms.CharField(label=_("Who"), required=False, max_length=200)
    act = forms.ChoiceField(label=_("What"), required=False)
    subject_kind = forms.ChoiceField(
        label=_("About"), required=False, choices=[("", _("Anything")), *sorted(SUBJECTS.items())]
    )
    subject = forms.CharField(label=_("Its name"), required=False, max_length=200)
    period = forms.RegexField(
        r"\d{4}-(0[1-9]|1[0-2])",
        label=_("Period"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "2026-10", "size": 8}),
        error_messages={"invalid": _("Write it as 2026-10.")},
    )
    from_on = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until_on = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    text = forms.CharField(label=_("Text"), required=False, max_length=200)
    subject_id = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput())

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        act = self.fields["act"]
        assert isinstance(act, forms.ChoiceField)  # noqa: S101 - declared above
        found = sorted({*ACTS, *_acts(stamp())}, key=act_words)
        act.choices = [("", _("Anything")), *((each, act_words(each)) for each in found)]

    def wanted(self) -> Wanted:
        """What was asked for; a field that cannot be read asks for nothing, and says so beside itself."""
        self.is_valid()
        return Wanted(**{name: value for name, value in self.cleaned_data.items() if value})


@kept(most=2)
def _acts(stamp: str) -> tuple[str, ...]:
    """The kinds of acts that there are in the chain."""
    return tuple(AuditEntry.objects.order_by("act").values_list("act", flat=True).distinct())


@page(Reach.EVERYWHERE, _SEE)
def audit(request: Request) -> HttpResponse:
    """The entries, the latest first, fifty at a time."""
    form = FilterForm(request.GET)
    wanted = form.wanted()
    rows = auditing.entries(request.actor, wanted).select_related("person").defer("before", "after")
    older, newer = _number(request, "before"), _number(request, "after")
    if newer:
        shown = list(rows.filter(number__gt=newer).order_by("number")[: _ON_A_PAGE + 1])
        more_newer, more_older = len(shown) > _ON_A_PAGE, True
        shown = shown[:_ON_A_PAGE][::-1]
    else:
        shown = list((rows.filter(number__lt=older) if older else rows)[: _ON_A_PAGE + 1])
        more_newer, more_older = bool(older), len(shown) > _ON_A_PAGE
        shown = shown[:_ON_A_PAGE]
    for entry in shown:
        _say(entry)
    query = wanted.as_text()
    context = {
        "filters": form,
        "entries": shown,
        "is_filtered": bool(query),
        "wanted": query,
        "formats": [("csv", "CSV"), ("jsonl", gettext("JSON lines"))],
        "newer": urlencode({**query, "after": shown[0].number}) if shown and more_newer else "",
        "older": urlencode({**query, "before": shown[-1].number}) if shown and more_older else "",
        **_chain_state(),
    }
    return render(request, "audit/list.html", context)


@page(Reach.EVERYWHERE, _SEE)
def audit_entry(request: Request, entry: int) -> HttpResponse:
    """One entry: who, what and why, and what was and is side by side."""
    found = AuditEntry.objects.select_related("person").filter(number=min(entry, _LAST)).first()
    if found is None:
        raise NotFoundError(gettext("There is no such entry."), advice=gettext("Look for it in the list."))
    _say(found)
    context = {
        "entry": found,
        "sides": sides(found.before, found.after),
        "is_whole": chain.entry_hash(found) == found.hash,
        "subject_url": _subject_page(request, found),
        "same": urlencode({"subject_kind": found.subject_kind, "subject_id": found.subject_id}),
        "last": AuditHead.objects.filter(pk=1).values_list("number", flat=True).first() or 0,
    }
    return render(request, "audit/entry.html", context)


@page(Reach.EVERYWHERE, _SEE, methods="POST")
def verify_audit(request: Request) -> HttpResponse:
    """Walk along the chain, at once or, where it is long, in the background."""
    found = auditing.verify_or_ask(request.actor)
    if isinstance(found, Work):
        messages.info(request, gettext("The chain is long: it is being verified. Look again in a while."))
    elif found.breaks:
        messages.error(request, gettext("The chain does not hold. See below, and tell your auditor."))
    else:
        messages.success(request, gettext("Every entry is as it was written."))
    return redirect("audit")


@page(Reach.EVERYWHERE, _SEE, methods="POST")
def export_audit(request: Request, format: str) -> HttpResponse:  # noqa: A002 - as addresses call it
    """The entries that the list is filtered to, as a file; that they were taken is an entry itself."""
    if format not in _TYPES:
        raise NotFoundError(gettext("There is no such format."), advice=gettext("Take CSV or JSON lines."))
    form = FilterForm(request.POST)
    pieces = auditing.export(request.actor, form.wanted(), "csv" if format == "csv" else "jsonl")
    response = StreamingHttpResponse(pieces, content_type=_TYPES[format])
    response["Content-Disposition"] = f'attachment; filename="audit.{format}"'
    return cast(HttpResponse, response)


def _number(request: Request, name: str) -> int:
    said = request.GET.get(name, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 18 else 0


def _say(entry: AuditEntry) -> None:
    """Words beside the fields, for the templates."""
    entry.act_words = act_words(entry.act)  # type: ignore[attr-defined]
    kind = subject_words(entry.subject_kind)
    is_said = entry.subject.casefold().startswith((kind.casefold(), entry.subject_kind))
    entry.subject_words = "" if is_said else kind  # type: ignore[attr-defined]
    entry.via_words = via_words(entry.via)  # type: ignore[attr-defined]
    entry.is_refused = entry.act.startswith("refused")  # type: ignore[attr-defined]


def _subject_page(request: Request, entry: AuditEntry) -> str:
    name, field, permission = _PAGES.get(entry.subject_kind, ("", "", _SEE))
    if not name or not request.actor.rights.may_somewhere(permission):
        return ""
    try:
        return reverse(name, args=[getattr(entry, field)])
    except NoReverseMatch:
        return ""


def _chain_state() -> Mapping[str, object]:
    """How far the chain was proved, and how much has come since."""
    head = AuditHead.objects.filter(pk=1).values_list("number", flat=True).first() or 0
    proof: Proof | None = auditing.proof()
    states = [WorkState.WAITING, WorkState.RUNNING]
    return {
        "last": head,
        "proof": proof,
        "since": head - proof.number - 1 if proof is not None else head,  # the proof is an entry as well
        "is_running": Work.objects.filter(kind=auditing.VERIFY, state__in=states).exists(),
    }


urlpatterns = [
    path("audit/", audit, name="audit"),
    path("audit/<int:entry>/", audit_entry, name="audit_entry"),
    path("audit/verify/", verify_audit, name="verify_audit"),
    path("audit/export/<str:format>/", export_audit, name="export_audit"),
]
