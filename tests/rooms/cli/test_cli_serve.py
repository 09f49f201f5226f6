"""The books on the command line, in real processes: people, serve, audit, check, and sealing by a person."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.books import place

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PROGRAM = [sys.executable, "-m", "apportion.cli"]
PASSWORD = "correct horse battery\n"  # noqa: S105


def _run(root: Path, *words: str, given: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("APPORTION_")}
    surroundings.pop("DJANGO_SETTINGS_MODULE", None)
    command = [*PROGRAM, "--workspace", str(root), *words]
    return subprocess.run(command, input=given, capture_output=True, text=True, env=surroundings, check=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


@contextmanager
def _served(root: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("APPORTION_")}
    surroundings.pop("DJANGO_SETTINGS_MODULE", None)
    command = [*PROGRAM, "--workspace", str(root), "serve", "--port", str(port), "--workers", "1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=surroundings
    ) as process:
        try:
            _wait(port, process)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _wait(port: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, process.stdout and process.stdout.read()
        try:
            assert _status(port, "/sign-in/") == 200
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("nothing answers")


def _status(port: int, path: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        found: int = answer.status
        return found


def test_from_nothing_to_a_page_and_back(tmp_path: Path) -> None:
    root = place(tmp_path / "northwind").root
    early = _run(root, "people", "add", "ben@example.com", "--role", "analyst")
    assert (early.returncode, early.stdout) == (1, "")
    assert "There is no administrator yet" in early.stderr
    first = _run(root, "people", "add", "ada@example.com", "--name", "Ada Abel", "--role", "administrator")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("Ada Abel <ada@example.com> is administrator now.\n")
    weak = _run(root, "people", "add", "ben@example.com", "--role", "analyst", given="short\n")
    assert weak.returncode == 1 or "Ben" not in weak.stdout
    owner = _run(root, "people", "add", "eve@example.com", "--role", "owner", "--group", "red")
    assert (owner.returncode, owner.stderr) == (0, "")
    port = _free_port()
    with _served(root, port) as process:
        second = _run(root, "serve", "--port", str(port))
        assert second.returncode == 4
        assert f"error ADDRESS: Port {port} of 127.0.0.1 is in use." in second.stderr
        _work(root)
    assert process.returncode == 0
    assert "Stopped" in (process.stdout.read() if process.stdout and not process.stdout.closed else "Stopped")


def _work(root: Path) -> None:
    """The worker of the server does what waits."""
    with closing(sqlite3.connect(root / ".apportion" / "books.sqlite3", timeout=20)) as books, books:
        books.execute(
            "INSERT INTO records_work (kind, key, period, arguments, state, done_parts, all_parts, sentence, result,"
            " error, created_at, attempts) VALUES ('nothing', 'nothing', '', '{}', 'waiting', 0, 0, '', '{}', '{}',"
            " '2026-01-01', 0)"
        )
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with closing(sqlite3.connect(root / ".apportion" / "books.sqlite3", timeout=20)) as books:
            state, error = books.execute("SELECT state, error FROM records_work").fetchone()
        if state == "failed":
            assert "There is no work called 'nothing'." in error
            return
        time.sleep(0.2)
    raise AssertionError("the worker does nothing")


def test_what_was_touched_is_found(tmp_path: Path) -> None:
    root = place(tmp_path / "northwind").root
    assert _run(root, "people", "add", "ada@example.com", "--role", "administrator").returncode == 0
    sound = _run(root, "audit", "verify")
    assert sound.returncode == 0
    noted = sound.stdout.split()[-1]
    assert _run(root, "audit", "verify", "--expect", noted).returncode == 0
    assert _run(root, "books", "check").returncode == 0
    assert _run(root, "audit", "export", str(tmp_path / "audit.csv")).returncode == 0
    rows = (tmp_path / "audit.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("number,at,person_id,person_name,via,act,")
    assert _run(root, "audit", "export", str(tmp_path / "audit.jsonl"), "--format", "json").returncode == 0
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [list(line) for line in lines] == [rows[0].split(",")] * (len(rows) - 1)
    for name in (root / "policy.yaml", root / ".apportion" / "books.sqlite3"):
        assert "belongs to the workspace" in _run(root, "audit", "export", str(name)).stderr
    with closing(sqlite3.connect(root / ".apportion" / "books.sqlite3")) as books, books:
        books.execute("DROP TRIGGER records_auditentry_no_update")
        books.execute("UPDATE records_auditentry SET reason = 'because' WHERE number = 1")
    changed = _run(root, "audit", "verify")
    assert changed.returncode == 3
    assert "Entry 1: It was changed after it was written." in changed.stdout
    checked = _run(root, "books", "check")
    assert checked.returncode == 3
    assert "The trigger records_auditentry_no_update is missing" in checked.stdout


def test_an_issued_month_is_sealed_by_a_person_on_the_command_line_too(tmp_path: Path) -> None:
    root = place(tmp_path / "northwind").root
    for act in ("prepare", "issue"):
        words = [sys.executable, "-m", "tests.alone", str(root), act]
        subprocess.run(words, cwd=ROOT, check=True, env={**os.environ, "APPORTION_DATABASE": ""}, capture_output=True)
    nobody = _run(root, "close", "2026-10")
    assert nobody.returncode == 1
    assert "Who acts is not said." in nobody.stderr
    owner = _run(root, "close", "2026-10", "--as", "red@example.com")
    assert "error FORBIDDEN" in owner.stderr
    early = _run(root, "close", "2026-10", "--as", "second@example.com")
    assert early.returncode == 1
    assert "3 statements are in review until" in early.stderr
    unknown = _run(root, "close", "2026-09", "--as", "nobody@example.com")
    assert "error NOT_FOUND: There is no person 'nobody@example.com' in the books." in unknown.stderr
    # A month that nobody has issued is sealed as ever.
    assert _run(root, "close", "2026-09").returncode == 0


def test_the_former_file_is_kept_when_the_books_are_brought_up_to_date(tmp_path: Path) -> None:
    root = place(tmp_path / "northwind").root
    assert "Made: " in _run(root, "books", "migrate").stdout
    assert "up to date" in _run(root, "books", "migrate").stdout
    with closing(sqlite3.connect(root / ".apportion" / "books.sqlite3")) as books, books:
        books.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        books.execute("DROP TABLE django_session")
    refused = _run(root, "audit", "verify")
    assert refused.returncode == 4
    assert "Make them with: apportion books migrate" in refused.stderr
    done = _run(root, "books", "migrate")
    assert done.returncode == 0
    assert "The former file is kept: " in done.stdout
    (copy,) = (root / ".apportion").glob("books.sqlite3.before-*")
    with closing(sqlite3.connect(copy)) as former:
        assert former.execute("SELECT count(*) FROM records_person").fetchone() == (0,)
        assert not former.execute("SELECT name FROM sqlite_master WHERE name = 'django_session'").fetchall()
