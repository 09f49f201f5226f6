"""Conditions over a charge, as the warehouse filters by them.

A closed tree of small values: no code, nothing to evaluate but what stands here. A field is a FOCUS column, an
``x_`` or unknown column, or one tag. A missing value (null) meets no condition except `Not` and an `Exists`
inside it: comparing with nothing is false, never unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, order=True)
class Field:
    """A column of the charge, or (`is_tag`) the value of one tag key, written exactly as delivered."""

    name: str
    is_tag: bool = False

    def __str__(self) -> str:
        return f"tags.{self.name}" if self.is_tag else self.name


@dataclass(frozen=True, slots=True)
class Equals:
    """The value is one of `values`; with `fold`, without regard to case."""

    field: Field
    values: tuple[str, ...]
    fold: bool = False


@dataclass(frozen=True, slots=True)
class Prefix:
    """The value starts with one of `values`."""

    field: Field
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Glob:
    """The whole value matches a pattern of ``*``, ``?`` and ``[abc]``."""

    field: Field
    pattern: str


@dataclass(frozen=True, slots=True)
class Matches:
    """The regular expression (RE2 syntax, linear time) is found somewhere in the value."""

    field: Field
    pattern: str


@dataclass(frozen=True, slots=True)
class Exists:
    """The value is there: not null."""

    field: Field


@dataclass(frozen=True, slots=True)
class Between:
    """A date-time column lies in the half-open range from `start` up to, not including, `end`."""

    field: Field
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


Condition = Equals | Prefix | Glob | Matches | Exists | Between | And | Or | Not
