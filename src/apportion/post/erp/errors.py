"""What can go wrong between us and a ledger. Each says whose fault it is and what to do; none holds a secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apportion.errors import ApportionError, InputRefusedError, Place


@dataclass(frozen=True, slots=True)
class Rejection:
    """One line of the repair list: what the ledger, or our check before sending, refuses, and what would help.

    `line` counts the postings of the entry from 1; 0 is the entry as a whole.
    """

    entry: str
    company: str
    line: int
    code: str
    sentence: str
    advice: str

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        return f"{self.entry}{line}: {self.code}: {self.sentence} {self.advice}".rstrip()


class TargetError(ApportionError):
    """The ledger, or the way to it, fails. What was posted before stays posted; the same push may be run again."""

    code = "TARGET"
    exit_status = 4


class TargetDownError(TargetError):
    """Nobody answers, or not with a certificate that we trust. Nothing was sent."""

    code = "TARGET_DOWN"


class TargetSilentError(TargetDownError):
    """The request was sent and no answer came: it may have been done or not."""

    code = "TARGET_SILENT"


class TargetBusyError(TargetError):
    """The ledger asks to come back later, or another push is on its way. `after` is how many seconds it asks for."""

    code = "TARGET_BUSY"

    def __init__(self, sentence: str, *, place: Place | None = None, advice: str = "", after: int = 0) -> None:
        super().__init__(sentence, place=place, advice=advice)
        self.after = after


class TargetRubbishError(TargetError):
    """An answer that is not what the ledger's contract says."""

    code = "TARGET_RUBBISH"


class NotAuthorisedError(TargetError):
    """The ledger does not know us, or does not let us do this."""

    code = "TARGET_NOT_AUTHORISED"


class UnknownReferenceError(TargetError):
    """The ledger has no such entry (any more)."""

    code = "TARGET_UNKNOWN_REFERENCE"


class RejectedError(InputRefusedError):
    """The ledger refuses what we sent; `rejections` is the repair list, and nothing of it was kept there."""

    code = "TARGET_REJECTED"

    def __init__(self, rejections: Sequence[Rejection]) -> None:
        first = rejections[0]
        more = f" and {len(rejections) - 1} more" if len(rejections) > 1 else ""
        place = Place(first.entry, row=first.line or None)
        super().__init__(f"{first.sentence}{more}", place=place, advice=first.advice)
        self.rejections = tuple(rejections)


class ClosedPeriodError(RejectedError):
    """The ledger's period of the posting day is closed, or does not exist."""

    code = "TARGET_PERIOD_CLOSED"


class DuplicatePushError(InputRefusedError):
    """The same entry was pushed before with other content, or is in the ledger twice."""

    code = "TARGET_DUPLICATE"


class DiffersError(TargetError):
    """The ledger holds something else than what was sent."""

    code = "TARGET_DIFFERS"
    exit_status = 3
