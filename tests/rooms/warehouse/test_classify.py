"""The cube from delivered files, from the cache, and back to the source rows."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from apportion.allocate.match import Matching, compile_rules
from apportion.allocate.rule import Equals, Field, Glob, Holder, Prefix, Rule, Target
from apportion.errors import ConservationError
from apportion.organization.cost_group import Organization
from apportion.warehouse import cache, queries
from apportion.warehouse import duckdb as engine
from apportion.warehouse.lookups import plan_fields
from apportion.warehouse.queries import CubeRow, classify
from apportion.warehouse.scan import BATCH_ROWS, batches, delivered
from apportion.warehouse.snapshot import Snapshot
from apportion.warehouse.sources import Sources, Wanted, sources
from tests.charges import TYPES, Row, snapshot

pytestmark = pytest.mark.thorough

RULES = [
    Rule("late", "", Equals(Field("ServiceName"), ("Compute",)), Target(Holder.COST_GROUP, "late"), date(2026, 10, 15)),
    Rule("team", "", Equals(Field("team", is_tag=True), ("red", "blue")), Target(Holder.COST_GROUP, "team")),
    Rule("web", "", Prefix(Field("SubAccountId"), ("web-", "web-1", "webs")), Target(Holder.POOL, "web")),
    Rule("odd", "", Glob(Field("SubAccountId"), "*9"), Target(Holder.POOL, "odd")),
]


def month(directory: Path, count: int = 400) -> Snapshot:
    """Charges with tags, accounts, two invoices and days in two billing periods, always the same."""
    directory.mkdir(exist_ok=True)
    made = random.Random(7)
    rows: list[Row] = [
        {
            "EffectiveCost": f"{made.randint(-999, 9999)}e-{made.randint(2, 18)}",
            "BilledCost": f"{made.randint(0, 9999)}.{made.randint(0, 99):02d}",
            "ServiceName": made.choice(["Compute", "Storage", None]),
            "SubAccountId": made.choice(["web-1", "web-19", "webshop", "db-9", "db", None]),
            "InvoiceId": made.choice(["INV-1", "INV-2", None]),
            "BillingPeriodStart": made.choice(["2026-10-01"] * 9 + ["2026-09-01"]),
            "ChargePeriodStart": f"2026-10-{made.randint(1, 31):02d}",
            "Tags": made.choice(['{"team": "red"}', '{"team": "green", "x": "y"}', "{}", None]),
        }
        for _ in range(count)
    ]
    made_snapshot = snapshot(directory, rows)
    return replace(made_snapshot, files=(replace(made_snapshot.files[0], mixed=True),))


def compiled() -> Matching:
    return compile_rules(RULES, Organization((), ""), date(2026, 10, 1), date(2026, 10, 31))


def classified(directory: Path, made: Snapshot, *, effective: bool, cached: Path | None = None) -> list[CubeRow]:
    sidecars = directory / "sidecars"
    sidecars.mkdir(exist_ok=True)
    return classify(made, compiled().plan, effective=effective, sidecars=sidecars, cache_directory=cached)


@pytest.mark.parametrize("effective", [True, False])
def test_the_cache_answers_as_the_delivered_files_do(tmp_path: Path, effective: bool) -> None:
    made = month(tmp_path / "month")
    expected = classified(tmp_path, made, effective=effective)
    assert sum(row.rows for row in expected) < made.files[0].rows, "some rows belong to another billing period"
    for _ in ("built", "read"):
        assert classified(tmp_path, made, effective=effective, cached=tmp_path / "cache") == expected


def test_an_unfinished_cache_is_not_read(tmp_path: Path) -> None:
    made = month(tmp_path / "month")
    expected = classified(tmp_path, made, effective=True, cached=tmp_path / "cache")
    (tmp_path / "cache" / "fields.json").unlink()
    assert cache.held(tmp_path / "cache") == []
    assert classified(tmp_path, made, effective=True, cached=tmp_path / "cache") == expected


def test_batches_of_any_size_give_the_same_cube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = month(tmp_path / "month", count=60)
    file = one.files[0]
    four = Snapshot(one.period, (file, file, file, file), "")
    expected = classified(tmp_path, four, effective=True)
    monkeypatch.setattr("apportion.warehouse.scan.BATCH_ROWS", 100)
    assert BATCH_ROWS > 100
    assert len(list(batches(four, tmp_path))) == 4
    assert classified(tmp_path, four, effective=True) == expected


def test_small_files_between_large_ones_keep_their_place(tmp_path: Path) -> None:
    sizes = (476, 2, 397, 1, 63, 2049, 5)
    files = [month(tmp_path / f"month-{size}", count=size).files[0] for size in sizes]
    made = Snapshot(month(tmp_path / "month", count=1).period, tuple(files), "")
    assert len(list(batches(made, tmp_path))) == 1
    together = classified(tmp_path, made, effective=True)
    apart: dict[tuple[object, ...], tuple[int, int]] = {}
    for file in files:
        for row in classified(tmp_path, replace(made, files=(file,)), effective=True):
            key = (row.outcome, row.service, row.invoice_issuer)
            rows, units = apart.get(key, (0, 0))
            apart[key] = (rows + row.rows, units + row.units)
    assert {(row.outcome, row.service, row.invoice_issuer): (row.rows, row.units) for row in together} == apart


@pytest.mark.parametrize("effective", [True, False])
def test_every_cube_row_goes_back_to_its_source_rows(tmp_path: Path, effective: bool) -> None:
    made = month(tmp_path / "month")
    for row in classified(tmp_path, made, effective=effective):
        columns = {"BillingCurrency": row.currency, "ServiceName": row.service, "ChargeCategory": row.charge_category}
        if not effective:
            columns["InvoiceId"] = row.invoice_id
        wanted = Wanted([{row.outcome}, {row.outcome + 1000}], {row.invoice_issuer}, columns)
        found, nothing = sources(made, tmp_path / "sidecars", wanted, effective=effective, most=3)
        assert nothing == Sources(0, 0, ())
        assert (found.rows, found.units) == (row.rows, row.units)
        assert [abs(each.units) for each in found.largest] == sorted(
            (abs(each.units) for each in found.largest), reverse=True
        )
        assert len(found.largest) == min(3, row.rows)


def test_a_sidecar_out_of_order_stops_the_run(tmp_path: Path) -> None:
    made = month(tmp_path / "month")
    sidecars = tmp_path / "sidecars"
    sidecars.mkdir()
    plan = compiled().plan
    queries.classify(made, plan, effective=True, sidecars=sidecars)
    batch = next(batches(made, sidecars))
    scan = delivered(batch, made.period, plan_fields(plan))
    with closing(engine.connect(threads=1)) as connection:
        path = engine.literal(str(batch.sidecar))
        connection.execute(
            f"COPY (FROM (FROM read_parquet({path})) ORDER BY outcome) TO {path} (FORMAT parquet)"
        ).fetchall()
        with pytest.raises(ConservationError, match="out of order"):
            queries._cube(connection, scan, batch, effective=True)


def test_quarantined_rows_do_not_count_even_where_their_cost_is_unreadable(tmp_path: Path) -> None:
    rows: list[Row] = [{"BilledCost": "1.5"}, {"BilledCost": "$2"}, {"BilledCost": "3"}]
    types = {**TYPES, "BilledCost": "VARCHAR", "EffectiveCost": "VARCHAR"}
    made = snapshot(tmp_path, rows, types)
    aside = tmp_path / "quarantine.parquet"
    with closing(engine.connect()) as connection:
        connection.execute(
            f"COPY (SELECT 1::BIGINT AS row) TO {engine.literal(str(aside))} (FORMAT parquet)"
        ).fetchall()
    made = replace(made, files=(replace(made.files[0], quarantine=aside),))
    for cached in (None, tmp_path / "cache", tmp_path / "cache"):
        cube = classified(tmp_path, made, effective=False, cached=cached)
        assert [(row.rows, row.units) for row in cube] == [(2, 45 * 10**17)]
