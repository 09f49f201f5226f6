"""The close: the list of periods, and the page of one with everything that is done, blocks, or is waited for."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apportion.actions import work_kinds
from apportion.actions.close import close_sums, closing
from apportion.actions.close.delivery_facts import periods, sealed_in_workspace
from apportion.actions.review import reminding
from apportion.errors import DocumentError, InputRefusedError, NotFoundError, UnmappedError
from apportion.periods import BillingPeriod
from apportion.records.closes import Close
from apportion.records.work import Work, WorkState
from apportion.review.calendar import Progress
from apportion.review.permission import Permission
from apportion.review.states import Review
from apportion.web import close_presses, close_state
from apportion.web.close_state import STEP_WORDS, State
from apportion.web.frame.page import Reach, Request, page

_ON_A_PAGE = 12
_SEE = Permission.SEE_CLOSE
_RECENT = timedelta(hours=12)  # how long a failure of the background stays on the page


@page(Reach.EVERYWHERE, _SEE)
def closes(request: Request) -> HttpResponse:
    """Every period, the latest first."""
    known = {close.period: close for close in Close.objects.all()}
    names = sorted({*known, *map(str, periods())}, reverse=True)
    shown = Paginator(names, _ON_A_PAGE).get_page(request.GET.get("page"))
    here = list(shown.object_list)
    sealed = {str(period) for period in sealed_in_workspace()}
    open_ones = [name for name in here if name in known and known[name].issued_at and not known[name].sealed_at]
    review = close_sums.progress(open_ones) if open_ones else {}
    rows = [
        _row(name, known.get(name) or Close(period=name), review.get(name, {}), is_sealed=name in sealed)
        for name in here
    ]
    return render(request, "close/list.html", {"page": shown, "rows": rows})


def _row(period: str, close: Close, review: dict[str, int], *, is_sealed: bool) -> dict[str, object]:
    summary = close.summary
    return {
        "period": period,
        "close": close,
        "step": _standing(close, review, is_sealed=is_sealed),
        "totals": summary.get("totals", {}).items(),
        "unallocated": summary.get("unallocated", {}).items(),
        "holds": close.tie_out.get("holds"),
        "answered": sum(count for state, count in review.items() if state != Review.AWAITING),
        "review": sum(review.values()),
        "disputed": review.get(Review.DISPUTED, 0),
    }


def _standing(close: Close, review: dict[str, int], *, is_sealed: bool) -> tuple[str, str, str]:
    """Where a close stands: words, icon and tone."""
    if close.sealed_at:
        return _("Sealed"), "lock", "good"
    if is_sealed and close.issued_at is None:
        return _("Sealed before the books"), "lock", "quiet"
    if close.posted_at:
        return _("Posted"), "building-bank", "good"
    if close.issued_at:
        if review.get(Review.DISPUTED):
            return _("In review, disputed"), "message-question", "bad"
        if review.get(Review.AWAITING):
            return _("In review"), "hourglass", "wait"
        return _("Reviewed"), "circle-check", "note"
    if close.allocated_at:
        return _("Allocated"), "scale", "note"
    if close.data_complete_at:
        return _("Data complete"), "file-check", "note"
    return _("Data is coming in"), "inbox", "quiet"


def period_of(text: str) -> BillingPeriod:
    """The period of an address. Raises `NotFoundError` for what is none."""
    try:
        found = BillingPeriod.parse(text)
    except InputRefusedError:
        found = None
    if found is None or str(found) != text:
        raise NotFoundError(_("There is no such period."), advice=_("Begin at the list of periods."))
    return found


def _state(period: BillingPeriod) -> State:
    found = close_state.state(period, close_state.today())
    if found is None:
        raise NotFoundError(
            _("Nothing was delivered for %s.") % period, advice=_("Load its deliveries: apportion ingest PATH")
        )
    return found


@page(Reach.EVERYWHERE, _SEE)
def close_period(request: Request, period: str) -> HttpResponse:
    """The whole close of one period."""
    found = _state(period_of(period))
    return render(request, "close/period.html", _context(request, found))


def _context(request: Request, found: State, reference: str = "", refused: str = "") -> dict[str, object]:
    made = close_presses.presses(found, request.actor)
    awaiting = found.counts.of(Review.AWAITING)
    for document in found.silent:
        named = document.cost_group.owners.values() if document.cost_group else ()
        document.asked = list(dict.fromkeys(filter(None, named)))  # type: ignore[attr-defined]
    return {
        "state": found,
        "close": found.close,
        "period": str(found.period),
        "steps": [(row, STEP_WORDS[row.step], _icon(row.progress), close_state.late_words(row)) for row in found.rows],
        "before": {row.step: STEP_WORDS[row.after] for row in found.rows if row.after},
        "presses": made,
        "is_next": any(press.is_next and not press.why_not for press in made),
        "bar": _bar(found),
        "awaiting": awaiting,
        "more_silent": awaiting - len(found.silent),
        "reference": reference,
        "refused": refused,
        "failed": [work for work in found.failed if work.finished_at and timezone.now() - work.finished_at < _RECENT],
        "is_sealed_elsewhere": found.close.issued_at is None and found.period in sealed_in_workspace(),
    }


def _icon(progress: Progress) -> tuple[str, str, str]:
    """The picture, tone and words of a step."""
    return {
        Progress.DONE: ("circle-check", "good", _("Done")),
        Progress.BLOCKED: ("hand-stop", "bad", _("Blocked")),
        Progress.WAITING: ("hourglass", "wait", _("Waiting")),
        Progress.NEXT: ("player-play", "note", _("Now")),
        Progress.LATER: ("circle-dashed", "quiet", _("Later")),
    }[progress]


def _bar(found: State) -> list[dict[str, object]]:
    """The review as parts of a bar, 1000 units wide."""
    whole, left, made = found.counts.reviewers, 0, []
    parts = (
        (Review.ACCEPTED, "good", _("Accepted")),
        (Review.DEEMED, "deemed", _("Deemed accepted")),
        (Review.DISPUTED, "bad", _("Disputed")),
        (Review.AWAITING, "wait", _("Awaiting review")),
    )
    seen = 0
    for review, tone, words in parts:
        count = found.counts.of(review)
        seen += count
        right = seen * 1000 // whole if whole else 0
        made.append(
            {"tone": tone, "words": words, "count": count, "left": left, "width": right - left, "state": review}
        )
        left = right
    return made


@page(Reach.EVERYWHERE, _SEE)
def close_progress(request: Request, period: str) -> HttpResponse:
    """The running work of a period, asked for again and again while it runs; then the whole page is loaded anew."""
    works = Work.objects.filter(period=str(period_of(period)), kind__in=work_kinds.OF_A_CLOSE)
    works = works.select_related("created_by")
    running = works.filter(state__in=[WorkState.WAITING, WorkState.RUNNING]).order_by("pk")
    response = render(request, "close/progress.html", {"running": list(running), "period": period})
    if request.headers.get("HX-Request") and not running:
        response["HX-Refresh"] = "true"
    return response


@page(Reach.EVERYWHERE, Permission.PREPARE, methods="POST")
def close_complete(request: Request, period: str) -> HttpResponse:
    """The data is complete."""
    closing.mark_data_complete(request.actor, period_of(period))
    messages.success(request, _("The data is marked complete."))
    return redirect("close_period", period)


@page(Reach.EVERYWHERE, Permission.PREPARE, methods="POST")
def close_allocate(request: Request, period: str) -> HttpResponse:
    """Allocate, in the background."""
    wanted = period_of(period)
    _state(wanted)
    work_kinds.ask_to_allocate(request.actor, wanted)
    messages.info(request, _("It is being allocated. This page shows how far it is."))
    return redirect("close_period", period)


@page(Reach.EVERYWHERE, Permission.ISSUE, methods="POST")
def close_issue(request: Request, period: str) -> HttpResponse:
    """Issue, in the background."""
    wanted = period_of(period)
    found = _state(wanted)
    if found.is_issued:
        messages.info(request, _("All documents of this period are out already. Nothing was done."))
    else:
        work_kinds.ask_to_issue(request.actor, wanted)
        messages.info(request, _("The documents are being issued. This page shows how far it is."))
    return redirect("close_period", period)


@page(Reach.EVERYWHERE, Permission.ISSUE, methods="POST")
def close_remind(request: Request, period: str) -> HttpResponse:
    """Remind everybody who has not answered."""
    count = reminding.remind(request.actor, period_of(period))
    said = ngettext("The owners of %d document are reminded.", "The owners of %d documents are reminded.", count)
    messages.success(request, said % count)
    return redirect("close_period", period)


@page(Reach.EVERYWHERE, Permission.POST, methods="POST")
def close_draw_up(request: Request, period: str) -> HttpResponse:
    """Draw up the journal of what is accepted."""
    wanted = period_of(period)
    try:
        done = work_kinds.draw_up_or_ask(request.actor, wanted)
    except (DocumentError, UnmappedError):  # the preview says which lines, and what to do about each
        return redirect(f"{reverse('journal_preview')}?period={wanted}")
    if isinstance(done, Work):
        messages.info(request, close_presses.UNDER_WAY)
        return redirect("close_period", period)
    return redirect("journal", done.pk)


@page(Reach.EVERYWHERE, Permission.SEAL, methods="POST")
def close_seal(request: Request, period: str) -> HttpResponse:
    """Seal it for ever."""
    done = work_kinds.seal_or_ask(request.actor, period_of(period))
    if isinstance(done, Work):
        messages.info(request, close_presses.UNDER_WAY)
    else:
        messages.success(request, _("The period is sealed."))
    return redirect("close_period", period)


urlpatterns = [
    path("close/", closes, name="close"),
    path("close/<str:period>/", close_period, name="close_period"),
    path("close/<str:period>/progress/", close_progress, name="close_progress"),
    path("close/<str:period>/complete/", close_complete, name="close_complete"),
    path("close/<str:period>/allocate/", close_allocate, name="close_allocate"),
    path("close/<str:period>/issue/", close_issue, name="close_issue"),
    path("close/<str:period>/remind/", close_remind, name="close_remind"),
    path("close/<str:period>/journal/", close_draw_up, name="close_draw_up"),
    path("close/<str:period>/seal/", close_seal, name="close_seal"),
]
