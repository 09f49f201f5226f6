"""A process killed at any point of staging, committing and saving leaves a whole state: nothing lost or doubled.

The test starts this file as a process of its own, which forks a writer for each round and has it killed.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import apportion
from apportion.errors import WorkspaceBusyError
from apportion.periods import BillingPeriod
from apportion.warehouse.record import Dataset, DeliveredFile, Delivery, Mode
from apportion.warehouse.snapshot import ChargeFile, Total
from apportion.warehouse.store import Workspace

OCTOBER, NOVEMBER = BillingPeriod(2026, 10), BillingPeriod(2026, 11)
BUSY = 3
ENDINGS = {0: "done", 1: "failed", BUSY: "busy"}
WAREHOUSE = str(Path(apportion.__file__).parent / "warehouse")


# The writer.


def content(source: str, version: int, part: int) -> str:
    return f"{source} {version} {part}\n" * 500


def pack(staged: Path, source: str, version: int, mode: Mode) -> Delivery:
    files, charges = [], []
    for part in range(3):
        text = content(source, version, part)
        (staged / f"{part}.parquet").write_text(text, encoding="utf-8")
        files.append(DeliveredFile(f"{part}.csv", len(text), hashlib.sha256(text.encode()).hexdigest(), 10))
        charges.append(ChargeFile(Path(f"{part}.parquet"), f"{part}.csv", 10, (), source, f"{source}-{version}"))
    total = Total(source, "issuer", "1", None, "USD", "Usage", "", 15, version, version, None, None)
    return Delivery(
        id=f"{source}-{version}",
        source=source,
        dataset=Dataset.COST_AND_USAGE,
        focus_version="1.2",
        mode=mode,
        received_at=f"2026-11-02T08:00:00.{version:06}Z",
        files=tuple(files),
        charges=tuple(charges),
        totals={OCTOBER: (total,), NOVEMBER: (total,)},
        quarantined={},
        rounding_units=0,
        invoices={},
        statuses={},
        findings=(),
    )


def write(root: Path, version: int) -> None:
    """One month's work: a delivery that replaces, one that adds, and a result."""
    workspace = Workspace(root)
    with workspace.lock(f"round {version}"):
        for source, mode in (("whole", Mode.OVERWRITE), ("daily", Mode.APPEND)):
            with workspace.staging() as staged:
                workspace.commit_delivery(staged, pack(staged, source, version, mode))
        with workspace.staging() as staged:
            for part in range(2):
                (staged / f"{part}.json").write_text(content("run", version, part), encoding="utf-8")
            workspace.save_run(OCTOBER, f"run-{version}", staged)


def writer(root: Path, version: int, last_line: int) -> None:
    """Write; with `last_line`, be killed after so many lines of the warehouse. Prints how many there were."""
    lines = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.startswith(WAREHOUSE):
            return None
        if event == "line":
            lines += 1
            if lines == last_line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    if last_line:
        sys.settrace(trace)
    write(root, version)
    sys.settrace(None)
    print(lines, flush=True)


def serve(root: Path) -> None:
    """Fork a writer for each line of the input: version, last line, and microseconds until it is killed."""
    for order in sys.stdin:
        version, last_line, patience_us = (int(word) for word in order.split())
        child = os.fork()
        if child == 0:
            try:
                writer(root, version, last_line)
            except WorkspaceBusyError:
                os._exit(BUSY)
            os._exit(0)
        if patience_us:
            time.sleep(patience_us / 1_000_000)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else ENDINGS[os.WEXITSTATUS(status)], flush=True)


# The test.


@dataclass(frozen=True)
class State:
    """What a reader finds: versions by source, and of the result."""

    whole: int
    daily: frozenset[int]
    run: int


def read(workspace: Workspace) -> State:
    """The state, after checking that each part of it is complete and that both periods tell the same."""
    found = []
    for period in (OCTOBER, NOVEMBER):
        versions: dict[str, list[int]] = {"whole": [], "daily": []}
        for delivery in workspace.current(period):
            version = int(delivery.id.rpartition("-")[2])
            versions[delivery.source].append(version)
            for part, file in enumerate(delivery.charges):
                assert file.path.read_text(encoding="utf-8") == content(delivery.source, version, part)
        assert len(workspace.snapshot(period).files) == 3 * sum(len(found) for found in versions.values())
        found.append(versions)
    assert found[0] == found[1]
    run = workspace.current_run(OCTOBER)
    assert run is not None
    version = int(run.name.rpartition("-")[2])
    assert [(run / f"{part}.json").read_text(encoding="utf-8") for part in range(2)] == [
        content("run", version, part) for part in range(2)
    ]
    (whole,), daily = found[0]["whole"], found[0]["daily"]
    assert len(daily) == len(set(daily))
    return State(whole, frozenset(daily), version)


