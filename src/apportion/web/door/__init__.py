"""Before the application: whole bodies of a bearable size, turns in the order of arrival, an even share of the work.

A server hands every request to a thread at once. Without this, a few senders that never finish would hold all threads,
many threads would take the interpreter from each other, and a browser's kept connection would stay with a web process
however busy that is while its sibling has nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from apportion.web.door import bodies
from apportion.web.door.balance import Balance
from apportion.web.door.turns import Turns

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# Why a request is let in without its body: an HTTPStatus, for the application to make a page of.
REFUSED = "apportion.refused"
# Pages take turns: two at once take the interpreter from each other, and the last of twenty waits longer for it.
_AT_ONCE = 1
# Of the server's threads (`cli.serve`), so many may wait for bodies; the others go on answering.
_MOST_SENDERS = 16


class Door:
    """A WSGI application around another.

    No body may be larger than `most_bytes`. `balance` is None where there is one web process.
    """

    def __init__(self, inside: WSGIApplication, most_bytes: int, balance: Balance | None = None) -> None:
        self._inside = inside
        self._most_bytes = most_bytes
        self._balance = balance
        self._turns = Turns(_AT_ONCE)
        self._senders = BoundedSemaphore(_MOST_SENDERS)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with ExitStack() as held:
            refused = self._bring_in(environ, held) if bodies.size_of(environ) != 0 else None
            if refused is not None:
                environ[REFUSED] = refused
                bodies.leave_out(environ)
            if self._balance is not None:
                held.enter_context(self._balance.counted())
            held.enter_context(self._turns.taken())

            def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
                # Asked as late as can be: what was too much on arrival may be with another process by now.
                if environ.get("SERVER_PROTOCOL") == "HTTP/1.1" and (refused is not None or self._is_too_much()):
                    headers = [*headers, ("Connection", "close")]
                return start_response(status, headers, *more)

            return self._inside(environ, start)

    def _is_too_much(self) -> bool:
        """A kept connection stays with this process; one that is opened anew may come to one with less to do."""
        return self._balance is not None and self._balance.is_too_much()

    def _bring_in(self, environ: WSGIEnvironment, held: ExitStack) -> HTTPStatus | None:
        """Read the body, which takes as long as its sender likes; why not, where it is not there now."""
        size = bodies.size_of(environ)
        if size is None:  # the server does not tell the end of the pieces from a sender who went away
            return HTTPStatus.LENGTH_REQUIRED
        if size > self._most_bytes:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        if not self._senders.acquire(blocking=False):
            return HTTPStatus.SERVICE_UNAVAILABLE
        try:
            return None if bodies.bring_in(environ, size, held) else HTTPStatus.BAD_REQUEST
        finally:
            self._senders.release()
