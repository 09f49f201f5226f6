"""Oneself and others: rights, roles, deputies and keys."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from django.db.models import Q
from ninja import Query, Router, Schema
from pydantic import Field

from apportion.actions.access import people
from apportion.actions.acting import person_of
from apportion.api.auth import Request, require_whole
from apportion.api.incoming import Incoming
from apportion.api.route import route
from apportion.api.shapes import (
    Day,
    GroupName,
    Instant,
    Named,
    Number,
    Page,
    Paging,
    Short,
    Text,
    group_name,
    named,
    paged,
)
from apportion.errors import NotFoundError
from apportion.records.people import ApiToken, Delegation, Grant, GrantSource, Person
from apportion.records.rule import Reach
from apportion.review.permission import Permission, Role

router = Router(tags=["people"])
_MANAGE = Permission.MANAGE_PEOPLE


class GrantOut(Schema):
    """A role: owners and executives have theirs for a cost group and all below it."""

    id: int
    role: Role
    cost_group: GroupName | None
    owner_kind: str
    source: GrantSource
    granted_by: Named | None
    granted_at: Instant
    ended_at: Instant | None


class PersonOut(Schema):
    """Somebody who signs in."""

    id: int
    email: str
    name: str
    language: str
    active: bool
    created_at: Instant
    grants: list[GrantOut] = Field(description="Roles that hold now")


class MeOut(Schema):
    """Who calls, and what this call may do."""

    person: PersonOut
    permissions: dict[str, str] = Field(description="Each permission: 'everywhere', or 'below' for part of the tree")
    standing_in: list[str] = Field(description="Names of the absent people whose deputy you are today")


def _grant(row: Grant) -> GrantOut:
    return GrantOut(
        id=row.pk,
        role=Role(row.role),
        cost_group=group_name(row.cost_group),
        owner_kind=row.owner_kind,
        source=GrantSource(row.source),
        granted_by=named(row.granted_by),
        granted_at=row.granted_at,
        ended_at=row.ended_at,
    )


def _person(row: Person) -> PersonOut:
    return PersonOut(
        id=row.pk,
        email=row.email,
        name=row.name,
        language=row.language,
        active=row.is_active,
        created_at=row.created_at,
        grants=[_grant(each) for each in row.grants.all() if each.ended_at is None],
    )


def _found(number: int) -> PersonOut:
    rows = Person.objects.prefetch_related("grants__cost_group", "grants__granted_by")
    row = rows.filter(pk=number).first()
    if row is None:
        raise NotFoundError("There is no such person.", advice="Look at the list.")
    return _person(row)


@route(router, "GET", "/me", Reach.SELF, gives=MeOut)
def get_me(request: Request) -> MeOut:
    """Get who calls, and what this call may do."""
    rights = request.actor.rights
    may = {str(each): "everywhere" for each in rights.everywhere}
    may |= {str(each): "below" for each, paths in rights.below.items() if paths}
    return MeOut(
        person=_found(person_of(request.actor).pk),
        permissions=dict(sorted(may.items())),
        standing_in=[*rights.standing_in],
    )


class LanguageIn(Incoming):
    """Empty: that of the browser, and the site's in mails."""

    language: Literal["", "en", "de"]


@route(router, "POST", "/me/language", Reach.SELF, gives=PersonOut)
def set_language(request: Request, body: LanguageIn) -> PersonOut:
    """Choose the language of your pages and mails."""
    return _found(people.set_language(request.actor, body.language).pk)


class TokenOut(Schema):
    """A key for programs, without its text."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None
    last_used_at: Instant | None


class NewToken(TokenOut):
    """With its text, which is given once."""

    token: str


def _token(row: ApiToken) -> dict[str, object]:
    return {
        "id": row.pk,
        "name": row.name,
        "prefix": row.prefix,
        "scopes": row.scopes,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "last_used_at": row.last_used_at,
    }


@route(router, "GET", "/me/tokens", Reach.SELF, gives=Page[TokenOut])
def list_tokens(request: Request, paging: Query[Paging]) -> dict[str, object]:
    """List your keys, the latest first."""
    rows = ApiToken.objects.filter(person=request.actor.person).order_by("-pk")
    return paged(request, rows, paging, lambda row: TokenOut(**_token(row)))  # type: ignore[arg-type]


class TokenIn(Incoming):
    """What a key is for, what it may do, and its last day."""

    name: Short
    scopes: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission))]
    expires_on: Day


@route(router, "POST", "/me/tokens", Reach.SELF, gives=NewToken, status=201, is_secret=True)
def create_token(request: Request, body: TokenIn) -> NewToken:
    """Make a key for a program; its text is given once, and not again for the same Idempotency-Key."""
    require_whole(request)
    row, text = people.create_token(request.actor, body.name, body.scopes, body.expires_on)
    return NewToken(**_token(row), token=text)  # type: ignore[arg-type]


@route(router, "POST", "/tokens/{token}/revoke", Reach.SELF, gives=TokenOut)
def revoke_token(request: Request, token: Number) -> TokenOut:
    """End a key at once: your own, or as an administrator anybody's."""
    return TokenOut(**_token(people.revoke_token(request.actor, token)))  # type: ignore[arg-type]


class DelegationOut(Schema):
    """Somebody lets a deputy do what they may themselves, on these days."""

    id: int
    person: Named
    deputy: Named
    from_on: date
    until_on: date
    reason: str
    created_at: Instant
    revoked_at: Instant | None


