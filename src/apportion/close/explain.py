"""One line of a statement, taken apart down to the source rows it was added up from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

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
from apportion.warehouse.snapshot import Snapshot
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
    found = taken_apart(workspace, reference)
    if found.trace is None:
        return replace(found, most=most)
    return replace(found, sources=_sources(workspace, found.run, found.trace, most), most=most)


def taken_apart(workspace: Workspace, reference: str) -> Explanation:
    """What `explain` gives, but for the source rows: no charge is read. Raises as `explain` does."""
    number, line_number = read_reference(reference)
    run = runs.current(workspace, number.period, only=number)
    statement = _charged(run, make_statement(run.allocation, run.tree, run.policy, number, run.former))
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
    policy = run.former.get(line.corrects, run.policy)
    traced = trace(run.allocation, _allocated(run, statement, line), policy.pools)
    return Explanation(run, statement, line, traced, ())


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


Amount = tuple[Target, tuple[Cell, ...]]
"""What one target received: the cells that a line is made of, directly or through a pool."""


def amounts(traced: LineTrace) -> list[Amount]:
    """The targets whose charges are behind a line: the holder, or every pool that was passed on to it."""
    if traced.line.pool_id is None:
        return [(traced.line.holder, traced.cells)]
    return [(pool.cells[0].target, pool.cells) for pool in traced.pools if pool.cells]


def wanted(
    workspace: Workspace, run: Run, line: Line, behind: Sequence[Sequence[Cell]]
) -> tuple[Snapshot, Path, Wanted]:
    """Where the charges behind cells of a line are to be looked for: files, sidecars, and which charges of them."""
    scope = line.scope
    snapshot, sidecars, decisions = evidence(workspace.snapshot(run.period), run.sidecars, run.decisions, line.corrects)
    keys = [{(cell.rule_id, cell.target) for cell in cells} for cells in behind]
    outcomes = [{place for place, made in enumerate(decisions) if (made.rule_id, made.target) in each} for each in keys]
    columns = {"BillingCurrency": scope.currency}
    if run.allocation.cost_basis is not CostBasis.EFFECTIVE:
        columns["InvoiceId"] = scope.invoice_id
        if not scope.invoice_id:
            columns["BillingAccountId"] = scope.billing_account_id
    if line.pool_id is None:
        columns |= {"ServiceName": line.service, "ChargeCategory": line.charge_category}
    issuers = {spelling for spelling, name in run.settings.issuer_aliases.items() if name == scope.invoice_issuer}
    return snapshot, sidecars, Wanted(outcomes, {scope.invoice_issuer, *issuers}, columns)


def _sources(workspace: Workspace, run: Run, traced: LineTrace, most: int) -> tuple[Source, ...]:
    line = traced.line
    found = amounts(traced)
    if not found:
        return ()
    direct = line.pool_id is None
    kind = (line.service, line.charge_category) if direct else (None, None)
    behind = _behind(workspace, run, line, [cells for _, cells in found], most)
    return tuple(
        Source(target, kind[0], kind[1], cells, rows) for (target, cells), rows in zip(found, behind, strict=True)
    )


def _behind(
    workspace: Workspace, run: Run, line: Line, behind: Sequence[Sequence[Cell]], most: int
) -> tuple[Sources, ...]:
    snapshot, sidecars, which = wanted(workspace, run, line, behind)
    effective = run.allocation.cost_basis is CostBasis.EFFECTIVE
    found = sources(snapshot, sidecars, which, effective=effective, most=most)
    for cells, rows in zip(behind, found, strict=True):
        if rows.units != sum(cell.units for cell in cells) or rows.rows != sum(cell.rows for cell in cells):
            raise ConservationError(
                f"{rows.rows} source rows were found where {sum(cell.rows for cell in cells)} were added up.",
                advice="Files of the workspace may have been touched; restore them from a backup.",
            )
    return found
