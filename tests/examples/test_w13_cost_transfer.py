"""W13: a cost transfer that an accountant can check by hand.

10,000.00 EUR by usage 51,237.11 / 30,111.07 / 18,651.82 (together 100,000.00), exactly 5,123.711 / 3,011.107 /
1,865.182. Debit each cost center, credit what the payer transferred out. Source: our own worked example.
"""

from __future__ import annotations

from datetime import date

import pytest

from apportion.allocate.allocation import Allocation, Cell, Scope
from apportion.allocate.basis import Fixed
from apportion.allocate.policy import CostBasis, Policy, Pool
from apportion.allocate.rule import KEPT_CENTRAL, Holder, Rule, Target
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.invoice.statement import statements
from apportion.money.amount import units
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod
from apportion.post.journal import Journal, journal
from apportion.post.mapping import PostingAccounts

USAGE = (("0010", 5123711), ("0020", 3011107), ("0030", 1865182))  # hundredths: 51,237.11 and so on


def transfer(amount: str, usage: tuple[tuple[str, int], ...], transferred_out: str = "600199") -> Journal:
    """The journal of one provider invoice that the cost centers share by fixed weights."""
    tree = Tree(
        CostGroup(center, f"Team {center}", coding=Coding(cost_center=center, ledger_account="600100"))
        for center, _ in usage
    )
    pool = Pool("cloud", "Cloud", Fixed(usage))
    policy = Policy("W13", CostBasis.BILLED, (Rule("all", "All", None, KEPT_CENTRAL),), (pool,), "")
    scope = Scope("Nimbus", "I-1", "", "EUR")
    cells = (Cell("all", Target(Holder.POOL, "cloud"), scope, "Compute", "Usage", 1, units(amount)),)
    shares = share_pools(cells, policy.pools, Circumstances(tree, BillingPeriod(2026, 10))).shares
    allocation = Allocation(
        BillingPeriod(2026, 10), CostBasis.BILLED, cells, shares, lines(cells, shares, tree), "", "", ""
    )
    accounts = PostingAccounts(Coding(cost_center="9900"), transferred_out)
    return journal(statements(allocation, tree, policy, "ST"), accounts)


def postings(made: Journal) -> list[tuple[str, str, int]]:
    return [(each.account, each.cost_center, each.amount_minor) for entry in made.entries for each in entry.postings]


def test_the_table() -> None:
    made = transfer("10000", USAGE)
    assert postings(made) == [
        ("600100", "0010", 512371),
        ("600100", "0020", 301111),
        ("600100", "0030", 186518),
        ("600199", "9900", -1000000),
    ]
    (entry,) = made.entries
    assert entry.document_on == entry.posting_on == date(2026, 10, 31)


def test_a_hundred_over_three() -> None:
    made = transfer("100", (("0010", 1), ("0020", 1), ("0030", 1)))
    assert [amount for _, _, amount in postings(made)] == [3334, 3333, 3333, -10000]


def test_a_credit_of_a_cent_over_two() -> None:
    # The second part is zero, which is no line; it could never print as -0.00.
    made = transfer("-0.01", (("0010", 1), ("0020", 1)))
    assert postings(made) == [("600100", "0010", -1), ("600199", "9900", 1)]


def test_with_the_contra_on_the_same_account_the_account_sums_to_zero() -> None:
    made = transfer("10000", USAGE, transferred_out="600100")
    assert {account for account, _, _ in postings(made)} == {"600100"}
    assert sum(amount for _, _, amount in postings(made)) == 0


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_credit_is_the_exact_opposite(sign: str) -> None:
    assert [amount for *_, amount in postings(transfer(f"{sign}250", USAGE))] == [
        int(f"{sign}{amount}") for amount in (12809, 7528, 4663)
    ] + [25000 if sign else -25000]
