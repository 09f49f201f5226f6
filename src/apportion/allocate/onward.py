"""Where an amount went: a part of what a rule brought, on through pools to those who carry it.

The way back from a line is `apportion.allocate.trace`. Here an amount, of one charge say, is divided by the weights of
the shares that were made, pool after pool in their order, so that what arrives sums to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from apportion.allocate.allocation import Allocation, Scope, Share
from apportion.allocate.order import components
from apportion.allocate.reciprocal import Loop
from apportion.allocate.rule import KEPT_CENTRAL, Holder, Target
from apportion.errors import NotFoundError
from apportion.money.amount import half_even
from apportion.money.split import split

Weights = Sequence[tuple[Target, int]]
WeightsOf = Callable[[str], Weights | None]


class PartPassed(NamedTuple):
    """What one recipient got of an amount that passed through a pool: `units`, by `weight` of `total_weight`."""

    target: Target
    weight: int
    total_weight: int
    units: int


@dataclass(frozen=True, slots=True)
class Passed:
    """What of an amount passed through one pool; the parts sum to `units`.

    For pools that serve each other (`loop` names them), `units` is the gross amount.
    """

    step: int
    pool_id: str
    units: int
    parts: tuple[PartPassed, ...]
    loop: tuple[str, ...] = ()


def _as_shared(_: str) -> None:
    """By the shares, for every pool."""


def onward(
    allocation: Allocation,
    target: Target,
    scope: Scope,
    units: int,
    *,
    corrects: str = "",
    weights: WeightsOf = _as_shared,
) -> tuple[Passed, ...]:
    """The pools that `units` in `target` passed through, in their order; none where the target is no pool.

    `weights` may say that an amount in a pool went another way than all of the pool together; None: it did not. Parts
    that go to holders other than pools sum to `units`. Raises `NotFoundError` where shares do not tell the way.
    """
    if target.holder is not Holder.POOL:
        return ()
    by_pool: dict[str, list[Share]] = defaultdict(list)
    for share in allocation.shares:
        if share.scope == scope and share.corrects == corrects:
            by_pool[share.pool_id].append(share)
    if target.code not in by_pool:
        raise NotFoundError(
            f"The charges in pool '{target.code}' come to nothing together, and nobody has a share of them.",
            advice="Look at the pool's other charges: they cancel each other out.",
        )
    return tuple(_Onward(by_pool, weights).passed(target.code, units))


class _Onward:
    """An amount on its way through the pools of one scope."""

    def __init__(self, by_pool: Mapping[str, Sequence[Share]], weights: WeightsOf) -> None:
        self._shares, self._weights = by_pool, weights
        self._held: dict[str, int] = {}
        steps: dict[int, list[str]] = defaultdict(list)
        for code, shares in by_pool.items():
            steps[shares[0].step].append(code)
        self._steps = sorted((step, codes) for step, codes in steps.items() if step)

    def passed(self, pool_id: str, units: int) -> Iterator[Passed]:
        self._held[pool_id] = units
        for step, codes in self._steps:
            into = {
                code: {share.target.code for share in self._shares[code] if _is_pool(share.target)} for code in codes
            }
            feeders = {code: [other for other in codes if code in into[other]] for code in codes}
            for group in components(feeders):
                if not self._held.keys() & set(group):
                    continue
                if len(group) == 1:
                    yield self._through(step, group[0])
                else:
                    yield from self._around(step, sorted(group))

    def _through(self, step: int, code: str) -> Passed:
        units = self._held.pop(code)
        weights = self._weights(code) or [(share.target, share.weight) for share in self._shares[code]]
        parts = _divided(code, units, weights)
        for part in parts:
            self._receive(part)
        return Passed(step, code, units, parts)

    def _around(self, step: int, codes: Sequence[str]) -> Iterator[Passed]:
        """Through pools that were solved together, by the same equations."""
        weights = {code: [(each.target, each.weight) for each in self._shares[code] if each.weight] for code in codes}
        solved = Loop(weights)
        gross = solved.shares([self._held.pop(code, 0) for code in solved.pools])
        for code, (units, made) in zip(solved.pools, gross, strict=True):
            total = sum(weight for _, weight in weights[code])
            parts = tuple(
                PartPassed(target, weight, total, part)
                for (target, weight), part in zip(weights[code], made, strict=True)
            )
            for part in parts:
                if not (_is_pool(part.target) and part.target.code in codes):
                    self._receive(part)
            yield Passed(step, code, units, parts, tuple(codes))

    def _receive(self, part: PartPassed) -> None:
        if _is_pool(part.target):
            self._held[part.target.code] = self._held.get(part.target.code, 0) + part.units


def _is_pool(target: Target) -> bool:
    return target.holder is Holder.POOL


def _divided(code: str, units: int, shared: Weights) -> tuple[PartPassed, ...]:
    """`units` by weights. With prices, what is kept central may weigh less than nothing: it is the rest."""
    total = sum(weight for _, weight in shared)
    weights = [-weight if total < 0 else weight for _, weight in shared]
    if total and min(weights) >= 0:
        parts = split(units, weights)
    else:
        kept = next((place for place, (target, _) in enumerate(shared) if target == KEPT_CENTRAL), None)
        charged = [weight for place, weight in enumerate(weights) if place != kept]
        if not total or kept is None or min(charged, default=0) < 0 < max(charged, default=0):
            raise NotFoundError(
                f"Charges and credits of pool '{code}' went different ways, and shares do not tell which went where.",
                advice="Take the lines of its recipients apart with `apportion explain` to see all of them together.",
            )
        parts = [half_even(units * weight, abs(total)) for weight in weights]
        parts[kept] += units - sum(parts)
    return tuple(PartPassed(target, weight, total, part) for (target, weight), part in zip(shared, parts, strict=True))
