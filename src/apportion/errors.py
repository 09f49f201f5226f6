"""The error tree: every refusal has a code, one sentence, the place, and advice.

Takes nothing, gives exceptions. A face (CLI, web, API) prints them; it never writes sentences of its own.
Findings about data are values in a work list (`apportion.focus.checks`), not exceptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is: a file, and in it a line and column (text) or a row and column name (data)."""

    file: str = ""
    line: int | None = None
    column: int | None = None
    row: int | None = None
    field: str = ""

    def __str__(self) -> str:
        spot = self.file
        if self.line is not None:
            spot += f":{self.line}"
            if self.column is not None:
                spot += f":{self.column}"
        if self.row is not None:
            spot += f", row {self.row}" if spot else f"row {self.row}"
        if self.field:
            spot += f", {self.field}" if spot else self.field
        return spot


class ApportionError(Exception):
    """A refusal that changed nothing. `exit_status` is what the command line ends with."""

    code: ClassVar[str] = "ERROR"
    exit_status: ClassVar[int] = 1

    def __init__(self, sentence: str, *, place: Place | None = None, advice: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.place = place
        self.advice = advice

    def __str__(self) -> str:
        where = f" ({self.place})" if self.place and str(self.place) else ""
        advice = f" {self.advice}" if self.advice else ""
        return f"{self.code}: {self.sentence}{where}{advice}"


# What was given cannot be used (exit status 1).


class InputRefusedError(ApportionError):
    """A delivery, file or value that cannot be taken as it is."""

    code = "INPUT_REFUSED"


class NotFocusError(InputRefusedError):
    """The columns are not those of a FOCUS dataset."""

    code = "NOT_FOCUS"


class EmptyFileError(InputRefusedError):
    """A file without bytes, or a table without rows."""

    code = "EMPTY_FILE"


class UnreadableFileError(InputRefusedError):
    """A truncated, damaged, unsupported or missing file."""

    code = "UNREADABLE_FILE"


class BadValueError(InputRefusedError):
    """A value that breaks a rule without which the row cannot be charged."""

    code = "BAD_VALUE"


class MixedCurrenciesError(InputRefusedError):
    """One provider invoice in more than one billing currency."""

    code = "MIXED_CURRENCIES"


class IncompleteDeliveryError(InputRefusedError):
    """The manifest and the files do not agree."""

    code = "INCOMPLETE_DELIVERY"


class DuplicateDeliveryError(InputRefusedError):
    """Cost that is already loaded and would count twice."""

    code = "DUPLICATE_DELIVERY"


class ShrinkingDeliveryError(InputRefusedError):
    """A delivery that would replace a month with a small part of it."""

    code = "SHRINKING_DELIVERY"


class SealedPeriodError(InputRefusedError):
    """New charges for a sealed billing period."""

    code = "SEALED_PERIOD"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a document that people write: policy, organization or settings."""

    code: str
    sentence: str
    place: Place
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.code}: {self.sentence}{' ' + self.advice if self.advice else ''}"


class DocumentError(ApportionError):
    """Every mistake found in a policy, organization or settings file, in the order of the file."""

    code = "DOCUMENT_MISTAKES"

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        first = mistakes[0]
        rest = f" and {len(mistakes) - 1} more" if len(mistakes) > 1 else ""
        super().__init__(f"{first.sentence}{rest}", place=first.place, advice=first.advice)
        self.mistakes = tuple(mistakes)


class JournalRefusedError(DocumentError):
    """Every line of a journal that the target's ledger would not take, before anything was written or sent."""

    code = "JOURNAL_REFUSED"


class EInvoiceRefusedError(DocumentError):
    """Everything that keeps a document from being a valid e-invoice, before any file of it was handed over."""

    code = "EINVOICE_REFUSED"


class AllocationRefusedError(ApportionError):
    """A pool that cannot be shared without losing or inventing money."""

    code = "ALLOCATION_REFUSED"


class ZeroBasisError(AllocationRefusedError):
    """The basis of a pool adds up to zero."""

    code = "ZERO_BASIS"


class NegativeBasisError(AllocationRefusedError):
    """A recipient's basis is below zero."""

    code = "NEGATIVE_BASIS"


class MissingBasisError(AllocationRefusedError):
    """A pool whose basis was not delivered, such as usage of a metric or a rate of exchange."""

    code = "MISSING_BASIS"


class MissingRateError(MissingBasisError):
    """No rate of exchange between two currencies, or none that is recent enough."""

    code = "MISSING_RATE"


class PoolLoopError(AllocationRefusedError):
    """Pools that share into each other."""

    code = "POOL_LOOP"


class UnbalancedEntryError(ApportionError):
    """Debits and credits differ in one company and currency."""

    code = "UNBALANCED_ENTRY"


class UnmappedError(ApportionError):
    """A cost group without the coding that the ledger needs. `groups` are their codes, each with what it lacks."""

    code = "UNMAPPED"

    def __init__(
        self,
        sentence: str,
        *,
        place: Place | None = None,
        advice: str = "",
        groups: Sequence[tuple[str, tuple[str, ...]]] = (),
    ) -> None:
        super().__init__(sentence, place=place, advice=advice)
        self.groups = tuple(groups)


class NotFoundError(ApportionError):
    """The period, statement, line or file that was asked for does not exist."""

    code = "NOT_FOUND"


# The books do not agree (exit status 3).


class TieOutError(ApportionError):
    """A stage of the tie-out differs without a reason."""

    code = "TIE_OUT_BROKEN"
    exit_status = 3


class ConservationError(ApportionError):
    """A step lost or invented money: a fault of the program, stopped before anything was saved."""

    code = "CONSERVATION_BROKEN"
    exit_status = 3


class ReplayError(ApportionError):
    """A sealed period did not come out the same again."""

    code = "REPLAY_DIFFERS"
    exit_status = 3


# The surroundings do not allow it (exit status 4).


class WorkspaceError(ApportionError):
    """No workspace here, one of another version, or a damaged one."""

    code = "NO_WORKSPACE"
    exit_status = 4


class WorkspaceBusyError(WorkspaceError):
    """Another process works in this workspace."""

    code = "WORKSPACE_BUSY"


class StorageError(WorkspaceError):
    """The disk is full or refuses to write."""

    code = "STORAGE"


class EngineError(ApportionError):
    """The engine that holds the cost data failed in a way that nobody foresaw."""

    code = "ENGINE"
    exit_status = 4
