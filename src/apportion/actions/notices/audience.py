"""Who is concerned: who may see a document, who answers for its cost group, and who decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, Q, prefetch_related_objects
from django.utils import timezone

from apportion.records.documents import Document
from apportion.records.people import Delegation, Grant, Person
from apportion.review.permission import IN_THE_TREE, PERMISSIONS, Permission, Role

_SEEING = [role for role, may in PERMISSIONS.items() if Permission.SEE_DOCUMENTS in may]


@dataclass(frozen=True, slots=True)
class Held:
    """A role that somebody has; `path` is empty for one that holds everywhere."""

    person: Person
    role: Role
    path: str


_AT_ONCE = 500
_FEW = 50  # documents for which only the grants of their own part of the tree are read


class Audience:
    """The people around documents with their roles and today's deputies. Three queries for any number of documents."""

    def __init__(self, documents: Sequence[Document]) -> None:
        fetched(documents, "cost_group")
        grants = Grant.objects.filter(ended_at__isnull=True, role__in=_SEEING, person__is_active=True).select_related(
            "person", "cost_group"
        )
        if len(documents) <= _FEW:
            paths = {path for document in documents for path in _paths(document)}
            grants = grants.filter(
                Q(cost_group__isnull=True) | Q(cost_group__path__in=paths) | ~Q(role__in=IN_THE_TREE)
            )
        today = timezone.localdate()
        standing_in: dict[int, list[Person]] = {}
        for delegation in Delegation.objects.filter(
            from_on__lte=today, until_on__gte=today, revoked_at__isnull=True, person__is_active=True
        ).select_related("deputy"):
            if delegation.deputy.is_active:
                standing_in.setdefault(delegation.person_id, []).append(delegation.deputy)
        self._by_path: dict[str, list[Held]] = {}
        for grant in grants:
            role = Role(grant.role)
            path = grant.cost_group.path if role in IN_THE_TREE and grant.cost_group is not None else ""
            for person in (grant.person, *standing_in.get(grant.person_id, ())):
                self._by_path.setdefault(path, []).append(Held(person, role, path))

    def seeing(self, document: Document) -> list[Person]:
        """Everybody who may see the document, by name."""
        held = [*self._everywhere(), *(each for path in _paths(document) for each in self._by_path.get(path, ()))]
        return sorted(_once(each.person for each in held), key=lambda person: (person.name.casefold(), person.pk))

    def owners(self, document: Document) -> list[Person]:
        """Its cost group's owners; where it has none, those of the nearest group above that has."""
        for path in (*_paths(document), ""):
            if found := _once(each.person for each in self._by_path.get(path, ()) if each.role is Role.OWNER):
                return found
        return []

    def above(self, document: Document) -> list[Person]:
        """To whom silence is escalated: executives from the group upwards, or else owners of groups above, or else
        controllers.
        """
        paths = _paths(document)
        for role, among in ((Role.EXECUTIVE, [*paths, ""]), (Role.OWNER, paths[1:])):
            for path in among:
                if found := _once(each.person for each in self._by_path.get(path, ()) if each.role is role):
                    return found
        return self.controllers()

    def controllers(self) -> list[Person]:
        """Those who decide disputes."""
        return _once(each.person for each in self._everywhere() if each.role is Role.CONTROLLER)

    def _everywhere(self) -> list[Held]:
        return self._by_path.get("", [])


def fetched(documents: Sequence[Document], *lookups: str | Prefetch[str]) -> None:
    """Read what hangs on documents, so many at once as SQLite takes in one question."""
    for place in range(0, len(documents), _AT_ONCE):
        prefetch_related_objects(list(documents[place : place + _AT_ONCE]), *lookups)


def who_see(document: Document) -> list[Person]:
    """Everybody who may see a document: those who can be named in a comment on it."""
    return Audience([document]).seeing(document)


def _paths(document: Document) -> list[str]:
    """The paths from the document's cost group up to the top of the tree."""
    if document.cost_group is None:
        return []
    parts = document.cost_group.path.strip("/").split("/")
    return [f"/{'/'.join(parts[:count])}/" for count in range(len(parts), 0, -1)]


def _once(people: Iterable[Person]) -> list[Person]:
    return list({person.pk: person for person in people}.values())
