"""Whatever is refused is a problem document, says what is wrong and where, and gives nothing away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from apportion.api.problems import kinds, problem_of, status_of
from apportion.errors import ApportionError, DocumentError, Mistake, Place
from apportion.records.audit import AuditEntry
from tests.company import PASSWORD, Company
from tests.web.api_calls import ROOT, Caller, key_of

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize(
    ("method", "path", "body", "media", "status", "code"),
    [
        ("GET", "/nowhere", b"", "", 404, "NO_SUCH_ROUTE"),
        ("GET", "/documents/abc", b"", "", 404, "NO_SUCH_ROUTE"),
        ("GET", "/documents/999999", b"", "", 404, "NOT_FOUND"),
        ("GET", "/documents/99999999999999999999999", b"", "", 422, "INVALID_REQUEST"),
        ("GET", "/documents?period=2026-13", b"", "", 422, "INVALID_REQUEST"),
        ("GET", "/documents?search=%00", b"", "", 422, "INVALID_REQUEST"),
        ("GET", "/documents?changed_since=0001-01-01T00:00:00%2B14:00", b"", "", 422, "INVALID_REQUEST"),
        ("PUT", "/documents", b"{}", "application/json", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/documents/accept", b"", "", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/documents/accept", b"{", "application/json", 400, "BAD_REQUEST"),
        ("POST", "/documents/accept", b"\xff\xfe", "application/json", 400, "BAD_REQUEST"),
        ("POST", "/documents/accept", b"[" * 100_000, "application/json", 400, "BAD_REQUEST"),
        ("POST", "/documents/accept", b"{}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", "/documents/accept", b" " * 3_000_000, "application/json", 413, "TOO_LARGE"),
        ("POST", "/documents/accept", b'{"documents":["x"]}', "application/json", 422, "INVALID_REQUEST"),
        ("POST", "/documents/accept", b'{"remark":"\\ud800"}', "application/json", 422, "INVALID_REQUEST"),
        ("POST", "/people", b"{}", "application/json", 403, "FORBIDDEN"),
    ],
)
def test_whatever_is_refused_is_a_problem(
    red: Caller, method: str, path: str, body: bytes, media: str, status: int, code: str
) -> None:
    refused = red.send(method, path, body, media or "application/json")
    assert (refused.status_code, refused["Content-Type"]) == (status, "application/problem+json"), refused.content
    problem = refused.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == refused["X-Request-ID"]
    assert problem["detail"].endswith((".", ")")) or problem["detail"]
    explained = Caller().get(problem["type"].removeprefix(ROOT))
    assert (explained.status_code, explained.json()["code"]) == (200, code)
    if status == 405:
        assert refused["Allow"]
    if code == "INVALID_REQUEST":
        assert all(each["place"]["field"] for each in problem["errors"])


def test_addresses_outside_are_no_pages_either() -> None:
    for path in ("/api/", "/api/v2/documents", "/api/v1/", "/api/v1/documents/"):
        refused = Client().get(path)
        assert (refused.status_code, refused["Content-Type"]) == (404, "application/problem+json"), path


def test_a_wrong_host_gets_no_page_either() -> None:
    refused = Client(SERVER_NAME="elsewhere.example").get("/api/v1/documents")
    assert (refused.status_code, refused["Content-Type"]) == (400, "application/problem+json")


def test_a_fault_shows_a_number_and_nothing_inside(red: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("password=hunter2 at /srv/secret.py")

    monkeypatch.setattr("apportion.records.reach.disputes", broken)
    failed = red.get("/disputes")
    assert (failed.status_code, failed.json()["code"]) == (500, "FAULT")
    assert b"hunter2" not in failed.content
    assert b"secret.py" not in failed.content
    assert failed.json()["request_id"] == failed["X-Request-ID"]


def test_every_kind_of_refusal_has_a_status_a_title_and_a_meaning() -> None:
    found = Caller().get("/problems").json()
    assert {each["code"] for each in found} == {kind.code for kind in kinds()}
    for each in found:
        assert 400 <= each["status"] <= 503
        assert each["title"]
        assert each["meaning"].endswith("."), each["code"]
    mistakes = [Mistake("A", "Wrong.", Place("policy.yaml", line=3)), Mistake("B", "Worse.", Place("policy.yaml"))]
    problem = problem_of(DocumentError(mistakes), "1")
    assert [(wrong.code, wrong.place.line) for wrong in problem.errors] == [("A", 3), ("B", None)]
    assert status_of(ApportionError("?")) == 409


def test_a_session_works_and_a_forged_form_does_not(company: Company) -> None:
    browser = Client(enforce_csrf_checks=True)
    person = company.person("red")
    assert person.check_password(PASSWORD)
    browser.force_login(person)
    assert browser.get(f"{ROOT}/me").json()["person"]["email"] == "red@example.com"
    address = f"{ROOT}/documents/{company.document('red-web').pk}/accept"
    forged = browser.post(address, "{}", content_type="application/json")
    assert (forged.status_code, forged["Content-Type"]) == (403, "application/problem+json")
    browser.get("/api/v1/docs")
    token = browser.cookies["csrftoken"].value
    sent = browser.post(address, "{}", content_type="application/json", headers={"X-CSRFToken": token})
    assert sent.status_code == 200, sent.content
    assert AuditEntry.objects.filter(act="accept").latest("number").via == "api"


def test_what_was_refused_by_rights_is_in_the_chain(company: Company, red: Caller) -> None:
    before = AuditEntry.objects.count()
    assert red.post("/periods/2026-10/seal").status_code == 403
    assert red.post(f"/documents/{company.document('green').pk}/accept").status_code == 404
    entries = AuditEntry.objects.filter(number__gt=before)
    assert {each.act for each in entries} == {"refused: call route"}
    assert len(entries) == 2
    assert red.get("/audit").status_code == 403
    assert AuditEntry.objects.count() == before + 2
