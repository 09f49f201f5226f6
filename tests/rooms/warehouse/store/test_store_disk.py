"""Full, read-only and failing disks: one sentence, and nothing has changed."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from apportion.errors import StorageError
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Committed, Workspace

Bring = Callable[..., Committed]
OCTOBER = BillingPeriod(2026, 10)


@contextmanager
def tiny_disk(directory: Path) -> Iterator[Path]:
    """A file system of half a megabyte; skips where none may be mounted."""
    directory.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(directory)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system can be mounted by root only")
    try:
        yield directory
    finally:
        subprocess.run(["umount", str(directory)], check=True)


def fill(directory: Path, leave: int) -> None:
    """Use up the disk but for `leave` bytes."""
    space = os.statvfs(directory)
    (directory / "filler").write_bytes(bytes(space.f_bavail * space.f_frsize - leave))


@pytest.mark.slow
def test_a_full_disk_changes_nothing_wherever_it_strikes(tmp_path: Path, parcel: Any) -> None:
    with tiny_disk(tmp_path / "disk") as disk:
        workspace = Workspace.create(disk)
        with workspace.staging() as staged:
            workspace.commit_delivery(staged, parcel(contents=("before",)).pack(staged))
        before = workspace.snapshot(OCTOBER)
        outcomes = set()
        for leave in range(0, 24 * 4096, 4096):
            fill(disk, leave)
            outcome = "loaded"
            try:
                with workspace.lock("ingest"), workspace.staging() as staged:
                    workspace.commit_delivery(staged, parcel(contents=(f"after{leave}",)).pack(staged))
            except StorageError as error:
                outcome = error.sentence
            (disk / "filler").unlink()
            outcomes.add(outcome)
            now = Workspace(disk).snapshot(OCTOBER)
            assert (now != before) is (outcome == "loaded")
            assert all(file.path.read_text(encoding="utf-8") == file.path.stem for file in now.files)
            assert list((disk / ".apportion" / "staging").iterdir()) == []
            known = {delivery.id for delivery in workspace.deliveries()}
            assert {path.name for path in (disk / ".apportion" / "deliveries").glob("*/*")} == known
            before = now
        assert outcomes == {"loaded", "The disk is full."}


@pytest.mark.slow
def test_a_read_only_disk_can_be_read(tmp_path: Path, parcel: Any) -> None:
    with tiny_disk(tmp_path / "disk") as disk:
        workspace = Workspace.create(disk)
        (disk / "apportion.yaml").write_text("company: A\n", encoding="utf-8")
        with workspace.staging() as staged:
            workspace.commit_delivery(staged, parcel().pack(staged))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        found = Workspace.open(disk)
        assert found.totals(OCTOBER)[0].rows == 100
        with pytest.raises(StorageError, match="read-only"), found.lock("ingest"):
            pass
        with pytest.raises(StorageError, match="read-only"), found.staging():
            pass


@pytest.mark.parametrize(
    "refusal",
    [
        (call, code)
        for call in ("fsync", "rename", "mkdir", "chmod")
        for code in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)
    ],
    ids=lambda refusal: f"{refusal[0]}-{errno.errorcode[refusal[1]]}",
)
def test_a_refusal_of_the_system_is_explained(
    workspace: Workspace, bring: Bring, parcel: Any, monkeypatch: pytest.MonkeyPatch, refusal: tuple[str, int]
) -> None:
    call, code = refusal
    bring(parcel(contents=("before",)))
    before = workspace.snapshot(OCTOBER)

    def refuse(path: object, *_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code), *(() if call == "fsync" else (str(path),)))

    with monkeypatch.context() as rim:
        rim.setattr(os, call, refuse)
        with pytest.raises(StorageError) as caught:
            bring(parcel(contents=("after",)))
    assert "nothing was changed" in caught.value.advice
    assert Workspace(workspace.root).snapshot(OCTOBER) == before
    bring(parcel(contents=("after",)))
    assert [file.name for file in workspace.snapshot(OCTOBER).files] == ["after.csv"]


def test_a_refusal_elsewhere_is_not_blamed_on_the_workspace(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(PermissionError), workspace.staging():
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "invoice.csv"))


def test_an_interrupt_after_the_commit_loses_nothing(
    workspace: Workspace, bring: Bring, parcel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(parcel(contents=("before",)))
    writing = type(workspace._catalog).writing

    @contextmanager
    def interrupted(catalog: Any) -> Iterator[sqlite3.Connection]:
        with writing(catalog) as connection:
            yield connection
        raise KeyboardInterrupt

    monkeypatch.setattr(type(workspace._catalog), "writing", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bring(parcel(contents=("after",)))
    (file,) = workspace.snapshot(OCTOBER).files
    assert file.path.read_text(encoding="utf-8") == "after"
