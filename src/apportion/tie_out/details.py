"""The same stages by provider invoice and issuer: where a sum comes from."""

from __future__ import annotations

from collections.abc import Iterable

from apportion.allocate.allocation import Allocation, Scope
from apportion.allocate.policy import CostBasis
from apportion.invoice.statement import Statement
from apportion.money.currency import units_per_minor
from apportion.reconcile.compare import Comparison
from apportion.tie_out.stage import Detail, Stage
from apportion.tie_out.sums import settled_units
from apportion.warehouse.snapshot import Total


def scope_of(total: Total, basis: CostBasis) -> tuple[Scope, int]:
    """The scope that the cost of a total is settled in, and that cost in units."""
    if basis is CostBasis.EFFECTIVE:
        return Scope(total.invoice_issuer, "", "", total.currency), total.effective_units
    return plain_scope(
        Scope(total.invoice_issuer, total.invoice_id or "", total.billing_account_id, total.currency)
    ), total.billed_units


def plain_scope(scope: Scope) -> Scope:
    """The billing account stands in only where there is no invoice id."""
    return Scope(scope.invoice_issuer, scope.invoice_id, "", scope.currency) if scope.invoice_id else scope


def details(
    comparisons: Iterable[Comparison], totals: Iterable[Total], allocation: Allocation, statements: Iterable[Statement]
) -> tuple[Detail, ...]:
    """On billed cost one for each provider invoice; on effective cost those, and one for each issuer."""
    is_billed = allocation.cost_basis is CostBasis.BILLED
    # The first part keeps an issuer as a whole apart from cost of that issuer without invoice and account.
    found: dict[tuple[bool, Scope], dict[Stage, int]] = {}

    def add(level: bool, scope: Scope, stage: Stage, units: int) -> None:
        amounts = found.setdefault((level, plain_scope(scope)), {})
        amounts[stage] = amounts.get(stage, 0) + units

    for comparison in comparisons:
        key = comparison.key
        scope = Scope(key.invoice_issuer, key.invoice_id, key.billing_account_id, key.currency)
        add(False, scope, Stage.PROVIDER_INVOICES, comparison.invoice_units)
        add(False, scope, Stage.BILLED_COST, comparison.cost_units)
    if not is_billed:
        for total in totals:
            scope, units = scope_of(total, CostBasis.EFFECTIVE)
            add(True, scope, Stage.BILLED_COST, total.billed_units)
            add(True, scope, Stage.EFFECTIVE_COST, units)
    for line in allocation.lines:
        add(not is_billed, line.scope, Stage.ALLOCATED, line.units)
        add(not is_billed, line.scope, Stage.SETTLED, settled_units(line))
    for statement in statements:
        for stated in statement.lines:
            units = stated.minor * units_per_minor(stated.scope.currency)
            add(not is_billed, stated.scope, Stage.STATEMENTS, units)
    return tuple(
        Detail(
            scope.invoice_issuer,
            scope.invoice_id,
            scope.billing_account_id,
            scope.currency,
            tuple((stage, amounts[stage]) for stage in Stage if stage in amounts),
        )
        for (_, scope), amounts in sorted(found.items(), key=lambda item: item[0])
    )
