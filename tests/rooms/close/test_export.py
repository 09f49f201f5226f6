"""The allocated charges of a month as FOCUS data: nothing lost, every line met, and readable by everybody else."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import closing
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest

from apportion.close import export_rows, month
from apportion.close import run as runs
from apportion.close.export import Exported, export
from apportion.close.export_rows import Grain
from apportion.errors import ConservationError, InputRefusedError
from apportion.ingest.load import ingest
from apportion.money.amount import plain
from apportion.periods import BillingPeriod
from apportion.warehouse import allocated_proof
from apportion.warehouse import duckdb as engine
from apportion.warehouse.store import Workspace
from tests.examples.late import JUNE, MAY, Books, correction
from tests.rooms.cli.harbour import Row, focus_csv
from tests.rooms.close.workspaces import done

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


OCTOBER = BillingPeriod(2026, 10)
COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
SETTINGS = """\
company: Export
payer: {company: "1", cost_center: "9", department: "", ledger_account: "6"}
ledger: {transferred_out: "699"}
issuer_aliases: {"Cloud Ltd": "Cloud, Inc."}
"""
ORGANIZATION = """\
organization: Export
groups:
  - code: shops
    name: Shops
    coding: {company: "1", cost_center: "10", department: "1", ledger_account: "6"}
    groups: [{code: web, name: Web shop}, {code: bakery, name: "Bakery, & \\"more\\""}]
  - {code: data, name: Data}
"""
POLICY = """\
policy: Export policy
cost_basis: BASIS
pool_order: reciprocal
rules:
  - {id: tax, when: {ChargeCategory: Tax}, charge_to: kept_central}
  - {id: support, when: {ServiceName: Support}, charge_to: {pool: support}}
  - {id: network, when: {ServiceName: [Network, Firewall]}, charge_to: {pool: network}}
  - {id: power, when: {ServiceName: Power}, charge_to: {pool: power}}
  - {id: by-team, name: Tag team, charge_to: {tag: team}}
pools:
  - {id: support, name: Support plan, share: {fixed: {network: 1/7, web: 3/7, data: 3/7}}}
  - {id: network, name: The network, share: {fixed: {power: 1/3, web: 1/3, bakery: 1/3}}}
  - {id: power, name: Power, share: {fixed: {network: 1/9, data: 8/9}}}
uplifts:
  - {id: fee, name: Platform fee, percent: 5%}
"""
COMMITMENTS = """\
commitments:
  - {id: plan, name: Savings plan, when: {ServiceName: [Compute, Power]}, share: blended, unused: kept_central}
