"""Disputes: raising one, its page with everything said about it, and the list of all within reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apportion.actions.acting import person_of
from apportion.actions.review import disputing
from apportion.actions.review.settling import Settle
from apportion.actions.words import cleaned
from apportion.errors import ApportionError, InputRefusedError
from apportion.invoice.credit_note import remaining
from apportion.invoice.paper import Paper, PaperLine
from apportion.records import convert, objections, reach
from apportion.records.disputes import UNDECIDED, Dispute, DisputeState
from apportion.records.documents import Document
from apportion.records.rights import Rights
from apportion.review import dispute as core
from apportion.review.permission import Permission
from apportion.review.states import Act, StateError, refusal
from apportion.web import deciding, timeline
from apportion.web import document as document_page
from apportion.web.frame.answers import at_field, back_to, say_no, uploads
from apportion.web.frame.page import Reach, Request, page
from apportion.web.frame.typed_amounts import minor_of
from apportion.web.threads import speak
from apportion.web.words.dispute_words import OUTCOME_SHORT, REASON_WORDS, SETTLE_WORDS
from apportion.web.words.figures import money

_ON_A_PAGE = 50
_TWICE = timedelta(minutes=2)
_SEE = Permission.SEE_DOCUMENTS


@dataclass(frozen=True, slots=True)
class Claim:
    """What can be disputed: a line, or all of a document in one currency, with what remains of it."""

    value: str  # of the form's field: the line's number, or the currency
    line: PaperLine | None
    currency: str
    minor: int
    total_minor: int

    @property
    def after_minor(self) -> int:
        """What the document would come to if all of it were upheld."""
        return self.total_minor - self.minor


class DisputeForm(forms.Form):
    """An objection."""

    about = forms.ChoiceField(label=_("What is it about?"))
    reason = forms.ChoiceField(label=_("Why?"), choices=list(REASON_WORDS.items()), widget=forms.RadioSelect)
    amount = forms.CharField(
        label=_("Which amount of it do you object to?"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("Leave it empty for all of it."),
    )
    text = forms.CharField(
        label=_("What is wrong?"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Say what a controller needs to know to look into it. It is kept for ever."),
    )

    def __init__(self, claims: Sequence[Claim], *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        about = self.fields["about"]
        assert isinstance(about, forms.ChoiceField)  # noqa: S101 - declared above
        about.choices = [(claim.value, _named(claim)) for claim in claims]


def _named(claim: Claim) -> str:
    amount = money(claim.minor, claim.currency)
    if claim.line is None:
        return gettext("The whole document: %s") % amount
    heading = claim.line.heading or gettext("No service named")
    return gettext("Line %(number)s, %(heading)s: %(amount)s") % {
        "number": claim.line.number,
        "heading": heading,
        "amount": amount,
    }


def _claims(row: Document, paper: Paper) -> list[Claim]:
    """Everything that may be disputed now."""
    disputes, notes = objections.disputes_of(row), objections.notes_about(row)
    free = core.disputable(paper, disputes, notes)
    totals: dict[str, int] = {}
    for each in remaining(paper, notes):
        totals[each.currency] = totals.get(each.currency, 0) + each.minor
    found = [Claim(str(each.number), each, each.currency, each.minor, totals[each.currency]) for each in free]
    for currency in sorted({each.currency for each in free}):
        if not any(each.is_undecided and each.currency == currency for each in disputes):
            whole = sum(each.minor for each in free if each.currency == currency)
            found.append(Claim(currency, None, currency, whole, totals[currency]))
    return found


@page(Reach.OBJECT, Permission.DISPUTE, methods="GET POST")
def raise_dispute(request: Request, document: int) -> HttpResponse:
    """The form of an objection, with what would happen."""
    row = document_page.found(request, document)
    request.actor.rights.require(Permission.DISPUTE, reach.path_of(row))
    claims = _claims(row, convert.paper(row))
    if request.method == "POST":
        return _raised(request, row, claims)
    wanted = request.GET.get("line", "")
    known = {claim.value for claim in claims}
    if wanted and wanted not in known:
        messages.warning(request, gettext("That line cannot be disputed (any more). Choose another, or add a comment."))
    first = {"about": wanted if wanted in known else claims[0].value if claims else "", "reason": core.Reason.NOT_OURS}
    return _form(request, row, claims, DisputeForm(claims, initial=first), first["about"])


def _form(
    request: Request, row: Document, claims: Sequence[Claim], form: DisputeForm, chosen: str, status: int = 200
) -> HttpResponse:
    claim = next((each for each in claims if each.value == chosen), None)
    context = {
        "document": row,
        "form": form,
        "claims": claims,
        "claim": claim,
        "claimed": claim.minor if claim else None,
        "after": claim.after_minor if claim else None,
        "why_not": refusal(document_page.standing(row, list(row.disputes.all())), Act.DISPUTE),
    }
    return render(request, "disputes/raise.html", context, status=status)


def _raised(request: Request, row: Document, claims: Sequence[Claim]) -> HttpResponse:
    form = DisputeForm(claims, request.POST)
    chosen = request.POST.get("about", "")
    if (twice := _same(request, row)) is not None:
        return back_to("dispute", twice.pk)
    if not form.is_valid():
        return _form(request, row, claims, form, chosen, 400)
    claim = next(each for each in claims if each.value == form.cleaned_data["about"])
    try:
        amount = form.cleaned_data["amount"]
        made = disputing.dispute(
            request.actor,
            row.pk,
            line=claim.line.number if claim.line is not None else None,
            reason=form.cleaned_data["reason"],
            text=form.cleaned_data["text"],
            claimed_minor=minor_of(amount, claim.currency, "amount") if amount.strip() else None,
            currency=claim.currency,
            attachments=uploads(request, "attachments"),
        )
    except (core.ClaimError, core.DisputedAlreadyError, core.NoReasonGivenError, InputRefusedError) as error:
        fields: dict[type[ApportionError], str] = {core.ClaimError: "amount", core.DisputedAlreadyError: "about"}
        at_field(form, error, fields.get(type(error), "text"))
        return _form(request, row, claims, form, chosen, 400)
    except ApportionError as error:
        say_no(request, error)
        return back_to("document", row.pk)
    messages.success(request, gettext("Your dispute is raised. A controller looks into it, and you are told."))
    return back_to("dispute", made.pk)


def _same(request: Request, row: Document) -> Dispute | None:
    """What the same person raised in the same words a moment ago: the second press of a double click."""
    about = request.POST.get("about", "")
    return Dispute.objects.filter(
        document=row,
        opened_by=person_of(request.actor),
        text=cleaned(request.POST.get("text", "")),
        line=int(about) if about.isascii() and about.isdecimal() and len(about) < 9 else None,
        state=DisputeState.OPEN,
        opened_at__gte=timezone.now() - _TWICE,
    ).first()


@page(Reach.OBJECT, Permission.DISPUTE)
def preview(request: Request, document: int) -> HttpResponse:
    """What would happen to the bill, for a part of the form's page."""
    row = document_page.found(request, document)
    claims = _claims(row, convert.paper(row))
    claim = next((each for each in claims if each.value == request.GET.get("about", "")), None)
    claimed = claim.minor if claim else None
    amount = request.GET.get("amount", "").strip()[:40]
    if claim is not None and amount:
        try:
            claimed = minor_of(amount, claim.currency, "amount")
        except InputRefusedError:
            claimed = None
        if claimed is not None and not min(claim.minor, 0) <= claimed <= max(claim.minor, 0):
            claimed = None
    after = claim.total_minor - claimed if claim is not None and claimed is not None else None
    context = {"document": row, "claim": claim, "claimed": claimed, "after": after}
    return render(request, "disputes/preview.html", context)


