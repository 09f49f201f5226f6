"""The commitments of an allocated period under every method, beside each other; nothing is changed by looking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apportion.allocate.charges import Charges
from apportion.allocate.commitments import Effect, Eligible, effects, eligible
from apportion.allocate.policy import CostBasis
from apportion.allocate.rule import Holder
from apportion.close.run import Run
from apportion.warehouse.store import Workspace


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one commitment policy is about, and by currency what holders carry of it under each method."""

    eligible: Eligible
    effects: Mapping[str, tuple[Effect, ...]]


def compare(workspace: Workspace, run: Run) -> tuple[Comparison, ...]:
    """Each commitment of the run's policy, measured on the charges that the run allocated, in the policy's order.

    Raises `AllocationRefusedError` on billed cost, `ConservationError` where the charges are not those of the run.
    """
    pools = {pool.id for pool in run.policy.pools}
    # Corrections of earlier months lie in pools that no policy has.
    targets = {
        number: decision.target
        for number, decision in enumerate(run.decisions)
        if decision.target.holder is not Holder.POOL or decision.target.code in pools
    }
    effective = run.allocation.cost_basis is CostBasis.EFFECTIVE
    snapshot = workspace.snapshot(run.period)
    charges = Charges(snapshot, run.sidecars, effective, targets, run.settings.issuer_aliases)
    return tuple(Comparison(found, effects(found, run.tree)) for found in eligible(run.policy, charges))
