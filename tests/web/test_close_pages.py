"""The pages of the close: what they show in each state, what can be pressed and why not, and how much they ask."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apportion.actions import working
from apportion.actions.close import close_sums, sealing
from apportion.actions.close.charging import MONTHLY
from apportion.actions.close.tying import books_tie_out
from apportion.actions.post import handing_over, journals
from apportion.actions.review.accepting import accept
from apportion.actions.workspace import workspace
from apportion.errors import UnmappedError
from apportion.records.closes import Close
from apportion.records.documents import Document, DocumentTotal
from apportion.records.work import Message, Work
from apportion.review.calendar import Progress, Step
from apportion.review.states import Review
from apportion.web import close_presses, close_state
from tests.company import (  # noqa: F401 - fixtures
    OCTOBER,
    SEPTEMBER,
    Company,
    company_fixture,
    delivered_fixture,
)

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]
MOST_QUERIES = 15
TAG = re.compile(r"<[^>]*>")
PAGES = (
    "close",
    "close_period:2026-10",
    "close_period:2026-09",
    "close_progress:2026-10",
    "deliveries:2026-10",
    "findings:2026-10:csv",
    "work_list",
    "work_list?kind=untagged&period=2026-10",
    "policies",
    "groups",
    "group:north",
    "group:red-web",
)


def address(company: Company, name: str) -> str:
    path, _, query = name.partition("?")
    view, *arguments = path.split(":")
    given: list[object] = [company.group(each).pk if view == "group" else each for each in arguments]
    return reverse(view, args=given) + (f"?{query}" if query else "")


def client(company: Company, who: str) -> Client:
    made = Client()
    made.force_login(company.person(who))
    return made


def text(response: Any) -> str:
    return " ".join(TAG.sub(" ", response.content.decode()).replace("\xa0", " ").split())


def press(company: Company, who: str, act: str, **typed: str) -> Any:
    return client(company, who).post(reverse(f"close_{act}", args=["2026-10"]), typed, follow=True)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("who", ["analyst", "controller", "auditor"])
def test_every_page_answers_with_few_queries(company: Company, who: str, name: str) -> None:
    browser = client(company, who)
    with CaptureQueriesContext(connection) as queries:
        answer = browser.get(address(company, name))
    assert answer.status_code == 200
    assert len(queries) <= MOST_QUERIES


@pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith("group")])
@pytest.mark.parametrize("who", ["red", "executive", "administrator", "stranger"])
def test_the_close_is_for_those_who_do_it(company: Company, who: str, name: str) -> None:
    assert client(company, who).get(address(company, name)).status_code == 403


@pytest.mark.parametrize("period", ["2026-1", "2031-01", "x", "2026-13", "0000-00"])
def test_a_period_that_is_none_is_not_found(company: Company, period: str) -> None:
    assert client(company, "analyst").get(f"/close/{period}/").status_code == 404


def test_the_page_says_where_the_month_stands(company: Company) -> None:
    shown = text(client(company, "controller").get(reverse("close_period", args=["2026-10"])))
    assert "Close of October 2026" in shown
    assert "Every cent is accounted for" in shown
    assert "1 dispute is not decided" in shown
    assert "Red app" in shown
    assert "Waiting for the owners of 2 documents, a decision on 1 dispute" in shown


def _state(period: Any = OCTOBER) -> close_state.State:
    found = close_state.state(period, timezone.localdate())
    assert found is not None
    return found


def _pressable(company: Company, who: str) -> list[str]:
    return [each.name for each in close_presses.presses(_state(), company.actor(who)) if not each.why_not]


def test_the_books_add_up_in_every_currency(company: Company) -> None:
    accept(company.actor("red"), company.document("red-web").pk)
    journals.draw_up(company.actor("controller"), OCTOBER)
    (row,) = _state().books
    out = DocumentTotal.objects.filter(document__period="2026-10", document__issue_state="issued")
    assert row.whole == out.aggregate(sum=Sum("amount_minor"))["sum"] == 221078
    assert row.agrees
    assert row.whole == row.accepted + row.deemed + row.disputed + row.awaiting + row.central
    assert row.whole == row.posted + row.exported + row.not_posted
    assert row.accepted == row.exported == company.document("red-web").totals.get().amount_minor
    exact = books_tie_out(OCTOBER).sums["USD"]
    assert (exact.run, exact.issued, exact.notes) == (row.run, row.issued, row.notes)


def test_books_that_do_not_agree_say_so(company: Company) -> None:
    close = Close.objects.get(period="2026-10")
    close.summary["totals"]["USD"] += 1
    (row,) = close_sums.books(close)
    assert not row.agrees
    assert row.difference == -1


def _post(company: Company) -> None:
    """The journal that waits is approved by the second controller, exported and confirmed."""
    row = journals.journals(OCTOBER).get()
    journals.approve(company.actor("second"), row.pk)
    handing_over.export(company.actor("second"), row.pk)
    handing_over.confirm(company.actor("controller"), row.pk, "GL-1")


def test_what_blocks_is_what_sealing_refuses(company: Company) -> None:
    """In each state of the month the page blocks exactly where the act would refuse."""
    settings = workspace().settings
    for act in (
        lambda: None,
        lambda: accept(company.actor("red"), company.document("red-web").pk),
        lambda: journals.draw_up(company.actor("controller"), OCTOBER),
        lambda: _post(company),
    ):
        act()
        refused = sealing.blocking(OCTOBER, settings)
        assert len(_state().blocking) == len(refused)
        assert bool(_state(SEPTEMBER).blocking) == bool(sealing.blocking(SEPTEMBER, settings))


def test_each_step_of_the_calendar(company: Company) -> None:
    rows = {row.step: row for row in _state().rows}
    assert [rows[step].progress for step in Step] == [
        Progress.DONE, Progress.DONE, Progress.DONE, Progress.DONE, Progress.WAITING, Progress.LATER, Progress.LATER,
    ]  # fmt: skip
    assert rows[Step.ALLOCATE].done_by == "Analyst"
    assert rows[Step.ISSUE].done_by == "Controller"
    told = client(company, "auditor").get("/api/v1/periods/2026-10/calendar").json()  # programs are told the same
    assert [
        (each["step"], each["progress"], each["due_on"], each["done_by"], len(each["waiting_for"])) for each in told
    ] == [
        (row.step, row.progress, row.due_on.isoformat(), row.done_by, len(row.waiting_for)) for row in _state().rows
    ]  # fmt: skip
    earlier = {row.step: row.progress for row in _state(SEPTEMBER).rows}
    assert earlier[Step.REVIEW] is earlier[Step.POST] is Progress.DONE
    assert earlier[Step.SEAL] is not Progress.DONE


def test_what_can_be_pressed_and_why_not(company: Company) -> None:
    assert _pressable(company, "auditor") == []
    assert _pressable(company, "controller") == ["remind"]
    accept(company.actor("red"), company.document("red-web").pk)
    assert "journal" in _pressable(company, "controller")
    assert _pressable(company, "analyst") == []
    shown = text(client(company, "analyst").get(reverse("close_period", args=["2026-10"])))
    assert "A controller does this." in shown


def test_before_the_issue_there_is_one_next_act(company: Company) -> None:
    close = Close.objects.filter(period="2026-10")
    close.update(issued_at=None, issued_by=None, issued_run_digest="")
    controller = company.actor("controller")
    (press_now,) = close_presses.presses(_state(), controller)
    assert (press_now.name, press_now.why_not) == ("issue", "")
    close.update(allocated_by=company.person("controller"))
    (refused,) = close_presses.presses(_state(), controller)
    assert "somebody else" in refused.why_not
    close.update(allocated_at=None, allocated_by=None, run_digest="")
    assert [each.name for each in close_presses.presses(_state(), controller)] == ["allocate"]
    close.update(data_complete_at=None, data_complete_by=None)
    assert [each.name for each in close_presses.presses(_state(), controller)] == ["complete"]
    shown = press(company, "analyst", "complete")
    assert "The data is marked complete." in text(shown)
    assert Close.objects.get(period="2026-10").data_complete_by == company.person("analyst")


def test_long_work_is_asked_for_once_and_shows_how_far_it_is(company: Company) -> None:
    Close.objects.filter(period="2026-10").update(issued_run_digest="an older one")
    for _ in range(2):
        assert "are being issued" in text(press(company, "controller", "issue"))
    work = Work.objects.get(kind="issue")
    Work.objects.filter(pk=work.pk).update(state="running", done_parts=40, all_parts=100, sentence="Writing documents")
    browser = client(company, "auditor")
    shown = browser.get(reverse("close_period", args=["2026-10"])).content.decode()
    assert 'hx-trigger="every 2s"' in shown
    assert '<noscript><meta http-equiv="refresh"' in shown
    assert '<progress value="40" max="100"' in shown
    Work.objects.filter(pk=work.pk).update(
        state="failed", finished_at=timezone.now(), error={"sentence": "The disk is full.", "advice": "Make room."}
    )
    answer = browser.get(reverse("close_progress", args=["2026-10"]), headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"
    assert "Issuing failed. The disk is full." in text(browser.get(reverse("close_period", args=["2026-10"])))


def test_a_long_journal_and_a_large_seal_are_work(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apportion.actions.work_kinds.AT_ONCE", 0)
    accept(company.actor("red"), company.document("red-web").pk)
    for _ in range(2):
        assert "It is being done right now." in text(press(company, "controller", "draw_up"))
    (waiting,) = Work.objects.filter(kind="draw up journal")
    assert not Document.objects.filter(posting_state="exported").exists()
    done = working.run_next()
    assert done is not None
    assert (done.pk, done.state) == (waiting.pk, "done")
    assert done.result["journal"] == journals.journals(OCTOBER).get().pk
    assert Document.objects.filter(posting_state="exported").count() == 1
    assert "It is being done right now." in text(press(company, "controller", "seal"))
    refused = working.run_next()
    assert refused is not None
    assert (refused.kind, refused.state, refused.error["code"]) == ("seal", "failed", "NOT_IN_THIS_STATE")
    assert press(company, "analyst", "seal").status_code == 403


def test_issuing_what_is_out_does_nothing(company: Company) -> None:
    assert "Nothing was done" in text(press(company, "controller", "issue"))
    assert not Work.objects.filter(kind="issue").exists()


def test_owners_are_reminded_once_a_day(company: Company) -> None:
    before = Message.objects.count()
    shown = text(press(company, "controller", "remind"))
    assert "The owners of 2 documents are reminded." in shown
    assert (written := Message.objects.count()) > before
    press(company, "controller", "remind")
    assert Message.objects.count() == written


def test_the_journal_is_drawn_up_from_the_page_of_the_period(company: Company) -> None:
    accept(company.actor("red"), company.document("red-web").pk)
    before = client(company, "controller").get(reverse("close_period", args=["2026-10"]))
    assert f"{reverse('journal_preview')}?period=2026-10" in before.content.decode()
    shown = press(company, "controller", "draw_up")
    row = journals.journals(OCTOBER).get()
    assert shown.redirect_chain[-1][0] == reverse("journal", args=[row.pk])
    assert Document.objects.filter(posting_state="exported").count() == 1
    period = text(client(company, "auditor").get(reverse("close_period", args=["2026-10"])))
    assert f"{row.journal_id} Cost transfer Files Waits for approval" in period
    assert press(company, "controller", "draw_up").status_code == 400  # one journal waits at a time


def test_what_cannot_be_drawn_up_leads_to_the_preview_that_says_why(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_given: object) -> None:
        raise UnmappedError("Codes are missing.")

    monkeypatch.setattr("apportion.actions.work_kinds.draw_up_or_ask", refused)
    answer = press(company, "controller", "draw_up")
    assert answer.redirect_chain[-1][0] == f"{reverse('journal_preview')}?period=2026-10"


def test_a_refused_seal_says_everything_that_is_in_the_way(company: Company) -> None:
    refused = press(company, "controller", "seal")
    assert refused.status_code == 409
    assert "dispute is not decided" in text(refused)
    assert Close.objects.get(period="2026-10").sealed_at is None


@pytest.mark.parametrize("act", ["complete", "allocate", "issue", "remind", "draw_up", "seal"])
def test_acts_are_posted_with_the_right_permission_and_token(company: Company, act: str) -> None:
    where = reverse(f"close_{act}", args=["2026-10"])
    assert client(company, "controller").get(where).status_code == 405
    assert client(company, "auditor").post(where).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(company.person("controller"))
    assert strict.post(where).status_code == 403
    assert not Work.objects.exists()


def test_counts_are_those_of_the_documents(company: Company) -> None:
    counted = _state().counts
    reviewed = Document.objects.filter(
        period="2026-10", issue_state="issued", kind__in=MONTHLY, cost_group__isnull=False
    )
    assert counted.reviewers == reviewed.count() == 3
    assert counted.of(Review.DISPUTED) == 1
    assert counted.charged == 2
    assert counted.unaccepted == 2


def test_the_list_tells_how_many_answered(company: Company) -> None:
    shown = text(client(company, "auditor").get(reverse("close")))
    assert "October 2026 In review, disputed" in shown
    assert "1 / 3" in shown


def test_deliveries_and_findings_are_shown_and_taken_away(company: Company) -> None:
    shown = text(client(company, "auditor").get(reverse("deliveries", args=["2026-10"])))
    assert "cloud cost and usage Complete" in shown
    assert "COLUMN_EMPTY" in shown
    file = client(company, "auditor").get(reverse("findings", args=["2026-10", "csv"]))
    assert file.content.decode().startswith("source,delivery,file,column,row")
    assert client(company, "auditor").get(reverse("findings", args=["2026-10", "pdf"])).status_code == 404
    missing = text(client(company, "auditor").get(reverse("deliveries", args=["2026-11"])))
    assert "cloud cost and usage Missing" in missing
