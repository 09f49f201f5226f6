"""One line of a statement, taken apart down to the source rows it was added up from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apportion.allocate.allocation import Cell, Line, Scope
from apportion.allocate.policy import CostBasis
from apportion.allocate.rule import Target
from apportion.allocate.trace import LineTrace, pools, trace
from apportion.close import month as months
from apportion.close import run as runs
from apportion.close.run import Run
from apportion.errors import ConservationError, InputRefusedError, NotFoundError
from apportion.invoice.numbering import read_reference
from apportion.invoice.statement import Statement, StatementLine
from apportion.warehouse.sources import Sources, Wanted, sources
from apportion.warehouse.store import Workspace


@dataclass(frozen=True, slots=True)
class Source:
    """The charges that one target received in one scope, of one service and category (None: of all)."""

    target: Target
    service: str | None
    charge_category: str | None
    cells: tuple[Cell, ...]
    found: Sources


@dataclass(frozen=True, slots=True)
class Explanation:
    """A statement, and for one of its lines the trace and the source rows behind every amount in it."""

    run: Run
    statement: Statement
    line: StatementLine | None
    trace: LineTrace | None
    sources: tuple[Source, ...]


def explain(workspace: Workspace, reference: str, *, most: int = 10) -> Explanation:
    """Explain ``NUMBER`` or ``NUMBER:LINE``; of each amount the `most` largest source rows are given.

    Raises `NotFoundError` for a statement or line that does not exist, `ConservationError` if the source rows do
    not add up to what the line says: the files on disk are then not what was allocated.
    """
    number, line_number = read_reference(reference)
    run = runs.current(workspace, number.period)
    statement = next(iter(months.statements(run, only=number)), None)
    if statement is None:
        raise NotFoundError(
            f"There is no statement {number}.", advice=f"List them with: apportion statements {number.period}"
        )
    if line_number is None:
        return Explanation(run, statement, None, None, ())
    if not 1 <= line_number <= len(statement.lines):
        raise NotFoundError(
            f"Statement {number} has no line {line_number}.", advice=f"Its lines are 1 to {len(statement.lines)}."
        )
    if workspace.snapshot(run.period).digest != run.allocation.snapshot_digest:
        raise InputRefusedError(
            f"The charges of {run.period} have changed since it was allocated, so its source rows are gone.",
            advice=f"Allocate it again: apportion allocate {run.period}",
        )
    line = statement.lines[line_number - 1]
    traced = trace(run.allocation, _allocated(run, statement, line))
    return Explanation(run, statement, line, traced, _sources(workspace, run, traced, most))


def _allocated(run: Run, statement: Statement, line: StatementLine) -> Line:
    key = (statement.holder, line.scope, line.pool_id or None, line.service, line.charge_category)
    return next(
        found
        for found in run.allocation.lines
        if (found.holder, found.scope, found.pool_id, found.service, found.charge_category) == key
    )


def _sources(workspace: Workspace, run: Run, traced: LineTrace, most: int) -> tuple[Source, ...]:
    line = traced.line
    wanted: list[tuple[Target, str | None, str | None, tuple[Cell, ...]]] = []
    if traced.cells:
        wanted.append((line.holder, line.service, line.charge_category, traced.cells))
    wanted += [(pool.cells[0].target, None, None, pool.cells) for pool in pools(traced) if pool.cells]
    return tuple(
        Source(target, service, category, cells, _behind(workspace, run, line.scope, (service, category), cells, most))
        for target, service, category, cells in wanted
    )


def _behind(
    workspace: Workspace,
    run: Run,
    scope: Scope,
    kind: tuple[str | None, str | None],
    cells: Sequence[Cell],
    most: int,
) -> Sources:
    decided = {(cell.rule_id, cell.target) for cell in cells}
    numbers = [place for place, made in enumerate(run.decisions) if (made.rule_id, made.target) in decided]
    columns = {"BillingCurrency": scope.currency}
    effective = run.allocation.cost_basis is CostBasis.EFFECTIVE
    if not effective:
        columns["InvoiceId"] = scope.invoice_id
        if not scope.invoice_id:
            columns["BillingAccountId"] = scope.billing_account_id
    shown = zip(("ServiceName", "ChargeCategory"), kind, strict=True)
    columns |= {name: value for name, value in shown if value is not None}
    issuers = {spelling for spelling, name in run.settings.issuer_aliases.items() if name == scope.invoice_issuer}
    found = sources(
        workspace.snapshot(run.period),
        run.sidecars,
        Wanted(numbers, {scope.invoice_issuer, *issuers}, columns),
        effective=effective,
        most=most,
    )
    if found.units != sum(cell.units for cell in cells) or found.rows != sum(cell.rows for cell in cells):
        raise ConservationError(
            f"{found.rows} source rows were found where {sum(cell.rows for cell in cells)} were added up.",
            advice="Files of the workspace may have been touched; restore them from a backup.",
        )
    return found
