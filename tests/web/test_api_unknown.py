"""Whatever a route does not know is refused and does nothing: a field, a filter, a precondition that is left empty."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apportion.api.site import api
from apportion.records.audit import AuditEntry
from apportion.records.disputes import Attachment, Comment, Dispute
from apportion.records.journals import LedgerJournal
from apportion.records.work import Work
from tests.company import Company
from tests.web.api_calls import ROOT, Caller, key_of, operations

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

SCHEMA = api.get_openapi_schema()
ACTS = ("accept", "reopen", "void", "reverse")


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(name="red")
def red_fixture(company: Company) -> Caller:
    return Caller(key_of(company.person("red")))


@pytest.fixture(name="controller")
def controller_fixture(company: Company) -> Caller:
    return Caller(key_of(company.person("controller")))


def named(response: Any) -> list[str]:
    """The fields that a refusal names."""
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "INVALID_REQUEST"), response.content
    assert all(each["advice"] for each in problem["errors"] if each["code"] == "extra_forbidden")
    return [each["place"]["field"] for each in problem["errors"]]


def test_a_field_written_wrongly_does_not_make_another_act_of_it(
    company: Company, red: Caller, controller: Caller
) -> None:
    document, before = company.document("red-web").pk, Dispute.objects.count()
    wrong = {"line": 1, "reason": "wrong_amount", "text": "five too much", "claim": "5.00"}
    refused = red.post(f"/documents/{document}/disputes", wrong)
    assert named(refused) == ["claim"]
    assert refused.json()["detail"] == "claim: This call takes no such field."
    assert Dispute.objects.count() == before
    assert named(red.post(f"/documents/{document}/comments", {"text": "ok", "extra": 1})) == ["extra"]
    assert not Comment.objects.filter(text="ok").exists()
    assert named(controller.post("/periods/2026-10/journals", {"knd": "accrual"})) == ["knd"]
    assert not LedgerJournal.objects.exists()


def test_a_filter_written_wrongly_does_not_give_everything(red: Caller, controller: Caller) -> None:
    assert named(red.get("/documents?perod=2026-10")) == ["perod"]
    assert named(red.get("/documents?limit=5&Period=2026-10")) == ["Period"]
    assert named(controller.get("/periods/2026-10?kind=accrual")) == ["kind"]
    assert named(controller.get("/audit/export.csv?ackt=accept")) == ["ackt"]
    assert red.get("/documents?period=2026-10&limit=5&page=1").status_code == 200


def test_every_mistake_is_named_at_once(red: Caller) -> None:
    assert sorted(named(red.get("/documents?perod=2026-10&limit=0"))) == ["limit", "perod"]
    both = red.post("/documents/accept?below=1", {"documents": ["x"], "remrk": ""})
    assert sorted(named(both)) == ["below", "documents.0", "remrk"]


@pytest.mark.parametrize("operation", list(operations()), ids=lambda each: each.name)
def test_no_route_takes_a_parameter_that_it_does_not_know(operation: Any, company: Company) -> None:
    """The schema closes every body, and the route refuses what no schema can say."""
    said = SCHEMA["paths"][ROOT + operation.path][operation.method.lower()]
    for content in said.get("requestBody", {}).get("content", {}).values():
        shape = content["schema"]
        name = shape.get("$ref", "").rpartition("/")[2]
        assert (SCHEMA["components"]["schemas"][name] if name else shape)["additionalProperties"] is False
    names = dict.fromkeys(re.findall(r"\{(\w+)\}", operation.path), "1")
    address = operation.path.format_map(names | ({"period": "2026-10"} if "period" in names else {}))
    caller = Caller(key_of(company.person("controller")))
    if operation.rule.permission == "manage_people":
        caller = Caller(key_of(company.person("administrator")))
    elif operation.rule.permission in {"dispute", "accept"}:
        caller = Caller(key_of(company.person("red")))
    before = AuditEntry.objects.count()
    refused = caller.send(operation.method, f"{address}?unknwon=1", b"{}" if operation.method == "POST" else b"")
    assert "unknwon" in named(refused)
    assert AuditEntry.objects.count() == before


def test_a_route_without_a_body_takes_none_that_says_something(controller: Caller) -> None:
    assert named(controller.post("/periods/2026-10/issue", {"dry_run": True})) == ["dry_run"]
    assert named(controller.post("/periods/2026-10/issue", ["x"])) == ["body"]
    assert controller.send("POST", "/periods/2026-10/issue", b"{").status_code == 400
    assert controller.send("POST", "/periods/2026-10/issue", b"x=1", "text/plain").status_code == 415
    assert named(controller.send("GET", "/documents", b'{"period":"2026-10"}')) == ["period"]
    assert not Work.objects.exists()
    assert controller.send("POST", "/periods/2026-10/issue", b"").status_code == 202
    assert controller.post("/periods/2026-10/issue", {}).status_code == 202


def test_a_body_that_is_no_object_is_refused(company: Company, red: Caller) -> None:
    document = company.document("red-web").pk
    for body in (b"null", b"[]", b'"x"', b"5", b"true"):
        assert named(red.send("POST", f"/documents/{document}/accept", body)) == ["body"], body


def test_files_come_with_the_fields_that_are_known(company: Company, red: Caller) -> None:
    document = company.document("red-web").pk

    def send(**fields: Any) -> Any:
        return red.upload(f"/documents/{document}/attachments", fields)

    file = ("note.txt", b"one", "text/plain")
    assert named(send(files=SimpleUploadedFile(*file), disput="1")) == ["disput"]
    assert named(send(files=SimpleUploadedFile(*file), file=SimpleUploadedFile(*file))) == ["file"]
    assert not Attachment.objects.exists()
    assert send(files=SimpleUploadedFile(*file)).status_code == 201


def test_a_form_where_json_is_taken_is_no_fault(company: Company, red: Caller) -> None:
    browser = Client(raise_request_exception=False, enforce_csrf_checks=True)
    browser.force_login(company.person("red"))
    browser.get(f"{ROOT}/docs")
    token = {"X-CSRFToken": browser.cookies["csrftoken"].value}
    for act in ("accept", "disputes"):  # one with a body whose fields may all be left out, one without
        address = f"{ROOT}/documents/{company.document('red-web').pk}/{act}"
        sent = browser.post(address, {"remark": "x"}, headers=token)
        assert (sent.status_code, sent.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    sent = Client(raise_request_exception=False).post(
        f"{ROOT}/periods/2026-10/issue",
        {"file": SimpleUploadedFile("a.txt", b"a")},
        headers={"Authorization": f"Bearer {key_of(company.person('controller'))}"},
    )
    assert sent.status_code == 415
    assert not Work.objects.exists()


def test_what_is_named_is_said_in_few_words_whatever_it_is_called(company: Company, red: Caller) -> None:
    address = f"/documents/{company.document('red-web').pk}/accept"
    assert red.send("POST", address, b'{"\\ud800":1}').status_code == 422
    assert red.get("/documents?%00%ff=1").status_code == 422
    long = red.post(address, {"x" * 100_000: 1})
    assert (long.status_code, len(long.content) < 3_000) == (422, True)
    many = red.post(address, {f"x{number}": 1 for number in range(5_000)})
    assert "and 4999 more" in many.json()["detail"]
    assert len(many.json()["errors"]) == 100


@pytest.mark.parametrize("tag", ["", " ", ",", '""'])
def test_an_empty_precondition_is_one_that_does_not_hold(
    company: Company, red: Caller, controller: Caller, tag: str
) -> None:
    document = company.document("red-web")
    before = AuditEntry.objects.count()
    for act in ACTS:
        caller = red if act == "accept" else controller
        body = {} if act == "accept" else {"reason": "x"}
        refused = caller.post(f"/documents/{document.pk}/{act}", body, If_Match=tag)
        assert (refused.status_code, refused.json()["code"]) == (412, "CHANGED_SINCE"), act
        assert refused.json()["advice"]
    document.refresh_from_db()
    assert document.review_state == "awaiting_review"
    assert AuditEntry.objects.count() == before
    assert red.post(f"/documents/{document.pk}/accept", {}, If_Match="*").status_code == 200


def test_the_answers_are_not_closed(red: Caller) -> None:
    """Fields may be added to answers: only what comes in is held to what is known."""
    assert "additionalProperties" not in SCHEMA["components"]["schemas"]["DocumentOut"]
    assert json.loads(red.get("/documents?limit=1").content)["items"]
