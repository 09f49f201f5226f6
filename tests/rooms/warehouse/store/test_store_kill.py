"""A process killed at any point of staging, committing and saving leaves a whole state: nothing lost or doubled.

The test starts this file as a process of its own, which forks a writer for each round and has it killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
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
WAREHOUSE = Path(apportion.__file__).parent / "warehouse"
WRITING = {"store.py", "catalog.py", "disk.py", "lock.py"}
NOWHERE, COUNT = "nowhere", "count"


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


def writer(root: Path, version: int, spot: str) -> None:
    """Write, and be killed at the `spot`; at the spot ``count`` only print how often each line was visited.

    A spot is a file of the warehouse, a line of it, and the how-manieth visit: ``store.py:100:2``.
    """
    visits: Counter[str] = Counter()

    def trace(frame: FrameType, event: str, _: object) -> Any:
        path = Path(frame.f_code.co_filename)
        if path.parent != WAREHOUSE or path.name not in WRITING:
            return None
        if event == "line":
            line = f"{path.name}:{frame.f_lineno}"
            visits[line] += 1
            if f"{line}:{visits[line]}" == spot:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    if spot != NOWHERE:
        sys.settrace(trace)
    write(root, version)
    sys.settrace(None)
    if spot == COUNT:
        print(json.dumps(visits), flush=True)


def serve(root: Path) -> None:
    """Fork a writer for each line of the input: version, spot, and microseconds until it is killed (0: never)."""
    for order in sys.stdin:
        version, spot, patience_us = order.split()
        child = os.fork()
        if child == 0:
            try:
                writer(root, int(version), spot)
            except WorkspaceBusyError:
                os._exit(BUSY)
            os._exit(0)
        if int(patience_us):
            time.sleep(int(patience_us) / 1_000_000)
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

    def write(self, version: int, spot: str = NOWHERE, patience_us: int = 0) -> str:
        """How the writer ended."""
        self._orders.write(f"{version} {spot} {patience_us}\n")
        self._orders.flush()
        return self._answers.readline().strip()

    def visits(self, version: int) -> dict[str, int]:
        """How often one writer that nobody kills visits each line."""
        found: dict[str, int] = json.loads(self.write(version, COUNT))
        assert self._answers.readline().strip() == "done"
        return found


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
        assert server.write(1) == "done"
        visits = server.visits(2)
        began = time.perf_counter()
        assert server.write(3) == "done"
        duration_us = round(1_000_000 * (time.perf_counter() - began))
        now = read(Workspace(tmp_path))
        assert now == State(3, frozenset({1, 2, 3}), 3)
        # Every line of the rooms that write, each at one of its visits; or so many moments.
        spots = [f"{line}:{chance.randint(1, count)}" for line, count in visits.items()] if by == "line" else [""] * 80
        reached: set[int] = set()
        for version, spot in enumerate(spots, start=4):
            before = now
            if spot:
                assert server.write(version, spot) == "killed"
            else:
                server.write(version, patience_us=chance.randint(1, duration_us))
            now = check(tmp_path, version, before)
            reached.add(3 if now.run == version else 2 if version in now.daily else int(now.whole == version))
            # Running it again completes it: what was loaded already is not loaded twice.
            if chance.random() < 0.2:
                assert server.write(version) == "done"
                now = read(Workspace(tmp_path))
                assert now == State(version, before.daily | {version}, version)
        # How a busy machine spreads kills by time is its own affair.
        assert reached == {0, 1, 2, 3} if by == "line" else len(reached) > 1, "before, between and after the commits"


@pytest.mark.slow
def test_two_processes_at_once_take_turns_or_are_refused(tmp_path: Path) -> None:
    Workspace.create(tmp_path)
    with serving(tmp_path) as first, serving(tmp_path) as second:
        assert first.write(1) == "done"
        ended: list[list[tuple[int, str]]] = [[], []]

        def work(number: int, server: Server) -> None:
            ended[number] = [(version, server.write(version)) for version in range(100 + number, 140, 2)]

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
