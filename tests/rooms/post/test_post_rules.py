"""When something may be posted, and under which number."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from apportion.errors import InputRefusedError, JournalRefusedError
from apportion.periods import BillingPeriod
from apportion.post import rules
from apportion.post.journal import Journal, journal
from apportion.post.mapping import PostingAccounts
from apportion.post.rules import JournalNumber, PostingCalendar

if TYPE_CHECKING:
    from tests.rooms.post.conftest import MakeStatement

OCTOBER = BillingPeriod(2026, 10)


@pytest.mark.parametrize(
    ("today", "cut_off", "closed", "posted"),
    [
        (date(2026, 11, 4), None, (), date(2026, 10, 31)),
        (date(2026, 11, 10), 10, (), date(2026, 10, 31)),
        (date(2026, 11, 11), 10, (), date(2026, 11, 1)),
        (date(2026, 11, 4), None, (10,), date(2026, 11, 1)),
        (date(2026, 12, 4), 10, (11,), date(2026, 12, 1)),
        (date(2026, 10, 20), None, (), date(2026, 10, 20)),
    ],
)
def test_cost_is_posted_in_its_period_or_the_next_open_one(
    today: date, cut_off: int | None, closed: tuple[int, ...], posted: date
) -> None:
    calendar = PostingCalendar(today, cut_off, is_open=lambda period: period.month not in closed)
    assert calendar.posting_on(OCTOBER) == posted


def test_nothing_is_posted_where_nothing_is_open_or_in_the_future() -> None:
    with pytest.raises(InputRefusedError, match="No period from 2026-10 to today"):
        PostingCalendar(date(2026, 11, 4), is_open=lambda _: False).posting_on(OCTOBER)
    with pytest.raises(InputRefusedError, match="has not begun"):
        PostingCalendar(date(2026, 9, 30)).posting_on(OCTOBER)


@pytest.fixture
def made(statement: MakeStatement, accounts: PostingAccounts) -> Journal:
    return journal([statement(1, "shop", EUR=5), statement(2, "labs", JPY=5)], accounts)


@pytest.mark.parametrize(
    ("calendar", "codes"),
    [
        (PostingCalendar(date(2026, 10, 31)), []),
        (PostingCalendar(date(2026, 10, 30)), ["FUTURE_DATE", "FUTURE_DATE"]),
        (PostingCalendar(date(2026, 11, 20), cut_off=10), ["AFTER_CUT_OFF", "AFTER_CUT_OFF"]),
        (PostingCalendar(date(2026, 11, 20), is_open=lambda _: False), ["AFTER_CUT_OFF", "AFTER_CUT_OFF"]),
    ],
)
def test_every_date_that_is_not_allowed_is_named(made: Journal, calendar: PostingCalendar, codes: list[str]) -> None:
    assert [fault.code for fault in rules.faults(made, calendar)] == codes
    if codes:
        with pytest.raises(JournalRefusedError):
            rules.require(made, calendar)
    else:
        rules.require(made, calendar)


@pytest.mark.parametrize(("starts", "codes"), [(1, []), (11, ["TWO_FISCAL_YEARS"]), (12, [])])
def test_a_journal_spans_no_two_fiscal_years(made: Journal, starts: int, codes: list[str]) -> None:
    late = replace(made.entries[1], posting_on=date(2026, 11, 1))
    calendar = PostingCalendar(date(2026, 11, 5), fiscal_year_starts=starts)
    found = rules.faults(replace(made, entries=(made.entries[0], late)), calendar)
    assert [fault.code for fault in found] == codes


def test_one_journal_waits_at_a_target_at_a_time() -> None:
    rules.require_none_pending("sap", [])
    with pytest.raises(InputRefusedError, match="Journal JN-1 still waits at sap"):
        rules.require_none_pending("sap", ["JN-1"])


def test_numbers_count_on_and_refuse_a_gap() -> None:
    assert [rules.next_number(taken) for taken in ([], [1], [2, 1, 3])] == [1, 2, 4]
    with pytest.raises(InputRefusedError, match="at 2, 5"):
        rules.next_number([1, 3, 4, 5, 5])
    assert str(JournalNumber("JV", "1000", 2026, 17)) == "JV-1000-FY2026-000017"
    assert str(JournalNumber("JV", "", 2026, 1)) == "JV-FY2026-000001"
