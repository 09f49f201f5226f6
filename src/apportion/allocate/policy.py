"""The policy: ordered rules, pools and the cost basis, read from one reviewed YAML file."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from apportion.allocate.rule import Rule
from apportion.errors import Place

if TYPE_CHECKING:
    from apportion.yamlfile import Places


class CostBasis(StrEnum):
    """Which cost a policy charges on. Never both: cash and accrual do not mix."""

    EFFECTIVE = "effective"
    BILLED = "billed"


class Method(StrEnum):
    """How a pool is shared."""

    EVEN = "even"
    FIXED = "fixed"
    PROPORTIONAL = "proportional"


class NegativeBasis(StrEnum):
    """What a recipient whose basis is below zero means: the run is refused, or the recipient gets nothing."""

    REFUSE = "refuse"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who takes part in a pool. Nothing named: every cost group with nothing below it.

    `groups` take part themselves; of `under`, every leaf at or below; `excluded` leaves out a group and all below it.
    """

    groups: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pool:
    """Cost used by many. `shares` (method fixed) are parts of `sum(weight)`: (cost group or pool, weight).

    A share may name another pool, which is then shared after this one.
    """

    id: str
    name: str
    method: Method
    recipients: Recipients = Recipients()
    shares: tuple[tuple[str, int], ...] = ()
    negative_basis: NegativeBasis = NegativeBasis.REFUSE
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy. `digest` is SHA-256 of the file's text and stands on every statement.

    `alias_tables` are all tables of the file by name; rules carry the pairs they use. `places` says where each
    value stands, for a policy that was read from a file.
    """

    name: str
    cost_basis: CostBasis
    rules: tuple[Rule, ...]
    pools: tuple[Pool, ...]
    digest: str
    alias_tables: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    places: Places | None = field(default=None, compare=False, repr=False)
