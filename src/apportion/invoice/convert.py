"""Statements in the currencies of their cost groups.

What is converted is the settled amount, as it stands on the line and adds up to the provider's invoice: so an owner can
check a line with a calculator, and the payer's books show the invoice at the same rate. Within each scope, everything
charged in one currency is converted together and rounded once, and settled by largest remainder like any other cents:
first holders, then their lines. A line that is in its statement's currency already stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from apportion.allocate.allocation import Line, Scope
from apportion.allocate.rule import Holder, Target
from apportion.errors import ConservationError, MissingRateError
from apportion.invoice.statement import Charged, Statement, StatementLine, totals
from apportion.money.currency import units_per_minor
from apportion.money.exchange import Exchange, Rate
from apportion.money.split import settle
from apportion.organization.cost_group import Tree


class _Held(NamedTuple):
    """What a holder has in one scope: exact units, and minor units of the scope's currency."""

    units: int
    minor: int


class _Whole(NamedTuple):
    """That, the rate, and what it comes to when charged: units and minor units of the statement's currency."""

    held: _Held
    rate: Rate
    units: int
    minor: int


def convert(made: Iterable[Statement], lines: Iterable[Line], tree: Tree, exchange: Exchange) -> tuple[Statement, ...]:
    """The statements, each in its cost group's currency, where it has one.

    `lines` are all lines of the allocation, also those of holders whose statements are not among `made`: cents are
    settled among all of them. Unallocated and kept central cost is charged to nobody and is not converted. Raises
    `MissingRateError`, and `ConservationError` where the statements do not hold what was allocated.
    """
    settled = _settled(lines, tree, exchange)
    if not settled:
        return tuple(made)
    return tuple(_converted(statement, settled) for statement in made)


def charged_totals(lines: Iterable[Line], tree: Tree, exchange: Exchange) -> dict[Target, dict[str, int]]:
    """What each holder's statement comes to, in minor units by currency, without its lines. `lines` are all of them.

    Raises `MissingRateError`.
    """
    lines = tuple(lines)
    settled = _settled(lines, tree, exchange)
    found: dict[Target, dict[str, int]] = {}
    amounts = [
        (line.holder, line.scope.currency, line.minor) for line in lines if (line.holder, line.scope) not in settled
    ]
    amounts += [(holder, whole.rate.to_currency, whole.minor) for (holder, _), whole in settled.items()]
    for holder, currency, minor in amounts:
        sums = found.setdefault(holder, {})
        sums[currency] = sums.get(currency, 0) + minor
    return found


def needed(lines: Iterable[Line], tree: Tree, exchange: Exchange, reporting: str = "") -> None:
    """Raise `MissingRateError` for the first line that cannot be brought into its cost group's currency, with the
    group's name, or from there or its own into the reporting currency.
    """
    pairs = {(line.holder, line.scope.currency) for line in lines}
    for holder, billed in sorted(pairs):
        currency = _currency(holder, tree) or billed
        try:
            exchange.value(billed, currency)
            for each in (currency, billed):
                exchange.value(each, reporting or each)
        except MissingRateError as error:
            named = f"The statement of cost group '{holder.code}' is in {currency}. " if currency != billed else ""
            raise MissingRateError(named + error.sentence, place=error.place, advice=error.advice) from error


def _currency(holder: Target, tree: Tree) -> str:
    return tree[holder.code].currency if holder.holder is Holder.COST_GROUP else ""


def _settled(lines: Iterable[Line], tree: Tree, exchange: Exchange) -> Mapping[tuple[Target, Scope], _Whole]:
    """What each holder is charged in each scope; cents go round in the order of the tree."""
    place = {code: number for number, code in enumerate(tree)}
    wanted: dict[Target, str] = {}
    held: dict[tuple[Scope, str], dict[Target, _Held]] = {}
    for line in lines:
        if line.holder not in wanted:
            wanted[line.holder] = _currency(line.holder, tree)
        currency = wanted[line.holder]
        if currency not in ("", line.scope.currency):
            holders = held.setdefault((line.scope, currency), {})
            before = holders.get(line.holder, _Held(0, 0))
            holders[line.holder] = _Held(before.units + line.units, before.minor + line.minor)
    found: dict[tuple[Target, Scope], _Whole] = {}
    for (scope, currency), holders in held.items():
        rate = exchange.rate(scope.currency, currency)
        order = sorted(holders, key=lambda holder: place[holder.code])
        units, minors = _in_currency([holders[holder] for holder in order], rate)
        for holder, whole, minor in zip(order, units, minors, strict=True):
            found[holder, scope] = _Whole(holders[holder], rate, whole, minor)
    return found


def _in_currency(
    amounts: Sequence[_Held | StatementLine], rate: Rate, units: int | None = None, minor: int | None = None
) -> tuple[list[int], list[int]]:
    """Amounts at a rate, in units and in minor units, each adding up to its whole (or else to the rounded sum).

    Nothing is rounded on the way: an amount stands here as so many times the denominator of the rate.
    """
    numerator, denominator = rate.value.numerator, rate.value.denominator
    one = units_per_minor(rate.from_currency) * numerator
    step = units_per_minor(rate.to_currency) * denominator
    return (
        settle([amount.units * numerator for amount in amounts], denominator, units),
        settle([amount.minor * one for amount in amounts], step, minor),
    )


def _converted(statement: Statement, settled: Mapping[tuple[Target, Scope], _Whole]) -> Statement:
    by_scope: dict[Scope, list[StatementLine]] = {}
    for line in statement.lines:
        by_scope.setdefault(line.scope, []).append(line)
    charged: dict[int, Charged] = {}
    for scope, lines in by_scope.items():
        whole = settled.get((statement.holder, scope))
        if whole is None:
            continue
        if whole.held != (sum(line.units for line in lines), sum(line.minor for line in lines)):
            raise ConservationError(f"The lines of statement {statement.number} are not what was allocated.")
        parts = _in_currency(lines, whole.rate, whole.units, whole.minor)
        for line, units, minor in zip(lines, *parts, strict=True):
            charged[line.number] = Charged(whole.rate.to_currency, units, minor, whole.rate)
    if not charged:
        return statement
    converted = tuple(replace(line, charged=charged.get(line.number)) for line in statement.lines)
    return replace(statement, lines=converted, totals=totals(converted))
