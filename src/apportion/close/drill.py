"""From a line of a statement down to its resources, days and delivered rows, a page at a time.

What is shown adds up to the line: the rows to their resource, the resources to what the rules brought, and of shares,
the line's parts of the pools' resources to the line, to 10⁻¹⁸. Where the charges on disk are not what was allocated,
nothing is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from apportion.allocate.allocation import Cell
from apportion.allocate.policy import CostBasis
from apportion.allocate.rule import Target
from apportion.allocate.trace import LineTrace, PoolTrace
from apportion.close import run as runs
from apportion.close.changes import selection as all_of
from apportion.close.explain import amounts, taken_apart, wanted
from apportion.close.run import Run
from apportion.errors import ConservationError, InputRefusedError, NotFoundError
from apportion.invoice.statement import StatementLine
from apportion.money.amount import half_even
from apportion.warehouse import resource_pages
from apportion.warehouse.resource_pages import DeliveredRow, ResourceSum
from apportion.warehouse.resource_sums import Selection
from apportion.warehouse.store import Workspace

MOST_ON_A_PAGE = 200
_TOKEN = re.compile(r"(\d{1,4})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class PoolPart:
    """A pool behind a shared line: what rules put into it, and what of that the line holds; units of 10⁻¹⁸.

    `fraction` is the line's part of it, exactly. `direct` says that the line is a share of this very pool, and not of
    another that this one was shared into.
    """

    pool_id: str
    name: str
    units: int
    part_units: int
    fraction: Fraction
    direct: bool


class Resource(NamedTuple):
    """One resource behind a line, in the line's billed currency; empty texts for what is not known.

    `token` names it for `rows`. `units` is its cost, `part_units` what of that the line holds: all of it on a direct
    line. `quantity` is in units of 10⁻¹⁸ of `unit`, None where there is none or of several units. `last_units` is what
    the same holder or pool had of it the month before, on any provider invoice: None where nobody can say.
    """

    token: str
    pool_id: str
    id: str
    name: str
    type: str
    region: str
    sub_account: str
    service: str
    sku: str
    quantity: int | None
    unit: str
    rows: int
    units: int
    part_units: int
    last_units: int | None


@dataclass(frozen=True, slots=True)
class Resources:
    """A page of the resources behind a line. `count` and `rows` are of all pages; `pools` is empty on a direct line.

    A line of what is no pool (a commitment, an uplift) is made of other holders' amounts, and has no resources.
    """

    reference: str
    line: StatementLine
    pools: tuple[PoolPart, ...]
    resources: tuple[Resource, ...]
    page: int
    size: int
    count: int
    rows: int

    @property
    def pages(self) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-self.count // self.size))


class Day(NamedTuple):
    """The charges behind a line that start on one day (ISO; empty where none is known), and the line's part of them."""

    day: str
    rows: int
    units: int
    part_units: int


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of the delivered rows of one resource. `count` and `units` are of all of them."""

    reference: str
    line: StatementLine
    token: str
    rows: tuple[DeliveredRow, ...]
    page: int
    size: int
    count: int
    units: int


def resources(workspace: Workspace, reference: str, *, page: int = 1, size: int = 50) -> Resources:
    """The resources behind ``NUMBER:LINE``, the largest first; pages count from 1.

    Raises `NotFoundError` for no such statement, line or page, `InputRefusedError` for a size that is not 1 to
    `MOST_ON_A_PAGE` and for charges that changed since, `ConservationError` where they are not what was allocated.
    """
    offset = _offset(page, size)
    here = _Line(workspace, reference)
    if not here.amounts:
        return Resources(reference, here.line, (), (), page, size, 0, 0)
    with workspace.staging() as directory:
        found = resource_pages.resource_page(
            here.selection,
            directory,
            offset=offset,
            size=size,
            parts={place: pool.fraction for place, pool in enumerate(here.pools)},
        )
    here.prove({place: (whole.rows, whole.units) for place, whole in found.places.items()})
    if offset and not found.resources:
        raise NotFoundError(f"{reference} has no page {page} of {size} resources.", advice="Go back to page 1.")
    last = _last_month(workspace, here, found.resources)
    return Resources(
        reference,
        here.line,
        here.pools,
        tuple(here.resource(each, last) for each in found.resources),
        page,
        size,
        sum(whole.resources for whole in found.places.values()),
        sum(whole.rows for whole in found.places.values()),
    )


def days(workspace: Workspace, reference: str) -> tuple[Day, ...]:
    """The charges behind ``NUMBER:LINE`` by the day that they start on. Raises as `resources` does."""
    here = _Line(workspace, reference)
    if not here.amounts:
        return ()
    found = resource_pages.days(here.selection)
    held: dict[int, tuple[int, int]] = {}
    sums: dict[str, list[int]] = {}
    for each in found:
        rows, before = held.get(each.place, (0, 0))
        held[each.place] = (rows + each.rows, before + each.units)
        day = sums.setdefault(each.day, [0, 0, 0])
        for place, amount in enumerate((each.rows, each.units, here.part(each.place, before, each.units))):
            day[place] += amount
    here.prove(held)
    return tuple(Day(day, *sums[day]) for day in sorted(sums))


def rows(workspace: Workspace, reference: str, token: str, *, page: int = 1, size: int = 50) -> Rows:
    """The delivered rows of one resource of a line (`Resource.token`), the largest first. Raises as `resources`."""
    offset = _offset(page, size)
    here = _Line(workspace, reference)
    known = _TOKEN.fullmatch(token)
    if known is None or int(known[1]) >= len(here.amounts):
        raise NotFoundError(f"{reference} has no resource '{token}'.", advice="Choose one of the line's resources.")
    found = resource_pages.row_page(here.selection, int(known[1]), known[2], offset=offset, size=size)
    if not found.rows:
        raise NotFoundError(f"{reference} has no such rows of '{token}'.", advice="Choose one of the line's resources.")
    return Rows(reference, here.line, token, found.rows, page, size, found.count, found.units)


def _offset(page: int, size: int) -> int:
    if not 1 <= size <= MOST_ON_A_PAGE or not 1 <= page <= 10**6:
        raise InputRefusedError(
            f"There is no page {page} of {size}.",
            advice=f"Pages count from 1, and hold 1 to {MOST_ON_A_PAGE}.",
        )
    return (page - 1) * size


class _Line:
    """A line, the targets whose charges are behind it, each in a place of its own, and the line's part of each."""

    def __init__(self, workspace: Workspace, reference: str) -> None:
        found = taken_apart(workspace, reference)
        if found.line is None or found.trace is None:
            raise NotFoundError(f"'{reference}' names no line.", advice=f"Name one, as in {reference.strip()}:1.")
        self.run, self.line = found.run, found.line
        self.amounts = [(target, cells) for target, cells in amounts(found.trace) if cells]
        parts = _parts(found.trace, {target.code for target, _ in self.amounts}) if found.trace.pools else {}
        self.pools = tuple(self._pool_part(target, cells, parts) for target, cells in self.amounts if parts)
        self._workspace, self._traced = workspace, found.trace

    @property
    def selection(self) -> Selection:
        """The charges behind the line."""
        behind = [cells for _, cells in self.amounts]
        snapshot, sidecars, which = wanted(self._workspace, self.run, self._traced.line, behind)
        places = {outcome: place for place, outcomes in enumerate(which.outcomes) for outcome in outcomes}
        effective = self.run.allocation.cost_basis is CostBasis.EFFECTIVE
        return Selection(snapshot, sidecars, places, effective, which.issuers, which.columns)

    def _pool_part(self, target: Target, cells: Sequence[Cell], parts: Mapping[str, int]) -> PoolPart:
        units = sum(cell.units for cell in cells)
        part = parts.get(target.code, 0)
        names = {pool.id: pool.name for pool in self.run.former.get(self.line.corrects, self.run.policy).pools}
        shares = self.line.shares
        direct = any(share.pool_id == target.code for share in shares)
        fraction = Fraction(part, units) if units else Fraction(0)
        if direct and len(shares) == 1 and shares[0].pool_units == units and shares[0].total_weight:
            fraction = Fraction(shares[0].weight, shares[0].total_weight)
        return PoolPart(target.code, names.get(target.code) or target.code, units, part, fraction, direct)

    def prove(self, held: Mapping[int, tuple[int, int]]) -> None:
        """Raise `ConservationError` unless rows and units of every place are what was allocated."""
        for place, (_, cells) in enumerate(self.amounts):
            told = (sum(cell.rows for cell in cells), sum(cell.units for cell in cells))
            if held.get(place, (0, 0)) != told:
                raise ConservationError(
                    f"{held.get(place, (0, 0))[0]} source rows were found where {told[0]} were added up.",
                    advice="Files of the workspace may have been touched; restore them from a backup.",
                )

    def part(self, place: int, before: int, units: int) -> int:
        """The line's part of an amount in a place, where `before` of it were given out already: no unit is lost."""
        if not self.pools:
            return units
        pool = self.pools[place]
        return _of(before + units, pool) - _of(before, pool)

    def resource(self, each: ResourceSum, last: Mapping[tuple[int, str], int] | None) -> Resource:
        return Resource(
            token=f"{each.place}-{each.key}",
            pool_id=self.pools[each.place].pool_id if self.pools else "",
            id=each.id,
            name=each.name,
            type=each.type,
            region=each.region,
            sub_account=each.sub_account,
            service=each.service,
            sku=each.sku,
            quantity=each.quantity,
            unit=each.unit,
            rows=each.rows,
            units=each.units,
            part_units=self.part(each.place, each.before_units, each.units),
            last_units=None if last is None else last.get((each.place, each.key), 0),
        )


