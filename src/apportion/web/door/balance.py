"""How much each of the web processes of one server has to do, in a few bytes that all of them share."""

from __future__ import annotations

import fcntl
import mmap
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NUMBER = struct.Struct("<i")
_PLACES = 64
_SPREAD = 2  # what differs by so little evens out by itself


class Balance:
    """This process's count of requests under way, beside those of its siblings.

    The file begins empty. Every process has a place in it: 0 stands for nobody, else one more than its count. It keeps
    the first place that is free until it ends, however it ends: the lock on the place goes with the process.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("r+b", buffering=0)
        self._file.truncate(_PLACES * _NUMBER.size)
        self._shared = mmap.mmap(self._file.fileno(), 0)
        self._place = self._free_place()
        self._guard = threading.Lock()
        self._count = 0
        self._add(0)

    def close(self) -> None:
        """Give the place up."""
        self._shared.close()
        self._file.close()

    def _free_place(self) -> int:
        """Raises `OSError` where there are more processes than places."""
        for place in range(0, _PLACES * _NUMBER.size, _NUMBER.size):
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, _NUMBER.size, place)
            except OSError:
                continue
            return place
        raise OSError(f"There are more than {_PLACES} web processes.")

    @contextmanager
    def counted(self) -> Iterator[None]:
        """One more is under way until the block ends."""
        self._add(1)
        try:
            yield
        finally:
            self._add(-1)

    def is_too_much(self) -> bool:
        """Has this process clearly more to do than the one that has least?"""
        least: int = min(said - 1 for (said,) in _NUMBER.iter_unpack(self._shared) if said)
        return self._count - least > _SPREAD

    def _add(self, more: int) -> None:
        with self._guard:
            self._count += more
            _NUMBER.pack_into(self._shared, self._place, self._count + 1)
