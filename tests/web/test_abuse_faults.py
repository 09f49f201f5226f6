"""Faults: books that are gone, locked or full, and texts that were touched: said so, with nothing of the inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from apportion.records.audit import AuditEntry
from apportion.records.disputes import Comment
from apportion.records.documents import Document
from apportion.records.triggers import install, remove
from tests.company import PASSWORD, Company
from tests.web.api_calls import Caller, key_of

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]
INSIDE = ("Traceback", "sqlite", "psycopg", "OperationalError", "site-packages", "SELECT ", "records_")


def client_of(company: Company, name: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(company.person(name))
    return client


@contextmanager
def broken(error: Exception, when: Callable[[str], bool]) -> Iterator[None]:
    """The database fails with this at every statement that `when` says."""

    def wrapped(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if when(sql):
            raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapped):
        yield


AWAY = [
    OperationalError("database is locked"),
    OperationalError("database or disk is full"),
    OperationalError("attempt to write a readonly database"),
    OperationalError("server closed the connection unexpectedly"),
    InterfaceError("connection already closed"),
]


@pytest.mark.parametrize("error", AWAY, ids=str)
def test_books_that_cannot_be_written_leave_nothing_half_done(error: Exception, company: Company) -> None:
    client, number = client_of(company, "red"), company.document("red-web").pk
    was = (AuditEntry.objects.count(), Comment.objects.count(), Document.objects.get(pk=number).review_state)
    for table in ("records_auditentry", "records_audithead", "records_message", "records_comment"):
        with broken(error, lambda sql, table=table: table in sql and not sql.startswith("SELECT")):  # type: ignore[misc]
            for act, said in (("accept", {}), ("comment", {"text": "Hello"})):
                answer = client.post(f"/documents/{number}/{act}/", said)
                if answer.status_code == 302:  # it writes nothing there
                    continue
                assert answer.status_code == 503
                assert "cannot be reached" in answer.content.decode()
                assert answer.headers["Retry-After"]
                assert not [word for word in INSIDE if word in answer.content.decode()]
    assert AuditEntry.objects.count() - was[0] == Comment.objects.count() - was[1] + (
        Document.objects.get(pk=number).review_state != was[2]
    ), "an act without its entry, or an entry without its act"


@pytest.mark.parametrize("error", AWAY, ids=str)
def test_books_that_cannot_be_read_are_said_to_be_away(error: Exception, company: Company) -> None:
    client, caller = client_of(company, "red"), Caller(key_of(company.person("red")))
    with broken(error, lambda _: True):
        for address in ("/", "/documents/", "/sign-in/", "/api/v1/documents"):
            answer = client.get(address)
            assert answer.status_code in {503, 200 if address == "/sign-in/" else 503}, address
            assert "Content-Security-Policy" in answer.headers
            assert not [word for word in INSIDE if word in answer.content.decode()]
        answer = caller.get("/documents")
        assert (answer.status_code, answer.json()["code"]) == (503, "BUSY")


def test_a_fault_of_the_program_shows_nothing_of_it(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("secret " + PASSWORD)

    monkeypatch.setattr("apportion.records.reach.documents", fails)
    for address in ("/documents/", "/search/?q=red", "/api/v1/documents"):
        answer = client_of(company, "red").get(address)
        assert answer.status_code == 500
        assert PASSWORD not in answer.content.decode()
        assert "Traceback" not in answer.content.decode()
        assert "Content-Security-Policy" in answer.headers


def test_a_text_that_was_touched_is_not_shown(company: Company) -> None:
    """Somebody gets past the triggers and changes an issued document."""
    row = company.document("red-web")
    text = row.body.text
    remove(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE records_documentbody SET text = %s WHERE document_id = %s", [text.replace("910", "1"), row.pk]
        )
    try:
        client = client_of(company, "controller")
        for address in ("", "lines/1/", "download/pdf/", "download/csv/", "download/xlsx/", "dispute/"):
            answer = client.get(f"/documents/{row.pk}/{address}")
            said = answer.content.decode()
            assert answer.status_code in {403, 409}, (address, answer.status_code)
            assert "is not what was issued" in said or answer.status_code == 403
        for address in (
            "/documents/?period=2026-10",
            "/close/2026-10/",
            "/",
            "/summary/",
            f"/groups/{row.cost_group_id}/",
        ):
            assert client.get(address).status_code == 200, address
        assert client_of(company, "red").post(f"/documents/{row.pk}/dispute/", {"about": "1"}).status_code == 409
    finally:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE records_documentbody SET text = %s WHERE document_id = %s", [text, row.pk])
        install(connection)
