"""What the example company planned: a little more than the month before, in round figures."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from apportion.allocate.rule import Holder
from apportion.invoice.statement import Statement
from apportion.money.currency import exponent, minor_text
from apportion.money.split import to_step
from apportion.periods import BillingPeriod

FILE = "budgets.csv"
HEADER = "# What was planned, by cost group, billing period and currency.\ncost_group,period,currency,amount\n"
_GROWTH = 1030  # thousandths
_ROUND = 50  # whole units of the currency


def add(root: Path, period: BillingPeriod, last: Iterable[Statement]) -> None:
    """Add the budgets of a period to the file, from the statements of the month before."""
    with (root / FILE).open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for statement in last:
            if statement.holder.holder is not Holder.COST_GROUP:
                continue
            for total in statement.totals:
                planned = _rounded(total.minor, total.currency)
                if planned > 0:
                    writer.writerow(
                        [statement.holder.code, period, total.currency, minor_text(planned, total.currency)]
                    )


def _rounded(minor: int, currency: str) -> int:
    step: int = _ROUND * 10 ** exponent(currency)
    return to_step(minor * _GROWTH, 1000 * step) * step
