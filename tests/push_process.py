"""Acts on journals in processes of their own: ``python -m tests.push_process ROOT SOCKET``.

It sets Django up once and then forks: each connection to its socket is one act, over the books that are named, in a
process that may be killed or held up at any of its steps. A step is a call to the ledger or a commit to the books.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

BEFORE, SENT, AFTER = "before", "sent", "after"
_PATIENCE = 60


class Steps:
    """The steps of an act as they come, and what happens at one of them: ``at`` is its number from 1.

    A ledger that was busy is asked again, so that other steps may come earlier: where a step has no such moment, what
    happens does so at the next that has.
    """

    def __init__(self, at: int = 0, moment: str = "", held: str = "") -> None:
        self.names: list[str] = []
        self._at, self._moment, self._held = at, moment, held

    def begin(self, name: str) -> None:
        """A call or a commit begins."""
        self.names.append(name)
        self.reach(BEFORE)

    def reach(self, moment: str) -> None:
        """Die or wait, where that is wanted here."""
        if not 0 < self._at <= len(self.names) or moment != self._moment:
            return
        self._at = 0
        if not self._held:
            os.kill(os.getpid(), signal.SIGKILL)
        Path(f"{self._held}.reached").touch()
        end = time.monotonic() + _PATIENCE
        while not Path(f"{self._held}.go").exists() and time.monotonic() < end:
            time.sleep(0.005)

    def watch(self) -> None:
        """Count calls of ledgers, requests that were sent, and commits of this process."""
        from django.db.backends.base.base import BaseDatabaseWrapper

        from apportion.post.erp.calling import Caller

        call, answer, commit = Caller.call, HTTPConnection.getresponse, BaseDatabaseWrapper.commit

        def watched_call(caller: Caller, *given: Any, **named: Any) -> Any:
            self.begin(str(named["body"]["method"]))
            found = call(caller, *given, **named)
            self.reach(AFTER)
            return found

        def watched_answer(connection: HTTPConnection) -> Any:
            self.reach(SENT)
            return answer(connection)

        def watched_commit(connection: BaseDatabaseWrapper) -> None:
            self.begin("commit")
            commit(connection)
            self.reach(AFTER)

        vars_of: list[tuple[Any, str, Any]] = [
            (Caller, "call", watched_call),
            (HTTPConnection, "getresponse", watched_answer),
            (BaseDatabaseWrapper, "commit", watched_commit),
        ]
        for owner, name, wrapped in vars_of:
            setattr(owner, name, wrapped)


def main(root: Path, address: str) -> None:
    """Be ready, and fork for each act, until whoever began this process ends it or is gone."""
    from apportion import records

    records.boot(root)
    from tests import push_acts

    push_acts.warm()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(address)
        listening.listen(16)
        listening.settimeout(5)
        parent = os.getppid()
        while os.getppid() == parent:
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                connection.settimeout(None)
                listening.close()
                _serve(connection)
            connection.close()


def _serve(connection: socket.socket) -> None:
    from tests import push_acts

    with connection, connection.makefile("rw", encoding="utf-8") as lines:
        command = json.loads(lines.readline())
        answer = push_acts.done(command, Steps(**command.pop("steps", {})))
        lines.write(json.dumps(answer) + "\n")
        lines.flush()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
