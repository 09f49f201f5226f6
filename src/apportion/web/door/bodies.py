"""The body of a request, read before anybody works on it: to memory if it is small, else to a file that has no name."""

from __future__ import annotations

import io
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_BLOCK = 64 * 1024
_IN_MEMORY = 1024 * 1024


def size_of(environ: WSGIEnvironment) -> int | None:
    """In bytes, as its sender says; None where it comes in pieces, and nobody says.

    0 where nothing or nonsense is said, which is how the application reads it too.
    """
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return None
    said = environ.get("CONTENT_LENGTH") or "0"
    return int(said) if said.isascii() and said.isdecimal() else 0


def bring_in(environ: WSGIEnvironment, size: int, held: ExitStack) -> bool:
    """Read the body and put it in the place of the stream; False where its sender went away before the end.

    It is gone when what is `held` ends.
    """
    stream, read = environ["wsgi.input"], 0
    body = held.enter_context(SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115
    while read < size:
        try:
            block = stream.read(min(_BLOCK, size - read))
        except OSError:
            return False
        if not block:
            return False
        read += len(block)
        body.write(block)
    body.seek(0)
    environ["wsgi.input"] = body
    return True


def leave_out(environ: WSGIEnvironment) -> None:
    """As if there had been no body."""
    environ["wsgi.input"] = io.BytesIO()
    environ["CONTENT_LENGTH"] = "0"
