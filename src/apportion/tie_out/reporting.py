"""All currencies together in the one that a company reports in.

Up to the settled lines every stage is what its currencies come to at one rate each. Statements and journal are added up
from what they charge and post, whatever the currency, so that conversion is compared with what it was made from.
Stages are compared as exact fractions, and shown to 10⁻¹⁸ so that what is shown adds up too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from apportion.allocate.allocation import Scope
from apportion.invoice.statement import Statement
from apportion.invoice.wording import scope_text
from apportion.money.currency import units_per_minor
from apportion.money.exchange import Exchange
from apportion.money.split import settle, to_step
from apportion.post.journal import Journal, not_posted
from apportion.tie_out.stage import (
    CONVERSION,
    CROSS_RATE,
    UNEXPLAINED,
    Difference,
    InCurrency,
    Part,
    Reporting,
    Row,
    Stage,
)
from apportion.tie_out.sums import settled_units

_CHARGED = (Stage.STATEMENTS, Stage.JOURNAL)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A named part of the difference between a stage and the one before it, in units of the reporting currency."""

    stage: Stage
    name: str
    units: Fraction
    reason: str
    sentence: str
    accepted: bool


def reported(
    asked: InCurrency,
    rows: Sequence[Row],
    differences: Sequence[Difference],
    statements: Sequence[Statement],
    journal: Journal,
) -> Reporting:
    """The stages of `rows`, which are those of every billing currency, and their differences in one currency.

    Raises `MissingRateError` where a currency cannot be brought into it.
    """
    exchange, into = asked.exchange, asked.currency
    amounts: dict[Stage, dict[str, int]] = {row.stage: {} for row in rows}
    for row in rows:
        if row.stage not in _CHARGED:
            amounts[row.stage][row.currency] = row.units
    if rows:
        amounts[Stage.STATEMENTS] = _stated(statements)
        amounts[Stage.JOURNAL] = _posted(statements, journal)
    exact = {
        stage: {currency: units * exchange.value(currency, into) for currency, units in sorted(found.items())}
        for stage, found in amounts.items()
    }
    pieces = [
        *_known(differences, exchange, into),
        *_conversions(statements, exchange, into),
    ]
    stages = [stage for stage in Stage if stage in exact]
    shown = [_row(stage, exact[stage], into) for stage in stages]
    found: list[Difference] = []
    for place, row in enumerate(shown[1:], start=1):
        before = shown[place - 1]
        rest = _total(exact[row.stage]) - _total(exact[before.stage])
        found += _differences(row, row.units - before.units, rest, [each for each in pieces if each.stage is row.stage])
    currencies = sorted({currency for each in exact.values() for currency in each if currency != into})
    return Reporting(into, tuple(exchange.rate(currency, into) for currency in currencies), tuple(shown), tuple(found))


def _stated(statements: Iterable[Statement]) -> dict[str, int]:
    found: dict[str, int] = {}
    for statement in statements:
        for total in statement.totals:
            found[total.currency] = found.get(total.currency, 0) + total.minor * units_per_minor(total.currency)
    return found


def _posted(statements: Sequence[Statement], journal: Journal) -> dict[str, int]:
    amounts = [
        (posting.currency, posting.amount_minor)
        for entry in journal.entries
        for posting in entry.postings
        if posting.ref
    ]
    amounts += [(each.currency, each.minor) for each in not_posted(statements)]
    found: dict[str, int] = {}
    for currency, minor in amounts:
        found[currency] = found.get(currency, 0) + minor * units_per_minor(currency)
    return found


def _row(stage: Stage, exact: Mapping[str, Fraction], into: str) -> Row:
    """Shown to 10⁻¹⁸: the sum is rounded once, and its parts add up to it."""
    parts = _settled(list(exact.values()), _rounded(_total(exact)))
    return Row(into, stage, sum(parts), tuple(Part(name, units) for name, units in zip(exact, parts, strict=True)))


