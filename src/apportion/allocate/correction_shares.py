"""Shares of late corrections: each pool is shared as it was in the month that is corrected.

A month's shares are kept with its run. Their weights say how any further amount of the same pool is divided, through
every pool that it went on to, so that a correction ends with those who carried what it corrects.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from apportion.allocate.allocation import Cell, Scope, Share, Weighed
from apportion.allocate.basis import Priced
from apportion.allocate.order import components
from apportion.allocate.policy import Pool
from apportion.allocate.reciprocal import Loop
from apportion.allocate.rule import KEPT_CENTRAL, Holder, Target
from apportion.errors import AllocationRefusedError, ConservationError
from apportion.money.amount import half_even
from apportion.money.split import split

Weights = tuple[tuple[Target, int], ...]
_NONE: Weights = ()
_CENTRAL: Weights = ((KEPT_CENTRAL, 1),)


class Recorded:
    """The weights by which pools were shared, from the shares that were made of them."""

    def __init__(self, pools: Iterable[Pool], shares: Sequence[Share], weighed: Iterable[Weighed]) -> None:
        """Shares of what is no pool (commitments, uplifts) and of other months' corrections are left out."""
        self._pools = {pool.id: pool for pool in pools}
        chosen = {(each.pool_id, each.currency): each.chosen for each in weighed}
        # A price is what it is: whatever a pool holds more or less was, and is, not recovered by it.
        self._priced = {
            (pool.id, currency)
            for pool in self._pools.values()
            for currency in {share.scope.currency for share in shares if share.pool_id == pool.id}
            if isinstance(pool.bases[chosen.get((pool.id, currency), 0)], Priced)
        }
        self._scopes: dict[tuple[str, str], dict[Scope, list[Share]]] = defaultdict(lambda: defaultdict(list))
        self.add(shares)

    def add(self, shares: Iterable[Share]) -> None:
        """Shares of further pools; those of a pool and currency that is known change nothing."""
        known = set(self._scopes)
        for share in shares:
            key = (share.pool_id, share.scope.currency)
            if share.pool_id in self._pools and not share.corrects and key not in known:
                self._scopes[key][share.scope].append(share)

    def weights(self, pool_id: str, scope: Scope) -> Weights:
        """Those of the same scope; where there was none, of all scopes in its currency together. Never a zero sum,
        empty where the pool held nothing in the currency.
        """
        scopes = self._scopes.get((pool_id, scope.currency))
        if not scopes:
            return _NONE
        if (pool_id, scope.currency) in self._priced:
            return _CENTRAL
        same = _weights(scopes.get(scope, ()))
        return same or _together(list(scopes.values()))


def _weights(shares: Sequence[Share]) -> Weights:
    found = tuple((share.target, share.weight) for share in shares if share.weight)
    return found if sum(weight for _, weight in found) else _NONE


def _together(scopes: Sequence[Sequence[Share]]) -> Weights:
    """Where scopes were shared alike, by these weights; else by all that each recipient got of them."""
    alike = [found for shares in scopes if (found := _weights(shares))]
    if alike and all(found == alike[0] for found in alike):
        return alike[0]
    sums: dict[Target, int] = defaultdict(int)
    for shares in scopes:
        for share in shares:
            sums[share.target] += share.units
    found = tuple((target, units) for target, units in sums.items() if units)
    if sum(units for _, units in found):
        return found
    return alike[0] if alike else _NONE


def shared_as_then(
    cells: Iterable[Cell], recorded: Recorded, heir: Callable[[Target], Target], corrects: str, first_step: int
) -> tuple[Share, ...]:
    """Share what the cells put into pools, and on through every pool they lead to. `heir` says who takes a part.

    Raises `AllocationRefusedError` for a pool without weights.
    """
    held: dict[Scope, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for cell in cells:
        if cell.target.holder is Holder.POOL:
            held[cell.scope][cell.target.code] += cell.units
    weights = {scope: _reached(held[scope], scope, recorded, heir) for scope in sorted(held)}
    feeders: dict[str, dict[str, None]] = defaultdict(dict)
    for of_scope in weights.values():
        for code, others in _feeders(of_scope).items():
            feeders[code].update(dict.fromkeys(others))
    made: list[Share] = []
    order = components({code: tuple(feeders[code]) for code in sorted(feeders)})
    for step, group in enumerate(order, start=first_step):
        for scope, of_scope in weights.items():
            inside = {code: of_scope[code] for code in group if code in of_scope}
            # Pools may serve each other in one scope and not in another.
            for part in components(_feeders(inside)):
                made += _shared(step, {code: inside[code] for code in part}, scope, held[scope], corrects)
    return tuple(made)


def _reached(
    held: Mapping[str, int], scope: Scope, recorded: Recorded, heir: Callable[[Target], Target]
) -> dict[str, Weights]:
    """The weights of every pool that holds something or receives it, recipients by who they are today."""
    found: dict[str, Weights] = {}
    waiting = sorted(held)
    for code in waiting:
        if code in found:
            continue
        merged: dict[Target, int] = defaultdict(int)
        for target, weight in recorded.weights(code, scope):
            merged[heir(target)] += weight
        found[code] = tuple((target, weight) for target, weight in merged.items() if weight)
        if not found[code]:
            raise AllocationRefusedError(f"Corrections in pool '{code}' of {scope} have nobody to go to.")
        waiting += [target.code for target in merged if target.holder is Holder.POOL]
    return found


def _feeders(weights: Mapping[str, Weights]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {code: [] for code in weights}
    for code, recipients in weights.items():
        for target, _ in recipients:
            if target.holder is Holder.POOL and target.code in found:
                found[target.code].append(code)
    return found


def _shared(
    step: int, weights: Mapping[str, Weights], scope: Scope, held: dict[str, int], corrects: str
) -> list[Share]:
    """Share one pool, or pools that serve each other, and book what other pools receive."""
    made: list[Share] = []
    if not any(held[code] for code in weights):
        return made  # what corrects each other in one pool concerns nobody
    if len(weights) == 1:
        passed = [(held[code], _parts(held[code], found)) for code, found in weights.items()]
    else:
        passed = Loop(weights).shares([held[code] for code in weights])
    for (code, found), (amount, parts) in zip(weights.items(), passed, strict=True):
        if sum(parts) != amount:
            raise ConservationError(f"Pool '{code}' held {amount} units of corrections and shared {sum(parts)}.")
        shown = found if found != _CENTRAL else ((KEPT_CENTRAL, amount),)
        total = sum(weight for _, weight in shown)
        for (target, weight), part in zip(shown, parts, strict=True):
            made.append(Share(step, code, target, scope, part, weight, total, amount, corrects))
            if target.holder is Holder.POOL and target.code not in weights:
                held[target.code] += part
    return made


def _parts(amount: int, weights: Weights) -> list[int]:
    """In proportion; where weights have both signs, each to the nearest unit and the largest takes what is left."""
    plain = [weight for _, weight in weights]
    total = sum(plain)
    if total < 0:
        plain, total = [-weight for weight in plain], -total
    if min(plain) >= 0:
        return split(amount, plain)
    parts = [half_even(amount * weight, total) for weight in plain]
    parts[max(range(len(plain)), key=lambda place: abs(plain[place]))] += amount - sum(parts)
    return parts
