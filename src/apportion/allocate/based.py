"""Which basis a share followed: the pool's own or one it fell back on, the parts of a mix, what its weights count.

Takes an allocation and the pools it was made with, gives for any share what a sentence or an explanation needs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from apportion.allocate.allocation import Allocation, PartTaken, Scope, Share, Weighed
from apportion.allocate.basis import Basis, Cost, Follow, Greater, Metered, Mix, Part, Priced, Summed, Weight
from apportion.allocate.order import components
from apportion.allocate.policy import Pool
from apportion.allocate.rule import Holder, Target
from apportion.money.split import split


class WeightIn(StrEnum):
    """What the weights of a share count: plain parts, or units of 10⁻¹⁸ of a currency or of a metered quantity."""

    PARTS = "parts"
    AMOUNT = "amount"
    QUANTITY = "quantity"


class PartBased(NamedTuple):
    """What a share has from one part of a mix: `units`, its `weight` of `total_weight` in the part.

    `size` is the part of the whole pool that this part is. The units of all parts sum to the share's.
    """

    part: Part
    size: Fraction
    weight: int
    total_weight: int
    units: int


class Based(NamedTuple):
    """A share with the basis that it followed.

    `refused` says why each basis before it could not be followed. `parts` are those of a mix, unless limits or a cap
    changed what they came to. `amount` is what the pool held in the share's currency, over all scopes. `loop` names
    the pools that were solved together with this one, itself among them; empty where none were.
    """

    share: Share
    pool: Pool
    basis: Basis
    refused: tuple[str, ...]
    parts: tuple[PartBased, ...]
    weight_in: WeightIn
    amount: int
    loop: tuple[str, ...]

    @property
    def is_limited(self) -> bool:
        """Whether weights are the amounts that limits or a cap left, not those of the basis."""
        return (self.pool.limits is not None or self.pool.cap is not None) and self.amount != 0


class Bases:
    """The bases of all shares of an allocation."""

    def __init__(
        self, allocation: Allocation, pools: Iterable[Pool], former: Mapping[str, Iterable[Pool]] | None = None
    ) -> None:
        """`pools` are those of the period's policy, `former` those that decided about corrections, by period."""
        self._pools = {"": {pool.id: pool for pool in pools}}
        self._pools |= {period: {pool.id: pool for pool in found} for period, found in (former or {}).items()}
        self._weighed = {(weighed.pool_id, weighed.currency): weighed for weighed in allocation.weighed}
        self._mixes: dict[tuple[str, str], _MixParts] = {}
        self._loops = loops(allocation.shares)
        held: dict[tuple[str, str], dict[Scope, int]] = defaultdict(dict)
        for share in allocation.shares:
            held[share.pool_id, share.corrects][share.scope] = share.pool_units
        self._amounts: dict[tuple[str, str, str], int] = defaultdict(int)
        for (pool_id, corrects), scopes in held.items():
            for scope, units in scopes.items():
                self._amounts[pool_id, corrects, scope.currency] += units

    def pool(self, pool_id: str, corrects: str) -> Pool | None:
        """The pool of that id in the policy that decided; None for what is none, or where that is not known."""
        return self._pools.get(corrects, {}).get(pool_id)

    def of(self, share: Share) -> Based | None:
        """The basis of one share. None for what is no pool, and where it is not known which basis was followed."""
        pool = self.pool(share.pool_id, share.corrects)
        if pool is None:
            return None
        weighed = None if share.corrects else self._weighed.get((pool.id, share.scope.currency))
        basis = _followed(pool, share, weighed)
        if share.corrects and not _is_plain(pool):
            return None
        amount = self._amounts[pool.id, share.corrects, share.scope.currency]
        loop = self._loops.get((share.corrects, share.scope, share.pool_id), ())
        made = Based(share, pool, basis, weighed.refused if weighed else (), (), WeightIn.PARTS, amount, loop)
        parts = self._parts(made, weighed) if weighed and isinstance(basis, Mix) and not made.is_limited else ()
        return made._replace(parts=parts, weight_in=WeightIn.AMOUNT if made.is_limited else counted_in(basis))

    def _parts(self, made: Based, weighed: Weighed) -> tuple[PartBased, ...]:
        key = (made.pool.id, weighed.currency)
        if key not in self._mixes and isinstance(made.basis, Mix):
            self._mixes[key] = _MixParts(made.basis, weighed.parts)
        return self._mixes[key].of(made.share)


