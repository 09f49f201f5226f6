"""What nobody owns is set apart once, and showback is counted once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from apportion.close.journals import counted
from apportion.errors import NotFoundError, UnmappedError
from apportion.post.formats import json_text
from apportion.post.journal import Journal, reversal
from apportion.post.lifecycle import JournalKind
from tests.examples.accounting import documents
from tests.rooms.close.feeding import NOVEMBER, OCTOBER, Feed, copied, feed, rows

REMAINDER = JournalKind.REMAINDER
CHARGES = [
    {"BilledCost": "100.00", "InvoiceId": "N-77"},
    {"BilledCost": "120.00", "InvoiceId": "N-77", "team": ""},
    {"BilledCost": "80.00", "InvoiceId": "N-77", "ChargeCategory": "Tax", "team": ""},
    {"BilledCost": "7", "InvoiceId": "N-78", "BillingCurrency": "JPY", "team": "nobody"},
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    found = feed(tmp_path_factory.mktemp("base") / "northwind")
    found.deliver(OCTOBER, CHARGES)
    return found


@pytest.fixture
def made(base: Feed, tmp_path: Path) -> Feed:
    return copied(base, tmp_path / "northwind")


def test_example_j_from_the_run(made: Feed) -> None:
    """120.00 and 7 yen have no owner; the 80.00 of tax is kept central, and stays where it is."""
    journal = made.make(REMAINDER)
    assert sorted(rows(journal.entries)) == [
        ("2026-10-31", "600100", "9900", -120_00),
        ("2026-10-31", "600100", "9900", -7),
        ("2026-10-31", "600100", "9990", 7),
        ("2026-10-31", "600100", "9990", 120_00),
    ]
    assert made.sums("600100") == 0
    assert {each.ref for entry in journal.entries for each in entry.postings} == {"NW-2026-10-0002", ""}


def test_what_finds_an_owner_later_comes_back(made: Feed) -> None:
    made.make(REMAINDER)
    made.deliver(OCTOBER, [CHARGES[0], {**CHARGES[1], "BilledCost": "130.00"}, CHARGES[2]])
    assert sorted(rows(made.make(REMAINDER).entries)) == [
        ("2026-10-31", "600100", "9900", -10_00),
        ("2026-10-31", "600100", "9900", 7),
        ("2026-10-31", "600100", "9990", -7),
        ("2026-10-31", "600100", "9990", 10_00),
    ]
    made.deliver(OCTOBER, [CHARGES[0], CHARGES[2]])
    assert rows(made.make(REMAINDER).entries)[0] == ("2026-10-31", "600100", "9990", -130_00)


def test_what_was_reversed_is_set_apart_again(made: Feed) -> None:
    first = made.make(REMAINDER)
    made.known.append(reversal(first, date(2026, 10, 31)))
    assert rows(made.make(REMAINDER).entries) == rows(first.entries)


def test_a_later_day_names_the_period(made: Feed) -> None:
    (entry,) = made.make(REMAINDER, posting_on=date(2026, 11, 1)).entries
    assert (entry.posting_on, entry.belongs_to) == (date(2026, 11, 1), OCTOBER)


def test_nothing_to_set_apart_needs_no_cost_center(made: Feed) -> None:
    made.deliver(OCTOBER, CHARGES[:1])
    made.settings(without="suspense_cost_center")
    assert made.ask(REMAINDER) is None


def test_without_a_cost_center_the_key_is_named(made: Feed) -> None:
    made.settings(without="suspense_cost_center")
    with pytest.raises(UnmappedError, match="'suspense_cost_center'"):
        made.ask(REMAINDER)


def test_a_month_that_is_not_allocated(made: Feed) -> None:
    with pytest.raises(NotFoundError, match="2026-11 has not been allocated"):
        made.ask(REMAINDER, NOVEMBER)


def test_showback_is_counted_once_and_never_money(made: Feed) -> None:
    shown, settings = documents(showback=True), made.workspace.settings
    first = counted(shown[:2], settings, [])
    assert first is not None
    assert first.entries == ()
    assert [line.quantity_minor for line in first.statistical[0].lines] == [512371, 301111]
    assert json_text.parse(json_text.render(first)) == first
    rest = counted(shown, settings, [first])
    assert rest is not None
    assert [line.quantity_minor for line in rest.statistical[0].lines] == [186518]
    assert counted(shown, settings, [first, rest]) is None
    known: list[Journal] = [first, rest, reversal(first, date(2026, 10, 31))]
    again = counted(shown, settings, known)
    assert again is not None
    assert [line.quantity_minor for line in again.statistical[0].lines] == [512371, 301111]
    assert again.statistical[0].id not in {entry.id for each in known for entry in each.statistical}


def test_showback_needs_its_account(made: Feed) -> None:
    made.settings(without="statistical")
    with pytest.raises(UnmappedError, match="'statistical'"):
        counted(documents(showback=True), made.workspace.settings, [])
