"""A page that was answered leaves nothing behind for the garbage collector, and what all ask for is worked out once."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client

from apportion.records.stamp import kept
from tests.company import Company

pytestmark = pytest.mark.thorough

_FEW = 60  # a form and its fields point at each other, which is Django's own


@pytest.fixture(name="open_books", autouse=True)
def open_books_fixture() -> Iterator[None]:
    """The connection stays, as with Django's test client: it holds the transaction of the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def _opened(handler: WSGIHandler, cookie: str, path: str) -> str:
    """A page as a server asks for it: Django's test client keeps what it is given."""
    told: list[str] = []

    def begin(status: str, _headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
        told.append(status)
        return lambda _part: None

    asked: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "HTTP_COOKIE": f"{settings.SESSION_COOKIE_NAME}={cookie}",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
    }
    answer = handler(asked, begin)
    b"".join(answer)
    answer.close()
    return told[0]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/close/2026-10/", "/documents/{}/", "/", "/summary/", "/measures/", "/search/"])
def test_a_page_leaves_nothing_behind(path: str, company: Company) -> None:
    path = path.format(company.document("red-web").pk)
    client = Client()
    client.force_login(company.person("controller"))
    handler, cookie = WSGIHandler(), client.cookies[settings.SESSION_COOKIE_NAME].value
    assert _opened(handler, cookie, path) == "200 OK"  # the first to open it makes what is kept
    gc.collect()
    gc.disable()
    try:
        assert _opened(handler, cookie, path) == "200 OK"
        assert gc.collect() < _FEW
    finally:
        gc.enable()


def test_what_many_ask_for_at_once_is_worked_out_once() -> None:
    made: list[str] = []

    @kept(most=4)
    def slow(stamp: str, period: str) -> str:
        time.sleep(0.05)
        made.append(period)
        return f"{stamp} {period}"

    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(slow("now", "2026-10"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["now 2026-10"] * 6
    assert made == ["2026-10"]
    assert [slow("", "2026-10"), slow("", "2026-10")] == [" 2026-10"] * 2  # without a stamp nothing is kept
    assert len(made) == 3
