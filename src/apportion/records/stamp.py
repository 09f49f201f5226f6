"""Whether anything in the books has changed: figures that took adding up are kept until the next act.

Every act adds an entry to the audit chain in its own transaction, so the hash of the last entry is a stamp of all that
acts have written. Ask for the stamp first, then for figures: they are as new as the stamp, or newer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import lru_cache, wraps
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar

from apportion.records.audit import AuditHead

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")
_forget: list[Callable[[], None]] = []


def stamp() -> str:
    """The stamp of the books now. One query."""
    return AuditHead.objects.filter(pk=1).values_list("hash", flat=True).first() or ""


_Function = Callable[Concatenate[str, _Given], _Made]


def kept(most: int) -> Callable[[_Function[_Given, _Made]], _Function[_Given, _Made]]:
    """Keep the last so many results of a function in this process, by its arguments; the first of them is the stamp.

    One at a time works it out: after an act many ask at once, and all but the first find it there.
    Results are shared by all requests, so nobody may change them. Without a stamp nothing is kept.
    """

    def decorate(function: _Function[_Given, _Made]) -> _Function[_Given, _Made]:
        made, alone = lru_cache(maxsize=most)(function), RLock()
        _forget.append(made.cache_clear)

        @wraps(function)
        def known(stamp: str, /, *args: _Given.args, **kwargs: _Given.kwargs) -> _Made:
            with alone if stamp else nullcontext():
                return (made if stamp else function)(stamp, *args, **kwargs)

        return known

    return decorate


def forget() -> None:
    """Keep nothing any more: for whoever changes the books without an act, as tests do."""
    for each in _forget:
        each()
