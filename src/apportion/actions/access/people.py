"""People and what they are allowed: added, renamed, deactivated; roles given and ended; deputies; keys for programs.

Nobody gives themselves a role, and the last administrator stays. People are never deleted: the books name them.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils import timezone

from apportion.actions.access.organization import sync_owners
from apportion.actions.acting import Actor, SamePersonError, locked, person_of, recorded, timer
from apportion.actions.words import cleaned
from apportion.errors import ApportionError, InputRefusedError, NotFoundError, Place
from apportion.records.groups import CostGroup
from apportion.records.kinds import NAME_LENGTH
from apportion.records.people import ApiToken, Delegation, Grant, GrantSource, OwnerKind, Person
from apportion.review.permission import IN_THE_TREE, Permission, Role

LANGUAGES = ("en", "de")
MOST_DAYS_OF_TOKEN = 366
MOST_DAYS_OF_DELEGATION = 366
TOKEN_BEGINS = "apn"  # noqa: S105 - how a key begins, for programs that search for leaked ones
_PREFIX_LENGTH = 8


class PersonRefusedError(InputRefusedError):
    """A person, role, deputy or key that cannot be as it is written; `place.field` names the field of the form."""

    code = "PERSON_REFUSED"


class LastAdministratorError(ApportionError):
    """Without an administrator nobody could give rights any more."""

    code = "LAST_ADMINISTRATOR"


def _refuse(field: str, sentence: str, advice: str = "") -> PersonRefusedError:
    return PersonRefusedError(sentence, place=Place(field=field), advice=advice)


def _email(text: str) -> str:
    address = text.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise _refuse("email", f"'{text.strip()[:100]}' is not a mail address.", "Write it as name@company.") from None
    if Person.objects.filter(email__iexact=address).exists():
        raise _refuse("email", f"There is a person with the mail address {address} already.", "Open that person.")
    return address


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > NAME_LENGTH:
        raise _refuse("name", f"A name has between 1 and {NAME_LENGTH} characters.")
    if any(not character.isprintable() for character in name):
        raise _refuse("name", "A name has no invisible characters.", "Type it anew instead of pasting it.")
    return name


def add_person(actor: Actor, email: str, name: str, password: str | None = None) -> Person:
    """Add a person, with no role but what the organization file gives the owner of this mail address.

    Without a password they choose one by mail, or come in by single sign-on.
    """
    actor.rights.require(Permission.MANAGE_PEOPLE)
    with recorded(actor, "add person") as record:
        person = Person(email=_email(email), name=_name(name))
        if password is not None:
            _check_password(password, person)
        person.set_password(password)
        person.save()
        roles = sync_owners(actor, [person]).granted
        record.about(person)
        record.changed({}, {"email": person.email, "name": person.name} | ({"roles": roles} if roles else {}))
    return person


def add_from_outside(actor: Actor, email: str, name: str) -> Person:
    """Add a person whom the company's sign-in provider vouches for; the settings allow it. Without any role."""
    with recorded(actor, "add person from single sign-on") as record:
        person = Person.objects.create_person(_email(email), _name(name or email))
        record.about(person)
        record.changed({}, {"email": person.email, "name": person.name})
    return person


def first_administrator(email: str, name: str, password: str | None) -> Person:
    """Add the person who gives everybody else their roles. Only while there is no administrator."""
    if Grant.objects.filter(role=Role.ADMINISTRATOR, ended_at__isnull=True, person__is_active=True).exists():
        raise LastAdministratorError(
            "There is an administrator already.", advice="Ask them for a role, or to add somebody."
        )
    with recorded(timer(), "add first administrator") as record:
        person = Person.objects.filter(email__iexact=email.strip()).first()
        if person is None:
            person = Person(email=_email(email), name=_name(name))
        person.is_active = True
        if password is not None:
            _check_password(password, person)
        person.set_password(password)
        person.save()
        Grant.objects.create(person=person, role=Role.ADMINISTRATOR)
        record.about(person)
        record.changed({}, {"email": person.email, "name": person.name, "role": Role.ADMINISTRATOR})
    return person


