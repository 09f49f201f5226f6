"""A compiled classification: lookup tables to join, and what cannot be a join.

Every row of a snapshot gets the smallest outcome number that any lookup, guarded condition or plain condition
gives it, else `Plan.otherwise`. What the numbers mean is the caller's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from apportion.warehouse.condition import Condition, Field


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One joined value: a field, in lower case with `fold`; with `headed`, cut to the length that its `Heads` give."""

    field: Field
    fold: bool = False
    headed: bool = False


@dataclass(frozen=True, slots=True)
class Heads:
    """How prefixes of one field are found: `lengths` gives, for the first `length` characters, how many to look up."""

    field: Field
    length: int
    lengths: Mapping[str, int]


@dataclass(slots=True)
class Hit:
    """What a row of a lookup leads to: an outcome, and conditions that lead to smaller or other outcomes."""

    outcome: int | None = None
    guarded: list[tuple[int, Condition]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lookup:
    """One hash join. `rows` are keyed by the values in the order of `keys`, with the epoch last if `dated`."""

    keys: tuple[Key, ...]
    dated: bool
    rows: Mapping[tuple[str | int, ...], Hit]


@dataclass(frozen=True, slots=True)
class Plan:
    """`boundaries` cut time into epochs: a charge that starts before the first is in epoch 0, and so on."""

    heads: tuple[Heads, ...]
    lookups: tuple[Lookup, ...]
    plain: tuple[tuple[int, Condition], ...]
    boundaries: tuple[date, ...]
    otherwise: int

    @property
    def dated(self) -> bool:
        return any(lookup.dated for lookup in self.lookups)
