"""A prepaid asset in the company's own currency ends at zero to the cent, whatever rates and journals came between."""

from __future__ import annotations

from datetime import date

import pytest

from apportion.ledger.auditor import audit
from apportion.ledger.entry import EntryKind
from apportion.periods import BillingPeriod
from apportion.post.formats import csv_text, hledger, json_text
from tests.prepaid_books import Books, each_by_itself, parts

JANUARY = BillingPeriod(2026, 1)
HALF_A_YEAR = (date(2026, 1, 15), date(2026, 7, 19))


def books(rate: str, currency: str = "USD", own: str = "EUR", price: int = 1_000_00) -> Books:
    return Books(currency, own, price, *HALF_A_YEAR, rates={JANUARY: rate})


def instalments(made: Books) -> list[int]:
    return [-part for part in parts(made.entries, EntryKind.AMORTISATION)]


def all_months(made: Books, first: int = 0) -> None:
    for month in made.months()[first:]:
        made.ask(month)
        assert made.own_asset >= 0


@pytest.mark.parametrize(
    ("rate", "booked", "used"),
    [
        # 17, 45, 76, 106, 137, 167 and 186 of 186 days; each by itself would come to 915.11.
        ("0.9151", 915_10, [83_64, 137_76, 152_51, 147_60, 152_52, 147_59, 93_48]),
        # Each by itself would come to 921.88.
        ("0.9219", 921_90, [84_26, 138_78, 153_65, 148_69, 153_65, 148_70, 94_17]),
    ],
)
def test_the_parts_sum_to_what_it_was_booked_at(rate: str, booked: int, used: list[int]) -> None:
    made = books(rate)
    all_months(made)
    assert parts(made.entries, EntryKind.PREPAYMENT) == [booked]
    assert instalments(made) == used
    assert sum(used) == booked
    assert (made.asset, made.own_asset) == (0, 0)


@pytest.mark.parametrize(
    ("currency", "own", "rate", "price", "booked", "used"),
    [
        ("USD", "JPY", "150.37", 1_000_00, 150_370, [13_744, 22_637, 25_060, 24_253, 25_063, 24_253, 15_360]),
        ("JPY", "EUR", "0.00613", 100_001, 613_01, [56_03, 92_28, 102_17, 98_87, 102_17, 98_87, 62_62]),
        ("USD", "KWD", "0.30771", 1_000_01, 307_713, [28_125, 46_322, 51_286, 49_631, 51_286, 49_630, 31_433]),
        ("KWD", "JPY", "487.3", 1_000, 487, [44, 74, 81, 79, 81, 78, 50]),
    ],
)
def test_currencies_of_no_two_and_three_decimals(
    currency: str, own: str, rate: str, price: int, booked: int, used: list[int]
) -> None:
    made = books(rate, currency, own, price)
    all_months(made)
    assert parts(made.entries, EntryKind.PREPAYMENT) == [booked]
    assert instalments(made) == used
    assert sum(used) == booked


def test_the_rates_of_later_months_do_not_matter() -> None:
    made = books("0.9151")
    made.rates |= {month: f"0.{month.month}" for month in made.months()[1:]}
    all_months(made)
    assert instalments(made) == [83_64, 137_76, 152_51, 147_60, 152_52, 147_59, 93_48]
    lines = [each.local for entry in made.entries for each in entry.postings]
    assert {(each.rate, each.source) for each in lines if each} == {("0.9151", "rates of 2026-01")}


@pytest.mark.parametrize("ended", [date(2026, 1, 20), date(2026, 3, 10), date(2026, 7, 18)])
def test_an_early_end_takes_all_that_is_left(ended: date) -> None:
    made = books("0.9219")
    made.ended = ended
    all_months(made)
    assert sum(instalments(made)) == 921_90
    assert (made.asset, made.own_asset) == (0, 0)


def test_instalments_of_journals_made_before_are_made_up_for() -> None:
    made = books("0.9151")
    for month in made.months()[:-1]:
        made.ask(month)
        made.known[-1] = each_by_itself(made.known[-1], "0.9151")
    assert instalments(made) == [83_64, 137_76, 152_51, 147_60, 152_52, 147_60]
    made.ask(made.months()[-1])
    assert instalments(made)[-1] == 93_47  # each by itself: 93.48, and one cent below zero
    assert (made.asset, made.own_asset) == (0, 0)


