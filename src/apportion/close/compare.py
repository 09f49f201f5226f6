"""Two results of one period beside each other: who pays more or less, and why.

Takes two runs and the charges that each brought where, gives for each holder and currency the amount before and after
and the parts of the difference, in minor units. The parts sum to the difference, the differences to nothing (to the
difference of the totals where one of the runs charges on another cost); never changes either run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from apportion.allocate.allocation import Allocation, Scope
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.close.run import Run
from apportion.errors import ConservationError
from apportion.invoice import wording
from apportion.money.amount import half_even
from apportion.money.currency import units_per_minor
from apportion.money.split import settle, to_step
from apportion.organization.cost_group import Tree
from apportion.periods import BillingPeriod
from apportion.warehouse.crossing import Crossed

_NOWHERE = Scope("", "", "", "")


class Why(StrEnum):
    """Why a holder pays more or less.

    MOVED: charges that another rule, or another tree, brings from or to somebody else. COST_BASIS: the same charges
    on the other cost. POOL_SIZE: a pool holds more or less. POOL_SHARE: the holder's share of it changed. AGREED:
    a commitment or an uplift. OTHER: direct cost that was decided outside of the rules. CENTS: settling.
    """

    MOVED = "moved"
    COST_BASIS = "cost_basis"
    POOL_SIZE = "pool_size"
    POOL_SHARE = "pool_share"
    AGREED = "agreed"
    OTHER = "other"
    CENTS = "cents"


class Part(NamedTuple):
    """One reason for a difference: `minor` more (above zero) or less.

    `code` is the pool, commitment or uplift. Of moved charges: their number, whether they `came`, the `other` holder or
    pool that they came from or went to, and the rules that decided before and after (None: no rule met them).
    """

    why: Why
    minor: int
    code: str = ""
    other: Target | None = None
    rules: tuple[str | None, str | None] = (None, None)
    rows: int = 0
    came: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One holder in one currency, in minor units; `parts` sum to `minor`, the largest first, cents last."""

    holder: Target
    name: str
    currency: str
    before: int
    after: int
    parts: tuple[Part, ...]

    @property
    def minor(self) -> int:
        """How much more the holder pays; below zero, less."""
        return self.after - self.before


