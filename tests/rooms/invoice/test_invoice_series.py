"""Numbers of issued documents: which series, which label, no gap, no double."""

from __future__ import annotations

import pytest

from apportion.errors import ConservationError, InputRefusedError
from apportion.invoice.paper import PaperKind
from apportion.invoice.series import Family, Series, check, fiscal_year, label, numbered, parse, parse_series, series_of
from apportion.periods import BillingPeriod

OCTOBER = BillingPeriod(2026, 10)


@pytest.mark.parametrize(
    ("kind", "showback", "expected"),
    [
        (PaperKind.INVOICE, False, "KES-1000-FY2026-000017"),
        (PaperKind.CREDIT_NOTE, False, "KES-1000-FY2026-C-000017"),
        (PaperKind.DEBIT_NOTE, False, "KES-1000-FY2026-D-000017"),
        (PaperKind.STATEMENT, False, "KES-1000-FY2026-S-000017"),
        (PaperKind.STATEMENT, True, "KES-1000-FY2026-S-000017"),
        (PaperKind.CREDIT_NOTE, True, "KES-1000-FY2026-SC-000017"),
        (PaperKind.DEBIT_NOTE, True, "KES-1000-FY2026-SD-000017"),
    ],
)
def test_a_label_says_entity_fiscal_year_and_kind(kind: PaperKind, showback: bool, expected: str) -> None:
    series = series_of(kind, "1000", OCTOBER, 1, showback=showback)
    assert label(series, 17, "KES") == expected
    assert parse(f" {expected}\n") == ("KES", series, 17)


@pytest.mark.parametrize(
    ("entity", "safe"),
    [
        ("", "0"),
        ("0", "_30_"),
        ("00", "00"),
        ("DE 01", "DE_20_01"),
        ("a/b-c", "a_2f_b_2d_c"),
        ("_2f_", "_5f_2f_5f_"),
        ("Köln", "K_f6_ln"),
        ("\N{KATAKANA LETTER TO}", "_30c8_"),
        ("=1+1", "_3d_1_2b_1"),
    ],
)
def test_an_entity_may_be_called_anything(entity: str, safe: str) -> None:
    series = Series(entity, 2027, Family.INVOICE)
    assert str(series) == f"{safe}-FY2027"
    assert parse_series(str(series)) == series


@pytest.mark.parametrize(
    ("period", "starts", "year"),
    [
        ("2026-01", 1, 2026),
        ("2026-12", 1, 2026),
        ("2026-03", 4, 2026),
        ("2026-04", 4, 2027),
        ("2026-06", 7, 2026),
        ("2026-07", 7, 2027),
        ("2026-11", 12, 2026),
        ("2026-12", 12, 2027),
    ],
)
def test_a_fiscal_year_is_named_for_the_year_it_ends_in(period: str, starts: int, year: int) -> None:
    assert fiscal_year(BillingPeriod.parse(period), starts) == year


@pytest.mark.parametrize("starts", [0, 13])
def test_a_fiscal_year_starts_in_a_month(starts: int) -> None:
    with pytest.raises(InputRefusedError):
        fiscal_year(OCTOBER, starts)


@pytest.mark.parametrize(
    "text",
    [
        "KES-1000-FY2026-00017",
        "KES-1000-FY2026-0000017",
        "KES-1000-FY2026-000000",
        "KES-1000-FY2026-X-000017",
        "KES-1000-000017",
        "KES-FY2026-000017",
        "KES--FY2026-000017",
        "KES-_2F_-FY2026-000017",
        "KES-_61_-FY2026-000017",
        "KES-_110000_-FY2026-000017",
        "KES-2026-10-0001",
        "-1000-FY2026-000017",
        "",
    ],
)
def test_what_is_no_label(text: str) -> None:
    with pytest.raises(InputRefusedError):
        parse(text)


def test_what_cannot_make_a_label() -> None:
    series = Series("1000", 2026, Family.INVOICE)
    for prefix, number in (("", 1), ("K S", 1), ("-K", 1), ("KES", 0), ("KES", -1)):
        with pytest.raises(InputRefusedError):
            label(series, number, prefix)
    with pytest.raises(InputRefusedError):
        parse_series("1000")
    assert label(series, 1_000_000, "K-1_x") == "K-1_x-1000-FY2026-1000000"


def test_each_series_counts_for_itself_and_goes_on_where_it_was() -> None:
    one, other = Series("1000", 2026, Family.INVOICE), Series("1000", 2026, Family.CREDIT_NOTE)
    last = {one: 16}
    assert numbered([one, other, one, other, one], last) == (17, 1, 18, 2, 19)
    assert last == {one: 16}


@pytest.mark.parametrize(
    ("numbers", "said"), [([1, 2, 4], "lacks 3"), ([2], "lacks 1"), ([2, 1, 2], "has 2 twice"), ([0, 1], "has 0\\.$")]
)
def test_a_gap_or_a_double_is_named(numbers: list[int], said: str) -> None:
    series = Series("1000", 2026, Family.INVOICE)
    with pytest.raises(ConservationError, match=said):
        check(series, numbers)
    check(series, [3, 1, 2])
    check(series, [])