def _of(amount: int, pool: PoolPart) -> int:
    """What of so much of a pool is on the line, to the nearest unit."""
    if not pool.units:
        return 0
    product = amount * pool.part_units
    return half_even(product if pool.units > 0 else -product, abs(pool.units))


def _parts(traced: LineTrace, filled: set[str]) -> dict[str, int]:
    """How many units of the line came from charges that rules put into each pool.

    What a pool passed on is made of its own charges and of what it received, in proportion; of pools that serve each
    other, the one that is nearer to the line is looked at first, and what came back to it is taken as its own.
    """
    waiting: dict[str, int] = {}
    for each in traced.shares:
        waiting[each.share.pool_id] = waiting.get(each.share.pool_id, 0) + each.share.units
    left = {pool.pool_id: pool for pool in traced.pools}
    found: dict[str, int] = {}
    while near := [pool for code, pool in left.items() if waiting.get(code)]:
        pool = max(near, key=lambda pool: pool.step)
        del left[pool.pool_id]
        _take_apart(pool, waiting, left, found, filled)
    return found


def _take_apart(
    pool: PoolTrace, waiting: dict[str, int], left: Mapping[str, PoolTrace], found: dict[str, int], filled: set[str]
) -> None:
    amount = waiting.pop(pool.pool_id)
    own = sum(cell.units for cell in pool.cells)
    received: dict[str, int] = {}
    for each in pool.received:
        if each.share.pool_id in left:
            received[each.share.pool_id] = received.get(each.share.pool_id, 0) + each.share.units
    whole = own + sum(received.values())
    rest = amount
    for code, units in received.items():
        part = half_even(amount * (units if whole > 0 else -units), abs(whole)) if whole else 0
        waiting[code] = waiting.get(code, 0) + part
        rest -= part
    if not rest:
        return
    if own or not received:
        # In a loop, what has no charges of its own any more was brought by those looked at before.
        here = pool.pool_id if pool.pool_id in filled else next(iter(found), min(filled, default=pool.pool_id))
        found[here] = found.get(here, 0) + rest
    else:
        code = max(received, key=lambda code: abs(received[code]))
        waiting[code] += rest


def _last_month(
    workspace: Workspace, here: _Line, found: Sequence[ResourceSum]
) -> Mapping[tuple[int, str], int] | None:
    """What these resources were the month before; None for a late correction, and where that month cannot be asked."""
    former = _former(workspace, here.run) if not here.line.corrects else None
    if former is None:
        return None
    places = {target: place for place, (target, _) in enumerate(here.amounts)}
    try:
        chosen = all_of(workspace, former, places)
    except InputRefusedError:
        return None
    columns = {"BillingCurrency": here.line.scope.currency}
    if not here.pools:
        columns |= {"ServiceName": here.line.service, "ChargeCategory": here.line.charge_category}
    chosen = Selection(chosen.snapshot, chosen.sidecars, chosen.places, chosen.effective, None, columns)
    with workspace.staging() as directory:
        return resource_pages.sums_of(chosen, directory, {(each.place, each.key) for each in found})


def _former(workspace: Workspace, run: Run) -> Run | None:
    period = run.period.previous
    return None if workspace.current_run(period) is None else runs.current(workspace, period)
