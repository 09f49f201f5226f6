"""Disputes: raised, taken back, worked out, proposed and approved; comments and files beside them."""

from __future__ import annotations

from typing import Literal

from ninja import Query, Router, Schema
from pydantic import Field

from apportion.actions.acting import Actor
from apportion.actions.review import deciding, disputing
from apportion.actions.review.settling import Settle
from apportion.api.auth import Request
from apportion.api.document_shapes import About, DocumentOut, document
from apportion.api.documents import read
from apportion.api.incoming import Incoming
from apportion.api.route import route
from apportion.api.shapes import (
    Currency,
    Decimal,
    GroupName,
    Instant,
    Money,
    Named,
    Number,
    Page,
    Paging,
    PeriodText,
    Text,
    group_name,
    minor_of,
    money,
    money_or_none,
    named,
    paged,
)
from apportion.records import reach
from apportion.records.disputes import UNDECIDED, Dispute, DisputeState
from apportion.records.rule import Reach
from apportion.review.dispute import Outcome, Reason
from apportion.review.permission import Permission

router = Router(tags=["disputes"])
_ROWS = (
    "document",
    "document__cost_group",
    "opened_by",
    "settle_to",
    "proposed_by",
    "decided_by",
)


class DisputeOut(Schema):
    """An objection to a line, or with `line` null to the whole document, and what became of it."""

    id: int
    document: About
    period: str
    cost_group: GroupName | None
    line: int | None
    reason: Reason
    text: str
    claimed: Money
    state: DisputeState
    opened_by: Named
    opened_at: Instant
    outcome: str
    settle: str
    settle_to: GroupName | None
    policy_version: int | None
    agreed: Money | None
    decision: str
    proposed_by: Named | None
    proposed_at: Instant | None
    decided_by: Named | None
    decided_at: Instant | None


_DECIDED = (DisputeState.UPHELD, DisputeState.PARTLY_UPHELD, DisputeState.REJECTED)


def shape(row: Dispute, actor: Actor) -> DisputeOut:
    """A dispute; load it with its document, groups and people.

    A decision that nobody has approved is only told to those inside the close.
    """
    told = row.state in _DECIDED or actor.rights.may(Permission.SEE_CLOSE)
    return DisputeOut(
        id=row.pk,
        document=About(id=row.document_id, label=row.document.label),
        period=row.document.period,
        cost_group=group_name(row.document.cost_group),
        line=row.line,
        reason=Reason(row.reason),
        text=row.text,
        claimed=money(row.amount_minor, row.currency),
        state=DisputeState(row.state),
        opened_by=Named(id=row.opened_by_id, name=str(row.opened_by)),
        opened_at=row.opened_at,
        outcome=row.outcome if told else "",
        settle=row.settlement if told else "",
        settle_to=group_name(row.settle_to) if told else None,
        policy_version=row.policy_version_id if told else None,
        agreed=money_or_none(row.agreed_minor, row.currency) if told else None,
        decision=row.decision if told else "",
        proposed_by=named(row.proposed_by) if told else None,
        proposed_at=row.proposed_at,
        decided_by=named(row.decided_by),
        decided_at=row.decided_at,
    )


class DisputeFilter(Paging):
    """Which disputes."""

    period: PeriodText | None = None
    state: DisputeState | None = None
    open: bool | None = Field(None, description="Only those that are not decided, or only those that are")
    document: Number | None = None
    below: Number | None = Field(None, description="About documents of this cost group and all below it")


@route(router, "GET", "/disputes", Reach.SOMEWHERE, Permission.SEE_DOCUMENTS, gives=Page[DisputeOut])
def list_disputes(request: Request, wanted: Query[DisputeFilter]) -> dict[str, object]:
    """List disputes about documents that you may see, the latest first."""
    rows = reach.disputes(request.actor.rights).select_related(*_ROWS)
    exact = {"document__period": wanted.period, "state": wanted.state, "document": wanted.document}
    rows = rows.filter(**{name: value for name, value in exact.items() if value is not None})
    if wanted.open is not None:
        rows = rows.filter(state__in=UNDECIDED) if wanted.open else rows.exclude(state__in=UNDECIDED)
    if wanted.below is not None:
        group = reach.cost_group(request.actor.rights, wanted.below)
        rows = rows.filter(document__cost_group__path__startswith=group.path)
    return paged(request, rows.order_by("-opened_at", "-pk"), wanted, lambda row: shape(row, request.actor))


@route(router, "GET", "/disputes/{dispute}", Reach.OBJECT, Permission.SEE_DOCUMENTS, gives=DisputeOut)
def get_dispute(request: Request, dispute: Number) -> DisputeOut:
    """Get a dispute and what was decided."""
    return _now(request, dispute)


class Objection(Incoming):
    """What is wrong. Nothing claimed means all that remains of the line or document."""

    line: Number | None = Field(None, description="Number of the line; null for the whole document")
    reason: Reason
    text: Text
    claimed: Decimal | None = None
    currency: Currency | None = Field(None, description="Needed with `claimed`, and for a document in several")


@route(router, "POST", "/documents/{document}/disputes", Reach.OBJECT, Permission.DISPUTE, gives=DisputeOut, status=201)
def open_dispute(request: Request, document: Number, body: Objection) -> DisputeOut:
    """Dispute a line, or the whole document."""
    currency = body.currency or ""
    claimed = None
    if body.claimed is not None:
        claimed = minor_of(body.claimed, currency or _currency(request, document, body.line), "claimed")
    made = disputing.dispute(
        request.actor,
        document,
        line=body.line,
        reason=body.reason,
        text=body.text,
        claimed_minor=claimed,
        currency=currency,
    )
    return _now(request, made.pk)


