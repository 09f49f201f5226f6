"""The costs of charges in pools, passed on through every share to those who carry them in the end.

An allocation shares a pool as one amount on one cost. Here each kind of charge in it, with all its costs, is divided
by the same weights, pool after pool, so that the parts of every kind and cost sum to it to the last digit. On the cost
that is charged, the parts of all kinds on one line then sum to the line's exact amount: the few units of 10⁻¹⁸ by which
they miss it, because each was rounded by itself, are moved between lines within the largest kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from apportion.allocate.allocation import Allocation, Scope, Share
from apportion.allocate.based import loops
from apportion.allocate.reciprocal import Loop
from apportion.allocate.rule import UNALLOCATED, Holder, Target
from apportion.errors import ConservationError, InputRefusedError
from apportion.money.amount import ONE, half_even
from apportion.money.split import split

Kind = tuple[str | None, ...]
Amounts = tuple[int | None, ...]  # the costs, then what part of the kind it is, in units of 10⁻¹⁸
_Held = dict[Kind, Amounts]
_Place = tuple[str, Scope, str]  # period corrected, scope, pool

MOST_ROWS = 5_000_000  # all are held in memory


class InPool(NamedTuple):
    """Charges of one kind that were brought to a pool, with their costs in units of 10⁻¹⁸ (None: not delivered)."""

    corrects: str
    pool_id: str
    scope: Scope
    kind: Kind
    costs: tuple[int | None, ...]


class PassedOn(NamedTuple):
    """What a holder carries of one kind through the last pool on the way: a part of a statement line.

    `ratio` is the part of the kind, in units of 10⁻¹⁸; those of one kind and period corrected sum to one. It is None
    for what commitments and uplifts moved, which is part of no charge. `share` is a share that the line is made of;
    None where nothing was shared because nothing was left to share.
    """

    target: Target
    scope: Scope
    pool_id: str
    corrects: str
    kind: Kind | None
    costs: tuple[int | None, ...]
    ratio: int | None
    share: Share | None


def passed_on(
    allocation: Allocation, brought: Iterable[InPool], movers: Collection[str], charged: int, costs: int
) -> list[PassedOn]:
    """Pass on what was brought to pools. `movers` are the ids of commitments and uplifts, which move cost between
    holders; `charged` is the place of the cost that is charged among the `costs` of them.

    Sorted by scope, in the order of shares. Raises `ConservationError` where the charges are not what was shared,
    and `InputRefusedError` where more than `MOST_ROWS` would come of it.
    """
    cascade = _Cascade(movers, charged, costs)
    cascade.bring(brought)
    found = loops(allocation.shares)
    for _, group in groupby(allocation.shares, key=lambda share: (share.corrects, share.step)):
        cascade.pass_on(list(group), found)
    cascade.keep_rest()
    wanted: dict[tuple[Target, Scope, str, str], int] = defaultdict(int)
    for share in allocation.shares:
        if share.target.holder is not Holder.POOL:
            wanted[share.target, share.scope, share.pool_id, share.corrects] += share.units
    return _agreed(cascade.rows(), wanted, charged)


class _Cascade:
    """What pools hold while it is passed on."""

    def __init__(self, movers: Collection[str], charged: int, costs: int) -> None:
        self._movers, self._charged, self._costs = movers, charged, costs
        self._rows = 0
        self._held: dict[_Place, _Held] = defaultdict(dict)
        self._carried: dict[tuple[Target, Scope, str, str], tuple[Share | None, dict[Kind | None, Amounts]]] = {}

    def bring(self, brought: Iterable[InPool]) -> None:
        """Put charges into pools; of a kind in several pools, each holds the part that its charged cost is."""
        kinds: dict[tuple[str, Kind], list[InPool]] = defaultdict(list)
        for each in brought:
            kinds[each.corrects, each.kind].append(each)
        for found in kinds.values():
            sizes = [abs(each.costs[self._charged] or 0) for each in found]
            ratios = split(ONE, sizes if any(sizes) else [1] * len(sizes))
            for each, ratio in zip(found, ratios, strict=True):
                _add(self._held[each.corrects, each.scope, each.pool_id], each.kind, (*each.costs, ratio))

    def pass_on(self, shares: Sequence[Share], found: Mapping[tuple[str, Scope, str], tuple[str, ...]]) -> None:
        """The shares of one step."""
        pools: dict[_Place, list[Share]] = {}
        for share in shares:
            pools.setdefault((share.corrects, share.scope, share.pool_id), []).append(share)
        done: set[_Place] = set()
        for place, made in pools.items():
            if place in done:
                continue
            corrects, scope, pool_id = place
            if pool_id in self._movers:
                for share in made:
                    empty = [0 if number == self._charged else None for number in range(self._costs)]
                    empty[self._charged] = share.units
                    self._give(share, {None: (*empty, None)})
            elif loop := found.get(place):
                members = [(corrects, scope, code) for code in loop]
                done.update(members)
                self._solve([(member, pools[member]) for member in members])
            else:
                held = self._held.pop(place, {})
                for kind, amounts in held.items():
                    parts = _divided(amounts, [share.weight for share in made])
                    for share, part in zip(made, parts, strict=True):
                        self._give(share, {kind: part})

    def _solve(self, pools: Sequence[tuple[_Place, list[Share]]]) -> None:
        """Pools that serve each other: each kind and cost goes through the same equations as the whole did."""
        weighed = {place[2]: [share for share in made if share.weight > 0] for place, made in pools}
        solved = Loop({code: [(share.target, share.weight) for share in made] for code, made in weighed.items()})
        held = [self._held.pop(place, {}) for place, _ in pools]
        inside = {Target(Holder.POOL, code) for code in weighed}
        width = self._costs + 1
        for kind in dict.fromkeys(kind for each in held for kind in each):
            amounts = [each.get(kind, (None,) * width) for each in held]
            parts = [[[None] * width for _ in made] for made in weighed.values()]  # type: list[list[list[int | None]]]
            for number in range(width):
                if any(each[number] is not None for each in amounts):
                    passed = solved.shares([each[number] or 0 for each in amounts])
                    for pool, (_, mine) in enumerate(passed):
                        for place, part in enumerate(mine):
                            parts[pool][place][number] = part
            for pool, made in enumerate(weighed.values()):
                for place, share in enumerate(made):
                    if share.target not in inside:
                        self._give(share, {kind: tuple(parts[pool][place])})

    def _give(self, share: Share, amounts: Mapping[Kind | None, Amounts]) -> None:
        if share.target.holder is Holder.POOL:
            held = self._held[share.corrects, share.scope, share.target.code]
        else:
            key = (share.target, share.scope, share.pool_id, share.corrects)
            _, held = self._carried.setdefault(key, (share, {}))  # type: ignore[assignment]
        before = len(held)
        for kind, part in amounts.items():
            _add(held, kind, part)  # type: ignore[arg-type]
        self._rows += len(held) - before
        if self._rows > MOST_ROWS:
            raise InputRefusedError(
                f"More than {MOST_ROWS:,} rows would replace the charges in pools.",
                advice="Tell fewer kinds of charges apart: a coarser grain, such as `pool`.",
            )

    def keep_rest(self) -> None:
        """What was in pools that nothing was shared of, because it came to nothing: it is nobody's."""
        for (corrects, scope, pool_id), held in self._held.items():
            for kind, amounts in held.items():
                if amounts[self._charged] or any(amounts):
                    _, mine = self._carried.setdefault((UNALLOCATED, scope, pool_id, corrects), (None, {}))
                    _add(mine, kind, amounts)  # type: ignore[arg-type]

    def rows(self) -> list[PassedOn]:
        """Every part, by scope."""
        made = [
            PassedOn(target, scope, pool_id, corrects, kind, amounts[: self._costs], amounts[self._costs], share)
            for (target, scope, pool_id, corrects), (share, kinds) in self._carried.items()
            for kind, amounts in kinds.items()
            if any(amounts)
        ]
        return sorted(made, key=lambda row: row.scope)


