"""The method lab: the same cost shared in every order of pools, side by side.

Takes the cells of a run and its circumstances, gives what each holder would carry: direct, step-down in each order (or
in a sample of them), reciprocal, and the mean over the step-down orders, which is the Shapley value of the pools'
order. Each way is shared by `share_pools` as a month is, has to conserve every unit, and is kept nowhere. Uplifts and
corrections of other periods do not depend on the order of pools and stay out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from apportion.allocate.allocation import Cell
from apportion.allocate.basis import Basis, Cost, Mix
from apportion.allocate.order import served, stages
from apportion.allocate.policy import Pool, PoolOrder
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.allocate.shapley import SAMPLES, Averaged, average, orders_of
from apportion.allocate.waterfall import Circumstances, share_pools
from apportion.errors import AllocationRefusedError, ConservationError, InputRefusedError
from apportion.yamlfile import suggestion

MOST_POOLS = 5  # 120 orders

Key = tuple[Target, str]  # a holder, and a currency


class Way(StrEnum):
    """A way to share pools that serve pools. POLICY is the one that the policy declares."""

    POLICY = "policy"
    DIRECT = "direct"
    STEP_DOWN = "step_down"
    RECIPROCAL = "reciprocal"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one way: units that each holder carries in each currency, or the sentence that refused it."""

    way: Way
    order: tuple[str, ...]
    carried: Mapping[Key, int]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Lab:
    """All ways beside each other. `pools` are those whose order was changed; the others kept their places.

    `step_down` holds every order that was tried; where they are a sample (not `is_all`), drawn from `seed`. `shapley`
    is the mean over those that were not refused; None where all of them were.
    """

    pools: tuple[str, ...]
    total: Mapping[str, int]
    holders: tuple[Target, ...]
    ways: tuple[Tried, ...]
    step_down: tuple[Tried, ...]
    is_all: bool
    seed: int
    shapley: Averaged[Key] | None

    @property
    def followed(self) -> tuple[Tried, ...]:
        """The step-down orders that could be followed."""
        return tuple(tried for tried in self.step_down if not tried.refused)

    def is_settled(self, currency: str) -> bool:
        """Whether every way gives each holder the same in a currency, but for single units of 10⁻¹⁸."""
        made = [tried.carried for tried in (*self.ways, *self.step_down) if not tried.refused]
        keys = [(holder, currency) for holder in self.holders]
        ranges = ([carried.get(key, 0) for carried in made] for key in keys)
        return all(max(found) - min(found) <= len(self.pools) + 1 for found in ranges)

    def spread(self, key: Key) -> tuple[int, int]:
        """The least and the most that a holder carries in any step-down order."""
        found = [tried.carried.get(key, 0) for tried in self.followed]
        return (min(found), max(found))


