"""One bit for each check of a row and column, so that a single pass over a file finds everything at once.

Rows carry the bits of what they break as one number; grouped with the key of the totals, that number tells how many
rows break what, and what they add up to, without counting each check by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from apportion.focus import checks
from apportion.focus.checks import Check
from apportion.focus.columns import COSTS
from apportion.focus.finding import Behaviour

_BILLED = ("BilledCost", "EffectiveCost")
_DERIVED = ("ListCost", "ContractedCost")
_DATES = ("BillingPeriodStart", "ChargePeriodStart", "BillingPeriodEnd", "ChargePeriodEnd")

# The column is the one that the finding names.
FLAGS: tuple[tuple[Check, str], ...] = (
    (checks.ROW_RAGGED, ""),
    *((checks.COST_MISSING, column) for column in _BILLED),
    *((checks.NUMBER_UNREADABLE, column) for column in COSTS),
    (checks.BILLING_PERIOD_UNREADABLE, "BillingPeriodStart"),
    (checks.CHARGE_PERIOD_UNREADABLE, "ChargePeriodStart"),
    (checks.CHARGE_PERIOD_REVERSED, "ChargePeriodEnd"),
    (checks.CURRENCY_UNKNOWN, "BillingCurrency"),
    *((checks.NUMBER_ROUNDED, column) for column in COSTS),
    *((checks.INSTANT_FORM, column) for column in _DATES),
    *((checks.DATE_UNREADABLE, column) for column in _DATES[2:]),
    *((checks.COST_NOT_GIVEN, column) for column in _DERIVED),
    (checks.BILLING_PERIOD_DERIVED, "BillingPeriodStart"),
    (checks.CHARGE_PERIOD_DERIVED, "ChargePeriodStart"),
    (checks.EFFECTIVE_COST_ZERO, "EffectiveCost"),
    (checks.EFFECTIVE_COST_DIFFERS, "EffectiveCost"),
    (checks.PURCHASE_EFFECTIVE_COST, "EffectiveCost"),
    (checks.COVERED_USAGE_BILLED, "BilledCost"),
    (checks.COMMITMENT_WITHOUT_ID, "CommitmentDiscountId"),
    (checks.COMMITMENT_WITHOUT_STATUS, "CommitmentDiscountStatus"),
    (checks.NEGATIVE_UNMARKED, "BilledCost"),
    (checks.CORRECTION_IN_PERIOD, "ChargeClass"),
    (checks.LATE_USAGE, "ChargePeriodStart"),
    (checks.CHARGE_AFTER_BILLING, "ChargePeriodStart"),
    (checks.CHARGE_PERIOD_EMPTY, "ChargePeriodEnd"),
)
_BITS = {(check.code, column): place for place, (check, column) in enumerate(FLAGS)}
assert len(FLAGS) <= 62, "the bits must fit into a BIGINT"  # noqa: S101 - a fault of this file, not of data

REFUSED = sum(1 << place for place, (check, _) in enumerate(FLAGS) if check.behaviour is Behaviour.REFUSED)
"""The bits of rows that cannot be charged."""


def bit(check: Check, column: str) -> int:
    """The number whose one bit stands for a check of a column."""
    return 1 << _BITS[check.code, column]


def has_bit(check: Check, column: str) -> bool:
    """Whether the check of this column has a bit."""
    return (check.code, column) in _BITS


def broken(flags: int) -> Iterator[tuple[Check, str]]:
    """The checks, and the columns, whose bits are set."""
    return (flag for place, flag in enumerate(FLAGS) if flags >> place & 1)


def total(conditions: dict[tuple[Check, str], str]) -> str:
    """SQL for the sum of the bits of every condition that is true."""
    terms = [f"CASE WHEN {sql} THEN {bit(*flag)} ELSE 0 END" for flag, sql in conditions.items()]
    return f"({' + '.join(['0::BIGINT', *terms])})"
