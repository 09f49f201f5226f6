"""The page of one document: what it comes to, why it changed, and what its recipient says to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apportion.actions import configured
from apportion.actions.close import issuing
from apportion.actions.post import e_invoices
from apportion.actions.review import accepting, reviewing
from apportion.errors import ApportionError, InputRefusedError
from apportion.invoice.paper import Paper, PaperKind
from apportion.records import convert, objections, reach
from apportion.records.closes import Close
from apportion.records.disputes import UNDECIDED, Comment, Dispute
from apportion.records.documents import Document
from apportion.records.surroundings import Surroundings, surrounded
from apportion.review import deadlines
from apportion.review.dispute import disputable
from apportion.review.permission import Permission
from apportion.review.states import Act, Issue, Posting, Review, Situation, refusal
from apportion.web import document_view, timeline
from apportion.web.document_rows import Rows, month_rows
from apportion.web.drawing import diagrams
from apportion.web.frame.answers import at_field, back_to, say_no
from apportion.web.frame.page import Reach, Request, page
from apportion.web.words.figures import spoken

_SEE = Permission.SEE_DOCUMENTS


class CommentForm(forms.Form):
    """A contribution to the thread, with files."""

    text = forms.CharField(
        label=_("Your comment or question"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Name somebody with @, as in @anna.berg: they are told. A comment cannot be changed later."),
    )


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))


class ExtendForm(ReasonForm):
    """A later day, and why."""

    until = forms.DateField(label=_("New last day"), widget=forms.DateInput(attrs={"type": "date"}))
    field_order = ("until", "reason")


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day of the review and what happens after it; `tone` is that of an alert."""

    sentence: str
    then: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class May:
    """What the reader may do now. `not_accept` says why a document that is theirs cannot be accepted."""

    accept: bool
    dispute: bool
    comment: bool
    reopen: bool
    extend: bool
    void: bool
    answers: bool
    not_accept: str = ""


@page(Reach.OBJECT, _SEE)
def document(request: Request, document: int) -> HttpResponse:
    """The page."""
    return shown(request, document)


def shown(
    request: Request,
    pk: int,
    *,
    status: int = 200,
    comment_form: CommentForm | None = None,
    extend_form: ExtendForm | None = None,
) -> HttpResponse:
    """The page as it is now; with a form that was refused, that form as it was typed."""
    row, there = _found(request, pk)
    paper = convert.paper(row)
    disputes = list(row.disputes.select_related("opened_by").order_by("-opened_at", "-pk")) if there.disputes else []
    notes = notes_of(request, row) if there.notes else []
    now = standing(row, disputes, is_sealed=there.is_sealed)
    may = allowed(request, row, now)
    free = free_lines(row, paper, disputes, notes) if may.dispute else ()
    view = document_view.view(row, paper, disputes=disputes, free=free, noted=_noted(row, notes))
    context = {
        "document": row,
        "view": view,
        "rows": Rows(row.pk, is_monthly=view.is_monthly, disputable=bool(free)),
        "flows": diagrams.flows(paper),
        "e_invoices": e_invoices.currencies(row, paper),
        "bars": _bars(view),
        "may": may,
        "may_dispute_any": bool(free),
        "deadline": _deadline(row, now),
        "disputes": disputes,
        "undecided": sum(each.state in UNDECIDED for each in disputes),
        "notes": notes,
        "comments": comments(row) if there.comments else (),
        "attachments": row.attachments.filter(dispute=None).select_related("by").order_by("pk") if there.files else (),
        "events": timeline.events(
            row, [each.pk for each in disputes], inside=_is_inside(request), entries=there.entries or there.disputes
        ),
        "comment_form": comment_form or CommentForm(),
        "extend_form": extend_form or ExtendForm(),
    }
    return render(request, "documents/document.html", context, status=status)


def _is_inside(request: Request) -> bool:
    """Whether the reader takes part in the close, and not only in the review."""
    return request.actor.rights.may(Permission.SEE_CLOSE)


def found(request: Request, pk: int) -> Document:
    """The document with what its page always needs of it, in one query. Raises `NotFoundError`."""
    return _found(request, pk)[0]


