"""The worked example of docs/explanation/why-a-total-changed.md: every figure there is proved here.

The method is the price-volume variance of management accounting (usage at the old price, price as the rest).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.examples.changing import OCTOBER, ORGANIZATION, SEPTEMBER, SETTINGS, Books, Row, charge, parts

pytestmark = pytest.mark.thorough

SUPPORT: Row = {"ServiceName": "Support", "SkuId": "plan", "ConsumedUnit": "", "ResourceId": ""}
BEFORE = [
    charge("red", "vm-1", "50.00", "100", ResourceName="Web server"),
    charge("red", "db-1", "20.00", "10", "GB"),
    charge("red", "old-1", "15.00", "5"),
    charge("red", "licence", "30.00"),
    charge("green", "cache-1", "8.00", "8"),
    charge("green", "vm-2", "107.00", "107"),
    {**SUPPORT, "BilledCost": "100.00"},
]
AFTER = [
    charge("red", "vm-1", "72.00", "120", ResourceName="Web server"),
    charge("red", "db-1", "18.00", "10", "GB"),
    charge("red", "new-1", "6.00", "6"),
    charge("red", "licence", "33.00"),
    charge("red", "cache-1", "12.00", "12"),
    charge("green", "vm-2", "47.00", "47"),
    {**SUPPORT, "BilledCost": "120.00"},
]
RED = {"price": 13_00, "usage": 10_00, "new": 6_00, "gone": -15_00, "pool": 10_00, "allocation": 42_00}
GREEN = {"usage": -60_00, "pool": 10_00, "allocation": -38_00}
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "why-a-total-changed.md"


def test_every_part_of_the_example(tmp_path: Path) -> None:
    books = Books(tmp_path / "books")
    books.month(SEPTEMBER, BEFORE)
    books.month(OCTOBER, AFTER)
    found = books.changes()
    (red,), (green,) = found["red"], found["green"]
    assert (red.currency, red.before_minor, red.after_minor) == ("USD", 165_00, 231_00)
    assert parts(red) == RED
    assert (green.before_minor, green.after_minor) == (165_00, 77_00)
    assert parts(green) == GREEN
    drivers = {(str(driver.part), driver.about): driver.minor for driver in red.drivers}
    assert drivers[("usage", "Compute: Web server")] == 10_00
    assert drivers[("price", "Compute: Web server")] == 12_00
    assert drivers[("gone", "Compute: old-1")] == -15_00
    assert drivers[("allocation", "Compute: cache-1")] == 12_00
    assert drivers[("allocation", "Share of Support")] == 30_00
    assert [abs(driver.minor) for driver in red.drivers] == sorted(
        (abs(driver.minor) for driver in red.drivers), reverse=True
    )


def test_the_page_says_these_figures() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([a-z]+) \| (−?[\d.]+) \| (?:−?[\d.]+|–) \|", page, re.MULTILINE))
    told = {name: int(amount.replace("−", "-").replace(".", "")) for name, amount in rows.items()}
    assert told == RED
    for said in ("165.00", "231.00", "148.50", "219.45", "11.55"):
        assert said in page


def test_late_corrections_are_a_part_of_their_own_and_fall_away_again(tmp_path: Path) -> None:
    books = Books(tmp_path / "books")
    books.month(SEPTEMBER, BEFORE)
    late = {"ChargeClass": "Correction", "ChargePeriodStart": "2026-09-05T00:00:00Z"}
    books.month(OCTOBER, [*AFTER, {**charge("red", "vm-1", "-4.00"), **late}])
    (red,) = books.changes()["red"]
    assert parts(red) == {**RED, "correction": -4_00}
    assert ("Correction of September 2026", -4_00) in [(driver.about, driver.minor) for driver in red.drivers]
    books.month(OCTOBER.next, AFTER)
    (then,) = books.changes(OCTOBER.next)["red"]
    assert parts(then) == {"correction": 4_00}


def test_another_rate_of_exchange_is_a_part_of_its_own(tmp_path: Path) -> None:
    rates = "exchange: {rates: [rates.csv], choose: agreed, reporting_currency: USD}\n"
    books = Books(
        tmp_path / "books",
        settings=SETTINGS + rates,
        organization=ORGANIZATION.replace("{code: red,", "{code: red, currency: EUR,"),
    )
    books.write("rates.csv", "period,from,to,rate\n2026-09,USD,EUR,0.90\n2026-10,USD,EUR,0.95\n")
    books.month(SEPTEMBER, BEFORE)
    books.month(OCTOBER, AFTER)
    (red,) = books.changes()["red"]
    assert (red.currency, red.before_minor, red.after_minor) == ("EUR", 148_50, 219_45)
    assert parts(red) == {
        "price": 11_70,
        "usage": 9_00,
        "new": 5_40,
        "gone": -13_50,
        "pool": 9_00,
        "allocation": 37_80,
        "exchange": 11_55,
    }
    assert "Rate of exchange 0.95, before 0.9" in [driver.about for driver in red.drivers]


def test_a_statement_in_another_currency_than_before(tmp_path: Path) -> None:
    rates = "exchange: {rates: [rates.csv], choose: agreed, reporting_currency: USD}\n"
    books = Books(tmp_path / "books", settings=SETTINGS + rates)
    books.write("rates.csv", "period,from,to,rate\n2026-09,USD,EUR,0.90\n2026-10,USD,EUR,0.95\n")
    books.month(SEPTEMBER, BEFORE)
    books.write("organization.yaml", ORGANIZATION.replace("{code: red,", "{code: red, currency: EUR,"))
    books.month(OCTOBER, AFTER)
    euro, dollars = books.changes()["red"]
    assert (euro.currency, euro.before_minor, euro.after_minor, parts(euro)) == ("EUR", 0, 219_45, {"exchange": 219_45})
    assert (dollars.before_minor, dollars.after_minor, parts(dollars)) == (165_00, 0, {"exchange": -165_00})


def test_the_first_month_has_no_change(tmp_path: Path) -> None:
    books = Books(tmp_path / "books")
    books.month(SEPTEMBER, BEFORE)
    assert books.changes(SEPTEMBER) == {}
