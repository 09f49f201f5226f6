"""Looking into a line: resources, days and rows add up to it, pages are bounded, and nothing else can be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion.close import drill
from apportion.close import run as runs
from apportion.close.flows import Column, flows
from apportion.close.papers import papers
from apportion.errors import ConservationError, DocumentError, InputRefusedError, NotFoundError
from apportion.invoice.paper import PaperKind, PaperLineKind, from_json, to_json
from apportion.money.amount import ONE, units
from tests.examples.changing import OCTOBER, POLICY, SEPTEMBER, SETTINGS, Books, charge
from tests.examples.test_why_a_total_changed import AFTER, BEFORE, SUPPORT

pytestmark = pytest.mark.thorough

STEPS = POLICY.replace(
    "  - {id: by-team", "  - {id: gateway, when: {ServiceName: Gateway}, charge_to: {pool: gateway}}\n  - {id: by-team"
).replace(
    "proportional to direct cost}\n",
    "{fixed: {gateway: 1/3, red: 2/3}}}\n  - {id: gateway, name: Gateway, share: {fixed: {red: 1/7, green: 6/7}}}\n",
)

LATER = charge(
    "red",
    "vm-1",
    "1.50",
    "3",
    ResourceName="Web server",
    ChargePeriodStart="2026-10-02T00:00:00Z",
    ChargePeriodEnd="2026-10-02T01:00:00Z",
)


@pytest.fixture(scope="module")
def allocated(tmp_path_factory: pytest.TempPathFactory) -> Books:
    """Both months, worked out once; to be copied, not changed."""
    made = Books(tmp_path_factory.mktemp("drill") / "books")
    made.month(SEPTEMBER, BEFORE)
    made.month(OCTOBER, [*AFTER, LATER])
    return made


@pytest.fixture
def books(allocated: Books, tmp_path: Path) -> Books:
    return allocated.copied(tmp_path / "books")


def red(books: Books, service: str) -> str:
    """The reference of Red's line of a service or pool."""
    statement = books.statements(OCTOBER)[0]
    line = next(line for line in statement.lines if service in (line.service, line.pool_name))
    return f"{statement.number}:{line.number}"


def test_resources_of_a_direct_line(books: Books) -> None:
    found = drill.resources(books.workspace, red(books, "Compute"), size=3)
    assert [each.id for each in found.resources] == ["vm-1", "licence", "db-1"]
    server = found.resources[0]
    assert (server.name, server.sub_account, server.region, server.service) == (
        "Web server",
        "sub-account",
        "north",
        "Compute",
    )
    assert (server.units, server.part_units, server.last_units) == (units("73.5"), units("73.5"), units("50"))
    assert (server.quantity, server.unit, server.rows) == (123 * ONE, "Hours", 2)
    assert found.resources[1].quantity is None
    assert (found.count, found.pages, found.rows, found.pools) == (5, 2, 6, ())
    rest = drill.resources(books.workspace, red(books, "Compute"), page=2, size=3).resources
    assert {each.id: each.last_units for each in rest} == {"cache-1": 0, "new-1": 0}
    assert sum(each.part_units for each in (*found.resources, *rest)) == found.line.units


def test_days_and_rows(books: Books) -> None:
    reference = red(books, "Compute")
    days = drill.days(books.workspace, reference)
    assert [(day.day, day.rows, day.units) for day in days] == [
        ("2026-10-01", 5, units("141")),
        ("2026-10-02", 1, units("1.5")),
    ]
    server = drill.resources(books.workspace, reference).resources[0]
    found = drill.rows(books.workspace, reference, server.token, size=1)
    assert (found.count, found.units) == (2, server.units)
    (row,) = found.rows
    assert (row.file, row.row, row.units) == ("cloud/books-2026-10.csv", 1, units("72"))
    assert row.columns["ResourceName"] == "Web server"
    assert row.columns["ConsumedQuantity"] == "120"
    (second,) = drill.rows(books.workspace, reference, server.token, page=2, size=1).rows
    assert (second.row, second.units) == (8, units("1.5"))


def test_a_share_has_the_resources_of_its_pool(books: Books) -> None:
    found = drill.resources(books.workspace, red(books, "Support"))
    (pool,) = found.pools
    assert (pool.pool_id, pool.direct, pool.units) == ("support", True, units("120"))
    assert pool.part_units == found.line.units
    (plan,) = found.resources
    assert (plan.pool_id, plan.units, plan.part_units, plan.last_units) == (
        "support",
        units("120"),
        found.line.units,
        units("100"),
    )


def test_a_share_of_a_pool_that_received_from_another(tmp_path: Path) -> None:
    books = Books(tmp_path / "books", policy=STEPS)
    gateway = {**charge("", "gw", "50.00"), "ServiceName": "Gateway"}
    plans = [{**SUPPORT, "BilledCost": cost, "ResourceId": f"plan-{cost}"} for cost in ("100.00", "0.01", "-0.02")]
    books.month(OCTOBER, [*AFTER[:-1], gateway, *plans])
    found = drill.resources(books.workspace, red(books, "Gateway"))
    assert [(pool.pool_id, pool.direct) for pool in found.pools] == [("gateway", True), ("support", False)]
    assert sum(pool.part_units for pool in found.pools) == found.line.units
    assert sum(each.part_units for each in found.resources) == found.line.units
    assert [each.id for each in found.resources] == ["gw", "plan-100.00", "plan--0.02", "plan-0.01"]
    assert sum(day.part_units for day in drill.days(books.workspace, red(books, "Gateway"))) == found.line.units
    # a third of Support went to the gateway, and a seventh of that is Red's
    of_plans = sum(each.part_units for each in found.resources if each.pool_id == "support")
    assert abs(of_plans * 21 - units("99.99")) <= 21 * 2


