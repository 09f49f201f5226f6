"""Deciding a dispute: a controller sees whose bill would move by how much, proposes, and another one approves."""

from __future__ import annotations

from datetime import date

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext

from apportion.actions import configured
from apportion.actions.acting import Actor, SamePersonError, person_of
from apportion.actions.notices.audience import Audience
from apportion.actions.review import deciding as acts
from apportion.actions.review.settling import Row, Settle, plan
from apportion.errors import ApportionError, InputRefusedError, Place
from apportion.invoice.paper import PaperLineKind
from apportion.records import convert, reach
from apportion.records.disputes import Dispute, DisputeState
from apportion.records.groups import CostGroup
from apportion.review.dispute import ClaimError, DecidedError, Outcome, Reason
from apportion.review.permission import Permission
from apportion.review.settlement import SettlementError
from apportion.review.states import StateError
from apportion.web.decision_forms import DecisionForm, ProposalForm
from apportion.web.frame.answers import at_field, back_to, say_no
from apportion.web.frame.page import Reach, Request, page
from apportion.web.frame.typed_amounts import minor_of
from apportion.web.words.dispute_words import OUTCOME_SHORT, REASON_WORDS
from apportion.web.words.figures import money

_SUGGESTED = 300
_DECIDE = Permission.DECIDE


def found(request: Request, pk: int) -> Dispute:
    """The dispute with all that its page needs of it, in one query. Raises `NotFoundError`."""
    rows = reach.disputes(request.actor.rights).select_related(
        "document",
        "document__cost_group",
        "document__body",
        "opened_by",
        "proposed_by",
        "decided_by",
        "settle_to",
        "policy_version",
    )
    return rows.filter(pk=pk).first() or reach.dispute(request.actor.rights, pk)


def due_on(row: Dispute) -> date | None:
    """By when it should be decided, by the settings' working days; None once it is."""
    if row.state not in {DisputeState.OPEN, DisputeState.PROPOSED}:
        return None
    days = configured.current().measures.days_to_resolve
    return configured.working_days().after(timezone.localdate(row.opened_at), days)


def next_step(row: Dispute, actor: Actor) -> str:
    """Who is waited for, in words."""
    own = actor.person is not None and actor.person.pk == row.proposed_by_id
    decides = actor.rights.may(_DECIDE)
    if row.state == DisputeState.OPEN:
        return gettext("propose a decision") if decides else gettext("a controller proposes a decision")
    if row.state == DisputeState.PROPOSED:
        return (
            gettext("approve it or send it back") if decides and not own else gettext("another controller approves it")
        )
    return ""


def standing(request: Request, row: Dispute) -> dict[str, object]:
    """What the reader may do about its decision, and who can where they cannot."""
    rights, person, document = request.actor.rights, person_of(request.actor), row.document
    decides = rights.may(_DECIDE)
    groups = [group for group in (document.cost_group, row.settle_to) if group is not None]
    owns = any(rights.may(Permission.ACCEPT, group.path) for group in groups)
    raised, proposed = row.opened_by_id == person.pk, row.proposed_by_id == person.pk
    may_propose = decides and row.state == DisputeState.OPEN and not raised and not owns
    may_approve = decides and row.state == DisputeState.PROPOSED and not raised and not owns and not proposed
    why_not = ""
    if decides and row.state == DisputeState.PROPOSED and not may_approve:
        why_not = _why_not(row, proposed=proposed, raised=raised)
    elif decides and row.state == DisputeState.OPEN and not may_propose:
        why_not = _why_not(row, proposed=False, raised=raised)
    return {
        "decides": decides,
        "may_propose": may_propose,
        "may_approve": may_approve,
        "may_send_back": decides and row.state == DisputeState.PROPOSED,
        "is_own_proposal": proposed,
        "why_not": why_not,
        "due": due_on(row),
    }


def _why_not(row: Dispute, *, proposed: bool, raised: bool) -> str:
    """Why the reader may not decide it, and who can."""
    if proposed:
        why = gettext("You proposed this decision, so somebody else approves it.")
    elif raised:
        why = gettext("You raised this dispute, so others decide it.")
    else:
        why = gettext("You answer for a cost group in it, so others decide it.")
    others = [
        str(each)
        for each in Audience([row.document]).controllers()
        if each.pk not in {row.opened_by_id, row.proposed_by_id}
    ]
    who = (
        gettext("These can: %s.") % ", ".join(others[:5])
        if others
        else gettext("Nobody else can: a second controller is needed.")
    )
    return f"{why} {who}"