def _check_password(password: str, person: Person) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise _refuse("password", " ".join(error.messages)) from None


def rename_person(actor: Actor, pk: int, name: str) -> Person:
    """Write a person's name anew; documents that are issued keep the old one."""
    actor.rights.require(Permission.MANAGE_PEOPLE)
    with recorded(actor, "rename person") as record:
        person = locked(Person, pk)
        before, person.name = person.name, _name(name)
        person.save(update_fields=["name"])
        if before != person.name:
            record.about(person)
            record.changed({"name": before}, {"name": person.name})
    return person


def deactivate_person(actor: Actor, pk: int, reason: str = "") -> Person:
    """Somebody leaves: their sessions and keys end at once, what they did stays. Nobody deactivates themselves."""
    actor.rights.require(Permission.MANAGE_PEOPLE)
    with recorded(actor, "deactivate person", reason=cleaned(reason)) as record:
        person = locked(Person, pk)
        if person.pk == person_of(actor).pk:
            raise SamePersonError("You cannot deactivate yourself.", advice="Ask another administrator.")
        _keep_an_administrator(without=person)
        if person.is_active:
            person.is_active = False
            person.save(update_fields=["is_active"])
            ApiToken.objects.filter(person=person, revoked_at__isnull=True).update(revoked_at=timezone.now())
            record.about(person)
            record.changed({"active": True}, {"active": False})
    return person


def reactivate_person(actor: Actor, pk: int, reason: str = "") -> Person:
    """Somebody comes back, with the roles that were not ended. Their keys stay revoked."""
    actor.rights.require(Permission.MANAGE_PEOPLE)
    with recorded(actor, "reactivate person", reason=cleaned(reason)) as record:
        person = locked(Person, pk)
        if not person.is_active:
            if person.pk == person_of(actor).pk:
                raise SamePersonError("You cannot reactivate yourself.", advice="Ask another administrator.")
            person.is_active = True
            person.save(update_fields=["is_active"])
            record.about(person)
            record.changed({"active": False}, {"active": True})
    return person


def grant_role(
    actor: Actor, pk: int, role: Role, cost_group: int | None = None, owner_kind: str = "", reason: str = ""
) -> Grant:
    """Give a person a role: owners and executives for a cost group and all below it, the others for the whole.

    Giving what somebody has already gives it no second time. Raises `SamePersonError` for a role for oneself.
    """
    actor.rights.require(Permission.MANAGE_PEOPLE)
    with recorded(actor, "grant role", reason=cleaned(reason)) as record:
        person = locked(Person, pk)
        if person.pk == person_of(actor).pk:
            raise SamePersonError(
                "Nobody gives themselves a role.", advice="Ask another administrator; add one first if there is none."
            )
        if not person.is_active:
            raise _refuse("role", f"{person} is deactivated.", "Reactivate the person first.")
        group = _group_of(role, cost_group)
        kind = _owner_kind(role, owner_kind)
        grant, is_new = Grant.objects.get_or_create(
            person=person,
            role=role,
            cost_group=group,
            owner_kind=kind,
            source=GrantSource.PERSON,
            ended_at=None,
            defaults={"granted_by": actor.person},
        )
        if is_new:
            record.about(person)
            record.changed({}, _said(grant))
    return grant


def _group_of(role: Role, pk: int | None) -> CostGroup | None:
    if role not in IN_THE_TREE:
        if pk is not None:
            raise _refuse("cost_group", f"The role {role} is for the whole, not for a cost group.", "Choose none.")
        return None
    if pk is None:
        raise _refuse("cost_group", f"The role {role} is for a cost group and all below it.", "Choose one.")
    group = CostGroup.objects.filter(pk=pk).first()
    if group is None:
        raise _refuse("cost_group", "There is no such cost group.", "Choose one from the list.")
    return group


def _owner_kind(role: Role, kind: str) -> str:
    if role is not Role.OWNER:
        return ""
    if kind not in {*OwnerKind}:
        raise _refuse("owner_kind", "An owner answers for finance, technical or business matters.", "Choose one.")
    return kind