@page(Reach.OBJECT, _SEE)
def dispute(request: Request, dispute: int) -> HttpResponse:
    """Its page: facts, what was decided, the thread and what happened when."""
    return shown(request, dispute)


def shown(
    request: Request, pk: int, *, status: int = 200, comment_form: document_page.CommentForm | None = None
) -> HttpResponse:
    """The page as it is now."""
    row = deciding.found(request, pk)
    document, paper = row.document, convert.paper(row.document)
    line = next((each for each in paper.lines if each.number == row.line), None)
    rights, where = request.actor.rights, reach.path_of(document)
    inside = rights.may(Permission.SEE_CLOSE)
    notes = reach.documents(rights).filter(dispute=row).prefetch_related("totals").order_by("pk")
    context = {
        "dispute": row,
        "document": document,
        "line": line,
        "reason": REASON_WORDS.get(core.Reason(row.reason), row.reason),
        "outcome": OUTCOME_SHORT.get(core.Outcome(row.outcome)) if row.outcome else "",
        "settlement": _settlement(row, rights),
        "shows_decision": bool(row.outcome) and (row.state != DisputeState.PROPOSED or inside),
        "notes": notes,
        "attachments": row.attachments.select_related("by").order_by("pk"),
        "comments": document_page.comments(document, dispute=row),
        "comment_form": comment_form or document_page.CommentForm(),
        "events": timeline.events(document, [row.pk], only_disputes=True, inside=inside),
        "today": timezone.localdate(),
        "may_comment": rights.may(Permission.COMMENT, where),
        "may_withdraw": row.state in UNDECIDED and rights.may(Permission.DISPUTE, where),
        **deciding.standing(request, row),
    }
    return render(request, "disputes/dispute.html", context, status=status)


