"""What goes wrong inside the engine, said in a sentence and with advice.

Rooms turn what they can foresee into errors of their own; this is for the rest, so that a face can name it too.
"""

from __future__ import annotations

import re

from apportion.errors import ApportionError, EngineError, StorageError

_NOTHING = "Nothing was changed."
_INTERRUPTED = "Query interrupted"  # the engine's words, in a RuntimeError, where Ctrl-C comes in the midst of a query

TOO_LARGE = "The amounts add up to 100 000 000 000 000 000 000 or more, which no exact decimal of the engine holds."


def is_engine_error(error: BaseException) -> bool:
    """Whether an error comes from the engine, without loading the engine to find out."""
    if isinstance(error, RuntimeError) and str(error) == _INTERRUPTED:
        return True
    return any(kind.__module__ in ("duckdb", "_duckdb") for kind in type(error).__mro__)


def is_overflow(error: BaseException) -> bool:
    """Whether exact amounts became too large to be added up."""
    return is_engine_error(error) and bool(re.search("overflow in (sum|hugeint)", str(error), re.IGNORECASE))


def explained(error: BaseException) -> ApportionError | KeyboardInterrupt | None:
    """The error as one of the project's, or as the interrupt that it was; None where it is not the engine's."""
    if not is_engine_error(error):
        return None
    import duckdb

    reason = _first_line(error)
    if isinstance(error, duckdb.InterruptException | RuntimeError):
        return KeyboardInterrupt()
    if isinstance(error, duckdb.OutOfMemoryException):
        return EngineError(
            f"The engine needs more memory or room for temporary files than it may use: {reason}",
            advice=f"{_NOTHING} Free some space on the disk of the workspace, and run the command again.",
        )
    if isinstance(error, duckdb.IOException):
        if "no space left" in str(error).casefold():
            return StorageError("The disk is full.", advice=f"{_NOTHING} Free some space and run the command again.")
        return EngineError(
            f"The engine cannot read or write a file: {reason}",
            advice=f"{_NOTHING} Check that the file is there, complete and readable.",
        )
    if is_overflow(error):
        return EngineError(TOO_LARGE, advice=f"{_NOTHING} Look for an amount that cannot be meant.")
    return EngineError(
        f"The engine refuses the cost data: {reason}",
        advice=f"{_NOTHING} Please report this, with the command and the columns of the file.",
    )


def _first_line(error: BaseException) -> str:
    """The engine's message without the query below it."""
    text = str(error).strip().partition("\n")[0]
    return text if text.endswith(".") else f"{text}."
