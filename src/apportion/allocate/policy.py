"""The policy: ordered rules, pools and the cost basis, read from one reviewed YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from apportion.allocate.basis import (
    Amount,
    Basis,
    Cost,
    Even,
    Fixed,
    Follow,
    Greater,
    KeptCentral,
    Metered,
    Mix,
    Priced,
    Summed,
)
from apportion.allocate.rule import KEPT_CENTRAL, Condition, Rule, Target
from apportion.errors import Place

if TYPE_CHECKING:
    from apportion.yamlfile import Places


class CostBasis(StrEnum):
    """Which cost a policy charges on. Never both: cash and accrual do not mix."""

    EFFECTIVE = "effective"
    BILLED = "billed"


class Method(StrEnum):
    """How an amount is shared, in one word."""

    EVEN = "even"
    FIXED = "fixed"
    PROPORTIONAL = "proportional"
    METERED = "metered"
    MIXED = "mixed"
    PRICED = "priced"
    FOLLOWING = "following"
    KEPT_CENTRAL = "kept_central"
    COMMITMENT = "commitment"
    UPLIFT = "uplift"


_METHODS: Mapping[type[Basis], Method] = {
    Even: Method.EVEN,
    Fixed: Method.FIXED,
    Cost: Method.PROPORTIONAL,
    Metered: Method.METERED,
    Greater: Method.METERED,
    Summed: Method.METERED,
    Mix: Method.MIXED,
    Priced: Method.PRICED,
    Follow: Method.FOLLOWING,
    KeptCentral: Method.KEPT_CENTRAL,
}


class PoolOrder(StrEnum):
    """In which order pools are shared, and what of the pools that serve each other.

    DERIVED: each pool after those that share into it; a loop is refused. DECLARED (step-down): as written, and only
    pools further down receive. DIRECT: pools receive nothing. RECIPROCAL: like DERIVED, and loops are solved exactly.
    """

    DERIVED = "derived"
    DECLARED = "declared"
    DIRECT = "direct"
    RECIPROCAL = "reciprocal"


class Beyond(StrEnum):
    """Where the part of a pool goes that recipients at their most do not pay."""

    PASSED_ON = "passed_on"
    KEPT_CENTRAL = "kept_central"


class NegativeBasis(StrEnum):
    """What a recipient whose basis is below zero means: the run is refused, or the recipient gets nothing."""

    REFUSE = "refuse"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who takes part in a pool. Nothing named: every cost group with nothing below it.

    `groups` take part themselves; of `under`, every leaf at or below; of `having`, every leaf with one of the values
    of each attribute; of `charged_by`, whoever these rules charged in the period. `excluded` leaves out a group and
    all below it. `pools` take part beside them; where only pools are named, nobody else does, unless `excluded` says
    of whom everybody is left.
    """

    groups: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    having: tuple[tuple[str, tuple[str, ...]], ...] = ()
    charged_by: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """The least and the most that a recipient pays: an amount of money, or a part of the pool.

    What is beyond the most is passed on to the others, or kept central.
    """

    at_least: Amount | Fraction | None = None
    at_most: Amount | Fraction | None = None
    beyond: Beyond = Beyond.PASSED_ON


@dataclass(frozen=True, slots=True)
class Cap:
    """The most of a pool that is shared at all; the rest goes to `rest`: kept central, another pool or a group."""

    most: Amount
    rest: Target = KEPT_CENTRAL


@dataclass(frozen=True, slots=True)
class Pool:
    """Cost used by many. Where its `basis` is zero, negative or missing, those of `otherwise` are tried in order."""

    id: str
    name: str
    basis: Basis
    recipients: Recipients = Recipients()
    otherwise: tuple[Basis, ...] = ()
    limits: Limits | None = None
    cap: Cap | None = None
    negative_basis: NegativeBasis = NegativeBasis.REFUSE
    place: Place = Place()

    @property
    def method(self) -> Method:
        return _METHODS[type(self.basis)]

    @property
    def bases(self) -> tuple[Basis, ...]:
        """The basis, and those tried after it."""
        return (self.basis, *self.otherwise)


class CommitmentMethod(StrEnum):
    """Who has the benefit of a commitment discount.

    APPLIED: as the provider applied it. BUYER_FIRST: the buyer's eligible usage, then everybody else's in
    proportion. BLENDED: all eligible usage at one rate. PRIORITY: as listed, then everybody else.
    """

    APPLIED = "applied"
    BUYER_FIRST = "buyer_first"
    BLENDED = "blended"
    PRIORITY = "priority"


class Unused(StrEnum):
    """Who pays for the unused part of a commitment."""

    BUYER = "buyer"
    KEPT_CENTRAL = "kept_central"
    BENEFICIARIES = "beneficiaries"


@dataclass(frozen=True, slots=True)
class Commitment:
    """How the cost of commitments is divided among the usage that they could have covered.

    `eligible` meets the covered and coverable usage and the unused rows. `buyer` is a cost group.
    """

    id: str
    name: str
    eligible: Condition
    method: CommitmentMethod
    buyer: str = ""
    priority: tuple[str, ...] = ()
    unused: Unused = Unused.BUYER
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Uplift:
    """A surcharge on what cost groups carry: `percent` (1/20 for 5 %), or a `fixed` amount for each in a period.

    What is charged to cost groups is taken off what is kept central, so that nothing is added to the total.
    """

    id: str
    name: str
    recipients: Recipients = Recipients()
    percent: Fraction | None = None
    fixed: Amount | None = None
    place: Place = Place()

    @property
    def method(self) -> Method:
        return Method.UPLIFT


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy. `digest` is SHA-256 of the file's text and stands on every statement.

    `consumers` are rules over usage rows, with the columns ``consumer``, ``metric`` and those of its dimensions.
    `alias_tables` are all tables of the file by name; rules carry the pairs they use. `places` says where each
    value stands, for a policy that was read from a file.
    """

    name: str
    cost_basis: CostBasis
    rules: tuple[Rule, ...]
    pools: tuple[Pool, ...]
    digest: str
    pool_order: PoolOrder = PoolOrder.DERIVED
    commitments: tuple[Commitment, ...] = ()
    uplifts: tuple[Uplift, ...] = ()
    consumers: tuple[Rule, ...] = ()
    alias_tables: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    places: Places | None = field(default=None, compare=False, repr=False)
