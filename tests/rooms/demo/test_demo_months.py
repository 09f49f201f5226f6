"""Two of the company's months, closed one after the other: what was corrected in June goes to April's statements."""

from __future__ import annotations

import pytest

from apportion import demo
from apportion.close import month as months
from apportion.close.month import Month
from apportion.ingest import usage
from apportion.ingest.load import ingest
from apportion.invoice.statement import Statement, StatementLine
from apportion.periods import BillingPeriod
from apportion.warehouse.record import Dataset
from apportion.warehouse.store import Workspace

APRIL, JUNE = BillingPeriod(2026, 4), BillingPeriod(2026, 6)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> dict[BillingPeriod, Month]:
    company = demo.write(tmp_path_factory.mktemp("months") / "kestrel", rows=3_000, months=8)
    workspace = Workspace.create(company.root)
    for delivery in company.deliveries:
        if delivery.period not in (APRIL, JUNE):
            continue
        if delivery.dataset is Dataset.USAGE:
            usage.load(workspace, delivery.paths, source=delivery.source)
        else:
            ingest(workspace, delivery.paths, source=delivery.source, mode=delivery.mode)
    return {period: months.close(workspace, period) for period in (APRIL, JUNE)}


def statement(month: Month, code: str) -> Statement:
    [found] = [each for each in month.statements if each.holder.code == code]
    return found


def corrections(month: Month, code: str) -> list[StatementLine]:
    return [line for line in statement(month, code).lines if line.corrects]


def test_both_months_tie_out(closed: dict[BillingPeriod, Month]) -> None:
    assert all(month.tie_out.holds for month in closed.values())


def test_a_late_correction_names_the_statement_that_it_puts_right(closed: dict[BillingPeriod, Month]) -> None:
    april, june = closed[APRIL], closed[JUNE]
    for code, cents in (("storefront", -124_050), ("search", 124_050)):
        assert not corrections(april, code)
        [line] = corrections(june, code)
        assert (line.minor, line.corrects) == (cents, "2026-04")
        assert str(statement(april, code).number) in line.reason


def test_what_corrects_nobodys_cost_stays_unallocated(closed: dict[BillingPeriod, Month]) -> None:
    lines = [line for each in closed[JUNE].statements for line in each.lines if line.corrects]
    assert sorted(line.minor for line in lines) == [-124_050, -8_640, 124_050]


def test_nordic_statements_are_in_their_own_currency(closed: dict[BillingPeriod, Month]) -> None:
    june = closed[JUNE]
    assert {total.currency for total in statement(june, "dispatch").totals} == {"SEK"}
    assert {total.currency for total in statement(june, "maps").totals} == {"EUR", "USD"}
    # Before it moved to the other legal entity, maps was charged in SEK too.
    assert {total.currency for total in statement(closed[APRIL], "maps").totals} == {"SEK"}
