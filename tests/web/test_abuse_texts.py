"""Hostile names, tags, services, resources and comments: always text, never mark-up, formula, header or code."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.test import Client

from apportion.actions.policy.claims import claim
from apportion.actions.review.commenting import comment
from apportion.actions.review.disputing import dispute
from apportion.records.people import Person
from tests import company as companies
from tests.company import MONTHS, OCTOBER, ORGANIZATION, POLICY, Company, company_fixture
from tests.rooms.cli.harbour import focus_csv
from tests.rooms.close import workspaces
from tests.web.api_calls import ROOT, Operation, key_of, operations
from tests.web.test_rights import ROUTES, Route, Things, by_address, things_fixture

__all__ = ["company_fixture", "things_fixture"]

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]
EVIL = '=1+1"><zz-evil onx=1>\'<!--</script></style></textarea>#panic("x")$x$*_@a {{7*7}}{% now %}'
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
READ = [each for each in ROUTES if each.rule and "GET" in each.rule.methods]


def hostile(plain: str) -> str:
    return f"{EVIL} {plain}"


def _document(text: str, names: tuple[str, ...]) -> str:
    for name in names:
        text = text.replace(f"name: {name}", f"name: {json.dumps(hostile(name))}")
    return text


@pytest.fixture(name="delivered", scope="module")
def delivered_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company, but everything that somebody could name is hostile."""
    root = tmp_path_factory.mktemp("hostile") / "books"
    teams = ("red-web", "red-app", "green", "")

    def month(charges: Any, period: Any = OCTOBER) -> str:
        first, after = f"{period.starts_on}T00:00:00Z", f"{period.ends_on}T00:00:00Z"
        rows = [
            {
                "BilledCost": cost,
                "ServiceName": service if service == "Support" else hostile(service),
                "ResourceId": hostile(f"resource {number}"),
                "SubAccountId": hostile("account"),
                "Tags": json.dumps({"team": team or hostile("nobody"), hostile("key"): hostile("value")}),
                "BillingPeriodStart": first,
                "BillingPeriodEnd": after,
                "ChargePeriodStart": f"{period}-05T00:00:00Z",
                "ChargePeriodEnd": f"{period}-06T00:00:00Z",
            }
            for number, (team, service, cost) in enumerate(charges)
        ]
        return focus_csv(rows)

    assert {team for each in MONTHS.values() for team, _service, _cost in each} == set(teams)
    patch = pytest.MonkeyPatch()
    patch.setattr(workspaces, "month", month)
    try:
        workspaces.workspace(
            root,
            MONTHS,
            organization=_document(
                ORGANIZATION, ("Northwind", "Division Red", "Red web shop", "Red app", "Division Green")
            ),
            policy=_document(POLICY, ("Support plans", "Tag team", "Support")),
            allocated=False,
        )
    finally:
        patch.undo()
    return root


@pytest.fixture(name="company", scope="module")
def hostile_fixture(request: pytest.FixtureRequest) -> Iterator[Company]:
    """The hostile company; its people are hostile, too, and say hostile things."""
    patch = pytest.MonkeyPatch()
    fill = companies.fill
    patch.setattr(companies, "fill", lambda root: fill(root, disputed=False))
    try:
        made: Company = request.getfixturevalue("hostile_books")
        Person.objects.filter(email__in=["red@example.com", "analyst@example.com"]).update(name=hostile("Red"))
        web, app = made.document("red-web"), made.document("red-app")
        comment(made.actor("red"), web.pk, hostile("said"))
        comment(made.actor("red"), web.pk, f"{EVIL}\n\n@second javascript:alert(1) https://evil.example/")
        dispute(made.actor("red"), app.pk, line=1, reason="unclear", text=hostile("disputed"), claimed_minor=1)
        claim(made.actor("analyst"), OCTOBER, {"tags.team": hostile("nobody")}, "green", hostile("note"))
        yield made
    finally:
        patch.undo()


hostile_books = pytest.fixture(name="hostile_books", scope="module")(company_fixture.__wrapped__)  # type: ignore[attr-defined]


