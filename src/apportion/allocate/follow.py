"""Charges that follow others: tax, credits, refunds and support go where the charges went that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from apportion.allocate.allocation import Scope
from apportion.allocate.rule import Holder, Target
from apportion.money.split import split


class Companions(NamedTuple):
    """Charges of a pool (their sum in units) and the cost of the charges that they belong to, by who carries it."""

    units: int
    weights: tuple[tuple[Target, int], ...]


class Following:
    """What the charges of pools follow, by pool and scope. Weights are above zero."""

    def __init__(self, found: Mapping[tuple[str, Scope], Sequence[Companions]]) -> None:
        self._found = found

    def groups(self, pool_id: str, scope: Scope) -> Sequence[Companions]:
        """The companions of a pool's charges in a scope; empty where they follow nothing."""
        return self._found.get((pool_id, scope), ())

    def pools(self, pool_id: str) -> Iterable[str]:
        """The pools that charges of a pool go into."""
        targets = (
            target
            for (code, _), groups in self._found.items()
            if code == pool_id
            for group in groups
            for target, _ in group.weights
        )
        return dict.fromkeys(target.code for target in targets if target.holder is Holder.POOL)


NOBODY = Following({})


def follow(groups: Sequence[Companions]) -> list[tuple[Target, int]]:
    """Each group of charges, split by the cost of what it belongs to."""
    return [
        (target, part)
        for group in groups
        for (target, _), part in zip(
            group.weights, split(group.units, [weight for _, weight in group.weights]), strict=True
        )
    ]