def check(root: Path, version: int, before: State) -> State:
    """After a kill: the former state or a new one, the lock free, and nothing left over."""
    workspace = Workspace(root)
    now = read(workspace)
    assert now in (
        before,
        State(version, before.daily, before.run),
        State(version, before.daily | {version}, before.run),
        State(version, before.daily | {version}, version),
    )
    with workspace.lock("check"):
        store = root / ".apportion"
        assert list((store / "staging").iterdir()) == []
        assert {path.name for path in (store / "deliveries").glob("*/*")} == {one.id for one in workspace.deliveries()}
        assert [path.name for path in (store / "runs").glob("*/*")] == [f"run-{now.run}"]
    assert read(workspace) == now
    return now


class Server:
    """The process that forks writers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._orders, self._answers = process.stdin, process.stdout

    def write(self, version: int, last_line: int = 0, patience_us: int = 0) -> tuple[str, int]:
        """How the writer ended, and how many lines it ran if it came to the end."""
        self._orders.write(f"{version} {last_line} {patience_us}\n")
        self._orders.flush()
        answer, lines = self._answers.readline().strip(), 0
        if answer.isdigit():
            answer, lines = self._answers.readline().strip(), int(answer)
        return answer, lines


@contextmanager
def serving(root: Path) -> Iterator[Server]:
    environment = {**os.environ, "PYTHONPATH": str(Path(apportion.__file__).parents[1])}
    command = [sys.executable, __file__, str(root)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Server(process)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["line", "time"])
def test_killed_anywhere_nothing_is_lost_or_doubled(tmp_path: Path, by: str) -> None:
    Workspace.create(tmp_path)
    chance = random.Random(20261031)
    with serving(tmp_path) as server:
        ended, length = server.write(1, last_line=10**9)
        assert ended == "done"
        began = time.perf_counter()
        assert server.write(2) == ("done", 0)
        duration_us = round(1_000_000 * (time.perf_counter() - began))
        now = read(Workspace(tmp_path))
        assert now == State(2, frozenset({1, 2}), 2)
        reached: set[int] = set()
        for version in range(3, 83):
            before = now
            if by == "line":
                assert server.write(version, last_line=chance.randint(1, length)) == ("killed", 0)
            else:
                server.write(version, patience_us=chance.randint(1, duration_us))
            now = check(tmp_path, version, before)
            reached.add(3 if now.run == version else 2 if version in now.daily else int(now.whole == version))
            # Running it again completes it: what was loaded already is not loaded twice.
            if chance.random() < 0.3:
                assert server.write(version)[0] == "done"
                now = read(Workspace(tmp_path))
                assert now == State(version, before.daily | {version}, version)
        # Lines are chosen evenly; how a busy machine spreads kills by time is its own affair.
        assert reached >= {0, 1, 2} if by == "line" else len(reached) > 1, "kills came before and after the commits"


@pytest.mark.slow
def test_two_processes_at_once_take_turns_or_are_refused(tmp_path: Path) -> None:
    Workspace.create(tmp_path)
    with serving(tmp_path) as first, serving(tmp_path) as second:
        assert first.write(1)[0] == "done"
        ended: list[list[tuple[int, str]]] = [[], []]

        def work(number: int, server: Server) -> None:
            ended[number] = [(version, server.write(version)[0]) for version in range(100 + number, 140, 2)]

        threads = [threading.Thread(target=work, args=pair) for pair in enumerate((first, second))]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            files = Workspace(tmp_path).snapshot(OCTOBER).files
            assert len({file.delivery_id for file in files if file.source == "whole"}) == 1
            assert all(file.path.is_file() for file in files)
        for thread in threads:
            thread.join()
    state = read(Workspace(tmp_path))
    done = {version for turns in ended for version, how in turns if how == "done"}
    assert {how for turns in ended for _, how in turns} <= {"done", "busy"}
    assert state.daily == done | {1}
    assert state.whole == state.run
    assert state.whole in done


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
