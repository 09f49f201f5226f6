"""Pools that serve each other: what each comes to with what it receives back, solved and then made exact.

With d what pools hold at first and A[i][j] the part of pool i that pool j takes, the amounts g that pass through the
pools solve g = d + Aᵀg: the reciprocal method with simultaneous equations (Horngren, *Cost Accounting*; W6 and W8 of
the worked examples). A numeric inverse gives sixteen digits at a time, and what is missing is worked out in whole
numbers and solved again, until the equations hold to the last units of 10⁻¹⁸. The few units that whole numbers leave
over go to the largest recipient outside of the loop, so that every pool passes on exactly what came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apportion.allocate.rule import Holder, Target
from apportion.errors import AllocationRefusedError
from apportion.money.split import split

Weights = Sequence[tuple[Target, int]]

MOST_ROUNDS = 40  # each gains about ten digits, far fewer only where next to nothing ever leaves the loop


class Loop:
    """A set of pools that serve each other, with the weights of each; at least one leads out of the loop."""

    def __init__(self, weights: Mapping[str, Weights]) -> None:
        """`weights`: for each pool of the loop, its recipients, none of them itself, with weights above zero.

        Raises `AllocationRefusedError` where what leaves the loop is too little to be found.
        """
        import numpy as np  # takes a moment to load, and few policies have loops

        self.pools = tuple(weights)
        self._weights = weights
        self._totals = [sum(weight for _, weight in weights[code]) for code in self.pools]
        places = {Target(Holder.POOL, code): place for place, code in enumerate(self.pools)}
        self._inner = [
            [(places[target], weight) for target, weight in weights[code] if target in places] for code in self.pools
        ]
        matrix = np.eye(len(self.pools))
        for place, (inner, total) in enumerate(zip(self._inner, self._totals, strict=True)):
            for other, weight in inner:
                matrix[other, place] -= weight / total  # float: a first approximation, made exact by `gross`
        try:
            self._inverse = np.linalg.inv(matrix)
        except np.linalg.LinAlgError as error:
            raise self._refusal() from error
        self._ways_out = _ways_out(self.pools, weights)

    def gross(self, held: Sequence[int]) -> list[int]:
        """What passes through each pool in units, to within as many units as there are pools."""
        found, missing = [0] * len(held), list(held)
        for _ in range(MOST_ROUNDS):
            step = self._inverse @ [float(amount) for amount in missing]  # float: the next sixteen digits
            found = [amount + int(more) for amount, more in zip(found, step.round().tolist(), strict=True)]
            missing = [amount - passed for amount, passed in zip(held, found, strict=True)]
            for amount, inner, total in zip(found, self._inner, self._totals, strict=True):
                for other, weight in inner:
                    missing[other] += amount * weight // total
            if max(abs(amount) for amount in missing) <= len(held) + 1:
                return found
        raise self._refusal()

    def shares(self, held: Sequence[int]) -> list[tuple[int, list[int]]]:
        """For each pool what passes through it, and each recipient's part of that, in the order of its weights."""
        parts = [
            split(amount, [weight for _, weight in self._weights[code]])
            for code, amount in zip(self.pools, self.gross(held), strict=True)
        ]
        places = {Target(Holder.POOL, code): place for place, code in enumerate(self.pools)}
        passed = list(held)
        for code, made in zip(self.pools, parts, strict=True):
            for (target, _), part in zip(self._weights[code], made, strict=True):
                if target in places:
                    passed[places[target]] += part
        for place, recipient in self._ways_out:
            left = passed[place] - sum(parts[place])
            parts[place][recipient] += left
            target = self._weights[self.pools[place]][recipient][0]
            if target in places:
                passed[places[target]] += left
        return list(zip(passed, parts, strict=True))

    def _refusal(self) -> AllocationRefusedError:
        return AllocationRefusedError(
            f"The pools {', '.join(self.pools)} share next to nothing to anybody but each other.",
            advice="Give cost groups a larger share of one of them.",
        )


def _ways_out(pools: Sequence[str], weights: Mapping[str, Weights]) -> list[tuple[int, int]]:
    """For each pool, the recipient through which rests leave the loop; those farthest from the way out first."""
    inside = {Target(Holder.POOL, code): place for place, code in enumerate(pools)}
    found: dict[int, int] = {}
    for place, code in enumerate(pools):
        outside = [
            (weight, -other) for other, (target, weight) in enumerate(weights[code]) if target not in inside and weight
        ]
        if outside:
            found[place] = -max(outside)[1]
    waiting = list(found)
    feeders: dict[int, list[tuple[int, int]]] = {}
    for place, code in enumerate(pools):
        for other, (target, weight) in enumerate(weights[code]):
            if target in inside and weight:
                feeders.setdefault(inside[target], []).append((place, other))
    for place in waiting:
        for feeder, recipient in feeders.get(place, ()):
            if feeder not in found:
                found[feeder] = recipient
                waiting.append(feeder)
    return [(place, found[place]) for place in reversed(waiting)]
