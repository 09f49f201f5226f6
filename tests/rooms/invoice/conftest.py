"""One small month with awkward names, allocated by the engine's own arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from apportion.allocate.allocation import Allocation, Cell, Scope
from apportion.allocate.basis import Cost, Even, Fixed
from apportion.allocate.policy import CostBasis, Policy, Pool
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Rule, Target
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.invoice.statement import Statement, statements
from apportion.money.amount import units
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup, Tree
from apportion.organization.ownership import Owners
from apportion.periods import BillingPeriod

HOSTILE = "<script>alert(1)</script>\x1b[2J & 'Söhne'"


@dataclass(frozen=True)
class Month:
    allocation: Allocation
    tree: Tree
    policy: Policy
    statements: tuple[Statement, ...]


@pytest.fixture(scope="session")
def month() -> Month:
    tree = Tree(
        [
            CostGroup("top", "Top", owners=Owners("f@x.example", "t@x.example", "b@x.example"), coding=Coding("1000")),
            CostGroup("zebra", "Zebra", "top", coding=Coding(cost_center="0020", ledger_account="600100")),
            CostGroup("apple", HOSTILE, "top", coding=Coding(cost_center="0010", ledger_account="600100")),
            CostGroup("idle", "Idle", "top"),
        ]
    )
    pools = (
        Pool("late", "Late", Even()),
        Pool("support", "=Support", Cost()),
        Pool("fixed", "Fixed", Fixed((("zebra", 1), ("apple", 2)))),
    )
    rules = tuple(Rule(f"r{n}", f"Rule {n}", None, KEPT_CENTRAL) for n in range(1, 6))
    policy = Policy("Policy", CostBasis.EFFECTIVE, rules, pools, "p" * 64)
    usd, jpy = Scope("Nimbus", "", "", "USD"), Scope("Hoshi", "", "", "JPY")

    def cell(rule: str | None, target: Target, scope: Scope, service: str, amount: str) -> Cell:
        return Cell(rule, target, scope, service, "Usage", 3, units(amount))

    def group(code: str) -> Target:
        return Target(Holder.COST_GROUP, code)

    cells = (
        cell("r2", group("apple"), usd, "Compute", "1234.56"),
        cell("r1", group("apple"), usd, "Compute", "0.0000000001"),
        cell("r1", group("apple"), usd, "-Storage", "-20.005"),
        cell("r1", group("zebra"), usd, "", "765.43"),
        cell("r1", group("zebra"), jpy, "Render", "1000.4"),
        cell("r3", Target(Holder.POOL, "support"), usd, "Support", "100"),
        cell("r3", Target(Holder.POOL, "fixed"), usd, "Platform", "10"),
        cell("r3", Target(Holder.POOL, "late"), jpy, "Tax", "10"),
        cell("r4", KEPT_CENTRAL, usd, "Transfer", "5"),
        cell(None, UNALLOCATED, usd, "Compute", "7"),
    )
    shares = share_pools(cells, pools, Circumstances(tree, BillingPeriod(2026, 10))).shares
    allocation = Allocation(
        BillingPeriod(2026, 10),
        CostBasis.EFFECTIVE,
        cells,
        shares,
        lines(cells, shares, tree),
        policy.digest,
        "o" * 64,
        "s" * 64,
    )
    return Month(allocation, tree, policy, statements(allocation, tree, policy, "ST"))
