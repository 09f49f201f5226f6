"""The story, before any file exists: what it adds up to and what happens in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest

from apportion import settings
from apportion.demo import DemoCompany
from apportion.demo.line import NOBODY, Line
from apportion.demo.numbers import drawn, letters, seed31
from apportion.demo.plan import SOURCES, Bill, plan
from apportion.demo.story import Month
from apportion.errors import InputRefusedError
from apportion.money.amount import ONE
from apportion.periods import BillingPeriod

pytestmark = pytest.mark.thorough

CENT = ONE // 100


@pytest.fixture(scope="module")
def bills() -> list[Bill]:
    return plan(5_000, 12, 2026)


def lines(bills: list[Bill], source: str = "", period: str = "") -> Iterator[tuple[Bill, Line]]:
    return (
        (bill, line)
        for bill in bills
        for line in bill.lines
        if source in ("", bill.source.name) and period in ("", str(bill.month.period))
    )


def test_numbers_stay_what_they_are() -> None:
    """Pinned: every file of the demo depends on them."""
    assert drawn(0, 10**6, 2026, "level", "a") == 789507
    assert seed31("x", 1) == 852591594
    assert letters(20, "y") == "d39c4e35429ee6babdaf"


def test_the_story_begins_in_november_2025_and_lasts_twelve_months(bills: list[Bill]) -> None:
    periods = list(dict.fromkeys(bill.month.period for bill in bills))
    assert periods[0] == BillingPeriod(2025, 11)
    assert periods[-1] == BillingPeriod(2026, 10)
    assert len(periods) == 12
    assert len(bills) == 12 * len(SOURCES)


@pytest.mark.parametrize("rows", [5_000, 60_000, 12_345_678])
def test_rows_are_exactly_those_asked_for(rows: int) -> None:
    assert sum(bill.rows for bill in plan(rows, 12, 2026)) == rows


def test_rows_change_how_finely_cost_is_metered_and_not_how_much_there_is(bills: list[Bill]) -> None:
    finer = plan(10**6, 12, 2026)
    assert [line for _, line in lines(finer)] == [line for _, line in lines(bills)]


@pytest.mark.parametrize(("rows", "months"), [(100, 12), (5_000, 0), (5_000, -1)])
def test_too_few_rows_or_months_are_refused(rows: int, months: int) -> None:
    with pytest.raises(InputRefusedError):
        plan(rows, months, 2026)


def test_the_least_number_of_rows_gives_every_line_one() -> None:
    least = sum(1 for _ in lines(plan(5_000, 12, 2026)))
    with pytest.raises(InputRefusedError, match=f"has {least} lines"):
        plan(least - 1, 12, 2026)
    assert {part.rows for bill in plan(least, 12, 2026) for part in bill.spread} == {1}


def test_a_year_costs_between_one_and_three_million(bills: list[Bill]) -> None:
    cost: dict[str, int] = defaultdict(int)
    for bill, line in lines(bills):
        cost[bill.source.currency] += line.effective_units
    assert 1_500_000 * ONE < cost["USD"] < 3_000_000 * ONE
    assert 300_000 * ONE < cost["EUR"] < 1_000_000 * ONE


@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_three_to_six_percent_find_no_owner_in_every_month(bills: list[Bill], currency: str) -> None:
    for period in {bill.month.period for bill in bills}:
        of_month = [line for bill, line in lines(bills, period=str(period)) if bill.source.currency == currency]
        lost = sum(line.effective_units for line in of_month if line.intended == NOBODY)
        whole = sum(line.effective_units for line in of_month)
        assert 3 * whole <= 100 * lost <= 6 * whole, (period, lost, whole)


def test_versions_differ_by_source() -> None:
    assert {source.version for source in SOURCES} == {"1.0", "1.2", "1.3", "1.4"}


def commitments(bills: list[Bill]) -> dict[str, tuple[int, int]]:
    """Billed and effective cost of each commitment over everything planned."""
    found: dict[str, tuple[int, int]] = {}
    for _, line in lines(bills):
        name = line.columns.get("CommitmentDiscountId")
        if name:
            billed, effective = found.get(name, (0, 0))
            found[name] = (billed + line.billed_units, effective + line.effective_units)
    return found


def test_commitments_that_end_within_the_year_balance_over_their_term(bills: list[Bill]) -> None:
    found = commitments(bills)
    for key in ("sp-", "ri-aurora-", "cud-"):
        [(billed, effective)] = [amounts for name, amounts in found.items() if name.startswith(key)]
        assert billed == effective > 0


def test_a_commitment_paid_by_half_upfront_is_still_prepaid_when_the_year_ends(bills: list[Bill]) -> None:
    [(billed, effective)] = [amounts for name, amounts in commitments(bills).items() if name.startswith("ri-search-")]
    hours_left = (365 - 184) * 24  # May to October are 184 of 365 days
    half_rate = 65_000 * ONE // 10**6
    assert billed - effective == 4 * hours_left * half_rate


def test_the_settings_know_the_terms_of_what_is_paid_upfront(bills: list[Bill], company: DemoCompany) -> None:
    upfront = {name for name in commitments(bills) if name.startswith(("ri-aurora-", "ri-search-"))}
    assert set(settings.load(company.root).ledger.commitments) == upfront


def test_renewed_and_longer_commitments_balance_too() -> None:
    found = commitments(plan(20_000, 30, 2026))  # to April 2028, over a leap day
    ended = [name for name, (billed, effective) in found.items() if billed == effective]
    assert sum(name.startswith("sp-") for name in ended) == 3  # paid by the month, so balanced at any month's end
    assert sum(name.startswith("ri-aurora-") for name in ended) == 2
    assert sum(name.startswith("ri-search-") for name in ended) == 2


def test_commitments_are_used_and_unused_in_every_month(bills: list[Bill]) -> None:
    for period in {bill.month.period for bill in bills}:
        states = {line.columns.get("CommitmentDiscountStatus") for _, line in lines(bills, "aws", str(period))}
        assert states == {None, "Used", "Unused"}


def test_more_is_unused_after_the_monolith_is_gone(bills: list[Bill]) -> None:
    unused = {
        place: sum(
            line.effective_units
            for _, line in lines(bills, "aws", str(Month(place).period))
            if line.columns.get("CommitmentDiscountStatus") == "Unused"
            and line.columns["CommitmentDiscountId"].startswith("sp-")
        )
        for place in (2, 5, 9)
    }
    assert unused[2] < unused[9] < unused[5]


def cost_of(bills: list[Bill], part_of_key: str) -> list[int]:
    """Effective cost by month of the lines with this in their key."""
    cost: dict[int, int] = defaultdict(int)
    for bill, line in lines(bills):
        cost[bill.month.place] += line.effective_units if part_of_key in line.key else 0
    return [cost[place] for place in range(12)]


def test_one_service_ends_and_one_begins(bills: list[Bill]) -> None:
    legacy, live = cost_of(bills, "legacy-wms"), cost_of(bills, "assist-live")
    assert all(legacy[:5])
    assert not any(legacy[5:])
    assert legacy[2] > legacy[3] > legacy[4]
    assert not any(live[:4])
    assert live[4] < live[5] < live[6] < live[11]


def test_the_shop_peaks_in_december_and_rides_in_july(bills: list[Bill]) -> None:
    shop, rides = cost_of(bills, "shop-production/storefront/"), cost_of(bills, "rides-production/dispatch/")
    assert shop[1] == max(shop)
    assert rides[8] == max(rides)


@pytest.mark.parametrize("period", [f"{BillingPeriod(2025 + (10 + n) // 12, (10 + n) % 12 + 1)}" for n in range(12)])
def test_invoices_with_a_rounding_row_are_whole_cents(bills: list[Bill], period: str) -> None:
    for source in ("google", "kubernetes"):
        of_month = [line for _, line in lines(bills, source, period)]
        assert sum(line.billed_units for line in of_month) % CENT == 0
        [rounding] = [line for line in of_month if line.columns["ChargeCategory"] == "Adjustment"]
        assert abs(rounding.billed_units) <= CENT // 2


def test_what_a_real_bill_brings_is_there(bills: list[Bill]) -> None:
    every = [line for _, line in lines(bills)]
    categories = {line.columns["ChargeCategory"] for line in every}
    assert categories == {"Usage", "Purchase", "Tax", "Credit", "Adjustment"}
    assert any("Support" in line.columns["ServiceName"] for line in every)
    assert any(line.columns.get("PublisherName") == "Lumenwatch, Inc." for line in every)
    negative = [line for line in every if line.billed_units < 0 and "ChargeClass" not in line.columns]
    assert {line.columns["ChargeCategory"] for line in negative} >= {"Usage", "Purchase", "Credit"}
    assert any(not line.tags and line.intended != NOBODY for line in every)
    assert {"CHECKOUT", "chekout", "CATALOGUE", "tbd"} & {line.tags.get("team") for line in every}


def test_corrections_of_a_closed_month_come_with_a_later_bill(bills: list[Bill]) -> None:
    found = [(bill, line) for bill, line in lines(bills) if line.columns.get("ChargeClass") == "Correction"]
    assert len(found) == 4
    for bill, line in found:
        assert BillingPeriod.of(line.first) < bill.month.period
    moved = {line.intended: line.billed_units for bill, line in found if bill.source.name == "aws"}
    assert moved["storefront"] == -moved["search"]


def test_invoice_ids_belong_to_one_issuer_and_month(bills: list[Bill]) -> None:
    owner: dict[str, tuple[str, BillingPeriod]] = {}
    for bill, line in lines(bills):
        invoice_id = line.columns.get("InvoiceId")
        assert (invoice_id is None) == (bill.source.name == "azure")
        if invoice_id:
            assert owner.setdefault(invoice_id, (bill.source.name, bill.month.period)) == (
                bill.source.name,
                bill.month.period,
            )


def test_keys_are_unique_within_a_bill(bills: list[Bill]) -> None:
    """A key seeds the rows: two lines of one key would have the same resources."""
    for bill in bills:
        keys = [line.key for line in bill.lines]
        assert len(keys) == len(set(keys)), bill.source.name