class Total(NamedTuple):
    """The whole of one currency, in minor units."""

    currency: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A period before and after. `changes` hold everybody who pays anything, the largest differences first."""

    period: BillingPeriod
    before: Run
    after: Run
    changes: tuple[Change, ...]
    totals: tuple[Total, ...]

    @property
    def changed(self) -> tuple[Change, ...]:
        """Those who pay more or less."""
        return tuple(change for change in self.changes if change.minor)


def compare(before: Run, after: Run, crossed: Sequence[Crossed]) -> Comparison:
    """Compare two runs of one period over the same charges.

    Raises `ConservationError` if the totals differ though both charge on the same cost.
    """
    parts = _Parts(before, after)
    parts.add_moves(crossed)
    parts.add_shares()
    carried = [_settled(run.allocation) for run in (before, after)]
    exact = [_exact(run.allocation) for run in (before, after)]
    changes = []
    for key in dict.fromkeys((*carried[0], *carried[1])):
        was, now = (amounts.get(key, 0) for amounts in carried)
        found = parts.settled(key, now - was, exact[1].get(key, 0) - exact[0].get(key, 0))
        changes.append(Change(key[0], _name(key[0], (after.tree, before.tree)), key[1], was, now, found))
    place = {target: number for number, target in enumerate(_order(after.tree, before.tree))}
    changes.sort(key=lambda change: (-abs(change.minor), change.currency, place.get(change.holder, -1)))
    totals = tuple(
        Total(currency, *(sum(units for key, units in amounts.items() if key[1] == currency) for amounts in carried))
        for currency in sorted({change.currency for change in changes})
    )
    if before.allocation.cost_basis == after.allocation.cost_basis:
        for currency, was, now in totals:
            if was != now:
                raise ConservationError(f"The two results differ in what they add up to in {currency}.")
    return Comparison(before.period, before, after, tuple(changes), totals)


_Key = tuple[Target, str]  # a holder, and a currency


def _settled(allocation: Allocation) -> Mapping[_Key, int]:
    found: dict[_Key, int] = defaultdict(int)
    for line in allocation.lines:
        found[line.holder, line.scope.currency] += line.minor
    return found


def _exact(allocation: Allocation) -> Mapping[_Key, int]:
    found: dict[_Key, int] = defaultdict(int)
    for line in allocation.lines:
        found[line.holder, line.scope.currency] += line.units
    return found


def _order(*trees: Tree) -> Iterable[Target]:
    codes = dict.fromkeys(code for tree in trees for code in tree)
    return (*(Target(Holder.COST_GROUP, code) for code in codes), KEPT_CENTRAL, UNALLOCATED)


def _name(holder: Target, trees: Sequence[Tree]) -> str:
    if holder.holder is not Holder.COST_GROUP:
        return wording.UNALLOCATED_NAME if holder == UNALLOCATED else wording.KEPT_CENTRAL_NAME
    return next((tree[holder.code].name for tree in trees if holder.code in tree), holder.code)


class _Label(NamedTuple):
    """What the parts of one reason have in common; amounts with the same label are one part."""

    why: Why
    code: str = ""
    other: Target | None = None
    rules: tuple[str | None, str | None] = (None, None)
    came: bool = False


class _Parts:
    """The parts of every difference in units, as they are found."""

    def __init__(self, before: Run, after: Run) -> None:
        self._before, self._after = before, after
        self._units: dict[_Key, dict[_Label, int]] = defaultdict(lambda: defaultdict(int))
        self._rows: dict[tuple[_Key, _Label], int] = defaultdict(int)

    def add_moves(self, crossed: Iterable[Crossed]) -> None:
        """Direct cost: charges that went from one target to another, and what is left unexplained by them."""
        left: dict[_Key, int] = defaultdict(int)
        for run, sign in ((self._after, 1), (self._before, -1)):
            for cell in run.allocation.cells:
                left[cell.target, cell.scope.currency] += sign * cell.units
        for flow in crossed:
            was, now = self._before.decisions[flow.before], self._after.decisions[flow.after]
            rules = (was.rule_id, now.rule_id)
            if was.target == now.target:
                self._add((was.target, flow.currency), _Label(Why.COST_BASIS), flow.units_after - flow.units_before)
            else:
                away = _Label(Why.MOVED, other=now.target, rules=rules)
                self._add((was.target, flow.currency), away, -flow.units_before, flow.rows)
                here = _Label(Why.MOVED, other=was.target, rules=rules, came=True)
                self._add((now.target, flow.currency), here, flow.units_after, flow.rows)
            left[was.target, flow.currency] += flow.units_before
            left[now.target, flow.currency] -= flow.units_after
        for key, units in left.items():
            self._add(key, _Label(Why.OTHER), units)

    def add_shares(self) -> None:
        """Shares of pools, taken apart into the size of the pool and the share of it; then agreed moves of cost."""
        pools = {pool.id for run in (self._before, self._after) for pool in run.policy.pools}
        alike = self._before.allocation.cost_basis == self._after.allocation.cost_basis
        sizes, shares = zip(*(_shared(run.allocation, alike=alike) for run in (self._before, self._after)), strict=True)
        for key in dict.fromkeys((*shares[0], *shares[1])):
            target, pool, place = key
            was, now = (amounts.get(key, 0) for amounts in shares)
            here = (target, place[0].currency)
            if pool not in pools:
                self._add(here, _Label(Why.AGREED, pool), now - was)
                continue
            held, holds = (amounts.get((pool, place), 0) for amounts in sizes)
            by_size = _part(holds - held, was, held) if held and holds else now - was
            self._add(here, _Label(Why.POOL_SIZE, pool), by_size)
            self._add(here, _Label(Why.POOL_SHARE, pool), now - was - by_size)

    def _add(self, key: _Key, label: _Label, units: int, rows: int = 0) -> None:
        if units or rows:
            self._units[key][label] += units
            self._rows[key, label] += rows

    def settled(self, key: _Key, minor: int, exact: int) -> tuple[Part, ...]:
        """The parts of one difference in minor units, the cents that settling moved as the last.

        `exact` is the difference in units; what of it no part explains is OTHER.
        """
        found = dict(self._units.get(key, {}))
        if missing := exact - sum(found.values()):
            label = _Label(Why.OTHER)
            found[label] = found.get(label, 0) + missing
        step = units_per_minor(key[1])
        labels = sorted(found, key=lambda label: -abs(found[label]))
        amounts = settle([found[label] for label in labels], step)
        parts = [
            Part(label.why, amount, label.code, label.other, label.rules, self._rows[key, label], label.came)
            for label, amount in zip(labels, amounts, strict=True)
            if amount
        ]
        if cents := minor - to_step(exact, step):
            parts.append(Part(Why.CENTS, cents))
        return tuple(parts)


_Place = tuple[Scope, str]  # a scope, and the period corrected
_Sizes = Mapping[tuple[str, _Place], int]
_Shares = Mapping[tuple[Target, str, _Place], int]


def _shared(allocation: Allocation, *, alike: bool) -> tuple[_Sizes, _Shares]:
    """What each pool held in each scope, and what each holder got of it; without scopes where they are not `alike`."""
    sizes: dict[tuple[str, _Place], int] = defaultdict(int)
    shares: dict[tuple[Target, str, _Place], int] = defaultdict(int)
    seen = set()
    for share in allocation.shares:
        scope = share.scope if alike else _NOWHERE._replace(currency=share.scope.currency)
        if (share.pool_id, share.scope, share.corrects) not in seen:
            seen.add((share.pool_id, share.scope, share.corrects))
            sizes[share.pool_id, (scope, share.corrects)] += share.pool_units
        if share.target.holder is not Holder.POOL:
            shares[share.target, share.pool_id, (scope, share.corrects)] += share.units
    return sizes, shares


def _part(amount: int, part: int, whole: int) -> int:
    """`amount` × `part` over `whole`, which is not zero and may be below it, to the nearest unit."""
    return half_even(amount * part if whole > 0 else -amount * part, abs(whole))
