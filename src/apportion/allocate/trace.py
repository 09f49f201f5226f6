"""Why an amount is there: from a line back through shares and pools to the cells the warehouse added up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apportion.allocate.allocation import Allocation, Cell, Line, Scope, Share
from apportion.allocate.rule import Holder, Target
from apportion.errors import ConservationError


@dataclass(frozen=True, slots=True)
class PoolTrace:
    """What a pool held in one scope: `cells` that rules put there, and shares of pools that flow into it."""

    pool_id: str
    scope: Scope
    units: int
    cells: tuple[Cell, ...]
    received: tuple[ShareTrace, ...]


@dataclass(frozen=True, slots=True)
class ShareTrace:
    """One share: `share.pool_units` × `share.weight` / `share.total_weight`, and the pool it was taken from."""

    share: Share
    pool: PoolTrace


@dataclass(frozen=True, slots=True)
class LineTrace:
    """A line and everything it is made of: cells for direct cost, or one share of one pool."""

    line: Line
    cells: tuple[Cell, ...]
    shares: tuple[ShareTrace, ...]


def trace(allocation: Allocation, line: Line) -> LineTrace:
    """Take one line of the allocation apart. Raises `ConservationError` if the parts do not add up to it."""
    if line.pool_id is None:
        key = (line.holder, line.scope, line.service, line.charge_category)
        cells = tuple(
            cell for cell in allocation.cells if (cell.target, cell.scope, cell.service, cell.charge_category) == key
        )
        _must_agree(line.units, sum(cell.units for cell in cells))
        return LineTrace(line, cells, ())
    shares = tuple(
        ShareTrace(share, _pool(allocation, share.pool_id, share.scope, share.pool_units))
        for share in allocation.shares
        if (share.target, share.scope, share.pool_id) == (line.holder, line.scope, line.pool_id)
    )
    _must_agree(line.units, sum(part.share.units for part in shares))
    return LineTrace(line, (), shares)


def pools(traced: LineTrace) -> Iterator[PoolTrace]:
    """Every pool that the line was made from, the nearest first."""
    waiting = [part.pool for part in traced.shares]
    while waiting:
        pool = waiting.pop(0)
        yield pool
        waiting += [part.pool for part in pool.received]


def _pool(allocation: Allocation, pool_id: str, scope: Scope, held: int) -> PoolTrace:
    target = Target(Holder.POOL, pool_id)
    cells = tuple(cell for cell in allocation.cells if cell.target == target and cell.scope == scope)
    received = tuple(
        ShareTrace(share, _pool(allocation, share.pool_id, scope, share.pool_units))
        for share in allocation.shares
        if share.target == target and share.scope == scope
    )
    _must_agree(held, sum(cell.units for cell in cells) + sum(part.share.units for part in received))
    return PoolTrace(pool_id, scope, held, cells, received)


def _must_agree(whole: int, parts: int) -> None:
    if whole != parts:
        raise ConservationError(f"An amount of {whole} units is made of parts that add up to {parts}.")