def _moves(row: Dispute) -> tuple[Row, ...]:
    """What the proposed decision moves, worked out again: for whoever approves it."""
    try:
        worked_out = plan(
            row.document,
            row,
            Outcome(row.outcome),
            by=row.proposed_by_id or 0,
            settle=Settle(row.settlement) if row.settlement else None,
            settle_to=row.settle_to,
            upheld_minor=row.agreed_minor or 0,
            reason=row.decision,
        )
    except ApportionError:
        return ()
    return worked_out.rows


@page(Reach.OBJECT, _DECIDE)
def moves(request: Request, dispute: int) -> HttpResponse:
    """Whose bill the proposed decision moves by how much, worked out anew: for whoever approves it."""
    row = found(request, dispute)
    rows = _moves(row) if row.state == DisputeState.PROPOSED else ()
    part = request.headers.get("HX-Request") == "true"
    name = "disputes/moves_part.html" if part else "disputes/moves_page.html"
    return render(request, name, {"dispute": row, "document": row.document, "rows": rows})


@page(Reach.OBJECT, _DECIDE, methods="GET POST")
def decide(request: Request, dispute: int) -> HttpResponse:
    """Think of a decision and see whose bill moves; the address says what was thought of. Sent, it is proposed."""
    row = found(request, dispute)
    request.actor.rights.require(_DECIDE, reach.path_of(row.document))
    if row.state != DisputeState.OPEN:
        messages.info(request, gettext("A decision is proposed already, or taken: this is how it stands."))
        return back_to("dispute", dispute)
    if request.method == "POST":
        return _propose(request, row)
    is_asked = "outcome" in request.GET
    form = DecisionForm(request.GET if is_asked else None, is_share=_is_share(row), initial={"outcome": Outcome.UPHELD})
    return _deciding(request, row, form, is_asked=is_asked)


def _is_share(row: Dispute) -> bool:
    lines = [line for line in convert.paper(row.document).lines if row.line in {None, line.number}]
    return any(line.kind is PaperLineKind.SHARE for line in lines)


def _deciding(
    request: Request,
    row: Dispute,
    form: DecisionForm,
    *,
    is_asked: bool,
    proposal: ProposalForm | None = None,
    status: int = 200,
) -> HttpResponse:
    rows: tuple[Row, ...] | None = None
    if is_asked and form.is_valid():
        try:
            rows = acts.counterfactual(
                request.actor,
                row.pk,
                form.cleaned_data["outcome"],
                settle=_settle(form),
                settle_to=_group(form),
                upheld_minor=_upheld(form, row),
            )
            _check_version(form)
        except ApportionError as error:
            _refused(form, error)
    if is_asked and form.errors and status == 200:
        status = 400
    context = {
        "dispute": row,
        "document": row.document,
        "reason": REASON_WORDS[Reason(row.reason)],
        "form": form,
        "rows": rows,
        "is_asked": is_asked,
        "said": _said(form, row) if rows is not None else "",
        "proposal": proposal
        or (ProposalForm(initial=_again(form), is_share=_is_share(row)) if rows is not None else None),
        "hidden": [(name, value) for name, value in _again(form).items() if value] if rows is not None else [],
        "groups": CostGroup.objects.filter(is_current=True).order_by("number").only("code", "name")[:_SUGGESTED],
        "suggestions": _suggestions(form),
        **standing(request, row),
    }
    return render(request, "disputes/decide.html", context, status=status)


def _again(form: forms.Form) -> dict[str, str]:
    """What was typed, to be sent along."""
    names = ("outcome", "amount", "settle", "settle_to", "policy_version")
    return {name: str(form.data.get(name, "")) for name in names}


def _said(form: DecisionForm, row: Dispute) -> str:
    outcome = Outcome(form.cleaned_data["outcome"])
    amount = (
        row.amount_minor if outcome is Outcome.UPHELD else _upheld(form, row) if outcome is Outcome.PARTLY_UPHELD else 0
    )
    return f"{OUTCOME_SHORT[outcome]}: {money(amount, row.currency)}" if amount else str(OUTCOME_SHORT[outcome])


def _settle(form: DecisionForm) -> str:
    return "" if form.cleaned_data["outcome"] == Outcome.REJECTED else str(form.cleaned_data["settle"])


