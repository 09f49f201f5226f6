"""A ledger that speaks the interfaces of others: it enforces what their makers publish, on one small set of books.

Each dialect is a module of its own (`erp_server_*`). A dialect checks who asks, what fields an entry must have, that it
balances, that its accounts and codes exist and its day is open, and says so in its maker's words and status.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "the-key-of-the-ledger"
ACCOUNTS = {"600100": 11, "600199": 12, "140000": 13, "160000": 14}
CENTERS = {"0010": 21, "0020": 22, "0030": 23, "9900": 24}


@dataclass
class Line:
    """A line, debit above zero."""

    account: str
    amount: Decimal
    center: str = ""
    text: str = ""


@dataclass
class Stored:
    """An entry in the books."""

    id: int
    key: str
    day: str
    lines: list[Line]
    posted: bool = False
    number: str = ""
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass
class Refused(Exception):  # noqa: N818
    """What the dialect puts into its maker's words."""

    kind: str
    said: str


@dataclass
class Request:
    """What was asked."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any
    raw: bytes
    url: str


@dataclass
class Ledger:
    """The books behind a dialect."""

    entries: list[Stored] = field(default_factory=list)
    locked_on: date | None = None
    told_lock: bool = True  # does the master data tell it, or only the refusal?
    answers: dict[str, tuple[str, int, Any]] = field(default_factory=dict)  # by idempotency key
    counter: int = 100
    requests: list[str] = field(default_factory=list)

    def next(self) -> int:
        """A new id."""
        self.counter += 1
        return self.counter

    def check(self, lines: list[Line], day: str) -> None:
        """What every ledger refuses."""
        if len(lines) < 2:
            raise Refused("refused", "An entry needs at least two lines.")
        for line in lines:
            if line.account not in ACCOUNTS:
                raise Refused("refused", f"Account {line.account} does not exist.")
            if line.center and line.center not in CENTERS:
                raise Refused("refused", f"Cost centre {line.center} does not exist.")
            if line.amount != line.amount.quantize(Decimal("0.01")):
                raise Refused("refused", "Amounts have two decimals.")
        if total := sum(line.amount for line in lines):
            raise Refused("refused", f"The entry does not balance by {total}.")
        self.check_day(day)

    def check_day(self, day: str) -> None:
        """Is the day open?"""
        if self.locked_on and date.fromisoformat(day) <= self.locked_on:
            raise Refused("closed", f"The period of {day} is closed")

    def add(self, key: str, day: str, lines: list[Line], *, posted: bool, raw: dict[str, Any]) -> Stored:
        """A new entry."""
        made = Stored(self.next(), key, day, lines, raw=raw)
        self.entries.append(made)
        if posted:
            self.post(made)
        return made

    def post(self, entry: Stored) -> None:
        """Post it: numbers without gaps."""
        self.check(entry.lines, entry.day)
        if not entry.posted:
            entry.posted = True
            entry.number = f"JE{sum(each.posted for each in self.entries):05d}"

    def by_id(self, wanted: object) -> Stored:
        """An entry that is there."""
        for entry in self.entries:
            if str(entry.id) == str(wanted):
                return entry
        raise Refused("missing", f"There is no entry {wanted}.")

    def remove(self, entry: Stored) -> None:
        """Delete a draft."""
        if entry.posted:
            raise Refused("refused", "A posted entry cannot be deleted.")
        self.entries.remove(entry)

    def posted_lines(self, since: str = "", until: str = "9") -> list[tuple[Stored, Line]]:
        """Every posted line of some days."""
        posted = [each for each in self.entries if each.posted and since <= each.day <= until]
        return [(entry, line) for entry in posted for line in entry.lines]


Dialect = Callable[[Ledger, Request], tuple[int, Any]]
Wrong = Callable[[Refused], tuple[int, Any]]


@contextmanager
def served(ledger: Ledger, dialect: Dialect, wrong: Wrong) -> Iterator[str]:
    """The ledger at an address of this machine."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            is_json = "json" in (self.headers.get("Content-Type") or "")
            body = json.loads(raw, parse_float=Decimal) if raw and is_json else None
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            url = f"http://{self.headers['Host']}{self.path}"
            request = Request(self.command, unquote(parts.path), query, dict(self.headers), body, raw, url)
            with lock:
                ledger.requests.append(f"{self.command} {unquote(self.path)}")
                try:
                    status, told = dialect(ledger, request)
                except Refused as refused:
                    status, told = wrong(refused)
            content = b"" if told is None else json.dumps(told, default=_decimal).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _handle  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Tests say what they need themselves."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}"
        finally:
            running.shutdown()
            thread.join()


def _decimal(value: object) -> object:
    assert isinstance(value, Decimal)
    return float(value)  # as they all tell amounts


def amount(value: object) -> Decimal:
    """An amount that must be a number in JSON, with at most two decimals."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise Refused("refused", f"{value!r} is no amount.")
    return Decimal(value)


def need(body: Mapping[str, Any], *names: str) -> None:
    """Fields without which nothing is taken."""
    for name in names:
        if body.get(name) in (None, "", []):
            raise Refused("refused", f"{name} is required.")


def code_of(table: Mapping[str, int], wanted: object) -> str:
    """The code of an id."""
    for code, number in table.items():
        if str(number) == str(wanted):
            return code
    raise Refused("refused", f"The id {wanted} does not exist.")
