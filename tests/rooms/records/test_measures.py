"""The measures of a period: each figure worked out by hand, each threshold at its edge, and what is not known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Value
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apportion.actions.review.accepting import accept
from apportion.money.amount import half_even
from apportion.records.closes import Close
from apportion.records.disputes import Dispute, DisputeState
from apportion.records.documents import Document, DocumentTotal
from apportion.records.measures import Key, Measure, Unknown, _part_of, last_periods, measured, of_run
from apportion.records.stamp import forget
from apportion.settings import MeasureSettings, Settings
from tests.company import OCTOBER, SEPTEMBER, Company

pytestmark = pytest.mark.django_db
WHOLE = 221_078  # all of October, in cents


def settings(**measures: Any) -> Settings:
    return Settings(company="Northwind", measures=MeasureSettings(**measures))


def october(found: Settings | None = None) -> dict[Key, Measure]:
    forget()  # these tests change rows without an act
    (month,) = measured([str(OCTOBER)], found or settings())
    return {each.key: each for each in month.measures}


def test_every_measure_is_measured_in_six_queries_and_then_kept(
    company: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    forget()
    with django_assert_num_queries(6):
        months = measured(last_periods(str(OCTOBER)), settings())
    with django_assert_num_queries(1):
        assert measured(last_periods(str(OCTOBER)), settings()) == months
    assert [month.period for month in months][-2:] == [str(SEPTEMBER), str(OCTOBER)]
    assert all(sorted(each.key for each in month.measures) == sorted(Key) for month in months)
    assert all((each.value is None) is (each.unknown is not None) for month in months for each in month.measures)


def test_what_was_kept_is_not_said_after_an_act(company: Company) -> None:
    before = october()[Key.ACCEPTANCE_RATE]
    accept(company.actor("red"), company.document("red-web").pk)
    (after,) = measured([str(OCTOBER)], settings())
    rate = next(each for each in after.measures if each.key is Key.ACCEPTANCE_RATE)
    assert rate.counted == {
        **before.counted,
        "part": before.counted["part"] + 1,
        "accepted": before.counted["accepted"] + 1,
    }


def test_shares_of_the_run_are_those_of_its_charges(company: Company) -> None:
    found = october(settings(idle_pools=("support",)))
    assert found[Key.ALLOCATED_SHARE].counted == {"part": WHOLE - 2_399, "whole": WHOLE, "of_nobody": 2_399}
    assert found[Key.ALLOCATED_SHARE].value == half_even((WHOLE - 2_399) * 10**6, WHOLE)
    assert found[Key.TAG_COVERAGE].counted == {"part": WHOLE - 2_399 - 35_000, "whole": WHOLE}
    assert found[Key.IDLE_COST].counted == {"part": 35_000, "whole": WHOLE}
    assert found[Key.IDLE_COST].is_met is False  # 15.8 %, and at most 10 % are allowed


def test_what_is_not_known_says_why_and_is_never_zero(company: Company) -> None:
    found = october()
    assert found[Key.IDLE_COST].unknown is Unknown.NO_IDLE_POOLS
    assert found[Key.UNUSED_COMMITMENT].unknown is Unknown.NO_COMMITMENTS
    assert found[Key.DAYS_TO_RESOLVE].unknown is Unknown.NOTHING_DECIDED
    (september,) = measured([str(SEPTEMBER)], settings())
    reasons = {each.key: each.unknown for each in september.measures}
    assert reasons[Key.SHARE_POSTED] is Unknown.NO_INVOICES
    assert reasons[Key.ANOMALY_COST] is Unknown.NO_MONTH_BEFORE
    (august,) = measured(["2026-08"], settings())
    assert {each.unknown for each in august.measures} == {Unknown.NOT_ALLOCATED, Unknown.NOT_ISSUED}
    assert {each.value for each in august.measures} == {None}


def test_a_run_without_figures_is_not_measured(company: Company) -> None:
    close = Close.objects.get(period=str(OCTOBER))
    del close.summary["figures"]
    found = of_run(close, settings(idle_pools=("support",)))
    assert found[Key.TAG_COVERAGE].unknown is Unknown.NOT_MEASURED
    assert found[Key.IDLE_COST].unknown is Unknown.NOT_MEASURED
    assert found[Key.ALLOCATED_SHARE].value is not None
    close.summary["figures"] = {"pools": {}}
    assert of_run(close, settings())[Key.TAG_COVERAGE].unknown is Unknown.NO_TAGS
    assert of_run(close, settings())[Key.UNUSED_COMMITMENT].unknown is Unknown.ON_BILLED_COST


def test_commitments_are_of_the_largest_currency(company: Company) -> None:
    close = Close.objects.get(period=str(OCTOBER))
    close.summary["figures"]["commitments"] = {"EUR": [5, 100], "USD": [51, 1000]}
    found = of_run(close, settings(unused_commitment="5%"))[Key.UNUSED_COMMITMENT]
    assert (found.value, found.is_met, found.currency) == (51_000, False, "USD")
    assert of_run(close, settings(unused_commitment="5.1%"))[Key.UNUSED_COMMITMENT].is_met


def test_accepted_and_deemed_are_counted_apart(company: Company) -> None:
    assert october()[Key.ACCEPTANCE_RATE].counted == {"part": 0, "whole": 3, "accepted": 0, "deemed": 0}
    Document.objects.filter(pk=company.document("green").pk).update(review_state="deemed_accepted")
    Document.objects.filter(pk=company.document("red-web").pk).update(review_state="accepted")
    found = october(settings(acceptance_rate="66.6667%"))[Key.ACCEPTANCE_RATE]
    assert found.counted == {"part": 2, "whole": 3, "accepted": 1, "deemed": 1}
    assert (found.value, found.is_met) == (666_666, False)  # not rounded up to what it does not reach
    assert october(settings(acceptance_rate="66.6666%"))[Key.ACCEPTANCE_RATE].is_met


def test_posted_amounts_of_invoices_and_of_all_cost(company: Company) -> None:
    assert october()[Key.SHARE_POSTED].counted["part"] == 0
    web, app = (company.document(code) for code in ("red-web", "red-app"))
    Document.objects.filter(pk=web.pk).update(review_state="accepted", posting_state="posted")
    posted, other = web.totals.get().amount_minor, app.totals.get().amount_minor
    found = october()
    assert found[Key.SHARE_POSTED].counted == {"part": posted, "whole": posted + other}
    assert found[Key.RECHARGE_RATE].counted == {"part": posted, "whole": WHOLE}


def test_disputes_are_counted_by_the_hundred_lines(company: Company) -> None:
    lines = Close.objects.get(period=str(OCTOBER)).summary["lines"]
    found = october()[Key.DISPUTES]
    assert found.counted == {"disputes": 1, "lines": lines}
    assert found.value == half_even(1000, lines)
    assert found.is_met is (2 * lines >= 100)


def test_days_to_resolve_are_median_and_nearest_rank(company: Company) -> None:
    document, red = company.document("green"), company.person("red")
    now = timezone.now()
    for hours in (12, 24, 48, 240):
        row = Dispute.objects.create(
            document=document,
            line=1,
            reason="other",
            text="x",
            currency="USD",
            amount_minor=1,
            state=DisputeState.REJECTED,
            opened_by=red,
            decided_at=now,
        )
        Dispute.objects.filter(pk=row.pk).update(opened_at=now - timedelta(hours=hours))
    found = october()[Key.DAYS_TO_RESOLVE]
    assert (found.value, found.counted) == (15, {"decided": 4, "p90": 100})  # 36 hours; ten days
    Dispute.objects.filter(document=document).update(state=DisputeState.WITHDRAWN)
    assert october()[Key.DAYS_TO_RESOLVE].unknown is Unknown.NOTHING_DECIDED


def test_days_to_issue_count_from_the_last_day_of_the_period(company: Company) -> None:
    issued = OCTOBER.ends_on + timedelta(days=9)
    at = timezone.now().replace(year=issued.year, month=issued.month, day=issued.day)
    Close.objects.filter(period=str(OCTOBER)).update(issued_at=at)
    found = october()[Key.DAYS_TO_ISSUE]
    assert (found.value, found.is_met) == (10, True)
    assert october(settings(days_to_issue=9))[Key.DAYS_TO_ISSUE].is_met is False


@pytest.mark.parametrize("change", ["0%", "5%", "19.9999%", "30%", "100%"])
def test_anomalies_are_documents_that_moved_beyond_the_threshold(company: Company, change: str) -> None:
    found = settings(anomaly_change=change)
    ppm = found.measures.anomaly_change
    rows = DocumentTotal.objects.filter(document__period=str(OCTOBER), document__cost_group__isnull=False)
    pairs = [(total.amount_minor, total.before_minor) for total in rows if total.before_minor is not None]
    moved = [abs(now - was) for now, was in pairs if abs(now - was) * 10**6 > abs(was) * ppm]
    counted = october(found)[Key.ANOMALY_COST].counted
    assert (counted["documents"], counted["part"]) == (len(moved), sum(moved))
    assert counted["whole"] == sum(was for _, was in pairs)


@pytest.mark.parametrize("whole", [0, 1, 999_999, 1_000_001, 9_223_372_036_854_775_807])
@pytest.mark.parametrize("ppm", [0, 1, 300_000, 333_333, 10**6])
def test_a_part_is_exact_and_overflows_nowhere(company: Company, whole: int, ppm: int) -> None:
    found = DocumentTotal.objects.annotate(part=_part_of(Value(whole), ppm)).values_list("part", flat=True)[0]
    assert found == whole * ppm // 10**6
