"""Charges that follow others: tax, credits, refunds and support go where the charges went that they belong to.

What belongs together is told by the values of columns: sets of them are tried in order, and within a set every value
must be there and the same. Other charges of the same currency count, whatever their invoice or issuer (name
``InvoiceId`` or ``InvoiceIssuerName`` to narrow that), on the cost basis of the policy. Charges of pools that follow
themselves are nobody's companions, so nothing follows in a circle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from apportion.allocate.allocation import Scope
from apportion.allocate.basis import Follow
from apportion.allocate.charges import Charges
from apportion.allocate.fields import field_of
from apportion.allocate.policy import Pool
from apportion.allocate.rule import Holder, Target
from apportion.money.split import split
from apportion.warehouse.measure import Measured, Question, Values


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

Weights = tuple[tuple[Target, int], ...]


def follow(groups: Sequence[Companions]) -> list[tuple[Target, int]]:
    """Each group of charges, split by the cost of what it belongs to."""
    return [
        (target, part)
        for group in groups
        for (target, _), part in zip(
            group.weights, split(group.units, [weight for _, weight in group.weights]), strict=True
        )
    ]


def following(pools: Iterable[Pool], charges: Charges) -> Following:
    """What the charges of the pools follow whose basis is `Follow`; asks nothing where there is no such pool."""
    targets = charges.targets
    by = {pool.id: pool.basis.by for pool in pools if isinstance(pool.basis, Follow)}
    outcomes = {code: _leading_to(targets, code) for code in by}
    by = {code: sets for code, sets in by.items() if outcomes[code]}
    if not by:
        return NOBODY
    own = dict(zip(by, charges.ask([_own(outcomes[code], sets) for code, sets in by.items()]), strict=True))
    wanted: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for code, sets in by.items():
        for mine in own[code]:
            for columns, key in _keys(sets, mine.values):
                wanted[columns].add(key)
    others = set(targets).difference(*outcomes.values())
    asked = [Question(others, tuple(map(field_of, columns)), among=keys) for columns, keys in wanted.items()]
    costs = {columns: _costs(answer, targets) for columns, answer in zip(wanted, charges.ask(asked), strict=True)}
    found: dict[tuple[str, Scope], dict[Weights, int]] = defaultdict(lambda: defaultdict(int))
    for code, sets in by.items():
        for mine in own[code]:
            if mine.units and (weights := _weights(sets, mine, costs)):
                found[code, charges.scope(mine)][weights] += mine.units
    return Following(
        {place: [Companions(units, weights) for weights, units in sums.items()] for place, sums in found.items()}
    )


def _leading_to(targets: Mapping[int, Target], pool_id: str) -> set[int]:
    return {outcome for outcome, target in targets.items() if target == Target(Holder.POOL, pool_id)}


def _own(outcomes: Iterable[int], sets: Sequence[tuple[str, ...]]) -> Question:
    return Question(set(outcomes), tuple(map(field_of, _columns(sets))))


def _columns(sets: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for columns in sets for name in columns))


def _keys(sets: Sequence[tuple[str, ...]], values: Values) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Each set of columns with the values that a charge has there; a set with a null is passed over."""
    named = dict(zip(_columns(sets), values, strict=True))
    for columns in sets:
        key = tuple(value for name in columns if (value := named[name]) is not None)
        if len(key) == len(columns):
            yield columns, key


_Costs = Mapping[tuple[str, Values], Weights]  # by currency and values


def _costs(answer: Iterable[Measured], targets: Mapping[int, Target]) -> _Costs:
    """Who carries the charges with the same values; only where they cost more than nothing altogether."""
    sums: dict[tuple[str, Values], dict[Target, int]] = defaultdict(lambda: defaultdict(int))
    for each in answer:
        sums[each.currency, each.values][targets[each.outcome]] += each.units
    return {key: _shortest(found) for key, found in sums.items() if sum(found.values()) > 0}


def _shortest(found: Mapping[Target, int]) -> Weights:
    """Weights above zero, in a fixed order. All charges that follow a single target are then one group."""
    weights = sorted((target, weight) for target, weight in found.items() if weight > 0)
    return ((weights[0][0], 1),) if len(weights) == 1 else tuple(weights)


def _weights(
    sets: Sequence[tuple[str, ...]], mine: Measured, costs: Mapping[tuple[str, ...], _Costs]
) -> Weights | None:
    """What charges follow: the first set of columns by which others cost more than nothing. None: there is no such."""
    for columns, key in _keys(sets, mine.values):
        if weights := costs[columns].get((mine.currency, key)):
            return weights
    return None
