"""The pages of the close: every state, what can be pressed and why not, and how many queries a page asks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apportion.actions import sealing, working
from apportion.actions.accepting import accept
from apportion.actions.charging import MONTHLY
from apportion.actions.tying import books_tie_out
from apportion.actions.workspace import workspace
from apportion.invoice.paper import PaperKind
from apportion.records.closes import Close
from apportion.records.documents import Document
from apportion.records.policies import Claim, PolicyVersion
from apportion.records.work import Work
from apportion.review.permission import Role
from apportion.review.states import Issue, Posting, Review
from apportion.web import close_state, close_sums
from tests.company import (  # noqa: F401 - fixtures
    OCTOBER,
    POLICY,
    SEPTEMBER,
    Company,
    company_fixture,
    delivered_fixture,
)

pytestmark = pytest.mark.django_db
TEXT = re.compile(r"<[^>]*>")


@pytest.fixture(autouse=True)
def undone(company: Company, django_db_blocker: object, db: None) -> Iterator[None]:
    """Each test begins with the company as it was made."""
    yield


def client(company: Company, who: str) -> Client:
    made = Client(enforce_csrf_checks=False)
    made.force_login(company.person(who))
    return made


def text(response: object) -> str:
    content = response.content.decode()  # type: ignore[attr-defined]
    return " ".join(TEXT.sub(" ", content).split())


def test_smoke(company: Company) -> None:
    for who in ("analyst", "controller", "auditor"):
        browser = client(company, who)
        for address in (
            reverse("close"),
            reverse("close_period", args=["2026-10"]),
            reverse("close_period", args=["2026-09"]),
            reverse("close_progress", args=["2026-10"]),
            reverse("deliveries", args=["2026-10"]),
            reverse("findings", args=["2026-10", "csv"]),
            reverse("work_list"),
            reverse("work_list") + "?kind=untagged&period=2026-10",
            reverse("policies"),
            reverse("groups"),
            reverse("group", args=[company.group("red-web").pk]),
            reverse("group", args=[company.group("north").pk]),
        ):
            with CaptureQueriesContext(connection, ) as queries:
                answer = browser.get(address)
            print(who, address, answer.status_code, len(queries))
            assert answer.status_code == 200, address
