"""Late corrections: charges of a later billing period that put an earlier month right.

A charge of class Correction that starts in an earlier month is decided about as that month was: by its policy, its
tree and the shares that its pools gave. What comes out are cells and shares of the later period that say what they
correct; the earlier month stays as it is. Takes what was decided then (`Earlier`), never looks it up.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from apportion.allocate.allocation import Cell, Corrected, Scope, Share, Weighed
from apportion.allocate.correction_shares import Recorded, shared_as_then
from apportion.allocate.follow import NOBODY
from apportion.allocate.match import Outcome, compile_rules
from apportion.allocate.policy import Policy
from apportion.allocate.rule import UNALLOCATED, Holder, Not, Rule, Target
from apportion.allocate.waterfall import Circumstances, share_pools
from apportion.errors import ConservationError
from apportion.organization.cost_group import Organization, Tree
from apportion.periods import BillingPeriod
from apportion.warehouse import queries
from apportion.warehouse.late import IS_CORRECTION
from apportion.warehouse.snapshot import Snapshot

ABOUT = "about.json"
_ELSE = "not a correction of this month"  # blanks keep it apart from the ids that people give


@dataclass(frozen=True)
class Earlier:
    """A month that corrections are of, and what was decided in it.

    `files` are places in the later period's snapshot: the files that hold corrections of this month. A month without
    a run has no shares and no statements: the policy of today then decides by the dates of its rules, and the tree of
    the month still holds. `statements` gives the number of each holder's statement.
    """

    period: BillingPeriod
    policy: Policy
    organization: Organization
    files: tuple[int, ...]
    shares: tuple[Share, ...] = ()
    weighed: tuple[Weighed, ...] = ()
    statements: Mapping[Target, str] | None = None

    @cached_property
    def tree(self) -> Tree:
        return self.organization.during(self.period.starts_on, self.period.ends_on)

    @property
    def _aside(self) -> str:
        return f"corrections of {self.period}"

    @property
    def aside(self) -> Target:
        """The pool that holds these corrections while the later period is classified; no policy can name it."""
        return Target(Holder.POOL, self._aside)

    @property
    def rule(self) -> Rule:
        """The rule that puts them there, in front of all others."""
        days = (self.period.starts_on, self.period.ends_on)
        return Rule(self._aside, self._aside, IS_CORRECTION, self.aside, *days)


class Late(NamedTuple):
    """Corrections, decided about: their cells and shares, and who takes what was whose."""

    cells: tuple[Cell, ...]
    shares: tuple[Share, ...]
    corrected: tuple[Corrected, ...]


class Month(NamedTuple):
    """The later period that corrections arrive in: its charges, the days they start on, and where sidecars go."""

    snapshot: Snapshot
    days: tuple[date, date]
    effective: bool
    sidecars: Path


CellsOf = Callable[[Sequence[queries.CubeRow], Sequence[Outcome]], Sequence[Cell]]


def without(cells: tuple[Cell, ...], earlier: Sequence[Earlier]) -> tuple[Cell, ...]:
    """The cells that are no corrections of these months."""
    aside = {then.aside for then in earlier}
    return tuple(cell for cell in cells if cell.target not in aside) if aside else cells


def allocate_late(
    earlier: Sequence[Earlier],
    cells: Sequence[Cell],
    month: Month,
    given: Circumstances,
    shares: Sequence[Share],
    add_up: CellsOf,
) -> Late:
    """Decide about the corrections of each earlier month that `cells` of the later period hold aside.

    `given` are the circumstances of the later period, for pools that the earlier month did not hold. Steps go on from
    those of its own `shares`. The outcome of every row is written to a directory of each month below the sidecars.
    Raises what allocation raises, and `ConservationError` if these are not the charges that were set aside.
    """
    found = Late((), (), ())
    first_step = max((share.step for share in shares), default=0) + 1
    ordinary = [cell for cell in cells if cell.target.holder is not Holder.POOL]
    for then in earlier:
        heirs = _Heirs(then, given.tree)
        decided = _classified(then, month, heirs, add_up)
        _must_be_those(decided, [cell for cell in cells if cell.target == then.aside], then)
        recorded = Recorded(then.policy.pools, then.shares, then.weighed)
        unknown = [
            cell
            for cell in decided
            if cell.target.holder is Holder.POOL and not recorded.weights(cell.target.code, cell.scope)
        ]
        if unknown:
            facts = replace(given, tree=then.tree, order=then.policy.pool_order, following=NOBODY)
            plain = [cell._replace(corrects="") for cell in unknown]
            recorded.add(share_pools([*ordinary, *plain], then.policy.pools, facts).shares)
        made = shared_as_then(decided, recorded, heirs.of, str(then.period), first_step)
        first_step = max((share.step for share in made), default=first_step - 1) + 1
        found = Late((*found.cells, *decided), (*found.shares, *made), (*found.corrected, *heirs.met()))
    return found


def _classified(then: Earlier, month: Month, heirs: _Heirs, add_up: CellsOf) -> tuple[Cell, ...]:
    """The corrections of one month as cells, by its own rules; everything else in the files is set aside."""
    snapshot = replace(month.snapshot, files=tuple(month.snapshot.files[place] for place in then.files))
    aside = Target(Holder.POOL, _ELSE)
    others = (
        Rule(_ELSE, _ELSE, Not(IS_CORRECTION), aside),
        Rule(_ELSE, _ELSE, None, aside, valid_until=then.period.starts_on),
        Rule(_ELSE, _ELSE, None, aside, valid_from=then.period.ends_on),
    )
    matching = compile_rules((*others, *then.policy.rules), then.organization, *month.days)
    directory = month.sidecars.joinpath(str(then.period))
    directory.mkdir()
    cube = queries.classify(snapshot, matching.plan, effective=month.effective, sidecars=directory)
    sums: dict[tuple[str | None, Target, Scope, str, str], tuple[int, int]] = {}
    for cell in add_up(cube, matching.outcomes):
        if cell.target != aside:
            key = (cell.rule_id, heirs.of(cell.target), cell.scope, cell.service, cell.charge_category)
            rows, units = sums.get(key, (0, 0))
            sums[key] = (rows + cell.rows, units + cell.units)
    decisions = [(outcome.key[0], heirs.of(outcome.target, is_met=False)) for outcome in matching.outcomes]
    about = {
        "files": then.files,
        "decisions": [[rule_id, str(target.holder), target.code] for rule_id, target in decisions],
    }
    (directory / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return tuple(Cell(*key, rows, units, str(then.period)) for key, (rows, units) in sums.items())


def _must_be_those(decided: Iterable[Cell], aside: Iterable[Cell], then: Earlier) -> None:
    sums: dict[Scope, list[int]] = defaultdict(lambda: [0, 0])
    for sign, cells in ((1, decided), (-1, aside)):
        for cell in cells:
            sums[cell.scope][0] += sign * cell.rows
            sums[cell.scope][1] += sign * cell.units
    for scope, (rows, units) in sums.items():
        if rows or units:
            raise ConservationError(
                f"The corrections of {then.period} in {scope} differ by {rows} rows and {units} units when they are "
                "decided about."
            )


class _Heirs:
    """Who takes what was somebody's in an earlier month: the same, its nearest group above that is still in the tree,
    else nobody.
    """

    def __init__(self, then: Earlier, now: Tree) -> None:
        self._then, self._now = then, now
        self._met: dict[Target, Target] = {}

    def of(self, first: Target, *, is_met: bool = True) -> Target:
        """The holder of today for one of then; pools stay what they are. Noted, unless it is only looked up."""
        if first.holder is Holder.POOL:
            return first
        holder = first if first.holder is not Holder.COST_GROUP else self._group(first.code)
        if is_met:
            self._met[first] = holder
        return holder

    def _group(self, code: str) -> Target:
        if code in self._now:
            return Target(Holder.COST_GROUP, code)
        path = self._then.tree.path(code) if code in self._then.tree else ()
        left = next((above for above in reversed(path) if above in self._now), None)
        return Target(Holder.COST_GROUP, left) if left else UNALLOCATED

    def met(self) -> tuple[Corrected, ...]:
        """Everybody who was asked for, in a fixed order."""
        numbers = self._then.statements or {}
        month = str(self._then.period)
        return tuple(Corrected(month, first, self._met[first], numbers.get(first, "")) for first in sorted(self._met))
