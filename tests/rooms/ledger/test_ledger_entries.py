"""Postings, entries and the book: what is refused, and that nothing is ever edited."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from apportion.errors import BadValueError, InputRefusedError, NotFoundError, UnbalancedEntryError
from apportion.ledger.account import LedgerAccount, dimensions, tidy
from apportion.ledger.auditor import OffBalance, audit
from apportion.ledger.book import Book
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.ledger.local import Local
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.periods import BillingPeriod

DAY = date(2026, 10, 31)


def posting(amount: int, account: str = "600100", company: str = "1000", currency: str = "EUR", **more: Any) -> Posting:
    return Posting(account, company, more.pop("cost_center", "0010"), "", currency, amount, "text", **more)


def entry(*postings: Posting, **more: Any) -> Entry:
    return Entry(more.pop("id", "E-1"), DAY, DAY, "transfer", postings, **more)


def test_a_balanced_entry_is_taken() -> None:
    assert len(entry(posting(500), posting(-300), posting(-200)).postings) == 3


@pytest.mark.parametrize(
    "postings",
    [
        (posting(500), posting(-499)),
        (posting(500), posting(-500, company="2000")),
        (posting(500), posting(-500, currency="USD")),
        (posting(500, company="1"), posting(-500, company="2"), posting(500, company="2", currency="USD")),
        (),
    ],
    ids=["a cent", "across companies", "across currencies", "both", "empty"],
)
def test_an_unbalanced_entry_is_refused(postings: tuple[Posting, ...]) -> None:
    with pytest.raises(UnbalancedEntryError):
        entry(*postings)


def test_the_refusal_says_how_much_and_where() -> None:
    with pytest.raises(UnbalancedEntryError, match=r"out of balance by 0\.01 EUR in company 1000"):
        entry(posting(500), posting(-499))


@pytest.mark.parametrize("amount", [1.0, True, "1"])
def test_amounts_are_integers_and_nothing_else(amount: Any) -> None:
    with pytest.raises(BadValueError):
        posting(amount)


@pytest.mark.parametrize(
    "change",
    [
        {"account": ""},
        {"account": " 600100"},
        {"cost_center": "00\t10"},
        {"company": "10  00"},
        {"currency": "EURO"},
        {"text": "two\nlines"},
        {"ref": "x "},
        {"partner": "a\u202eb"},
    ],
)
def test_codes_and_texts_that_a_ledger_would_change_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadValueError):
        replace(posting(1), **change)


def test_an_amount_that_no_ledger_takes_is_named_with_what_it_is_about() -> None:
    with pytest.raises(BadValueError) as refused:
        replace(posting(1), amount_minor=-(10**18), text="Cloud cost 2026-10", ref="ST-2026-10-0001:2")
    assert refused.value.sentence == (
        "-10000000000000000.00 EUR (ST-2026-10-0001:2 Cloud cost 2026-10) has more than 18 digits, "
        "which no ledger takes."
    )
    assert refused.value.advice
    with pytest.raises(BadValueError, match="USD"):
        replace(posting(1), local=Local("USD", 10**18, "1.1", date(2026, 10, 31), "ECB"))


def test_a_reversal_mirrors_and_points_back() -> None:
    original = entry(posting(500), posting(-500, "600199"))
    reversal = original.reversal(date(2026, 11, 1))
    assert [each.amount_minor for each in reversal.postings] == [-500, 500]
    assert (reversal.id, reversal.reverses, reversal.posting_on) == ("E-1-R", "E-1", date(2026, 11, 1))
    with pytest.raises(InputRefusedError):
        reversal.reversal()


def test_the_book_adds_up_by_account_and_dimension() -> None:
    book = Book([entry(posting(500, cost_center="0010"), posting(300, cost_center="0020"), posting(-800, "600199"))])
    assert book.balances[LedgerAccount("1000", "600100", "0020"), "EUR"] == 300
    assert book.balance("600100", "EUR") == 800
    assert book.balance("600100", "EUR", company="2000") == 0
    assert sum(book.balances.values()) == 0


def test_the_same_entry_twice_counts_once_and_another_under_its_id_is_refused() -> None:
    first = entry(posting(500), posting(-500))
    book = Book()
    assert book.append(first) is True
    assert book.append(first) is False
    with pytest.raises(InputRefusedError, match="another entry"):
        book.append(entry(posting(501), posting(-501)))
    assert (len(book), book.entries) == (1, (first,))


def test_an_entry_is_reversed_once_and_only_by_its_mirror() -> None:
    book = Book([entry(posting(500), posting(-500, "600199"))])
    with pytest.raises(NotFoundError):
        book.reverse("E-2")
    with pytest.raises(InputRefusedError, match="not the mirror"):
        book.append(entry(posting(-499), posting(499, "600199"), id="E-1-R", reverses="E-1"))
    book.reverse("E-1")
    with pytest.raises(InputRefusedError, match="reversed already"):
        book.append(entry(posting(-500), posting(500, "600199"), id="E-9", reverses="E-1"))
    assert set(book.balances.values()) == {0}
    assert len(book) == 2


def test_balances_cannot_be_written_to() -> None:
    book = Book([entry(posting(500), posting(-500))])
    with pytest.raises(TypeError):
        book.balances[LedgerAccount("1000", "600100"), "EUR"] = 0  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a \t b\r\nc ", "a b c"),
        ("e\u0301", "é"),
        ("\x1b[31mred\x00", "[31mred"),
        ("pay\u202eee", "payee"),
        ("a\u00a0b", "a b"),
    ],
)
def test_tidy_text(text: str, expected: str) -> None:
    assert tidy(text) == expected


def local(amount: int, currency: str = "EUR", rate: str = "0.9") -> Local:
    return Local(currency, amount, rate, DAY, "ECB")


def test_dimensions_are_part_of_the_account() -> None:
    first, second = posting(500, dimensions=(("wbs", "P-1"),)), posting(300, dimensions=(("wbs", "P-2"),))
    book = Book([entry(first, second, posting(-800))])
    assert [amount for (at, _), amount in book.balances.items() if at.dimensions] == [500, 300]
    assert str(first.ledger_account) == "1000 / 600100 / 0010 / wbs P-1"


@pytest.mark.parametrize(
    "wrong",
    [
        (("b", "1"), ("a", "1")),
        (("a", "1"), ("a", "2")),
        (("a", ""),),
        (("", "1"),),
        (("cost_center", "1"),),
        (("a ", "1"),),
        (("a", "1\n"),),
    ],
    ids=["not sorted", "twice", "no code", "no name", "ours", "untidy name", "untidy code"],
)
def test_dimensions_have_one_spelling(wrong: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(BadValueError):
        posting(1, dimensions=wrong)


def test_dimensions_are_put_in_order_and_empty_ones_left_out() -> None:
    assert dimensions({"b": "2", "c": "", "a": "1"}) == (("a", "1"), ("b", "2"))


def test_an_entry_balances_in_the_companys_own_currency_too() -> None:
    dollars = {"currency": "USD"}
    made = entry(posting(500, local=local(450), **dollars), posting(-500, local=local(-450), **dollars))
    assert [each.local and each.local.amount_minor for each in made.reversal().postings] == [-450, 450]
    with pytest.raises(UnbalancedEntryError, match=r"by 0\.01 EUR in company 1000 in its own currency"):
        entry(posting(500, local=local(450), **dollars), posting(-500, local=local(-449), **dollars))
    with pytest.raises(UnbalancedEntryError, match="line 2: the amount in EUR is missing"):
        entry(posting(500, local=local(450), **dollars), posting(-500, **dollars))
    with pytest.raises(UnbalancedEntryError, match="two own currencies"):
        entry(posting(500, local=local(450), **dollars), posting(-500, local=local(-450, "CHF"), **dollars))
    # What is in the own currency already counts as it is; an exchange difference is in it alone.
    entry(
        posting(500, local=local(450), **dollars),
        posting(-500, local=local(-440), **dollars),
        posting(0, local=local(-10, rate=""), **dollars),
        posting(7),
        posting(-7),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"local": local(1)},
        {"currency": "USD", "local": local(1, rate="")},
        {"amount": 10**18},
        {"amount": -(10**18)},
        {"currency": "USD", "local": local(10**18)},
        {"tax_code": " V19"},
    ],
    ids=["in the same currency", "no rate", "too large", "too small", "too large in the own", "untidy"],
)
def test_a_posting_that_no_ledger_takes_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadValueError):
        posting(wrong.pop("amount", 1), **wrong)
    posting(10**18 - 1)


@pytest.mark.parametrize("rate", ["0", "0.000", "1,1", "-1", "01", "1e3", ".5", "1.", "1" * 13, "0.1234567890123"])
def test_a_rate_has_one_spelling(rate: str) -> None:
    with pytest.raises(BadValueError):
        local(1, rate=rate)


def test_a_rate_says_which_way_it_is_quoted() -> None:
    assert local(1, rate="1.25").value == Fraction(5, 4)
    assert replace(local(1, rate="1.25"), inverted=True).value == Fraction(4, 5)
    with pytest.raises(BadValueError):
        _ = local(1, rate="").value


def test_an_accruals_reversal_is_one_of_its_own_kind() -> None:
    accrual = entry(posting(5), posting(-5), kind=EntryKind.ACCRUAL, belongs_to=BillingPeriod(2026, 9))
    assert accrual.reversal().kind is EntryKind.ACCRUAL_REVERSAL
    assert accrual.reversal().belongs_to == BillingPeriod(2026, 9)
    assert entry(posting(5), posting(-5)).reversal().kind is EntryKind.REVERSAL


def test_quantities_need_no_balance_and_are_no_money() -> None:
    line = StatisticalLine("950100", "1000", "0010", "", "EUR", 500, "Shop", dimensions=(("wbs", "P-1"),))
    counted = StatisticalEntry("S-1", DAY, DAY, "Showback", (line,))
    assert line.ledger_account == LedgerAccount("1000", "950100", "0010", dimensions=(("wbs", "P-1"),))
    for wrong in ({"quantity_minor": 1.0}, {"unit": "hours"}, {"account": ""}, {"text": "a\n"}):
        with pytest.raises(BadValueError):
            replace(line, **wrong)
    with pytest.raises(BadValueError):
        replace(counted, lines=())
    with pytest.raises(AttributeError):
        Book([counted])  # type: ignore[list-item]


def test_the_auditor_trusts_nobody() -> None:
    """An entry that was changed behind its own checks, as only a fault of a program could."""
    made = entry(posting(500, currency="USD", local=local(450)), posting(-500, currency="USD", local=local(-450)))
    assert audit([made]) == ()
    broken = object.__new__(Entry)
    for field in fields(Entry):
        object.__setattr__(broken, field.name, getattr(made, field.name))
    object.__setattr__(broken, "postings", (made.postings[0], posting(-499, currency="USD", local=local(-449))))
    assert audit([broken]) == (
        OffBalance("E-1", "1000", "USD", "1/100"),
        OffBalance("E-1", "1000", "EUR", "1/100", own=True),
        OffBalance("", "1000", "USD", "1/100"),
        OffBalance("", "1000", "EUR", "1/100", own=True),
    )
