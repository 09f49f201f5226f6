"""A small company in review: a tree, people in every role, and October's documents, for tests of acts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from apportion.actions.acting import Actor, actor_of
from apportion.actions.close.numbering import Draft, put_out
from apportion.invoice.paper import Paper, PaperKind, PaperLine
from apportion.organization.coding import Coding
from apportion.records.documents import Document
from apportion.records.groups import Charging, CostGroup, Mode
from apportion.records.people import Grant, OwnerKind, Person
from apportion.review.permission import Role
from apportion.settings import Settings
from tests import papers

PERIOD = "2026-10"
SETTINGS = Settings(company="Brightwater Group", statement_prefix="KES")


@dataclass
class World:
    """Everything by its short name."""

    groups: dict[str, CostGroup]
    people: dict[str, Person]
    documents: dict[str, Document]

    def actor(self, name: str) -> Actor:
        """A person acting now, on the web."""
        return actor_of(self.people[name], "web", "r1", "127.0.0.1")


def build() -> World:
    """Group over Shop (with Checkout below), Search and Labs; Shop and Labs are charged, Search is in showback."""
    groups: dict[str, CostGroup] = {}
    for number, (code, above) in enumerate(
        (("group", ""), ("shop", "group"), ("checkout", "shop"), ("search", "group"), ("labs", "group")), start=1
    ):
        parent = groups.get(above)
        made = CostGroup.objects.create(
            code=code, name=code.title(), parent=parent, depth=parent.depth + 1 if parent else 0, number=number,
            company="1000", cost_center=f"C{number}",
        )  # fmt: skip
        made.path = f"{parent.path if parent else '/'}{made.pk}/"
        made.save()
        groups[code] = made
    people = {name: Person.objects.create_person(f"{name}@brightwater.example", name.title()) for name in _ROLES}
    for name, (role, code) in _ROLES.items():
        Grant.objects.create(
            person=people[name],
            role=role,
            cost_group=groups.get(code),
            owner_kind=OwnerKind.FINANCE if role is Role.OWNER else "",
        )
    for code in ("shop", "labs"):
        Mode.objects.create(
            cost_group=groups[code], charging=Charging.CHARGEBACK, from_period="2026-01", decided_by=people["cora"]
        )
    world = World(groups, people, {})
    world.documents = issue(world)
    return world


# Ada and Tom answer for Shop, Stan for Search, Lea for Labs; Eva stands above all of them.
_ROLES: dict[str, tuple[Role, str]] = {
    "ada": (Role.OWNER, "shop"),
    "tom": (Role.OWNER, "shop"),
    "chet": (Role.OWNER, "checkout"),
    "stan": (Role.OWNER, "search"),
    "lea": (Role.OWNER, "labs"),
    "eva": (Role.EXECUTIVE, "group"),
    "cora": (Role.CONTROLLER, ""),
    "carl": (Role.CONTROLLER, ""),
    "nina": (Role.ANALYST, ""),
    "audrey": (Role.AUDITOR, ""),
    "adam": (Role.ADMINISTRATOR, ""),
}


def pooled(number: int, minor: int) -> PaperLine:
    """A share of the platform pool."""
    return papers.share(number, minor, "Platform team", "fixed", "Platform team: as agreed")


def issue(world: World, period: str = PERIOD) -> dict[str, Document]:
    """The documents of a month, prepared by Nina and issued by Cora, to be reviewed within a week."""
    shop = (papers.line(1, 10_000), pooled(2, 3_000), papers.line(3, 5_001, service="Nimbus Search"))
    wanted = {
        "shop": (PaperKind.INVOICE, shop),
        "checkout": (PaperKind.STATEMENT, (papers.line(1, 700),)),
        "search": (PaperKind.STATEMENT, (papers.line(1, 2_000), pooled(2, 4_000))),
        "labs": (PaperKind.INVOICE, (pooled(1, 2_000),)),
    }
    drafts = [_draft(world.groups[code], kind, lines, period) for code, (kind, lines) in wanted.items()]
    until = timezone.localdate() + timedelta(days=7)
    with transaction.atomic():
        made = put_out(
            world.actor("cora"),
            [Draft(draft, world.people["nina"].pk) for draft in drafts],
            SETTINGS,
            review_until=until,
        )
    return dict(zip(wanted, made, strict=True))


def past(document: Document, days: int = 3) -> None:
    """Let the review deadline have passed."""
    Document.objects.filter(pk=document.pk).update(review_until=timezone.localdate() - timedelta(days=days))


def _draft(group: CostGroup, kind: PaperKind, lines: tuple[PaperLine, ...], period: str) -> Paper:
    plain = papers.paper(lines, kind=kind, period=period, label="", issued_on=None, review_until=None)
    return replace(
        plain,
        code=group.code,
        name=group.name,
        path=(("group", "Group"), (group.code, group.name)),
        coding=Coding("1000", group.cost_center, "", "600100"),
    )


def in_a_week() -> date:
    """The deadline of the documents."""
    return timezone.localdate() + timedelta(days=7)
