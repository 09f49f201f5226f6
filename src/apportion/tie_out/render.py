"""A tie-out as text for a terminal of 100 columns and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby

from apportion.allocate.policy import CostBasis
from apportion.invoice import rates
from apportion.invoice.wording import exact
from apportion.ledger.account import tidy
from apportion.money.amount import plain
from apportion.money.exchange import exact_text
from apportion.tie_out.stage import Difference, Reporting, Row, Stage, TieOut

VERSION = 1
WIDTH = 100

_STAGES = {
    Stage.PROVIDER_INVOICES: "Provider invoices",
    Stage.BILLED_COST: "Cost data, BilledCost",
    Stage.EFFECTIVE_COST: "Cost data, EffectiveCost",
    Stage.ALLOCATED: "Allocated",
    Stage.SETTLED: "Settled to minor units",
    Stage.STATEMENTS: "Statements",
    Stage.JOURNAL: "Journal",
}
_BASES = {CostBasis.EFFECTIVE: "effective cost", CostBasis.BILLED: "billed cost"}


def render_json(tied: TieOut) -> str:
    """The tie-out as JSON text that ends with a line end: the shape of docs/reference/tie-out.md."""
    return json.dumps(document(tied), ensure_ascii=False, indent=2) + "\n"


def document(tied: TieOut) -> dict[str, object]:
    """The tie-out as a plain value, as it is written in JSON; amounts are exact decimal strings."""
    return {
        "document": "tie_out",
        "version": VERSION,
        "period": str(tied.period),
        "cost_basis": str(tied.cost_basis),
        "holds": tied.holds,
        "stages": _stages(tied.rows),
        "differences": _differences(tied.differences),
        "details": [
            {
                "invoice_issuer": detail.invoice_issuer,
                "invoice_id": detail.invoice_id,
                "billing_account_id": detail.billing_account_id,
                "currency": detail.currency,
                "amounts": {str(stage): plain(units) for stage, units in detail.amounts},
            }
            for detail in tied.details
        ],
        "reporting": tied.reporting and _reporting(tied.reporting),
    }


def _stages(rows: Iterable[Row]) -> list[dict[str, object]]:
    return [
        {
            "currency": row.currency,
            "stage": str(row.stage),
            "amount": plain(row.units),
            "parts": [{"name": part.name, "amount": plain(part.units)} for part in row.parts],
        }
        for row in rows
    ]


def _differences(differences: Iterable[Difference]) -> list[dict[str, object]]:
    return [
        {
            "currency": difference.currency,
            "stage": str(difference.stage),
            "name": difference.name,
            "amount": plain(difference.units),
            "reason": difference.reason,
            "sentence": difference.sentence,
            "accepted": difference.accepted,
            "aside": difference.aside,
        }
        for difference in differences
    ]


def _reporting(reporting: Reporting) -> dict[str, object]:
    return {
        "currency": reporting.currency,
        "rates": [
            {
                "from_currency": rate.from_currency,
                "to_currency": rate.to_currency,
                "rate": exact_text(rate.value),
                "dates": rates.rate_dates(rate),
                "source": rates.rate_source(rate),
            }
            for rate in reporting.rates
        ],
        "stages": _stages(reporting.rows),
        "differences": _differences(reporting.differences),
    }


def render_text(tied: TieOut) -> str:
    """Every stage with its parts, and before each stage the differences that lead to it.

    ``~`` marks a difference that may stand, ``!`` one that must be resolved. Amounts are exact and aligned at the
    decimal point.
    """
    return "".join(f"{line.rstrip()}\n" for line in _lines(tied))


def _lines(tied: TieOut) -> Iterator[str]:
    verdict = "holds" if tied.holds else "does not hold"
    yield f"Tie-out of {tied.period} on {_BASES[tied.cost_basis]}: {verdict}"
    rows = {currency: list(of) for currency, of in groupby(tied.rows, key=lambda row: row.currency)}
    unread = [difference for difference in tied.differences if difference.currency not in rows]
    for currency, of in rows.items():
        yield ""
        yield currency
        yield from _currency(currency, of, [each for each in tied.differences if each.currency == currency])
    if tied.reporting:
        yield ""
        yield f"{tied.reporting.currency}, all currencies together"
        yield from _currency(tied.reporting.currency, tied.reporting.rows, list(tied.reporting.differences))
        for rate in tied.reporting.rates:
            yield from textwrap.wrap(tidy(rates.rate_text(rate)), WIDTH, subsequent_indent="  ")
    if unread:
        yield ""
        yield "Currency not readable"
        yield "-" * WIDTH
        yield from _difference_lines(unread, _Amounts("", [each.units for each in unread]))
    yield ""
    count = len(tied.open_differences)
    if count:
        yield f"{count:,} difference{'' if count == 1 else 's'} must be resolved (marked !)."
    else:
        yield "Every cent is accounted for."


def _currency(currency: str, rows: Iterable[Row], differences: list[Difference]) -> Iterator[str]:
    rows = list(rows)
    amounts = _Amounts(
        currency,
        [row.units for row in rows]
        + [part.units for row in rows for part in row.parts]
        + [difference.units for difference in differences],
    )
    yield "-" * WIDTH
    for row in rows:
        yield from _difference_lines([each for each in differences if each.stage is row.stage], amounts)
        yield from _beside(_STAGES[row.stage], amounts.text(row.units), 0)
        for part in row.parts:
            yield from _beside(part.name, amounts.text(part.units), 4)


def _difference_lines(differences: Iterable[Difference], amounts: _Amounts) -> Iterator[str]:
    for each in differences:
        mark = "~" if each.accepted else "!"
        yield from _beside(f"{mark} {each.name}: {each.sentence}", amounts.text(each.units), 2)


class _Amounts:
    """Amounts of one currency at one width, decimal points below each other."""

    def __init__(self, currency: str, units: Iterable[int]) -> None:
        self._currency = currency
        texts = [self._exact(each) for each in units]
        self._fraction = max((len(_fraction(text)) for text in texts), default=0)
        self._whole = max((len(text) - len(_fraction(text)) for text in texts), default=0)

    def text(self, units: int) -> str:
        """An amount, padded on both sides of the decimal point."""
        shown = self._exact(units)
        fraction = _fraction(shown)
        return f"{shown.removesuffix(fraction):>{self._whole}}{fraction:<{self._fraction}}"

    def _exact(self, units: int) -> str:
        return exact(units, self._currency) if self._currency else plain(units)


def _fraction(text: str) -> str:
    point = text.find(".")
    return text[point:] if point >= 0 else ""


def _beside(text: str, amount: str, indent: int) -> Iterator[str]:
    """Text on the left, going on below where it is long, and the amount at the right edge."""
    room = max(WIDTH - indent - len(amount) - 2, 20)
    hanging = "  " if text[:2] in {"~ ", "! "} else ""
    first, *rest = textwrap.wrap(tidy(text), room, subsequent_indent=hanging) or [""]
    yield f"{' ' * indent}{first:<{room}}  {amount}"
    yield from (f"{' ' * indent}{line}" for line in rest)
