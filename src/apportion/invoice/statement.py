"""Statements: what each holder carries of a period, frozen with everything a reader needs to question it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from apportion.allocate.allocation import Allocation, Cell, Line, Scope, Share
from apportion.allocate.policy import CostBasis, Method, Policy, Pool
from apportion.allocate.quiet import uncollected
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.errors import ConservationError
from apportion.invoice import wording
from apportion.invoice.numbering import Number
from apportion.organization.coding import Coding
from apportion.organization.cost_group import Tree
from apportion.organization.ownership import Owners
from apportion.periods import BillingPeriod


class LineKind(StrEnum):
    """What a line stands for: cost that a rule brought straight to the holder, or its part of a pool."""

    DIRECT = "direct"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line. `units` is the exact amount (10⁻¹⁸), `minor` the settled one, both in the scope's currency.

    Direct cost: `rows` source charges, brought here by `rules` (their ids). A share: the pool, its method and the
    `shares` of the allocation that it is made of. `reason` says either in a sentence.
    """

    number: int
    kind: LineKind
    scope: Scope
    service: str
    charge_category: str
    pool_id: str
    pool_name: str
    method: Method | None
    reason: str
    rows: int
    rules: tuple[str, ...]
    shares: tuple[Share, ...]
    units: int
    minor: int


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """The sum of a statement's lines in one currency. There is no sum across currencies."""

    currency: str
    units: int
    minor: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One holder's cost of one billing period.

    `path` holds (code, name) from the top of the tree down to the cost group, and is empty for unallocated and
    kept central. Raises `ConservationError` when totals and lines differ or a line's number is missing.
    """

    number: Number
    period: BillingPeriod
    holder: Target
    name: str
    path: tuple[tuple[str, str], ...]
    owners: Owners
    coding: Coding
    cost_basis: CostBasis
    lines: tuple[StatementLine, ...]
    totals: tuple[CurrencyTotal, ...]
    policy_name: str
    policy_digest: str
    organization_digest: str
    snapshot_digest: str

    def __post_init__(self) -> None:
        if [line.number for line in self.lines] != list(range(1, len(self.lines) + 1)):
            raise ConservationError(f"The lines of statement {self.number} are not numbered from 1 without a gap.")
        if self.totals != totals(self.lines):
            raise ConservationError(f"The totals of statement {self.number} are not the sums of its lines.")


def totals(lines: Iterable[StatementLine]) -> tuple[CurrencyTotal, ...]:
    """The sum of lines in each currency, in the order of the currency codes."""
    sums: dict[str, tuple[int, int]] = {}
    for line in lines:
        units, minor = sums.get(line.scope.currency, (0, 0))
        sums[line.scope.currency] = (units + line.units, minor + line.minor)
    return tuple(CurrencyTotal(currency, *sums[currency]) for currency in sorted(sums))


@uncollected()
def statements(allocation: Allocation, tree: Tree, policy: Policy, prefix: str) -> tuple[Statement, ...]:
    """One statement for each holder that has lines, as `numbered`. Raises what `numbered` raises."""
    lines: dict[Target, list[Line]] = {}
    for line in allocation.lines:
        lines.setdefault(line.holder, []).append(line)
    why = _Reasons(allocation, policy)
    return tuple(
        _statement(allocation, tree, policy, number=number, holder=holder, lines=why.lines(lines[holder]))
        for number, holder in numbered(lines, tree, prefix, allocation.period).items()
    )


def statement(allocation: Allocation, tree: Tree, policy: Policy, number: Number) -> Statement:
    """The statement of the one holder that has lines in this part of an allocation. Raises `ConservationError`."""
    (holder,) = {line.holder for line in allocation.lines}
    lines = _Reasons(allocation, policy).lines(allocation.lines)
    return _statement(allocation, tree, policy, number=number, holder=holder, lines=lines)


def numbered(holders: Collection[Target], tree: Tree, prefix: str, period: BillingPeriod) -> Mapping[Number, Target]:
    """Holders by the numbers of their statements: from 1 without a gap, cost groups in the order of the tree, then
    unallocated, then kept central.

    Raises `NotFoundError` for a cost group that is not in `tree`, and `ConservationError` for an amount that would be
    on no statement, such as a pool that was not shared.
    """
    for holder in holders:
        if holder.holder is Holder.COST_GROUP:
            _ = tree[holder.code]  # raises where the group is missing
        elif holder not in (UNALLOCATED, KEPT_CENTRAL):
            raise ConservationError(f"The {holder.holder.replace('_', ' ')} '{holder}' still holds cost.")
    order = [Target(Holder.COST_GROUP, code) for code in tree] + [UNALLOCATED, KEPT_CENTRAL]
    found = (holder for holder in order if holder in holders)
    return {Number(prefix, period, count): holder for count, holder in enumerate(found, start=1)}


def _statement(
    allocation: Allocation,
    tree: Tree,
    policy: Policy,
    *,
    number: Number,
    holder: Target,
    lines: tuple[StatementLine, ...],
) -> Statement:
    name, path, owners, coding = _names(tree, holder)
    return Statement(
        number=number,
        period=allocation.period,
        holder=holder,
        name=name,
        path=path,
        owners=owners,
        coding=coding,
        cost_basis=allocation.cost_basis,
        lines=lines,
        totals=totals(lines),
        policy_name=policy.name,
        policy_digest=allocation.policy_digest,
        organization_digest=allocation.organization_digest,
        snapshot_digest=allocation.snapshot_digest,
    )


def _names(tree: Tree, holder: Target) -> tuple[str, tuple[tuple[str, str], ...], Owners, Coding]:
    if holder.holder is Holder.COST_GROUP:
        group = tree[holder.code]
        path = tuple((code, tree[code].name) for code in tree.path(holder.code))
        return group.name, path, group.owners, group.coding
    name = wording.UNALLOCATED_NAME if holder == UNALLOCATED else wording.KEPT_CENTRAL_NAME
    return name, (), Owners(), Coding()


class _Reasons:
    """Finds the cells and shares behind each line, and says why the line is there."""

    def __init__(self, allocation: Allocation, policy: Policy) -> None:
        self._pools: dict[str, tuple[int, Pool]] = {pool.id: (place, pool) for place, pool in enumerate(policy.pools)}
        self._rules = {rule.id: (place, rule.name or rule.id) for place, rule in enumerate(policy.rules)}
        self._cells: dict[tuple[Target, Scope, str, str], list[Cell]] = {}
        for cell in allocation.cells:
            key = (cell.target, cell.scope, cell.service, cell.charge_category)
            self._cells.setdefault(key, []).append(cell)
        self._shares: dict[tuple[Target, Scope, str], list[Share]] = {}
        for share in allocation.shares:
            self._shares.setdefault((share.target, share.scope, share.pool_id), []).append(share)

    def lines(self, lines: Sequence[Line]) -> tuple[StatementLine, ...]:
        """A holder's lines, numbered: direct cost by currency, invoice and service, then shares by pool."""
        return tuple(
            self._direct(number, line) if line.pool_id is None else self._share(number, line, line.pool_id)
            for number, line in enumerate(sorted(lines, key=self._order), start=1)
        )

    def _order(self, line: Line) -> tuple[bool, str, int, Scope, str, str]:
        is_share, pool = (False, 0) if line.pool_id is None else (True, self._pool(line.pool_id)[0])
        return (is_share, line.scope.currency, pool, line.scope, line.service, line.charge_category)

    def _pool(self, pool_id: str) -> tuple[int, Pool]:
        try:
            return self._pools[pool_id]
        except KeyError:
            raise ConservationError(
                f"The allocation shares a pool '{pool_id}' that the policy does not have.",
                advice="Allocate the period again with this policy.",
            ) from None

    def _direct(self, number: int, line: Line) -> StatementLine:
        cells = self._cells.get((line.holder, line.scope, line.service, line.charge_category), [])
        if sum(cell.units for cell in cells) != line.units:
            raise ConservationError(
                f"The direct cost of '{line.holder}' for '{line.service}' is not what the charges add up to."
            )
        # By the policy's order, not the allocation's, so that the text does not depend on how rows were read.
        ids = sorted({cell.rule_id for cell in cells if cell.rule_id is not None}, key=self._rule_order)
        return StatementLine(
            number=number,
            kind=LineKind.DIRECT,
            scope=line.scope,
            service=line.service,
            charge_category=line.charge_category,
            pool_id="",
            pool_name="",
            method=None,
            reason=wording.direct_reason([self._rules.get(rule, (0, rule))[1] for rule in ids]),
            rows=sum(cell.rows for cell in cells),
            rules=tuple(ids),
            shares=(),
            units=line.units,
            minor=line.minor,
        )

    def _rule_order(self, rule: str) -> tuple[int, str]:
        return (self._rules[rule][0] if rule in self._rules else len(self._rules), rule)

    def _share(self, number: int, line: Line, pool_id: str) -> StatementLine:
        pool = self._pool(pool_id)[1]
        shares = tuple(sorted(self._shares.get((line.holder, line.scope, pool_id), ()), key=lambda share: share.step))
        if sum(share.units for share in shares) != line.units:
            raise ConservationError(
                f"The share of pool '{pool_id}' on '{line.holder}' is not what the allocation shared out."
            )
        return StatementLine(
            number=number,
            kind=LineKind.SHARE,
            scope=line.scope,
            service="",
            charge_category="",
            pool_id=pool_id,
            pool_name=pool.name,
            method=pool.method,
            reason=wording.share_reason(pool, shares, line.holder.holder),
            rows=0,
            rules=(),
            shares=shares,
            units=line.units,
            minor=line.minor,
        )
