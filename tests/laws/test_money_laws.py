"""Laws of division: what must hold for every amount, every weight and every currency."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion.errors import NegativeBasisError, ZeroBasisError
from apportion.money.amount import plain, units
from apportion.money.currency import CODES, exponent, minor_text, units_per_minor
from apportion.money.split import settle, split, to_step

amounts = st.integers(-(10**40), 10**40)
weights = st.lists(st.integers(0, 10**24), min_size=1, max_size=40).filter(any)
steps = st.sampled_from([1, 10**15, 10**16, 10**18])


@given(amounts, weights)
def test_the_parts_of_a_split_sum_to_the_whole_and_each_is_within_one_of_its_share(
    amount: int, shares: list[int]
) -> None:
    parts = split(amount, shares)
    assert sum(parts) == amount
    for part, weight in zip(parts, shares, strict=True):
        assert abs(part - Fraction(amount * weight, sum(shares))) < 1


@given(amounts, weights)
def test_zero_weight_gets_zero_and_no_part_has_another_sign(amount: int, shares: list[int]) -> None:
    for part, weight in zip(split(amount, shares), shares, strict=True):
        assert weight or part == 0
        assert part * amount >= 0


@given(amounts, weights)
def test_a_negative_amount_mirrors_the_positive(amount: int, shares: list[int]) -> None:
    assert split(-amount, shares) == [-part for part in split(amount, shares)]


@given(amounts, weights, st.integers(1, 10**6))
def test_only_the_proportions_of_the_weights_matter(amount: int, shares: list[int], factor: int) -> None:
    assert split(amount, [weight * factor for weight in shares]) == split(amount, shares)


@given(st.integers(0, 10**30), weights, st.data())
def test_more_weight_never_means_less_but_for_the_last_unit(
    amount: int, shares: list[int], data: st.DataObject
) -> None:
    # By largest remainder the last unit may go elsewhere when the others' remainders move; the share itself grows.
    place = data.draw(st.integers(0, len(shares) - 1))
    more = [weight + (number == place) * data.draw(st.integers(1, 10**12)) for number, weight in enumerate(shares)]
    assert split(amount, more)[place] >= split(amount, shares)[place] - 1


@pytest.mark.parametrize("shares", [[0], [0, 0, 0], []])
def test_a_zero_basis_is_refused(shares: list[int]) -> None:
    with pytest.raises(ZeroBasisError):
        split(100, shares)


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(NegativeBasisError):
        split(100, [5, -1])


@given(st.lists(amounts, max_size=60), steps)
def test_settled_amounts_sum_to_the_rounded_total_each_within_one_step(parts: list[int], step: int) -> None:
    settled = settle(parts, step)
    assert sum(settled) == to_step(sum(parts), step)
    for minor, part in zip(settled, parts, strict=True):
        assert abs(minor * step - part) < step
        assert part or minor == 0


@given(st.lists(amounts, max_size=60), steps)
def test_settling_mirrors_for_negatives(parts: list[int], step: int) -> None:
    assert settle([-part for part in parts], step) == [-minor for minor in settle(parts, step)]


@given(st.lists(st.integers(-(10**6), 10**6), max_size=30), steps)
def test_whole_steps_stay_as_they_are(minors: list[int], step: int) -> None:
    assert settle([minor * step for minor in minors], step) == minors


@given(amounts, steps)
def test_a_total_is_rounded_to_the_nearest_step_halves_away_from_zero(amount: int, step: int) -> None:
    exact = Fraction(amount, step)
    rounded = to_step(amount, step)
    assert abs(rounded - exact) <= Fraction(1, 2)
    if abs(rounded - exact) == Fraction(1, 2):
        assert abs(rounded) > abs(exact)


@given(amounts)
def test_text_of_units_reads_back(amount: int) -> None:
    assert units(plain(amount)) == amount
    assert plain(amount) != "-0"


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=24))
def test_longer_decimals_are_rounded_half_to_even(value: Decimal) -> None:
    with localcontext(prec=60):
        expected = value.quantize(Decimal(1).scaleb(-18), rounding=ROUND_HALF_EVEN)
        assert units(f"{value:f}") == int(expected.scaleb(18))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.81E-8", 18_100_000_000), ("-3e2", -300 * 10**18), (".5", 5 * 10**17), ("7.", 7 * 10**18), ("-0", 0)],
)
def test_numbers_as_providers_write_them(text: str, expected: int) -> None:
    assert units(text) == expected


@pytest.mark.parametrize("text", ["", "-", ".", "1,000", "$5", "+1", "1e", "NaN", "Infinity", "0x1", "1 2", "1e9999"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a decimal number"):
        units(text)


@given(st.integers(-(10**20), 10**20), st.sampled_from(sorted(CODES)))
def test_minor_text_has_the_decimals_of_the_currency(minor: int, currency: str) -> None:
    shown = minor_text(minor, currency)
    assert Decimal(shown).scaleb(exponent(currency)) == minor
    assert len(shown.partition(".")[2]) == exponent(currency)
    assert units_per_minor(currency) * 10 ** exponent(currency) == 10**18
    assert minor or not shown.startswith("-")
