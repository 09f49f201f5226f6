"""Reading answers with suspicion: what is not as a ledger's contract says is `TargetRubbishError`, never a crash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import wraps
from typing import Any, TypeVar

from apportion.post.erp.errors import TargetRubbishError

Made = TypeVar("Made")


def rubbish(title: str, what: str) -> TargetRubbishError:
    """The error for an answer that makes no sense."""
    return TargetRubbishError(
        f"{title} answers with {what}.",
        advice="Is it the version that the documentation names, and the address of its interface?",
    )


def rows_of(value: object, title: str) -> list[Mapping[str, Any]]:
    """A list of objects. Raises `TargetRubbishError`."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise rubbish(title, "something else than rows")
    return value


def row_of(value: object, title: str) -> Mapping[str, Any]:
    """An object. Raises `TargetRubbishError`."""
    if not isinstance(value, dict):
        raise rubbish(title, "something else than an object")
    return value


def iso_day(value: object, title: str) -> date:
    """A day as ``2026-10-31``, anything after it left off. Raises `TargetRubbishError`."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise rubbish(title, f"{str(value)[:30]!r} for a day") from None


def sensible(title: str, read: Callable[[], Made]) -> Made:
    """What a reader makes of an answer. Raises `TargetRubbishError` where members are missing or of another kind."""
    try:
        return read()
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise rubbish(title, f"something that cannot be read ({type(error).__name__}: {str(error)[:80]})") from error


_ASKED = ("check", "expected", "find", "create", "post", "read", "discard", "trial_balance")


def careful(kind: type[Made]) -> type[Made]:
    """A class decorator for targets: whatever they cannot read of an answer is `TargetRubbishError`."""

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(self: Any, *arguments: Any, **named: Any) -> Any:
            return sensible(self.name, lambda: method(self, *arguments, **named))

        return call

    for name in _ASKED:
        setattr(kind, name, guarded(getattr(kind, name)))
    return kind


def amounts(value: object) -> Decimal:
    """A number, exactly as it was written. Raises `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise TypeError(f"{value!r} is no number")
    return Decimal(value)