def _settlement(row: Dispute, rights: Rights) -> str:
    """How what is upheld is settled; the other cost group is only named to those who may read about it."""
    if not row.settlement:
        return ""
    said = str(SETTLE_WORDS[Settle(row.settlement)])
    to = row.settle_to
    return f"{said}: {to} ({to.code})" if to is not None and rights.may(_SEE, to.path) else said


@page(Reach.OBJECT, Permission.DISPUTE, methods="POST")
def withdraw(request: Request, dispute: int) -> HttpResponse:
    """Take it back."""
    try:
        row = disputing.withdraw(request.actor, dispute, reason=request.POST.get("reason", ""))
        messages.success(request, gettext("The dispute is withdrawn."))
        return back_to("document", row.document_id)
    except ApportionError as error:
        say_no(request, error)
    return back_to("dispute", dispute)


@page(Reach.OBJECT, Permission.COMMENT, methods="POST")
def comment(request: Request, dispute: int) -> HttpResponse:
    """Say something in its thread, with files."""
    row = reach.dispute(request.actor.rights, dispute)
    form = document_page.CommentForm(request.POST)
    try:
        if form.is_valid() and speak(request, row.document_id, form, dispute=row.pk):
            messages.success(request, gettext("Your comment is there."))
            return back_to("dispute", dispute, anchor="thread")
    except StateError as error:
        say_no(request, error)
        return back_to("dispute", dispute)
    return shown(request, dispute, status=400, comment_form=form)


class FilterForm(forms.Form):
    """What the list shows."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("Not decided yet")),
            ("open", _("Open")),
            ("proposed", _("Decision proposed")),
            ("decided", _("Decided")),
            ("withdrawn", _("Withdrawn")),
            ("all", _("All")),
        ],
    )
    reason = forms.ChoiceField(
        label=_("Reason"), required=False, choices=[("", _("Any reason")), *REASON_WORDS.items()]
    )
    q = forms.CharField(label=_("Document or cost group"), required=False, max_length=200)


_STATES: Mapping[str, Q] = {
    "": Q(state__in=UNDECIDED),
    "open": Q(state=DisputeState.OPEN),
    "proposed": Q(state=DisputeState.PROPOSED),
    "decided": Q(state__in=[DisputeState.UPHELD, DisputeState.PARTLY_UPHELD, DisputeState.REJECTED]),
    "withdrawn": Q(state=DisputeState.WITHDRAWN),
    "all": Q(),
}


@page(Reach.SOMEWHERE, _SEE)
def disputes(request: Request) -> HttpResponse:
    """Those within reach, the ones that wait longest first."""
    form = FilterForm(request.GET)
    form.is_valid()
    said = {name: form.cleaned_data.get(name, "") for name in form.fields}
    rows = reach.disputes(request.actor.rights).filter(_STATES[said["state"]])
    if said["reason"]:
        rows = rows.filter(reason=said["reason"])
    if said["q"]:
        rows = rows.filter(Q(document__label__icontains=said["q"]) | Q(document__name__icontains=said["q"]))
    order = "opened_at" if said["state"] in {"", "open", "proposed"} else "-opened_at"
    rows = rows.select_related("document", "opened_by", "proposed_by").order_by(order, "pk")
    shown_page = Paginator(rows, _ON_A_PAGE).get_page(request.GET.get("page"))
    for each in shown_page:
        each.why = REASON_WORDS.get(core.Reason(each.reason), each.reason)  # type: ignore[attr-defined]
        each.due = deciding.due_on(each)  # type: ignore[attr-defined]
        each.next = deciding.next_step(each, request.actor)  # type: ignore[attr-defined]
    context = {"page": shown_page, "filters": form, "is_filtered": any(said.values()), "today": timezone.localdate()}
    return render(request, "disputes/list.html", context)


urlpatterns = [
    path("disputes/", disputes, name="disputes"),
    path("disputes/<int:dispute>/", dispute, name="dispute"),
    path("disputes/<int:dispute>/comment/", comment, name="comment_dispute"),
    path("disputes/<int:dispute>/withdraw/", withdraw, name="withdraw_dispute"),
    path("documents/<int:document>/dispute/", raise_dispute, name="raise_dispute"),
    path("documents/<int:document>/dispute/preview/", preview, name="preview_dispute"),
    *deciding.urlpatterns,
]
