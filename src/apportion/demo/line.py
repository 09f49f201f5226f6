"""A planned line: one kind of charge of one month, before it is spread over rows.

Quantities are whole ten-thousandths of the pricing unit, prices whole millionths of the billing currency. Their
product is a cost of exactly ten decimals and, below 100,000.00, of at most fifteen digits: the most that a DOUBLE
column carries without loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from apportion.money.amount import ONE
from apportion.money.split import to_step

QUANTITY_DECIMALS = 4
PRICE_DECIMALS = 6
COST_DECIMALS = QUANTITY_DECIMALS + PRICE_DECIMALS
STEP_UNITS: int = ONE // 10**COST_DECIMALS  # units of 10⁻¹⁸ in one step of a cost
CENT_STEPS: int = 10 ** (COST_DECIMALS - 2)

CENTRAL = "kept_central"
NOBODY = "unallocated"


def pool(code: str) -> str:
    """How a pool is written as the intended holder of a line."""
    return f"pool:{code}"


@dataclass(frozen=True, slots=True)
class Prices:
    """The unit prices behind the four costs, in millionths of the billing currency."""

    listed: int
    contracted: int
    billed: int
    effective: int

    @classmethod
    def on_demand(cls, listed: int, contracted: int) -> Prices:
        return cls(listed, contracted, contracted, contracted)

    @classmethod
    def flat(cls, price: int) -> Prices:
        return cls(price, price, price, price)


@dataclass(frozen=True, slots=True)
class Line:
    """One planned line. All its rows share `columns` (FOCUS Column IDs and ``x_`` columns, text) and `tags`.

    `commitment_price` times the quantity, in millionths, is CommitmentDiscountQuantity; 0 where there is none.
    `intended` is the holder that the company's policy should find: a cost group's code, ``pool:…``,
    ``kept_central`` or ``unallocated``. `weight` is its part of the month's rows; a line of weight 0 is one row.
    Without `priced` the rows carry no unit price and no quantity. `first` and `hours` bound the charge periods.
    A resource's id and name are the texts here with a number of its own behind them.
    """

    key: str
    intended: str
    columns: Mapping[str, str]
    quantity: int
    prices: Prices
    first: datetime
    hours: int
    tags: Mapping[str, str] = field(default_factory=dict)
    weight: int = 0
    priced: bool = True
    resources: int = 1
    resource_id: str = ""
    resource_name: str = ""
    commitment_price: int = 0

    @property
    def billed_units(self) -> int:
        """BilledCost in units of 10⁻¹⁸."""
        return self.quantity * self.prices.billed * STEP_UNITS

    @property
    def effective_units(self) -> int:
        """EffectiveCost in units of 10⁻¹⁸."""
        return self.quantity * self.prices.effective * STEP_UNITS


def billed_steps(lines: Iterable[Line]) -> int:
    """The BilledCost of lines together, in steps of 10⁻¹⁰."""
    return sum(line.quantity * line.prices.billed for line in lines)


def percent_of(steps: int, permille: int) -> int:
    """A part in thousandths of an amount in steps of 10⁻¹⁰, in steps that make whole cents."""
    return to_step(steps * permille, 1000 * CENT_STEPS) * CENT_STEPS
