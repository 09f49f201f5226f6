"""Against the real server: double clicks, several people and two servers at once, and processes that are killed."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.company import PASSWORD
from tests.web.served import Books, environment_of, free_port, wait_for

pytestmark = pytest.mark.slow
AT_ONCE = 6


@dataclass
class Visitor:
    """Somebody's browser, as far as a server sees one."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, said: dict[str, str] | None = None) -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        origin = f"http://127.0.0.1:{self.port}"
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "Origin": origin}
        body = urlencode({**(said or {}), "csrfmiddlewaretoken": self.cookies.get("csrftoken", "")})
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(connection):
            connection.request(method, path, body if method == "POST" else None, headers)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    self.cookies[key] = rest.partition(";")[0]
            text = answer.read().decode(errors="replace")
            return answer.status, text, {name.lower(): value for name, value in answer.getheaders()}

    def get(self, path: str) -> str:
        status, text, _ = self.send("GET", path)
        assert status == 200, (path, status)
        return text

    def post(self, path: str, **said: str) -> int:
        return self.send("POST", path, said)[0]

    def again(self, port: int = 0) -> Visitor:
        """The same session, as from another window or through another server."""
        return Visitor(port or self.port, dict(self.cookies))


def visitor(port: int, name: str) -> Visitor:
    made = Visitor(port)
    made.get("/sign-in/")
    assert made.post("/sign-in/", login=f"{name}@example.com", password=PASSWORD) == 302, name
    return made


@contextmanager
def served(root: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    command = [str(Path(sys.executable).with_name("apportion")), "--workspace", str(root), "serve", "--port", str(port)]
    written = root / f"server-{port}.log"
    with written.open("w") as log:
        process = subprocess.Popen(
            command, env=environment_of(root), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            wait_for(port, process, written)
            yield port, process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


@pytest.fixture(name="root")
def root_fixture(filled: Books, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled.root / "issued", tmp_path / "northwind"))


def asked(root: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(root / ".apportion" / "books.sqlite3", timeout=30)) as books:
        return books.execute(query).fetchall()


def together(visitors: Sequence[Visitor], path: str, **said: str) -> Counter[int]:
    """All of them press at the same moment."""
    start, found = threading.Barrier(len(visitors)), [0] * len(visitors)

    def press(place: int) -> None:
        start.wait()
        found[place] = visitors[place].post(path, **said)

    threads = [threading.Thread(target=press, args=(place,)) for place in range(len(visitors))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(found)


def entries(root: Path, act: str) -> int:
    return int(asked(root, f"SELECT count(*) FROM records_auditentry WHERE act = '{act}'")[0][0])


def documents(root: Path) -> dict[str, int]:
    query = "SELECT name, id FROM records_document WHERE period = '2026-10' AND about_id IS NULL"
    return dict(asked(root, query))


def verified(root: Path) -> None:
    command = [str(Path(sys.executable).with_name("apportion")), "--workspace", str(root), "audit", "verify"]
    done = subprocess.run(command, env=environment_of(root), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_many_do_at_once_is_done_once(root: Path) -> None:
    """Two servers of one workspace, several windows, and everybody presses the same button."""
    with served(root) as (one, _), served(root) as (two, _):
        names = documents(root)
        red, controller, second = (visitor(one, name) for name in ("red", "controller", "second"))
        windows = [red.again(port) for port in (one, two) for _ in range(AT_ONCE // 2)]
        before = entries(root, "accept")
        assert set(together(windows, f"/documents/{names['Red web shop']}/accept/")) == {302}
        assert entries(root, "accept") == before + 1

        app = names["Red app"]
        form = red.get(f"/documents/{app}/dispute/")
        line = re.findall(r'name="about"[^>]*value="(\d+)"|value="(\d+)"[^>]*name="about"|<option value="(\d+)"', form)[
            0
        ]
        said = {"about": next(filter(None, line)), "reason": "unclear", "text": "Why?", "amount": ""}
        assert set(together(windows, f"/documents/{app}/dispute/", **said)) <= {302, 400}
        assert asked(root, "SELECT count(*) FROM records_dispute") == [(1,)]
        number = asked(root, "SELECT id FROM records_dispute")[0][0]

        boards = [each.again(port) for each in (controller, second) for port in (one, two)]
        decided = {"outcome": "rejected", "reason": "No.", "settle": "", "settle_to": "", "upheld": ""}
        assert max(together(boards, f"/disputes/{number}/decide/", **decided)) < 500
        assert entries(root, "propose decision") == 1
        assert max(together(boards, f"/disputes/{number}/approve/", reason="Right.")) < 500
        states = asked(root, "SELECT state FROM records_dispute")
        assert states in ([("rejected",)], [("proposed",)])
        assert entries(root, "approve decision") == int(states == [("rejected",)])

        green = names["Division Green"]
        assert max(together(boards, f"/documents/{green}/void/", reason="Wrong.")) < 500
        assert entries(root, "void") == 1
        log = "".join(each.read_text() for each in root.glob("server-*.log"))
        assert "Traceback" not in log, log[-3000:]
    verified(root)


def test_killed_in_the_middle_of_work_it_is_done_after_the_next_start(root: Path) -> None:
    with served(root) as (port, process):
        analyst = visitor(port, "analyst")
        query = "SELECT state FROM records_work WHERE kind = 'work_list' OR kind = 'allocate' ORDER BY id DESC LIMIT 1"
        analyst.post("/close/2026-10/allocate/")
        analyst.post("/work-list/make/", period="2026-10")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
    with closing(sqlite3.connect(root / ".apportion" / "books.sqlite3")) as books, books:  # as if a minute had gone by
        books.execute("UPDATE records_work SET leased_until = '2020-01-01 00:00:00' WHERE state = 'running'")
    with served(root) as (port, _):
        until = time.monotonic() + 90
        while asked(root, query)[0][0] in {"waiting", "running"} and time.monotonic() < until:
            time.sleep(0.5)
        assert asked(root, query)[0][0] in {"done", "failed"}
        controller = visitor(port, "controller")
        for path in ("/close/2026-10/", "/work-list/", "/documents/"):
            controller.get(path)
        assert asked(root, "SELECT count(*) FROM records_work WHERE state IN ('waiting', 'running')") == [(0,)]
    verified(root)
