"""Why an amount is there: from a line back through shares and pools to the cells the warehouse added up.

Every pool on the way is taken apart once, however many ways lead through it: pools that serve each other refer to
each other by their ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from apportion.allocate.allocation import Allocation, Cell, Line, Scope, Share
from apportion.allocate.based import Based, Bases, PartBased, loops
from apportion.allocate.policy import Pool
from apportion.allocate.rule import Holder, Target
from apportion.errors import ConservationError


@dataclass(frozen=True, slots=True)
class ShareTrace:
    """One share: `share.pool_units` × `share.weight` / `share.total_weight` of the pool `share.pool_id`.

    `based` says which basis that followed, where the pools of the policy are known. A share of what is no pool (a
    commitment, an uplift) is an amount moved between holders, and made of nothing else.
    """

    share: Share
    based: Based | None = None

    @property
    def parts(self) -> tuple[PartBased, ...]:
        """The parts of a mix, with units that sum to the share's; empty for other bases."""
        return self.based.parts if self.based else ()


@dataclass(frozen=True, slots=True)
class PoolTrace:
    """What a pool passed on in one scope: `cells` that rules put there, and shares that flowed into it.

    `loop` names the pools that it was solved together with, itself among them: `units` is then the gross amount,
    with what came back from them.
    """

    pool_id: str
    scope: Scope
    step: int
    units: int
    cells: tuple[Cell, ...]
    received: tuple[ShareTrace, ...]
    loop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LineTrace:
    """A line and everything it is made of: cells for direct cost, or shares.

    `pools` are all that the shares were made from, directly or through others, each once, the last step first.
    """

    line: Line
    cells: tuple[Cell, ...]
    shares: tuple[ShareTrace, ...]
    pools: tuple[PoolTrace, ...]


def trace(allocation: Allocation, line: Line, pools: Iterable[Pool] = ()) -> LineTrace:
    """Take one line of the allocation apart. `pools` are those of the policy that decided, for the bases followed.

    Raises `ConservationError` if the parts do not add up to it.
    """
    if line.pool_id is None:
        key = (line.holder, line.scope, line.service, line.charge_category, line.corrects)
        cells = tuple(
            cell
            for cell in allocation.cells
            if (cell.target, cell.scope, cell.service, cell.charge_category, cell.corrects) == key
        )
        _must_agree(line.units, sum(cell.units for cell in cells))
        return LineTrace(line, cells, (), ())
    way = _Way(allocation, line, pools)
    shares = tuple(way.share(share) for share in allocation.shares if _is_of(share, line))
    _must_agree(line.units, sum(part.share.units for part in shares))
    return LineTrace(line, (), shares, way.back(shares))


def pools(traced: LineTrace) -> tuple[PoolTrace, ...]:
    """Every pool that the line was made from, the last step first."""
    return traced.pools


def _is_of(share: Share, line: Line) -> bool:
    return (share.target, share.scope, share.pool_id, share.corrects) == (
        line.holder,
        line.scope,
        line.pool_id,
        line.corrects,
    )


class _Way:
    """The cells and shares of one scope, by the pool that they went into."""

    def __init__(self, allocation: Allocation, line: Line, pools: Iterable[Pool]) -> None:
        self._scope = line.scope
        pools = tuple(pools)
        self._bases = Bases(allocation, pools, {line.corrects: pools})
        self._loops = loops(allocation.shares)
        self._corrects = line.corrects
        self._cells: dict[Target, list[Cell]] = defaultdict(list)
        for cell in allocation.cells:
            if cell.target.holder is Holder.POOL and (cell.scope, cell.corrects) == (line.scope, line.corrects):
                self._cells[cell.target].append(cell)
        self._shares: dict[Target, list[Share]] = defaultdict(list)
        for share in allocation.shares:
            if share.target.holder is Holder.POOL and (share.scope, share.corrects) == (line.scope, line.corrects):
                self._shares[share.target].append(share)

    def share(self, share: Share) -> ShareTrace:
        return ShareTrace(share, self._bases.of(share))

    def back(self, shares: Iterable[ShareTrace]) -> tuple[PoolTrace, ...]:
        """The pools that shares were taken from, and those that flowed into these."""
        found: dict[str, PoolTrace] = {}
        waiting = list(shares)
        for part in waiting:
            share = part.share
            if share.pool_id not in found and (pool := self._pool(share)):
                found[share.pool_id] = pool
                waiting += pool.received
        return tuple(sorted(found.values(), key=lambda pool: -pool.step))

    def _pool(self, share: Share) -> PoolTrace | None:
        target = Target(Holder.POOL, share.pool_id)
        cells, received = self._cells[target], self._shares[target]
        _must_agree(share.pool_units, sum(cell.units for cell in cells) + sum(each.units for each in received))
        if not cells and not received:
            return None
        return PoolTrace(
            pool_id=share.pool_id,
            scope=self._scope,
            step=share.step,
            units=share.pool_units,
            cells=tuple(cells),
            received=tuple(self.share(each) for each in received),
            loop=self._loops.get((self._corrects, self._scope, share.pool_id), ()),
        )


def _must_agree(whole: int, parts: int) -> None:
    if whole != parts:
        raise ConservationError(f"An amount of {whole} units is made of parts that add up to {parts}.")