"""


def charges() -> list[Row]:
    """Teams, three shared services that serve each other, a refund, tax, two spellings of an issuer, two currencies."""
    teams = ("web", "bakery", "data", "nobody")
    rows: list[Row] = [
        {
            "BilledCost": f"{place}.1234567890123",
            "EffectiveCost": f"{place}.000000000000000007",
            "ListCost": f"{2 * place}.5",
            "Tags": json.dumps({"team": teams[place % 4]}),
            "InvoiceIssuerName": "Cloud Ltd" if place % 3 else "Cloud, Inc.",
        }
        for place in range(12)
    ]
    shared = [("Support", "100.01"), ("Network", "70.005"), ("Firewall", "-3.3333"), ("Power", "11.1"), ("Power", "-1")]
    for service, cost in shared:
        for issuer in ("Cloud, Inc.", "Cloud Ltd"):
            effective = cost + "7" if "." in cost else cost
            row = {"BilledCost": cost, "EffectiveCost": effective, "ListCost": "9.99", "ContractedCost": "5"}
            rows.append({**row, "ServiceName": service, "InvoiceIssuerName": issuer, "ChargeDescription": 'a, "b"\nc'})
    return [
        *rows,
        {"BilledCost": "12.3", "ChargeCategory": "Tax"},
        {"BilledCost": "7", "EffectiveCost": "0", "ServiceName": "Power", "InvoiceId": "INV-2"},
        {"BilledCost": "7.7777", "BillingCurrency": "JPY", "ServiceName": "Network", "InvoiceId": "J", "ListCost": "1"},
        {"BilledCost": "55", "BillingCurrency": "JPY", "Tags": '{"team": "web"}', "InvoiceId": "J"},
    ]


def workspace(root: Path, basis: str = "effective", policy: str = POLICY) -> Workspace:
    """A month from a CSV, and from a Parquet file of other types with columns of its own."""
    root.mkdir()
    text = policy.replace("BASIS", basis)
    for name, content in (("apportion", SETTINGS), ("organization", ORGANIZATION), ("policy", text)):
        (root / f"{name}.yaml").write_text(content, encoding="utf-8")
    done("init", str(root))
    (root / "one.csv").write_text(focus_csv(charges()), encoding="utf-8")
    done("--workspace", str(root), "ingest", str(root / "one.csv"), "--source", "one")
    with closing(engine.connect()) as connection:
        connection.execute(
            f"COPY (SELECT * EXCLUDE (Tags, ListCost, ChargeClass) REPLACE (BilledCost::DOUBLE AS BilledCost, "
            "'Other Cloud' AS InvoiceIssuerName, BillingPeriodStart::TIMESTAMP AS BillingPeriodStart, "
            "PricingQuantity::DOUBLE AS PricingQuantity, 'O-1' AS InvoiceId), "
            "MAP {'team': CASE WHEN SubAccountId = '222' THEN 'web' END} AS Tags, "
            "['a', 'b'] AS x_List, 7 AS x_Number, 'mine' AS x_ApportionPool "
            f"FROM read_csv('{root / 'one.csv'}', all_varchar = true) WHERE BillingCurrency = 'USD') "
            f"TO '{root / 'two.parquet'}' (FORMAT parquet)"
        ).fetchall()
    done("--workspace", str(root), "ingest", str(root / "two.parquet"), "--source", "two")
    return Workspace.open(root)


def exported(space: Workspace, target: Path, period: BillingPeriod = OCTOBER, **options: Any) -> Exported:
    return export(space, runs.up_to_date(space, period), target, **options)


def read(query: str) -> list[tuple[Any, ...]]:
    """What plain DuckDB says, without anything of ours."""
    with closing(engine.connect()) as connection:
        return connection.execute(query).fetchall()


def delivered(space: Workspace, period: BillingPeriod = OCTOBER) -> dict[tuple[str, str], list[Decimal]]:
    """The four costs of each provider invoice, as they were added up when they were loaded."""
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal()] * 4)
    for total in space.totals(period):
        units = (total.billed_units, total.effective_units, total.list_units or 0, total.contracted_units or 0)
        key = (total.invoice_id or "", total.currency)
        sums[key] = [old + Decimal(plain(new)) for old, new in zip(sums[key], units, strict=True)]
    return dict(sums)


def in_export(glob: str) -> dict[Any, Any]:
    """The same of the exported files. What uplifts and commitments moved comes to nothing."""
    costs = ", ".join(f"coalesce(sum({name}), 0)" for name in COSTS)
    rows = read(f"SELECT coalesce(InvoiceId, ''), BillingCurrency, {costs} FROM {glob} GROUP BY ALL")
    return {(row[0], row[1]): list(row[2:]) for row in rows if row[0] or any(row[2:])}


def exact_lines(space: Workspace, period: BillingPeriod = OCTOBER) -> dict[tuple[str, int], Decimal]:
    run = runs.current(space, period)
    return {
        (str(statement.number), line.number): Decimal(plain(line.units))
        for statement in month.statements(run)
        for line in statement.lines
    }


def lines_in(glob: str, cost: str) -> dict[tuple[str, int], Decimal]:
    query = f"SELECT x_ApportionStatement, x_ApportionLine, sum({cost}) FROM {glob} GROUP BY ALL"
    return {(number, line): total for number, line, total in read(query)}


@pytest.mark.parametrize("grain", list(Grain))
@pytest.mark.parametrize("basis", ["effective", "billed"])
def test_every_cost_sums_to_what_was_delivered_and_every_line_is_met(tmp_path: Path, basis: str, grain: Grain) -> None:
    policy = POLICY + (COMMITMENTS if basis == "effective" else "")
    space = workspace(tmp_path / "space", basis, policy)
    done("--workspace", str(space.root), "allocate", "2026-10")
    made = exported(space, tmp_path / "out", grain=grain)
    glob = f"read_parquet('{tmp_path / 'out'}/*.parquet')"
    with localcontext(prec=60):
        assert in_export(glob) == delivered(space)
        assert lines_in(glob, f"{basis.capitalize()}Cost") == exact_lines(space)
    ((origin, allocated),) = read(
        f"SELECT count(*) FILTER (x_ApportionOrigin = 'origin'), count(*) FILTER (x_ApportionOrigin = 'allocated') "
        f"FROM {glob}"
    )
    assert (origin, allocated) == (made.document["origin_rows"], made.document["allocated_rows"])
    assert origin + int(str(made.document["replaced_charges"])) == sum(t.rows for t in space.totals(OCTOBER))
    services = "sum(EffectiveCost)::VARCHAR FROM {} WHERE ServiceName IN ('Support', 'Network', 'Firewall')"
    if grain is not Grain.POOL:
        sources = (f"read_csv('{space.root / 'one.csv'}', all_varchar = true)", f"'{space.root / 'two.parquet'}'")
        cost = "SELECT ServiceName, EffectiveCost::DECIMAL(38,18) AS EffectiveCost FROM"
        whole = [f"({cost} {source})" for source in sources]
        wanted = sum(Decimal(read(f"SELECT {services.format(source)}")[0][0]) for source in whole)
        assert Decimal(read(f"SELECT {services.format(glob)}")[0][0]) == wanted


def test_ratios_of_every_replaced_charge_sum_to_one(tmp_path: Path) -> None:
    space = workspace(tmp_path / "space", policy=POLICY + COMMITMENTS)
    done("--workspace", str(space.root), "allocate", "2026-10")
    exported(space, tmp_path / "out")
    rows = read(
        "SELECT InvoiceIssuerName, InvoiceId, BillingCurrency, ServiceName, ChargeCategory, x_ApportionFirstPool, "
        f"AllocatedMethodDetails FROM '{tmp_path / 'out'}/allocated*.parquet' WHERE AllocatedMethodDetails IS NOT NULL"
    )
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for *kind, details in rows:
        (element,) = json.loads(details, parse_float=Decimal, parse_int=Decimal)["Elements"]
        sums[tuple(kind)] += element["AllocatedRatio"]
    assert len(sums) >= 8
    assert set(sums.values()) == {Decimal(1)}


def test_what_is_written_beside_a_charge_and_in_its_place(tmp_path: Path) -> None:
    """Support is shared 1 : 3 : 3; the seventh of the network goes on, and in the end web and data have their parts."""
    space = workspace(tmp_path / "space")
    done("--workspace", str(space.root), "allocate", "2026-10")
    run = runs.current(space, OCTOBER)
    exported(space, tmp_path / "out.parquet")
    glob = f"'{tmp_path / 'out.parquet'}'"
    (web,) = read(
        "SELECT x_ApportionPath, x_ApportionCostCenter, x_ApportionHolder, AllocatedMethodId, AllocatedResourceId, "
        "AllocatedResourceName, AllocatedTags, x_ApportionPoolName, ChargeDescription, x_ApportionPolicyDigest, "
        "x_ApportionRule, BillingPeriodStart::VARCHAR, ChargePeriodEnd::VARCHAR, ListCost::VARCHAR "
        f"FROM {glob} WHERE x_ApportionPool = 'support' AND x_ApportionCostGroup = 'web' "
        "AND InvoiceIssuerName = 'Cloud Ltd'"
    )
    assert web[:6] == ("Shops > Web shop", "10", "cost_group", "apportion-fixed", "web", "Web shop")
    assert json.loads(web[6]) == {"apportion/cost_group": "web", "apportion/cost_center": "10"}
    assert web[7:11] == ("Support plan", "Support plan: Support", run.policy.digest, None)
    assert web[11:] == ("2026-10-01 00:00:00", "2026-11-01 00:00:00", "4.281428571428571429")
    (tax, *_) = read(
        "SELECT x_ApportionHolder, x_ApportionCostGroup, x_ApportionRule, AllocatedMethodId, ServiceName, x_Number, "
        f"x_List, x_ApportionPool_delivered, ListCost FROM {glob} WHERE ChargeCategory = 'Tax' AND x_Number = 7"
    )
    assert tax == ("kept_central", None, "tax", None, "Compute", 7, '["a","b"]', "mine", None)
    assert read(f"SELECT DISTINCT Tags FROM {glob} WHERE x_Number = 7 AND x_ApportionCostGroup = 'web'") == [
        ('{"team":"web"}',)
    ]
    ((fee,),) = read(
        f"SELECT sum(EffectiveCost)::VARCHAR FROM {glob} "
        "WHERE x_ApportionPool = 'fee' AND ChargeCategory = 'Adjustment'"
    )
    assert Decimal(fee) == 0
    assert read(f"SELECT count(*) FROM {glob} WHERE x_ApportionPool = 'fee' AND EffectiveCost > 0") != [(0,)]


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    space = workspace(tmp_path / "space", policy=POLICY + COMMITMENTS)
    done("--workspace", str(space.root), "allocate", "2026-10")
    for name in ("a", "b"):
        exported(space, tmp_path / name)
        exported(space, tmp_path / f"{name}.csv")
    for first in sorted((tmp_path / "a").iterdir()):
        assert first.read_bytes() == (tmp_path / "b" / first.name).read_bytes()
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize("form", ["folder", "folder of CSV", "one.parquet", "one.csv"])
def test_an_export_can_be_ingested_again_with_the_same_totals(tmp_path: Path, form: str) -> None:
    space = workspace(tmp_path / "space", policy=POLICY + COMMITMENTS)
    done("--workspace", str(space.root), "allocate", "2026-10")
    target = tmp_path / (form if "." in form else "out")
    exported(space, target, as_csv="CSV" in form)
    again = tmp_path / "again"
    again.mkdir()
    for path in space.root.glob("*.yaml"):
        (again / path.name).write_bytes(path.read_bytes())
    other = Workspace.create(again)
    ingest(other, [target], source="export")
    with localcontext(prec=60):
        assert {key: costs for key, costs in delivered(other).items() if any(costs)} == delivered(space)
    issuers = {(t.invoice_issuer, t.currency) for t in space.totals(OCTOBER)}
    assert {(t.invoice_issuer, t.currency) for t in other.totals(OCTOBER)} == issuers


def test_corrections_say_what_they_correct(tmp_path: Path) -> None:
    policy = (
        "policy: Late\ncost_basis: effective\nrules:\n"
        "  - {id: shared, when: {ResourceId: shared}, charge_to: {pool: p}}\n"
        "  - {id: a, when: {ResourceId: a}, charge_to: {cost_group: a}}\n"
        "  - {id: b, when: {ResourceId: b}, charge_to: {cost_group: b}}\n"
        "pools:\n  - {id: p, name: P, share: proportional to direct cost}\n"
    )
    coding = 'coding: {company: "1", cost_center: "10", department: "1", ledger_account: "6"}'
    organization = f"organization: Late\ngroups: [{{code: a, name: A, {coding}}}, {{code: b, name: B, {coding}}}]\n"
    books = Books(tmp_path / "books", policy, organization)
    rows = [{"ResourceId": "a", "BilledCost": "30"}, {"ResourceId": "b", "BilledCost": "10"}]
    books.deliver(MAY, [*rows, {"ResourceId": "shared", "BilledCost": "100"}])
    books.close(MAY)
    late = [correction("a", "-3.3"), correction("shared", "-10"), correction("nobody", "1")]
    books.deliver(JUNE, [*rows[:1], {"ResourceId": "b", "BilledCost": "90"}, *late])
    books.close(JUNE, seal=False)
    space = books.workspace
    exported(space, tmp_path / "out.parquet", JUNE)
    glob = f"'{tmp_path / 'out.parquet'}'"
    found = read(
        "SELECT x_ApportionCorrects, x_ApportionOrigin, x_ApportionHolder, x_ApportionCostGroup, "
        f"sum(EffectiveCost)::DOUBLE FROM {glob} WHERE x_ApportionCorrects IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    assert found == [
        ("2025-05", "allocated", "cost_group", "a", -7.5),
        ("2025-05", "allocated", "cost_group", "b", -2.5),
        ("2025-05", "origin", "cost_group", "a", -3.3),
        ("2025-05", "origin", "unallocated", None, 1.0),
    ]
    with localcontext(prec=60):
        assert lines_in(glob, "EffectiveCost") == exact_lines(space, JUNE)
    assert read(
        f"SELECT DISTINCT ChargePeriodStart::VARCHAR, ChargeClass FROM {glob} WHERE x_ApportionOrigin = 'allocated'"
    ) == [("2025-05-01 00:00:00", "Correction")]


def test_charges_that_cancel_each_other_out_in_a_pool_are_not_dropped(tmp_path: Path) -> None:
    """Corrections of +5 and -5 leave nothing to share, but they were billed 3 and -1: two of it are there, unshared."""
    policy = (
        "policy: Late\ncost_basis: effective\nrules:\n"
        "  - {id: shared, when: {ResourceId: shared}, charge_to: {pool: p}}\n"
        "  - {id: a, charge_to: {cost_group: a}}\npools:\n  - {id: p, name: P, share: even}\n"
    )
    coding = 'coding: {company: "1", cost_center: "10", department: "1", ledger_account: "6"}'
    books = Books(tmp_path / "books", policy, f"organization: Late\ngroups: [{{code: a, name: A, {coding}}}]\n")
    books.deliver(MAY, [{"ResourceId": "shared", "BilledCost": "100"}])
    books.close(MAY)
    late = [correction("shared", "3", EffectiveCost="5"), correction("shared", "-1", EffectiveCost="-5")]
    books.deliver(JUNE, [{"ResourceId": "x", "BilledCost": "1"}, *late])
    books.close(JUNE, seal=False)
    made = exported(books.workspace, tmp_path / "out.parquet", JUNE, grain=Grain.POOL)
    found = read(
        "SELECT AllocatedMethodId, BilledCost::DOUBLE, EffectiveCost::DOUBLE, x_ApportionHolder, x_ApportionCorrects "
        f"FROM '{tmp_path / 'out.parquet'}' WHERE x_ApportionOrigin = 'allocated'"
    )
    assert found == [("apportion-unshared", 2.0, 0.0, "unallocated", "2025-05")]
    assert made.document["replaced_charges"] == 2


def test_polars_reads_the_files_with_the_same_digits(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    space = workspace(tmp_path / "space")
    done("--workspace", str(space.root), "allocate", "2026-10")
    exported(space, tmp_path / "out")
    frame = polars.read_parquet(tmp_path / "out" / "*.parquet")
    with localcontext(prec=60):
        wanted = sum((costs[0] for costs in delivered(space).values()), Decimal())
        assert sum(frame["BilledCost"].to_list(), Decimal()) == wanted


def test_a_target_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    space = workspace(tmp_path / "space")
    done("--workspace", str(space.root), "allocate", "2026-10")
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputRefusedError, match="There is something in"):
        exported(space, tmp_path / "held")
    with pytest.raises(InputRefusedError, match="no export of allocated charges"):
        exported(space, tmp_path / "held", overwrite=True)
    with pytest.raises(InputRefusedError, match="no export of allocated charges"):
        exported(space, space.root / "one.csv", overwrite=True)
    for inside in (space.root / ".apportion" / "out", space.root / ".apportion", space.root, tmp_path):
        with pytest.raises(InputRefusedError, match="belongs to the workspace"):
            exported(space, inside, overwrite=True)
    assert [path.name for path in (tmp_path / "held").iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    first = exported(space, tmp_path / "empty")
    again = exported(space, tmp_path / "empty", overwrite=True, grain=Grain.POOL)
    assert first.document["grain"] == "service"
    assert json.loads(again.manifest.read_text(encoding="utf-8"))["grain"] == "pool"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_nothing_is_written_where_the_books_do_not_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = workspace(tmp_path / "space")
    done("--workspace", str(space.root), "allocate", "2026-10")
    true_sums = allocated_proof.by_line

    def off_by_one(*given: Any) -> allocated_proof.ByLine:
        return {key: (rows, units + 1) for key, (rows, units) in true_sums(*given).items()}

    monkeypatch.setattr(allocated_proof, "by_line", off_by_one)
    with pytest.raises(ConservationError, match="does not agree with line"):
        exported(space, tmp_path / "out")
    monkeypatch.undo()
    monkeypatch.setattr(export_rows, "_text", lambda units: None if units is None else plain(units + 1))
    with pytest.raises(ConservationError, match="does not agree with"):
        exported(space, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["space"]