def _group(form: DecisionForm) -> int | None:
    """The cost group that was typed, where one is needed."""
    if _settle(form) != Settle.COST_GROUP:
        return None
    code = form.cleaned_data["settle_to"].strip()
    found = CostGroup.objects.filter(code=code, is_current=True).values_list("pk", flat=True).first() if code else None
    if found is None:
        raise InputRefusedError(
            gettext("There is no cost group with this code.") if code else gettext("It is not said which cost group."),
            place=Place(field="settle_to"),
            advice=gettext("Write the code of one that is in the tree now."),
        )
    return found


def _upheld(form: DecisionForm, row: Dispute) -> int:
    if form.cleaned_data["outcome"] != Outcome.PARTLY_UPHELD:
        return 0
    return minor_of(form.cleaned_data["amount"], row.currency, "amount")


def _check_version(form: DecisionForm) -> None:
    if _settle(form) == Settle.ALLOCATED_ANEW and form.cleaned_data["policy_version"] is None:
        raise InputRefusedError(
            gettext("It is not said by which policy."),
            place=Place(field="policy_version"),
            advice=gettext("Write the changed policy first, then choose its version here."),
        )


def _refused(form: forms.Form, error: ApportionError) -> None:
    """Put a refusal where it belongs; what is not about the input rises."""
    if isinstance(error, ClaimError):
        at_field(form, error, "amount")
    elif isinstance(error, SettlementError):
        at_field(form, error, "settle")
    elif isinstance(error, InputRefusedError | SamePersonError | StateError):
        at_field(form, error)
    else:
        at_field(form, error, None)


def _suggestions(form: DecisionForm) -> list[CostGroup]:
    """Cost groups that a code which does not exist may have meant."""
    typed = str(form.data.get("settle_to", "")).strip()
    if "settle_to" not in form.errors or len(typed) < 2:
        return []
    rows = CostGroup.objects.filter(is_current=True).order_by("number")
    return list((rows.filter(name__icontains=typed) | rows.filter(code__icontains=typed))[:8])


def _propose(request: Request, row: Dispute) -> HttpResponse:
    form = ProposalForm(request.POST, is_share=_is_share(row))
    if form.is_valid():
        try:
            version = form.cleaned_data["policy_version"]
            acts.propose_decision(
                request.actor,
                row.pk,
                form.cleaned_data["outcome"],
                reason=form.cleaned_data["reason"],
                settle=_settle(form),
                settle_to=_group(form),
                upheld_minor=_upheld(form, row),
                policy_version=version.pk if version is not None else None,
            )
        except (DecidedError, SamePersonError, StateError) as error:
            say_no(request, error)
            return back_to("dispute", row.pk)
        except ApportionError as error:
            _refused(form, error)
        else:
            messages.success(request, gettext("The decision is proposed. Another controller is asked to approve it."))
            return back_to("dispute", row.pk)
    first = DecisionForm(request.POST, is_share=_is_share(row))
    return _deciding(request, row, first, is_asked=True, proposal=form, status=400)


@page(Reach.OBJECT, _DECIDE, methods="POST")
def approve(request: Request, dispute: int) -> HttpResponse:
    """Approve what another controller proposed."""
    try:
        _row, notes = acts.approve_decision(request.actor, dispute)
    except ApportionError as error:
        now = reach.dispute(request.actor.rights, dispute)
        if now.decided_by_id != person_of(request.actor).pk:
            say_no(request, error)
        return back_to("dispute", dispute)
    if notes:
        labels = ", ".join(str(note) for note in notes)
        messages.success(request, gettext("The decision is taken, and %s issued.") % labels)
    else:
        messages.success(request, gettext("The decision is taken."))
    return back_to("dispute", dispute)


@page(Reach.OBJECT, _DECIDE, methods="POST")
def send_back(request: Request, dispute: int) -> HttpResponse:
    """Take a proposal back, one's own or another's."""
    try:
        acts.withdraw_proposal(request.actor, dispute, request.POST.get("reason", ""))
        messages.success(request, gettext("The proposal is taken back: the dispute is open again."))
    except ApportionError as error:
        say_no(request, error)
    return back_to("dispute", dispute)


urlpatterns = [
    path("disputes/<int:dispute>/decide/", decide, name="decide"),
    path("disputes/<int:dispute>/moves/", moves, name="dispute_moves"),
    path("disputes/<int:dispute>/approve/", approve, name="approve_decision"),
    path("disputes/<int:dispute>/send-back/", send_back, name="send_back"),
]
