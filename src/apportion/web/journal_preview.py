"""What could be drawn up of a period: every kind with its amounts, and each as it would be, down to its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _

from apportion.actions import work_kinds
from apportion.actions.post import journal_reading, journals, ledgers
from apportion.actions.post.journal_reading import Balance, Quantity
from apportion.actions.workspace import workspace
from apportion.errors import ApportionError, ConservationError
from apportion.periods import BillingPeriod
from apportion.post.journal import Journal
from apportion.post.lifecycle import PENDING, PERMISSION, JournalKind
from apportion.records.closes import Close
from apportion.records.journals import LedgerJournal
from apportion.records.rights import ForbiddenError
from apportion.records.rule import Reach
from apportion.records.work import Work, WorkState
from apportion.review.permission import Permission
from apportion.web import journal_view
from apportion.web.close import period_of
from apportion.web.frame.page import Request, page
from apportion.web.frame.refusals import status_of
from apportion.web.words import journal_words

_SEE = Permission.SEE_CLOSE
_PERIODS = 24
KINDS = tuple(kind for kind in JournalKind if kind is not JournalKind.REVERSAL)


@dataclass(frozen=True, slots=True)
class Offered:
    """A kind of journal for a period: what it would move, or why it cannot be drawn up. `error` is a refusal."""

    kind: JournalKind
    words: str
    about: str
    lines: int
    debits: tuple[tuple[int, str], ...]
    quantities: tuple[Quantity, ...]
    error: ApportionError | None

    @property
    def is_something(self) -> bool:
        """Does anything wait?"""
        return bool(self.lines)


def offer(wanted: str) -> dict[str, object]:
    """For the list of journals: the periods that something could be drawn up of, and the one that is looked at."""
    rows = Close.objects.filter(allocated_at__isnull=False).order_by("-period")
    known = list(rows.values_list("period", "issued_at", "sealed_at")[:_PERIODS])
    names = [period for period, _issued, _sealed in known]
    open_ones = [period for period, issued, sealed in known if issued and not sealed]
    chosen = wanted if wanted in names else next(iter([*open_ones, *names]), "")
    return {"periods": names, "period": chosen}


@page(Reach.EVERYWHERE, _SEE)
def journal_offers(request: Request) -> HttpResponse:
    """Each kind of journal of a period with its amounts: a part of the list, which is loaded beside it."""
    offered = offer(request.GET.get("period", ""))
    name = str(offered["period"])
    known = journals.known_journals() if name else []
    rows = [_offered(period_of(name), kind, known) for kind in KINDS] if name else []
    name_of = "journals/offers_part.html" if request.headers.get("HX-Request") else "journals/offers_page.html"
    context = {
        **offered,
        "rows": [row for row in rows if row.is_something],
        "refused": [row for row in rows if row.error is not None],
        "empty": [row for row in rows if row.error is None and not row.is_something],
    }
    return render(request, name_of, context)


def _offered(period: BillingPeriod, kind: JournalKind, known: Sequence[Journal]) -> Offered:
    found, error = _preview(period, kind, known)
    balances = journal_reading.balances(found) if found is not None else ()
    return Offered(
        kind,
        journal_words.kind(kind),
        journal_words.about(kind),
        journal_reading.lines_of(found) if found is not None else 0,
        _debits(balances),
        journal_reading.quantities(found) if found is not None else (),
        error,
    )


def _debits(balances: tuple[Balance, ...]) -> tuple[tuple[int, str], ...]:
    """What moves, by currency."""
    sums: dict[str, int] = {}
    for each in balances:
        if not each.own:
            sums[each.currency] = sums.get(each.currency, 0) + each.debit_minor
    return tuple((minor, currency) for currency, minor in sums.items())


def _preview(
    period: BillingPeriod, kind: JournalKind, known: Sequence[Journal] | None = None
) -> tuple[Journal | None, ApportionError | None]:
    try:
        return journals.preview(period, kind, known), None
    except (ConservationError, ForbiddenError):  # no finding that people repair
        raise
    except ApportionError as error:
        return None, error


@page(Reach.EVERYWHERE, _SEE)
def journal_preview(request: Request) -> HttpResponse:
    """A journal exactly as drawing it up would make it now, and what it would be refused for."""
    said = request.GET
    return _page(request, said.get("period", ""), said.get("kind", ""), said.get("target", ""))


def _page(
    request: Request, wanted: str, kind_text: str, target: str, refused: ApportionError | None = None
) -> HttpResponse:
    offered = offer(wanted)
    period = period_of(wanted or str(offered["period"])) if wanted or offered["period"] else None
    kind = JournalKind(kind_text) if kind_text in KINDS else JournalKind.TRANSFER
    settings = workspace().settings
    found, error = _preview(period, kind) if period is not None else (None, None)
    try:
        goes_to = ledgers.ledger_for(settings, kind, target)
        if found is not None:
            journals.require_taken(found)
    except ApportionError as wrong:
        goes_to, error = target or ledgers.ledger_for(settings, kind), error or wrong
    wrong_now = refused or error
    pending = LedgerJournal.objects.filter(target=goes_to, state__in=PENDING).defer("body").first()
    context = {
        **offered,
        "period": str(period or ""),
        "kind": kind,
        "about": journal_words.about(kind),
        "kinds": KINDS,
        "target": goes_to,
        "targets": ledgers.targets(settings),
        "content": found,
        "balances": journal_reading.balances(found) if found is not None else (),
        "quantities": journal_reading.quantities(found) if found is not None else (),
        "count": journal_reading.lines_of(found) if found is not None else 0,
        "stays": journal_reading.staying(period) if period is not None and kind is JournalKind.TRANSFER else (),
        "refused": wrong_now,
        "repair": journal_view.refused_lines(wrong_now, found) if wrong_now is not None else (),
        "pending": pending,
        "why_not": _why_not(request, period, kind) if found is not None else "",
        "lines": journal_view.lines(found, request.actor, request.GET.get("page"), request.GET.get("q", "")[:200])
        if found is not None
        else None,
    }
    status = status_of(refused) if refused is not None else 200
    return render(request, "journals/preview.html", context, status=status)


def _why_not(request: Request, period: BillingPeriod | None, kind: JournalKind) -> str:
    """Why whoever looks at it cannot draw it up, though somebody could."""
    if not request.actor.rights.may(PERMISSION):
        return _("A controller does this.")
    running = Work.objects.filter(
        kind=work_kinds.DRAW_UP, period=str(period), state__in=[WorkState.WAITING, WorkState.RUNNING]
    )
    if running.exists():
        return _("It is being done right now.")
    allocated = Close.objects.filter(period=str(period), allocated_by=request.actor.person)
    if kind is JournalKind.TRANSFER and allocated.exists():
        return _("You allocated this period yourself, so somebody else has to draw it up.")
    return ""


@page(Reach.EVERYWHERE, Permission.POST, methods="POST")
def journal_draw_up(request: Request) -> HttpResponse:
    """Draw it up; what is refused is shown on the preview, line by line."""
    said = request.POST
    period, kind_text, target = period_of(said.get("period", "")), said.get("kind", ""), said.get("target", "")
    kind = JournalKind(kind_text) if kind_text in KINDS else JournalKind.TRANSFER
    try:
        done = work_kinds.draw_up_or_ask(request.actor, period, kind, target)
    except (ConservationError, ForbiddenError):
        raise
    except ApportionError as error:
        return _page(request, str(period), kind, target, error)
    if isinstance(done, Work):
        messages.info(request, _("It is being done right now."))
        return redirect("close_period", str(period))
    messages.success(request, _("The journal is drawn up. A second person approves it."))
    return redirect("journal", done.pk)


urlpatterns = [
    path("journals/offers/", journal_offers, name="journal_offers"),
    path("journals/preview/", journal_preview, name="journal_preview"),
    path("journals/draw-up/", journal_draw_up, name="journal_draw_up"),
]
