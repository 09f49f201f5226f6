"""What came of a push."""

from __future__ import annotations

from dataclasses import dataclass

from apportion.post.erp.book import Push
from apportion.post.erp.errors import RejectedError, Rejection


@dataclass(frozen=True, slots=True)
class PushReport:
    """What came of a push: each part of an entry with its number in the ledger, or the repair list.

    `already` counts those of `posted` that an earlier run had posted. `unsent` are the pushes of this journal that are
    not in the ledger because others were refused.
    """

    journal: str
    posted: tuple[Push, ...] = ()
    already: int = 0
    rejected: tuple[Rejection, ...] = ()
    unsent: tuple[Push, ...] = ()
    statistical: int = 0

    @property
    def done(self) -> bool:
        """Is all of the journal in the ledger?"""
        return not self.rejected and not self.unsent

    @property
    def partly(self) -> bool:
        """Is some of it in the ledger and some not? Repaired and pushed again, only the rest is posted."""
        return bool(self.posted) and not self.done

    def require(self) -> PushReport:
        """This report. Raises `RejectedError` with the repair list where something was refused."""
        if self.rejected:
            raise RejectedError(self.rejected)
        return self
