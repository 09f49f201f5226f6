"""Rates beside amounts: as their source quotes them, and every amount worked out from what is printed."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from apportion.errors import BadValueError, InputRefusedError, MissingRateError
from apportion.ledger.account import LedgerAccount
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.money.exchange import Choice, Exchange, Table
from apportion.organization.coding import Coding
from apportion.post.foreign import Quote, in_own_currency, quote, settle
from apportion.post.mapping import PostingAccounts
from apportion.post.passing_on import Head

DAY = date(2026, 10, 31)
ACCOUNTS = PostingAccounts(Coding("1000", "9900"), "6199", exchange_gain="2660", exchange_loss="2160")
AT = LedgerAccount("1000", "6100", "0010")
OWED = LedgerAccount("1000", "3300")


def exchange(*published: tuple[tuple[str, str], str]) -> Exchange:
    table = Table("ECB", {pair: [(DAY, rate)] for pair, rate in published}, {})
    return Exchange([table], Choice.parse("last day"), date(2026, 10, 1), DAY)


def entry(*postings: Posting) -> Entry:
    return Head("E-1", DAY, DAY, "x").entry(EntryKind.VOUCHER, postings)


def test_a_rate_stands_as_it_is_quoted() -> None:
    rates = exchange((("EUR", "USD"), "1.0852"))
    assert quote(rates.rate("USD", "EUR")) == Quote("EUR", "1.0852", DAY, "ECB", inverted=True)
    assert quote(rates.rate("EUR", "USD")) == Quote("USD", "1.0852", DAY, "ECB")


def test_a_cross_rate_is_printed_to_twelve_decimals_and_used_so() -> None:
    rates = exchange((("EUR", "USD"), "1.0852"), (("EUR", "JPY"), "163.21"))
    found = quote(rates.rate("USD", "JPY"))
    assert (found.rate, found.inverted) == ("150.396240324364", False)
    assert quote(rates.rate("JPY", "USD")) == Quote("USD", found.rate, DAY, "ECB", inverted=True)
    assert found.local(100_00, "USD").amount_minor == 15040
    assert found.local(1, "USD").value == Fraction("150.396240324364")


@pytest.mark.parametrize(
    ("to", "rate", "given", "amount", "expected"),
    [("JPY", "150", "USD", 1_01, 152), ("USD", "0.00667", "JPY", 150, 1_00), ("KWD", "0.307", "USD", 1_00, 307),
     ("EUR", "0.5", "USD", -1, -1), ("EUR", "0.4", "USD", -1, 0)],
)  # fmt: skip
def test_currencies_of_no_two_and_three_decimals(to: str, rate: str, given: str, amount: int, expected: int) -> None:
    assert Quote(to, rate, DAY, "own").local(amount, given).amount_minor == expected


def test_each_company_gets_its_own_currency_or_none() -> None:
    made = in_own_currency(
        entry(
            Posting.at(AT, "USD", 10_00, "a"),
            Posting.at(LedgerAccount("2000", "6100"), "USD", 7_00, "b"),
            Posting.at(OWED, "USD", -10_00, "c"),
            Posting.at(LedgerAccount("2000", "3300"), "USD", -7_00, "d"),
        ),
        {("1000", "USD"): Quote("EUR", "0.9", DAY, "own")},
        ACCOUNTS,
    )
    assert [(each.company, each.local and each.local.amount_minor) for each in made.postings] == [
        ("1000", 9_00),
        ("2000", None),
        ("1000", -9_00),
        ("2000", None),
    ]


def test_a_rate_that_is_missing_is_refused() -> None:
    postings = [
        Posting.at(AT, "USD", 5, "a"),
        Posting.at(OWED, "USD", -5, "b"),
        Posting.at(AT, "JPY", 5, "c"),
        Posting.at(OWED, "JPY", -5, "d"),
    ]
    with pytest.raises(MissingRateError, match="Not every posting of company 1000"):
        in_own_currency(entry(*postings), {("1000", "USD"): Quote("EUR", "0.9", DAY, "own")}, ACCOUNTS)


def test_cents_need_a_line_or_an_account() -> None:
    """Two equal lines in EUR take nothing; the only line in USD is the sum, which keeps its amount."""
    tiny = Quote("EUR", "0.5", DAY, "own")
    three = entry(Posting.at(AT, "USD", 1, "a"), Posting.at(AT, "USD", 1, "b"), Posting.at(OWED, "USD", -2, "c"))
    made = in_own_currency(three, {("1000", "USD"): tiny}, ACCOUNTS)
    assert [each.local and each.local.amount_minor for each in made.postings] == [0, 1, -1]


def test_what_is_owed_needs_an_own_amount_and_is_paid_once() -> None:
    paid, bank = Quote("EUR", "0.9", DAY, "own"), LedgerAccount("1000", "1800")
    owed = Posting.at(OWED, "USD", -10_00, "bill")
    head = Head("E-2", DAY, DAY, "paid")
    with pytest.raises(BadValueError, match="no amount in EUR"):
        settle(head, owed, bank, paid, ACCOUNTS)
    converted = in_own_currency(
        entry(Posting.at(AT, "USD", 10_00, "a"), owed), {("1000", "USD"): paid}, ACCOUNTS
    ).postings[1]
    with pytest.raises(BadValueError, match="not a part of what is owed"):
        settle(head, converted, bank, paid, ACCOUNTS, 10_01)
    same = settle(head, converted, bank, paid, ACCOUNTS)
    assert [each.account for each in same.postings] == ["3300", "1800"]  # the same rate makes no difference
    assert isinstance(same, Entry)
    with pytest.raises(InputRefusedError):
        settle(head, converted, bank, paid, ACCOUNTS, 0)