def _add(held: _Held, kind: Kind, amounts: Amounts) -> None:
    before = held.get(kind)
    held[kind] = amounts if before is None else tuple(map(_plus, before, amounts))


def _plus(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else one + other


def _divided(amounts: Amounts, weights: Sequence[int]) -> list[Amounts]:
    """The amounts of one kind by the weights of shares, for each share."""
    columns = [[None] * len(weights) if amount is None else _parts(amount, weights) for amount in amounts]
    return list(zip(*columns, strict=True))


def _parts(amount: int, weights: Sequence[int]) -> list[int]:
    """In proportion. Weights of both signs, such as prices and what they do not recover: each to the nearest unit, and
    the largest takes what is left. Weights that come to nothing count by their size.
    """
    total = sum(weights)
    if total < 0:
        weights, total = [-weight for weight in weights], -total
    if total and min(weights) >= 0:
        return split(amount, weights)
    if not total:
        sizes = [abs(weight) for weight in weights]
        return split(amount, sizes if any(sizes) else [1] * len(sizes))
    parts = [half_even(amount * weight, total) for weight in weights]
    parts[max(range(len(parts)), key=lambda place: abs(weights[place]))] += amount - sum(parts)
    return parts


def _agreed(
    rows: Sequence[PassedOn], wanted: Mapping[tuple[Target, Scope, str, str], int], charged: int
) -> list[PassedOn]:
    """The rows of each scope, with units of the charged cost moved between lines until each line is what was shared."""
    made: list[PassedOn] = []
    by_scope: dict[Scope, dict[tuple[Target, Scope, str, str], int]] = defaultdict(dict)
    for key, units in wanted.items():
        by_scope[key[1]][key] = units
    found = {scope: list(group) for scope, group in groupby(rows, key=lambda row: row.scope)}
    for scope in sorted({*found, *by_scope}):
        made += _of_scope(found.get(scope, []), by_scope[scope], charged)
    return made


def _of_scope(
    rows: list[PassedOn], wanted: Mapping[tuple[Target, Scope, str, str], int], charged: int
) -> list[PassedOn]:
    missing = dict(wanted)
    sizes: dict[tuple[str, Kind | None], int] = defaultdict(int)
    for row in rows:
        units = row.costs[charged] or 0
        key = (row.target, row.scope, row.pool_id, row.corrects)
        missing[key] = missing.get(key, 0) - units
        if row.kind is not None:
            sizes[row.corrects, row.kind] += abs(units)
    short = {key: units for key, units in missing.items() if units}
    if not short:
        return rows
    place = {(row.target, row.scope, row.pool_id, row.corrects, row.kind): n for n, row in enumerate(rows)}
    for corrects in sorted({key[3] for key in short}):
        mine = {key: units for key, units in short.items() if key[3] == corrects}
        kinds = [(size, kind) for (month, kind), size in sizes.items() if month == corrects]
        left_over: int = sum(mine.values())
        if not kinds or left_over:
            raise ConservationError(f"The charges in the pools of {rows[0].scope} were not what was shared.")
        kind = max(kinds, key=lambda each: each[0])[1]
        for key, units in mine.items():
            number = place.get((*key, kind))
            if number is None:
                costs = tuple(units if each == charged else None for each in range(len(rows[0].costs)))
                rows.append(PassedOn(*key, kind, costs, 0, None))
            else:
                old = rows[number]
                costs = tuple((cost or 0) + units if each == charged else cost for each, cost in enumerate(old.costs))
                rows[number] = old._replace(costs=costs)
    return rows
