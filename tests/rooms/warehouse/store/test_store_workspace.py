"""A workspace: made once, found from below, changed by one process at a time, its runs and seals."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import apportion
from apportion.errors import SealedPeriodError, WorkspaceBusyError, WorkspaceError
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Committed, Workspace

Bring = Callable[..., Committed]
OCTOBER, NOVEMBER = BillingPeriod(2026, 10), BillingPeriod(2026, 11)


def save(workspace: Workspace, digest: str, period: BillingPeriod = OCTOBER) -> None:
    with workspace.lock("allocate"), workspace.staging() as staged:
        (staged / "result.json").write_text(digest, encoding="utf-8")
        workspace.save_run(period, digest, staged)


def result(workspace: Workspace, period: BillingPeriod = OCTOBER) -> str | None:
    run = workspace.current_run(period)
    return None if run is None else (run / "result.json").read_text(encoding="utf-8")


# Made and found.


def test_it_is_found_from_below_and_not_made_twice(workspace: Workspace) -> None:
    below = workspace.root / "reports" / "2026"
    below.mkdir(parents=True)
    found = Workspace.open(below)
    assert found.root == workspace.root
    assert found.settings.company == "Harbour Foods"
    with pytest.raises(WorkspaceError, match="already is a workspace"):
        Workspace.create(workspace.root)


def test_no_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError) as caught:
        Workspace.open(tmp_path)
    assert "apportion init DIR" in caught.value.advice


def test_a_policy_without_its_store_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "apportion.yaml").write_text("company: A\n", encoding="utf-8")
    with pytest.raises(WorkspaceError) as caught:
        Workspace.open(tmp_path)
    assert f"apportion init {tmp_path}" in caught.value.advice
    Workspace.create(tmp_path)
    assert Workspace.open(tmp_path).periods() == ()


def test_a_half_made_workspace_is_completed(tmp_path: Path) -> None:
    (tmp_path / ".apportion").mkdir()
    (tmp_path / ".apportion" / "catalog.new").write_text("half a file", encoding="utf-8")
    assert Workspace.create(tmp_path).periods() == ()


def test_a_workspace_of_another_version_is_refused(workspace: Workspace) -> None:
    with sqlite3.connect(workspace.root / ".apportion" / "catalog.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(WorkspaceError, match="format 99"):
        Workspace.open(workspace.root)


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to look at" * 100])
def test_a_damaged_catalog_is_refused(workspace: Workspace, content: bytes) -> None:
    (workspace.root / ".apportion" / "catalog.sqlite").write_bytes(content)
    with pytest.raises(WorkspaceError):
        Workspace.open(workspace.root)


# One at a time.


def test_another_process_is_refused_and_told_who_works(workspace: Workspace) -> None:
    program = (
        "import sys; from pathlib import Path; from apportion.warehouse.store import Workspace\n"
        "with Workspace.open(Path(sys.argv[1])).lock('ingest of aws'): print('held', flush=True); sys.stdin.read()"
    )
    source = str(Path(apportion.__file__).parents[1])
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(workspace.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": source},
    )
    with child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(WorkspaceBusyError) as caught, workspace.lock("allocate"):
            pass
        assert workspace.periods() == (), "readers need no lock"
        child.stdin.close()
    assert f"process {child.pid} (ingest of aws)" in caught.value.sentence
    with workspace.lock("allocate"):
        pass


def test_the_lock_may_be_taken_inside_itself_but_not_by_a_thread(workspace: Workspace) -> None:
    refused = []

    def try_it() -> None:
        try:
            with workspace.lock("thread"):
                pass
        except WorkspaceBusyError:
            refused.append(True)

    with workspace.lock("close"):
        with workspace.lock("allocate"):
            pass
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
        with pytest.raises(WorkspaceBusyError), Workspace.open(workspace.root).lock("again"):
            pass
    assert refused == [True]
    with Workspace.open(workspace.root).lock("afterwards"):
        pass


def test_a_lock_sweeps_what_the_dead_left_and_nothing_else(workspace: Workspace, bring: Bring, parcel: Any) -> None:
    bring(parcel())
    save(workspace, "run-1")
    store = workspace.root / ".apportion"
    dead = [store / "staging" / "tmp-dead", store / "deliveries" / "aws" / "unrecorded", store / "runs/2026-10/other"]
    for directory in dead:
        directory.mkdir()
        (directory / "half.parquet").write_text("half", encoding="utf-8")
    with workspace.staging() as alive:
        (alive / "rows").write_text("x", encoding="utf-8")
        with Workspace.open(workspace.root).lock("next"):
            assert not any(directory.exists() for directory in dead)
            assert (alive / "rows").exists()
    assert workspace.snapshot(OCTOBER).files[0].path.is_file()
    assert result(workspace) == "run-1"


def test_staging_is_removed_whatever_happens(workspace: Workspace) -> None:
    def fail() -> None:
        with workspace.staging() as staged:
            (staged / "deep").mkdir()
            (staged / "deep" / "rows").write_text("x", encoding="utf-8")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list((workspace.root / ".apportion" / "staging").iterdir()) == []


# Runs and seals.


def test_the_latest_run_is_current_and_the_former_one_goes(workspace: Workspace) -> None:
    assert workspace.current_run(OCTOBER) is None
    for digest in ("run-1", "run-2", "run-2", "run-1"):
        save(workspace, digest)
        assert result(workspace) == digest
        assert [path.name for path in (workspace.root / ".apportion" / "runs" / "2026-10").iterdir()] == [digest]
    saved = workspace.root / ".apportion/runs/2026-10/run-1/result.json"
    assert saved.stat().st_mode & 0o222 == 0
    save(workspace, "run-9", NOVEMBER)
    assert (result(workspace), result(workspace, NOVEMBER)) == ("run-1", "run-9")


def test_a_seal_keeps_the_run_and_is_for_ever(workspace: Workspace) -> None:
    save(workspace, "run-1")
    record = {"snapshot": "abc", "software": "0.1.0"}
    assert workspace.sealed(OCTOBER) is None
    workspace.seal(OCTOBER, record)
    workspace.seal(OCTOBER, record)
    assert Workspace.open(workspace.root).sealed(OCTOBER) == record
    with pytest.raises(SealedPeriodError, match="already sealed"):
        workspace.seal(OCTOBER, {**record, "software": "0.2.0"})
    with pytest.raises(SealedPeriodError, match="2026-11"):
        save(workspace, "run-2")
    save(workspace, "run-1")
    assert (result(workspace), workspace.sealed(OCTOBER)) == ("run-1", record)
    assert list((workspace.root / ".apportion" / "staging").iterdir()) == []


def test_a_sealed_run_that_was_lost_can_be_made_again(workspace: Workspace) -> None:
    save(workspace, "run-1")
    workspace.seal(OCTOBER, {})
    (workspace.root / ".apportion/runs/2026-10/run-1").rename(workspace.root / "lost")
    assert workspace.current_run(OCTOBER) is None
    save(workspace, "run-1")
    assert result(workspace) == "run-1"


def test_the_next_open_period_skips_sealed_ones(workspace: Workspace) -> None:
    for period in (NOVEMBER, NOVEMBER.next):
        workspace.seal(period, {})
    assert workspace.next_open_period(OCTOBER) == BillingPeriod(2027, 1)
    assert workspace.next_open_period(NOVEMBER.next) == BillingPeriod(2027, 1)
    assert workspace.next_open_period(OCTOBER.previous) == OCTOBER