def lab(
    cells: Sequence[Cell],
    pools: Sequence[Pool],
    given: Circumstances,
    *,
    chosen: Sequence[str] = (),
    most_pools: int = MOST_POOLS,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Lab:
    """Share the cells in every way. `chosen` are the pools whose order is changed; else all for which it matters.

    Raises `InputRefusedError` for a pool that does not exist and `ConservationError` if any way lost money. A way that
    cannot be followed, such as a loop that the reciprocal method cannot solve, is part of the answer.
    """
    own = [cell for cell in cells if not cell.corrects]
    sequence = _sequence(pools, given)
    players = _players(pools, chosen) if chosen else ordered(pools, given)
    drawn = orders_of(players, most_players=most_pools, samples=samples, seed=seed)
    bench = _Bench(own, given)
    ways = [bench.tried(Way.POLICY, pools, given.order, ())]
    ways.append(bench.tried(Way.DIRECT, sequence, PoolOrder.DIRECT, ()))
    known = {order: bench.tried(Way.STEP_DOWN, _placed(sequence, order), PoolOrder.DECLARED, order)
             for order in dict.fromkeys(drawn.orders)}  # fmt: skip
    step_down = tuple(known[order] for order in drawn.orders)
    ways.append(bench.tried(Way.RECIPROCAL, sequence, PoolOrder.RECIPROCAL, ()))
    followed = [tried.carried for tried in step_down if not tried.refused]
    enough = len(followed) > (0 if drawn.is_all else 1)
    return Lab(
        pools=tuple(players),
        total=bench.total,
        holders=_holders(given, (tried.carried for tried in (*ways, *step_down))),
        ways=tuple(ways),
        step_down=step_down,
        is_all=drawn.is_all,
        seed=seed,
        shapley=average(followed, is_exact=drawn.is_all) if enough else None,
    )


def ordered(pools: Sequence[Pool], given: Circumstances) -> list[str]:
    """The pools for which the order of sharing can matter: they serve pools, are served, or follow cost so far."""
    into = _into(pools, given)
    found = {code for code, others in into.items() if others}.union(*into.values())
    if any(_follows_so_far(basis) for pool in pools for basis in pool.bases):
        found = set(into)
    return [pool.id for pool in pools if pool.id in found]


def _into(pools: Sequence[Pool], given: Circumstances) -> dict[str, tuple[str, ...]]:
    known = {pool.id for pool in pools}
    into = served(pools, PoolOrder.RECIPROCAL, given.usage)
    for code, others in into.items():
        followed = (other for other in given.following.pools(code) if other in known and other != code)
        into[code] = tuple(dict.fromkeys((*others, *followed)))
    return into


def _follows_so_far(basis: Basis) -> bool:
    if isinstance(basis, Mix):
        return any(_follows_so_far(part.basis) for part in basis.parts)
    return isinstance(basis, Cost) and basis.so_far


def _sequence(pools: Sequence[Pool], given: Circumstances) -> list[Pool]:
    """The pools in the order in which the policy has them shared."""
    if given.order in (PoolOrder.DECLARED, PoolOrder.DIRECT):
        return list(pools)
    return [pool for stage in stages(pools, _into(pools, given), PoolOrder.RECIPROCAL) for pool in stage]


def _players(pools: Sequence[Pool], chosen: Sequence[str]) -> list[str]:
    known = [pool.id for pool in pools]
    for code in chosen:
        if code not in known:
            raise InputRefusedError(f"There is no pool '{code}'.", advice=suggestion(code, known))
    return [code for code in known if code in chosen]


def _placed(sequence: Sequence[Pool], order: Sequence[str]) -> list[Pool]:
    """The sequence, its pools of `order` in that order at the places that they hold together."""
    known = {pool.id: pool for pool in sequence}
    waiting = iter(order)
    return [known[next(waiting)] if pool.id in order else pool for pool in sequence]


def _holders(given: Circumstances, carried: Iterable[Mapping[Key, int]]) -> tuple[Target, ...]:
    found = {target for amounts in carried for target, _ in amounts}
    order = [*(Target(Holder.COST_GROUP, code) for code in given.tree), KEPT_CENTRAL, UNALLOCATED]
    return tuple(target for target in order if target in found)


class _Bench:
    """The same cost for every way, and the total that each has to come to."""

    def __init__(self, cells: Sequence[Cell], given: Circumstances) -> None:
        self._cells, self._given = cells, given
        total: dict[str, int] = defaultdict(int)
        self._brought: dict[Key, int] = defaultdict(int)
        for target, scope, units in (
            *((cell.target, cell.scope, cell.units) for cell in cells),
            *((share.target, share.scope, share.units) for share in given.moved),
        ):
            total[scope.currency] += units
            if target.holder is not Holder.POOL:
                self._brought[target, scope.currency] += units
        self.total = dict(sorted(total.items()))

    def tried(self, way: Way, pools: Sequence[Pool], order: PoolOrder, named: tuple[str, ...]) -> Tried:
        """One way. Raises `ConservationError`."""
        try:
            shares = share_pools(self._cells, pools, replace(self._given, order=order)).shares
        except AllocationRefusedError as error:
            return Tried(way, named, {}, error.sentence)
        carried = defaultdict(int, self._brought)
        for share in shares:
            if share.target.holder is not Holder.POOL:
                carried[share.target, share.scope.currency] += share.units
        for currency, total in self.total.items():
            if sum(units for (_, each), units in carried.items() if each == currency) != total:
                raise ConservationError(f"Shared {way.replace('_', '-')}, the {currency} are no longer what came in.")
        return Tried(way, named, dict(carried))
