"""Rules: a condition over a charge, and where a charge that meets it goes.

Conditions are the warehouse's own (`apportion.warehouse.condition`); a rule adds where the charge goes and when
the rule is in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from apportion.errors import Place
from apportion.warehouse.condition import (
    And,
    Between,
    Condition,
    Equals,
    Exists,
    Field,
    Glob,
    Matches,
    Not,
    Or,
    Prefix,
)

__all__ = [
    "KEPT_CENTRAL",
    "UNALLOCATED",
    "And",
    "Between",
    "ByTag",
    "Condition",
    "Equals",
    "Exists",
    "Field",
    "Glob",
    "Holder",
    "Matches",
    "Not",
    "Or",
    "Prefix",
    "Rule",
    "Target",
]


class Holder(StrEnum):
    """What kind of holder an amount is with."""

    COST_GROUP = "cost_group"
    POOL = "pool"
    KEPT_CENTRAL = "kept_central"
    UNALLOCATED = "unallocated"


class Target(NamedTuple):
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