def loops(shares: Iterable[Share]) -> dict[tuple[str, Scope, str], tuple[str, ...]]:
    """The pools that were solved together, in order, by the period corrected, the scope and each of them."""
    steps: dict[tuple[str, Scope, int], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for share in shares:
        # Step 0 only moves cost between holders.
        if share.target.holder is Holder.POOL and share.step:
            steps[share.corrects, share.scope, share.step][share.pool_id].append(share.target.code)
    found: dict[tuple[str, Scope, str], tuple[str, ...]] = {}
    for (corrects, scope, _), into in steps.items():
        if len(into) > 1:
            edges = {code: [other for other in others if other in into] for code, others in into.items()}
            for group in components(edges):
                if len(group) > 1:
                    found |= {(corrects, scope, code): tuple(sorted(group)) for code in group}
    return found


def _is_plain(pool: Pool) -> bool:
    """Whether the weights of a month's shares still say everything when another month's correction follows them."""
    if pool.otherwise or pool.limits or pool.cap:
        return False
    return not isinstance(pool.basis, Follow | Priced | Mix)


def _followed(pool: Pool, share: Share, weighed: Weighed | None) -> Basis:
    if isinstance(pool.basis, Follow) and (share.weight, share.total_weight) == (share.units, share.pool_units):
        return pool.basis
    if weighed:
        return pool.bases[weighed.chosen]
    return next((basis for basis in pool.bases if not isinstance(basis, Follow)), pool.basis)


def counted_in(basis: Basis) -> WeightIn:
    """What the weights of a basis count."""
    if isinstance(basis, Cost | Priced | Follow) or (isinstance(basis, Mix) and not basis.is_proportional):
        return WeightIn.AMOUNT
    return WeightIn.QUANTITY if isinstance(basis, Metered | Greater | Summed) else WeightIn.PARTS


class _MixParts:
    """The parts of one pool's mix in one currency."""

    def __init__(self, mix: Mix, taken: Sequence[PartTaken]) -> None:
        self._parts = mix.parts
        self._weights = [_by_target(part.weights) for part in taken]
        self._totals = [sum(weights.values()) for weights in self._weights]
        if mix.is_proportional:
            # The weights themselves, not the sizes in units: those are rounded, and zero in a loop.
            sizes = [part.size.weight for part in mix.parts if isinstance(part.size, Weight)]
            self._paid: list[Mapping[Target, int]] = []
        else:
            sizes = [abs(part.units) for part in taken]
            self._paid = [
                dict(zip(weights, split(size, list(weights.values())), strict=True))
                for size, weights in zip(sizes, self._weights, strict=True)
            ]
        common = math.lcm(*(total or 1 for total in self._totals))
        self._shrunk = [size * (common // (total or 1)) for size, total in zip(sizes, self._totals, strict=True)]
        whole = sum(sizes)
        self._sizes = [Fraction(size, whole) if whole else Fraction() for size in sizes]

    def of(self, share: Share) -> tuple[PartBased, ...]:
        """What a recipient has from each part that it takes part in."""
        found = [
            (place, weights[share.target]) for place, weights in enumerate(self._weights) if weights.get(share.target)
        ]
        if self._paid:
            amounts = [self._paid[place][share.target] for place, _ in found]
        else:
            amounts = [self._shrunk[place] * weight for place, weight in found]
        units = split(share.units, amounts) if any(amounts) else [0] * len(amounts)
        return tuple(
            PartBased(self._parts[place], self._sizes[place], weight, self._totals[place], part)
            for (place, weight), part in zip(found, units, strict=True)
        )


def _by_target(weights: Iterable[tuple[Target, int]]) -> dict[Target, int]:
    found: dict[Target, int] = defaultdict(int)
    for target, weight in weights:
        found[target] += weight
    return dict(found)
