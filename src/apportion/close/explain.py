"""One line of a statement, taken apart down to the source rows it was added up from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apportion.allocate import run_file
from apportion.allocate.allocation import Cell, Line
from apportion.allocate.policy import CostBasis
from apportion.allocate.rule import Target
from apportion.allocate.trace import LineTrace, trace
from apportion.close import run as runs
from apportion.close.corrections import evidence
from apportion.close.run import Run
from apportion.errors import ConservationError, InputRefusedError, NotFoundError
from apportion.invoice.convert import convert
from apportion.invoice.numbering import read_reference
from apportion.invoice.statement import Statement, StatementLine
from apportion.invoice.statement import statement as make_statement
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
    """A statement, and for one of its lines the trace and the source rows behind every amount in it.

    The allocation of `run` holds no more than the statement was made from. `most` is how many rows were asked for.
    """

    run: Run
    statement: Statement
    line: StatementLine | None
    trace: LineTrace | None
    sources: tuple[Source, ...]
    most: int = 10


def explain(workspace: Workspace, reference: str, *, most: int = 10) -> Explanation:
    """Explain ``NUMBER`` or ``NUMBER:LINE``; of each amount the `most` largest source rows are given.

    Raises `NotFoundError` for a statement or line that does not exist, `ConservationError` if the source rows do
    not add up to what the line says: the files on disk are then not what was allocated.
    """
    number, line_number = read_reference(reference)
    run = runs.current(workspace, number.period, only=number)
    statement = _charged(run, make_statement(run.allocation, run.tree, run.policy, number, run.former))
    if line_number is None:
        return Explanation(run, statement, None, None, (), most)
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
    policy = run.former.get(line.corrects, run.policy)
    traced = trace(run.allocation, _allocated(run, statement, line), policy.pools)
    return Explanation(run, statement, line, traced, _sources(workspace, run, traced, most), most)


def _charged(run: Run, statement: Statement) -> Statement:
    """In its cost group's currency. Only then are the lines of other holders looked at: they share the cents."""
    code = statement.holder.code
    currency = run.tree[code].currency if code in run.tree else ""
    if not currency or all(line.scope.currency == currency for line in statement.lines):
        return statement
    (charged,) = convert([statement], run_file.all_lines(run.directory), run.tree, run.exchange)
    return charged


def _allocated(run: Run, statement: Statement, line: StatementLine) -> Line:
    key = (statement.holder, line.scope, line.pool_id or None, line.service, line.charge_category, line.corrects)
    return next(
        found
        for found in run.allocation.lines
        if (found.holder, found.scope, found.pool_id, found.service, found.charge_category, found.corrects) == key
    )


def _sources(workspace: Workspace, run: Run, traced: LineTrace, most: int) -> tuple[Source, ...]:
    line = traced.line
    if line.pool_id is None:
        amounts = [(line.holder, traced.cells)]
        kind: tuple[str | None, str | None] = (line.service, line.charge_category)
    else:
        amounts = [(pool.cells[0].target, pool.cells) for pool in traced.pools if pool.cells]
        kind = (None, None)
    if not amounts:
        return ()
    found = _behind(workspace, run, line, kind, [cells for _, cells in amounts], most)
    return tuple(Source(target, *kind, cells, behind) for (target, cells), behind in zip(amounts, found, strict=True))


def _behind(
    workspace: Workspace,
    run: Run,
    line: Line,
    kind: tuple[str | None, str | None],
    amounts: Sequence[Sequence[Cell]],
    most: int,
) -> tuple[Sources, ...]:
    scope = line.scope
    snapshot, sidecars, decisions = evidence(workspace.snapshot(run.period), run.sidecars, run.decisions, line.corrects)
    wanted = [{(cell.rule_id, cell.target) for cell in cells} for cells in amounts]
    outcomes = [
        {place for place, made in enumerate(decisions) if (made.rule_id, made.target) in keys} for keys in wanted
    ]
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
        snapshot,
        sidecars,
        Wanted(outcomes, {scope.invoice_issuer, *issuers}, columns),
        effective=effective,
        most=most,
    )
    for cells, behind in zip(amounts, found, strict=True):
        if behind.units != sum(cell.units for cell in cells) or behind.rows != sum(cell.rows for cell in cells):
            raise ConservationError(
                f"{behind.rows} source rows were found where {sum(cell.rows for cell in cells)} were added up.",
                advice="Files of the workspace may have been touched; restore them from a backup.",
            )
    return found
