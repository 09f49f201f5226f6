"""Deciding disputes: one controller proposes, another approves, and the notes are issued in the same transaction.

Nobody decides about a cost group that they answer for themselves. While a decision waits for approval its credit and
debit notes lie there as drafts without number; approved, they are numbered and issued, and await their own recipients'
review. What is disputed was disputed by a recipient, so only a recipient can say that the note puts it right.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.utils import timezone

from apportion.actions import configured
from apportion.actions.acting import (
    Actor,
    Record,
    SamePersonError,
    locked,
    person_of,
    recorded,
    refused,
    require_second_person,
)
from apportion.actions.close.numbering import Draft, put_out
from apportion.actions.moving import lock, move, situation
from apportion.actions.notices import telling
from apportion.actions.review.reviewing import leave_disputes, subject
from apportion.actions.review.settling import Plan, Row, Settle, open_period, plan
from apportion.actions.words import said
from apportion.actions.workspace import review_until
from apportion.errors import ApportionError, InputRefusedError, NotFoundError, Place
from apportion.invoice.credit_note import remaining
from apportion.invoice.paper import Paper
from apportion.records import convert, objections, reach
from apportion.records.closes import Close
from apportion.records.disputes import Dispute, DisputeState
from apportion.records.documents import Document
from apportion.records.groups import CostGroup
from apportion.records.policies import PolicyState, PolicyVersion
from apportion.records.rights import rights_of
from apportion.review import dispute as core
from apportion.review.permission import Permission
from apportion.review.states import Act, Issue, StateError, step


class ChangedMeanwhileError(ApportionError):
    """A proposal that was overtaken by something else."""

    code = "CHANGED_MEANWHILE"


def counterfactual(
    actor: Actor,
    objection: int,
    outcome: str,
    *,
    settle: str = "",
    settle_to: int | None = None,
    upheld_minor: int = 0,
) -> tuple[Row, ...]:
    """Whose bill would move by how much, the disputing holder first. Writes nothing.

    `outcome` and `settle` are words of `review.dispute.Outcome` and `actions.review.settling.Settle`. Raises
    `NotFoundError`, `ForbiddenError`, and what cannot be proposed (`DisputeError`, `SettlementError` …).
    """
    found = reach.dispute(actor.rights, objection)
    actor.rights.require(Permission.DECIDE, reach.path_of(found.document))
    worked_out = plan(
        found.document,
        found,
        _outcome(outcome),
        by=_nobody(found, actor),
        settle=_settle(settle),
        settle_to=_group(settle_to),
        upheld_minor=upheld_minor,
        reason="-",
        has_drafts=False,
    )
    return worked_out.rows


def propose_decision(
    actor: Actor,
    objection: int,
    outcome: str,
    *,
    reason: str,
    settle: str = "",
    settle_to: int | None = None,
    upheld_minor: int = 0,
    policy_version: int | None = None,
) -> Dispute:
    """Propose what becomes of a dispute, for another controller to approve; notes are drafted.

    What is upheld moves to a cost group (`settle_to`), to the others of the pool, is kept central or left unallocated;
    or, as ``allocated_anew``, the policy is changed (`policy_version`) and the period allocated again. Raises
    `NotFoundError`, `ForbiddenError`, `SamePersonError` for who raised it or answers for a cost group in it,
    `DecidedError`, `DisputeError`, `SettlementError`, `StateError` or `InputRefusedError`.
    """
    person = person_of(actor)
    found = reach.dispute(actor.rights, objection)
    chosen, way, to = _outcome(outcome), _settle(settle), _group(settle_to)
    words = said(reason, "reason", "Write why: the owner reads it.")
    with _noted(actor, "propose decision", found), recorded(actor, "propose decision", reason=words) as record:
        document, row = lock(found.document_id), locked(Dispute, objection)
        actor.rights.require(Permission.DECIDE, reach.path_of(document))
        _not_on_own(actor, document, row, to)
        if row.state != DisputeState.OPEN:
            raise core.DecidedError(
                f"{_name(document, row)} {_state_words(row)}.", advice="Load the page again to see where it stands."
            )
        version = _version(document, way, chosen, policy_version)
        worked_out = plan(
            document,
            row,
            chosen,
            by=person.pk,
            settle=way if chosen is not core.Outcome.REJECTED else None,
            settle_to=to,
            upheld_minor=upheld_minor,
            reason=words,
        )
        _write(row, worked_out, actor, way, to, version)
        codes = {paper.code for paper in worked_out.papers}
        numbers = dict(CostGroup.objects.filter(code__in=codes).values_list("code", "pk"))
        for paper in worked_out.papers:
            convert.keep_draft(
                paper,
                cost_group_id=numbers[paper.code],
                prepared_by_id=person.pk,
                about_id=document.pk,
                dispute_id=row.pk,
            )
        subject(record, document, row)
        record.changed({"state": str(DisputeState.OPEN)}, {**_decided(row), "moves": _moves(worked_out)})
        telling.proposed(row, actor)
    return row


def withdraw_proposal(actor: Actor, objection: int, reason: str = "") -> Dispute:
    """Take back a proposed decision, with its drafts: by who proposed it, or by another controller who disagrees.

    Raises `NotFoundError`, `ForbiddenError`, or `DecidedError` where none waits.
    """
    person_of(actor)
    found = reach.dispute(actor.rights, objection)
    words = said(reason, "reason", "") if reason.strip() else ""
    with recorded(actor, "withdraw proposal", reason=words) as record:
        document, row = lock(found.document_id), locked(Dispute, objection)
        actor.rights.require(Permission.DECIDE, reach.path_of(document))
        core.send_back(objections.pure(row, document.label or ""))
        before = _decided(row)
        row.state, row.outcome, row.settlement, row.decision = DisputeState.OPEN, "", "", ""
        row.settle_to = row.policy_version = row.agreed_minor = None
        proposed_by, row.proposed_by, row.proposed_at = row.proposed_by, None, None
        row.save()
        Document.objects.filter(dispute=row, issue_state=Issue.OPEN).delete()
        subject(record, document, row)
        record.changed(before, {"state": str(row.state)})
        telling.sent_back(row, proposed_by, actor)
    return row


def approve_decision(actor: Actor, objection: int) -> tuple[Dispute, list[Document]]:
    """Approve a proposed decision, as somebody who neither proposed it nor raised the dispute.

    The notes are numbered and issued with it; the document awaits review again when nothing else is disputed. Raises
    `NotFoundError`, `ForbiddenError`, `SamePersonError`, `DecidedError`, `StateError`, and `ChangedMeanwhileError`
    where the drafts do not fit any more.
    """
    person = person_of(actor)
    found = reach.dispute(actor.rights, objection)
    with _noted(actor, "approve decision", found), recorded(actor, "approve decision") as record:
        document, row = lock(found.document_id), locked(Dispute, objection)
        actor.rights.require(Permission.DECIDE, reach.path_of(document))
        _not_on_own(actor, document, row, row.settle_to)
        require_second_person(actor, row.proposed_by_id, row.opened_by_id)
        now = timezone.now()
        core.approve(objections.pure(row, document.label or ""), str(person.pk), now)
        _still_open(document, row)
        before = {"state": row.state}
        # The table counts the disputes that are open now: so it is asked before this one is decided.
        move(actor, document, Act.DECIDE, record, prepared_by=(row.proposed_by_id, row.opened_by_id))
        row.state, row.decided_by, row.decided_at = DisputeState(row.outcome), person, now
        row.save(update_fields=["state", "decided_by", "decided_at"])
        issued = _issue(actor, document, row, record)
        leave_disputes(actor, document, record)
        subject(record, document, row)
        record.changed(before, {**_decided(row), "notes": [note.label for note in issued]})
        telling.decided(row, issued, actor)
    return row, issued


def _issue(actor: Actor, document: Document, row: Dispute, record: Record) -> list[Document]:
    """Put the drafts of a decision out, each as a new row, and take the drafts away."""
    drafts = list(
        Document.objects.select_for_update(of=("self",))
        .filter(dispute=row, issue_state=Issue.OPEN)
        .select_related("body")
        .order_by("pk")
    )
    if not drafts:
        return []
    actor.rights.require(Permission.ISSUE)
    period = open_period(document.period)
    papers = [replace(convert.paper(draft), period=period) for draft in drafts]
    _fits(document, papers)
    for draft in drafts:
        draft.period = period
        step(situation(draft), Act.ISSUE)
        require_second_person(actor, draft.prepared_by_id)
    ready = [
        Draft(paper, draft.prepared_by_id, about_id=document.pk, dispute_id=row.pk)
        for draft, paper in zip(drafts, papers, strict=True)
    ]
    Document.objects.filter(pk__in=[draft.pk for draft in drafts]).delete()
    settings = configured.current()
    issued = put_out(actor, ready, settings, review_until=review_until(settings))
    for note in issued:
        if (note.holder, note.cost_group_id) == (document.holder, document.cost_group_id):
            move(actor, document, Act.ADJUST, record)
    return issued


def _fits(document: Document, papers: list[Paper]) -> None:
    """Refuse drafts that take more than what remains now: other notes may have been issued since."""
    first = convert.paper(document)
    own = [
        replace(paper, label="draft") for paper in papers if (paper.holder, paper.code) == (first.holder, first.code)
    ]
    try:
        remaining(first, [*objections.notes_about(document), *own])
    except ApportionError as error:
        raise ChangedMeanwhileError(
            f"The proposal does not fit {document} any more: {error.sentence}",
            advice="Withdraw the proposal and propose anew.",
        ) from error


def _write(
    row: Dispute,
    worked_out: Plan,
    actor: Actor,
    way: Settle | None,
    to: CostGroup | None,
    version: PolicyVersion | None,
) -> None:
    decision = worked_out.dispute.decision
    assert decision is not None  # noqa: S101 - `plan` proposes one
    upheld = decision.outcome is not core.Outcome.REJECTED
    row.state, row.outcome = DisputeState.PROPOSED, decision.outcome
    row.settlement = str(way) if upheld and way else ""
    row.settle_to = to if way is Settle.COST_GROUP and upheld else None
    row.policy_version = version
    row.agreed_minor = decision.upheld_minor
    row.decision = decision.reason
    row.proposed_by, row.proposed_at = actor.person, decision.proposed_at
    row.save()


def _decided(row: Dispute) -> dict[str, object]:
    return {
        "state": str(row.state),
        "outcome": str(row.outcome),
        "settlement": row.settlement,
        "settle_to": row.settle_to.code if row.settle_to else None,
        "agreed_minor": row.agreed_minor,
        "currency": row.currency,
        "policy_version": row.policy_version_id,
    }


def _moves(worked_out: Plan) -> list[dict[str, object]]:
    if worked_out.settlement is None:
        return []
    return [
        {"holder": str(each.holder), "line": each.line.number, "currency": each.currency, "minor": each.minor}
        for each in worked_out.settlement.moves
    ]


def _not_on_own(actor: Actor, document: Document, row: Dispute, to: CostGroup | None) -> None:
    """Nobody decides about their own cost group, whichever side it is on, nor as an absent owner's deputy."""
    person = person_of(actor)
    mine = rights_of(person)
    for group in (document.cost_group, to):
        if group is not None and mine.may(Permission.ACCEPT, group.path):
            raise SamePersonError(
                f"You answer for {group}, so you do not decide a dispute that it is part of.",
                advice="Ask a controller who does not, or a deputy of one.",
            )
    require_second_person(actor, row.opened_by_id)


