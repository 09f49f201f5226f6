"""The large company at a small size: its books hold together, a month is issued, its pages are opened and judged."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from apportion.invoice.paper import PaperLineKind, from_json, to_json
from bench import company as made
from bench import limits, report, review
from bench.company import Company
from bench.crowd import Answered, Call, crowd, nearest
from bench.meter import cpu_s_of
from bench.results import Results

ROOT = Path(__file__).parents[3]
TINY = Company(60)


def test_the_tree_has_four_levels_and_owners_whose_part_grows_upwards() -> None:
    whole = Company(5_000)
    assert len(whole.groups) == len({group.code for group in whole.groups}) == 5_000
    assert [sum(group.level == level for group in whole.groups) for level in range(4)] == [1, 20, 400, 4_579]
    assert all(group.above is None or group.above < group.place for group in whole.groups)
    leaf = whole.groups[-1]
    owners = [whole.owners(leaf).technical, whole.owners(leaf).finance, whole.owners(leaf).business]
    assert owners == [
        made.mail("tech", leaf),
        made.mail("finance", whole.way(leaf)[2]),
        made.mail("lead", whole.way(leaf)[1]),
    ]


def test_some_invoices_are_large_and_the_usual_has_eleven_lines() -> None:
    whole = Company(5_000)
    sizes = sorted(whole.size(group) + len(made.POOLS) for group in whole.groups)
    assert sizes[len(sizes) // 2] == 11
    assert sum(size > 100 for size in sizes) == 5


def test_a_paper_is_whole_and_every_month_has_the_same_lines() -> None:
    group, (before, now) = TINY.groups[20], made.periods(2)
    first = made.paper(TINY, group, 0, before, "ST-1", ())
    second = made.paper(TINY, group, 1, now, "ST-2", first.history)
    assert from_json(to_json(second)) == second
    assert [line.service for line in first.lines] == [line.service for line in second.lines]
    assert sum(line.kind is PaperLineKind.SHARE for line in second.lines) == len(made.POOLS)
    assert second.changes[0].before_minor == first.totals[0].minor
    assert len(second.history) == 2 * len(second.totals)


def test_nearest_rank() -> None:
    assert [nearest([float(each) for each in range(1, 101)], per_cent) for per_cent in (50, 95, 99, 100)] == [
        50,
        95,
        99,
        100,
    ]
    assert nearest([7.0], 95) == 7.0


def test_a_crowd_asks_for_everything_and_refuses_what_is_no_page() -> None:
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked.append(line.decode().split()[1])
            await reader.readuntil(b"\r\n\r\n")
            told = b"500 No" if b"broken" in line else b"200 OK"
            if len(asked) % 7 == 0:
                told += b"\r\nConnection: close"
            if len(asked) % 2:
                writer.write(b"HTTP/1.1 %s\r\nContent-Length: 5\r\n\r\nhello" % told)
            else:
                writer.write(
                    b"HTTP/1.1 %s\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n4\r\nlo!!\r\n0\r\n\r\n" % told
                )
            await writer.drain()
            if b"close" in told:
                break
        writer.close()

    async def run() -> Answered:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            done = await crowd(port, [Call(f"/{number}/", "x") for number in range(30)], 5)
            with pytest.raises(RuntimeError, match="/broken/ was answered with"):
                await crowd(port, [Call("/broken/", "x")], 1)
            return done

    with ThreadPoolExecutor(1) as apart:  # where a browser of other tests is open, this thread has a loop already
        done = apart.submit(asyncio.run, run()).result()
    assert sorted(asked) == sorted([*(f"/{number}/" for number in range(30)), "/broken/"])
    assert len(done.milliseconds) == 30
    assert list(done.milliseconds) == sorted(done.milliseconds)
    assert done.largest == 7


def test_the_processor_time_of_another_process_is_known() -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("only Linux says so")
    assert cpu_s_of(os.getpid()) > 0
    assert cpu_s_of(2**22 + 1) == 0


def _pages(p95: float, queries: int) -> dict[str, Any]:
    figures = {"p50_ms": 1.0, "p95_ms": p95, "p99_ms": 200.0, "cpu_ms": 9.0, "a_second": 100.0, "kb": 40}
    return {name: {**figures, "queries": queries} for name in ("invoice, its owner", "close")}


def test_what_is_asked_of_the_review_is_judged_and_shown() -> None:
    found = Results(1, 1, {"about": "", "versions": ""})
    usual = {"cpu_s": 1.0, "peak_mb": 1.0, "parts": {}}
    sizes = {"documents": 180_000, "lines": 2_000_000, "entries": 5}
    found.add("review books postgresql", {**usual, "wall_s": 1.0, "facts": sizes})
    found.add("review issue postgresql", {**usual, "wall_s": 61.0, "facts": {"documents": 5_000}})
    found.add("review pages postgresql", {**usual, "wall_s": 1.0, "facts": {"pages": _pages(149.0, 15)}})
    found.add("review pages sqlite", {**usual, "wall_s": 1.0, "facts": {"pages": _pages(151.0, 16)}})
    marks = {verdict.what: verdict.reached for verdict in limits.verdicts(found)}
    assert marks == {
        "issue of 5,000 documents on PostgreSQL, wall": False,
        "invoice, its owner, PostgreSQL, p95": True,
        "close, PostgreSQL, p95": True,
        "the most queries of a page, PostgreSQL": True,
        "invoice, its owner, SQLite, p95": False,
        "close, SQLite, p95": False,
        "the most queries of a page, SQLite": False,
    }
    shown = report.figures(found)
    assert "### The review on PostgreSQL" in shown
    assert "180,000 documents with 2,000,000 lines" in shown


@pytest.fixture(name="root")
def root_fixture() -> Iterator[str]:
    """A folder that the database server, which is another user, can come to as well: pytest's own are closed to it."""
    with tempfile.TemporaryDirectory(prefix="apportion-review-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield f"{folder}/books"


_HELD = """
from bench import review
with review.books({root!r}, {database!r}):
    from apportion.records import upkeep
    print(list(upkeep.faults()))
"""


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_books_are_made_issued_and_read(database: str, root: str) -> None:
    if database not in review.databases():
        pytest.skip("PostgreSQL is not there: `make tools` installs it")
    options = {"root": root, "database": database}
    sizes = _done("review_books", **options, groups=60, lines=2_500, periods=4)
    assert sizes["facts"]["documents"] > 60
    assert _done("review_issue", **options)["facts"] == {"documents": 61}
    pages = _done("review_pages", **options, requests=20, only="clos")["facts"]["pages"]
    assert set(pages) == {"close"}
    assert all(page["p50_ms"] <= page["p95_ms"] <= page["p99_ms"] for page in pages.values())
    command = [sys.executable, "-c", _HELD.format(**options)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def _done(item: str, **options: Any) -> dict[str, Any]:
    """One measurement as the benchmark runs it."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.process", item, json.dumps(options)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