def _said(grant: Grant) -> dict[str, object]:
    group = grant.cost_group
    said: dict[str, object] = {"role": str(grant.role), "source": str(grant.source)}
    if group is not None:
        said |= {"cost_group": group.code, "cost_group_name": group.name}
    return said | ({"owner_kind": str(grant.owner_kind)} if grant.owner_kind else {})


def end_grant(actor: Actor, pk: int, reason: str = "") -> Grant:
    """Take a role away from now on. One that follows from the organization file is ended there."""
    actor.rights.require(Permission.MANAGE_PEOPLE)
    with recorded(actor, "end role", reason=cleaned(reason)) as record:
        grant = locked(Grant, pk)
        if grant.source == GrantSource.ORGANIZATION:
            raise _refuse(
                "role",
                "This role follows from the organization file.",
                "Change the owner there; the next allocation brings it here.",
            )
        if grant.role == Role.ADMINISTRATOR and grant.ended_at is None:
            _keep_an_administrator(without=grant.person)
        if grant.ended_at is None:
            grant.ended_at = timezone.now()
            grant.save(update_fields=["ended_at"])
            record.about(grant.person)
            record.changed(_said(grant), {})
    return grant


def _keep_an_administrator(without: Person) -> None:
    """At least one other active administrator. Locks them, so that the last two cannot leave at once."""
    administers = Q(grants__role=Role.ADMINISTRATOR, grants__ended_at__isnull=True)
    administrators = Person.objects.filter(administers, is_active=True).order_by("pk").values_list("pk", flat=True)
    list(Person.objects.select_for_update().filter(pk__in=[*administrators]).order_by("pk"))
    if {*administrators.all()} == {without.pk}:  # asked anew: another may have left while this one waited
        raise LastAdministratorError(
            f"{without} is the last administrator.", advice="Make somebody else administrator first."
        )


def delegate(
    actor: Actor, deputy: int, from_on: date, until_on: date, reason: str = "", pk: int | None = None
) -> Delegation:
    """Let a deputy do what one may oneself, for some days. An administrator does it for somebody absent (`pk`).

    The same twice is one.
    """
    own = person_of(actor)
    if pk is not None and pk != own.pk:
        actor.rights.require(Permission.MANAGE_PEOPLE)
    with recorded(actor, "name deputy", reason=cleaned(reason)) as record:
        person = locked(Person, pk or own.pk)
        stand_in = Person.objects.filter(pk=deputy, is_active=True).first()
        if stand_in is None:
            raise _refuse("deputy", "There is no such person.", "Choose one from the list.")
        if stand_in.pk == person.pk:
            raise _refuse("deputy", "Nobody is their own deputy.", "Choose somebody else.")
        if person.pk != own.pk and stand_in.pk == own.pk:
            raise SamePersonError(
                "You cannot make yourself the deputy of somebody else.", advice="Ask another administrator."
            )
        today = timezone.localdate()
        if until_on < from_on or until_on < today:
            raise _refuse("until_on", "The last day is before the first one, or over.", "Choose a later day.")
        if until_on - from_on > timedelta(days=MOST_DAYS_OF_DELEGATION):
            raise _refuse("until_on", "A deputy is named for a year at most.", "Choose an earlier day.")
        delegation, is_new = Delegation.objects.get_or_create(
            person=person,
            deputy=stand_in,
            from_on=from_on,
            until_on=until_on,
            revoked_at=None,
            defaults={"reason": cleaned(reason)},
        )
        if is_new:
            record.about(person)
            record.changed({}, {"deputy": str(stand_in), "from": from_on, "until": until_on})
    return delegation


