"""A difference between a provider invoice and the cost data: how much, why, and whether it may stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isqrt

from apportion.money.currency import units_per_minor
from apportion.money.split import split


class Reason(StrEnum):
    """Why a provider invoice and the cost data differ."""

    ROUNDING = "rounding"
    TAX = "tax"
    OPEN = "open"
    MISSING_IN_COST_DATA = "missing_in_cost_data"
    MISSING_IN_INVOICES = "missing_in_invoices"
    BEYOND_TOLERANCE = "beyond_tolerance"


SENTENCES = {
    Reason.ROUNDING: "within the tolerance for rounding",
    Reason.TAX: "tax lines, which the provider works out on the invoice",
    Reason.OPEN: "the provider has not issued this invoice yet",
    Reason.MISSING_IN_COST_DATA: "the cost data has no row of this provider invoice",
    Reason.MISSING_IN_INVOICES: "no provider invoice carries this cost",
    Reason.BEYOND_TOLERANCE: "more than the tolerance for rounding",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """`units` is cost data minus provider invoice, in 10⁻¹⁸ of the currency.

    `within_tolerance` says that the difference may stand: it is small enough, or FOCUS exempts it (tax lines and
    open invoices).
    """

    units: int
    reason: Reason
    within_tolerance: bool

    @property
    def sentence(self) -> str:
        """The reason, said to people."""
        return SENTENCES[self.reason]


def tolerance(rows: int, currency: str) -> int:
    """How far a provider invoice may lie from the sum of `rows` rows, in units: max(100 u, 0.5 √rows u).

    u is the currency's subunit. Half a subunit is a whole number of units for every currency, so the root is
    taken of an exact integer and rounded down. Source: FOCUS 1.4, appendix "Rounding Variance Tolerance".
    """
    subunit = units_per_minor(currency)
    half, _ = split(subunit, (1, 1))
    return max(100 * subunit, isqrt(rows * half * half))
