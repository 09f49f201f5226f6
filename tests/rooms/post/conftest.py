"""Statements as short as a test needs them: who carries how much, and with which codes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apportion.allocate.allocation import Scope
from apportion.allocate.policy import CostBasis
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.invoice.numbering import Number
from apportion.invoice.statement import LineKind, Statement, StatementLine, totals
from apportion.money.currency import units_per_minor
from apportion.organization.coding import Coding
from apportion.organization.ownership import Owners
from apportion.periods import BillingPeriod
from apportion.post.mapping import PostingAccounts
from tests.tryton_ledger import book_fixture, ledger_fixture, run_fixture

__all__ = ["book_fixture", "ledger_fixture", "run_fixture"]

OCTOBER = BillingPeriod(2026, 10)
MakeStatement = Callable[..., Statement]


def _statement(
    count: int,
    code: str,
    coding: Coding | None = None,
    *,
    name: str = "",
    period: BillingPeriod = OCTOBER,
    **minor: int,
) -> Statement:
    holders = {"unallocated": UNALLOCATED, "kept_central": KEPT_CENTRAL}
    lines = tuple(
        StatementLine(
            number=number,
            kind=LineKind.DIRECT,
            scope=Scope("Nimbus", "I-1", "", currency),
            service="Compute",
            charge_category="Usage",
            pool_id="",
            pool_name="",
            method=None,
            reason="",
            rows=1,
            rules=(),
            shares=(),
            units=amount * units_per_minor(currency),
            minor=amount,
        )
        for number, (currency, amount) in enumerate(minor.items(), start=1)
    )
    return Statement(
        number=Number("ST", period, count),
        period=period,
        holder=holders.get(code) or Target(Holder.COST_GROUP, code),
        name=name or code.title(),
        path=(),
        owners=Owners(),
        coding=coding or Coding("1000", f"00{count}0", "", "600100"),
        cost_basis=CostBasis.BILLED,
        lines=lines,
        totals=totals(lines),
        policy_name="P",
        policy_digest="p",
        organization_digest="o",
        snapshot_digest="s",
    )


@pytest.fixture
def statement() -> MakeStatement:
    """Make a statement: count, code, coding, and amounts in minor units by currency (``EUR=100``)."""
    return _statement


@pytest.fixture
def accounts() -> PostingAccounts:
    return PostingAccounts(Coding("1000", "9900", "HQ", ""), "600199", "140000", "160000")
