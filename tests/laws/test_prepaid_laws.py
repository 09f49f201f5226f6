"""Whatever happens on the way: a prepaid asset goes to zero in the company's own currency too, and never below it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.ledger.auditor import audit
from apportion.ledger.entry import Entry, EntryKind
from apportion.periods import BillingPeriod
from tests.often import often
from tests.prepaid_books import Books, each_by_itself, parts

law = settings(deadline=None, max_examples=often(100))

PAIRS = (("USD", "EUR"), ("USD", "JPY"), ("JPY", "EUR"), ("KWD", "EUR"), ("EUR", "KWD"), ("KWD", "JPY"), ("JPY", "KWD"))
rates = st.from_regex(r"(0\.[0-9]{0,3}[1-9]|[1-9][0-9]{0,2}\.[0-9]{1,4}[1-9])", fullmatch=True)
prices = st.one_of(st.integers(1, 50), st.integers(1, 10**9))


@st.composite
def books(draw: st.DrawFn) -> Books:
    currency, own = draw(st.sampled_from(PAIRS))
    starts = draw(st.dates(date(2026, 1, 1), date(2026, 12, 31)))
    ends = starts + timedelta(days=draw(st.integers(0, 400)))
    ended = draw(st.none() | st.dates(starts, ends))
    return Books(currency, own, draw(prices), starts, ends, ended, {BillingPeriod.of(starts): draw(rates)})


def signs_agree(entries: list[Entry]) -> bool:
    """Ledgers refuse a line that is a debit in one currency and a credit in the other."""
    return all(each.local and each.amount_minor * each.local.amount_minor >= 0 for e in entries for each in e.postings)


@law
@given(books(), st.data())
def test_instalments_sum_to_what_the_asset_was_booked_at(made: Books, data: st.DataObject) -> None:
    for month in made.months():
        made.rates[month] = data.draw(rates)
        if data.draw(st.integers(0, 4)) or month == made.months()[-1]:  # a month may be left out
            made.ask(month)
            assert made.asset >= 0
            assert made.own_asset >= 0
            assert made.ask(month) is None
    booked = parts(made.entries, EntryKind.PREPAYMENT)
    taken = parts(made.entries, EntryKind.AMORTISATION)
    assert len(booked) == 1
    assert all(part <= 0 for part in taken)
    assert sum(booked) + sum(taken) == made.own_asset == made.asset == 0
    assert audit(made.entries) == ()
    assert signs_agree(made.entries)


def acts(data: st.DataObject) -> Iterator[str]:
    yield from data.draw(st.lists(st.sampled_from(["price", "end", "reverse", "reverse", "before"]), max_size=2))


@law
@given(books(), st.data())
def test_so_they_do_after_corrections_reversals_and_journals_made_before(made: Books, data: st.DataObject) -> None:
    months = made.months()
    for month in months:
        made.rates[month] = data.draw(rates)
        for act in acts(data):
            if act == "price":
                made.price = data.draw(prices)
            elif act == "end":
                made.ended = data.draw(st.none() | st.dates(made.starts, made.ends))
            elif act == "reverse" and made.standing():
                made.reverse(data.draw(st.sampled_from(made.standing())))
            elif act == "before" and month != months[-1] and made.ask(month) and made.asset:
                # While something is left, another instalment comes that can make up for it.
                made.known[-1] = each_by_itself(made.known[-1], made.rates[months[0]])
        if made.ask(month) or month == months[-1]:
            assert made.asset >= 0
            assert made.own_asset >= 0
        assert made.ask(month) is None
    assert made.own_asset == made.asset == 0
    assert audit(made.entries) == ()
    assert signs_agree(made.entries)
