"""Several processes at once, and one that is killed, on both databases."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.books import place
from tests.postgres import Server, server

ROOT = Path(__file__).parents[3]
Query = Callable[[str], list[Any]]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", name="running")
def running_fixture() -> Iterator[Server]:
    with server() as found:
        yield found


@pytest.fixture(name="northwind", params=["sqlite", "postgresql"])
def northwind_fixture(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A workspace with an allocated month, and the address of its database."""
    root = place(tmp_path / "northwind").root
    url = ""
    if request.param == "postgresql":
        found: Server = request.getfixturevalue("running")
        name = f"t{time.time_ns()}"
        with psycopg.connect(found.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = found.database(name)
    with _begun(root, url, "prepare") as done:
        done.communicate(timeout=120)
    assert done.returncode == 0
    return root, url


def _begun(root: Path, url: str, act: str, at: float = 0) -> subprocess.Popen[str]:
    surroundings = {**os.environ, "APPORTION_DATABASE": url}
    words = [sys.executable, "-m", "tests.alone", str(root), act, str(at)]
    return subprocess.Popen(words, cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, text=True)


def _together(root: Path, url: str, *acts: str) -> list[str]:
    at = time.time() + 4
    processes = [_begun(root, url, act, at) for act in acts]
    said = []
    for process in processes:
        with process:
            said.append(process.communicate(timeout=120)[0].strip())
    return sorted(said)


def _asked(root: Path, url: str, query: str) -> list[Any]:
    if url:
        with psycopg.connect(url) as connection:
            return connection.execute(query).fetchall()
    with closing(sqlite3.connect(root / ".apportion" / "books.sqlite3")) as books:
        return books.execute(query).fetchall()


NUMBERS = "SELECT label FROM records_document ORDER BY label"
ENTRIES = "SELECT count(*) FROM records_auditentry WHERE act = 'issue'"
LABELS = [
    ("NW-1000-FY2026-S-000001",),
    ("NW-1000-FY2026-S-000002",),
    ("NW-1000-FY2026-S-000003",),
    ("NW-2000-FY2026-S-000001",),
]


def test_two_who_issue_at_once_issue_once(northwind: tuple[Path, str]) -> None:
    assert _together(*northwind, "issue", "issue") == ["0 4 True", "4 4 False"]
    assert _asked(*northwind, NUMBERS) == LABELS
    assert _asked(*northwind, ENTRIES) == [(1,)]


def test_an_issue_that_is_killed_leaves_nothing_and_the_next_one_has_no_gap(northwind: tuple[Path, str]) -> None:
    assert _together(*northwind, "kill") == [""]
    for table in ("document", "documentline", "documentbody", "documenttotal", "message"):
        assert _asked(*northwind, f"SELECT count(*) FROM records_{table}") == [(0,)]
    assert _asked(*northwind, "SELECT coalesce(sum(last_number), 0) FROM records_series") == [(0,)]
    assert _together(*northwind, "issue") == ["4 4 False"]
    assert _asked(*northwind, NUMBERS) == LABELS


def test_accepting_and_disputing_at_once_end_in_one_of_both(northwind: tuple[Path, str]) -> None:
    assert _together(*northwind, "issue") == ["4 4 False"]
    said = _together(*northwind, "accept", "accept", "dispute")
    assert said.count("done") == 1
    assert said.count("NOT_IN_THIS_STATE") == 2
    states = _asked(*northwind, "SELECT review_state FROM records_document WHERE label = 'NW-1000-FY2026-S-000001'")
    assert states[0][0] in {"accepted", "disputed"}
    acts = _asked(*northwind, "SELECT act FROM records_auditentry WHERE act IN ('accept', 'dispute')")
    assert len(acts) == 1
