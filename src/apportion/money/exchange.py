"""Rates of exchange: one currency in another, exactly, by the choice that a company made.

Takes tables of published or agreed rates, a choice of day, month average or agreed rate, and a period; gives for any
two currencies a `Rate` that says which published figures it is made of. Rates are fractions: the inverse of a rate,
a mean and a cross rate lose nothing. What cannot be found, or is too old, is refused and never guessed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from math import prod

from apportion.errors import BadValueError, MissingRateError
from apportion.money.currency import exponent

Pair = tuple[str, str]

OLDEST = 7  # days; the longest the ECB pauses is from Maundy Thursday to the Tuesday after Easter


class Kind(StrEnum):
    """Which of a table's rates count for a period."""

    DAY = "day"
    AVERAGE = "month average"
    AGREED = "agreed"


@dataclass(frozen=True, slots=True)
class Choice:
    """``last day``, ``last day before``, ``day 20``, ``month average`` or ``agreed``, as `kind` and `day`.

    A day means the last one with a rate at or before it. `day` is the day of the month, 31 for the last one and 0
    for the last one of the month before; it says nothing where the kind is another.
    """

    kind: Kind
    day: int = 31

    @classmethod
    def parse(cls, text: str) -> Choice:
        """Read a choice as people write it. Raises `BadValueError`."""
        words = " ".join(text.split())
        named = {
            "last day": cls(Kind.DAY),
            "last day before": cls(Kind.DAY, 0),
            "month average": cls(Kind.AVERAGE),
            "agreed": cls(Kind.AGREED),
        }
        if words in named:
            return named[words]
        found = re.fullmatch(r"day ([1-9]|[12]\d|3[01])", words)
        if found:
            return cls(Kind.DAY, int(found[1]))
        raise BadValueError(
            f"'{text}' is no way to choose a rate of exchange.",
            advice="It can be 'last day', 'last day before', 'day 20', 'month average' or 'agreed'.",
        )

    def reference(self, first_on: date, last_on: date) -> date:
        """The day that is meant in the month from `first_on` to `last_on`."""
        return min(first_on + timedelta(days=self.day - 1), last_on)


