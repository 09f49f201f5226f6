"""Cost without an owner or without its tags, and answers to whose it is."""

from __future__ import annotations

from typing import Annotated

from ninja import Query, Router, Schema
from pydantic import Field

from apportion.actions.close import work_list
from apportion.actions.close.work_list import Entry, Part
from apportion.actions.policy import claims
from apportion.api.auth import Request
from apportion.api.incoming import Incoming
from apportion.api.reviews import Why
from apportion.api.route import route
from apportion.api.shapes import (
    GroupName,
    Instant,
    Money,
    Named,
    Number,
    Page,
    Paging,
    PeriodText,
    Short,
    Text,
    by_currency,
    money,
    paged,
    period_of,
)
from apportion.errors import NotFoundError
from apportion.records.closes import Close
from apportion.records.policies import Claim, ClaimState
from apportion.records.rule import Reach
from apportion.review.permission import Permission
from apportion.review.states import StateError

router = Router(tags=["work list"])
_SEE, _PREPARE = Permission.SEE_CLOSE, Permission.PREPARE


class UnownedEntry(Schema):
    """Charges alike: their values by column or `tags.KEY`, and where a rule brought them, if any did."""

    match: dict[str, str]
    name: str
    issuer: str
    amount: Money
    rows: int
    rule: str
    holder: str
    went_to: str


class UnownedPart(Schema):
    """The largest entries of one kind; `count` and `totals` are of all."""

    entries: list[UnownedEntry]
    count: int
    totals: list[Money]


class ListOut(Schema):
    """What nobody owns yet, and what lacks the tags that the policy asks for."""

    period: str
    run: str
    tags: list[str]
    unallocated: UnownedPart
    untagged: UnownedPart


def _part(part: Part) -> UnownedPart:
    return UnownedPart(
        entries=[_entry(each) for each in part.entries], count=part.count, totals=by_currency(part.totals)
    )


def _entry(each: Entry) -> UnownedEntry:
    return UnownedEntry(
        match={**each.match},
        name=each.name,
        issuer=each.issuer,
        amount=money(each.minor, each.currency),
        rows=each.rows,
        rule=each.rule,
        holder=each.holder,
        went_to=each.went_to,
    )


@route(router, "GET", "/periods/{period}/work-list", Reach.EVERYWHERE, _SEE, gives=ListOut)
def get_work_list(request: Request, period: PeriodText) -> ListOut:
    """Get the cost of a period that nobody owns yet or that lacks its tags."""
    close = Close.objects.filter(period=period).first()
    if close is None or not close.run_digest:
        raise NotFoundError(f"{period} has not been allocated.", advice="Allocate it first.")
    found = work_list.look(period_of(period), close.run_digest)
    if found is None:
        raise StateError(
            f"The work list of {period} is not made yet.", advice="Open its page once: that asks for it to be made."
        )
    return ListOut(
        period=period,
        run=found.run,
        tags=[*found.tags],
        unallocated=_part(found.unallocated),
        untagged=_part(found.untagged),
    )


class ClaimOut(Schema):
    """Somebody says whose a cost is."""

    id: int
    period: str
    match: dict[str, str]
    cost_group: GroupName
    note: str
    state: ClaimState
    policy_version: int | None = Field(description="The draft that has a rule for it")
    by: Named
    at: Instant


def _claim(row: Claim) -> ClaimOut:
    return ClaimOut(
        id=row.pk,
        period=row.period,
        match=row.match,
        cost_group=GroupName(id=row.cost_group_id, code=row.cost_group.code, name=row.cost_group.name),
        note=row.note,
        state=ClaimState(row.state),
        policy_version=row.policy_version_id,
        by=Named(id=row.by_id, name=str(row.by)),
        at=row.at,
    )


class ClaimFilter(Paging):
    """Which answers."""

    period: PeriodText | None = None
    state: ClaimState | None = None


@route(router, "GET", "/claims", Reach.EVERYWHERE, _SEE, gives=Page[ClaimOut])
def list_claims(request: Request, wanted: Query[ClaimFilter]) -> dict[str, object]:
    """List the answers to whose a cost is, the latest first."""
    rows = Claim.objects.select_related("cost_group", "by").order_by("-pk")
    if wanted.period is not None:
        rows = rows.filter(period=wanted.period)
    if wanted.state is not None:
        rows = rows.filter(state=wanted.state)
    return paged(request, rows, wanted, _claim)


class ClaimIn(Incoming):
    """Charges with these values belong to this cost group."""

    match: Annotated[dict[Short, Text], Field(min_length=1, max_length=8)]
    cost_group: Short = Field(description="Its code")
    note: Text = ""


@route(router, "POST", "/periods/{period}/claims", Reach.EVERYWHERE, _PREPARE, gives=ClaimOut, status=201)
def add_claim(request: Request, period: PeriodText, body: ClaimIn) -> ClaimOut:
    """Say whose a cost is."""
    return _found(claims.claim(request.actor, period_of(period), body.match, body.cost_group, body.note).pk)


@route(router, "POST", "/claims/{claim}/decline", Reach.EVERYWHERE, _PREPARE, gives=ClaimOut)
def decline_claim(request: Request, claim: Number, body: Why) -> ClaimOut:
    """Say that an answer is not followed."""
    return _found(claims.decline(request.actor, claim, body.reason).pk)


class Chosen(Incoming):
    """Answers by number."""

    claims: Annotated[list[Number], Field(min_length=1, max_length=100)]


class Drafted(Schema):
    """The draft of the policy that has a rule for each."""

    policy_version: int


@route(router, "POST", "/claims/propose-rules", Reach.EVERYWHERE, _PREPARE, gives=Drafted, status=201)
def propose_rules(request: Request, body: Chosen) -> Drafted:
    """Draft the policy with a rule for each of these answers."""
    return Drafted(policy_version=claims.propose_rules(request.actor, body.claims).pk)


def _found(number: int) -> ClaimOut:
    return _claim(Claim.objects.select_related("cost_group", "by").get(pk=number))
