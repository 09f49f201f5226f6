"""How long work tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What a face shows of a delivery being loaded. Calls may come from several threads, one at a time."""

    def start(self, total_bytes: int) -> None:
        """The work begins; this many delivered bytes are to be done."""

    def advance(self, rows: int, bytes_: int) -> None:
        """So many more rows and delivered bytes are done since the last call."""

    def done(self) -> None:
        """The work is over, well or not."""


class Silent:
    """A progress that nobody looks at."""

    def start(self, total_bytes: int) -> None:
        """Nothing."""

    def advance(self, rows: int, bytes_: int) -> None:
        """Nothing."""

    def done(self) -> None:
        """Nothing."""
