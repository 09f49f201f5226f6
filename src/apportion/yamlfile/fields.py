"""Kinds of value that documents share, and how a model refuses one with a sentence and advice."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

RESERVED = ("kept_central", "unallocated")

_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing wrong with a value: the mistake's code, sentence and advice, and the path from the value to it."""

    code: str
    sentence: str
    advice: str = ""
    at: tuple[str | int, ...] = ()


def refuse(code: str, sentence: str, advice: str = "", at: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """What a validator raises for one thing wrong; see `Refusal`."""
    return refuse_all([Refusal(code, sentence, advice, at)])


def refuse_all(refusals: Sequence[Refusal]) -> PydanticCustomError:
    """What a validator raises for several things wrong with one value."""
    return PydanticCustomError("mistake", "{sentence}", {"sentence": refusals[0].sentence, "refusals": tuple(refusals)})


def refusals_of(error: PydanticCustomError) -> tuple[Refusal, ...]:
    """What was wrong, where a validator was called outside a model."""
    return tuple((error.context or {})["refusals"])


def suggestion(word: str, known: Iterable[str]) -> str:
    """``Did you mean 'x'?`` for the known word that looks most alike, else nothing."""
    by_fold: dict[str, str] = {}
    for name in known:
        by_fold.setdefault(name.casefold(), name)
    near = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.7)
    return f"Did you mean '{by_fold[near[0]]}'?" if near else ""


def _day(value: object) -> object:
    return parse_day(value) if isinstance(value, str) else value


def parse_day(value: str) -> date:
    """A day written as YYYY-MM-DD, and nothing else that a date might look like."""
    if _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise refuse("BAD_DATE", f"There is no day '{value}' in the calendar.") from None
    raise refuse("BAD_DATE", f"'{value}' is not a date.", "Write it as YYYY-MM-DD, for example 2026-07-01.")


def _flag(value: object) -> object:
    if isinstance(value, str):
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise refuse("BAD_VALUE", f"'{value}' is neither true nor false.", "Write true or false.")
    return value


def check_code(value: str) -> str:
    """A code of a cost group, pool or rule. Refuses characters that file names, ledgers or reports cannot carry."""
    if not _CODE.fullmatch(value):
        if not value:
            raise refuse("BAD_CODE", "The code is empty.")
        stray = next((sign for sign in value if not _CODE.fullmatch(sign)), "")
        why = f"it holds {_shown(stray)}" if stray else "it is longer than 64 characters"
        raise refuse("BAD_CODE", f"'{value[:80]}' cannot be a code: {why}.", "Use letters, digits, '.', '_' and '-'.")
    if value.casefold() in RESERVED:
        raise refuse(
            "RESERVED_CODE", f"'{value}' is a word of Apportion's own and cannot be a code.", "Choose another."
        )
    return value


def _shown(sign: str) -> str:
    return "a blank" if sign == " " else f"'{sign}'"


Text = Annotated[str, WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""Text as it stands in the file. An editor may take ``0010`` for a number: the JSON Schema allows it."""

Code = Annotated[
    str,
    AfterValidator(check_code),
    WithJsonSchema({"type": ["string", "number"], "pattern": r"^[A-Za-z0-9._-]{1,64}$"}),
]

Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]

Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]

Data = dict[str, Any] | list[Any] | str | None
"""What a model is given: mappings, lists, text, and None for an empty or null value."""
