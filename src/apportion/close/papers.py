"""The documents of a run as drafts: each statement with why it changed, its twelve months and its budgets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from apportion.allocate.rule import Holder, Target
from apportion.budgets import budget_file
from apportion.budgets.budget import Budget, Budgets
from apportion.close import run as runs
from apportion.close.changes import changes as work_out_changes
from apportion.close.run import Run
from apportion.invoice.convert import charged_totals
from apportion.invoice.paper import (
    Change,
    MonthTotal,
    Paper,
    PaperBudget,
    PaperKind,
    PaperLine,
    PaperLineKind,
    totals,
)
from apportion.invoice.rates import rate_text
from apportion.invoice.statement import LineKind, Statement, StatementLine
from apportion.money.exchange import Rate
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Workspace

HISTORY_MONTHS = 12
_KIND = {LineKind.DIRECT: PaperLineKind.DIRECT, LineKind.SHARE: PaperLineKind.SHARE}

History = Mapping[Target, Sequence[MonthTotal]]
"""What each holder carried in earlier months."""


def papers(
    workspace: Workspace,
    run: Run,
    made: Sequence[Statement],
    *,
    kind_of: Callable[[str], PaperKind] = lambda _: PaperKind.STATEMENT,
    budgets: Mapping[str, Sequence[Budget]] | None = None,
    former: History | None = None,
    changes: Mapping[Target, tuple[Change, ...]] | None = None,
) -> Iterator[Paper]:
    """A draft of each statement of a run, in their order; the label is the statement's number until it is issued.

    `kind_of` says for a cost group's code whether it is in showback; what is unallocated or kept central is always a
    statement. `budgets` are those of the period by cost group, `former` the totals of earlier months and `changes`
    those against the month before: each is looked up in the workspace where it is not given. Raises what `changes`,
    `history` and reading the budgets raise.
    """
    if budgets is None:
        budgets = planned(workspace, run).of(run.period)
    if former is None:
        former = history(workspace, run.period)
    if changes is None:
        changes = work_out_changes(workspace, run, made)
    first = str(_back(run.period, HISTORY_MONTHS - 1))
    words: dict[Rate, str] = {}
    for statement in made:
        here = str(run.period)
        earlier = [total for total in former.get(statement.holder, ()) if first <= total.period < here]
        now = [MonthTotal(here, total.currency, total.minor) for total in statement.totals]
        yield _paper(
            run,
            statement,
            kind=_kind(statement.holder, kind_of),
            lines=tuple(_line(line, words) for line in statement.lines),
            changes=changes.get(statement.holder, ()),
            history=tuple(sorted((*earlier, *now), key=lambda total: (total.period, total.currency))),
            budgets=tuple(
                PaperBudget(budget.currency, budget.minor)
                for budget in (budgets.get(statement.holder.code, ()) if _is_group(statement.holder) else ())
            ),
        )


def planned(workspace: Workspace, run: Run) -> Budgets:
    """The budgets that the workspace's settings name, checked against all cost groups of the run; else none.

    Raises `DocumentError` with every mistake, and `UnreadableFileError`.
    """
    name = workspace.settings.budgets
    return budget_file.read(workspace.root / name, set(run.organization.codes)) if name else Budgets()


def history(workspace: Workspace, period: BillingPeriod) -> dict[Target, list[MonthTotal]]:
    """What the runs of the eleven months before a period come to, by holder. Months without a run have no figures."""
    found: dict[Target, list[MonthTotal]] = defaultdict(list)
    for count in range(HISTORY_MONTHS - 1, 0, -1):
        month = _back(period, count)
        if workspace.current_run(month) is None:
            continue
        run = runs.current(workspace, month)
        for holder, sums in charged_totals(run.allocation.lines, run.tree, run.exchange).items():
            found[holder] += [MonthTotal(str(month), currency, sums[currency]) for currency in sorted(sums)]
    return dict(found)


def _back(period: BillingPeriod, count: int) -> BillingPeriod:
    for _ in range(count):
        period = period.previous
    return period


def _is_group(holder: Target) -> bool:
    return holder.holder is Holder.COST_GROUP


def _kind(holder: Target, kind_of: Callable[[str], PaperKind]) -> PaperKind:
    """Nobody is charged for what is unallocated or kept central."""
    return kind_of(holder.code) if _is_group(holder) else PaperKind.STATEMENT


def _paper(
    run: Run,
    statement: Statement,
    *,
    kind: PaperKind,
    lines: tuple[PaperLine, ...],
    changes: tuple[Change, ...],
    history: tuple[MonthTotal, ...],
    budgets: tuple[PaperBudget, ...],
) -> Paper:
    number = str(statement.number)
    return Paper(
        kind=kind,
        label=number,
        statement=number,
        company=run.settings.company,
        period=str(statement.period),
        issued_on=None,
        review_until=None,
        holder=str(statement.holder.holder),
        code=statement.holder.code,
        name=statement.name,
        path=statement.path,
        owners=statement.owners,
        coding=statement.coding,
        cost_basis=str(statement.cost_basis),
        lines=lines,
        totals=totals(lines),
        policy_name=statement.policy_name,
        policy_digest=statement.policy_digest,
        organization_digest=statement.organization_digest,
        snapshot_digest=statement.snapshot_digest,
        run_digest=run.digest,
        changes=changes,
        history=history,
        budgets=budgets,
    )


def _line(line: StatementLine, words: dict[Rate, str]) -> PaperLine:
    """One line; a rate of exchange stands on thousands of lines, and is put into `words` once."""
    stated, scope = line.stated, line.scope
    rate = ""
    if line.charged is not None:
        if line.charged.rate not in words:
            words[line.charged.rate] = rate_text(line.charged.rate)
        rate = words[line.charged.rate]
    return PaperLine(
        number=line.number,
        kind=_KIND[line.kind],
        service=line.service,
        charge_category=line.charge_category,
        pool_id=line.pool_id,
        pool_name=line.pool_name,
        method=str(line.method) if line.method is not None else "",
        reason=line.reason,
        invoice_issuer=scope.invoice_issuer,
        invoice_id=scope.invoice_id,
        billing_account_id=scope.billing_account_id,
        billed_currency=scope.currency,
        billed_minor=line.minor,
        currency=stated.currency,
        minor=stated.minor,
        rate=rate,
        rows=line.rows,
        corrects=line.corrects,
    )
