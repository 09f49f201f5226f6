"""The people of the example company. Nobody in it is real; all have the same password, which is printed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import transaction

from apportion.actions.acting import Actor, Record, actor_of, append, timer
from apportion.organization.cost_group import Organization
from apportion.records.groups import CostGroup
from apportion.records.people import Grant, Person
from apportion.review.permission import Role

PASSWORD = "kestrel-demo-2026"  # noqa: S105 - of people who do not exist, and printed when they are made
HOST = "example.com"


@dataclass(frozen=True, slots=True)
class Cast:
    """Somebody with a role for the whole company."""

    mail: str
    name: str
    role: Role
    says: str


CAST = (
    Cast("controller", "Ines Halloran", Role.CONTROLLER, "issues the month and decides disputes"),
    Cast("second-controller", "Tomas Werde", Role.CONTROLLER, "approves decisions, posts and seals"),
    Cast("analyst", "Noor Lindahl", Role.ANALYST, "allocates the month"),
    Cast("executive", "Greta Osei", Role.EXECUTIVE, "sees one page, accepts for her part of the tree"),
    Cast("auditor", "Pavel Brandt", Role.AUDITOR, "sees everything and changes nothing"),
    Cast("administrator", "Mina Falk", Role.ADMINISTRATOR, "gives people their roles"),
)
OWNER = "search"  # whom to sign in as to see an owner's side
_FIRST = (
    "Alva Bruno Cleo Dario Edda Farid Gesa Hugo Iris Jonas Kaia Levi Maja Nils Olga Pia Quentin Rosa Sami Tove".split()
)
_LAST = "Ahlberg Brandt Costa Dahl Eriksen Fuchs Grau Holm Iversen Jansen Keller Lund Moreau Nowak Ostrow Petri".split()


def mail(name: str) -> str:
    """``search`` as ``search@example.com``."""
    return f"{name}@{HOST}"


def actor(name: str, via: str = "web") -> Actor:
    """Somebody acting with the rights of now."""
    return actor_of(Person.objects.get(email=mail(name)), via)


def introduce(organization: Organization) -> int:
    """Add the cast, and every owner that the organization names; gives how many people. Owners get roles with the tree.

    One password is hashed once for all of them: that takes as long as it should.
    """
    hashed = make_password(PASSWORD)
    named = {
        address
        for group in organization.versions
        for address in (group.owners.finance, group.owners.technical, group.owners.business)
        if address
    }
    people = [Person(email=mail(each.mail), name=each.name, password=hashed) for each in CAST]
    people += [
        Person(email=address, name=_invented(number, address), password=hashed)
        for number, address in enumerate(sorted(named))
    ]
    with transaction.atomic():
        Person.objects.bulk_create(people)
        by_mail = {person.email: person for person in people}
        for each in CAST:
            if each.role is not Role.EXECUTIVE:
                Grant.objects.create(person=by_mail[mail(each.mail)], role=each.role)
        record = Record("person", "", "The people of the example company", after={"people": sorted(by_mail)})
        append(timer(), "add demo people", record)
    return len(people)


def appoint_executive() -> None:
    """The executive answers for all companies at the top of the tree, once the books have one."""
    person = Person.objects.get(email=mail("executive"))
    for top in CostGroup.objects.filter(parent__isnull=True, is_current=True):
        Grant.objects.get_or_create(person=person, role=Role.EXECUTIVE, cost_group=top, ended_at=None)


def _invented(number: int, address: str) -> str:
    """A name with what the person answers for, so that lists of the demo can be read."""
    about = re.sub(r"-", " ", address.partition("@")[0])
    return f"{_FIRST[number % len(_FIRST)]} {_LAST[number * 7 % len(_LAST)]} ({about})"