def revoke_delegation(actor: Actor, pk: int, reason: str = "") -> Delegation:
    """End a delegation from now on: by whoever gave it, the deputy, or an administrator."""
    own = person_of(actor)
    with recorded(actor, "end deputy", reason=cleaned(reason)) as record:
        delegation = locked(Delegation, pk)
        if own.pk not in {delegation.person_id, delegation.deputy_id}:
            if not actor.rights.may(Permission.MANAGE_PEOPLE):
                raise NotFoundError("There is no such delegation for you.", advice="Look at your own page.")
            actor.rights.require(Permission.MANAGE_PEOPLE)
        if delegation.revoked_at is None:
            delegation.revoked_at = timezone.now()
            delegation.save(update_fields=["revoked_at"])
            record.about(delegation.person)
            record.changed({"deputy": str(delegation.deputy), "until": delegation.until_on}, {})
    return delegation


def token_digest(token: str) -> str:
    """What of a key is kept. It is long and random, so that a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def create_token(actor: Actor, name: str, scopes: Iterable[str], expires_on: date) -> tuple[ApiToken, str]:
    """A key for a program that acts as oneself, within `scopes`, through the day `expires_on`. Its text is given once.

    Only scopes that one has somewhere oneself; the rights that count are those of the day on which it is used.
    """
    person = person_of(actor)
    wanted = sorted({*scopes})
    with recorded(actor, "create token") as record:
        if not wanted:
            raise _refuse("scopes", "A key that may do nothing is of no use.", "Choose at least one.")
        for scope in wanted:
            if scope not in {*Permission} or not actor.rights.may_somewhere(Permission(scope)):
                raise _refuse("scopes", f"You may not do this yourself: {scope.replace('_', ' ')}.", "Choose less.")
        today = timezone.localdate()
        if not today <= expires_on <= today + timedelta(days=MOST_DAYS_OF_TOKEN):
            raise _refuse("expires_on", "A key lasts from today up to a year.", "Choose another last day.")
        prefix = secrets.token_hex(_PREFIX_LENGTH // 2)
        text = f"{TOKEN_BEGINS}_{prefix}_{secrets.token_urlsafe(32)}"
        token = ApiToken.objects.create(
            person=person,
            name=_name(name),
            prefix=prefix,
            digest=token_digest(text),
            scopes=wanted,
            expires_at=_end_of(expires_on),
        )
        record.about(person)
        record.changed({}, {"token": token.name, "prefix": prefix, "scopes": wanted, "until": expires_on})
    return token, text


def _end_of(day: date) -> datetime:
    after = day + timedelta(days=1)
    return timezone.make_aware(datetime(after.year, after.month, after.day))  # noqa: DTZ001 - in the site's time zone


def revoke_token(actor: Actor, pk: int, reason: str = "") -> ApiToken:
    """End a key at once: one's own, or as an administrator anybody's."""
    with recorded(actor, "revoke token", reason=cleaned(reason)) as record:
        token = locked(ApiToken, pk)
        if token.person_id != person_of(actor).pk and not actor.rights.may(Permission.MANAGE_PEOPLE):
            raise NotFoundError("There is no such key for you.", advice="Look at your own page.")
        if token.revoked_at is None:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            record.about(token.person)
            record.changed({"token": token.name, "prefix": token.prefix}, {})
    return token


def person_of_token(text: str) -> tuple[Person, ApiToken] | None:
    """Whose key this is; None for one that is unknown, over, revoked, or of somebody who is deactivated."""
    found = ApiToken.objects.select_related("person").filter(digest=token_digest(text)).first()
    now = timezone.now()
    if found is None or found.revoked_at is not None or found.expires_at <= now or not found.person.is_active:
        return None
    if found.last_used_at is None or now - found.last_used_at > timedelta(minutes=1):
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found.person, found


def set_language(actor: Actor, language: str) -> Person:
    """The language of a person's pages and mails; empty: that of their browser, and the site's in mails."""
    if language and language not in LANGUAGES:
        raise _refuse("language", f"There is no language '{language[:20]}' here.", f"Choose {' or '.join(LANGUAGES)}.")
    person = Person.objects.get(pk=person_of(actor).pk)
    if person.language != language:
        with recorded(actor, "set language") as record:
            before, person.language = person.language, language
            person.save(update_fields=["language"])
            record.about(person)
            record.changed({"language": before}, {"language": language})
    return person
