"""Rates of exchange, each example checked by hand: days, means, agreed rates, inverses, cross rates and refusals."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from apportion.errors import BadValueError, MissingRateError
from apportion.money.exchange import Choice, Exchange, Kind, Leg, Rate, Table, exact_text, shown

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)


def published(name: str, pair: tuple[str, str], *rates: tuple[str, str]) -> Table:
    return Table(name, {pair: [(date.fromisoformat(day), rate) for day, rate in rates]}, {})


# Friday the 2nd, Friday the 16th, Friday the 30th; and one before the month.
USD = published(
    "ecb.csv", ("EUR", "USD"), ("2026-09-30", "1.25"), ("2026-10-02", "1.20"), ("2026-10-16", "1.30"),
    ("2026-10-30", "1.10"),
)  # fmt: skip
JPY = published("ecb.csv", ("EUR", "JPY"), ("2026-10-30", "165"))
KWD = published("own.csv", ("KWD", "USD"), ("2026-10-31", "3.3"))


def exchange(choice: str, *tables: Table, oldest: int = 7) -> Exchange:
    return Exchange(tables, Choice.parse(choice), FIRST, LAST, oldest)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("last day", Choice(Kind.DAY, 31)),
        ("last  day before", Choice(Kind.DAY, 0)),
        ("day 1", Choice(Kind.DAY, 1)),
        ("day 31", Choice(Kind.DAY, 31)),
        ("month average", Choice(Kind.AVERAGE)),
        ("agreed", Choice(Kind.AGREED)),
    ],
)
def test_a_choice_is_read(text: str, choice: Choice) -> None:
    assert Choice.parse(text) == choice


@pytest.mark.parametrize("text", ["", "day", "day 0", "day 32", "first day", "Average", "day 1.5"])
def test_what_is_no_choice_is_refused_with_advice(text: str) -> None:
    with pytest.raises(BadValueError, match="'day 20', 'month average' or 'agreed'"):
        Choice.parse(text)


@pytest.mark.parametrize(
    ("choice", "day", "rate"),
    [
        ("last day", date(2026, 10, 30), "1.1"),  # the 31st is a Saturday
        ("day 17", date(2026, 10, 16), "1.3"),
        ("day 16", date(2026, 10, 16), "1.3"),
        ("day 1", date(2026, 9, 30), "1.25"),
        ("last day before", date(2026, 9, 30), "1.25"),
    ],
)
def test_a_day_means_the_last_rate_at_or_before_it(choice: str, day: date, rate: str) -> None:
    (leg,) = exchange(choice, USD).rate("EUR", "USD").legs
    assert (leg.first_on, leg.last_on, leg.days, leg.source) == (day, day, 1, "ecb.csv")
    assert (leg.value, leg.inverted) == (Fraction(rate), False)


def test_the_other_way_round_is_the_exact_inverse() -> None:
    rate = exchange("last day", USD).rate("USD", "EUR")
    assert rate.value == Fraction(10, 11)
    assert rate.legs[0].quoted == Fraction(11, 10)
    assert rate.legs[0].inverted


def test_a_month_average_is_the_mean_of_the_days_inside_the_month() -> None:
    rate = exchange("month average", USD, oldest=14).rate("EUR", "USD")
    assert rate.value == Fraction(12, 10)  # (1.20 + 1.30 + 1.10) / 3; the September day does not count
    assert (rate.legs[0].first_on, rate.legs[0].last_on, rate.legs[0].days) == (
        date(2026, 10, 2),
        date(2026, 10, 30),
        3,
    )
    # The published figures are averaged, not their inverses: the ECB's own averages are made so.
    assert exchange("month average", USD, oldest=14).value("USD", "EUR") == Fraction(10, 12)


def test_a_mean_that_no_decimal_holds_is_kept() -> None:
    table = published("t", ("EUR", "USD"), ("2026-10-02", "1"), ("2026-10-16", "1"), ("2026-10-30", "2"))
    assert exchange("month average", table, oldest=14).value("EUR", "USD") == Fraction(4, 3)


def test_a_cross_rate_goes_over_the_common_currency_exactly() -> None:
    rate = exchange("last day", USD, JPY).rate("JPY", "USD")
    assert rate.value == Fraction(11, 10) * Fraction(1, 165) == Fraction(1, 150)
    assert [(leg.from_currency, leg.to_currency) for leg in rate.legs] == [("JPY", "EUR"), ("EUR", "USD")]


def test_a_cross_rate_may_take_more_than_one_table_and_more_than_two_legs() -> None:
    rate = exchange("last day", USD, JPY, KWD).rate("KWD", "JPY")
    assert rate.value == Fraction(33, 10) * Fraction(10, 11) * 165 == 495
    assert [leg.source for leg in rate.legs] == ["own.csv", "ecb.csv", "ecb.csv"]


def test_the_shortest_way_is_taken_and_then_the_first_table() -> None:
    straight = published("straight.csv", ("JPY", "USD"), ("2026-10-30", "0.007"))
    assert exchange("last day", USD, JPY, straight).value("JPY", "USD") == Fraction(7, 1000)
    own = published("own.csv", ("USD", "EUR"), ("2026-10-30", "0.9"))
    assert exchange("last day", own, USD).value("USD", "EUR") == Fraction(9, 10)
    assert exchange("last day", USD, own).value("USD", "EUR") == Fraction(10, 11)
    # A table whose newest rate is too old does not hide another's.
    stale = published("stale.csv", ("USD", "EUR"), ("2026-03-01", "0.8"))
    assert exchange("last day", stale, own).value("USD", "EUR") == Fraction(9, 10)


def test_within_a_table_the_quoted_direction_comes_first() -> None:
    both = Table(
        "both.csv",
        {("USD", "EUR"): [(date(2026, 10, 30), "0.9")], ("EUR", "USD"): [(date(2026, 10, 30), "1.1")]},
        {},
    )
    assert exchange("last day", both).value("USD", "EUR") == Fraction(9, 10)
    assert exchange("last day", both).value("EUR", "USD") == Fraction(11, 10)


def test_an_agreed_rate_holds_for_its_period_and_daily_rates_do_not_count() -> None:
    agreed = Table("agreed.csv", {}, {("USD", "EUR"): {"2026-10": "0.91", "2026-11": "0.92"}})
    (leg,) = exchange("agreed", USD, agreed).rate("USD", "EUR").legs
    assert (leg.value, leg.days, leg.first_on, leg.last_on) == (Fraction(91, 100), 0, FIRST, LAST)
    with pytest.raises(MissingRateError, match="no rate of exchange from JPY to EUR for 2026-10"):
        exchange("agreed", JPY, agreed).rate("JPY", "EUR")
    with pytest.raises(MissingRateError):  # and an agreed rate is no daily one
        exchange("last day", agreed).rate("USD", "EUR")


def test_no_rate_is_needed_where_the_currency_is_the_same() -> None:
    assert exchange("last day").value("EUR", "EUR") == 1
    with pytest.raises(BadValueError, match="to itself"):
        exchange("last day", USD).rate("EUR", "EUR")


def test_an_old_rate_is_refused_with_its_date() -> None:
    assert exchange("day 23", USD).value("EUR", "USD") == Fraction(13, 10)  # the 16th is 7 days before
    with pytest.raises(MissingRateError) as caught:
        exchange("day 24", USD).rate("USD", "EUR")
    assert "ecb.csv has EUR to USD, but the newest is of 2026-10-16, more than 7 days before 2026-10-24." in str(
        caught.value
    )
    assert caught.value.advice == "Bring the files of rates up to 2026-10-24."


def test_a_month_with_days_missing_has_no_average() -> None:
    """A file that was fetched in the middle of the month must not pass for a month."""
    with pytest.raises(MissingRateError, match="none between 2026-10-02 and 2026-10-16"):
        exchange("month average", USD, oldest=13).rate("USD", "EUR")
    half = published("half.csv", ("EUR", "USD"), ("2026-10-02", "1.2"), ("2026-10-16", "1.3"))
    with pytest.raises(MissingRateError, match="none between 2026-10-16 and 2026-10-31"):
        exchange("month average", half, oldest=14).rate("USD", "EUR")


def test_without_tables_the_advice_names_the_settings() -> None:
    with pytest.raises(MissingRateError, match="Name files of rates in the settings"):
        exchange("last day").rate("USD", "EUR")


def test_no_currency_is_no_missing_rate() -> None:
    with pytest.raises(BadValueError, match="'XXX' is not an ISO 4217 currency"):
        exchange("last day", USD).rate("XXX", "EUR")


def test_a_rate_is_joined_and_positive() -> None:
    leg = exchange("last day", USD).rate("USD", "EUR").legs[0]
    for legs in ((), (leg, leg), (Leg("USD", "EUR", Fraction(0), False, FIRST, LAST, 1, "t"),)):
        with pytest.raises(BadValueError, match="A rate is made of"):
            Rate(legs)


@pytest.mark.parametrize(
    ("value", "exact", "people"),
    [
        (Fraction(91, 100), "0.91", "0.91"),
        (Fraction(165), "165", "165"),
        (Fraction(1, 8), "0.125", "0.125"),
        (Fraction(10, 11), "10/11", "0.9090909…"),
        (Fraction(1, 150), "1/150", "0.006666666…"),
        (Fraction(50000, 3), "50000/3", "16666.66…"),
        (Fraction(1, 2**20), "0.00000095367431640625", "0.0000009536743…"),
        (Fraction(2713, 2500), "1.0852", "1.0852"),
    ],
)
def test_a_rate_as_text(value: Fraction, exact: str, people: str) -> None:
    assert (exact_text(value), shown(value)) == (exact, people)
    assert Fraction(exact_text(value)) == value
