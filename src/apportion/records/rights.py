"""What a person may do, and in which part of the tree: one answer for pages, API, exports and search alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from apportion.errors import ApportionError
from apportion.records.groups import CostGroup
from apportion.records.people import Delegation, Grant, Person
from apportion.records.ready import Ready
from apportion.review.permission import IN_THE_TREE, PERMISSIONS, Permission, Role


class ForbiddenError(ApportionError):
    """Something that this person may not do."""

    code = "FORBIDDEN"


@dataclass(frozen=True, slots=True)
class Rights:
    """`everywhere` holds for the whole tree, `below` for cost groups whose path begins with one of these paths.

    `standing_in` names the people whose deputy this person is today; `scopes`, not None for an API token, are the
    only permissions that it may use.
    """

    everywhere: frozenset[Permission] = frozenset()
    below: dict[Permission, tuple[str, ...]] = field(default_factory=dict)
    roles: frozenset[Role] = frozenset()
    standing_in: tuple[str, ...] = ()

    def may(self, permission: Permission, path: str | None = None) -> bool:
        """Whether somebody may do this to the cost group at `path`; without one, to the whole (or anywhere, to see)."""
        if permission in self.everywhere:
            return True
        return path is not None and path != "" and path.startswith(self.below.get(permission, ()))

    def may_somewhere(self, permission: Permission) -> bool:
        """Whether there is any part of the tree for which this holds."""
        return permission in self.everywhere or bool(self.below.get(permission))

    def require(self, permission: Permission, path: str | None = None) -> None:
        """Raises `ForbiddenError` unless `may`."""
        if not self.may(permission, path):
            raise ForbiddenError(
                f"You may not do this: {permission.replace('_', ' ')}.",
                advice="Ask an administrator for the role, or somebody who has it to do it or to name you as deputy.",
            )

    def within(self, permission: Permission, prefix: str = "") -> Q:
        """The condition for rows of the tree that this permission reaches; `prefix` leads from the row to its group.

        ``Document.objects.filter(rights.within(Permission.SEE_DOCUMENTS, "cost_group__"))``. Documents without a cost
        group (unallocated, kept central) are only for those who have the permission everywhere.
        """
        if permission in self.everywhere:
            return Q()
        paths = self.below.get(permission, ())
        if not paths:
            return Q(pk__in=[])
        condition = Q()
        for path in paths:
            condition |= Q(path__startswith=path)
        if not prefix:
            return condition
        return Q(**{f"{prefix.removesuffix('__')}__in": CostGroup.objects.filter(condition)})

    def narrowed(self, scopes: Iterable[str]) -> Rights:
        """These rights with no more than the permissions in `scopes`: what an API token may do."""
        allowed = frozenset(scopes)
        return Rights(
            frozenset(each for each in self.everywhere if each in allowed),
            {each: paths for each, paths in self.below.items() if each in allowed},
            self.roles,
            self.standing_in,
        )


NOBODY = Rights()


def rights_of(person: Person, on: date | None = None) -> Rights:
    """The rights of a person on a day: their own roles, and those of people they stand in for. Two queries."""
    if not person.is_active:
        return NOBODY
    day = on or timezone.localdate()
    delegations = Delegation.objects.filter(
        deputy=person, from_on__lte=day, until_on__gte=day, revoked_at__isnull=True, person__is_active=True
    ).values_list("person_id", "person__name", "person__email")
    absent = {key: name or email for key, name, email in delegations}
    grants = Grant.objects.filter(person__in=[person.pk, *absent], ended_at__isnull=True)
    return _rights(person.pk, absent, grants.values_list("person_id", "role", "cost_group__path"))


def _rights(own: int, absent: Mapping[int, str], grants: Iterable[tuple[int, str, str | None]]) -> Rights:
    """Of grants, each of somebody, in a role, for the cost groups below a path."""
    everywhere: set[Permission] = set()
    below: dict[Permission, set[str]] = {}
    roles: set[Role] = set()
    for holder, named, path in grants:
        role = Role(named)
        if holder != own and role is Role.ADMINISTRATOR:
            continue  # whoever may give rights gives them in person
        roles.add(role)
        if role in IN_THE_TREE and path is not None:
            for permission in PERMISSIONS[role]:
                below.setdefault(permission, set()).add(path)
        else:
            everywhere |= PERMISSIONS[role]
    return Rights(
        frozenset(everywhere),
        {permission: _topmost(paths) for permission, paths in below.items() if permission not in everywhere},
        frozenset(roles),
        tuple(sorted(absent.values())),
    )


_HELD = Ready(
    Person,
    (),
    """
    LEFT JOIN records_grant ON records_grant.person_id = records_person.id AND records_grant.ended_at IS NULL
    LEFT JOIN records_costgroup ON records_costgroup.id = records_grant.cost_group_id
    WHERE records_person.id = %s
    """,
    {
        "held_role": "records_grant.role",
        "held_path": "records_costgroup.path",
        "is_deputy": """
        EXISTS (SELECT 1 FROM records_delegation WHERE deputy_id = records_person.id AND revoked_at IS NULL
        AND from_on <= %s AND until_on >= %s)
        """,
    },
)


def person_with_rights(pk: int) -> tuple[Person, Rights] | None:
    """Somebody with the rights of today, as `rights_of` says; None where nobody is. One query, three for a deputy."""
    day = timezone.localdate()
    on = connection.ops.adapt_datefield_value(day)
    rows: list[Any] = _HELD.all([on, on, pk])
    if not rows:
        return None
    person: Person = rows[0]
    if not person.is_active or rows[0].is_deputy:
        return person, rights_of(person, day)
    return person, _rights(pk, {}, [(pk, row.held_role, row.held_path) for row in rows if row.held_role is not None])


def _topmost(paths: set[str]) -> tuple[str, ...]:
    """Without those that lie below another."""
    found: list[str] = []
    for path in sorted(paths):
        if not found or not path.startswith(found[-1]):
            found.append(path)
    return tuple(found)
