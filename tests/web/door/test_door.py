"""What comes through the door: whole bodies, not too large, and never so many senders that nobody else is served."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test import RequestFactory

from apportion.web.door import REFUSED, Door
from apportion.web.door.balance import Balance

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_MOST = 3_000_000


class Inside:
    """An application that tells what reached it."""

    def __init__(self) -> None:
        self.reached: list[tuple[HTTPStatus | None, bytes]] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.reached.append((environ.get(REFUSED), body))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]


class Slow(io.RawIOBase):
    """A sender that gives one byte and then nothing, until it is told to go away."""

    def __init__(self) -> None:
        self.asked, self.gone = threading.Event(), threading.Event()

    def read(self, size: int = -1) -> bytes:
        if not self.asked.is_set():
            self.asked.set()
            return b"a"
        assert self.gone.wait(60)
        return b""


def sent(
    door: Door, stream: Any, length: int | str, method: str = "POST", protocol: str = "HTTP/1.1", encoding: str = ""
) -> dict[str, str]:
    """The headers of the answer."""
    found: dict[str, str] = {}

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
        found.update({name.lower(): value for name, value in headers})
        return lambda _: None

    environ = {"REQUEST_METHOD": method, "SERVER_PROTOCOL": protocol, "wsgi.input": stream}
    if encoding:
        environ["HTTP_TRANSFER_ENCODING"] = encoding
    assert b"".join(door({**environ, "CONTENT_LENGTH": str(length)}, start)) == b"ok"
    return found


@pytest.mark.parametrize("size", [1, 65_536, 1_048_577, _MOST])
def test_a_body_arrives_whole(size: int) -> None:
    inside, body = Inside(), bytes(index % 251 for index in range(size))
    assert "connection" not in sent(Door(inside, _MOST), io.BytesIO(body + b"the next request"), size)
    assert inside.reached == [(None, body)]


@pytest.mark.parametrize("said", ["", "0", "-1", "many", "٣"])
def test_no_length_is_no_body(said: str) -> None:
    inside, stream = Inside(), io.BytesIO(b"not read")

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return inside({**environ, "CONTENT_LENGTH": "0"}, start_response)

    sent(Door(application, _MOST), stream, said)
    assert inside.reached == [(None, b"")]
    assert stream.tell() == 0


def test_a_body_in_pieces_is_not_taken() -> None:
    """Nobody could tell half of one from all of it."""
    inside, stream = Inside(), io.BytesIO(b"pieces")
    assert sent(Door(inside, _MOST), stream, "", encoding="Chunked")["connection"] == "close"
    assert inside.reached == [(HTTPStatus.LENGTH_REQUIRED, b"")]
    assert stream.tell() == 0


def test_more_than_is_taken_is_not_even_read() -> None:
    inside, stream = Inside(), io.BytesIO(b"a" * 100)
    assert sent(Door(inside, _MOST), stream, _MOST + 1)["connection"] == "close"
    assert inside.reached == [(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"")]
    assert stream.tell() == 0


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/1.0", "HTTP/2.0"])
@pytest.mark.parametrize("too_much", [True, False])
def test_whether_it_is_too_much_is_asked_when_the_answer_is_there(
    tmp_path: Path, too_much: bool, protocol: str
) -> None:
    """On arrival would be too early: while a request waits for its turn, others have gone elsewhere."""
    shared = tmp_path / "shared"
    shared.touch()
    with closing(Balance(shared)) as balance, ExitStack() as under_way:
        inside = Inside()

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            monkeypatched.setattr(balance, "is_too_much", lambda: too_much)
            return inside(environ, start_response)

        monkeypatched = under_way.enter_context(pytest.MonkeyPatch.context())
        monkeypatched.setattr(balance, "is_too_much", lambda: not too_much)
        found = sent(Door(application, _MOST, balance), io.BytesIO(), 0, "GET", protocol)
    assert ("connection" in found) == (too_much and protocol == "HTTP/1.1")


class _Broken(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        raise OSError("reset by peer")


@pytest.mark.parametrize("stream", [io.BytesIO(b"login=red&passw"), _Broken()])
def test_half_a_form_is_not_acted_on(stream: Any) -> None:
    inside = Inside()
    assert sent(Door(inside, _MOST), stream, 40)["connection"] == "close"
    assert inside.reached == [(HTTPStatus.BAD_REQUEST, b"")]


def test_senders_that_never_finish_keep_nobody_from_reading() -> None:
    inside = Inside()
    door, senders = Door(inside, _MOST), [Slow() for _ in range(16)]
    threads = [threading.Thread(target=sent, args=(door, stream, 2), daemon=True) for stream in senders]
    for thread, stream in zip(threads, senders, strict=True):
        thread.start()
        assert stream.asked.wait(20)
    sent(door, io.BytesIO(), 0, "GET")
    assert inside.reached == [(None, b"")]
    assert sent(door, io.BytesIO(b"ab"), 2)["connection"] == "close"
    assert inside.reached[1:] == [(HTTPStatus.SERVICE_UNAVAILABLE, b"")]
    for stream in senders:
        stream.gone.set()
    for thread in threads:
        thread.join(20)
    sent(door, io.BytesIO(b"ab"), 2)
    assert inside.reached[-1] == (None, b"ab")


REFUSALS = [
    (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "TOO_LARGE", "More was sent at once than is taken."),
    (HTTPStatus.SERVICE_UNAVAILABLE, "BUSY", "Too many others are sending something at this moment."),
    (HTTPStatus.LENGTH_REQUIRED, "BAD_REQUEST", "What was sent does not say how long it is."),
    (HTTPStatus.BAD_REQUEST, "BAD_REQUEST", "What was sent did not arrive to its end."),
]


@pytest.mark.parametrize(("status", "code", "sentence"), REFUSALS)
@pytest.mark.parametrize("path", ["/sign-in/", "/api/v1/documents/accept"])
def test_what_was_not_let_in_is_said(path: str, status: HTTPStatus, code: str, sentence: str) -> None:
    from apportion.web.frame.middleware import Readable

    request = RequestFactory().post(path, **{REFUSED: status})  # type: ignore[arg-type]
    answer = Readable(lambda _: pytest.fail("it was let in"))(request)
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("60" if status == HTTPStatus.SERVICE_UNAVAILABLE else None)
    if path.startswith("/api/"):
        told = json.loads(answer.content)
        assert (told["code"], told["detail"], told["status"]) == (code, sentence, status)
    else:
        assert sentence in answer.content.decode()
