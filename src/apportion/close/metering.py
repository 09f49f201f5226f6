"""The usage that a period is allocated by: as it was delivered, or for a sealed period as its run kept it.

A run of a policy that follows usage keeps a copy of every file that it read, and the list of consumers that nobody
knew. A policy that follows none reads none, and does not grow old when some is delivered.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from apportion.allocate import consumers
from apportion.allocate.consumers import Mapped, Unknown
from apportion.allocate.policy import Policy
from apportion.allocate.usage import NO_USAGE
from apportion.organization.cost_group import Organization
from apportion.periods import BillingPeriod
from apportion.warehouse import usage as stored
from apportion.warehouse.store import Workspace

USAGE = "usage"
UNKNOWN = "unknown-usage.csv"
_INPUTS = "inputs"
_HEADER = ("metric", "consumer", "rows", "units")


def files(workspace: Workspace, period: BillingPeriod) -> dict[str, Path]:
    """The files of usage of a period by source: the current ones, or those that a sealed run keeps."""
    run = workspace.current_run(period)
    if run is not None and workspace.sealed(period) is not None and (run / _INPUTS / USAGE).is_dir():
        return {path.name.removesuffix(".csv"): path for path in sorted((run / _INPUTS / USAGE).glob("*.csv"))}
    return {source: file.path for source, file in workspace.usage(period).items() if file.path is not None}


def digest(workspace: Workspace, policy: Policy, period: BillingPeriod) -> str:
    """What names the usage that a policy would read now; empty where it follows none, or none was delivered."""
    if not consumers.meters_anything(policy):
        return ""
    return stored.digest({source: file.sha256 for source, file in workspace.usage(period).items()})


def mapped(workspace: Workspace, policy: Policy, organization: Organization, period: BillingPeriod) -> Mapped:
    """The usage of a period under a policy and organization, and the consumers that nobody knows."""
    if not consumers.meters_anything(policy):
        return Mapped(NO_USAGE, ())
    return mapped_from(files(workspace, period), policy, organization, period)


def mapped_from(found: Mapping[str, Path], policy: Policy, organization: Organization, period: BillingPeriod) -> Mapped:
    """The same from given files, whatever the policy follows."""
    rows = [row for source, path in found.items() for row in stored.read(path, source)]
    tree = organization.during(period.starts_on, period.ends_on)
    name = stored.digest({source: stored.sha256_of(path) for source, path in found.items()})
    return consumers.mapped(rows, policy, tree, period, name)


def keep(workspace: Workspace, policy: Policy, period: BillingPeriod, found: Mapped, staged: Path) -> None:
    """Copy what was read into the inputs of a staged run, and write down the consumers that nobody knew."""
    if not consumers.meters_anything(policy):
        return
    for source, path in files(workspace, period).items():
        (staged / _INPUTS / USAGE).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, staged / _INPUTS / USAGE / f"{source}.csv")
    if found.unknown:
        _write(staged / UNKNOWN, found.unknown)


def unknown(directory: Path) -> tuple[Unknown, ...]:
    """The consumers that nobody knew when the run in a directory was made."""
    path = directory / UNKNOWN
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return tuple(Unknown(metric, consumer, int(count), int(value)) for metric, consumer, count, value in rows)


def _write(path: Path, found: Iterable[Unknown]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        writer.writerows(found)
