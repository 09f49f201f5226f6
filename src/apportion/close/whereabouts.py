"""Where one delivered row's cost ended up: the rule, and everybody who carries a part of it, down to the line.

The way back from `apportion.close.explain`, over the same shares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apportion.allocate.allocation import Allocation, Cell, Scope
from apportion.allocate.basis import Follow
from apportion.allocate.charges import Charges
from apportion.allocate.fields import field_of
from apportion.allocate.follow import follow, following
from apportion.allocate.onward import Passed, Weights, onward
from apportion.allocate.policy import CostBasis
from apportion.allocate.rule import Holder, Target
from apportion.close import month as months
from apportion.close import run as runs
from apportion.close.corrections import evidence
from apportion.close.run import Run
from apportion.errors import ConservationError, InputRefusedError, NotFoundError
from apportion.invoice.statement import Statement, StatementLine
from apportion.periods import BillingPeriod
from apportion.warehouse.measure import Measured, Question
from apportion.warehouse.one_charge import OneCharge, chosen_file, one_charge, values
from apportion.warehouse.snapshot import ChargeFile
from apportion.warehouse.store import Workspace


@dataclass(frozen=True, slots=True)
class Arrived:
    """What of a row's cost a line of a statement holds, in units."""

    statement: Statement
    line: StatementLine
    units: int


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A row, the cell that it was added up in, the pools that its cost passed through, and where it arrived.

    The units of `arrived` sum to the row's.
    """

    run: Run
    charge: OneCharge
    cell: Cell
    passed: tuple[Passed, ...]
    arrived: tuple[Arrived, ...]


def whereabouts(workspace: Workspace, period: BillingPeriod, file: str, row: int) -> Whereabouts:
    """Follow data row `row`, from 1, of a delivered file (``source/name``) to the lines of statements.

    Raises `NotFoundError` for a file or row that has no charge of the period, and where shares do not tell where it
    went; `InputRefusedError` for charges that were delivered since the period was allocated.
    """
    run = runs.current(workspace, period)
    snapshot = workspace.snapshot(period)
    if snapshot.digest != run.allocation.snapshot_digest:
        raise InputRefusedError(
            f"The charges of {period} have changed since it was allocated.",
            advice=f"Allocate it again: apportion allocate {period}",
        )
    chosen = chosen_file(snapshot, file)
    charge, cell = _charge(workspace, run, chosen, row)
    ways = _Ways(workspace, run, chosen, charge, cell)
    passed = onward(run.allocation, cell.target, cell.scope, charge.units, corrects=cell.corrects, weights=ways.weights)
    arrived = _arrived(months.statements(run), cell, passed, charge.units)
    if sum(each.units for each in arrived) != charge.units:
        raise ConservationError(f"Row {row} of {charge.file} did not arrive whole.")
    return Whereabouts(run, charge, cell, passed, arrived)


def _charge(workspace: Workspace, run: Run, file: ChargeFile, row: int) -> tuple[OneCharge, Cell]:
    """The row, and the cell of the run that it is in: of the period itself, or of a correction."""
    effective = run.allocation.cost_basis is CostBasis.EFFECTIVE
    whole = workspace.snapshot(run.period)
    for corrects in ("", *sorted({cell.corrects for cell in run.allocation.cells if cell.corrects})):
        snapshot, sidecars, decisions = evidence(whole, run.sidecars, run.decisions, corrects)
        if file not in snapshot.files:
            continue
        charge = one_charge(snapshot, sidecars, file, row, effective=effective)
        if charge.outcome is None:
            raise NotFoundError(
                f"Row {row:,} of {charge.file} counts nowhere in {run.period}.",
                advice="It was set aside (see `apportion findings`), or it is of another billing period.",
            )
        made = decisions[charge.outcome]
        cell = _cell(run.allocation, (made.rule_id, made.target), _scope(run, charge, effective), charge, corrects)
        if cell is not None:
            return charge, cell
    raise ConservationError(
        f"Row {row} of {file.source}/{file.name} is in no amount of {run.period}.",
        advice="Files of the workspace may have been touched; restore them from a backup.",
    )


def _scope(run: Run, charge: OneCharge, effective: bool) -> Scope:
    issuer = run.settings.issuer_aliases.get(charge.issuer, charge.issuer)
    invoice = "" if effective else charge.dimensions["InvoiceId"]
    account = "" if effective or invoice else charge.dimensions["BillingAccountId"]
    return Scope(issuer, invoice, account, charge.dimensions["BillingCurrency"])


def _cell(
    allocation: Allocation, decided: tuple[str | None, Target], scope: Scope, charge: OneCharge, corrects: str
) -> Cell | None:
    key = (*decided, scope, charge.dimensions["ServiceName"], charge.dimensions["ChargeCategory"], corrects)
    return next(
        (
            cell
            for cell in allocation.cells
            if (cell.rule_id, cell.target, cell.scope, cell.service, cell.charge_category, cell.corrects) == key
        ),
        None,
    )


class _Ways:
    """The ways of an amount through pools whose charges follow others, each its own: other than the pool's as a whole.

    A charge goes where its companions went. What follows nothing, or came from another pool, goes as the rest of the
    pool did: the shares without what followed.
    """

    def __init__(self, workspace: Workspace, run: Run, file: ChargeFile, charge: OneCharge, cell: Cell) -> None:
        self._run, self._file, self._charge, self._cell = run, file, charge, cell
        snapshot = workspace.snapshot(run.period)
        pools = {Target(Holder.POOL, pool.id) for pool in run.policy.pools}  # corrections lie in others, aside
        own = {
            number: made.target
            for number, made in enumerate(run.decisions)
            if made.target.holder is not Holder.POOL or made.target in pools
        }
        effective = run.allocation.cost_basis is CostBasis.EFFECTIVE
        self._charges = Charges(snapshot, run.sidecars, effective, own, run.settings.issuer_aliases)

    def weights(self, pool_id: str) -> Weights | None:
        """By what an amount in a pool is divided; None: by the shares of the pool."""
        pool = next((pool for pool in self._run.policy.pools if pool.id == pool_id), None)
        if pool is None or not isinstance(pool.basis, Follow) or self._cell.corrects:
            return None
        if self._cell.target == Target(Holder.POOL, pool_id) and (companions := self._companions(pool.basis)):
            return companions
        groups = following(self._run.policy.pools, self._charges).groups(pool_id, self._cell.scope)
        if not groups:
            return None
        left = {
            share.target: share.units
            for share in self._run.allocation.shares
            if (share.pool_id, share.scope, share.corrects) == (pool_id, self._cell.scope, "")
        }
        for target, units in follow(groups):
            left[target] = left.get(target, 0) - units
        return [(target, units) for target, units in left.items() if units]

    def _companions(self, basis: Follow) -> Weights | None:
        """Who carries the charges that this one belongs to."""
        if self._charge.outcome is None or self._charge.units == 0:
            return None
        names = tuple(dict.fromkeys(name for columns in basis.by for name in columns))
        found = values(self._charges.snapshot, self._file, self._charge.row, [field_of(name) for name in names])
        measured = Measured(
            self._charge.outcome, 0, found, *self._cell.scope[:3], self._cell.scope.currency, 1, self._charge.units, ()
        )
        every = self._charges
        one = _OneOf(every.snapshot, every.sidecars, every.effective, every.targets, every.issuer_aliases, measured)
        groups = following(self._run.policy.pools, one).groups(self._cell.target.code, self._cell.scope)
        return groups[0].weights if groups else None


@dataclass(frozen=True, slots=True)
class _OneOf(Charges):
    """All charges, but of those that follow others only one."""

    one: Measured

    def ask(self, questions: Sequence[Question]) -> tuple[tuple[Measured, ...], ...]:
        if all(question.among is not None for question in questions):
            return Charges.ask(self, questions)
        return tuple((self.one,) if self.one.outcome in (question.outcomes or ()) else () for question in questions)


_LineKey = tuple[Target, Scope, str, str, str, str]


def _arrived(made: Sequence[Statement], cell: Cell, passed: Sequence[Passed], units: int) -> tuple[Arrived, ...]:
    """What each line holds of the row, in the order of the statements."""
    found: dict[_LineKey, int] = {}
    if passed:
        for through in passed:
            for part in through.parts:
                if part.target.holder is not Holder.POOL:
                    key = (part.target, cell.scope, through.pool_id, "", "", cell.corrects)
                    found[key] = found.get(key, 0) + part.units
    else:
        found[cell.target, cell.scope, "", cell.service, cell.charge_category, cell.corrects] = units
    lines: Mapping[_LineKey, tuple[Statement, StatementLine]] = {
        (statement.holder, line.scope, line.pool_id, line.service, line.charge_category, line.corrects): (
            statement,
            line,
        )
        for statement in made
        for line in statement.lines
    }
    there = [Arrived(*lines[key], amount) for key, amount in found.items() if amount or not units]
    return tuple(sorted(there, key=lambda each: (each.statement.number, each.line.number)))