def test_what_cannot_be_asked(books: Books) -> None:
    reference = red(books, "Compute")
    token = drill.resources(books.workspace, reference).resources[0].token
    number = reference.partition(":")[0]
    for wrong in (f"{number}:99", number, "ST-2026-10-0999:1"):
        with pytest.raises(NotFoundError):
            drill.resources(books.workspace, wrong)
    with pytest.raises(NotFoundError):
        drill.resources(books.workspace, reference, page=9)
    for page, size in ((0, 10), (1, 0), (1, drill.MOST_ON_A_PAGE + 1), (10**9, 10)):
        with pytest.raises(InputRefusedError):
            drill.resources(books.workspace, reference, page=page, size=size)
    for bad in (
        "",
        "x",
        token.replace("0-", "7-", 1),
        "0-" + "0" * 36,
        token + "'",
        f"0-{'0' * 8}-0000-0000-0000-{'0' * 12}",
    ):
        with pytest.raises(NotFoundError):
            drill.rows(books.workspace, reference, bad)


def test_charges_that_changed_are_not_looked_into(books: Books) -> None:
    reference = red(books, "Compute")
    books.deliver(OCTOBER, AFTER[:6])
    with pytest.raises(InputRefusedError):
        drill.resources(books.workspace, reference)
    with pytest.raises(InputRefusedError):
        books.changes()


def test_touched_sidecars_are_found_out(books: Books) -> None:
    reference = red(books, "Compute")
    sidecars = [runs.current(books.workspace, period).sidecars for period in (SEPTEMBER, OCTOBER)]
    (mine,), (other,) = (list(directory.glob("*.parquet")) for directory in sidecars)
    mine, other = other, mine
    mine.chmod(0o644)
    mine.write_bytes(other.read_bytes())
    for ask in (lambda: drill.resources(books.workspace, reference), books.changes):
        with pytest.raises(ConservationError):
            ask()


def test_papers_are_drafts_with_everything(books: Books) -> None:
    books.write("apportion.yaml", SETTINGS + "budgets: budgets.csv\n")
    books.write("budgets.csv", "cost_group,period,currency,amount\nred,2026-10,USD,200\nred,2026-09,USD,1\n")
    run = runs.allocate(books.reopened().workspace, OCTOBER)
    made = books.statements(OCTOBER)
    first, second = papers(
        books.reopened().workspace,
        run,
        made,
        kind_of=lambda code: PaperKind.INVOICE if code == "red" else PaperKind.STATEMENT,
    )
    assert (first.label, first.statement, first.company, first.period) == (
        str(made[0].number),
        str(made[0].number),
        "Northwind",
        "2026-10",
    )
    assert (first.kind, second.kind) == (PaperKind.INVOICE, PaperKind.STATEMENT)
    assert first.issued_on is None
    assert [(each.period, each.minor) for each in first.history] == [("2026-09", 165_00), ("2026-10", 232_74)]
    assert [(each.currency, each.minor) for each in first.budgets] == [("USD", 200_00)]
    assert not second.budgets
    (total,) = first.totals
    assert (total.minor, total.direct_minor, total.shared_minor) == (232_74, 142_50, 90_24)
    assert [line.kind for line in first.lines] == [PaperLineKind.DIRECT, PaperLineKind.SHARE]
    assert first.changes[0].after_minor == total.minor
    assert from_json(to_json(first)) == first


def test_budgets_of_nobody_are_refused(books: Books) -> None:
    books.write("apportion.yaml", SETTINGS + "budgets: budgets.csv\n")
    books.write("budgets.csv", "cost_group,period,currency,amount\ngreem,2026-10,USD,200\n")
    workspace = books.reopened().workspace
    with pytest.raises(DocumentError, match="greem"):
        list(papers(workspace, runs.current(workspace, OCTOBER), books.statements(OCTOBER)))


def test_flows_keep_every_cent(books: Books) -> None:
    run = runs.current(books.workspace, OCTOBER)
    whole = sum(line.minor for line in run.allocation.lines)
    for most in (12, 1, 0):
        found = flows(run, most=most)
        assert sum(flow.minor for flow in found if flow.source.column is Column.ISSUER) == whole
        assert sum(flow.minor for flow in found if flow.target.column is Column.HOLDER) == whole
    named = {(flow.source.name, flow.target.name): flow.minor for flow in flows(run)}
    assert named["Cloud", "Support"] == 120_00
    assert named["Support", "Red"] == 90_24
    only = flows(run, below="red")
    assert {flow.target.name for flow in only if flow.target.column is Column.HOLDER} == {"Red"}
    with pytest.raises(NotFoundError):
        flows(run, below="nobody")
