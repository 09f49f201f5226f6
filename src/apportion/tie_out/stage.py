"""What a tie-out is made of. Amounts are units of 10⁻¹⁸ at every stage, so that stages compare exactly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from apportion.allocate.policy import CostBasis
from apportion.errors import TieOutError
from apportion.money.exchange import Exchange, Rate
from apportion.periods import BillingPeriod

UNEXPLAINED, CONVERSION, CROSS_RATE = "unexplained", "conversion", "cross_rate"
UPLIFT, TAX = "uplift", "tax"


class Stage(StrEnum):
    """The stages of a month in the order of the flow. Effective cost is a stage only where it is the cost basis."""

    PROVIDER_INVOICES = "provider_invoices"
    BILLED_COST = "billed_cost"
    EFFECTIVE_COST = "effective_cost"
    ALLOCATED = "allocated"
    SETTLED = "settled"
    STATEMENTS = "statements"
    JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stage's sum; the parts of a row, where it has any, sum to the row."""

    name: str
    units: int


@dataclass(frozen=True, slots=True)
class Row:
    """The sum of one stage in one currency."""

    currency: str
    stage: Stage
    units: int
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Why `stage` differs from the stage before it, in one currency, and by how much (`stage` minus before).

    `name` says where, `reason` is a stable word, `sentence` says it to people. `accepted` is False where the
    difference must be resolved before the month is closed. `aside` marks an amount that is in neither of the two
    stages and so is no part of their difference: rows that are kept aside, and uplift and tax on top of cost.
    """

    currency: str
    stage: Stage
    name: str
    units: int
    reason: str
    sentence: str
    accepted: bool
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Detail:
    """The same stages for one provider invoice; on effective cost, from there on, for one issuer."""

    invoice_issuer: str
    invoice_id: str
    billing_account_id: str
    currency: str
    amounts: tuple[tuple[Stage, int], ...]


@dataclass(frozen=True, slots=True)
class InCurrency:
    """The currency to report in, and the rates that statements were charged at."""

    currency: str
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Reporting:
    """All currencies added up in one, each stage at the same `rates`. The parts of a row are the currencies.

    Amounts are to 10⁻¹⁸; whether stages agree was decided on exact fractions. A difference has the currency of the
    provider invoices as its name.
    """

    currency: str
    rates: tuple[Rate, ...]
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class TieOut:
    """One billing period from end to end: rows by currency and stage, details, and every difference.

    `reporting` is the same in one currency, where the company has one.
    """

    period: BillingPeriod
    cost_basis: CostBasis
    rows: tuple[Row, ...]
    details: tuple[Detail, ...]
    differences: tuple[Difference, ...]
    reporting: Reporting | None = None

    @property
    def open_differences(self) -> tuple[Difference, ...]:
        """The differences that must be resolved; of those in the reporting currency, what is in no other."""
        reported = self.reporting.differences if self.reporting else ()
        found = [difference for difference in self.differences if not difference.accepted]
        return tuple(found or (difference for difference in reported if not difference.accepted))

    @property
    def conversions(self) -> tuple[Difference, ...]:
        """The differences that stand in no billing currency: what conversion to other currencies made."""
        reported = self.reporting.differences if self.reporting else ()
        return tuple(difference for difference in reported if difference.reason in (CONVERSION, CROSS_RATE))

    @property
    def holds(self) -> bool:
        """Whether every difference has a reason that may stand."""
        return not self.open_differences

    def require(self) -> None:
        """Raise `TieOutError` unless the tie-out holds."""
        if self.open_differences:
            first = self.open_differences[0]
            rest = f", and {len(self.open_differences) - 1} more" if len(self.open_differences) > 1 else ""
            raise TieOutError(
                f"The tie-out of {self.period} does not hold: {first.name}: {first.sentence}{rest}.",
                advice="Print the tie-out of the period to see every stage and difference.",
            )
