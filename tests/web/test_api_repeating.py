"""Writes that come twice, cross each other, or break off: each is done once or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from apportion.actions.repeating import UNDER_WAY, Answer, StillUnderWayError, once
from apportion.records.audit import AuditEntry
from apportion.records.disputes import Comment
from apportion.records.people import ApiToken
from apportion.records.work import IdempotencyKey, Work
from tests.company import Company
from tests.web.api_calls import Caller, key_of

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


def test_a_repeated_write_is_answered_as_before_and_done_once(company: Company, red: Caller) -> None:
    document = company.document("red-web").pk
    first = red.post(f"/documents/{document}/comments", {"text": "Once."}, Idempotency_Key="one")
    again = red.post(f"/documents/{document}/comments", {"text": "Once."}, Idempotency_Key="one")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert (first.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert Comment.objects.filter(text="Once.").count() == 1
    for other in (
        red.post(f"/documents/{document}/comments", {"text": "Twice."}, Idempotency_Key="one"),
        red.post(f"/documents/{document}/accept", {}, Idempotency_Key="one"),
    ):
        assert (other.status_code, other.json()["code"]) == (422, "KEY_REUSED")
    assert red.post(f"/documents/{document}/accept", {}, Idempotency_Key="two").status_code == 200
    assert red.post(f"/documents/{document}/accept", {}, Idempotency_Key="two").status_code == 200
    assert AuditEntry.objects.filter(act="accept", subject_id=str(document)).count() == 1
    refused = red.post(f"/documents/{document}/accept", {}, Idempotency_Key="three")
    repeated = red.post(f"/documents/{document}/accept", {}, Idempotency_Key="three")
    assert (refused.status_code, refused.content) == (repeated.status_code, repeated.content) == (409, refused.content)
    assert red.post(f"/documents/{document}/accept", {}, Idempotency_Key=" bad key ").status_code == 422


def test_two_people_may_use_the_same_key(company: Company, red: Caller, controller: Caller) -> None:
    document = company.document("red-web").pk
    for caller in (red, controller):
        made = caller.post(f"/documents/{document}/comments", {"text": "Mine."}, Idempotency_Key="same")
        assert made.status_code == 201
    assert Comment.objects.filter(text="Mine.").count() == 2


def test_a_repeated_upload_is_kept_once(company: Company, red: Caller) -> None:
    document = company.document("red-web").pk

    def send(text: bytes) -> int:
        file = SimpleUploadedFile("note.txt", text, "text/plain")
        sent = red.upload(f"/documents/{document}/attachments", {"files": file}, Idempotency_Key="u")
        return int(sent.status_code)

    assert [send(b"one"), send(b"one"), send(b"two")] == [201, 201, 422]
    listed = red.get(f"/documents/{document}/attachments").json()
    assert listed["total"] == 1
    got = red.get(f"/attachments/{listed['items'][0]['id']}")
    assert b"".join(got.streaming_content) == b"one"
    assert got["Content-Disposition"].startswith("attachment")


def test_a_call_under_way_a_left_one_and_a_failed_one(company: Company) -> None:
    person = company.person("red")
    done: list[int] = []

    def act() -> Answer:
        done.append(1)
        with pytest.raises(StillUnderWayError):
            once(person, "k", "POST /x", "d", lambda: Answer(200, "inner"))
        return Answer(201, "outer")

    assert once(person, "k", "POST /x", "d", act) == Answer(201, "outer")
    assert once(person, "k", "POST /x", "d", act) == Answer(201, "outer", is_repeated=True)
    left = IdempotencyKey.objects.create(person=person, key="left", route="POST /x", request_digest="d")
    with pytest.raises(StillUnderWayError):
        once(person, "left", "POST /x", "d", lambda: Answer(200, ""))
    IdempotencyKey.objects.filter(pk=left.pk).update(at=timezone.now() - 2 * UNDER_WAY)
    assert once(person, "left", "POST /x", "d", lambda: Answer(200, "late")).body == "late"

    def fails() -> Answer:
        Comment.objects.all().delete()
        raise RuntimeError("the disk is gone")

    before = Comment.objects.count()
    with pytest.raises(RuntimeError), transaction.atomic():
        once(person, "f", "POST /x", "d", fails)
    assert Comment.objects.count() == before
    assert once(person, "f", "POST /x", "d", lambda: Answer(200, "then")).body == "then"
    assert len(done) == 1


def test_a_secret_is_given_once_and_not_kept(company: Company, controller: Caller) -> None:
    until = (timezone.localdate() + timedelta(days=3)).isoformat()
    body = {"name": "Reports", "scopes": ["see_documents"], "expires_on": until}
    made = controller.post("/me/tokens", body, Idempotency_Key="token")
    assert made.status_code == 201
    assert Caller(made.json()["token"]).get("/documents").status_code == 200
    again = controller.post("/me/tokens", body, Idempotency_Key="token")
    assert (again.status_code, again.json()["code"]) == (409, "GIVEN_ONCE")
    assert ApiToken.objects.filter(name="Reports").count() == 1
    assert made.json()["token"] not in IdempotencyKey.objects.get(key="token").answer
    assert controller.post(f"/tokens/{made.json()['id']}/revoke").json()["revoked_at"]
    assert Caller(made.json()["token"]).get("/documents").status_code == 401


def test_whoever_read_an_older_state_is_told(company: Company, red: Caller) -> None:
    document = company.document("red-web").pk
    tag = red.get(f"/documents/{document}")["ETag"]
    company_wide = Caller(key_of(company.person("controller")))
    later = (timezone.localdate() + timedelta(days=90)).isoformat()
    moved = company_wide.post(
        "/documents/extend-deadline", {"documents": [document], "until": later, "reason": "Holidays"}
    )
    assert moved.json()[0]["review_until"] == later
    refused = red.post(f"/documents/{document}/accept", {}, If_Match=tag)
    assert (refused.status_code, refused.json()["code"]) == (412, "CHANGED_SINCE")
    now = red.get(f"/documents/{document}")["ETag"]
    assert red.post(f"/documents/{document}/accept", {}, If_Match=now).status_code == 200


def test_work_that_takes_long_is_asked_for_once(controller: Caller) -> None:
    first, again = controller.post("/periods/2026-10/issue"), controller.post("/periods/2026-10/issue")
    assert (first.status_code, first.json()["id"]) == (202, again.json()["id"])
    assert Work.objects.count() == 1
    assert controller.get(f"/work/{first.json()['id']}").json()["state"] == "waiting"
