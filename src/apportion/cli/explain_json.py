"""An explanation as a document of ``--json``: amounts as decimal strings, every level with its sum."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from apportion.allocate.allocation import Cell, Share
from apportion.allocate.based import Based, PartBased, counted_in
from apportion.allocate.basis import Mix
from apportion.allocate.rule import Holder, Target
from apportion.allocate.trace import LineTrace, PoolTrace, ShareTrace
from apportion.cli.explain_text import fraction, names, remainder
from apportion.close.explain import Explanation, Source
from apportion.invoice import reasons
from apportion.invoice.render.json_rate import charged_keys
from apportion.invoice.statement import StatementLine
from apportion.money.amount import plain
from apportion.money.currency import minor_text, units_per_minor

VERSION = 2


def document(found: Explanation, line: StatementLine, traced: LineTrace) -> dict[str, object]:
    """The explanation of one line of `found`'s statement, and its trace."""
    statement = found.statement
    settled = line.minor * units_per_minor(line.scope.currency)
    parts = _Parts(found, line)
    return {
        "document": "explanation",
        "version": VERSION,
        "statement": str(statement.number),
        "line": line.number,
        "period": str(statement.period),
        "corrects": line.corrects,
        "first_statements": list(line.first_statements),
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
        **charged_keys(line.charged),
        "direct": parts.charges(traced.cells, traced.line.holder),
        "shares": [parts.share(part) for part in traced.shares],
        "pools": [parts.pool(pool) for pool in traced.pools],
    }


class _Parts:
    def __init__(self, found: Explanation, line: StatementLine) -> None:
        policy = found.run.former.get(line.corrects, found.run.policy)
        self._rules = {rule.id: rule.name for rule in policy.rules}
        self._names = names(found, line.corrects)
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
        share, based = part.share, part.based
        kind = self._names.get(share.pool_id, ("pool", ""))[0]
        is_pool = kind == "pool"
        return {
            "step": share.step,
            "kind": kind,
            "pool": share.pool_id,
            "method": _method(based) if is_pool else kind,
            "basis": reasons.basis_words(based.basis) if based else "",
            "refused": list(based.refused) if based else [],
            "limits": reasons.limit_words(based.pool) if based else "",
            "weight_in": str(based.weight_in) if based else "" if is_pool else "amount",
            # Weights may be as large as amounts in 10⁻¹⁸, more than most JSON readers keep in a number.
            "weight": str(share.weight),
            "total_weight": str(share.total_weight),
            "fraction": _fraction(share) if is_pool else "",
            "pool_amount": plain(share.pool_units),
            "amount": plain(share.units),
            "parts": [_part(each, based) for each in part.parts if based],
        }

    def pool(self, pool: PoolTrace) -> dict[str, object]:
        return {
            "pool": pool.pool_id,
            "name": self._names.get(pool.pool_id, ("", ""))[1],
            "step": pool.step,
            "solved_with": [code for code in pool.loop if code != pool.pool_id],
            "amount": plain(pool.units),
            "direct": self.charges(pool.cells, Target(Holder.POOL, pool.pool_id)),
            "shares": [self.share(part) for part in pool.received],
        }


def _method(based: Based | None) -> str:
    return str(reasons.method(based)) if based else ""


def _fraction(share: Share) -> str:
    return fraction(share.weight, share.total_weight)


def _part(part: PartBased, based: Based) -> dict[str, object]:
    mix = based.basis
    whole = part.size * Fraction(part.weight, part.total_weight)
    return {
        "size": reasons.size_words(part.part, mix) if isinstance(mix, Mix) else "",
        "basis": reasons.basis_words(part.part.basis),
        "part_of_pool": f"{part.size.numerator}/{part.size.denominator}",
        "weight_in": str(counted_in(part.part.basis)),
        "weight": str(part.weight),
        "total_weight": str(part.total_weight),
        "fraction": f"{whole.numerator}/{whole.denominator}",
        "amount": plain(part.units),
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
