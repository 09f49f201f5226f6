"""No page asks the database more than fifteen times, whoever opens it and however much it shows.

The cases are made from the routes: a new page is held to it without anybody thinking of it.
"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apportion.records.stamp import forget
from tests.company import Company
from tests.web.test_rights import ROUTES, Route, Things, allowed, by_address, things_fixture

__all__ = ["things_fixture"]

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

MOST = 15
_FRAMES = ("SAVEPOINT", "RELEASE")  # where a transaction within that of the test begins and ends
PAGES = [each for each in ROUTES if each.rule and "GET" in each.rule.methods]


@pytest.mark.parametrize("name", ["controller", "red", "executive", "auditor", "administrator"])
@pytest.mark.parametrize("route", PAGES, ids=by_address)
def test_no_page_runs_more_than_fifteen_queries(route: Route, name: str, things: Things, company: Company) -> None:
    if not allowed(route, name):
        pytest.skip("not a page of theirs")
    client = Client()
    client.force_login(company.person(name))
    forget()  # the first to open it after an act
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(things.address(route))
    assert answer.status_code < 500
    asked = [each["sql"] for each in captured.captured_queries if not each["sql"].startswith(_FRAMES)]
    told = "\n".join(each[:200] for each in asked)
    assert len(asked) <= MOST, f"{len(asked)} queries:\n{told}"
