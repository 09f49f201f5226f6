"""Turns, in the order of arrival."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

# Many times what a page takes. Were it near that, a busy moment would let in more, which makes all of them slower.
_LONG_SECONDS = 0.5


class Turns:
    """So many at a time, first come first served, which the semaphores of Python do not promise.

    Whoever has had a turn for `long` seconds is no longer counted, so that a large download does not keep small pages
    waiting.
    """

    def __init__(self, at_once: int, long: float = _LONG_SECONDS) -> None:
        self._at_once = at_once
        self._long = long
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._since: dict[threading.Lock, float] = {}

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a turn, and have it until the block ends."""
        turn = threading.Lock()
        turn.acquire()
        with self._guard:
            self._waiting.append(turn)
            self._let_in()
        while not turn.acquire(timeout=self._long):
            with self._guard:  # nobody ends a turn where all of them take long
                self._let_in()
        try:
            yield
        finally:
            with self._guard:
                del self._since[turn]
                self._let_in()

    def _let_in(self) -> None:
        now = time.monotonic()
        while self._waiting and sum(now - since < self._long for since in self._since.values()) < self._at_once:
            turn = self._waiting.popleft()
            self._since[turn] = now
            turn.release()
