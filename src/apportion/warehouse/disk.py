"""Files that must be whole or absent: staged aside, made permanent, moved in one step, or swept away.

Everything happens inside the store's own directory, on one file system, so a rename is atomic.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from apportion.errors import StorageError, WorkspaceBusyError, WorkspaceError
from apportion.warehouse.lock import take

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO}
_NOTHING_CHANGED = "and run the command again; nothing was changed."


@contextmanager
def explained(store: Path) -> Iterator[None]:
    """Failures of the disk under `store`, as `StorageError` with a sentence; other errors pass as they are.

    A refusal that names a file elsewhere is not the store's, and passes too.
    """
    try:
        yield
    except OSError as error:
        explanation = _os_error(store, error)
        if explanation is None:
            raise
        raise explanation from error
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # a fault of the program, or somebody's attempt to change what a trigger keeps
    except sqlite3.DatabaseError as error:
        raise _sqlite_error(store, error) from error


def _os_error(store: Path, error: OSError) -> StorageError | None:
    if error.errno in _FULL:
        return _full(store)
    names = [name for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    inside = [name for name in names if Path(os.fsdecode(name)).is_relative_to(store)]
    if error.errno in _REFUSED and (inside or not names):
        return _refused(store, f" {os.fsdecode(inside[0])}" if inside else "", os.strerror(error.errno))
    return None


def _sqlite_error(store: Path, error: sqlite3.DatabaseError) -> WorkspaceError:
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return _full(store)
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return _refused(store, " the catalog", str(error))
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return WorkspaceBusyError(
            "Another process keeps the catalog of the workspace busy.",
            advice="Wait until it has finished, then run the command again; nothing was changed.",
        )
    return WorkspaceError(
        f"The catalog of the workspace cannot be read ({error}).",
        advice=f"Put back {store} from a backup; do not edit it by hand.",
    )


def _full(store: Path) -> StorageError:
    return StorageError("The disk is full.", advice=f"Free some space for {store} {_NOTHING_CHANGED}")


def _refused(store: Path, name: str, reason: str) -> StorageError:
    return StorageError(
        f"The disk refuses to read or write{name}: {reason.lower()}.",
        advice=f"Make {store} writable {_NOTHING_CHANGED}",
    )


@contextmanager
def staging(directory: Path) -> Iterator[Path]:
    """A fresh, empty directory under `directory`; whatever is still there afterwards is removed.

    The directory is locked while the block runs, so that `sweep_staging` of another process leaves it alone.
    """
    path, descriptor = _fresh(directory)
    try:
        yield path
    finally:
        # Whatever goes wrong here is swept at the next lock; it must not hide the error of the block.
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def _fresh(directory: Path) -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(dir=directory))
        path.chmod(0o755)
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY)
            # A sweep may come between making and locking the directory; then it is gone, and another is made.
            if take(descriptor) and path.exists():
                return path, descriptor
            os.close(descriptor)


def sweep_staging(directory: Path) -> None:
    """Remove what killed processes left, and leave alone what a living one is filling."""
    for path in directory.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if take(descriptor):
                remove(path)
        finally:
            os.close(descriptor)


def harden(directory: Path) -> None:
    """Make every file below read-only, and put all of it on the disk for good, before its name is known.

    Raises `ValueError` for a link: what it leads to could change later.
    """
    for folder, folders, files in os.walk(directory, topdown=False):
        for name in files + folders:
            path = Path(folder, name)
            if path.is_symlink():
                raise ValueError(f"a delivery holds files, not links: {path}")
            if name in files:
                path.chmod(0o444)
                sync(path)
        sync(Path(folder))


def move(source: Path, target: Path) -> None:
    """Rename a directory to a place where none is, in one step, and make the new name permanent."""
    new_parents = [parent for parent in target.parents if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    for parent in {target.parent, source.parent, *(parent.parent for parent in new_parents)}:
        sync(parent)


def remove(path: Path) -> None:
    """Remove a directory or file, whatever is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def sync(path: Path) -> None:
    """Put a file, or the names in a directory, on the disk for good."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
