"""The tree in the books: as the latest allocated period has it, and the owners' roles that follow from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from django.utils import timezone

from apportion import organization as organization_file
from apportion.actions.acting import Actor, Record, recorded
from apportion.organization.cost_group import CostGroup as Node
from apportion.organization.cost_group import Tree
from apportion.periods import BillingPeriod
from apportion.records.closes import Close
from apportion.records.groups import CostGroup
from apportion.records.people import Grant, GrantSource, OwnerKind, Person
from apportion.records.rights import Rights
from apportion.review.permission import Permission, Role
from apportion.warehouse.store import Workspace

_FIELDS = (
    "name",
    "parent_id",
    "path",
    "depth",
    "number",
    "currency",
    "company",
    "cost_center",
    "department",
    "ledger_account",
    "owners",
    "is_current",
)
# What an auditor would want to see of a change; places and numbers follow from it.
_TOLD = ("name", "parent", "currency", "company", "cost_center", "department", "ledger_account", "owners", "is_current")


@dataclass(slots=True)
class Synced:
    """What a new tree changed: codes of cost groups, and roles as ``mail address: role of code``."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    granted: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        """Whether all is as it was."""
        return not (self.added or self.changed or self.ended or self.granted or self.withdrawn)


def sync_tree(actor: Actor, tree: Tree, period: BillingPeriod) -> Synced:
    """Bring the tree of a period into the books, with the owners' roles. One entry, where anything changed.

    Groups that are not in it stay for the sake of their documents, but are no more current; a group that moved takes
    along everything below it. The tree of an earlier period than the latest allocated one only adds what is unknown.
    Raises `ForbiddenError`.
    """
    actor.rights.require(Permission.PREPARE)
    with recorded(actor, "sync tree") as record:
        is_latest = not Close.objects.filter(allocated_at__isnull=False, period__gt=str(period)).exists()
        synced = _groups(tree, record, is_latest=is_latest)
        if is_latest:
            _owners(synced, actor.person)
        if not synced.is_nothing:
            record.subject_kind, record.subject_id, record.subject = "organization", str(period), f"Tree of {period}"
            record.changed({}, {name: value for name, value in asdict(synced).items() if value})
    return synced


def bring_tree(place: Workspace) -> Synced:
    """The tree of the organization file as it is for the latest delivered period: for books that have none yet."""
    periods = place.periods()
    period = periods[-1] if periods else BillingPeriod.of(timezone.localdate())
    tree = organization_file.read(place.root / place.settings.organization).during(period.starts_on, period.ends_on)
    return sync_tree(Actor(None, Rights(frozenset({Permission.PREPARE})), "timer"), tree, period)


def sync_owners(actor: Actor, people: Iterable[Person] | None = None) -> Synced:
    """Give (and take) the roles that follow from the owners named in the tree, as after adding a person.

    Part of the act that it belongs to, which has its own entry: no permission is asked, nothing is recorded.
    """
    synced = Synced()
    _owners(synced, actor.person, people)
    return synced


def _groups(tree: Tree, record: Record, *, is_latest: bool) -> Synced:
    synced = Synced()
    known = {group.code: group for group in CostGroup.objects.select_for_update()}
    before = {code: _told(group) for code, group in known.items()}
    new = [CostGroup(code=code, name=tree[code].name, is_current=is_latest) for code in tree if code not in known]
    fresh = {group.code for group in CostGroup.objects.bulk_create(new)}
    known |= {group.code: group for group in new}
    touched: list[CostGroup] = []
    for number, code in enumerate(tree, start=1):
        if code in fresh or is_latest:
            group = known[code]
            was = [getattr(group, name) for name in _FIELDS]
            _fill(group, tree[code], known, number, is_current=is_latest)
            if was != [getattr(group, name) for name in _FIELDS]:
                touched.append(group)
    gone = [group for code, group in known.items() if is_latest and code not in tree and group.is_current]
    for group in gone:
        group.is_current = False
    CostGroup.objects.bulk_update([*touched, *gone], _FIELDS, batch_size=300)
    synced.added, synced.ended = sorted(fresh), sorted(group.code for group in gone)
    for group in (*touched, *gone):
        if group.code not in fresh and (told := _told(group)) != (old := before[group.code]):
            names = [name for name in _TOLD if told[name] != old[name]]
            record.changed(
                {group.code: {name: old[name] for name in names}}, {group.code: {name: told[name] for name in names}}
            )
            if group.is_current:
                synced.changed.append(group.code)
    return synced


def _fill(group: CostGroup, node: Node, known: dict[str, CostGroup], number: int, *, is_current: bool) -> None:
    """Parents come before what is below them, so their paths are there."""
    above = known[node.parent] if node.parent and node.parent in known else None
    group.name, group.number, group.is_current = node.name, number, is_current
    group.parent = above
    group.path = f"{above.path if above else '/'}{group.pk}/"
    group.depth = above.depth + 1 if above else 0
    group.currency = node.currency
    group.company, group.cost_center = node.coding.company, node.coding.cost_center
    group.department, group.ledger_account = node.coding.department, node.coding.ledger_account
    group.owners = asdict(node.owners)


def _told(group: CostGroup) -> dict[str, object]:
    return {name: group.parent_id if name == "parent" else getattr(group, name) for name in _TOLD}


def _owners(synced: Synced, by: Person | None, people: Iterable[Person] | None = None) -> None:
    """A role for each owner at the group that names them; below it they have it anyway."""
    chosen = list(Person.objects.filter(is_active=True) if people is None else people)
    by_mail = {person.email.casefold(): person for person in chosen}
    wanted = set(_named(by_mail))
    held = (
        Grant.objects.filter(source=GrantSource.ORGANIZATION, role=Role.OWNER, ended_at__isnull=True, person__in=chosen)
        if people is not None
        else Grant.objects.filter(source=GrantSource.ORGANIZATION, role=Role.OWNER, ended_at__isnull=True)
    )
    now: set[tuple[int, int, str]] = set()
    for grant in held.select_related("person", "cost_group"):
        key = (grant.person_id, grant.cost_group_id or 0, grant.owner_kind)
        if key in wanted:
            now.add(key)
            continue
        grant.ended_at = timezone.now()
        grant.save(update_fields=["ended_at"])
        synced.withdrawn.append(_grant_words(grant))
    mails = {person.pk: person for person in chosen}
    codes = dict(CostGroup.objects.values_list("pk", "code"))
    made = [
        Grant(
            person=mails[person],
            role=Role.OWNER,
            cost_group_id=group,
            owner_kind=kind,
            source=GrantSource.ORGANIZATION,
            granted_by=by,
        )
        for person, group, kind in sorted(wanted - now)
    ]
    Grant.objects.bulk_create(made, batch_size=300)
    synced.granted += [
        f"{each.person.email}: {each.owner_kind} owner of {codes[each.cost_group_id or 0]}" for each in made
    ]


def _named(by_mail: dict[str, Person]) -> Iterable[tuple[int, int, str]]:
    """(person, group, kind) of each owner of a current group who is not already the owner right above it."""
    rows = list(CostGroup.objects.filter(is_current=True).values_list("pk", "parent_id", "owners"))
    owners = {pk: named for pk, _, named in rows}
    for pk, parent, named in rows:
        above = owners.get(parent, {}) if parent else {}
        for kind in OwnerKind:
            mail = str(named.get(kind, "")).strip().casefold()
            person = by_mail.get(mail)
            if person is not None and str(above.get(kind, "")).strip().casefold() != mail:
                yield person.pk, pk, str(kind)


def _grant_words(grant: Grant) -> str:
    group = grant.cost_group.code if grant.cost_group else ""
    return f"{grant.person.email}: {grant.owner_kind} owner of {group}"