def _known(differences: Iterable[Difference], exchange: Exchange, into: str) -> list[_Piece]:
    """The differences of every billing currency, added up by reason: they are the same ones, seen in another currency.

    Rows kept aside are in no stage, and where a currency is not readable there is no rate.
    """
    found: dict[tuple[Stage, str, str, bool], tuple[int, dict[str, None]]] = {}
    for each in differences:
        if not each.aside:
            key = (each.stage, each.currency, each.reason, each.accepted)
            units, sentences = found.get(key, (0, {}))
            found[key] = (units + each.units, sentences | {each.sentence: None})
    return [
        _Piece(
            stage,
            currency,
            units * exchange.value(currency, into),
            reason,
            next(iter(sentences)) if len(sentences) == 1 else f"see the differences in {currency}",
            accepted,
        )
        for (stage, currency, reason, accepted), (units, sentences) in found.items()
    ]


def _conversions(statements: Iterable[Statement], exchange: Exchange, into: str) -> list[_Piece]:
    """From settled to charged. Each scope may move to the nearest minor unit of the currency it is charged in, and no
    further; where rates contradict each other, what that makes is a piece of its own.
    """
    sums: dict[tuple[Scope, str], tuple[int, int]] = {}
    for statement in statements:
        for line in statement.lines:
            if line.charged:
                key = (line.scope, line.charged.currency)
                settled, charged = sums.get(key, (0, 0))
                sums[key] = (settled + settled_units(line), charged + line.charged.minor)
    faults: list[_Piece] = []
    moved: dict[tuple[str, str], tuple[Fraction, Fraction]] = {}
    for (scope, currency), (settled, charged) in sorted(sums.items()):
        rate, onward = exchange.value(scope.currency, currency), exchange.value(currency, into)
        one = units_per_minor(currency)
        due = to_step(settled * rate.numerator, one * rate.denominator)
        cents, across = moved.get((scope.currency, currency), (Fraction(0), Fraction(0)))
        moved[scope.currency, currency] = (
            cents + (due * one - settled * rate) * onward,
            across + settled * (rate * onward - exchange.value(scope.currency, into)),
        )
        if due != charged:
            sentence = f"{scope_text(scope)} is not charged in {currency} as it comes to at the rate"
            fault = (charged - due) * one * onward
            faults.append(_Piece(Stage.STATEMENTS, scope.currency, fault, UNEXPLAINED, sentence, accepted=False))
    pieces = [
        _Piece(Stage.STATEMENTS, billed, units, reason, sentence, accepted=True)
        for (billed, currency), amounts in moved.items()
        for units, reason, sentence in zip(
            amounts,
            (CONVERSION, CROSS_RATE),
            (
                f"converted to {currency} and rounded once to whole minor units for each provider invoice",
                f"the rates by way of {currency} and straight to {into} are not the same",
            ),
            strict=True,
        )
        if units
    ]
    return pieces + faults


def _differences(row: Row, whole: int, exact: Fraction, pieces: Sequence[_Piece]) -> list[Difference]:
    """The pieces, shown so that they add up to the difference of the rows; what no piece explains is one more."""
    rest = exact - sum((piece.units for piece in pieces), Fraction(0))
    named = [*pieces]
    if rest:
        named.append(_Piece(row.stage, "all of it", rest, UNEXPLAINED, "no reason was found", accepted=False))
    named.sort(key=lambda each: (each.name, each.reason))
    shown = _settled([each.units for each in named], whole)
    return [
        Difference(row.currency, row.stage, each.name, units, each.reason, each.sentence, each.accepted)
        for each, units in zip(named, shown, strict=True)
    ]


def _settled(amounts: Sequence[Fraction], whole: int) -> list[int]:
    step = lcm(*(amount.denominator for amount in amounts))
    return settle([amount.numerator * (step // amount.denominator) for amount in amounts], step, whole)


def _rounded(amount: Fraction) -> int:
    return to_step(amount.numerator, amount.denominator)


def _total(amounts: Mapping[str, Fraction]) -> Fraction:
    return sum(amounts.values(), Fraction(0))
