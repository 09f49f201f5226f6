"""The tie-out of a run as a table: stages below each other, what they differ by, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from apportion.money.amount import half_even, plain, units
from apportion.money.currency import units_per_minor
from apportion.tie_out.stage import Stage
from apportion.web.words.told import told

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STAGE_WORDS: Mapping[str, _StrPromise] = {
    Stage.PROVIDER_INVOICES: _("Provider invoices"),
    Stage.BILLED_COST: _("Cost data, billed cost"),
    Stage.EFFECTIVE_COST: _("Cost data, effective cost"),
    Stage.ALLOCATED: _("Allocated"),
    Stage.SETTLED: _("Settled to cents"),
    Stage.STATEMENTS: _("Statements"),
    Stage.JOURNAL: _("Journal"),
}


@dataclass(frozen=True, slots=True)
class Why:
    """A difference with its reason. `exact` is all of its digits where cents do not show them."""

    name: str
    sentence: str
    minor: int
    exact: str
    is_open: bool
    is_aside: bool


@dataclass(frozen=True, slots=True)
class Loose:
    """A difference in a currency that no stage has, perhaps in none that can be read."""

    name: str
    sentence: str
    amount: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage, its amount to the minor unit, and what leads to it from the stage above."""

    words: _StrPromise | str
    minor: int
    exact: str
    step: int | None
    differences: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class InCurrency:
    """The tie-out in one currency."""

    currency: str
    rows: tuple[StageRow, ...]
    is_reporting: bool = False

    @property
    def open_differences(self) -> int:
        """How many differences have to be resolved."""
        return sum(why.is_open for row in self.rows for why in row.differences)


@dataclass(frozen=True, slots=True)
class Table:
    """The whole of it. `loose` are differences in a currency that no stage has."""

    holds: bool
    cost_basis: str
    currencies: tuple[InCurrency, ...]
    loose: tuple[Loose, ...] = ()

    @property
    def open_sentences(self) -> list[str]:
        """What has to be resolved, each as a sentence."""
        shown = [why for part in self.currencies for row in part.rows for why in row.differences] + list(self.loose)
        return [f"{why.name}: {told(why.sentence)}" for why in shown if why.is_open]


def table(document: Mapping[str, Any]) -> Table | None:
    """From the tie-out document that a close keeps; None before the first allocation."""
    if not document:
        return None
    currencies = list(dict.fromkeys(stage["currency"] for stage in document["stages"]))
    made = [_part(code, _of(document["stages"], code), _of(document["differences"], code)) for code in currencies]
    reporting = document.get("reporting")
    if reporting and len(currencies) > 1:
        made.append(_part(reporting["currency"], reporting["stages"], reporting["differences"], reporting=True))
    loose = [each for each in document["differences"] if each["currency"] not in currencies]
    return Table(
        bool(document["holds"]),
        str(document["cost_basis"]),
        tuple(made),
        tuple(_loose(each) for each in loose),
    )


def _of(rows: list[dict[str, Any]], currency: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["currency"] == currency]


def _part(
    currency: str, stages: list[dict[str, Any]], differences: list[dict[str, Any]], *, reporting: bool = False
) -> InCurrency:
    rows: list[StageRow] = []
    before: int | None = None
    for stage in stages:
        amount = units(stage["amount"])
        whys = tuple(_why(each, currency) for each in differences if each["stage"] == stage["stage"])
        step = None if before is None else _minor(amount - before, currency)
        rows.append(
            StageRow(STAGE_WORDS.get(stage["stage"], stage["stage"]), _minor(amount, currency),
                     _exact(amount, currency), step, whys)
        )  # fmt: skip
        before = amount
    return InCurrency(currency, tuple(rows), reporting)


def _why(each: Mapping[str, Any], currency: str) -> Why:
    amount = units(each["amount"])
    return Why(
        str(each["name"]),
        str(each["sentence"]),
        _minor(amount, currency),
        _exact(amount, currency),
        not each["accepted"],
        bool(each["aside"]),
    )


def _loose(each: Mapping[str, Any]) -> Loose:
    """Rows kept aside may have a currency that nobody can read: their digits are shown as they are."""
    amount = f"{plain(units(each['amount']))} {each['currency']}".rstrip()
    return Loose(str(each["name"]), str(each["sentence"]), amount, not each["accepted"])


def _minor(amount: int, currency: str) -> int:
    return half_even(amount, units_per_minor(currency))


def _exact(amount: int, currency: str) -> str:
    """All digits, where minor units do not show them."""
    if amount % units_per_minor(currency) == 0:
        return ""
    return plain(amount)
