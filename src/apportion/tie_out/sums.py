"""The sum of each stage in each currency, added up from the stage's own documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apportion.allocate.allocation import Allocation, Line
from apportion.allocate.rule import Holder, Target
from apportion.invoice.statement import Statement, StatementLine
from apportion.money.currency import units_per_minor
from apportion.post.journal import Journal, not_posted
from apportion.reconcile.provider_invoice import Origin, ProviderInvoice
from apportion.tie_out.stage import Part, Row, Stage

_HOLDERS = {
    Holder.COST_GROUP: "cost groups",
    Holder.KEPT_CENTRAL: "kept central",
    Holder.UNALLOCATED: "unallocated",
}


def sums(stage: Stage, amounts: Iterable[tuple[str, str, int]]) -> list[Row]:
    """Rows of (currency, part's name, units); a name is empty where the stage has no parts."""
    found: dict[str, dict[str, int]] = {}
    for currency, name, units in amounts:
        parts = found.setdefault(currency, {})
        parts[name] = parts.get(name, 0) + units
    return [
        Row(
            currency,
            stage,
            sum(parts.values()),
            tuple(Part(name, units) for name, units in parts.items() if name),
        )
        for currency, parts in found.items()
    ]


def invoice_rows(invoices: Iterable[ProviderInvoice]) -> list[Row]:
    """The provider invoices, in parts by who states their amounts."""
    said = {
        Origin.INVOICE_DETAIL: "as the providers' invoices state it",
        Origin.COST_DATA: "as stated in the cost data",
    }
    return sums(
        Stage.PROVIDER_INVOICES, ((invoice.key.currency, said[invoice.origin], invoice.units) for invoice in invoices)
    )


def _by_holder(stage: Stage, amounts: Iterable[tuple[str, Target, int]]) -> list[Row]:
    order = {holder: place for place, holder in enumerate(_HOLDERS)}
    named = sorted(amounts, key=lambda each: order.get(each[1].holder, len(order)))
    return sums(stage, ((currency, _HOLDERS.get(at.holder, str(at.holder)), units) for currency, at, units in named))


def line_rows(allocation: Allocation) -> list[Row]:
    """The lines of the allocation twice: exact, and settled."""
    return [
        *_by_holder(Stage.ALLOCATED, ((line.scope.currency, line.holder, line.units) for line in allocation.lines)),
        *_by_holder(
            Stage.SETTLED, ((line.scope.currency, line.holder, settled_units(line)) for line in allocation.lines)
        ),
    ]


def settled_units(line: Line | StatementLine) -> int:
    """The settled amount of a line, in units of 10⁻¹⁸."""
    return line.minor * units_per_minor(line.scope.currency)


def statement_rows(statements: Iterable[Statement]) -> list[Row]:
    """The totals that stand on the statements, in the currencies that providers billed in."""
    return _by_holder(
        Stage.STATEMENTS,
        (
            (total.currency, statement.holder, total.minor * units_per_minor(total.currency))
            for statement in statements
            for total in statement.billed
        ),
    )


def journal_rows(statements: Sequence[Statement], journal: Journal) -> list[Row]:
    """What the journal posts to cost groups, and what stays with the payer without a line.

    Cost that is charged in another currency counts in the one it was billed in, and not where it is posted.
    """
    posted = [
        (posting.currency, "to be posted", posting.amount_minor * units_per_minor(posting.currency))
        for entry in journal.entries
        for posting in entry.postings
        if posting.ref
    ]
    charged = [
        each
        for statement in statements
        for line in statement.lines
        if line.charged
        for each in (
            (line.charged.currency, "to be posted", -line.charged.minor * units_per_minor(line.charged.currency)),
            (line.scope.currency, f"charged in {line.charged.currency}", settled_units(line)),
        )
    ]
    stays = [
        (each.currency, f"{_HOLDERS[each.holder]}, not posted", each.minor * units_per_minor(each.currency))
        for each in not_posted(statements)
    ]
    return sums(Stage.JOURNAL, [*posted, *charged, *sorted(stays)])


def complete(rows: Sequence[Row], basis: Stage) -> list[Row]:
    """A row for every stage in every currency, in order: a stage without documents comes to zero."""
    stages = [stage for stage in Stage if stage is not Stage.EFFECTIVE_COST or basis is Stage.EFFECTIVE_COST]
    found = {(row.currency, row.stage): row for row in rows}
    currencies = sorted({row.currency for row in rows})
    return [found.get((code, stage)) or Row(code, stage, 0) for code in currencies for stage in stages]
