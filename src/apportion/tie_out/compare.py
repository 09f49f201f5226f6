"""The stages, each added up on its own, and the differences between neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from apportion.allocate.allocation import Allocation, Scope
from apportion.allocate.policy import CostBasis
from apportion.allocate.rule import Holder, Target
from apportion.errors import ConservationError
from apportion.invoice.statement import Statement
from apportion.invoice.wording import scope_text
from apportion.money.currency import units_per_minor
from apportion.periods import BillingPeriod
from apportion.post.charging import OnTop
from apportion.post.journal import Journal
from apportion.reconcile.compare import Comparison, compare
from apportion.reconcile.provider_invoice import ProviderInvoice
from apportion.tie_out.bridge import bridge
from apportion.tie_out.charged import charged_on_top
from apportion.tie_out.details import details, plain_scope, scope_of
from apportion.tie_out.reporting import reported
from apportion.tie_out.settled import settled
from apportion.tie_out.stage import UNEXPLAINED, Difference, InCurrency, Row, Stage, TieOut
from apportion.tie_out.sums import complete, invoice_rows, journal_rows, line_rows, settled_units, statement_rows, sums
from apportion.warehouse.record import Quarantined
from apportion.warehouse.snapshot import Total


def tie_out(
    period: BillingPeriod,
    totals: Sequence[Total],
    provider_invoices: Sequence[ProviderInvoice],
    quarantined: Sequence[Quarantined],
    allocation: Allocation,
    statements: Sequence[Statement],
    journal: Journal,
    reporting: InCurrency | None = None,
    unsealed: BillingPeriod | None = None,
    on_top: Sequence[OnTop] = (),
) -> TieOut:
    """Compare one period from end to end, in every currency, and in the one to report in.

    `provider_invoices` are those of `reconcile.provider_invoice.provider_invoices`. Rows kept aside in `quarantined`
    are a difference that must be resolved, whatever they come to: as long as there are any, the bill is not
    complete. Raises `ConservationError` when the documents are of different periods, or charge in another currency
    where there is none to report in; and `MissingRateError`.
    `unsealed` is the month before, where it was allocated but could hand nothing on because it is not sealed.
    `on_top` is what other companies are charged beside cost, by their statements: the journal has it, and it is no part
    of any stage, so it stands aside; only where the journal says another amount must that be resolved.
    """
    periods = {allocation.period, journal.period, *(statement.period for statement in statements)}
    if periods != {period}:
        raise ConservationError(
            f"The documents are not all of {period}: {', '.join(sorted(map(str, periods)))}.",
            advice="Allocate, write the statements and make the journal again.",
        )
    if reporting is None and any(line.charged for statement in statements for line in statement.lines):
        raise ConservationError("Statements in other currencies can be compared in a reporting currency only.")
    comparisons = compare(provider_invoices, totals)
    basis = Stage.EFFECTIVE_COST if allocation.cost_basis is CostBasis.EFFECTIVE else Stage.BILLED_COST
    rows = [
        *invoice_rows(provider_invoices),
        *sums(Stage.BILLED_COST, ((total.currency, "", total.billed_units) for total in totals)),
        *line_rows(allocation),
        *statement_rows(statements),
        *journal_rows(statements, journal),
    ]
    if basis is Stage.EFFECTIVE_COST:
        rows += sums(basis, ((total.currency, "", total.effective_units) for total in totals))
    pieces = [
        *_reconciled(comparisons),
        *_kept_aside(quarantined),
        *(bridge(totals) if basis is Stage.EFFECTIVE_COST else []),
        *_allocated(totals, allocation),
        *settled(allocation, unsealed),
        *_stated(allocation, statements),
        *_posted(statements, journal),
        *charged_on_top(on_top),
    ]
    named = {each.currency for each in pieces} | {row.currency for row in rows if row.stage is not Stage.JOURNAL}
    rows = complete([row for row in rows if row.units or row.currency in named], basis)
    differences = pieces + _unexplained(rows, pieces)
    order = {stage: place for place, stage in enumerate(Stage)}
    differences.sort(key=lambda each: (each.currency, order[each.stage], each.aside, each.name, each.reason))
    return TieOut(
        period,
        allocation.cost_basis,
        tuple(rows),
        details(comparisons, totals, allocation, statements),
        tuple(differences),
        reported(reporting, rows, differences, statements, journal) if reporting else None,
    )


def _reconciled(comparisons: Iterable[Comparison]) -> list[Difference]:
    return [
        Difference(
            comparison.key.currency,
            Stage.BILLED_COST,
            str(comparison.key),
            difference.units,
            str(difference.reason),
            difference.sentence,
            accepted=difference.within_tolerance,
        )
        for comparison in comparisons
        for difference in comparison.differences
    ]


def _kept_aside(quarantined: Iterable[Quarantined]) -> list[Difference]:
    return [
        Difference(
            each.currency,
            Stage.BILLED_COST,
            f"{each.rows:,} row{'' if each.rows == 1 else 's'} kept aside",
            each.billed_units,
            "quarantined",
            "not in the cost data until they are repaired and delivered again",
            accepted=False,
            aside=True,
        )
        for each in quarantined
        if each.rows
    ]


def _allocated(totals: Iterable[Total], allocation: Allocation) -> list[Difference]:
    """By scope, so that a gain in one invoice cannot hide a loss in another."""
    delivered: dict[Scope, int] = {}
    for total in totals:
        scope, units = scope_of(total, allocation.cost_basis)
        delivered[scope] = delivered.get(scope, 0) + units
    read = _by_scope((cell.scope, cell.units) for cell in allocation.cells)
    held = _by_scope((line.scope, line.units) for line in allocation.lines)
    found: list[Difference] = []
    for scope in sorted(delivered.keys() | held.keys()):
        units = held.get(scope, 0) - delivered.get(scope, 0)
        if units:
            is_read = read.get(scope, 0) == delivered.get(scope, 0)
            sentence = (
                "sharing lost or added cost"
                if is_read
                else "the charges that were allocated are not the charges that were delivered"
            )
            found.append(_fault(scope.currency, Stage.ALLOCATED, scope_text(scope), units, sentence))
    return found


def _by_scope(amounts: Iterable[tuple[Scope, int]]) -> dict[Scope, int]:
    found: dict[Scope, int] = {}
    for scope, units in amounts:
        found[plain_scope(scope)] = found.get(plain_scope(scope), 0) + units
    return found


def _stated(allocation: Allocation, statements: Iterable[Statement]) -> list[Difference]:
    """Holder by holder and scope by scope: the lines of the allocation against the lines of the statements."""
    missing: dict[tuple[Target, Scope], int] = {}
    for line in allocation.lines:
        key = (line.holder, line.scope)
        missing[key] = missing.get(key, 0) - settled_units(line)
    for statement in statements:
        for stated in statement.lines:
            key = (statement.holder, stated.scope)
            missing[key] = missing.get(key, 0) + stated.minor * units_per_minor(stated.scope.currency)
    return [
        _fault(
            scope.currency,
            Stage.STATEMENTS,
            f"{holder}, {scope_text(scope)}",
            units,
            "the statements do not show what was settled",
        )
        for (holder, scope), units in sorted(missing.items())
        if units
    ]


def _posted(statements: Sequence[Statement], journal: Journal) -> list[Difference]:
    """Each line of the journal against the statements it names, and statements that no line names."""
    owed = {
        (str(statement.number), total.currency): total.minor
        for statement in statements
        if statement.holder.holder is Holder.COST_GROUP
        for total in statement.totals
    }
    found: list[Difference] = []
    for (ref, currency), minor in sorted(_posted_together(journal).items()):
        stated = sum(owed.pop((number, currency), 0) for number in ref.split())
        if minor != stated:
            units = (minor - stated) * units_per_minor(currency)
            found.append(_fault(currency, Stage.JOURNAL, ref, units, "the journal does not post what is stated"))
    # Statements with one coding that come to zero together have no line, and need none.
    rest: dict[str, list[tuple[str, int]]] = {}
    for (number, currency), minor in owed.items():
        if minor:
            rest.setdefault(currency, []).append((number, minor))
    for currency, left in sorted(rest.items()):
        if sum(minor for _, minor in left):
            found += [
                _fault(
                    currency, Stage.JOURNAL, number, -minor * units_per_minor(currency), "no line posts this statement"
                )
                for number, minor in left
            ]
    return found


def _posted_together(journal: Journal) -> dict[tuple[str, str], int]:
    """What is posted in each currency for statements that share lines, by their numbers apart by blanks.

    A line names statements or lines of them (``ST-2026-10-0004:3``). Where accounts go by service, a statement is in
    several lines, each with others: then what must agree is the sum over all that hang together.
    """
    together: dict[tuple[str, str], list[str]] = {}
    sums: dict[tuple[str, str], int] = {}
    for entry in journal.entries:
        for posting in entry.postings:
            numbers = list(posting.documents)
            if not numbers:
                continue
            at = posting.currency
            hang = [together[at, number] for number in numbers if (at, number) in together]
            minor = posting.amount_minor + sum(
                sums.pop((at, " ".join(each)), 0) for each in {id(group): group for group in hang}.values()
            )
            merged = list(dict.fromkeys([*(number for group in hang for number in group), *numbers]))
            together.update({(at, number): merged for number in merged})
            sums[at, " ".join(merged)] = minor
    return {(ref, currency): minor for (currency, ref), minor in sums.items()}


def _fault(currency: str, stage: Stage, name: str, units: int, sentence: str) -> Difference:
    return Difference(currency, stage, name, units, UNEXPLAINED, sentence, accepted=False)


def _unexplained(rows: Sequence[Row], pieces: Sequence[Difference]) -> list[Difference]:
    """What is left between two neighbours after every named piece."""
    known: dict[tuple[str, Stage], int] = {}
    for piece in pieces:
        if not piece.aside:
            key = (piece.currency, piece.stage)
            known[key] = known.get(key, 0) + piece.units
    found: list[Difference] = []
    for before, row in pairwise(rows):
        if before.currency == row.currency:
            rest = row.units - before.units - known.get((row.currency, row.stage), 0)
            if rest:
                found.append(_fault(row.currency, row.stage, "all of it", rest, "no reason was found"))
    return found
