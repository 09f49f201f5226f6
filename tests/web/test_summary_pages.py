"""The summary and the measures as pages: what each person may see of them, that sums are sums, and empty books."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apportion.invoice.papers.words import words
from apportion.records import summary as books
from apportion.records.closes import Close
from apportion.records.documents import DocumentTotal
from apportion.records.groups import CostGroup
from apportion.records.people import Grant
from apportion.records.streams import DIVISION, ISSUER, POOL, Stream, streams
from apportion.records.summary import Scope
from apportion.review.permission import Role
from apportion.web.drawing.streams_picture import picture
from tests.company import OCTOBER, SEPTEMBER, Company

pytestmark = pytest.mark.django_db
PERIOD = str(OCTOBER)


def client(company: Company, name: str) -> Client:
    found = Client()
    found.force_login(company.person(name))
    return found


def page(company: Company, name: str, address: str = "/summary/") -> str:
    cache.clear()
    signed_in = client(company, name)
    with CaptureQueriesContext(connection) as queries:
        answer = signed_in.get(address)
    assert answer.status_code == 200, answer.content
    assert len(queries) <= 15, [each["sql"][:120] for each in queries]
    return answer.content.decode()


def money(minor: int) -> str:
    return words("en_GB").money(minor, "USD")


def total(company: Company, *codes: str) -> int:
    return sum(company.document(code).totals.get().amount_minor for code in codes)


@pytest.fixture
def red_only(company: Company) -> None:
    """An executive of Red alone."""
    executive = company.person("executive")
    Grant.objects.filter(person=executive).delete()
    Grant.objects.create(person=executive, role=Role.EXECUTIVE, cost_group=company.group("red"))


def test_a_controller_reads_the_whole_month(company: Company) -> None:
    text = page(company, "controller")
    assert "October 2026: all cost groups" in " ".join(text.split())
    assert money(221_078) in text
    assert "1.1\N{NO-BREAK SPACE}%" in text  # unallocated: 23.99
    assert "0 of 3" in text
    assert "Where the close stands" in text


@pytest.mark.usefixtures("red_only")
def test_an_executive_reads_their_part_and_no_amount_of_others(company: Company) -> None:
    text = page(company, "executive")
    assert "October 2026: Division Red" in " ".join(text.split())
    assert money(total(company, "red-web", "red-app")) in text
    for others in ("Green", money(221_078), "23.99"):
        assert others not in text
    assert "1.1\N{NO-BREAK SPACE}%" in text  # a share of the company's cost names nobody
    answer = client(company, "executive").get("/summary/?group=green")
    assert answer.status_code == 404
    assert page(company, "executive", f"/summary/{PERIOD}/?group=red-app").count(money(total(company, "red-app")))


@pytest.mark.parametrize("name", ["red", "administrator", "stranger"])
def test_nobody_else_reads_it(company: Company, name: str) -> None:
    assert client(company, name).get("/summary/").status_code == 403
    assert client(company, name).get("/measures/").status_code == 403


def test_the_parts_of_the_change_sum_to_it(company: Company) -> None:
    rows = DocumentTotal.objects.filter(document__period=PERIOD)
    assert all(sum(row.change_parts.values()) == row.amount_minor - (row.before_minor or 0) for row in rows)
    found = books.why("", Scope(None), PERIOD, "USD", 26_293)
    assert sum(minor for _, minor in found.parts) + found.rest == 26_293
    assert found.rest == 0
    assert sum(each.minor for each in found.divisions) == 221_078
    assert {each.name for each in found.divisions} == {"Division Red", "Division Green", "Unallocated"}


def test_a_group_without_a_document_this_month_is_in_the_rest(company: Company) -> None:
    was = company.document("green", SEPTEMBER).totals.get().amount_minor
    found = books.why("", Scope((company.group("green").path,)), "2026-11", "USD", -was)
    assert (found.parts, found.rest, found.documents) == ((), -was, 0)


def conserved(found: tuple[Stream, ...], whole: int) -> None:
    for column in (ISSUER, POOL):
        assert sum(each.minor for each in found if each.source.column == column) == whole
    assert sum(each.minor for each in found if each.target.column == DIVISION) == whole


def test_what_leaves_the_provider_arrives(company: Company) -> None:
    close = Close.objects.get(period=PERIOD)
    cache.clear()
    of_run = streams(Scope(None), close, PERIOD, "USD", 221_078)
    conserved(of_run, 221_078)
    added_up = streams(Scope(None), None, PERIOD, "USD", 221_078)
    conserved(added_up, 221_078)
    assert {(one.name, two.code, minor) for one, two, minor in of_run if two.column == POOL} == {
        (one.name, two.code, minor) for one, two, minor in added_up if two.column == POOL
    }
    red = Scope((company.group("red").path,), company.group("red"))
    part = streams(red, close, PERIOD, "USD", total(company, "red-web", "red-app"))
    conserved(part, total(company, "red-web", "red-app"))
    assert {each.target.name for each in part if each.target.column == DIVISION} == {"Red web shop", "Red app"}
    assert str(picture(part, "USD")).count("<path") == len([each for each in part if each.minor > 0])
    assert picture((), "USD") == ""


def test_a_name_with_markup_is_text(company: Company) -> None:
    CostGroup.objects.filter(code="red").update(name="<script>alert(1)</script>")
    text = page(company, "controller")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_another_period_and_one_that_is_not_out(company: Company) -> None:
    assert "September 2026: all cost groups" in " ".join(
        page(company, "controller", f"/summary/?period={SEPTEMBER}").split()
    )
    assert "There is no month before" in page(company, "controller", f"/summary/{SEPTEMBER}/")
    assert client(company, "controller").get("/summary/2026-11/").status_code == 404
    assert client(company, "controller").get("/summary/rubbish/").status_code in {400, 404}


def test_empty_books_say_what_to_do(company: Company) -> None:
    Close.objects.update(issued_at=None)
    assert "No documents are out yet" in page(company, "analyst")
    Close.objects.all().delete()
    assert "Nothing to measure yet" in page(company, "analyst", "/measures/")


def test_measures_say_value_threshold_and_what_they_count(company: Company) -> None:
    text = page(company, "auditor", "/measures/")
    assert "Measures of October 2026" in text
    for name in ("Allocated share", "Tag coverage", "GL recharge rate", "Days to resolve", "Anomaly cost"):
        assert name in text
    assert f"{money(221_078 - 2_399)} of {money(221_078)}" in text
    assert "not known yet: name the pools in the settings" in text
    for address in re.findall(r'class="row-link" href="([^"]+)"', text):
        assert client(company, "auditor").get(address.replace("&amp;", "&")).status_code == 200, address


def test_measures_in_german_have_german_figures(company: Company) -> None:
    person = company.person("controller")
    person.language = "de"
    person.save()
    assert "2.210,78" in page(company, "controller", "/measures/")