@dataclass(frozen=True, slots=True)
class Table:
    """The rates of one source, `name`: exact decimal texts, each `to` currency for one of the `from` currency.

    `published` holds for each pair the days and rates, in the order of the days; `agreed` holds rates of a whole
    billing period, by its text (``2026-10``).
    """

    name: str
    published: Mapping[Pair, Sequence[tuple[date, str]]]
    agreed: Mapping[Pair, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Leg:
    """One published rate on the way from one currency to another: `value` of `to_currency` for one `from_currency`.

    `inverted` says that the source quotes the other way round: one of `to_currency` in `from_currency`. `days` rates,
    of `first_on` to `last_on`, are in it (their mean, as quoted); 0 for a rate agreed for that time.
    """

    from_currency: str
    to_currency: str
    value: Fraction
    inverted: bool
    first_on: date
    last_on: date
    days: int
    source: str

    @property
    def quoted(self) -> Fraction:
        """The rate as the source quotes it, or the mean of those."""
        return inverse(self.value) if self.inverted else self.value


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of a currency is in another; more than one leg makes a cross rate, their exact product."""

    legs: tuple[Leg, ...]

    def __post_init__(self) -> None:
        joined = all(before.to_currency == leg.from_currency for before, leg in pairwise(self.legs))
        if not self.legs or not joined or any(leg.value <= 0 for leg in self.legs):
            raise BadValueError("A rate is made of one or more positive rates, each from the currency before.")

    @property
    def from_currency(self) -> str:
        return self.legs[0].from_currency

    @property
    def to_currency(self) -> str:
        return self.legs[-1].to_currency

    @property
    def value(self) -> Fraction:
        """How much of `to_currency` is one of `from_currency`."""
        return prod((leg.value for leg in self.legs), start=Fraction(1))


class Exchange:
    """The rates of one period. Tables are asked in their order; the first that has a pair of currencies is taken."""

    def __init__(
        self,
        tables: Sequence[Table],
        choice: Choice,
        first_on: date,
        last_on: date,
        oldest: int = OLDEST,
    ) -> None:
        """`first_on` and `last_on` are the first and last day of the period; no rate is more than `oldest` days off."""
        self._tables = tuple(tables)
        self._choice = choice
        self._first_on, self._last_on = first_on, last_on
        self._oldest = oldest
        self._found: dict[Pair, Rate] = {}
        self._currencies = sorted({code for table in tables for pair in _pairs(table) for code in pair})

    def rate(self, from_currency: str, to_currency: str) -> Rate:
        """The rate between two different currencies: as quoted or its inverse, else the shortest way across.

        Raises `MissingRateError` where no way leads from one to the other, and `BadValueError` for no currency.
        """
        pair = (from_currency, to_currency)
        if pair not in self._found:
            exponent(from_currency), exponent(to_currency)
            if from_currency == to_currency:
                raise BadValueError(f"Nothing is converted from {from_currency} to itself.")
            self._found[pair] = Rate(self._way(from_currency, to_currency))
        return self._found[pair]

    def value(self, from_currency: str, to_currency: str) -> Fraction:
        """The rate's value, and 1 from a currency to itself. Raises as `rate` does."""
        return Fraction(1) if from_currency == to_currency else self.rate(from_currency, to_currency).value

    def _way(self, start: str, end: str) -> tuple[Leg, ...]:
        """Breadth first, so that the way is a shortest one; of those, the first by table and currency code."""
        ways: dict[str, tuple[Leg, ...]] = {start: ()}
        waiting = deque([start])
        while waiting:
            here = waiting.popleft()
            for leg in self._legs_from(here):
                if leg.to_currency not in ways:
                    ways[leg.to_currency] = (*ways[here], leg)
                    waiting.append(leg.to_currency)
            if end in ways:
                return ways[end]
        raise self._missing(start, end)

    def _legs_from(self, here: str) -> Iterator[Leg]:
        for table in self._tables:
            for there in self._currencies:
                for pair in ((here, there), (there, here)):
                    leg = self._leg(table, pair, inverted=pair[0] != here)
                    if leg is not None:
                        yield leg
                        break

    def _leg(self, table: Table, pair: Pair, *, inverted: bool) -> Leg | None:
        """The rate of a pair by the choice; None where the table has none that is recent enough."""
        if self._choice.kind is Kind.AGREED:
            text = table.agreed.get(pair, {}).get(f"{self._first_on:%Y-%m}")
            return _made(table, pair, inverted, [Fraction(text)], self._first_on, self._last_on, 0) if text else None
        published = table.published.get(pair, ())
        if self._choice.kind is Kind.AVERAGE:
            inside = [(day, text) for day, text in published if self._first_on <= day <= self._last_on]
            if self._gap([day for day, _ in inside]):
                return None
        else:
            reference = self._choice.reference(self._first_on, self._last_on)
            inside = [
                (day, text) for day, text in published if reference - timedelta(days=self._oldest) <= day <= reference
            ][-1:]
        if not inside:
            return None
        rates = [Fraction(text) for _, text in inside]
        return _made(table, pair, inverted, rates, inside[0][0], inside[-1][0], len(rates))

    def _gap(self, days: Sequence[date]) -> tuple[date, date] | None:
        """The first stretch of the period without a rate that is longer than `oldest` days."""
        for before, after in pairwise([self._first_on, *days, self._last_on]):
            if (after - before).days > self._oldest:
                return before, after
        return None

    def _missing(self, start: str, end: str) -> MissingRateError:
        month = f"{self._first_on:%Y-%m}"
        said = f"There is no rate of exchange from {start} to {end} for {month}."
        if not self._tables:
            return MissingRateError(said, advice="Name files of rates in the settings: exchange, rates.")
        if self._choice.kind is Kind.AGREED:
            return MissingRateError(said, advice=f"Add a row for period {month} to a file of agreed rates.")
        known = {code for table in self._tables for pair in table.published for code in pair}
        reasons = [f"No file has {code}." for code in (start, end) if code not in known]
        reasons += [reason for code in (start, end) for reason in self._too_old(code)]
        wanted = (
            f"the days of {month}"
            if self._choice.kind is Kind.AVERAGE
            else str(self._choice.reference(self._first_on, self._last_on))
        )
        return MissingRateError(
            " ".join([said, *dict.fromkeys(reasons)]), advice=f"Bring the files of rates up to {wanted}."
        )

    def _too_old(self, code: str) -> Iterator[str]:
        """Why the rates that a table has of a currency do not count."""
        for table in self._tables:
            for pair in sorted(table.published):
                if code not in pair or self._leg(table, pair, inverted=False):
                    continue
                days = [day for day, _ in table.published[pair]]
                said = f"{table.name} has {pair[0]} to {pair[1]}"
                if self._choice.kind is Kind.AVERAGE:
                    gap = self._gap([day for day in days if self._first_on <= day <= self._last_on])
                    if gap:
                        yield f"{said}, but more than {self._oldest} days apart: none between {gap[0]} and {gap[1]}."
                else:
                    reference = self._choice.reference(self._first_on, self._last_on)
                    older = [day for day in days if day <= reference]
                    newest = f"the newest is of {older[-1]}, more than {self._oldest} days" if older else "none"
                    yield f"{said}, but {newest} before {reference}."


def inverse(value: Fraction) -> Fraction:
    """One divided by `value`, exactly."""
    return Fraction(value.denominator, value.numerator)


def exact_text(value: Fraction) -> str:
    """A rate exactly: ``1.0852`` where its decimals end, else ``5000/5426`` in lowest terms (``2500/2713``)."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    places = max(twos, fives)
    digits = f"{value.numerator * 10**places // value.denominator:0{places + 1}d}"
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def shown(value: Fraction, figures: int = 7) -> str:
    """A rate for people: exactly where its decimals end soon, else cut to so many figures, marked by ``…``."""
    text = exact_text(value)
    if "/" not in text and len(text.replace(".", "").lstrip("0")) <= figures + 3:
        return text
    places = max(2, figures - len(str(value.numerator // value.denominator)))
    while value * 10**places < 10 ** (figures - 1) and value < 1:
        places += 1
    cut = value.numerator * 10**places // value.denominator
    whole, fraction = divmod(cut, 10**places)
    return f"{whole}.{fraction:0{places}d}…"


def _made(
    table: Table, pair: Pair, inverted: bool, rates: Sequence[Fraction], first_on: date, last_on: date, days: int
) -> Leg:
    mean = sum(rates, Fraction(0)) * Fraction(1, len(rates))
    here, there = reversed(pair) if inverted else pair
    return Leg(here, there, inverse(mean) if inverted else mean, inverted, first_on, last_on, days, table.name)


def _pairs(table: Table) -> set[Pair]:
    return {*table.published, *table.agreed}
