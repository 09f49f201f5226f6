"""What a period takes from the months before it: how they decided, for late corrections, and what rounding left over.

Other months may be allocated again, or be sealed, at any time. So a run keeps copies of all that it took from them in
its directory ``earlier``, beside its inputs, and a sealed period is replayed from these.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from apportion import organization as organization_room
from apportion import settings as settings_file
from apportion.allocate import carried, policy_file, run_file
from apportion.allocate.allocation import Scope
from apportion.allocate.allocator import Decision
from apportion.allocate.corrections import ABOUT, Earlier
from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.rule import Holder, Target
from apportion.invoice.statement import numbered
from apportion.organization.cost_group import Organization
from apportion.periods import BillingPeriod
from apportion.settings import Settings
from apportion.warehouse.late import corrected_periods
from apportion.warehouse.snapshot import Snapshot
from apportion.warehouse.store import Workspace

EARLIER = "earlier"
_INPUTS = "inputs"
_MONTHS = "months.json"


@dataclass(frozen=True, slots=True)
class Before:
    """What a period takes from earlier months.

    `late` are the months that it has corrections of, and `runs` the directories of their runs (or copies of them), by
    month; one without a run is not in it. `left_over` is None on billed cost, where nothing is carried. `taken_from`
    is the month before, empty where that was never allocated; only a sealed one gives something.
    """

    late: tuple[Earlier, ...]
    runs: Mapping[str, Path]
    digests: Mapping[str, str]
    left_over: Mapping[Scope, int] | None = None
    taken_from: str = ""
    is_sealed: bool = False


def gather(workspace: Workspace, snapshot: Snapshot, policy: Policy, organization: Organization) -> Before:
    """What there is to be taken now. `policy` and `organization` decide about months without a run."""
    found = corrected_periods(snapshot)
    runs = {str(month): directory for month in found if (directory := workspace.current_run(month))}
    late = tuple(
        _earlier(runs[str(month)], month, places)
        if str(month) in runs
        else Earlier(month, policy, organization, places)
        for month, places in found.items()
    )
    digests = {str(month): runs[str(month)].name if str(month) in runs else "" for month in found}
    before = Before(late, runs, digests)
    if policy.cost_basis is CostBasis.BILLED:
        return before
    last = snapshot.period.previous
    directory = workspace.current_run(last)
    is_sealed = directory is not None and workspace.sealed(last) is not None
    left_over = _left_over(directory) if directory and is_sealed else {}
    return replace(before, left_over=left_over, taken_from=str(last) if directory else "", is_sealed=is_sealed)


def _left_over(directory: Path) -> dict[Scope, int]:
    """What the month of a run left over; none where it was charged on billed cost."""
    made = run_file.carried(directory)
    if made is not None:
        return {each.scope: each.units_out for each in made if each.units_out}
    allocation, _ = run_file.load(directory)
    return carried.left_over(allocation) if allocation.cost_basis is CostBasis.EFFECTIVE else {}


def _earlier(directory: Path, month: BillingPeriod, places: tuple[int, ...]) -> Earlier:
    settings, policy, organization = _inputs(directory)
    allocation, _ = run_file.load(directory)
    tree = organization.during(month.starts_on, month.ends_on)
    holders = {line.holder for line in allocation.lines}
    numbers = numbered(holders, tree, settings.statement_prefix, month)
    statements = {holder: str(number) for number, holder in numbers.items()}
    return Earlier(month, policy, organization, places, allocation.shares, allocation.weighed, statements)


def _inputs(directory: Path) -> tuple[Settings, Policy, Organization]:
    kept = directory / _INPUTS
    settings = settings_file.load(kept)
    return settings, policy_file.read(kept / settings.policy), organization_room.read(kept / settings.organization)


def keep(before: Before, directory: Path) -> None:
    """Copy what was taken into a run's directory ``earlier``; nothing where there was nothing to take from."""
    if before.left_over is None and not before.late:
        return
    directory.mkdir()
    scopes = sorted((before.left_over or {}).items())
    about = {
        "carries": before.left_over is not None,
        "taken_from": before.taken_from,
        "is_sealed": before.is_sealed,
        "left_over": [[*scope, units] for scope, units in scopes],
        "months": dict(before.digests),
    }
    (directory / _MONTHS).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    for month, run in before.runs.items():
        settings = settings_file.load(run / _INPUTS)
        names = [f"{_INPUTS}/{name}" for name in (settings_file.FILE_NAME, settings.policy, settings.organization)]
        for name in (*run_file.FILES, *names):
            target = directory / month / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(run.joinpath(name), target)


def kept(directory: Path, snapshot: Snapshot, policy: Policy, organization: Organization) -> Before:
    """What a run took, from its directory ``earlier``: for a replay. `snapshot` is the one that it was made from.

    A run without that directory took nothing, and its corrections were charges like all others.
    """
    about = _about(directory)
    if about is None:
        return Before((), {}, {})
    months = about["months"]
    runs = {month: directory / month for month, digest in months.items() if digest}
    places = corrected_periods(snapshot) if months else {}
    late = tuple(
        _earlier(runs[str(month)], month, files) if str(month) in runs else Earlier(month, policy, organization, files)
        for month, files in places.items()
    )
    left_over = {Scope(*row[:4]): row[4] for row in about["left_over"]} if about["carries"] else None
    return Before(late, runs, months, left_over, about["taken_from"], about["is_sealed"])


def _about(directory: Path) -> Any:
    path = directory / _MONTHS
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def changed(workspace: Workspace, period: BillingPeriod, directory: Path) -> Iterator[str]:
    """What a run took that is otherwise now, in words."""
    about = _about(directory)
    if about is None:
        return
    for month, digest in about["months"].items():
        run = workspace.current_run(BillingPeriod.parse(month))
        if (run.name if run else "") != digest:
            yield f"the allocation of {month}"
    if about["carries"] and not about["is_sealed"] and workspace.sealed(period.previous) is not None:
        yield f"the seal of {period.previous}"


def unsealed(directory: Path) -> BillingPeriod | None:
    """The month before a run's, where that was allocated but not sealed and so handed nothing on."""
    about = _about(directory)
    if about is None or about["is_sealed"] or not about["taken_from"]:
        return None
    return BillingPeriod.parse(about["taken_from"])


def former_policies(directory: Path, policy: Policy) -> dict[str, Policy]:
    """The policies that decided about a run's corrections, by month; `policy` for months without a run."""
    about = _about(directory) or {"months": {}}
    return {month: _inputs(directory / month)[1] if digest else policy for month, digest in about["months"].items()}


def evidence(
    snapshot: Snapshot, sidecars: Path, decisions: tuple[Decision, ...], corrects: str
) -> tuple[Snapshot, Path, tuple[Decision, ...]]:
    """Where the source rows of an amount are to be looked for: charge files, their sidecars and what the numbers in
    them mean. `snapshot`, `sidecars` and `decisions` are those of the run; for what corrects no month, they are it.
    """
    if not corrects:
        return snapshot, sidecars, decisions
    directory = sidecars.joinpath(corrects)
    about = json.loads((directory / ABOUT).read_text(encoding="utf-8"))
    files = tuple(snapshot.files[place] for place in about["files"])
    made = (Decision(rule_id, Target(Holder(holder), code)) for rule_id, holder, code in about["decisions"])
    return replace(snapshot, files=files), directory, tuple(made)