def _delegation(row: Delegation) -> DelegationOut:
    return DelegationOut(
        id=row.pk,
        person=Named(id=row.person_id, name=str(row.person)),
        deputy=Named(id=row.deputy_id, name=str(row.deputy)),
        from_on=row.from_on,
        until_on=row.until_on,
        reason=row.reason,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )


@route(router, "GET", "/delegations", Reach.SELF, gives=Page[DelegationOut])
def list_delegations(request: Request, paging: Query[Paging]) -> dict[str, object]:
    """List the deputies that you have named and whose deputy you are; administrators see all."""
    rows = Delegation.objects.select_related("person", "deputy").order_by("-pk")
    if not request.actor.rights.may(_MANAGE):
        rows = rows.filter(Q(person=request.actor.person) | Q(deputy=request.actor.person))
    return paged(request, rows, paging, _delegation)


class DelegationIn(Incoming):
    """Who stands in, from the first to the last day; an administrator may do it for somebody absent."""

    deputy: Number
    from_on: Day
    until_on: Day
    reason: Text = ""
    person: Number | None = None


@route(router, "POST", "/delegations", Reach.SELF, gives=DelegationOut, status=201)
def delegate(request: Request, body: DelegationIn) -> DelegationOut:
    """Name a deputy."""
    require_whole(request)
    made = people.delegate(request.actor, body.deputy, body.from_on, body.until_on, body.reason, body.person)
    return _delegation(Delegation.objects.select_related("person", "deputy").get(pk=made.pk))


class Reasoned(Incoming):
    """A reason, which may be left out."""

    reason: Text = ""


@route(router, "POST", "/delegations/{delegation}/revoke", Reach.SELF, gives=DelegationOut)
def revoke_delegation(request: Request, delegation: Number, body: Reasoned) -> DelegationOut:
    """End a delegation from now on."""
    made = people.revoke_delegation(request.actor, delegation, body.reason)
    return _delegation(Delegation.objects.select_related("person", "deputy").get(pk=made.pk))


class PersonFilter(Paging):
    """Which people."""

    search: Short | None = Field(None, description="Part of a name or mail address")
    role: Role | None = None
    active: bool | None = None


@route(router, "GET", "/people", Reach.EVERYWHERE, _MANAGE, gives=Page[PersonOut])
def list_people(request: Request, wanted: Query[PersonFilter]) -> dict[str, object]:
    """List people with their roles, by name."""
    rows = Person.objects.prefetch_related("grants__cost_group", "grants__granted_by")
    if wanted.search:
        rows = rows.filter(Q(name__icontains=wanted.search) | Q(email__icontains=wanted.search))
    if wanted.role is not None:
        holding = Grant.objects.filter(role=wanted.role, ended_at__isnull=True)
        rows = rows.filter(pk__in=holding.values("person"))
    if wanted.active is not None:
        rows = rows.filter(is_active=wanted.active)
    return paged(request, rows.order_by("name", "pk"), wanted, _person)


@route(router, "GET", "/people/{person}", Reach.EVERYWHERE, _MANAGE, gives=PersonOut)
def get_person(request: Request, person: Number) -> PersonOut:
    """Get a person with their roles."""
    return _found(person)


class PersonIn(Incoming):
    """Somebody without any role; they choose a password by mail, or come in by single sign-on."""

    email: Short
    name: Short


@route(router, "POST", "/people", Reach.EVERYWHERE, _MANAGE, gives=PersonOut, status=201)
def add_person(request: Request, body: PersonIn) -> PersonOut:
    """Add a person."""
    return _found(people.add_person(request.actor, body.email, body.name).pk)


class NameIn(Incoming):
    """A name."""

    name: Short


@route(router, "POST", "/people/{person}/rename", Reach.EVERYWHERE, _MANAGE, gives=PersonOut)
def rename_person(request: Request, person: Number, body: NameIn) -> PersonOut:
    """Write a person's name anew."""
    return _found(people.rename_person(request.actor, person, body.name).pk)


@route(router, "POST", "/people/{person}/deactivate", Reach.EVERYWHERE, _MANAGE, gives=PersonOut)
def deactivate_person(request: Request, person: Number, body: Reasoned) -> PersonOut:
    """Let somebody go: their sessions and keys end at once."""
    return _found(people.deactivate_person(request.actor, person, body.reason).pk)


@route(router, "POST", "/people/{person}/reactivate", Reach.EVERYWHERE, _MANAGE, gives=PersonOut)
def reactivate_person(request: Request, person: Number, body: Reasoned) -> PersonOut:
    """Let somebody come back, with the roles that were not ended."""
    return _found(people.reactivate_person(request.actor, person, body.reason).pk)


class GrantIn(Reasoned):
    """A role, for owners and executives with its cost group."""

    role: Role
    cost_group: Number | None = None
    owner_kind: Literal["", "finance", "technical", "business"] = ""


@route(router, "POST", "/people/{person}/grants", Reach.EVERYWHERE, _MANAGE, gives=GrantOut, status=201)
def grant_role(request: Request, person: Number, body: GrantIn) -> GrantOut:
    """Give a person a role."""
    made = people.grant_role(request.actor, person, body.role, body.cost_group, body.owner_kind, body.reason)
    return _grant(Grant.objects.select_related("cost_group", "granted_by").get(pk=made.pk))


@route(router, "POST", "/grants/{grant}/end", Reach.EVERYWHERE, _MANAGE, gives=GrantOut)
def end_grant(request: Request, grant: Number, body: Reasoned) -> GrantOut:
    """Take a role away from now on."""
    made = people.end_grant(request.actor, grant, body.reason)
    return _grant(Grant.objects.select_related("cost_group", "granted_by").get(pk=made.pk))
