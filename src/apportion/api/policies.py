"""Versions of the policy: written, compared in words, tried out, proposed by one person and approved by another."""

from __future__ import annotations

from typing import Any

from ninja import Query, Router, Schema
from pydantic import Field

from apportion.actions.policy import policies, policy_simulation, policy_text
from apportion.api.auth import Request
from apportion.api.incoming import Incoming
from apportion.api.periods import WorkOut, work_shape
from apportion.api.reviews import Why
from apportion.api.route import route
from apportion.api.shapes import (
    Instant,
    LongText,
    Named,
    Number,
    Page,
    Paging,
    PeriodText,
    Text,
    named,
    paged,
    period_of,
)
from apportion.errors import NotFoundError
from apportion.methodology.difference import differences, sentence
from apportion.records.policies import PolicyState, PolicyVersion
from apportion.records.rule import Reach
from apportion.review.permission import Permission

router = Router(tags=["policy"])
_SEE = Permission.SEE_CLOSE
_ROWS = ("author", "decided_by")


class VersionOut(Schema):
    """One text of the policy file on its way to being used, or in use."""

    id: int
    name: str
    digest: str
    state: PolicyState
    note: str
    based_on: int | None
    simulated_period: str
    author: Named | None
    created_at: Instant
    proposed_at: Instant | None
    decided_by: Named | None
    decided_at: Instant | None
    decision: str


class VersionWhole(VersionOut):
    """With its text, and what it was found to change."""

    text: str
    simulation: dict[str, Any] = Field(description="Whose amounts would change, with reasons; in minor units")


def _fields(row: PolicyVersion) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "digest": row.digest,
        "state": PolicyState(row.state),
        "note": row.note,
        "based_on": row.based_on_id,
        "simulated_period": row.simulated_period,
        "author": named(row.author),
        "created_at": row.created_at,
        "proposed_at": row.proposed_at,
        "decided_by": named(row.decided_by),
        "decided_at": row.decided_at,
        "decision": row.decision,
    }


def _shape(row: PolicyVersion) -> VersionOut:
    return VersionOut(**_fields(row))


class PolicyFilter(Paging):
    """Which versions."""

    state: PolicyState | None = None


@route(router, "GET", "/policies", Reach.EVERYWHERE, _SEE, gives=Page[VersionOut])
def list_policies(request: Request, wanted: Query[PolicyFilter]) -> dict[str, object]:
    """List the versions of the policy, the latest first."""
    policies.adopt()
    rows = PolicyVersion.objects.select_related(*_ROWS).order_by("-pk")
    if wanted.state is not None:
        rows = rows.filter(state=wanted.state)
    return paged(request, rows, wanted, _shape)


@route(router, "GET", "/policies/{version}", Reach.EVERYWHERE, _SEE, gives=VersionWhole)
def get_policy(request: Request, version: Number) -> VersionWhole:
    """Get a version of the policy with its text."""
    return _whole(version)


class PolicyChange(Schema):
    """One difference in words."""

    part: str
    kind: str
    id: str
    name: str = Field(description="Of the rule, pool … that differs; empty for the policy itself")
    sentence: str


@route(router, "GET", "/policies/{version}/difference", Reach.EVERYWHERE, _SEE, gives=list[PolicyChange])
def get_policy_difference(request: Request, version: Number) -> list[PolicyChange]:
    """Compare a version with the one it was based on, in plain language."""
    row = _row(version)
    if row.based_on is None:
        return []
    old, new = policy_text.parsed(row.based_on.text), policy_text.parsed(row.text)
    return [
        PolicyChange(part=str(each.part), kind=str(each.kind), id=each.id, name=each.name, sentence=sentence(each))
        for each in differences(old, new)
    ]


class TextIn(Incoming):
    """The whole text of a policy file."""

    text: LongText
    note: Text = Field("", description="Why the policy should change")


@route(router, "POST", "/policies", Reach.EVERYWHERE, Permission.PREPARE, gives=VersionWhole, status=201)
def draft_policy(request: Request, body: TextIn) -> VersionWhole:
    """Keep a changed text as a draft; every mistake in it is told with its line."""
    return _whole(policies.draft(request.actor, body.text, body.note).pk)


@route(router, "POST", "/policies/{version}/edit", Reach.EVERYWHERE, Permission.PREPARE, gives=VersionWhole)
def edit_policy(request: Request, version: Number, body: TextIn) -> VersionWhole:
    """Change a draft of your own."""
    return _whole(policies.edit(request.actor, version, body.text, body.note).pk)


class PeriodIn(Incoming):
    """Of which period."""

    period: PeriodText


@route(router, "POST", "/policies/{version}/simulate", Reach.EVERYWHERE, Permission.PREPARE, gives=WorkOut, status=202)
def simulate_policy(request: Request, version: Number, body: PeriodIn) -> WorkOut:
    """Try a version out on an allocated period: asks for the work; what it came to is kept with the version."""
    return work_shape(policy_simulation.ask_to_simulate(request.actor, version, period_of(body.period)))


class Note(Incoming):
    """Why the policy should change; empty keeps what the draft says."""

    note: Text = ""


@route(router, "POST", "/policies/{version}/propose", Reach.EVERYWHERE, Permission.PREPARE, gives=VersionOut)
def propose_policy(request: Request, version: Number, body: Note) -> VersionOut:
    """Ask a second person to approve a draft of your own."""
    policies.propose(request.actor, version, body.note)
    return _shape(_row(version))


class Reasoned(Incoming):
    """A reason, which may be left out."""

    reason: Text = ""


@route(router, "POST", "/policies/{version}/approve", Reach.EVERYWHERE, Permission.APPROVE_POLICY, gives=VersionOut)
def approve_policy(request: Request, version: Number, body: Reasoned) -> VersionOut:
    """Put a proposed version into use, from the next allocation on."""
    policies.approve(request.actor, version, body.reason)
    return _shape(_row(version))


@route(router, "POST", "/policies/{version}/reject", Reach.EVERYWHERE, _SEE, gives=VersionOut)
def reject_policy(request: Request, version: Number, body: Why) -> VersionOut:
    """Say no to a version that is not in use; its author may take it back."""
    policies.reject(request.actor, version, body.reason)
    return _shape(_row(version))


def _row(number: int) -> PolicyVersion:
    row = PolicyVersion.objects.select_related(*_ROWS, "based_on").filter(pk=number).first()
    if row is None:
        raise NotFoundError("There is no such version of the policy.", advice="Look at the list.")
    return row


def _whole(number: int) -> VersionWhole:
    row = _row(number)
    return VersionWhole(**_fields(row), text=row.text, simulation=row.simulation)
