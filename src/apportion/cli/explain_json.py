"""An explanation as a document of ``--json``: amounts as decimal strings, every level with its sum."""

from __future__ import annotations

from collections.abc import Sequence

from apportion.allocate.allocation import Cell
from apportion.allocate.policy import Pool
from apportion.allocate.rule import Holder, Target
from apportion.allocate.trace import LineTrace, PoolTrace, ShareTrace
from apportion.cli.explain_text import remainder, share_text
from apportion.close.explain import Explanation, Source
from apportion.invoice.statement import StatementLine
from apportion.money.amount import plain
from apportion.money.currency import minor_text, units_per_minor

VERSION = 1


def document(found: Explanation, line: StatementLine, traced: LineTrace) -> dict[str, object]:
    """The explanation of one line of `found`'s statement, and its trace."""
    statement = found.statement
    settled = line.minor * units_per_minor(line.scope.currency)
    parts = _Parts(found)
    return {
        "document": "explanation",
        "version": VERSION,
        "statement": str(statement.number),
        "line": line.number,
        "period": str(statement.period),
        "cost_basis": str(statement.cost_basis),
        "holder": str(statement.holder.holder),
        "cost_group": statement.holder.code,
        "name": statement.name,
        "kind": str(line.kind),
        "invoice_issuer": line.scope.invoice_issuer,
        "invoice_id": line.scope.invoice_id,
        "billing_account_id": line.scope.billing_account_id,
        "service": line.service,
        "charge_category": line.charge_category,
        "pool": line.pool_id,
        "reason": line.reason,
        "currency": line.scope.currency,
        "amount": minor_text(line.minor, line.scope.currency),
        "exact_amount": plain(line.units),
        "cents": plain(settled - line.units),
        "direct": parts.charges(traced.cells, traced.line.holder),
        "shares": [parts.share(part) for part in traced.shares],
    }


class _Parts:
    def __init__(self, found: Explanation) -> None:
        self._rules = {rule.id: rule.name for rule in found.run.policy.rules}
        self._pools: dict[str, Pool] = {pool.id: pool for pool in found.run.policy.pools}
        self._sources = {source.target: source for source in found.sources}

    def charges(self, cells: Sequence[Cell], target: Target) -> dict[str, object] | None:
        """What rules brought to a target, and its source rows; None where they brought nothing."""
        if not cells:
            return None
        return {
            "amount": plain(sum(cell.units for cell in cells)),
            "rules": [
                {
                    "rule": cell.rule_id,
                    "name": self._rules.get(cell.rule_id or "", ""),
                    "service": cell.service,
                    "charge_category": cell.charge_category,
                    "rows": cell.rows,
                    "amount": plain(cell.units),
                }
                for cell in cells
            ],
            "sources": _sources(self._sources[target]),
        }

    def share(self, part: ShareTrace) -> dict[str, object]:
        share = part.share
        return {
            "step": share.step,
            "pool": share.pool_id,
            "method": str(self._pools[share.pool_id].method),
            # Weights may be as large as amounts in 10⁻¹⁸, more than most JSON readers keep in a number.
            "weight": str(share.weight),
            "total_weight": str(share.total_weight),
            "fraction": share_text(part),
            "pool_amount": plain(share.pool_units),
            "amount": plain(share.units),
            "made_of": self._pool(part.pool),
        }

    def _pool(self, pool: PoolTrace) -> dict[str, object]:
        return {
            "pool": pool.pool_id,
            "name": self._pools[pool.pool_id].name,
            "amount": plain(pool.units),
            "direct": self.charges(pool.cells, Target(Holder.POOL, pool.pool_id)),
            "shares": [self.share(part) for part in pool.received],
        }


def _sources(source: Source) -> dict[str, object]:
    rows, units = remainder(source)
    return {
        "rows": source.found.rows,
        "amount": plain(source.found.units),
        "largest": [
            {
                "file": row.file,
                "row": row.row,
                "amount": plain(row.units),
                "columns": dict(row.shown),
            }
            for row in source.found.largest
        ],
        "further_rows": rows,
        "further_amount": plain(units),
    }
