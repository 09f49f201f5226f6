"""A run: one allocation of one billing period, with frozen copies of everything it was made from.

A run reads back to the same statements and journal for ever, whatever becomes of the policy, organization and
settings files in the workspace.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from apportion import exchange_rates
from apportion import organization as organization_room
from apportion import settings as settings_file
from apportion.allocate import policy_checks, policy_file, run_file
from apportion.allocate.allocation import Allocation
from apportion.allocate.allocator import Decision
from apportion.allocate.allocator import allocate as allocate_charges
from apportion.allocate.consumers import Mapped, Unknown
from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.rule import Target
from apportion.close import corrections, metering
from apportion.errors import DocumentError, InputRefusedError, NotFoundError, ReplayError
from apportion.invoice.convert import needed
from apportion.invoice.numbering import Number
from apportion.invoice.statement import numbered
from apportion.money.exchange import Choice, Exchange, Table
from apportion.organization.cost_group import Organization, Tree
from apportion.periods import BillingPeriod
from apportion.settings import Settings
from apportion.warehouse.snapshot import Snapshot
from apportion.warehouse.store import Workspace

SIDECARS = "sidecars"
CACHED_ROWS = 500_000  # below this, reading the delivered files again takes no time worth saving
_INPUTS = "inputs"


@dataclass(frozen=True)
class Run:
    """What an allocation came to, and what it was made from. `digest` covers all of it."""

    directory: Path
    digest: str
    allocation: Allocation
    decisions: tuple[Decision, ...]
    settings: Settings
    policy: Policy
    organization: Organization
    rates: tuple[Table, ...] = ()

    @property
    def period(self) -> BillingPeriod:
        return self.allocation.period

    @property
    def sidecars(self) -> Path:
        return self.directory / SIDECARS

    @cached_property
    def tree(self) -> Tree:
        return self.organization.during(self.period.starts_on, self.period.ends_on)

    @cached_property
    def former(self) -> Mapping[str, Policy]:
        """The policies that decided about late corrections, by the billing period that they correct."""
        return corrections.former_policies(self.directory / corrections.EARLIER, self.policy)

    @cached_property
    def unknown_usage(self) -> tuple[Unknown, ...]:
        """The consumers of usage that were nobody's when the run was made; what they used is in no basis."""
        return metering.unknown(self.directory)

    @cached_property
    def exchange(self) -> Exchange:
        """The rates of exchange of the period; none where the settings name none."""
        return _exchange(self.settings, self.rates, self.period)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The three files that people write, read and checked together, and the tables of exchange rates they name."""

    settings: Settings
    policy: Policy
    organization: Organization
    files: tuple[Path, ...]
    rates: tuple[Table, ...] = ()


def read_inputs(root: Path, period: BillingPeriod | None = None) -> Inputs:
    """Read settings, policy and organization below `root`. Raises `DocumentError` with every mistake in them."""
    settings = settings_file.load(root)
    paths = (root / settings.policy, root / settings.organization, *(root / name for name in _rate_files(settings)))
    for path in paths:
        if not path.is_file():
            raise NotFoundError(
                f"There is no file {path}.", advice=f"Write it, or name another in {settings_file.FILE_NAME}."
            )
    policy, organization = policy_file.read(paths[0]), organization_room.read(paths[1])
    mistakes = policy_checks.check(policy, organization, period)
    if mistakes:
        raise DocumentError(mistakes)
    files = (root / settings_file.FILE_NAME, *paths)
    return Inputs(settings, policy, organization, files, _read_rates(root, settings))


def _rate_files(settings: Settings) -> tuple[str, ...]:
    return settings.exchange.rates if settings.exchange else ()


def _read_rates(root: Path, settings: Settings) -> tuple[Table, ...]:
    return tuple(exchange_rates.read(root / name, name) for name in _rate_files(settings))


def _exchange(settings: Settings, rates: tuple[Table, ...], period: BillingPeriod) -> Exchange:
    last_on = period.ends_on - timedelta(days=1)
    if settings.exchange is None:
        return Exchange((), Choice.parse("last day"), period.starts_on, last_on)
    choice = Choice.parse(settings.exchange.choose)
    return Exchange(rates, choice, period.starts_on, last_on, settings.exchange.oldest)


def allocate(workspace: Workspace, period: BillingPeriod, progress: Callable[[int], None] = lambda _: None) -> Run:
    """Allocate a period and make the result its current run; the same inputs give the same run.

    A sealed period is replayed from its own inputs. Raises `ReplayError` if that came out differently,
    `DocumentError` for mistakes in the files, and what allocation raises; nothing is changed then.
    """
    sealed = workspace.sealed(period) is not None
    with workspace.lock(f"allocate {period}"), workspace.staging() as staged:
        root = current(workspace, period).directory / _INPUTS if sealed else workspace.root
        inputs = read_inputs(root, period)
        _keep(inputs, staged / _INPUTS)
        (staged / SIDECARS).mkdir()
        snapshot = workspace.snapshot(period)
        before = _before(workspace, inputs, snapshot)
        corrections.keep(before, staged / corrections.EARLIER)
        metered = metering.mapped(workspace, inputs.policy, inputs.organization, period)
        metering.keep(workspace, inputs.policy, period, metered, staged)
        allocation, decisions = work_out(
            workspace,
            inputs,
            snapshot,
            sidecars=staged / SIDECARS,
            before=before,
            metered=metered,
            cache=None if sealed else _cache(workspace, snapshot),
            progress=progress,
        )
        tree = inputs.organization.during(period.starts_on, period.ends_on)
        reporting = inputs.settings.exchange.reporting_currency if inputs.settings.exchange else ""
        needed(allocation.lines, tree, _exchange(inputs.settings, inputs.rates, period), reporting)
        digest = _digest(run_file.save(allocation, decisions, staged), staged / _INPUTS, staged / corrections.EARLIER)
        if sealed and digest != current(workspace, period).digest:
            raise ReplayError(
                f"Sealed period {period} did not come out the same again.",
                advice="Was it sealed by another version of Apportion, or were its files touched?",
            )
        workspace.save_run(period, digest, staged)
        directory = workspace.current_run(period)
    if directory is None:
        raise NotFoundError(f"The run of {period} was taken away as it was made.", advice="Allocate it again.")
    found = (inputs.settings, inputs.policy, inputs.organization, inputs.rates)
    return Run(directory, digest, allocation, decisions, *found)


def work_out(
    workspace: Workspace,
    inputs: Inputs,
    snapshot: Snapshot,
    *,
    sidecars: Path,
    before: corrections.Before | None = None,
    metered: Mapped | None = None,
    cache: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Allocation, tuple[Decision, ...]]:
    """What a period comes to under these inputs. Writes to `sidecars` (and `cache`), and nothing in the workspace.
    `before` is what it takes from earlier months, `metered` its usage; not given, they are looked up.

    Whatever allocation takes from the workspace beside the snapshot is read here, so that a month and the simulation
    of one are worked out alike. Raises what allocation raises.
    """
    before = before or _before(workspace, inputs, snapshot)
    metered = metered or metering.mapped(workspace, inputs.policy, inputs.organization, snapshot.period)
    return allocate_charges(
        inputs.policy,
        inputs.organization,
        snapshot,
        sidecars=sidecars,
        issuer_aliases=inputs.settings.issuer_aliases,
        late=before.late,
        left_over=before.left_over if inputs.policy.cost_basis is CostBasis.EFFECTIVE else None,
        usage=metered.usage,
        cache=cache,
        progress=progress,
    )


def _before(workspace: Workspace, inputs: Inputs, snapshot: Snapshot) -> corrections.Before:
    """What a period takes from earlier months: as it is now, or for a sealed period as it was."""
    directory = workspace.current_run(snapshot.period)
    if directory is None or workspace.sealed(snapshot.period) is None:
        return corrections.gather(workspace, snapshot, inputs.policy, inputs.organization)
    return corrections.kept(directory / corrections.EARLIER, snapshot, inputs.policy, inputs.organization)


def _cache(workspace: Workspace, snapshot: Snapshot) -> Path | None:
    """Where to read a large month from that has been allocated before, with the same charges."""
    before = workspace.current_run(snapshot.period)
    if before is None or sum(file.rows for file in snapshot.files) < CACHED_ROWS:
        return None
    return workspace.cache(snapshot) if run_file.snapshot_digest(before) == snapshot.digest else None


def current(workspace: Workspace, period: BillingPeriod, *, only: Number | None = None) -> Run:
    """The current run of a period; with `only`, its allocation holds no more than that statement was made from.

    Raises `NotFoundError` before the first run, and for a statement that does not exist.
    """
    directory = workspace.current_run(period)
    if directory is None:
        raise NotFoundError(
            f"Billing period {period} has not been allocated.", advice=f"Do it with: apportion allocate {period}"
        )
    settings = settings_file.load(directory / _INPUTS)
    organization = organization_room.read(directory / _INPUTS / settings.organization)

    def holder(holders: Collection[Target]) -> Target:
        tree = organization.during(period.starts_on, period.ends_on)
        for number, found in numbered(holders, tree, settings.statement_prefix, period).items():
            if number == only:
                return found
        raise NotFoundError(f"There is no statement {only}.", advice=f"List them with: apportion statements {period}")

    allocation, decisions = run_file.load(directory, holder if only else None)
    # A file of rates may hold thirty years of days: one statement has time for it only where it may need one.
    is_rated = only is None or any(group.currency for group in organization.versions)
    return Run(
        directory=directory,
        digest=directory.name,
        allocation=allocation,
        decisions=decisions,
        settings=settings,
        policy=policy_file.read(directory / _INPUTS / settings.policy),
        organization=organization,
        rates=_read_rates(directory / _INPUTS, settings) if is_rated else (),
    )


def frozen(workspace: Workspace, period: BillingPeriod) -> tuple[Settings, Policy, Organization]:
    """The files that a period's current run was made from. Raises `NotFoundError` before the first run."""
    directory = workspace.current_run(period)
    if directory is None:
        raise NotFoundError(
            f"Billing period {period} has not been allocated.", advice=f"Do it with: apportion allocate {period}"
        )
    kept = directory / _INPUTS
    settings = settings_file.load(kept)
    return settings, policy_file.read(kept / settings.policy), organization_room.read(kept / settings.organization)


