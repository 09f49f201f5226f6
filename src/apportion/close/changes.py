"""Why everybody's total differs from the month before: two runs, and the charges behind both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from apportion.allocate.policy import CostBasis
from apportion.allocate.rule import Holder, Target
from apportion.close import month as months
from apportion.close import run as runs
from apportion.close.run import Run
from apportion.errors import InputRefusedError
from apportion.invoice import change
from apportion.invoice.change import MOST_DRIVERS, Cause, Direct, Side
from apportion.invoice.paper import Change, Part
from apportion.invoice.statement import Statement
from apportion.warehouse.resource_changes import Effect, Effects, changed
from apportion.warehouse.resource_sums import Selection
from apportion.warehouse.store import Workspace

_PART = {
    Effect.PRICE: Part.PRICE,
    Effect.USAGE: Part.USAGE,
    Effect.NEW: Part.NEW,
    Effect.GONE: Part.GONE,
    Effect.MOVED: Part.ALLOCATION,
}


def changes(
    workspace: Workspace, run: Run, made: Sequence[Statement], *, most: int = MOST_DRIVERS
) -> Mapping[Target, tuple[Change, ...]]:
    """The change of every holder of a run against the month before, by currency; nothing where that has no run.

    `made` are the run's statements. Reads the charges of both months once. Raises `InputRefusedError` where the charges
    of one of them changed since it was allocated, and `ConservationError` where they are not what was allocated.
    """
    if workspace.current_run(run.period.previous) is None:
        return {}
    before = runs.current(workspace, run.period.previous)
    holders = _holders(before, run)
    with workspace.staging() as directory:
        effects = changed(
            selection(workspace, before, holders), selection(workspace, run, holders), directory, most=most
        )
    targets = list(holders)
    alike = before.allocation.cost_basis == run.allocation.cost_basis
    sides = (Side(months.statements(before), before.allocation.shares), Side(made, run.allocation.shares))
    return change.changes(
        *sides, _direct(effects, targets, alike=alike), _causes(effects, targets, alike=alike), most=most
    )


def selection(workspace: Workspace, run: Run, places: Mapping[Target, int]) -> Selection:
    """The charges that a run brought to these targets, without late corrections. Raises `InputRefusedError`."""
    snapshot = workspace.snapshot(run.period)
    if snapshot.digest != run.allocation.snapshot_digest:
        raise InputRefusedError(
            f"The charges of {run.period} have changed since it was allocated.",
            advice=f"Allocate it again: apportion allocate {run.period}",
        )
    decided = {number: places[made.target] for number, made in enumerate(run.decisions) if made.target in places}
    return Selection(snapshot, run.sidecars, decided, run.allocation.cost_basis is CostBasis.EFFECTIVE)


def _holders(*sides: Run) -> dict[Target, int]:
    """Everybody that charges go to in either month, numbered; corrections lie in pools of no policy, aside."""
    found: dict[Target, int] = {}
    for run in sides:
        pools = {pool.id for pool in run.policy.pools}
        for made in run.decisions:
            if made.target.holder is not Holder.POOL or made.target.code in pools:
                found.setdefault(made.target, len(found))
    return found


def _part(effect: Effect, *, alike: bool) -> Part:
    """Where the policy charges on another cost than before, that is why the same resource costs another amount."""
    return _PART[effect] if alike or effect is not Effect.PRICE else Part.ALLOCATION


def _direct(effects: Effects, targets: Sequence[Target], *, alike: bool) -> Iterator[Direct]:
    for place, currency, _, effect, units in effects.sums:
        if targets[place].holder is not Holder.POOL:
            yield Direct(targets[place], currency, _part(effect, alike=alike), units)


def _causes(effects: Effects, targets: Sequence[Target], *, alike: bool) -> Iterator[Cause]:
    for place, currency, service, effect, resource, units in effects.largest:
        if targets[place].holder is not Holder.POOL:
            about = f"{service}: {resource}" if service and resource else service or resource
            yield Cause(targets[place], currency, _part(effect, alike=alike), about, units)
