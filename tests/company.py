"""A small company in the books: two divisions, everybody who takes part in a close, and two months.

September is issued and accepted. October is issued and in review: the teams of Red are in chargeback, Green in
showback; one dispute is open. All of it was done by the acts, on a real workspace.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from apportion.actions.acting import Actor, actor_of
from apportion.actions.close.charging import set_charging
from apportion.actions.close.closing import allocate, mark_data_complete
from apportion.actions.close.issuing import issue
from apportion.actions.review.accepting import accept
from apportion.actions.review.disputing import dispute
from apportion.periods import BillingPeriod
from apportion.records.disputes import Dispute
from apportion.records.documents import Document
from apportion.records.groups import Charging, CostGroup
from apportion.records.people import Grant, Person
from apportion.review.dispute import Reason
from apportion.review.permission import Role
from tests.rooms.close.workspaces import workspace

SEPTEMBER, OCTOBER = BillingPeriod(2026, 9), BillingPeriod(2026, 10)
PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist

ORGANIZATION = """\
organization: Northwind
groups:
  - code: north
    name: Northwind
    coding: {company: "1000", cost_center: "10", department: "1", ledger_account: "6100"}
    groups:
      - code: red
        name: Division Red
        owners: {finance: red@example.com}
        groups:
          - {code: red-web, name: Red web shop, coding: {cost_center: "11"}}
          - {code: red-app, name: Red app, coding: {cost_center: "12"}}
      - code: green
        name: Division Green
        owners: {business: green@example.com}
        coding: {cost_center: "20"}
"""

POLICY = """\
policy: Northwind policy
cost_basis: effective
rules:
  - {id: support, name: Support plans, when: {ServiceName: Support}, charge_to: {pool: support}}
  - {id: by-team, name: Tag team, charge_to: {tag: team}}
pools:
  - {id: support, name: Support, share: proportional to direct cost}
"""

MONTHS = {
    SEPTEMBER: [
        ("red-web", "Compute", "700.00"),
        ("red-web", "Storage", "120.55"),
        ("red-app", "Compute", "310.10"),
        ("green", "Compute", "500.00"),
        ("", "Compute", "17.20"),
        ("", "Support", "300.00"),
    ],
    OCTOBER: [
        ("red-web", "Compute", "910.40"),
        ("red-web", "Storage", "101.05"),
        ("red-app", "Compute", "333.33"),
        ("red-app", "Queues", "12.01"),
        ("green", "Compute", "480.00"),
        ("", "Compute", "23.99"),
        ("", "Support", "350.00"),
    ],
}

# The owners red and green get their roles from the organization file; the stranger has none.
PEOPLE: dict[str, Role | None] = {
    "red": None,
    "green": None,
    "executive": None,
    "analyst": Role.ANALYST,
    "controller": Role.CONTROLLER,
    "second": Role.CONTROLLER,
    "auditor": Role.AUDITOR,
    "administrator": Role.ADMINISTRATOR,
    "stranger": None,
}


@dataclass(frozen=True)
class Company:
    """Who and what there is: people by short names, groups by code, monthly documents by code and period."""

    root: Path

    def person(self, name: str) -> Person:
        return Person.objects.get(email=f"{name}@example.com")

    def actor(self, name: str) -> Actor:
        return actor_of(self.person(name), "web")

    def group(self, code: str) -> CostGroup:
        return CostGroup.objects.get(code=code)

    def document(self, code: str, period: BillingPeriod = OCTOBER) -> Document:
        """The monthly document of a cost group; with an empty code, that of what is unallocated."""
        out = Document.objects.filter(kind__in=["statement", "invoice"], issue_state="issued", period=str(period))
        return out.get(cost_group__code=code) if code else out.get(holder="unallocated")

    @property
    def dispute(self) -> Dispute:
        """The open one: Red app disputes its line of Queues."""
        return Dispute.objects.get(state="open")


def fill(root: Path, *, disputed: bool = True) -> Company:
    """People, and both months in the books of the workspace at `root`, which the site is of."""
    company = Company(root)
    for name, role in PEOPLE.items():
        person = Person.objects.create_person(f"{name}@example.com", name.capitalize(), PASSWORD)
        if role is not None:
            Grant.objects.create(person=person, role=role)
    for period in (SEPTEMBER, OCTOBER):
        mark_data_complete(company.actor("analyst"), period)
        allocate(company.actor("analyst"), period)
        if period == OCTOBER:
            for code in ("red-web", "red-app"):
                set_charging(
                    company.actor("controller"), company.group(code).pk, Charging.CHARGEBACK, OCTOBER, "Agreed."
                )
        issue(company.actor("controller"), period)
        if period == SEPTEMBER:
            north = company.group("north")
            Grant.objects.create(person=company.person("executive"), role=Role.EXECUTIVE, cost_group=north)
            for row in Document.objects.filter(cost_group__isnull=False):
                accept(company.actor("executive"), row.pk)
    if disputed:
        dispute_queues(company)
    return company


def dispute_queues(company: Company) -> Dispute:
    """Red disputes the line of Queues of Red app's document of October."""
    of_app = company.document("red-app")
    queues = of_app.lines.get(service="Queues")
    return dispute(
        company.actor("red"),
        of_app.pk,
        line=queues.number,
        reason=Reason.NOT_OURS,
        claimed_minor=queues.amount_minor,
        text="We switched it off in August.",
    )


@pytest.fixture(name="delivered", scope="session")
def delivered_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace with both months delivered, made once; copy it before changing anything."""
    root = tmp_path_factory.mktemp("northwind") / "books"
    workspace(root, MONTHS, organization=ORGANIZATION, policy=POLICY, allocated=False)
    return root


@pytest.fixture(name="company", scope="module")
def company_fixture(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, delivered: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Company]:
    """The company for all tests of a module: what one changes is undone after it.

    Tests that change the workspace itself (allocate, seal) take `own_company`, in a module of their own. Mark the
    module with ``django_db``.
    """
    root = tmp_path_factory.mktemp("company") / "northwind"
    with django_db_blocker.unblock(), _site_of(root, delivered), transaction.atomic():
        yield fill(root)
        transaction.set_rollback(True)


@pytest.fixture(name="own_company")
def own_company_fixture(db: None, company: Company, tmp_path: Path) -> Iterator[Company]:
    """The company with a workspace of the test's own, as that of the module was when it was filled.

    Nothing else of the module may change what it was copied from: what is in the books is undone, files are not.
    """
    root = tmp_path / "northwind"
    with _site_of(root, company.root):
        yield Company(root)


@contextmanager
def _site_of(root: Path, delivered: Path) -> Iterator[None]:
    shutil.copytree(delivered, root)
    with override_settings(
        APPORTION_WORKSPACE=root,
        ATTACHMENTS=root / ".apportion" / "attachments",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # the real one is slow on purpose
    ):
        yield
