"""The people of the example company. Nobody in it is real; all have the same password, which is printed."""

from __future__ import annotations

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
    Cast("controller", "Demo controller", Role.CONTROLLER, "issues the month and decides disputes"),
    Cast("second-controller", "Demo second controller", Role.CONTROLLER, "approves decisions, posts and seals"),
    Cast("analyst", "Demo analyst", Role.ANALYST, "allocates the month"),
    Cast("executive", "Demo executive", Role.EXECUTIVE, "sees one page, accepts for a part of the tree"),
    Cast("auditor", "Demo auditor", Role.AUDITOR, "sees everything and changes nothing"),
    Cast("administrator", "Demo administrator", Role.ADMINISTRATOR, "gives people their roles"),
)
OWNER = "search"  # whom to sign in as to see an owner's side


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
    people += [Person(email=address, name=_name(address), password=hashed) for address in sorted(named)]
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


def _name(address: str) -> str:
    """Whom an address stands for, plainly nobody real: ``Demo shop finance``."""
    return f"Demo {address.partition('@')[0].replace('-', ' ')}"
