"""The worker and the timers beside the web server, each in a thread of the process that `serve` began."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType

from django.db import DatabaseError, close_old_connections, connection

from apportion.actions import timers, working
from apportion.actions.notices import sending

_LOOK_SECONDS = 1
_TICK_SECONDS = 30
_SEND_SECONDS = 5
_PATIENCE_SECONDS = 8
_log = logging.getLogger("apportion")


class Background:
    """Does what is due until the block ends. Work that does not stop in time is left: its lease ends by itself."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._every, args=(seconds, act), name=name, daemon=True)
            for name, seconds, act in (
                ("worker", _LOOK_SECONDS, self._work),
                ("timers", _TICK_SECONDS, self._tick),
                ("messages", _SEND_SECONDS, self._send),
            )
        ]

    def __enter__(self) -> Background:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS)
        if error is None and any(thread.is_alive() for thread in self._threads):
            # An engine that is in the middle of a query would keep the process. What it does counts only when whole.
            print("Stopped in the middle of some work; it is begun again at the next start.", flush=True)
            sys.stdout.flush()
            os._exit(0)

    def _every(self, seconds: float, act: Callable[[], bool]) -> None:
        """Do it again at once where there was something to do."""
        while not self._stop.is_set():
            close_old_connections()
            try:
                more = act()
            except DatabaseError as error:
                _log.warning("The books cannot be reached: %s", error)
                more = False
            except Exception:
                _log.exception("Something in the background failed")
                more = False
            finally:
                connection.close()
            if not more:
                self._stop.wait(seconds)

    def _work(self) -> bool:
        return working.run_next(f"serve {os.getpid()}") is not None

    def _tick(self) -> bool:
        for sentence in timers.tick().failed:
            _log.warning("Not done, and tried again: %s", sentence)
        return False

    def _send(self) -> bool:
        return sending.send_waiting().sent > 0