class Disputable(Schema):
    """A line that may be disputed, and what remains of it."""

    line: int
    remains: Money


@route(
    router,
    "GET",
    "/documents/{document}/disputable",
    Reach.OBJECT,
    Permission.SEE_DOCUMENTS,
    gives=list[Disputable],
)
def list_disputable(request: Request, document: Number) -> list[Disputable]:
    """List the lines of a document that may still be disputed."""
    lines = dict(reach.document(request.actor.rights, document).lines.values_list("number", "currency"))
    found = disputing.disputable(request.actor, document)
    return [Disputable(line=number, remains=money(minor, lines[number])) for number, minor in found.items()]


class Reasoned(Incoming):
    """A reason, which may be left out."""

    reason: Text = ""


@route(router, "POST", "/disputes/{dispute}/withdraw", Reach.OBJECT, Permission.DISPUTE, gives=DisputeOut)
def withdraw_dispute(request: Request, dispute: Number, body: Reasoned) -> DisputeOut:
    """Take a dispute back that is not decided."""
    disputing.withdraw(request.actor, dispute, reason=body.reason)
    return _now(request, dispute)


class Thought(Incoming):
    """A decision: what is upheld, and where it goes."""

    outcome: Outcome
    settle: Literal["", "cost_group", "others", "kept_central", "unallocated", "allocated_anew"] = Field(
        "", description="Where what is upheld goes; empty where it is rejected"
    )
    settle_to: Number | None = Field(None, description="The cost group, with settle=cost_group")
    upheld: Decimal | None = Field(None, description="In the dispute's currency, where it is partly upheld")


class MoveOut(Schema):
    """Whose bill of the period would move, from what to what."""

    holder: str
    code: str
    name: str
    before: Money
    after: Money
    difference: Money


@route(router, "GET", "/disputes/{dispute}/counterfactual", Reach.OBJECT, Permission.DECIDE, gives=list[MoveOut])
def get_counterfactual(request: Request, dispute: Number, thought: Query[Thought]) -> list[MoveOut]:
    """See whose bill would move by how much if a dispute were decided so. Nothing is changed."""
    rows = deciding.counterfactual(
        request.actor,
        dispute,
        thought.outcome,
        settle=thought.settle,
        settle_to=thought.settle_to,
        upheld_minor=_upheld(request, dispute, thought.upheld),
    )
    return [
        MoveOut(
            holder=row.holder,
            code=row.code,
            name=row.name,
            before=money(row.before_minor, row.currency),
            after=money(row.after_minor, row.currency),
            difference=money(row.difference_minor, row.currency),
        )
        for row in rows
    ]


class Proposal(Thought):
    """A decision with its reason, for somebody else to approve."""

    reason: Text
    policy_version: Number | None = Field(None, description="With settle=allocated_anew: the changed policy")


@route(router, "POST", "/disputes/{dispute}/propose", Reach.OBJECT, Permission.DECIDE, gives=DisputeOut)
def propose_decision(request: Request, dispute: Number, body: Proposal) -> DisputeOut:
    """Propose what becomes of a dispute; notes are drafted."""
    deciding.propose_decision(
        request.actor,
        dispute,
        body.outcome,
        reason=body.reason,
        settle=body.settle,
        settle_to=body.settle_to,
        upheld_minor=_upheld(request, dispute, body.upheld),
        policy_version=body.policy_version,
    )
    return _now(request, dispute)


@route(router, "POST", "/disputes/{dispute}/withdraw-proposal", Reach.OBJECT, Permission.DECIDE, gives=DisputeOut)
def withdraw_proposal(request: Request, dispute: Number, body: Reasoned) -> DisputeOut:
    """Take a proposed decision back, with its drafts."""
    deciding.withdraw_proposal(request.actor, dispute, body.reason)
    return _now(request, dispute)


class Decided(Schema):
    """A decided dispute, and the notes that were issued with it."""

    dispute: DisputeOut
    notes: list[DocumentOut]


@route(router, "POST", "/disputes/{dispute}/approve", Reach.OBJECT, Permission.DECIDE, gives=Decided)
def approve_decision(request: Request, dispute: Number) -> Decided:
    """Approve a proposed decision as a second person; its notes are numbered and issued."""
    _, notes = deciding.approve_decision(request.actor, dispute)
    return Decided(
        dispute=_now(request, dispute),
        notes=[document(read(request.actor, note.pk)) for note in notes],
    )


def _now(request: Request, number: int) -> DisputeOut:
    found = reach.disputes(request.actor.rights).select_related(*_ROWS).filter(pk=number).first()
    return shape(found or reach.dispute(request.actor.rights, number), request.actor)


def _upheld(request: Request, dispute: int, text: str | None) -> int:
    if text is None:
        return 0
    return minor_of(text, reach.dispute(request.actor.rights, dispute).currency, "upheld")


def _currency(request: Request, number: int, line: int | None) -> str:
    """The currency of a line, or that of a document that has only one; else nothing that is a currency."""
    found = reach.document(request.actor.rights, number)
    rows = found.lines.filter(number=line) if line is not None else found.lines.all()
    currencies = set(rows.values_list("currency", flat=True))
    return currencies.pop() if len(currencies) == 1 else ""


assert {*Thought.model_fields["settle"].annotation.__args__} == {"", *Settle}  # type: ignore[union-attr]  # noqa: S101
