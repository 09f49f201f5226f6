"""One planned amount, and all those of a file."""

from __future__ import annotations

from dataclasses import dataclass

from apportion.periods import BillingPeriod


@dataclass(frozen=True, slots=True, order=True)
class Budget:
    """What a cost group, with everything that it carries itself, was planned to cost in a billing period."""

    cost_group: str
    period: BillingPeriod
    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class Budgets:
    """The budgets of one file in a fixed order, and SHA-256 over the file's bytes (empty where there is no file)."""

    values: tuple[Budget, ...] = ()
    digest: str = ""

    def of(self, period: BillingPeriod) -> dict[str, tuple[Budget, ...]]:
        """The budgets of a period by cost group, each in the order of the currencies."""
        found: dict[str, tuple[Budget, ...]] = {}
        for budget in self.values:
            if budget.period == period:
                found[budget.cost_group] = (*found.get(budget.cost_group, ()), budget)
        return found
