"""Whether the company's policy finds every holder that its story intends, charge by charge, by the real engine."""

from __future__ import annotations

from collections import defaultdict

import pytest

from apportion.allocate.rule import Holder, Target
from apportion.demo import DemoCompany
from apportion.periods import BillingPeriod
from tests.rooms.demo.allocating import Done

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


# The season; a team founded and a monolith that ends; a team moved, a correction and everything later.
PERIODS = [BillingPeriod(2025, 12), BillingPeriod(2026, 3), BillingPeriod(2026, 6)]


def written(target: Target) -> str:
    return f"pool:{target.code}" if target.holder is Holder.POOL else str(target)


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_every_charge_finds_the_holder_that_the_story_intends(
    company: DemoCompany, done: Done, period: BillingPeriod
) -> None:
    allocation = done(period).allocation
    found: dict[tuple[str, str], int] = defaultdict(int)
    for cell in allocation.cells:
        found[cell.scope.currency, written(cell.target)] += cell.units
    intended: dict[tuple[str, str], int] = defaultdict(int)
    for total in company.totals:
        if total.period == period:
            for holder, units in total.intended.items():
                intended[total.currency, holder] += units
    assert found == intended
    assert sum(cell.rows for cell in allocation.cells) == sum(t.rows for t in company.totals if t.period == period)
    # Pools are empty in the end: what came in is with cost groups, kept central or unallocated, in its currency.
    assert {line.holder.holder for line in allocation.lines} == {
        Holder.COST_GROUP,
        Holder.KEPT_CENTRAL,
        Holder.UNALLOCATED,
    }
    for currency in ("EUR", "USD"):
        brought = sum(units for (of, _), units in intended.items() if of == currency)
        assert sum(line.units for line in allocation.lines if line.scope.currency == currency) == brought
