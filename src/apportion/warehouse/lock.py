"""Who may write: one process at a time, and the kernel lets go when that process ends, however it ends.

A lock is an open file that the kernel remembers (`flock`), not a file that exists: a killed process leaves
nothing to clean up. The text inside only says who holds it.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apportion.errors import WorkspaceBusyError

_LONGEST_TEXT = 1024


class WorkspaceLock:
    """The right to change one workspace. Taking it again inside itself, in the same thread, is allowed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._holder: int | None = None

    @contextmanager
    def taken(self, purpose: str) -> Iterator[bool]:
        """Hold the lock for the length of the block; gives whether this is the outermost block.

        Raises `WorkspaceBusyError` at once, with the process and purpose of whoever holds it, and `OSError`
        where the lock file cannot be written.
        """
        me = threading.get_ident()
        if self._holder == me:
            yield False
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not take(descriptor):
                raise self._busy(descriptor)
            text = f"{os.getpid()} {' '.join(purpose.split())}\n".encode()[:_LONGEST_TEXT]
            # In place, and cut afterwards: a full disk must not keep anybody from taking the lock.
            os.pwrite(descriptor, text, 0)
            os.truncate(descriptor, len(text))
            self._holder = me
            try:
                yield True
            finally:
                self._holder = None
        finally:
            os.close(descriptor)

    def _busy(self, descriptor: int) -> WorkspaceBusyError:
        pid, _, purpose = os.pread(descriptor, _LONGEST_TEXT, 0).decode(errors="replace").strip().partition(" ")
        # The text is empty for the instant between taking the lock and writing down who took it.
        who = f"process {pid} ({purpose})" if pid else "another process"
        return WorkspaceBusyError(
            f"The workspace is in use by {who}.",
            advice="Wait until it has finished, then run the command again; nothing was changed.",
        )


def take(descriptor: int) -> bool:
    """Lock an open file or directory until it is closed; False where somebody else has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