def test_what_was_reversed_and_drawn_up_anew() -> None:
    made = books("0.9151")
    january, february, march, *others = made.months()
    for month in (january, february, march):
        made.ask(month)
    made.reverse(1)  # February's alone
    made.rates[march] = "0.8000"
    made.ask(march)
    assert instalments(made)[-1] == 137_76
    made.reverse(0)  # the purchase, while instalments of it stand: it goes at the rate that they went at
    made.rates[others[0]] = "0.7000"
    for month in others:
        made.ask(month)
        assert made.own_asset >= 0
    standing = [entry for entry in made.entries if entry.kind is EntryKind.PREPAYMENT]
    assert parts(standing) == [915_10, 915_10]
    assert (made.asset, made.own_asset) == (0, 0)


def test_drawn_up_anew_as_a_whole_it_goes_at_the_new_rate() -> None:
    made = books("0.9151")
    made.ask(JANUARY)
    made.reverse(0)
    made.rates[JANUARY] = "0.9219"
    all_months(made)
    assert parts(made.entries, EntryKind.PREPAYMENT) == [915_10, 921_90]
    assert made.own_asset == 0


def test_a_price_that_rises_goes_at_the_months_rate_and_both_are_used_up_together() -> None:
    made = books("0.9151")
    made.ask(JANUARY)
    february = JANUARY.next
    made.rates[february], made.price = "0.8500", 1_200_00
    all_months(made, 1)
    assert parts(made.entries, EntryKind.PREPAYMENT) == [915_10, 170_00]
    # 45 of 186 days of 1,200.00 are 290.32, of 1,085.10: 262.52. Less the 91.40 and 83.64 of January.
    used = next(entry for entry in made.entries if entry.document_on.month == 2 and "Used up" in entry.text)
    cost, asset = used.postings
    assert (cost.amount_minor, asset.amount_minor) == (198_92, -198_92)
    assert cost.local
    assert asset.local
    assert (cost.local.amount_minor, asset.local.amount_minor) == (178_88, -178_88)
    # 1,200.00 / 1,085.10: what both purchases come to together.
    assert (cost.local.rate, cost.local.inverted) == ("1.10588885817", True)
    assert cost.local.source == "rates of 2026-01, rates of 2026-02"
    assert (made.asset, made.own_asset) == (0, 0)


def test_what_a_price_falls_by_goes_at_the_rate_that_the_asset_came_at() -> None:
    made = books("0.9000")
    made.ask(JANUARY)
    made.rates[JANUARY.next], made.price = "1.1000", 100_00
    all_months(made, 1)
    # At February's rate the asset would be 900.00 - 990.00, and below zero.
    assert parts(made.entries, EntryKind.PREPAYMENT) == [900_00, -810_00]
    assert (made.asset, made.own_asset) == (0, 0)


def test_no_line_is_a_debit_in_one_currency_and_a_credit_in_the_other() -> None:
    made = books("0.10", price=18)
    for month in made.months()[:-1]:
        made.ask(month)
        made.known[-1] = each_by_itself(made.known[-1], "0.55")  # far too much is taken
    assert made.own_asset < 0
    journal = made.ask(made.months()[-1])
    assert journal is not None
    (last,) = journal.entries
    # What was taken too much comes back on lines of zero, as any difference of rates does.
    amounts = [(each.account, each.amount_minor, each.local.amount_minor) for each in last.postings if each.local]
    minor, back = last.postings[0].amount_minor, amounts[-1][2]
    assert minor > 0
    assert back > 0
    assert amounts == [("600100", minor, 0), ("190000", -minor, 0), ("600100", 0, -back), ("190000", 0, back)]
    assert (made.asset, made.own_asset) == (0, 0)
    assert audit(made.entries) == ()
    for room in (csv_text, hledger, json_text):
        assert room.parse(room.render(journal)) == journal


def test_of_one_that_is_in_the_ledger_already_nobody_knows_the_rate() -> None:
    made = books("0.9151")
    made.first = JANUARY.next
    made.rates[JANUARY.next], made.rates[BillingPeriod(2026, 3)] = "0.9000", "0.8000"
    made.ask(JANUARY.next)
    made.ask(BillingPeriod(2026, 3))
    # 150.54 and 166.66, each at its month's.
    assert instalments(made) == [135_49, 133_33]


def test_in_books_of_the_same_currency_there_is_no_second_amount() -> None:
    made = books("1.0", own="USD")
    all_months(made)
    assert made.asset == 0
    assert not any(each.local for entry in made.entries for each in entry.postings)
