"""Statements: what each holder carries of a period, frozen with everything a reader needs to question it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from apportion.allocate.allocation import Allocation, Cell, Corrected, Line, Scope, Share
from apportion.allocate.based import WeightIn
from apportion.allocate.policy import CostBasis, Method, Policy
from apportion.allocate.quiet import uncollected
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.errors import ConservationError
from apportion.invoice import wording
from apportion.invoice.numbering import Number
from apportion.invoice.reasons import Reasons
from apportion.money.exchange import Rate
from apportion.organization.coding import Coding
from apportion.organization.cost_group import Tree
from apportion.organization.ownership import Owners
from apportion.periods import BillingPeriod


class LineKind(StrEnum):
    """What a line stands for: cost that a rule brought straight to the holder, or its part of a pool."""

    DIRECT = "direct"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Charged:
    """What a line comes to in the statement's currency, where that is not its own, and the rate (see `convert`).

    `units` is the line's exact amount at that rate, to 10⁻¹⁸; `minor` its settled one, settled again.
    """

    currency: str
    units: int
    minor: int
    rate: Rate


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line. `units` is the exact amount (10⁻¹⁸), `minor` the settled one, both in the scope's currency.

    `charged` is the same in the statement's currency; None where that is the scope's.

    Direct cost: `rows` source charges, brought here by `rules` (their ids). A share: the pool, commitment or uplift,
    its method, and the `shares` of the allocation that it is made of, with weights that count what `weight_in` says.
    `reason` says either in a sentence. `corrects` is the billing period that a late correction is of, else empty, and
    `first_statements` are the numbers of the statements that it puts right.
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
    charged: Charged | None = None
    corrects: str = ""
    weight_in: WeightIn = WeightIn.PARTS
    first_statements: tuple[str, ...] = ()

    @property
    def stated(self) -> CurrencyTotal:
        """The line's amount as its statement adds it up: in the statement's currency."""
        if self.charged is None:
            return CurrencyTotal(self.scope.currency, self.units, self.minor)
        return CurrencyTotal(self.charged.currency, self.charged.units, self.charged.minor)


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

    @property
    def billed(self) -> tuple[CurrencyTotal, ...]:
        """The sum of the lines in each currency that providers billed in, before any conversion."""
        return _sums(CurrencyTotal(line.scope.currency, line.units, line.minor) for line in self.lines)

    @property
    def billed_elsewhere(self) -> tuple[CurrencyTotal, ...]:
        """What `billed` says, where a line is charged in another currency; else nothing."""
        return self.billed if any(line.charged for line in self.lines) else ()


def totals(lines: Iterable[StatementLine]) -> tuple[CurrencyTotal, ...]:
    """The sum of lines in each currency that they are stated in, in the order of the currency codes."""
    return _sums(line.stated for line in lines)


def _sums(amounts: Iterable[CurrencyTotal]) -> tuple[CurrencyTotal, ...]:
    sums: dict[str, tuple[int, int]] = {}
    for each in amounts:
        units, minor = sums.get(each.currency, (0, 0))
        sums[each.currency] = (units + each.units, minor + each.minor)
    return tuple(CurrencyTotal(currency, *sums[currency]) for currency in sorted(sums))


@uncollected()
def statements(
    allocation: Allocation, tree: Tree, policy: Policy, prefix: str, former: Mapping[str, Policy] | None = None
) -> tuple[Statement, ...]:
    """One statement for each holder that has lines, as `numbered`. Raises what `numbered` raises.

    `former` are the policies that decided about late corrections, by billing period (``2026-05``): without one, a
    correction's lines say less about why.
    """
    lines: dict[Target, list[Line]] = {}
    for line in allocation.lines:
        lines.setdefault(line.holder, []).append(line)
    why = _Lines(allocation, policy, former)
    return tuple(
        _statement(allocation, tree, policy, number=number, holder=holder, lines=why.lines(lines[holder]))
        for number, holder in numbered(lines, tree, prefix, allocation.period).items()
    )


def statement(
    allocation: Allocation, tree: Tree, policy: Policy, number: Number, former: Mapping[str, Policy] | None = None
) -> Statement:
    """The statement of the one holder that has lines in this part of an allocation. Raises `ConservationError`."""
    (holder,) = {line.holder for line in allocation.lines}
    lines = _Lines(allocation, policy, former).lines(allocation.lines)
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


class _Lines:
    """Finds the cells and shares behind each line, and says why the line is there."""

    def __init__(self, allocation: Allocation, policy: Policy, former: Mapping[str, Policy] | None) -> None:
        self._why = Reasons(allocation, policy, former)
        self._cells: dict[tuple[Target, Scope, str, str, str], list[Cell]] = {}
        for cell in allocation.cells:
            key = (cell.target, cell.scope, cell.service, cell.charge_category, cell.corrects)
            self._cells.setdefault(key, []).append(cell)
        self._shares: dict[tuple[Target, Scope, str, str], list[Share]] = {}
        for share in allocation.shares:
            self._shares.setdefault((share.target, share.scope, share.pool_id, share.corrects), []).append(share)
        self._corrected: dict[tuple[str, Target], list[Corrected]] = {}
        for corrected in allocation.corrected:
            self._corrected.setdefault((corrected.corrects, corrected.holder), []).append(corrected)

    def _first(self, line: Line) -> tuple[str, tuple[str, ...]]:
        """What is said of the first statements of a late correction, and their numbers."""
        found = self._corrected.get((line.corrects, line.holder), [])
        return wording.first_stated(found), tuple(each.statement for each in found if each.statement)

    def lines(self, lines: Sequence[Line]) -> tuple[StatementLine, ...]:
        """A holder's lines, numbered: direct cost by currency, invoice and service, then shares by pool."""
        return tuple(
            self._direct(number, line) if line.pool_id is None else self._share(number, line, line.pool_id)
            for number, line in enumerate(sorted(lines, key=self._order), start=1)
        )

    def _order(self, line: Line) -> tuple[bool, str, tuple[int, int], str, Scope, str, str, str]:
        place = (0, 0) if line.pool_id is None else self._why.place(line.pool_id, line.corrects)
        return (
            line.pool_id is not None,
            line.scope.currency,
            place,
            line.pool_id or "",
            line.scope,
            line.service,
            line.charge_category,
            line.corrects,
        )

    def _direct(self, number: int, line: Line) -> StatementLine:
        cells = self._cells.get((line.holder, line.scope, line.service, line.charge_category, line.corrects), [])
        if sum(cell.units for cell in cells) != line.units:
            raise ConservationError(
                f"The direct cost of '{line.holder}' for '{line.service}' is not what the charges add up to."
            )
        # By the policy's order, not the allocation's, so that the text does not depend on how rows were read.
        ids = {cell.rule_id for cell in cells if cell.rule_id is not None}
        rules = sorted(ids, key=lambda rule: self._why.rule_place(rule, line.corrects))
        said, numbers = self._first(line)
        return StatementLine(
            number=number,
            kind=LineKind.DIRECT,
            scope=line.scope,
            service=line.service,
            charge_category=line.charge_category,
            pool_id="",
            pool_name="",
            method=None,
            reason=self._why.direct(rules, line.corrects) + said,
            rows=sum(cell.rows for cell in cells),
            rules=tuple(rules),
            shares=(),
            units=line.units,
            minor=line.minor,
            corrects=line.corrects,
            first_statements=numbers,
        )

    def _share(self, number: int, line: Line, pool_id: str) -> StatementLine:
        found = self._shares.get((line.holder, line.scope, pool_id, line.corrects), ())
        shares = tuple(sorted(found, key=lambda share: share.step))
        if sum(share.units for share in shares) != line.units:
            raise ConservationError(
                f"The share of pool '{pool_id}' on '{line.holder}' is not what the allocation shared out."
            )
        said = self._why.shared(pool_id, line.corrects, shares)
        first, numbers = self._first(line)
        return StatementLine(
            number=number,
            kind=LineKind.SHARE,
            scope=line.scope,
            service="",
            charge_category="",
            pool_id=pool_id,
            pool_name=said.name,
            method=said.method,
            reason=said.reason + first,
            rows=0,
            rules=(),
            shares=shares,
            units=line.units,
            minor=line.minor,
            corrects=line.corrects,
            weight_in=said.weight_in,
            first_statements=numbers,
        )
