"""Journals: the list of them, and the page of one with its balance, its way into the ledger and what can be done."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, QuerySet, Value, When
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apportion.actions import work_kinds
from apportion.actions.post import handing_over, journal_reading, journals, ledgers
from apportion.actions.post.push_book import unsent
from apportion.actions.workspace import workspace
from apportion.errors import ApportionError, DocumentError, InputRefusedError
from apportion.post.erp.errors import TargetError
from apportion.post.lifecycle import PENDING, JournalState
from apportion.records.attachments import headers
from apportion.records.journals import LedgerJournal
from apportion.records.rule import Reach
from apportion.records.work import Work, WorkState
from apportion.review.permission import Permission
from apportion.web import journal_presses, journal_preview, journal_view
from apportion.web.frame.page import Request, page
from apportion.web.words import journal_words
from apportion.web.words.told import told_error

_SEE, _POST = Permission.SEE_CLOSE, Permission.POST
_ON_A_PAGE = 25
_DOCUMENTS = 50
_RECENT = timedelta(hours=12)  # how long a failed push stays on the page
_WAITING = "waiting"


class FilterForm(forms.Form):
    """What the list shows."""

    period = forms.ChoiceField(label=gettext_lazy("Period"), required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    target = forms.ChoiceField(label=gettext_lazy("Target"), required=False)
    state = forms.ChoiceField(label=gettext_lazy("State"), required=False)

    def __init__(self, data: object) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        from apportion.web.words.figures import period_name

        rows = LedgerJournal.objects.order_by()
        periods = sorted(set(rows.values_list("period", flat=True)), reverse=True)
        targets = sorted({*rows.values_list("target", flat=True), *ledgers.targets(workspace().settings)})
        choices = {
            "period": [("", _("All periods")), *((each, period_name(each)) for each in periods)],
            "kind": [("", _("Any kind")), *((each, journal_words.kind(each)) for each in journal_words.KINDS)],
            "target": [("", _("Any target")), *((each, journal_words.target(each)) for each in targets)],
            "state": [
                ("", _("Any state")),
                (_WAITING, _("Not posted yet")),
                *((each, _(words)) for each, words in journal_words.STATES.items()),
            ],
        }
        for name, offered in choices.items():
            chosen = self.fields[name]
            assert isinstance(chosen, forms.ChoiceField)  # noqa: S101 - declared above
            chosen.choices = offered
        self.is_valid()

    @property
    def wanted(self) -> dict[str, str]:
        """What was asked for; what is none of the choices asks for nothing."""
        return {name: value for name, value in self.cleaned_data.items() if value}

    def rows(self) -> QuerySet[LedgerJournal]:
        """Those journals: what waits first, then the newest."""
        wanted = self.wanted
        found = journals.journals()
        if wanted.get("state") == _WAITING:
            wanted.pop("state")
            found = found.filter(state__in=PENDING)
        waits = Case(When(state__in=PENDING, then=Value(0)), default=Value(1))
        return found.filter(**wanted).order_by(waits, "-pk")


@page(Reach.EVERYWHERE, _SEE)
def journal_list(request: Request) -> HttpResponse:
    """All journals, those that wait first, and what could be drawn up."""
    filters = FilterForm(request.GET)
    shown = Paginator(filters.rows(), _ON_A_PAGE).get_page(request.GET.get("page"))
    rows = list(shown.object_list)
    counts, sums = journal_reading.document_count(rows), journal_reading.debits(rows)
    context = {
        "filters": filters,
        "is_filtered": bool(filters.wanted),
        "page": shown,
        "rows": [(row, counts.get(row.journal_id, 0), sums[row.pk].items()) for row in rows],
        **journal_preview.offer(request.GET.get("offer") or request.GET.get("period", "")),
    }
    return render(request, "journals/list.html", context)


@page(Reach.EVERYWHERE, _SEE)
def journal(request: Request, journal: int) -> HttpResponse:
    """One journal: balance by company, lines, who did what, and what can be done now."""
    return _page(request, journal)


def _page(
    request: Request, journal: int, act: str = "", error: ApportionError | None = None, status: int = 200
) -> HttpResponse:
    """The page; with what was refused of an act, beside its field or as a repair list."""
    rows = LedgerJournal.objects.select_related("drawn_up_by", "approved_by", "handed_over_by", "reverses")
    row = rows.filter(pk=journal).first() or journals.journal_row(journal)
    found = journal_reading.read(row)
    settings = workspace().settings
    is_pushed = ledgers.is_pushed(settings, row.target)
    is_unsent = is_pushed and row.state == JournalState.HANDED_OVER and bool(unsent(row.target, found))
    work = Work.objects.filter(kind=work_kinds.PUSH, key=f"{work_kinds.PUSH} {row.pk}").order_by("-pk").first()
    is_busy = work is not None and work.state in (WorkState.WAITING, WorkState.RUNNING)
    reversals = list(row.reversals.exclude(state=JournalState.WITHDRAWN).defer("body"))
    now = journal_presses.Situation(
        is_pushed,
        ledgers.answers(settings, row.target),
        is_unsent,
        reversals[0] if reversals else None,
        is_busy,
    )
    made = journal_presses.presses(row, now, request.actor)
    documents = journal_reading.documents(row)
    count = documents.count() if row.kind == "transfer" else 0
    context = {
        "journal": row,
        "content": found,
        "balances": journal_reading.balances(found),
        "quantities": journal_reading.quantities(found),
        "lines": journal_view.lines(found, request.actor, request.GET.get("page"), request.GET.get("q", "")[:200]),
        "steps": journal_view.steps(row, is_pushed=is_pushed),
        "presses": made,
        "is_next": any(press.is_next and not press.why_not for press in made),
        "files": journal_reading.files(row),
        "pushes": journal_reading.pushes(row, found) if is_pushed else [],
        "is_pushed": is_pushed,
        "repair": journal_view.refused_lines(error, found) if error and not act else journal_view.repair(row, found),
        "refused": error if not act else None,
        "refused_act": act,
        "refused_words": told_error(error) if error is not None and act else "",
        "typed": request.POST.get("reference") or request.POST.get("reason", ""),
        "reversal": now.reversal,
        "documents": documents.prefetch_related("totals").order_by("label")[:_DOCUMENTS] if count else [],
        "more_documents": max(count - _DOCUMENTS, 0),
        "document_count": count,
        "is_busy": is_busy,
        "failed": work if _is_recent_failure(work) else None,
        "may_see_audit": request.actor.rights.may(Permission.SEE_AUDIT),
    }
    return render(request, "journals/journal.html", context, status=status)


def _is_recent_failure(work: Work | None) -> bool:
    if work is None or work.state != WorkState.FAILED or work.finished_at is None:
        return False
    return timezone.now() - work.finished_at < _RECENT


@page(Reach.EVERYWHERE, _SEE)
def journal_file(request: Request, journal: int, name: str) -> HttpResponse:
    """One of its files, as it was handed over."""
    content = journal_reading.file(journals.journal_row(journal), name)
    return HttpResponse(content, headers=headers(name, "application/octet-stream"))


@page(Reach.EVERYWHERE, _POST, methods="POST")
def journal_approve(request: Request, journal: int) -> HttpResponse:
    """A second person has looked at it."""
    try:
        row = journals.approve(request.actor, journal)
    except DocumentError as error:  # the ledger would not take it any more
        return _page(request, journal, error=error, status=409)
    messages.success(request, _("The journal is approved as %s.") % row.label)
    return redirect("journal", journal)


@page(Reach.EVERYWHERE, _POST, methods="POST")
def journal_export(request: Request, journal: int) -> HttpResponse:
    """Write its files."""
    try:
        _row, paths = handing_over.export(request.actor, journal)
    except InputRefusedError as error:  # the format cannot carry a line of it
        return _page(request, journal, error=error, status=400)
    messages.success(request, _("Its files are written: %s.") % ", ".join(each.name for each in paths))
    return redirect("journal", journal)


@page(Reach.EVERYWHERE, _POST, methods="POST")
def journal_push(request: Request, journal: int) -> HttpResponse:
    """Bring it into its ledger, or go on where an earlier push ended."""
    try:
        done = work_kinds.push_or_ask(request.actor, journals.journal_row(journal))
    except TargetError as error:  # the ledger does not answer: the same push, run again, completes it
        messages.error(request, told_error(error))
        return redirect("journal", journal)
    if isinstance(done, Work):
        messages.info(request, _("It is being pushed right now."))
    elif done.done:
        row = journals.journal_row(journal)
        is_posted = row.state == JournalState.POSTED
        messages.success(
            request,
            _("The ledger has posted the journal.")
            if is_posted
            else _("All of it was sent. Confirm it when the ledger has posted it."),
        )
    else:
        messages.error(request, _("The ledger refused a part of the journal: see the repair list."))
    return redirect("journal", journal)


@page(Reach.EVERYWHERE, _POST, methods="POST")
def journal_confirm(request: Request, journal: int) -> HttpResponse:
    """The ledger has taken it."""
    try:
        handing_over.confirm(request.actor, journal, request.POST.get("reference", ""))
    except InputRefusedError as error:
        return _page(request, journal, "confirm", error, 400)
    messages.success(request, _("The journal is posted."))
    return redirect("journal", journal)


@page(Reach.EVERYWHERE, _POST, methods="POST")
def journal_withdraw(request: Request, journal: int) -> HttpResponse:
    """The ledger does not get it."""
    try:
        row = journals.withdraw(request.actor, journal, request.POST.get("reason", ""))
    except InputRefusedError as error:
        return _page(request, journal, "withdraw", error, 400)
    except TargetError as error:
        messages.error(request, told_error(error))
        return redirect("journal", journal)
    said = _("The journal is withdrawn, and its documents wait for the next one.")
    messages.success(request, said if row.kind == "transfer" else _("The journal is withdrawn."))
    return redirect("journal", journal)


@page(Reach.EVERYWHERE, _POST, methods="POST")
def journal_reverse(request: Request, journal: int) -> HttpResponse:
    """Draw up the journal that takes it back."""
    try:
        row = journals.draw_up_reversal(request.actor, journal, request.POST.get("reason", ""))
    except DocumentError as error:
        return _page(request, journal, error=error, status=409)
    except InputRefusedError as error:
        return _page(request, journal, "reverse", error, 400)
    messages.success(request, _("The reversal is drawn up. A second person approves it."))
    return redirect("journal", row.pk)


urlpatterns = [
    path("journals/", journal_list, name="journals"),
    *journal_preview.urlpatterns,
    path("journals/<int:journal>/", journal, name="journal"),
    path("journals/<int:journal>/files/<str:name>/", journal_file, name="journal_file"),
    path("journals/<int:journal>/approve/", journal_approve, name="journal_approve"),
    path("journals/<int:journal>/export/", journal_export, name="journal_export"),
    path("journals/<int:journal>/push/", journal_push, name="journal_push"),
    path("journals/<int:journal>/confirm/", journal_confirm, name="journal_confirm"),
    path("journals/<int:journal>/withdraw/", journal_withdraw, name="journal_withdraw"),
    path("journals/<int:journal>/reverse/", journal_reverse, name="journal_reverse"),
]
