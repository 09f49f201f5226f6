"""Where a source row's cost ended up, as text and as a document of ``--json``."""

from __future__ import annotations

from collections.abc import Iterator

from apportion.allocate.onward import Passed
from apportion.allocate.rule import Holder, Target
from apportion.cli.amounts import count
from apportion.cli.explain_text import Block, Part, blocks_text, fraction, row_text, shown, wrapped
from apportion.close.whereabouts import Arrived, Whereabouts
from apportion.invoice import wording
from apportion.money.amount import plain

VERSION = 1


def lines(found: Whereabouts, width: int) -> Iterator[str]:
    """The way of one row's cost, at most `width` columns wide; amounts marked ``│`` sum to the one marked ``╰``."""
    cell, charge = found.cell, found.charge
    currency = cell.scope.currency
    basis = found.run.allocation.cost_basis
    yield f"{charge.file} row {charge.row:,}, {wording.period_name(found.run.period)}"
    yield from wrapped(row_text(charge.shown) or "Nothing in the row says more", width)
    subject = ", ".join((cell.service or "No service named", cell.charge_category or "no charge category"))
    yield from wrapped(f"{subject}; {wording.scope_text(cell.scope)}; {basis} cost in {currency}", width)
    if cell.corrects:
        yield f"{wording.correction(cell.corrects)}, decided by the rules and shares of then"
    yield ""
    yield from blocks_text([_arrived(found), *(_through(found, passed) for passed in found.passed)], currency, width)


def _rule(found: Whereabouts) -> str:
    cell = found.cell
    brought = f"brought by rule {cell.rule_id}" if cell.rule_id is not None else "no rule met it"
    return f"{brought}, to {_named(found, cell.target)}"


def _arrived(found: Whereabouts) -> Block:
    parts = tuple(
        Part(
            f"{each.statement.number}:{each.line.number} {each.statement.name}",
            each.units,
            (f"pool {each.line.pool_id}",) if each.line.pool_id else (),
        )
        for each in found.arrived
    )
    total = Part(f"cost of the row: {_rule(found)}", found.charge.units)
    return Block("Where the cost of this row ended up", parts, total)


def _through(found: Whereabouts, passed: Passed) -> Block:
    title = f"Step {passed.step}: through pool {passed.pool_id}, by {count(len(passed.parts), 'share')}"
    if passed.loop:
        others = ", ".join(code for code in passed.loop if code != passed.pool_id)
        title += f" (gross: solved together with {others}, with what came back from them)"
    parts = tuple(
        Part(f"{_named(found, part.target)}, {shown(part.weight, part.total_weight)}", part.units)
        for part in passed.parts
    )
    return Block(title, parts, Part(f"of this row in pool {passed.pool_id}", passed.units))


def _named(found: Whereabouts, target: Target) -> str:
    if target.holder is Holder.POOL:
        return f"pool {target.code}"
    if target.holder is Holder.COST_GROUP:
        return found.run.tree[target.code].name
    return target.holder.replace("_", " ")


def document(found: Whereabouts) -> dict[str, object]:
    """The way of one row's cost. The amounts of `lines` sum to that of the row, as do the parts of each pool."""
    cell, charge = found.cell, found.charge
    rules = {rule.id: rule.name for rule in found.run.former.get(cell.corrects, found.run.policy).rules}
    return {
        "document": "whereabouts",
        "version": VERSION,
        "period": str(found.run.period),
        "corrects": cell.corrects,
        "file": charge.file,
        "row": charge.row,
        "columns": dict(charge.shown),
        "cost_basis": str(found.run.allocation.cost_basis),
        "invoice_issuer": cell.scope.invoice_issuer,
        "invoice_id": cell.scope.invoice_id,
        "billing_account_id": cell.scope.billing_account_id,
        "service": cell.service,
        "charge_category": cell.charge_category,
        "currency": cell.scope.currency,
        "amount": plain(charge.units),
        "rule": cell.rule_id,
        "rule_name": rules.get(cell.rule_id or "", ""),
        "holder": str(cell.target.holder),
        "code": cell.target.code,
        "pools": [_passed(passed) for passed in found.passed],
        "lines": [_line(each) for each in found.arrived],
    }


def _passed(passed: Passed) -> dict[str, object]:
    return {
        "step": passed.step,
        "pool": passed.pool_id,
        "solved_with": [code for code in passed.loop if code != passed.pool_id],
        "amount": plain(passed.units),
        "parts": [
            {
                "holder": str(part.target.holder),
                "code": part.target.code,
                "fraction": fraction(part.weight, part.total_weight),
                "amount": plain(part.units),
            }
            for part in passed.parts
        ],
    }


def _line(each: Arrived) -> dict[str, object]:
    return {
        "statement": str(each.statement.number),
        "line": each.line.number,
        "holder": str(each.statement.holder.holder),
        "cost_group": each.statement.holder.code,
        "name": each.statement.name,
        "pool": each.line.pool_id,
        "amount": plain(each.units),
    }
