"""W5: corrections to a closed month. FOCUS_Spec `closed_billing_period.md` (figures), CC-BY-4.0."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from apportion.close.explain import explain
from apportion.close.month import Month
from apportion.money.amount import plain, units
from tests.examples.late import JUNE, MAY, Books, Row, correction, corrections, exact, totals

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


ORGANIZATION = """\
groups:
  - {code: apps, name: Apps, coding: {company: "1", cost_center: "1", ledger_account: "6"}}
  - {code: data, name: Data, coding: {company: "1", cost_center: "2", ledger_account: "6"}}
  - {code: ops, name: Operations, coding: {company: "1", cost_center: "3", ledger_account: "6"}}
"""
POLICY = """\
policy: W5
cost_basis: effective
rules:
  - {id: r-111, when: {ResourceId: R-111}, charge_to: {cost_group: apps}}
  - {id: r-222, when: {ResourceId: R-222}, charge_to: {cost_group: data}}
  - {id: rounding, when: {ChargeCategory: Adjustment}, charge_to: {cost_group: ops}}
  - {id: no-resource, when: {ResourceId: {exists: false}}, charge_to: {cost_group: ops}}
"""
ORIGINAL: Row = {"ResourceId": "R-111", "BilledCost": "1500", "ListCost": "2000", "SkuId": "USG-123"}

DELTA = [correction("R-111", "-300"), correction("R-222", "300")]
LEDGER = [correction("R-111", "-1500"), correction("R-111", "1200"), correction("R-222", "300")]
LATE = [correction("", "1500", ListCost="2000")]
ITEMISED = [
    correction("", "0.001", ChargeCategory="Adjustment", SkuId="USG-123"),
    correction("", "0.001", ChargeCategory="Adjustment", SkuId="USG-456"),
]
BULK = [correction("", "0.002", ChargeCategory="Adjustment")]


def closed(directory: Path, rows: Sequence[Row]) -> tuple[Books, Month]:
    """May closed and sealed, and June, which has nothing but corrections."""
    books = Books(directory / "books", POLICY, ORGANIZATION)
    books.deliver(MAY, [ORIGINAL])
    books.close(MAY)
    before = books.files(MAY)
    books.deliver(JUNE, rows)
    june = books.close(JUNE)
    assert books.files(MAY) == before
    books.close(MAY)  # a replay, which raises where anything came out differently
    return books, june


@pytest.mark.parametrize("rows", [DELTA, LEDGER], ids=["delta", "ledger"])
def test_w5_1_a_wrong_resource(tmp_path: Path, rows: Sequence[Row]) -> None:
    books, june = closed(tmp_path, rows)
    assert totals(june) == {"apps": -30_000, "data": 30_000}
    credit, charge = (corrections(june)[code][0] for code in ("apps", "data"))
    assert (credit.corrects, credit.first_statements, credit.rules) == ("2025-05", ("ST-2025-05-0001",), ("r-111",))
    assert (charge.corrects, charge.first_statements, charge.rules) == ("2025-05", (), ("r-222",))
    assert credit.reason == (
        "Correction of May 2025: by rule “r-111”, as the policy was then; corrects statement ST-2025-05-0001"
    )
    found = explain(books.workspace, f"{june.statements[0].number}:1")
    assert found.line == credit
    assert [source.found.rows for source in found.sources] == [len(rows) - 1]
    assert sum(source.found.units for source in found.sources) == units("-300")
    assert {row.shown["ResourceId"] for source in found.sources for row in source.found.largest} == {"R-111"}


def test_w5_1_delta_and_ledger_end_the_same(tmp_path: Path) -> None:
    made = []
    for name, rows in (("delta", DELTA), ("ledger", LEDGER)):
        (tmp_path / name).mkdir()
        _, june = closed(tmp_path / name, rows)
        made.append((june.run.allocation.lines, [entry.postings for entry in june.journal.entries]))
    assert made[0] == made[1]


def test_w5_2_late_usage_goes_to_whom_a_rule_names(tmp_path: Path) -> None:
    _, june = closed(tmp_path, LATE)
    assert totals(june) == {"ops": 150_000}
    assert corrections(june)["ops"][0].rules == ("no-resource",)


@pytest.mark.parametrize("rows", [ITEMISED, BULK], ids=["itemised", "bulk"])
def test_w5_3_and_4_rounding_of_less_than_a_cent(tmp_path: Path, rows: Sequence[Row]) -> None:
    _, june = closed(tmp_path, rows)
    assert plain(exact(june)) == "0.002"
    assert totals(june) == {"ops": 0}
    said = [(each.reason, plain(each.units)) for each in june.tie_out.differences]
    assert ("carried_out", "-0.002") in said
    (carried,) = june.run.allocation.carried or ()
    assert plain(carried.units_out) == "0.002"
