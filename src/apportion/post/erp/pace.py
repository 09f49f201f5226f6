"""How long to go on trying: waits that double, and an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from apportion.post.erp.errors import TargetBusyError, TargetDownError, TargetError, TargetRubbishError

Given = TypeVar("Given")


class Clock(Protocol):
    """Time, so that tests need not wait for it."""

    def monotonic(self) -> float:  # float: seconds
        """Seconds that only grow."""

    def sleep(self, seconds: float) -> None:  # float: seconds
        """Wait."""


class RealClock:
    """The machine's own."""

    def monotonic(self) -> float:  # float: seconds
        """See `Clock`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:  # float: seconds
        """See `Clock`."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Pace:
    """At most so many tries and seconds for one step; the first wait, doubled each time up to the longest.

    What a ledger asks for by itself (``Retry-After``) is kept to, unless the seconds would not suffice.
    """

    tries: int = 8
    first: float = 0.5  # float: seconds
    longest: float = 30  # float: seconds
    seconds: float = 300  # float: seconds

    def patiently(self, clock: Clock, step: Callable[[], Given]) -> Given:
        """Do a step until it works. It must look before it writes, since a try that failed may have done its work.

        Tries again when the ledger is busy, down or silent, and once when its answer made no sense. Raises the last
        error.
        """
        end = clock.monotonic() + self.seconds
        wait, made_no_sense = self.first, 0
        for tried in range(1, self.tries + 1):
            try:
                return step()
            except (TargetBusyError, TargetDownError, TargetRubbishError) as error:
                made_no_sense += isinstance(error, TargetRubbishError)
                asked = max(wait, error.after if isinstance(error, TargetBusyError) else 0)
                if tried == self.tries or made_no_sense > 1 or clock.monotonic() + asked > end:
                    raise
                clock.sleep(asked)
                wait = min(wait * 2, self.longest)
        raise TargetError("A step was to be tried no time at all.")


@dataclass(frozen=True, slots=True)
class Patience:
    """Tries a request that only reads a few times by itself, so that a long step need not begin anew."""

    pace: Pace = field(default_factory=lambda: Pace(tries=4, first=0.5, longest=8, seconds=60))  # float: seconds
    clock: Clock = field(default_factory=RealClock)

    def __call__(self, read: Callable[[], Given]) -> Given:
        """What the request gives. Raises its last error."""
        return self.pace.patiently(self.clock, read)
