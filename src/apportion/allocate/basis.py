"""What the split of a pool follows: a closed set of small values, each one way of sharing.

Amounts, quantities and factors are integers of 10⁻¹⁸ of their unit; shares are whole-number weights. What a basis
comes to in a month is worked out in `apportion.allocate.weigh`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Even:
    """Every recipient the same."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Agreed shares: (cost group or pool, weight), parts of the sum of the weights."""

    shares: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """In proportion to the cost that recipients carry: what rules brought them, or with `so_far` shares as well.

    `services`, `categories` and `under` (what lies below these cost groups) narrow it; direct cost only. Nothing
    named: all of it.
    """

    so_far: bool = False
    services: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    under: tuple[str, ...] = ()


class Tier(NamedTuple):
    """Of each consumer's quantity, what lies below `up_to` (None: all that is left) counts `factor` times."""

    up_to: int | None
    factor: int


@dataclass(frozen=True, slots=True)
class Metered:
    """By delivered usage of one metric; `where` narrows it to values of dimensions. Tiers count from nothing up."""

    metric: str
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    tiers: tuple[Tier, ...] = ()


@dataclass(frozen=True, slots=True)
class Greater:
    """By the greatest of several metrics, for each recipient: what it asked for, or what it used if that was more."""

    of: tuple[Metered, ...]


@dataclass(frozen=True, slots=True)
class Summed:
    """By several metrics added up, each times its factor: input tokens once, output tokens four times."""

    of: tuple[tuple[Metered, int], ...]


Quantity = Metered | Greater | Summed


class Price(NamedTuple):
    """Units of currency for one unit of quantity, from a day on (None: from the beginning)."""

    valid_from: date | None
    price: int


@dataclass(frozen=True, slots=True)
class Priced:
    """Every recipient pays an internal price for its quantity; what is over or under-recovered is kept central."""

    quantity: Quantity
    prices: tuple[Price, ...]
    currency: str


@dataclass(frozen=True, slots=True)
class KeptCentral:
    """Nobody is charged."""


@dataclass(frozen=True, slots=True)
class Follow:
    """Each charge goes where other charges with the same values went, in proportion to their cost.

    `by` holds sets of columns, tried in order: first those of the same resource, say, then of the same sub account.
    What no other charge goes with takes the pool's other bases.
    """

    by: tuple[tuple[str, ...], ...]


class Weight(NamedTuple):
    """This part of the pool out of the weights of all parts."""

    weight: int


class Amount(NamedTuple):
    """The pool's first `units` of `currency`, as far as it goes; later parts take what is beyond it."""

    units: int
    currency: str


class Rate(NamedTuple):
    """As much as a rate comes to: units of `currency` for one unit of all recipients' quantity together."""

    units: int
    currency: str
    quantity: Quantity


class Rest(NamedTuple):
    """What the other parts leave."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a mix: how much of the pool it is, and how that is shared."""

    size: Weight | Amount | Rate | Rest
    basis: Simple


@dataclass(frozen=True, slots=True)
class Mix:
    """A pool in parts, each shared in its own way.

    Either all sizes are `Weight`, or they are `Amount` and `Rate`, in order, and the last is `Rest`.
    """

    parts: tuple[Part, ...]

    @property
    def is_proportional(self) -> bool:
        """Whether the parts are the same shares of every amount."""
        return all(isinstance(part.size, Weight) for part in self.parts)


Simple = Even | Fixed | Cost | Metered | Greater | Summed | KeptCentral
Basis = Simple | Priced | Mix | Follow


def quantities(basis: Basis) -> tuple[Quantity, ...]:
    """Every quantity that a basis asks for."""
    if isinstance(basis, Metered | Greater | Summed):
        return (basis,)
    if isinstance(basis, Priced):
        return (basis.quantity,)
    if isinstance(basis, Mix):
        of_parts = [quantity for part in basis.parts for quantity in quantities(part.basis)]
        return (*of_parts, *(part.size.quantity for part in basis.parts if isinstance(part.size, Rate)))
    return ()


def meters(quantity: Quantity) -> tuple[Metered, ...]:
    """The metrics that a quantity is made of."""
    if isinstance(quantity, Metered):
        return (quantity,)
    if isinstance(quantity, Greater):
        return quantity.of
    return tuple(meter for meter, _ in quantity.of)