def _still_open(document: Document, row: Dispute) -> None:
    """A period can only be allocated anew while it is not sealed."""
    sealed = Close.objects.filter(period=document.period, sealed_at__isnull=False).exists()
    if row.settlement == Settle.ALLOCATED_ANEW and sealed:
        raise StateError(
            f"Billing period {document.period} is sealed, and is not allocated anew.",
            advice="Withdraw the proposal, and settle it by a credit note.",
        )


def _version(document: Document, way: Settle | None, outcome: core.Outcome, number: int | None) -> PolicyVersion | None:
    if way is not Settle.ALLOCATED_ANEW:
        return None
    if outcome is not core.Outcome.UPHELD:
        raise InputRefusedError(
            "Allocating anew says that the whole objection is right.",
            place=Place(field="settle"),
            advice="Uphold it in full, or settle the part by a credit note.",
        )
    if Close.objects.filter(period=document.period, sealed_at__isnull=False).exists():
        raise StateError(
            f"Billing period {document.period} is sealed, and is not allocated anew.", advice="Use a credit note."
        )
    version = PolicyVersion.objects.filter(pk=number).first() if number is not None else None
    if version is None or version.state == PolicyState.REJECTED:
        raise NotFoundError(
            "There is no such policy version.", advice="Write the changed policy first, then name its version here."
        )
    return version


