"""Working days, the calendar of a close, review deadlines and readiness: dates that anybody can count in a calendar."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from apportion import settings
from apportion.errors import DocumentError
from apportion.invoice.paper import PaperKind
from apportion.periods import BillingPeriod
from apportion.review.calendar import STEP_WORDS, Fact, Progress, Step, calendar, due_dates
from apportion.review.deadlines import (
    Notice,
    NoticeKind,
    after_decision,
    days_left,
    deadline,
    due,
    has_passed,
    schedule,
)
from apportion.review.readiness import Figures, Measure, Month, is_ready, percent, quiet_months, readiness
from apportion.review.states import Act, Situation, step
from apportion.review.workdays import WEEKENDS_ONLY, CalendarError, workdays
from apportion.settings import CloseCalendarSettings, ReadinessSettings, ReviewSettings

OCTOBER = BillingPeriod(2026, 10)  # November 2026 begins on a Sunday
FRIDAY, SATURDAY, MONDAY = date(2026, 11, 6), date(2026, 11, 7), date(2026, 11, 9)


def at(day: int) -> datetime:
    return datetime(2026, 11, day, 12, tzinfo=UTC)


def test_weekends_are_no_working_days() -> None:
    days = WEEKENDS_ONLY
    assert [days.is_workday(day) for day in (FRIDAY, SATURDAY, MONDAY)] == [True, False, True]
    assert (days.after(FRIDAY, 1), days.after(SATURDAY, 1), days.after(FRIDAY, 0)) == (MONDAY, MONDAY, FRIDAY)
    assert (days.before(MONDAY, 1), days.before(SATURDAY, 1), days.before(MONDAY, 6)) == (
        FRIDAY,
        FRIDAY,
        date(2026, 10, 30),
    )
    assert (days.between(FRIDAY, MONDAY), days.between(MONDAY, FRIDAY), days.between(FRIDAY, SATURDAY)) == (1, -1, 0)


def test_holidays_of_a_country_of_a_part_of_it_and_of_a_market() -> None:
    unity, saints, may_day = date(2025, 10, 3), date(2027, 11, 1), date(2026, 5, 1)
    assert not workdays("DE").is_workday(unity)
    assert workdays("DE").is_workday(saints)
    assert not workdays("DE", "BY").is_workday(saints)
    assert not workdays("ECB").is_workday(may_day)
    assert workdays("US").is_workday(may_day)


@pytest.mark.parametrize(("country", "subdivision"), [("ZZ", ""), ("DE", "QQ"), ("ECB", "QQ")])
def test_a_country_that_nobody_knows(country: str, subdivision: str) -> None:
    with pytest.raises(CalendarError) as caught:
        workdays(country, subdivision)
    assert country in caught.value.sentence
    assert caught.value.advice


def test_without_the_package_a_country_is_refused_and_weekends_still_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(CalendarError, match="not installed"):
        workdays("DE")
    assert workdays() is WEEKENDS_ONLY


def test_the_steps_of_october_are_due_on_working_days_of_november() -> None:
    due_on = due_dates(OCTOBER, CloseCalendarSettings(), ReviewSettings())
    assert {step: day.isoformat()[5:] for step, day in due_on.items()} == {
        Step.DATA_COMPLETE: "11-04",  # Sunday the 1st; working days 1, 2, 3 are the 2nd to the 4th
        Step.RECONCILE: "11-05",
        Step.ALLOCATE: "11-06",
        Step.ISSUE: "11-09",  # over the weekend
        Step.REVIEW: "11-16",
        Step.POST: "11-18",
        Step.SEAL: "11-20",
    }
    first = CloseCalendarSettings(data_complete=1)
    assert due_dates(OCTOBER, first, ReviewSettings())[Step.DATA_COMPLETE] == date(2026, 11, 2)
    # In September the 1st is a Tuesday, and itself working day 1.
    assert due_dates(BillingPeriod(2026, 8), first, ReviewSettings())[Step.DATA_COMPLETE] == date(2026, 9, 1)
    # With All Saints' Day 2027 (a Monday) a holiday, day 1 is the 2nd.
    bavaria = workdays("DE", "BY")
    assert due_dates(BillingPeriod(2027, 10), first, ReviewSettings(), bavaria)[Step.DATA_COMPLETE].day == 2


def test_nothing_is_due_before_the_review_is_over() -> None:
    late = due_dates(OCTOBER, CloseCalendarSettings(), ReviewSettings(), review_until=date(2026, 12, 1))
    assert late[Step.POST] == late[Step.SEAL] == late[Step.REVIEW] == date(2026, 12, 1)
    long = due_dates(OCTOBER, CloseCalendarSettings(), ReviewSettings(days=15))
    assert long[Step.REVIEW] == long[Step.POST] == long[Step.SEAL] == date(2026, 11, 30)


def test_the_calendar_says_what_is_done_what_blocks_and_who_is_waited_for() -> None:
    facts = {
        Step.DATA_COMPLETE: Fact(done_at=at(3), done_by="Ana"),
        Step.RECONCILE: Fact(done_at=at(9), done_by="Ana"),  # due on the 5th: the 6th and the 9th are late
        Step.ALLOCATE: Fact(done_at=at(9)),
        Step.ISSUE: Fact(waiting_for=("Carl", "Cora", "Fay", "Max", "Olga")),
        Step.SEAL: Fact(blocked_by=("The tie-out does not hold.",)),
    }
    due_on = due_dates(OCTOBER, CloseCalendarSettings(), ReviewSettings())
    rows = calendar(due_on, facts, date(2026, 11, 10))
    assert [(row.step, row.progress, row.days_late, row.sentence) for row in rows] == [
        (Step.DATA_COMPLETE, Progress.DONE, 0, "Done by Ana."),
        (Step.RECONCILE, Progress.DONE, 2, "Done by Ana. 2 working days late."),
        (Step.ALLOCATE, Progress.DONE, 1, "Done. 1 working day late."),
        (Step.ISSUE, Progress.WAITING, 1, "Waiting for Carl, Cora, Fay and 2 more. 1 working day late."),
        (Step.REVIEW, Progress.LATER, 0, "After “Issue the documents”."),
        (Step.POST, Progress.LATER, 0, "After “Issue the documents”."),
        (Step.SEAL, Progress.BLOCKED, 0, "The tie-out does not hold."),
    ]
    assert [row.after for row in rows][4:] == [Step.ISSUE, Step.ISSUE, None]
    fresh = calendar(due_on, {}, date(2026, 11, 2))
    assert [row.progress for row in fresh] == [Progress.NEXT] + [Progress.LATER] * 6
    assert fresh[0].sentence == "Can be done now."
    assert set(STEP_WORDS) == set(Step)


# Review deadlines.

UNTIL = date(2026, 11, 16)  # a Monday
REVIEW = ReviewSettings()
ISSUED = step(Situation(PaperKind.INVOICE), Act.ISSUE)
REMIND_3, REMIND_1 = Notice(NoticeKind.REMINDER, 3), Notice(NoticeKind.REMINDER, 1)
LATE_1, LATE_5 = Notice(NoticeKind.ESCALATION, 1), Notice(NoticeKind.ESCALATION, 5)
DEEM = Notice(NoticeKind.DEEM_ACCEPTED, 0)


def test_the_deadline_is_the_last_day_that_still_counts() -> None:
    assert deadline(MONDAY, REVIEW) == UNTIL
    assert [has_passed(UNTIL, day) for day in (UNTIL, date(2026, 11, 17))] == [False, True]
    assert [days_left(UNTIL, day) for day in (MONDAY, UNTIL, date(2026, 11, 18))] == [5, 0, -2]
    assert after_decision(UNTIL, date(2026, 11, 10), REVIEW) == UNTIL
    assert after_decision(UNTIL, date(2026, 11, 19), REVIEW) == date(2026, 11, 23)


def test_the_schedule_of_a_silent_document() -> None:
    assert schedule(UNTIL, REVIEW) == {
        REMIND_3: date(2026, 11, 11),
        REMIND_1: date(2026, 11, 13),
        LATE_1: date(2026, 11, 17),
        LATE_5: date(2026, 11, 23),
    }
    accepts = ReviewSettings(silence="accepts")
    assert list(schedule(UNTIL, accepts)) == [REMIND_3, REMIND_1, DEEM]
    assert schedule(UNTIL, accepts)[DEEM] == date(2026, 11, 17)


@pytest.mark.parametrize(
    ("day", "sent", "expected"),
    [
        (10, (), ()),
        (11, (), (REMIND_3,)),
        (12, (REMIND_3,), ()),
        (13, (REMIND_3,), (REMIND_1,)),
        (13, (), (REMIND_1,)),  # the timer was down: one mail, not two
        (16, (REMIND_1,), ()),
        (16, (), (REMIND_1,)),
        (17, (), (LATE_1,)),  # no reminder after the deadline
        (17, (REMIND_3, REMIND_1, LATE_1), ()),
        (22, (LATE_1,), ()),
        (23, (LATE_1,), (LATE_5,)),
        (30, (), (LATE_5,)),
        (30, (LATE_5,), ()),
    ],
)
def test_what_is_due_on_a_day(day: int, sent: tuple[Notice, ...], expected: tuple[Notice, ...]) -> None:
    assert due(ISSUED, UNTIL, date(2026, 11, day), sent, REVIEW) == expected


def test_where_silence_accepts_nothing_is_escalated() -> None:
    accepts = ReviewSettings(silence="accepts")
    assert due(ISSUED, UNTIL, UNTIL, (REMIND_1,), accepts) == ()
    assert due(ISSUED, UNTIL, date(2026, 11, 17), (), accepts) == (DEEM,)


def test_nothing_is_due_for_a_document_that_does_not_await_review() -> None:
    for now in (
        Situation(PaperKind.INVOICE),
        step(ISSUED, Act.ACCEPT),
        step(ISSUED, Act.DISPUTE),
        step(ISSUED, Act.VOID),
    ):
        assert due(now, UNTIL, date(2026, 11, 30), (), REVIEW) == ()


# Readiness.


def month(number: int, minor: int, disputes: int = 0) -> Month:
    return Month(BillingPeriod(2026, number), minor, disputes)


def test_a_group_is_ready_when_every_threshold_is_met() -> None:
    months = [month(6, 9_000), month(7, 10_000), month(8, 11_000), month(9, 12_000)]
    rows = readiness(Figures(95, 100, 90, 100, months, 0), ReadinessSettings())
    assert is_ready(rows)
    assert [(row.measure, row.value, row.threshold, row.sentence) for row in rows] == [
        (Measure.ALLOCATED_SHARE, 950_000, 950_000, "95 % of the company's cost has an owner; 95 % is asked for."),
        (
            Measure.TAGGED_SHARE,
            900_000,
            900_000,
            "90 % of the group's direct cost carries its tags; 90 % is asked for.",
        ),
        (
            Measure.QUIET_MONTHS,
            3,
            3,
            "3 months in a row without a dispute and with a change of at most 20 %; 3 are asked for.",
        ),
        (Measure.OPEN_DISPUTES, 0, 0, "0 disputes not decided yet; at most 0 may be."),
    ]


def test_one_that_is_missed_is_named() -> None:
    figures = Figures(9_499_999, 10_000_000, 0, 0, [month(9, 5)], 1)
    rows = readiness(figures, ReadinessSettings())
    assert [row.is_met for row in rows] == [False, True, False, False]
    assert [row.value for row in rows] == [949_999, None, 0, 1]  # not rounded up to the threshold
    assert rows[1].sentence == "The group has no direct cost that could carry tags."
    assert rows[3].sentence == "1 dispute not decided yet; at most 0 may be."
    assert not is_ready(rows)


def test_a_share_just_under_its_threshold_is_not_shown_as_reached() -> None:
    (row, *_) = readiness(Figures(95 * 10**8 - 1, 10**10, 1, 1, [], 0), ReadinessSettings())
    assert (row.value, row.is_met) == (949_999, False)
    assert [percent(ppm) for ppm in (0, 1, 995_000, 10**6)] == ["0 %", "0.0001 %", "99.5 %", "100 %"]


@pytest.mark.parametrize(
    ("months", "quiet"),
    [
        ([], 0),
        ([month(9, 100)], 0),
        ([month(8, 100), month(9, 120)], 1),
        ([month(8, 100), month(9, 121)], 0),
        ([month(8, 100), month(9, 80)], 1),
        ([month(8, 100), month(9, 79)], 0),
        ([month(7, 100), month(8, 100, 1), month(9, 100)], 1),
        ([month(8, 100), month(9, 100, 1)], 0),
        ([month(6, 100), month(8, 100), month(9, 100)], 1),  # July is missing
        ([month(8, 0), month(9, 0)], 1),
        ([month(8, 0), month(9, 1)], 0),
        ([month(8, -100), month(9, -110)], 1),
    ],
)
def test_quiet_months(months: list[Month], quiet: int) -> None:
    assert quiet_months(months, 200_000) == quiet


# Their settings.


def load(tmp_path: Path, text: str) -> settings.Settings:
    (tmp_path / "apportion.yaml").write_text(f"company: A\n{text}", encoding="utf-8")
    return settings.load(tmp_path)


def test_everything_that_can_be_set(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """\
fiscal_year_starts: 4
review: {days: 8, silence: accepts, remind: [4, 0], escalate: [], after_decision: 0}
close_calendar: {country: DE, subdivision: BY, data_complete: 1, reconcile: 1, allocate: 2, issue: 2, post: 9, seal: 9}
readiness: {allocated_share: 99.5%, tagged_share: 100 %, quiet_months: 0, quiet_change: 0%, open_disputes: 2}
""",
    )
    assert found.fiscal_year_starts == 4
    assert found.review == ReviewSettings(days=8, silence="accepts", remind=(4, 0), escalate=(), after_decision=0)
    assert (found.close_calendar.subdivision, found.close_calendar.seal) == ("BY", 9)
    assert (found.readiness.allocated_share, found.readiness.tagged_share) == (995_000, 10**6)


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("fiscal_year_starts: 13\n", 2, "BAD_VALUE"),
        ("review:\n  days: 0\n", 3, "BAD_VALUE"),
        ("review:\n  remind: [1, 1]\n", 3, "DUPLICATE_DAY"),
        ("review:\n  silence: agrees\n", 3, "BAD_VALUE"),
        ("close_calendar:\n  issue: 2\n", 3, "BAD_ORDER"),
        ("close_calendar:\n  subdivision: BY\n", 3, "MISSING_KEY"),
        ("readiness:\n  tagged_share: 90\n", 3, "BAD_SHARE"),
        ("readiness:\n  tagged_share: 100.1%\n", 3, "BAD_SHARE"),
        ("readiness:\n  quiet_change: some\n", 3, "BAD_SHARE"),
    ],
)
def test_a_mistake_in_them_has_its_place(tmp_path: Path, text: str, line: int, code: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, text)
    (found,) = caught.value.mistakes
    assert (found.place.line, found.code) == (line, code)
    assert found.sentence
