"""The generated bill is the same every time, and looks like a bill."""

import hashlib
from pathlib import Path
from typing import Any

import duckdb
import pytest

from apportion.focus.columns import COST_AND_USAGE
from apportion.focus.versions import recognise
from bench import data
from bench.world import world

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


def _rows(query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def test_the_same_every_time(bill: Path, tmp_path: Path) -> None:
    (again,) = data.parquet(4_000, directory=tmp_path, resources=800)
    assert again.name == bill.name == "charges-0000-4000.parquet"
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(bill.read_bytes()).digest()


def test_is_made_once(bill: Path) -> None:
    before = bill.stat().st_mtime_ns
    data.parquet(4_000, directory=bill.parent.parent, resources=800)
    assert bill.stat().st_mtime_ns == before


def test_is_focus(bill: Path) -> None:
    names = [row[0] for row in _rows(f"DESCRIBE SELECT * FROM '{bill}'")]
    recognised = recognise(names)
    assert recognised is not None
    assert (recognised.dataset, recognised.version, recognised.missing()) == (COST_AND_USAGE, "1.2", ())
    assert 38 <= len(names) <= 44


@pytest.mark.parametrize(
    ("what", "low", "high"),
    [
        ("avg((cardinality(Tags) = 0)::INTEGER)", 0.37, 0.43),
        ("avg((BilledCost < 0)::INTEGER)", 0.01, 0.03),
        ("count(DISTINCT InvoiceId)", 6, 6),
        ("count(DISTINCT BillingCurrency)", 2, 2),
        ("max(cardinality(Tags))", 10, 10),
        ("count(DISTINCT ChargePeriodStart)", 700, 744),
        ("count(*) FILTER (CommitmentDiscountStatus = 'Unused')", 1, 40),
        ("count(*) FILTER (ChargeCategory = 'Tax' AND ResourceId IS NULL)", 1, 40),
    ],
)
def test_looks_like_a_bill(bill: Path, what: str, low: float, high: float) -> None:
    ((found,),) = _rows(f"SELECT {what} FROM '{bill}'")
    assert low <= found <= high


def test_a_resource_has_one_account_service_region_and_app(bill: Path) -> None:
    where = "(SubAccountId, ServiceName, RegionId, Tags['app'])"
    ((most,),) = _rows(
        f"SELECT max(places) FROM (SELECT count(DISTINCT {where}) AS places FROM '{bill}' "
        "WHERE ResourceId IS NOT NULL GROUP BY ResourceId)"
    )
    assert most == 1


def test_an_app_lives_in_few_accounts_of_one_provider() -> None:
    known = world()
    assert max(len(app.accounts) for app in known.apps) <= 40
    assert all(known.accounts[place].provider == app.provider for app in known.apps for place in app.accounts)
    owned = [place for app in known.apps for place in app.accounts]
    assert len(owned) == len(set(owned)) == len(known.own_accounts)


def test_decimals_and_csv_hold_the_same_amounts(bill: Path, tmp_path: Path) -> None:
    (exact,) = data.parquet(4_000, directory=tmp_path, costs=data.Costs.DECIMAL, resources=800)
    amounts = [
        _rows(
            f"SELECT sum(BilledCost::VARCHAR::DECIMAL(38,18)), sum(EffectiveCost::VARCHAR::DECIMAL(38,18)) FROM {table}"
        )
        for table in (f"'{bill}'", f"'{exact}'", f"read_csv('{data.csv(bill)}', all_varchar = true)")
    ]
    assert amounts[0] == amounts[1] == amounts[2]
