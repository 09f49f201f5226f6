"""A way to a server that can be made bad: requests are counted, and each may be cut, delayed, refused or changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Change = Callable[[bytes], bytes]


@dataclass
class Treat:
    """What is done to one request. The server gets it unless it is not `forwarded`; then the client gets an answer
    unless it is `cut`. `before` and `after` are called around the server's work, `late` forwards only when it is told.
    """

    forwarded: bool = True
    cut: bool = False
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    status: int = 0
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    request: Change = lambda body: body
    answer: Change = lambda body: body
    late: threading.Event | None = None


@dataclass
class Way:
    """The address of the bad way, how many requests came, and what is done with each: its number from 1, its body."""

    url: str
    count: int = 0
    treat: Callable[[int, str, bytes], Treat] = lambda _number, _line, _body: Treat()
    seen: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    waiting: list[threading.Thread] = field(default_factory=list)

    def again(self, treat: Callable[[int, str, bytes], Treat] | None = None) -> None:
        """Count from 1 again, with other treatment."""
        self.count, self.treat = 0, treat or (lambda _number, _line, _body: Treat())
        self.seen.clear()
        self.methods.clear()


@contextmanager
def way(server: str) -> Iterator[Way]:
    """A bad way to a server at an address."""
    found = Way("")
    lock = threading.Lock()
    there = urlsplit(server)

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                found.count += 1
                number = found.count
                line = f"{self.command} {self.path}"
                found.seen.append(line)
                found.methods.append(body.partition(b'"method":"')[2].partition(b'"')[0].decode())
                treat = found.treat(number, line, body)
            treat.before()
            body = treat.request(body)
            if treat.late is not None:
                waiting = threading.Thread(target=self._forward_late, args=(treat.late, body))
                waiting.start()
                found.waiting.append(waiting)
                self.close_connection = True
                return
            status, answer, headers = self._forward(body) if treat.forwarded else (treat.status, b"", {})
            treat.after()
            self.close_connection = True
            if treat.cut:
                return
            answer = treat.answer(answer if treat.body is None else treat.body)
            self.send_response(treat.status or status)
            for name, value in {**headers, **treat.headers}.items():
                if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _forward_late(self, late: threading.Event, body: bytes) -> None:
            late.wait(60)
            self._forward(body)

        def _forward(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
            connection = HTTPConnection(there.hostname or "", there.port, timeout=60)
            kept = {k: v for k, v in self.headers.items() if k.lower() not in {"content-length", "connection"}}
            connection.request(self.command, self.path, body or None, kept)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            return answer.status, content, dict(answer.getheaders())

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _handle  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Tests say what they need themselves."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                return  # the client is gone, as it was meant to be

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        found.url = f"http://127.0.0.1:{running.server_address[1]}"
        try:
            yield found
        finally:
            running.shutdown()
            thread.join()
            for each in found.waiting:
                each.join()