def _outcome(text: str) -> core.Outcome:
    try:
        return core.Outcome(text)
    except ValueError:
        raise InputRefusedError(
            "That is no outcome.", place=Place(field="outcome"), advice=f"Use {', '.join(core.Outcome)}."
        ) from None


def _settle(text: str) -> Settle | None:
    if not text:
        return None
    try:
        return Settle(text)
    except ValueError:
        raise InputRefusedError(
            "That is no way to settle.", place=Place(field="settle"), advice=f"Use {', '.join(Settle)}."
        ) from None


def _group(number: int | None) -> CostGroup | None:
    if number is None:
        return None
    found = CostGroup.objects.filter(pk=number, is_current=True).first()
    if found is None:
        raise InputRefusedError(
            "There is no such cost group.",
            place=Place(field="settle_to"),
            advice="Choose one of the tree as it is now.",
        )
    return found


def _nobody(row: Dispute, actor: Actor) -> int:
    """Who is taken to propose in a counterfactual: looking at it is not deciding, so anybody who is not the opener."""
    person = person_of(actor).pk
    return person if person != row.opened_by_id else 0


def _name(document: Document, row: Dispute) -> str:
    return f"The dispute about {core.name(objections.pure(row, document.label or ''))}"


def _state_words(row: Dispute) -> str:
    if row.state == DisputeState.PROPOSED:
        return "has a proposed decision that waits for approval"
    return "was withdrawn" if row.state == DisputeState.WITHDRAWN else "is decided"


@contextmanager
def _noted(actor: Actor, act: str, row: Dispute) -> Iterator[None]:
    """Keep an attempt of the wrong person in the audit chain: an auditor would want to see it."""
    try:
        yield
    except SamePersonError as error:
        record = Record()
        subject(record, row.document, row)
        refused(actor, act, error, record)
        raise
