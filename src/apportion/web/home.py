"""The start page: what awaits whoever opens it, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apportion.actions.acting import person_of
from apportion.actions.review import accepting
from apportion.records import reach
from apportion.records.closes import Close
from apportion.records.disputes import Comment, Dispute, DisputeState
from apportion.records.documents import Document, DocumentTotal
from apportion.records.rights import Rights
from apportion.review.permission import Permission
from apportion.review.states import Issue, Posting, Review
from apportion.web.frame.page import Reach, Request, page

_FEW = 8
_LATELY = timedelta(days=21)
_CLOSES = 3


@page(Reach.SELF)
def home(request: Request) -> HttpResponse:
    """What is to be done."""
    rights, person = request.actor.rights, person_of(request.actor)
    may_accept = rights.may_somewhere(Permission.ACCEPT)
    waiting = accepting.awaiting(request.actor).select_related("cost_group").order_by("review_until", "-period", "pk")
    to_review = list(waiting.prefetch_related("totals")[:_FEW]) if may_accept else []
    count = waiting.count() if len(to_review) == _FEW else len(to_review)
    decides = rights.may(Permission.DECIDE)
    to_decide = list(_to_decide(rights, person.pk)[:_FEW]) if decides else []
    own = [] if decides else list(_undecided(rights)[:_FEW])
    named = list(_named(rights, person.pk)[:_FEW])
    closes = list(_closes(rights)) if rights.may(Permission.SEE_CLOSE) else []
    context = {
        "to_review": to_review,
        "to_review_count": count,
        "to_review_sums": _sums(waiting) if count > 1 else (),
        "to_decide": to_decide,
        "own_disputes": own,
        "named": named,
        "closes": closes,
        "sees_documents": rights.may_somewhere(Permission.SEE_DOCUMENTS),
        "may_accept": may_accept,
        "decides": decides,
        "manages_people": rights.may(Permission.MANAGE_PEOPLE),
        "today": timezone.localdate(),
        "is_nothing": not (to_review or to_decide or own or named or closes),
    }
    return render(request, "home/home.html", context)


def _sums(waiting: QuerySet[Document]) -> list[tuple[str, int]]:
    rows = DocumentTotal.objects.filter(document__in=waiting.order_by().values("pk")).values("currency")
    summed = rows.annotate(minor=Sum("amount_minor")).order_by("currency")
    return [(row["currency"], int(row["minor"])) for row in summed]


def _undecided(rights: Rights) -> QuerySet[Dispute]:
    """Disputes of one's own part of the tree that wait for a controller."""
    rows = reach.disputes(rights).filter(state__in=[DisputeState.OPEN, DisputeState.PROPOSED])
    return rows.select_related("document", "opened_by").order_by("opened_at")


def _to_decide(rights: Rights, person: int) -> QuerySet[Dispute]:
    """Those to propose something for, and those that others proposed something for."""
    rows = _undecided(rights).exclude(opened_by=person).exclude(state=DisputeState.PROPOSED, proposed_by=person)
    return rows.order_by("-state", "opened_at")


def _named(rights: Rights, person: int) -> QuerySet[Comment]:
    """Where one was named lately and has said nothing since."""
    rows = Comment.objects.filter(
        mentions__person=person, at__gte=timezone.now() - _LATELY, document__in=reach.documents(rights)
    )
    later = Comment.objects.filter(document=OuterRef("document"), by=person, at__gt=OuterRef("at"))
    return rows.filter(~Exists(later)).select_related("by", "document").order_by("-at")


def _closes(rights: Rights) -> list[dict[str, object]]:
    """The periods that are not sealed, with what each waits for."""
    closes = list(
        Close.objects.filter(sealed_at__isnull=True)
        .order_by("-period")
        .only(
            "period", "data_complete_at", "allocated_at", "issued_at", "run_digest", "issued_run_digest", "review_until"
        )[:_CLOSES]
    )
    today = timezone.localdate()
    issued = Q(issue_state=Issue.ISSUED)
    counts = {
        row["period"]: row
        for row in Document.objects.filter(period__in=[close.period for close in closes])
        .values("period")
        .annotate(
            documents=Count("pk", filter=issued),
            awaiting=Count("pk", filter=issued & Q(review_state=Review.AWAITING)),
            late=Count("pk", filter=issued & Q(review_state=Review.AWAITING, review_until__lt=today)),
            disputed=Count("pk", filter=issued & Q(review_state=Review.DISPUTED)),
            unposted=Count(
                "pk",
                filter=issued
                & Q(posting_state=Posting.UNPOSTED, review_state__in=[Review.ACCEPTED, Review.DEEMED], showback=False)
                & ~Q(kind="statement"),
            ),
        )
        .order_by()
    }
    return [
        {"close": close, "blocks": _blocks(close, counts.get(close.period, {})), "counts": counts.get(close.period, {})}
        for close in closes
    ]


def _blocks(close: Close, counts: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """What a period waits for: how many, in words, and the state to filter documents by."""
    if close.data_complete_at is None:
        return [("", _("Nobody has said yet that its data is complete."), "")]
    if close.allocated_at is None:
        return [("", _("It is not allocated yet."), "")]
    if close.issued_at is None:
        return [("", _("Its documents are not issued yet."), "")]
    found = []
    if close.run_digest != close.issued_run_digest:
        found.append(("", _("It was allocated anew, and its documents are not issued again yet."), ""))
    waiting, late, disputed, unposted = (
        int(str(counts.get(name, 0))) for name in ("awaiting", "late", "disputed", "unposted")
    )
    sentences = (
        (waiting, ngettext("document awaits review", "documents await review", waiting), "awaiting_review"),
        (late, ngettext("of them is past its deadline", "of them are past their deadline", late), "awaiting_review"),
        (disputed, ngettext("document is disputed", "documents are disputed", disputed), "disputed"),
        (
            unposted,
            ngettext("invoice is accepted and not posted yet", "invoices are accepted and not posted yet", unposted),
            "accepted",
        ),
    )
    found += [(str(count), words, state) for count, words, state in sentences if count]
    return found


urlpatterns = [path("", home, name="home")]