class Looker(HTMLParser):
    """Notes whatever a text has become that is no text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = dict(attributes)
        if tag == "zz-evil" or any(name.startswith("on") for name in said):
            self.found.append(f"<{tag} {attributes}>")
        if tag == "script" and "src" not in said and said.get("type") != "application/json":
            self.found.append("a script in the page")
        if any((value or "").strip().lower().startswith("javascript:") for value in said.values()):
            self.found.append(f"a script in an address of {tag}")

    def handle_comment(self, data: str) -> None:
        self.found.append(f"<!--{data[:40]}")


def client_of(company: Company, name: str) -> Client:
    client = Client()
    client.force_login(company.person(name))
    return client


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if getattr(answer, "streaming", False) else answer.content


def is_safe(answer: Any) -> bool:
    """Checks one answer by its kind; whether a hostile text was in it."""
    kind, body = answer.headers.get("Content-Type", ""), content(answer)
    assert "Content-Security-Policy" in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "zz-evil" not in str(answer.headers), "in a header"
    if "attachment" not in answer.headers.get("Content-Disposition", ""):
        assert kind.startswith(("text/html", "application/json", "application/problem+json")), kind
    if kind.startswith("text/html"):
        looker = Looker()
        looker.feed(body.decode())
        assert looker.found == []
    elif kind.startswith("text/csv"):
        for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")):
            for cell in row:
                assert not cell.startswith(STARTS) or re.fullmatch(r"-?[0-9.]+", cell), cell
    elif "spreadsheetml" in kind:
        book = openpyxl.load_workbook(io.BytesIO(body))
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert all(cell.data_type != "f" and cell.hyperlink is None for cell in cells)
        return any("zz-evil" in str(cell.value) for cell in cells)
    return b"zz-evil" in body


QUERIES = {
    "documents/<int:document>/lines/<int:line>/": ("view=working", "view=resources", "view=days"),
    "disputes/<int:dispute>/decide/": ("outcome=upheld&settle=cost_group&settle_to=green",),
    "disputes/<int:dispute>/moves/": ("outcome=upheld&settle=cost_group&settle_to=green",),
    "search/": ("q=zz-evil", "q=" + "%3Czz-evil%20onx%3D1%3E"),
    "documents/": ("q=zz-evil&period=all", "group=%22%3E%3Czz-evil%20onx%3D1%3E&q=%22%3E%3Czz-evil%3E"),
    "groups/": ("q=%22%3E%3Czz-evil%20onx%3D1%3E",),
    "work-list/": ("kind=untagged", "kind=unallocated"),
    "audit/": ("text=zz-evil", "person=%22%3E%3Czz-evil%20onx%3D1%3E"),
}


@pytest.mark.parametrize("route", READ, ids=by_address)
def test_no_page_takes_a_text_for_anything_else(route: Route, things: Things, company: Company) -> None:
    for name in ("controller", "red", "administrator", "auditor", "executive"):
        client = client_of(company, name)
        for query in ("", *QUERIES.get(route.address, ())):
            for formats in ("csv", "xlsx", "pdf") if "format" in route.names else ("",):
                address = things.address(route).replace("/csv/", f"/{formats}/")
                is_safe(client.get(f"{address}?{query}"))


@pytest.mark.parametrize("address", ["/documents/", "/groups/", "/search/?q=zz-evil", "/", "/work-list/"])
def test_the_hostile_texts_are_really_there(address: str, company: Company) -> None:
    answer = client_of(company, "controller").get(address)
    assert answer.status_code == 200
    assert is_safe(answer)


def test_papers_and_lists_hold_it_as_text(company: Company) -> None:
    number = company.document("red-web").pk
    client = client_of(company, "controller")
    for kind in ("csv", "xlsx"):
        assert is_safe(client.get(f"/documents/{number}/download/{kind}/")), kind
    paper = client.get(f"/documents/{number}/download/pdf/")
    assert paper.status_code == 200
    assert paper.content.startswith(b"%PDF-")
    assert b"/JavaScript" not in paper.content
    assert is_safe(client_of(company, "auditor").post("/audit/export/csv/", {}))


@pytest.mark.parametrize(
    "operation", [each for each in operations() if each.method == "GET"], ids=lambda each: each.name
)
def test_no_answer_of_the_api_is_a_page(operation: Operation, things: Things, company: Company) -> None:
    ids = {**things.ids, "work": 1, "webhook": things.ids["endpoint"], "code": "NOT_FOUND"}
    path = re.sub(r"\{(\w+)\}", lambda found: str(ids[found[1]]), operation.path)
    for name in ("controller", "auditor", "administrator"):
        key = key_of(company.person(name))
        answer = Client().get(f"{ROOT}{path}?period=2026-10", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code < 500
        assert not answer.headers["Content-Type"].startswith("text/html")
        is_safe(answer)
