"""A bridge over the tree from one result of a period to another: before, moved out, moved in, after.

Takes a comparison and the trees of both sides, gives for every cost group, with all that is below it, amounts in minor
units that add up exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.close.compare import Change, Comparison, Part, Why
from apportion.invoice import wording
from apportion.organization.cost_group import Tree


class Cause(StrEnum):
    """Why an amount moved out of a part of the tree, or into it.

    GROUPS: whole cost groups, with all that they carry. CHARGES: charges that went to another holder. POOLS: shares
    of pools, commitments and uplifts. CENTS: settling.
    """

    GROUPS = "groups"
    CHARGES = "charges"
    POOLS = "pools"
    CENTS = "cents"


_CAUSES = {
    Why.MOVED: Cause.CHARGES,
    Why.OTHER: Cause.CHARGES,
    Why.COST_BASIS: Cause.CHARGES,
    Why.POOL_SIZE: Cause.POOLS,
    Why.POOL_SHARE: Cause.POOLS,
    Why.AGREED: Cause.POOLS,
    Why.CENTS: Cause.CENTS,
}


class Moved(NamedTuple):
    """What moved out and in for one cause, in minor units."""

    cause: Cause
    out: int
    into: int


@dataclass(frozen=True, slots=True)
class Step:
    """One cost group with all that is below it (or what is kept central or unallocated), in one currency.

    In minor units: `before` − `moved_out` + `moved_in` = `after`, always. `depth` is its place below the top of the
    tree of today; what is not there any more stands behind the tree, with `is_gone`.
    """

    holder: Target
    name: str
    depth: int
    is_gone: bool
    currency: str
    before: int
    after: int
    moved: tuple[Moved, ...]

    @property
    def moved_out(self) -> int:
        return sum(each.out for each in self.moved)

    @property
    def moved_in(self) -> int:
        return sum(each.into for each in self.moved)


def bridge(comparison: Comparison, then: Tree, today: Tree) -> tuple[Step, ...]:
    """The bridge over the tree of today, then over what is gone, then what belongs to nobody; by currency."""
    by_holder: dict[str, dict[Target, Change]] = {}
    for change in comparison.changes:
        by_holder.setdefault(change.currency, {})[change.holder] = change
    steps = []
    for currency in sorted(by_holder):
        changes = by_holder[currency]
        for code in (*today, *(code for code in then if code not in today)):
            inside = _Inside(_below(then, code), _below(today, code), changes)
            tree = today if code in today else then
            depth = len(tree.path(code)) - 1
            holder = Target(Holder.COST_GROUP, code)
            steps.append(inside.step(holder, tree[code].name, depth, is_gone=code not in today, currency=currency))
        for holder, name in ((UNALLOCATED, wording.UNALLOCATED_NAME), (KEPT_CENTRAL, wording.KEPT_CENTRAL_NAME)):
            inside = _Inside(frozenset([holder]), frozenset([holder]), changes)
            steps.append(inside.step(holder, name, 0, is_gone=False, currency=currency))
    return tuple(step for step in steps if step.before or step.after or step.moved)


def _below(tree: Tree, code: str) -> frozenset[Target]:
    codes = tree.below(code) if code in tree else ()
    return frozenset(Target(Holder.COST_GROUP, each) for each in codes)


class _Inside:
    """A part of the tree: who was in it and who is, and what of their cost moved across its border."""

    def __init__(self, was: frozenset[Target], now: frozenset[Target], changes: Mapping[Target, Change]) -> None:
        self._changes = changes
        self._was, self._now = was, now

    def step(self, holder: Target, name: str, depth: int, *, is_gone: bool, currency: str) -> Step:
        """The bridge of this part; what parts do not say to the last cent is CENTS."""
        before = sum(self._changes[each].before for each in self._was if each in self._changes)
        after = sum(self._changes[each].after for each in self._now if each in self._changes)
        moved = self._moved()
        if rest := after - before - sum(into - out for out, into in moved.values()):
            out, into = moved.get(Cause.CENTS, (0, 0))
            moved[Cause.CENTS] = (out - min(rest, 0), into + max(rest, 0))
        found = tuple(Moved(cause, *moved[cause]) for cause in Cause if any(moved.get(cause, (0, 0))))
        return Step(holder, name, depth, is_gone, currency, before, after, found)

    def _moved(self) -> dict[Cause, tuple[int, int]]:
        stayed = self._was & self._now
        left = sum(self._changes[each].before for each in self._was - stayed if each in self._changes)
        came = sum(self._changes[each].after for each in self._now - stayed if each in self._changes)
        moved = {Cause.GROUPS: (left, came)}
        # Within the part nothing moves: shares that go from one to another of those who stayed are set off first.
        sums: dict[tuple[Cause, object], int] = {}
        for each in sorted(stayed & self._changes.keys()):
            for part in self._changes[each].parts:
                if part.why is Why.MOVED and part.other in stayed:
                    continue
                key = (_CAUSES[part.why], _set_off(part))
                sums[key] = sums.get(key, 0) + part.minor
        for (cause, _), minor in sums.items():
            out, into = moved.get(cause, (0, 0))
            moved[cause] = (out - min(minor, 0), into + max(minor, 0))
        return moved


def _set_off(part: Part) -> object:
    """Parts of one key are set off against each other before what is left counts as moved."""
    return (part.why, part.other, part.came) if part.why is Why.MOVED else part.code


def together(bridges: Sequence[Sequence[Step]], today: Tree) -> tuple[Step, ...]:
    """The sum of several bridges, in the order of each."""
    sums: dict[tuple[Target, str], Step] = {}
    for step in (step for made in bridges for step in made):
        key = (step.holder, step.currency)
        known = sums.get(key)
        sums[key] = step if known is None else _sum(known, step)
    places = {Target(Holder.COST_GROUP, code): place for place, code in enumerate(today)}
    last = {UNALLOCATED: len(places) + 1, KEPT_CENTRAL: len(places) + 2}
    order = {**places, **last}
    return tuple(sorted(sums.values(), key=lambda step: (step.currency, order.get(step.holder, len(places)))))


def _sum(one: Step, other: Step) -> Step:
    causes = dict.fromkeys(Cause, (0, 0))
    for cause, out, into in (*one.moved, *other.moved):
        causes[cause] = (causes[cause][0] + out, causes[cause][1] + into)
    moved = tuple(Moved(cause, *amounts) for cause, amounts in causes.items() if any(amounts))
    return replace(other, before=one.before + other.before, after=one.after + other.after, moved=moved)