def _found(request: Request, pk: int) -> tuple[Document, Surroundings]:
    there = surrounded(pk)
    # Where it is one of theirs, the database need not look for it among all that is.
    if there is not None and reach.reaches(request.actor.rights, there[0]):
        return there
    reach.document(request.actor.rights, pk)
    raise AssertionError  # both ask for the same


def comments(row: Document, *, line: int | None = None, dispute: Dispute | None = None) -> list[Comment]:
    """The thread of a document (with those on its lines), of a line, or of a dispute, oldest first."""
    rows = Comment.objects.filter(document=row, dispute=dispute).select_related("by").order_by("at", "pk")
    made = list(rows.filter(line=line) if line is not None else rows)
    for each in made:
        each.said = timeline.said(each.text)  # type: ignore[attr-defined]
    return made


def notes_of(request: Request, row: Document) -> list[Document]:
    """The credit and debit notes about it that the reader may see, and what took its place."""
    rows = reach.documents(request.actor.rights).filter(about=row)
    return list(rows.prefetch_related("totals").order_by("pk"))


def _noted(row: Document, notes: Sequence[Document]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for note in notes:
        if _is_own_note(row, note):
            for total in note.totals.all():
                sums[total.currency] += total.amount_minor
    return sums


def _is_own_note(row: Document, note: Document) -> bool:
    return (
        note.kind in {PaperKind.CREDIT_NOTE, PaperKind.DEBIT_NOTE}
        and note.issue_state == Issue.ISSUED
        and (note.holder, note.cost_group_id) == (row.holder, row.cost_group_id)
    )


def free_lines(row: Document, paper: Paper, disputes: Sequence[Dispute], notes: Sequence[Document]) -> set[int]:
    """The lines that may still be disputed."""
    papers = objections.notes_about(row) if any(_is_own_note(row, note) for note in notes) else ()
    pure = [objections.pure(each, row.label or "") for each in disputes]
    return {line.number for line in disputable(paper, pure, papers)}


def standing(row: Document, disputes: Sequence[Dispute], *, is_sealed: bool | None = None) -> Situation:
    """As `actions.moving.situation`, from what is loaded already. Notes count for voiding alone, which asks again.

    Whether the period is sealed is asked where the caller does not know.
    """
    silence = configured.silence()
    if is_sealed is None:
        is_sealed = Close.objects.filter(period=row.period, sealed_at__isnull=False).exists()
    return Situation(
        kind=PaperKind(row.kind),
        issue=Issue(row.issue_state),
        review=Review(row.review_state),
        posting=Posting(row.posting_state),
        open_disputes=sum(each.state in UNDECIDED for each in disputes),
        is_past_deadline=bool(row.review_until and row.review_until < silence.today),
        silence_accepts=silence.accepts,
        is_sealed=is_sealed,
        in_showback=row.showback,
    )


def allowed(request: Request, row: Document, now: Situation) -> May:
    """What this person can do with it as it stands."""
    rights, where = request.actor.rights, reach.path_of(row)
    answers = rights.may(Permission.ACCEPT, where)
    decides = rights.may(Permission.DECIDE, where)
    return May(
        accept=answers and not refusal(now, Act.ACCEPT),
        dispute=rights.may(Permission.DISPUTE, where) and not refusal(now, Act.DISPUTE),
        comment=rights.may(Permission.COMMENT, where) and now.issue is not Issue.OPEN,
        reopen=decides and not refusal(now, Act.REOPEN),
        extend=decides and now.issue is Issue.ISSUED and now.review in {Review.AWAITING, Review.DISPUTED},
        void=rights.may(Permission.ISSUE) and not refusal(now, Act.VOID),
        answers=answers,
        not_accept=refusal(now, Act.ACCEPT) if answers else "",
    )


def _deadline(row: Document, now: Situation) -> Deadline | None:
    """What is said above everything else; only while something is expected of the recipient."""
    if (
        row.review_until is None
        or now.issue is not Issue.ISSUED
        or now.review not in {Review.AWAITING, Review.DISPUTED}
    ):
        return None
    today = timezone.localdate()
    left = deadlines.days_left(row.review_until, today, configured.working_days())
    if now.review is Review.DISPUTED:
        then = gettext("Until it is decided, the deadline has no effect; then there is time to read what was decided.")
        return Deadline(gettext("A dispute is open."), then, "info", "message-question")
    if now.silence_accepts:
        then = gettext("If nobody answers until then, it counts as accepted.")
    else:
        then = gettext("If nobody answers until then, it is brought before those who stand above.")
    if now.is_past_deadline:
        over = gettext("The last day for your answer has passed.")
        return Deadline(over, gettext("Please answer now: it is waited for."), "danger", "calendar-due")
    if left == 0:
        return Deadline(gettext("Today is the last day for your answer."), then, "warning", "calendar-due")
    days = gettext("1 working day is left.") if left == 1 else gettext("%d working days are left.") % left
    return Deadline(days, then, "warning" if left <= 1 else "info", "calendar-due")


def _bars(view: document_view.PaperView) -> list[dict[str, object]]:
    """Twelve months for each currency that has a month beside this one."""
    said = spoken()
    return [
        {
            "currency": total.currency,
            "rows": month_rows(view.periods, total.beside.months, total.currency),
            "values": total.beside.months,
            "labels": [said.short_month(period) for period in view.periods],
        }
        for total in view.totals
        if sum(month is not None for month in total.beside.months) > 1
    ]


@page(Reach.OBJECT, Permission.ACCEPT, methods="POST")
def accept(request: Request, document: int) -> HttpResponse:
    """Accept it. Pressed twice, it is accepted once, and nobody is frightened by the second answer."""
    try:
        row = accepting.accept(request.actor, document, remark=request.POST.get("remark", "")[:2000])
    except ApportionError as error:
        now = reach.document(request.actor.rights, document)
        if now.review_state != Review.ACCEPTED or now.reviewed_by_id != request.actor.person.pk:  # type: ignore[union-attr]
            say_no(request, error)
            return back_to("document", document)
        row = now
    messages.success(request, gettext("%s is accepted. Thank you.") % row)
    return back_to("document", document)


@page(Reach.OBJECT, Permission.DECIDE, methods="POST")
def reopen(request: Request, document: int) -> HttpResponse:
    """Open its review again."""
    try:
        reviewing.reopen(request.actor, document, request.POST.get("reason", ""))
        messages.success(request, gettext("It awaits review again."))
    except ApportionError as error:
        say_no(request, error)
    return back_to("document", document)


@page(Reach.OBJECT, Permission.DECIDE, methods="POST")
def extend(request: Request, document: int) -> HttpResponse:
    """Give its recipient more time."""
    reach.document(request.actor.rights, document)
    form = ExtendForm(request.POST)
    if not form.is_valid():
        return shown(request, document, status=400, extend_form=form)
    try:
        reviewing.extend_deadline(request.actor, [document], form.cleaned_data["until"], form.cleaned_data["reason"])
    except InputRefusedError as error:
        at_field(form, error)
        return shown(request, document, status=400, extend_form=form)
    except ApportionError as error:
        say_no(request, error)
    else:
        messages.success(request, gettext("The deadline is moved, and its owners are told."))
    return back_to("document", document)


@page(Reach.OBJECT, Permission.ISSUE, methods="POST")
def void(request: Request, document: int) -> HttpResponse:
    """Take it back."""
    try:
        row = issuing.void(request.actor, document, request.POST.get("reason", ""))
        messages.success(request, gettext("%s is voided. Its number is never used again.") % row)
    except ApportionError as error:
        say_no(request, error)
    return back_to("document", document)


urlpatterns = [
    path("documents/<int:document>/", document, name="document"),
    path("documents/<int:document>/accept/", accept, name="accept_document"),
    path("documents/<int:document>/reopen/", reopen, name="reopen_document"),
    path("documents/<int:document>/extend/", extend, name="extend_deadline"),
    path("documents/<int:document>/void/", void, name="void_document"),
]
