"""One HTTP client for every ledger: time limits, certificates, no redirects, bounded answers, no secrets told."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import re
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

from apportion.errors import BadValueError, InputRefusedError
from apportion.money.currency import exponent
from apportion.post.erp.errors import (
    NotAuthorisedError,
    TargetBusyError,
    TargetDownError,
    TargetRubbishError,
    TargetSilentError,
)
from apportion.post.erp.secret import Secret

MOST_BYTES = 64 * 2**20
_CHUNK = 2**16
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_MOST_WAIT = 3600
_EXCERPT = 300


class Number(str):
    """Digits that go into JSON as a number, exactly as they stand: no float is made of them."""

    __slots__ = ()


def json_text(value: object) -> str:
    """JSON of dicts, sequences, text, whole numbers, truth values, None and `Number`."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key))}:{json_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(json_text(item) for item in value) + "]"
    if value is None or isinstance(value, (str, int)):
        return json.dumps(value, ensure_ascii=False)
    raise TypeError(f"{type(value).__name__} does not go to a ledger")


def minor(value: object, currency: str) -> int:
    """An amount that a ledger told, as minor units. Raises `TargetRubbishError` unless it is one, to the last digit."""
    try:
        if isinstance(value, (bool, float)) or not isinstance(value, (int, str, Decimal)):  # float: refused
            raise ValueError
        scaled = Decimal(value).scaleb(exponent(currency))
        whole = int(scaled)
        if whole != scaled:
            raise ValueError
    except (ValueError, ArithmeticError, BadValueError):
        raise TargetRubbishError(
            f"The ledger tells an amount of {str(value)[:40]!r}, which is none in {currency}.",
            advice="Look at the entry in the ledger; nothing was marked as posted.",
        ) from None
    return whole


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, numbers with a point as `Decimal`. Raises `TargetRubbishError`."""
        try:
            return json.loads(self.body.decode("utf-8"), parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise TargetRubbishError(
                f"The ledger's answer (status {self.status}) is not JSON: {excerpt(self.body)}",
                advice="Is the address that of its interface, and not of a proxy or a sign-in page?",
            ) from None


def _no_constant(name: str) -> object:
    raise ValueError(name)


def excerpt(body: bytes) -> str:
    """The beginning of an answer, on one line, without its markup."""
    text = re.sub(r"<[^>]*>|[\x00-\x1f\x7f]+", " ", body[: _EXCERPT * 8].decode("utf-8", "replace"))
    text = re.sub(r" {2,}", " ", text).strip()
    return f"'{text[:_EXCERPT]}…'" if len(text) > _EXCERPT else f"'{text}'"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect, for each silence, and for a call as a whole; bytes of an answer."""

    connect: float = 10  # float: seconds
    silence: float = 300  # float: seconds
    whole: float = 900  # float: seconds
    most_bytes: int = MOST_BYTES


