"""What a period would come to under another policy, tree or method; nothing in the workspace is touched.

Takes a workspace and a period, gives a `Comparison` with the run that is there. Everything that is written on the way
is in a temporary directory outside of the workspace, and gone at the end, also when it fails.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from apportion import organization as organization_room
from apportion.allocate import policy_checks, policy_file
from apportion.allocate.basis import Basis, Cost, Even, Fixed, KeptCentral
from apportion.allocate.policy import CostBasis, Policy, Pool, PoolOrder
from apportion.close import run as runs
from apportion.close.compare import Comparison, compare
from apportion.close.run import Inputs, Run
from apportion.errors import ApportionError, DocumentError, InputRefusedError, Place
from apportion.organization.cost_group import Organization
from apportion.periods import BillingPeriod
from apportion.warehouse.crossing import crossed
from apportion.warehouse.snapshot import Snapshot
from apportion.warehouse.store import Workspace
from apportion.yamlfile import suggestion

METHODS: Mapping[str, Basis] = {
    "even": Even(),
    "proportional": Cost(),
    "cost-so-far": Cost(so_far=True),
    "kept-central": KeptCentral(),
}
"""The methods that a pool can be set to without writing a policy."""

Progress = Callable[[int], None]
_IN_A_COPY = "Do so in a copy of the policy, and simulate with --policy FILE."  # pages always bring the policy


def simulate(
    workspace: Workspace,
    period: BillingPeriod,
    *,
    policy: Path | Policy | None = None,
    organization: Path | Organization | None = None,
    pool_order: PoolOrder | None = None,
    methods: Mapping[str, Basis] | None = None,
    progress: Progress = lambda _: None,
) -> Comparison:
    """Work a period out under other inputs and compare it with its current run, or where it has none with the
    workspace's own files. What is not given is as in that run.

    `methods` are bases by pool id, which replace those of the policy. Raises `DocumentError` for mistakes in the files
    as they would be in force, `InputRefusedError` for a pool that does not exist or a run that is out of date, and what
    allocation raises.
    """
    snapshot = workspace.snapshot(period)
    with _places_to_edit(workspace, period), scratch() as directory:
        before = baseline(workspace, snapshot, directory / "before", progress)
        rules = policy_file.read(policy) if isinstance(policy, Path) else policy or before.policy
        if pool_order is not None:
            rules = replace(rules, pool_order=pool_order)
        rules = _with_methods(rules, methods or {})
        tree = organization_room.read(organization) if isinstance(organization, Path) else organization
        tree = tree or before.organization
        mistakes = policy_checks.check(rules, tree, period)
        if mistakes:
            raise DocumentError(mistakes)
        after = work_out(workspace, snapshot, directory / "after", inputs_of(before, rules, tree), progress)
        return compared(snapshot, before, after)


@contextmanager
def _places_to_edit(workspace: Workspace, period: BillingPeriod) -> Iterator[None]:
    """Mistakes in the files that a run keeps are told without a place: nobody may edit those.

    The workspace's own file can be another one by now, so its lines are not named either.
    """
    kept = workspace.current_run(period)

    def is_kept(place: Place | None) -> bool:
        return kept is not None and place is not None and Path(place.file).is_relative_to(kept)

    try:
        yield
    except DocumentError as error:
        if not any(is_kept(each.place) for each in error.mistakes):
            raise
        raise DocumentError(
            [
                replace(each, place=Place(Path(each.place.file).name)) if is_kept(each.place) else each
                for each in error.mistakes
            ]
        ) from error
    except ApportionError as error:
        if is_kept(error.place):
            error.place = None
            error.advice = " ".join(part for part in (error.advice, _IN_A_COPY) if part)
        raise


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory outside of the workspace, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="apportion-simulate-") as directory:
        yield Path(directory)


def baseline(workspace: Workspace, snapshot: Snapshot, directory: Path, progress: Progress) -> Run:
    """The period's current run; before the first one, what the files of the workspace come to now.

    Raises `InputRefusedError` where other charges were delivered since: a comparison would mix both changes.
    """
    period = snapshot.period
    if workspace.current_run(period) is None:
        inputs = runs.read_inputs(workspace.root, period)
        return work_out(workspace, snapshot, directory, inputs, progress)
    return allocated(workspace, snapshot)


def allocated(workspace: Workspace, snapshot: Snapshot) -> Run:
    """The period's current run. Raises `NotFoundError` before the first, `InputRefusedError` as `baseline` does."""
    run = runs.current(workspace, snapshot.period)
    if run.allocation.snapshot_digest != snapshot.digest:
        raise out_of_date(snapshot.period, "charges")
    return run


def work_out(workspace: Workspace, snapshot: Snapshot, directory: Path, inputs: Inputs, progress: Progress) -> Run:
    """A run that is nowhere but in `directory`, which must not exist yet."""
    sidecars = directory / runs.SIDECARS
    sidecars.mkdir(parents=True)
    allocation, decisions = runs.work_out(workspace, inputs, snapshot, sidecars=sidecars, progress=progress)
    return Run(
        directory=directory,
        digest="",
        allocation=allocation,
        decisions=decisions,
        settings=inputs.settings,
        policy=inputs.policy,
        organization=inputs.organization,
        rates=inputs.rates,
    )


def inputs_of(run: Run, policy: Policy, organization: Organization) -> Inputs:
    """What a run was made from, with another policy and organization."""
    return Inputs(run.settings, policy, organization, (), run.rates)


def compared(snapshot: Snapshot, before: Run, after: Run) -> Comparison:
    """Two runs over the charges of a snapshot. Raises `InputRefusedError` if they were made from different usage."""
    used = {run.allocation.usage_digest for run in (before, after)} - {""}  # empty where a policy follows no usage
    if len(used) > 1:
        raise out_of_date(snapshot.period, "usage")
    effective = tuple(run.allocation.cost_basis is CostBasis.EFFECTIVE for run in (before, after))
    flows = crossed(snapshot, before.sidecars, after.sidecars, effective=(effective[0], effective[1]))
    return compare(before, after, flows)


def out_of_date(period: BillingPeriod, what: str) -> InputRefusedError:
    """The refusal of a run that was made from other charges or usage: what is compared would mix both changes."""
    return InputRefusedError(
        f"Since {period} was allocated, the {what} changed.",
        advice=f"Allocate it again: apportion allocate {period}",
    )


def _with_methods(policy: Policy, methods: Mapping[str, Basis]) -> Policy:
    known = [pool.id for pool in policy.pools]
    for code in methods:
        if code not in known:
            raise InputRefusedError(f"There is no pool '{code}'.", advice=suggestion(code, known))
    pools = (_shared_by(pool, methods[pool.id]) if pool.id in methods else pool for pool in policy.pools)
    return replace(policy, pools=tuple(pools))


def _shared_by(pool: Pool, basis: Basis) -> Pool:
    """The pool with another basis; what it falls back on stays, unless the new basis can always be followed."""
    otherwise = () if isinstance(basis, Even | Fixed | KeptCentral) else pool.otherwise
    return replace(pool, basis=basis, otherwise=tuple(other for other in otherwise if other != basis))