def up_to_date(workspace: Workspace, period: BillingPeriod) -> Run:
    """The current run, if nothing it was made from has changed since.

    Raises `InputRefusedError` where it has: statements of yesterday's policy are nobody's.
    """
    run = current(workspace, period)
    if workspace.sealed(period) is not None:
        return run
    changed = [
        name
        for name, before, now in (
            ("the charges", run.allocation.snapshot_digest, workspace.snapshot(period).digest),
            ("the usage", run.allocation.usage_digest, metering.digest(workspace, run.policy, period)),
            *_file_digests(run, workspace.root),
        )
        if before != now
    ]
    changed += corrections.changed(workspace, period, run.directory / corrections.EARLIER)
    if changed:
        raise InputRefusedError(
            f"Since {period} was allocated, {' and '.join(changed)} changed.",
            advice=f"Allocate it again: apportion allocate {period}",
        )
    return run


def _file_digests(run: Run, root: Path) -> list[tuple[str, str, str]]:
    kept, here = run.directory / _INPUTS, settings_file.load(root)
    pairs = (
        ("the settings", kept / settings_file.FILE_NAME, root / settings_file.FILE_NAME),
        ("the policy", kept / run.settings.policy, root / here.policy),
        ("the organization", kept / run.settings.organization, root / here.organization),
        *((f"the rates in {name}", kept / name, root / name) for name in _rate_files(here)),
    )
    return [(name, _sha256(before), _sha256(now)) for name, before, now in pairs]


def _keep(inputs: Inputs, directory: Path) -> None:
    """Copy the input files, flat: the settings name them relative to the workspace."""
    root = inputs.files[0].parent
    for path in inputs.files:
        target = directory / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _digest(of_run: str, *directories: Path) -> str:
    paths = (path for directory in directories for path in sorted(directory.rglob("*")) if path.is_file())
    parts = [of_run, *(_sha256(path) for path in paths)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