@dataclass(frozen=True)
class Caller:
    """Calls to one address. `headers` are made anew for each call and are never shown; nor are `secrets`.

    Plain http is taken for this machine only. Proxies of the environment are not asked, redirects are not followed.
    """

    url: str
    title: str
    headers: Callable[[str, str], Mapping[str, str]] = field(default=lambda _method, _url: {}, repr=False)
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    limits: Limits = Limits()
    certificates: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        is_here = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if (parts.scheme != "https" and not is_here) or not parts.hostname or parts.username or parts.query:
            raise InputRefusedError(
                f"'{parts.scheme}://{parts.hostname or ''}' is not an address that a journal may be sent to.",
                advice="Write an https:// address without user, password and question mark.",
            )

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, one answer with a status below 500; never repeated.

        Raises `TargetDownError` when nothing was sent, `TargetSilentError` when it was and no whole answer came or one
        that does not say what was done, `TargetBusyError` for 429 and 503, `NotAuthorisedError` for 401 and 403, and
        `TargetRubbishError` for redirects and answers without measure.
        """
        parts = urlsplit(self.url)
        where = parts.path.rstrip("/") + path + (f"?{urlencode(query)}" if query else "")
        full = f"{parts.scheme}://{parts.netloc}{where}"
        sent = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "Apportion",
            "Connection": "close",
        }
        content = b""
        if form is not None:
            content, sent["Content-Type"] = urlencode(form).encode("ascii"), "application/x-www-form-urlencoded"
        elif body is not None:
            content, sent["Content-Type"] = json_text(body).encode("utf-8"), "application/json; charset=utf-8"
        sent["Content-Length"] = str(len(content))
        if not content and method in {"GET", "DELETE"}:
            del sent["Content-Length"]
        sent |= {**self.headers(method, full), **(headers or {})}
        return self._judged(self._exchanged(method, where, content, sent))

    def told(self, text: str) -> str:
        """Text of the ledger's as it may be shown: without anything secret."""
        for secret in self.secrets:
            text = secret.hidden_in(text)
        return text

    def _exchanged(self, method: str, where: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        connection = self._connected()
        end = time.monotonic() + self.limits.whole
        try:
            connection.putrequest(method, where, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(content or None)
            answer = connection.getresponse()
            body = self._body(answer, end)
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, _unpacked(body, found.get("content-encoding", ""), self.limits))
        except (OSError, http.client.HTTPException) as error:
            raise TargetSilentError(
                f"{self.title} gave no whole answer to a request that may have been done ({_cause(error)}).",
                advice="Push again: what the ledger has is looked up first, so nothing is posted twice.",
            ) from None
        finally:
            connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            trust = ssl.create_default_context(cafile=self.certificates or None)
            connection = http.client.HTTPSConnection(host, parts.port, timeout=self.limits.connect, context=trust)
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=self.limits.connect)
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise TargetDownError(
                f"{self.title} at {host} cannot be reached ({_cause(error)}).",
                advice="Check its address, the network and its certificate; then push again. Nothing was sent.",
            ) from None
        assert connection.sock is not None  # noqa: S101 - connect() has just made it
        connection.sock.settimeout(self.limits.silence)
        return connection

    def _body(self, answer: http.client.HTTPResponse, end: float) -> bytes:  # float: seconds
        chunks, size = [], 0
        while chunk := answer.read(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > self.limits.most_bytes:
                raise TargetRubbishError(
                    f"{self.title} answers with more than {self.limits.most_bytes} bytes.",
                    advice="Is the address that of its interface?",
                )
            if time.monotonic() > end:
                raise TimeoutError
        if answer.length:  # the connection ended before the length that was announced
            raise http.client.IncompleteRead(b"", answer.length)
        return b"".join(chunks)

    def _judged(self, answer: Answer) -> Answer:
        status = answer.status
        if status in {429, 503}:
            raise TargetBusyError(
                f"{self.title} asks to come back later (status {status}).",
                advice="Push again when it has less to do; nothing is posted twice.",
                after=_after(answer.headers.get("retry-after", "")),
            )
        if status in {401, 403}:
            raise NotAuthorisedError(
                f"{self.title} does not let us in (status {status}): {self.told(excerpt(answer.body))}",
                advice="Check the secret and what its user may do in the ledger.",
            )
        if 300 <= status < 400:
            host = urlsplit(answer.headers.get("location", "")).hostname or "elsewhere"
            raise TargetRubbishError(
                f"{self.title} sends us to {self.told(host)} (status {status}), where no secret is taken.",
                advice="Write the address that it is really found at.",
            )
        return answer

    def uncertain(self, answer: Answer) -> None:
        """Raise `TargetSilentError` for a failure, of the ledger or on the way, that says not what was done."""
        if answer.status >= 500:
            raise TargetSilentError(
                f"{self.title} failed (status {answer.status}): {self.told(excerpt(answer.body))}",
                advice="Push again: what the ledger has is looked up first. If it stays, ask who runs the ledger.",
            )


def _cause(error: Exception) -> str:
    """Why, in words that hold nothing of what was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "the connection was cut"


def _after(text: str) -> int:
    return min(int(text), _MOST_WAIT) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _unpacked(body: bytes, encoding: str, limits: Limits) -> bytes:
    if encoding.lower() not in {"gzip", "x-gzip"}:
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            found = file.read(limits.most_bytes + 1)
    except (OSError, EOFError, zlib.error):
        raise TargetRubbishError("The ledger's answer says it is packed and is not.") from None
    if len(found) > limits.most_bytes:
        raise TargetRubbishError("The ledger's answer unpacks to more than it may.")
    return found
