"""The method lab over a period's run: its cells, and the circumstances that its pools were shared under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apportion.allocate.charges import Charges
from apportion.allocate.follow import following
from apportion.allocate.lab import MOST_POOLS, Lab, lab
from apportion.allocate.policy import CostBasis
from apportion.allocate.rule import Holder
from apportion.allocate.shapley import SAMPLES
from apportion.allocate.waterfall import Circumstances
from apportion.close import metering
from apportion.close.run import Run
from apportion.close.simulate import allocated, out_of_date
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Workspace


@dataclass(frozen=True, slots=True)
class Methods:
    """A run, and its pools shared in every way."""

    run: Run
    lab: Lab


def methods(
    workspace: Workspace,
    period: BillingPeriod,
    *,
    pools: Sequence[str] = (),
    most_pools: int = MOST_POOLS,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Methods:
    """Share the pools of a period's run in every way; nothing is saved.

    Raises `NotFoundError` where there is no run, `InputRefusedError` for one that is out of date or an unknown pool.
    """
    run = allocated(workspace, workspace.snapshot(period))
    given = circumstances(workspace, run)
    found = lab(
        run.allocation.cells,
        run.policy.pools,
        given,
        chosen=pools,
        most_pools=most_pools,
        samples=samples,
        seed=seed,
    )
    return Methods(run, found)


def circumstances(workspace: Workspace, run: Run) -> Circumstances:
    """What the pools of a run were shared under. Cost that commitments moved stands in the run itself."""
    allocation = run.allocation
    pools = {pool.id for pool in run.policy.pools}
    charges = Charges(
        snapshot=workspace.snapshot(run.period),
        sidecars=run.sidecars,
        effective=allocation.cost_basis is CostBasis.EFFECTIVE,
        targets={
            outcome: decision.target
            for outcome, decision in enumerate(run.decisions)
            if decision.target.holder is not Holder.POOL or decision.target.code in pools
        },
        issuer_aliases=run.settings.issuer_aliases,
    )
    usage = metering.mapped(workspace, run.policy, run.organization, run.period).usage
    if usage.digest != allocation.usage_digest:
        raise out_of_date(run.period, "usage")
    return Circumstances(
        run.tree,
        run.period,
        run.policy.pool_order,
        usage,
        following=following(run.policy.pools, charges),
        moved=tuple(share for share in allocation.shares if share.step == 0 and not share.corrects),
    )
