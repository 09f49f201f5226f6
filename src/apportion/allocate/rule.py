"""Rules: a condition over a charge, and where a charge that meets it goes.

Conditions are a closed tree of small values: no code, nothing to evaluate but what stands here. A field is a
FOCUS column, an ``x_`` or unknown column, or one tag. A missing value (null) meets no condition except
`Not` and an `Exists` inside it: comparing with nothing is false, never unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from apportion.errors import Place


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


class Holder(StrEnum):
    """What kind of holder an amount is with."""

    COST_GROUP = "cost_group"
    POOL = "pool"
    KEPT_CENTRAL = "kept_central"
    UNALLOCATED = "unallocated"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """Where an amount goes. `code` is the cost group's or pool's; empty for kept central and unallocated."""

    holder: Holder
    code: str = ""

    def __str__(self) -> str:
        return self.code or str(self.holder)


KEPT_CENTRAL = Target(Holder.KEPT_CENTRAL)
UNALLOCATED = Target(Holder.UNALLOCATED)


@dataclass(frozen=True, slots=True)
class ByTag:
    """The target is named by a tag's value: through `aliases` first, else it is a cost group's code itself.

    A value that is neither leaves the charge to the next rule. With `fold`, case does not matter.
    """

    field: Field
    aliases: tuple[tuple[str, str], ...] = ()
    fold: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, in force for charges whose ChargePeriodStart lies in [`valid_from`, `valid_until`).

    `when` is None for a rule that meets every charge. The first rule in the policy's order that meets a
    charge decides; `place` is where it stands in the policy file.
    """

    id: str
    name: str
    when: Condition | None
    target: Target | ByTag
    valid_from: date | None = None
    valid_until: date | None = None
    place: Place = Place()
