"""Postings, entries and the book: what is refused, and that nothing is ever edited."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from apportion.errors import BadValueError, InputRefusedError, NotFoundError, UnbalancedEntryError
from apportion.ledger.account import LedgerAccount, tidy
from apportion.ledger.book import Book
from apportion.ledger.entry import Entry, Posting

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
