"""Past periods as if one day's tree had been in force all the time, with a bridge from what was allocated.

Takes periods that have been allocated, and an organization as of a day; gives for each period a comparison and, for
every cost group with all that is below it, the amount before, what moved out and in, and the amount after. Each period
keeps the policy it was allocated under. Nothing in the workspace is touched: issued documents and seals stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from apportion import organization as organization_room
from apportion import settings as settings_file
from apportion.allocate import policy_file
from apportion.allocate.rule import UNALLOCATED
from apportion.close import succession as successions
from apportion.close.bridge import Step, bridge, together
from apportion.close.compare import Comparison
from apportion.close.run import Run
from apportion.close.simulate import allocated, compared, inputs_of, scratch, work_out
from apportion.close.succession import Succession
from apportion.errors import InputRefusedError, NotFoundError
from apportion.organization.cost_group import Organization, Tree
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Workspace
from apportion.yamlfile import suggestion


@dataclass(frozen=True, slots=True)
class RestatedPeriod:
    """One period: holder by holder, and as a bridge over the tree."""

    period: BillingPeriod
    comparison: Comparison
    bridge: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Restated:
    """Every period, and all of them together. `renamed` are groups with a successor, `gone` those without."""

    as_of: date
    periods: tuple[RestatedPeriod, ...]
    together: tuple[Step, ...]
    renamed: Mapping[str, str]
    gone: tuple[str, ...]


def restate(
    workspace: Workspace,
    periods: Sequence[BillingPeriod],
    *,
    organization: Path | None = None,
    as_of: date | None = None,
    successors: Mapping[str, str] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Restated:
    """Restate periods under the organization (of the workspace, if not named) in force on a day.

    Without `as_of` it is the last day of the newest period that has charges. A group that is gone stands for the one
    that `successors` name, else for the one that an alias table of today's policy gives for its code.

    Raises `NotFoundError` for a period that was never allocated or a day without a tree, `InputRefusedError` for a
    successor that is not in it or a run that is out of date, and what allocation raises.
    """
    settings = settings_file.load(workspace.root)
    read = organization_room.read(organization or workspace.root / settings.organization)
    as_of = as_of or max((*workspace.periods(), *periods)).ends_on - timedelta(days=1)
    today = read.on(as_of)
    if not len(today):
        raise NotFoundError(f"There is no cost group in the tree on {as_of}.", advice="Name another day with --as-of.")
    aliases = _aliases(workspace.root / settings.policy, today)
    done, renamed, gone = [], dict[str, str](), dict[str, None]()
    for period in periods:
        before = allocated(workspace, workspace.snapshot(period))
        _check(successors or {}, before.organization, today)
        succession = Succession(before.organization, today, {**aliases, **(successors or {})})
        renamed |= {old: new for old, new in succession.renamed.items() if old in before.tree}
        gone |= dict.fromkeys(code for code in succession.gone if code in before.tree)
        done.append(_restated(workspace, before, successions.frozen(read, as_of, succession), succession, progress))
    return Restated(as_of, tuple(done), together([each.bridge for each in done], today), renamed, tuple(gone))


def _aliases(policy: Path, today: Tree) -> dict[str, str]:
    """What the alias tables of today's policy say."""
    tables = policy_file.read(policy).alias_tables
    return {alias: code for _, table in tables for alias, code in table if code in today and alias not in today}


def _check(successors: Mapping[str, str], then: Organization, today: Tree) -> None:
    for old in successors:
        if old in today:
            raise InputRefusedError(f"'{old}' is in the tree on that day, and stands for itself.")
        if old not in then.codes:
            advice = suggestion(old, [code for code in then.codes if code not in today])
            raise InputRefusedError(f"There was no cost group '{old}' that could have a successor.", advice=advice)


def _restated(
    workspace: Workspace,
    before: Run,
    organization: Organization,
    succession: Succession,
    progress: Callable[[int], None],
) -> RestatedPeriod:
    snapshot = workspace.snapshot(before.period)
    today = Tree(version for version in organization.versions if version.code not in succession.heirs)
    policy = successions.in_words_of_today(before.policy, succession)
    with scratch() as directory:
        inputs = inputs_of(before, policy, organization)
        after = work_out(workspace, snapshot, directory / "after", inputs, progress)
        decisions = tuple(
            replace(made, target=UNALLOCATED) if made.target.code in succession.heirs else made
            for made in after.decisions
        )
        after = replace(after, allocation=successions.without_heirs(after.allocation, succession), decisions=decisions)
        comparison = compared(snapshot, before, after)
    return RestatedPeriod(before.period, comparison, bridge(comparison, before.tree, today))
