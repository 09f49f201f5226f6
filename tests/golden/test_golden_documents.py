"""The documents of one month, byte for byte.

A change in a golden file needs a line in the changelog under *Changes to amounts*. To write the files anew:
`APPORTION_WRITE_GOLDEN=1 pytest tests/golden`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from apportion.allocate.allocation import Allocation, Cell, Scope
from apportion.allocate.basis import Cost, Even, Fixed
from apportion.allocate.policy import CostBasis, Policy, Pool, Recipients
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Rule, Target
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.invoice.export import write_statements
from apportion.invoice.statement import Statement, statements
from apportion.money.amount import units
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup, Tree
from apportion.organization.ownership import Owners
from apportion.periods import BillingPeriod
from apportion.post.export import write_journal
from apportion.post.journal import Journal, journal
from apportion.post.mapping import PostingAccounts
from apportion.reconcile.provider_invoice import provider_invoices
from apportion.tie_out import TieOut, render_json, render_text, tie_out
from apportion.warehouse.snapshot import DeliveredInvoice, Total

HERE = Path(__file__).parent

NIMBUS = Scope("Nimbus Cloud", "NC-2026-10-77", "", "USD")
NIMBUS_EU = Scope("Nimbus Cloud", "NC-2026-10-78", "", "EUR")
HOSHI = Scope("Hoshi K.K.", "", "hoshi-tokyo", "JPY")
USAGE, TAX, CREDIT = "Usage", "Tax", "Credit"

TREE = Tree(
    [
        CostGroup(
            "group",
            "Brightwater Group",
            owners=Owners("cfo@brightwater.example", "cto@brightwater.example", "ceo@brightwater.example"),
            coding=Coding("1000", "", "", "600100"),
        ),
        CostGroup("retail", "Retail", "group", coding=Coding(cost_center="0010")),
        CostGroup("shop", "Web shop", "retail", Owners(business="mia@brightwater.example"), Coding(department="D1")),
        CostGroup("search", "Search & <Recommendations>", "retail", coding=Coding(cost_center="0020")),
        CostGroup("labs", "Brightwater Labs KK", "group", coding=Coding("2000", "0300", "", "600150")),
        CostGroup("vision", "=Vision", "labs"),
    ]
)

POLICY = Policy(
    name="Brightwater 2026",
    cost_basis=CostBasis.BILLED,
    rules=tuple(
        Rule(rule, name, None, KEPT_CENTRAL)
        for rule, name in (
            ("r-shop", "Shop by tag"),
            ("r-shop-2", "Shop by sub account"),
            ("r-search", "Search by tag"),
            ("r-vision", "Labs by sub account"),
            ("r-support", "Enterprise support"),
            ("r-tax", "Taxes"),
            ("r-platform", "Platform"),
            ("r-central", "Migration programme"),
        )
    ),
    pools=(
        Pool("support", "Enterprise support", Cost()),
        Pool("tax", "Taxes", Even(), Recipients(excluded=("labs",))),
        Pool("platform", "Platform team", Fixed((("shop", 45), ("search", 35), ("vision", 20)))),
    ),
    digest=sha256(b"policy").hexdigest(),
)

ACCOUNTS = PostingAccounts(
    payer=Coding("1000", "9900", "", "600100"),
    transferred_out="600199",
    intercompany_receivable="140000",
    intercompany_payable="160000",
)


def cell(rule: str | None, target: str, scope: Scope, service: str, category: str, amount: str, rows: int) -> Cell:
    holders = {"central": KEPT_CENTRAL, "": UNALLOCATED}
    pool = any(pool.id == target for pool in POLICY.pools)
    at = holders.get(target) or Target(Holder.POOL if pool else Holder.COST_GROUP, target)
    return Cell(rule, at, scope, service, category, rows, units(amount))


CELLS = (
    cell("r-shop", "shop", NIMBUS, "Nimbus Compute", USAGE, "1204.517731", 4120),
    cell("r-shop-2", "shop", NIMBUS, "Nimbus Compute", USAGE, "30.0000000000000001", 12),
    cell("r-shop", "shop", NIMBUS, "Nimbus Storage", USAGE, "87.1100093", 311),
    cell("r-shop", "shop", NIMBUS, "Nimbus Compute", CREDIT, "-250", 1),
    cell("r-shop", "shop", NIMBUS_EU, "Nimbus Compute", USAGE, "19.994", 40),
    cell("r-search", "search", NIMBUS, "Nimbus Search", USAGE, "640.333333333333333333", 900),
    cell("r-search", "search", NIMBUS_EU, "", USAGE, "-45.006", 3),
    cell("r-vision", "vision", NIMBUS, "Nimbus GPU", USAGE, "2960.25", 77),
    cell("r-vision", "vision", HOSHI, "Hoshi Render", USAGE, "150400.5", 9),
    cell("r-support", "support", NIMBUS, "Nimbus Support", "Purchase", "467.22", 1),
    cell("r-tax", "tax", NIMBUS, "", TAX, "431.07", 5),
    cell("r-platform", "platform", NIMBUS, "Nimbus Kubernetes", USAGE, "999.999999", 1500),
    cell("r-platform", "platform", HOSHI, "Hoshi Kubernetes", USAGE, "1000", 30),
    cell("r-central", "central", NIMBUS, "Nimbus Transfer", USAGE, "118.4", 60),
    cell(None, "", NIMBUS, "Nimbus Compute", USAGE, "12.0000000004", 8),
    cell(None, "", HOSHI, "Hoshi Render", USAGE, "99.5", 1),
)


def month() -> tuple[tuple[Statement, ...], Journal, TieOut]:
    shares = share_pools(CELLS, POLICY.pools, Circumstances(TREE, BillingPeriod(2026, 10))).shares
    allocation = Allocation(
        BillingPeriod(2026, 10),
        POLICY.cost_basis,
        CELLS,
        shares,
        lines(CELLS, shares, TREE),
        POLICY.digest,
        sha256(b"organization").hexdigest(),
        sha256(b"snapshot").hexdigest(),
    )
    stated = statements(allocation, TREE, POLICY, "ST")
    posted = journal(stated, ACCOUNTS)
    totals = [
        Total(
            "main",
            each.scope.invoice_issuer,
            each.scope.billing_account_id,
            each.scope.invoice_id or None,
            each.scope.currency,
            each.charge_category,
            "",
            each.rows,
            each.units,
            each.units,
            None,
            None,
        )
        for each in CELLS
    ]
    delivered = [
        DeliveredInvoice("main", "Nimbus Cloud", "NC-2026-10-77", "USD", units("6700.90"), "Issued", units("431.07")),
        DeliveredInvoice("main", "Nimbus Cloud", "NC-2026-10-78", "EUR", units("-25.01"), "Issued", 0),
    ]
    invoices = provider_invoices(totals, delivered)
    return stated, posted, tie_out(allocation.period, totals, invoices, (), allocation, stated, posted)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    directory = tmp_path_factory.mktemp("month")
    stated, posted, tied = month()
    write_statements(stated, directory)
    write_journal(posted, directory)
    (directory / "tie-out.txt").write_text(render_text(tied), encoding="utf-8")
    (directory / "tie-out.json").write_text(render_json(tied), encoding="utf-8")
    return {path.name: path.read_bytes() for path in directory.iterdir()}


NUMBERS = [f"ST-2026-10-{count:04d}" for count in range(1, 6)]
NAMES = [
    *(f"{number}{suffix}" for number in NUMBERS for suffix in (".csv", ".html", ".json", ".txt")),
    "index.csv",
    "index.html",
    *(f"journal-2026-10.{suffix}" for suffix in ("beancount", "control.json", "csv", "hledger", "json")),
    "tie-out.json",
    "tie-out.txt",
]


def test_nothing_more_and_nothing_less_is_written(written: Mapping[str, bytes]) -> None:
    assert sorted(written) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_document_is_the_golden_one(name: str, written: Mapping[str, bytes]) -> None:
    golden = HERE / "2026-10" / name
    if os.environ.get("APPORTION_WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(written[name])
    assert written[name] == golden.read_bytes()
