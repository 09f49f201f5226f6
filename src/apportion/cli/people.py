"""``apportion people``: who may sign in, before anybody can do it in the web application."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli import site
from apportion.cli.face import Face
from apportion.errors import InputRefusedError, NotFoundError

if TYPE_CHECKING:
    from apportion.actions.acting import Actor
    from apportion.records.people import Person
    from apportion.review.permission import Role
    from apportion.warehouse.store import Workspace

_ROLES = "analyst, controller, owner, executive, auditor or administrator"


def add(
    face: Face,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The mail address.", show_default=False)],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The name; else the part before the @.")] = "",
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help=f"{_ROLES}.")] = "",
    group: Annotated[
        str, typer.Option("--group", metavar="CODE", help="The cost group of an owner's or executive's role.")
    ] = "",
    owner_kind: Annotated[
        str, typer.Option("--owner-kind", metavar="KIND", help="finance, technical or business.")
    ] = "finance",
    no_password: Annotated[
        bool, typer.Option("--no-password", help="They come in by single sign-on, or choose a password by mail.")
    ] = False,
    acting: site.As = "",
) -> None:
    """Add a person, or give one that is there another role.

    The first one has to be an administrator. The password is asked for (or is the first line of standard input, where
    that is not a terminal). Owners that the organization file names by mail address get their roles from it.

    \b
    Examples:
      apportion people add ada@example.com --name "Ada Abel" --role administrator
      apportion people add ben@example.com --name "Ben Boer" --role owner --group shop --as ada@example.com
    """
    place = site.boot(face, made=True)
    from apportion.records.people import Person

    chosen = _role(role)
    person = Person.objects.filter(email__iexact=email.strip()).first()
    is_first = not _administrators()
    if is_first and chosen != "administrator":
        raise InputRefusedError(
            "There is no administrator yet, who would give roles.", advice="Add one first: --role administrator"
        )
    password = None if no_password or person is not None else _password(email)
    shown = name or (person.name if person else email.partition("@")[0])
    if is_first:
        from apportion.actions.access.people import first_administrator

        person = first_administrator(email, shown, password)
        _owned(person)
    else:
        person = _added(place, _acting(acting), person, email, shown, password, chosen, group, owner_kind)
    face.give({"document": "people_add", "version": 1, "email": person.email, "name": person.name, "role": role})
    face.say(f"{person.name} <{person.email}> {f'is {chosen} now' if chosen else 'can sign in now'}.")
    if is_first:
        face.say("Next: apportion serve, sign in, and add everybody else under People.")


def _administrators() -> list[Person]:
    from apportion.records.people import Person
    from apportion.review.permission import Role

    rows = Person.objects.filter(grants__role=Role.ADMINISTRATOR, grants__ended_at__isnull=True, is_active=True)
    return list(rows.distinct().order_by("pk"))


def _role(text: str) -> Role | None:
    from apportion.review.permission import Role

    if not text:
        return None
    try:
        return Role(text.strip().lower())
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a role. Use {_ROLES}.") from None


def _acting(email: str) -> Actor:
    """Who gives the role: whoever is named, or the only administrator there is."""
    there = _administrators()
    return site.actor(email or (there[0].email if len(there) == 1 else ""))


def _password(email: str) -> str:
    if sys.stdin.isatty():
        text: str = typer.prompt(f"Password of {email}", hide_input=True, confirmation_prompt=True, err=True)
        return text
    found = sys.stdin.readline().rstrip("\r\n")
    if not found:
        raise InputRefusedError(
            "There is no password on standard input.", advice="Type it on a terminal, or use --no-password."
        )
    return found


def _added(
    place: Workspace,
    actor: Actor,
    person: Person | None,
    email: str,
    name: str,
    password: str | None,
    role: Role | None,
    group: str,
    owner_kind: str,
) -> Person:
    """All of it or nothing."""
    from django.db import transaction

    from apportion.actions.access.people import add_person, grant_role
    from apportion.review.permission import IN_THE_TREE, Role

    with transaction.atomic():
        made = person or add_person(actor, email, name, password)
        if person is None:
            _owned(made)
        if role is not None:
            found = _group(place, group) if role in IN_THE_TREE else None
            grant_role(actor, made.pk, role, found, owner_kind if role is Role.OWNER else "")
    return made


def _owned(person: Person) -> None:
    """The roles that the organization file gives by mail address."""
    from apportion.actions.access.organization import sync_owners
    from apportion.actions.acting import timer

    sync_owners(timer(), [person])


def _group(place: Workspace, code: str) -> int:
    """The cost group in the books; before anything is allocated, the tree comes from the organization file."""
    from apportion.actions.access.organization import bring_tree
    from apportion.records.groups import CostGroup

    if not code:
        raise InputRefusedError("The role is for a cost group.", advice="Name it with --group CODE.")
    if not CostGroup.objects.exists():
        bring_tree(place)
    found = CostGroup.objects.filter(code=code, is_current=True).first()
    if found is None:
        raise NotFoundError(
            f"There is no cost group '{code}' in the books.", advice="Look at the codes in the organization file."
        )
    return found.pk
