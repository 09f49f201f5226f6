"""Small books for tests: a workspace with two months of three teams, people of every role, and acts as any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_django.fixtures import Settings

from apportion.actions.access.organization import sync_owners
from apportion.actions.acting import Actor, actor_of
from apportion.actions.close import closing, issuing
from apportion.periods import BillingPeriod
from apportion.records.people import Grant, Person
from apportion.review.permission import Role
from apportion.warehouse.store import Workspace
from tests.rooms.close import workspaces

SEPTEMBER, OCTOBER = BillingPeriod(2026, 9), BillingPeriod(2026, 10)

SETTINGS = """\
company: Northwind
statement_prefix: NW
payer: {company: "1000", cost_center: "9900", ledger_account: "600100"}
ledger: {transferred_out: "600199", intercompany_receivable: "140000", intercompany_payable: "160000"}
"""
ORGANIZATION = """\
organization: Northwind
groups:
  - code: teams
    name: Teams
    owners: {finance: finance@example.com}
    coding: {company: "1000", cost_center: "4000", ledger_account: "600150"}
    groups:
      - {code: red, name: Red, owners: {technical: red@example.com}}
      - {code: green, name: Green, owners: {technical: green@example.com}}
  - code: blue
    name: Blue
    owners: {finance: blue@example.com}
    coding: {company: "2000", cost_center: "5000", ledger_account: "600150"}
"""
MONTHS: Mapping[BillingPeriod, Sequence[workspaces.Charge]] = {
    SEPTEMBER: [("red", "Compute", "100.00"), ("green", "Storage", "50.00"), ("", "Support", "30.00")],
    OCTOBER: [
        ("red", "Compute", "120.00"),
        ("green", "Storage", "40.00"),
        ("blue", "Compute", "77.77"),
        ("", "Support", "30.00"),
        ("", "Stray", "5.55"),
    ],
}
PEOPLE = {
    "analyst": Role.ANALYST,
    "controller": Role.CONTROLLER,
    "second": Role.CONTROLLER,
    "auditor": Role.AUDITOR,
    "administrator": Role.ADMINISTRATOR,
}
OWNERS = ("finance", "red", "green", "blue")


@dataclass(frozen=True)
class Books:
    """A workspace and its people."""

    workspace: Workspace

    def actor(self, name: str, via: str = "web") -> Actor:
        """Somebody acting with the rights of now."""
        return actor_of(Person.objects.get(email=f"{name}@example.com"), via)

    def allocated(self, period: BillingPeriod = OCTOBER) -> None:
        """Complete and allocate a month, by the analyst."""
        closing.mark_data_complete(self.actor("analyst"), period)
        closing.allocate(self.actor("analyst"), period)

    def issued(self, period: BillingPeriod = OCTOBER) -> issuing.Issued:
        """Allocate and issue a month, by the analyst and the controller."""
        self.allocated(period)
        return issuing.issue(self.actor("controller"), period)

    def write(self, name: str, text: str) -> None:
        """Another text of one of the workspace's files."""
        (self.workspace.root / name).write_text(text, encoding="utf-8")


def place(root: Path, settings_text: str = SETTINGS) -> Workspace:
    """The workspace with its deliveries, nothing allocated."""
    made = workspaces.workspace(root, MONTHS, organization=ORGANIZATION, allocated=False)
    (root / "apportion.yaml").write_text(settings_text, encoding="utf-8")
    return Workspace.open(made.root)


def people() -> None:
    """People of every role; the owners get theirs from the tree."""
    for name, role in PEOPLE.items():
        Grant.objects.create(person=Person.objects.create_person(f"{name}@example.com", name.title()), role=role)
    for name in OWNERS:
        Person.objects.create_person(f"{name}@example.com", name.title())


def books(root: Path, django: Settings, settings_text: str = SETTINGS) -> Books:
    """A workspace below `root`, which the site then is of, and its people in the test's database."""
    made = place(root, settings_text)
    django.APPORTION_WORKSPACE = made.root
    people()
    return Books(made)


__all__ = [
    "MONTHS",
    "OCTOBER",
    "ORGANIZATION",
    "SEPTEMBER",
    "SETTINGS",
    "Books",
    "books",
    "people",
    "place",
    "sync_owners",
]
