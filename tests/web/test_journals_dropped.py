"""Journals for a folder, on pages and for programs: confirmed once all of it was sent, and never by another route."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.urls import reverse

from apportion.post.lifecycle import JournalState
from apportion.records.journals import LedgerJournal, LedgerPush
from tests.company import Company
from tests.journals import transfer
from tests.web.api_calls import Caller, key_of
from tests.web.test_journal_pages import client, placed, press, pushed_fixture, shown

__all__ = ["pushed_fixture"]

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

EARLY = "Not all of it was sent yet: push it to its end first."


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(name="caller")
def caller_fixture(company: Company) -> Caller:
    return Caller(key_of(company.person("second")))


def begun(target: str, state: str) -> None:
    (entry,) = transfer().entries
    LedgerPush.objects.create(
        target=target, entry=entry.id, company="1000", round=1, key="APKEY", content_hash="0" * 64, state=state
    )


@pytest.mark.parametrize("state", ["", "reserved", "created", "rejected", "withdrawn"])
def test_what_was_not_sent_is_not_confirmed(company: Company, pushed: str, caller: Caller, state: str) -> None:
    row = placed(company, target=pushed)
    if state:
        begun(pushed, state)
    page = client(company, "second").get(reverse("journal", args=[row.pk]))
    (push, confirm, _withdraw) = page.context["presses"]
    assert (push.name, push.is_next, push.why_not) == ("push", True, "")
    assert (confirm.name, confirm.is_next, confirm.why_not) == ("confirm", False, EARLY)
    assert EARLY in shown(company, row)
    assert caller.get(f"/journals/{row.pk}").json()["may"] == ["push", "withdraw"]
    assert press(company, "second", "confirm", row, reference="GL-1").status_code == 409
    answer = caller.post(f"/journals/{row.pk}/confirm", {"reference": "GL-1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_IN_THIS_STATE")
    assert answer.json()["advice"] == "Push it to its end, then confirm it."
    assert LedgerJournal.objects.get().state == JournalState.HANDED_OVER


def test_what_was_sent_is_confirmed_next(company: Company, pushed: str, caller: Caller) -> None:
    row = placed(company, target=pushed)
    begun(pushed, "sent")
    page = client(company, "second").get(reverse("journal", args=[row.pk]))
    assert [(each.name, each.is_next) for each in page.context["presses"]] == [
        ("confirm", True), ("push", False), ("withdraw", False),
    ]  # fmt: skip
    assert EARLY not in shown(company, row)
    assert caller.get(f"/journals/{row.pk}").json()["may"] == ["push", "confirm", "withdraw"]


def test_a_target_that_went_keeps_its_journals_readable_and_lets_nothing_out(company: Company, caller: Caller) -> None:
    row = placed(company, target="gone")
    begun("gone", "sent")
    page = shown(company, row)
    assert "Pushed to the ledger" in page
    assert "Write the files again" not in page
    assert caller.get(f"/journals/{row.pk}").json()["may"] == ["push", "confirm", "withdraw"]
    assert caller.get(f"/journals/{row.pk}").json()["files"] == []
    typed: dict[str, dict[str, str]] = {
        "export": {},
        "push": {},
        "confirm": {"reference": "GL-1"},
        "withdraw": {"reason": "Wrong account"},
    }
    for act, fields in typed.items():
        answer = caller.post(f"/journals/{row.pk}/{act}", fields)
        assert (answer.status_code, answer.json()["code"]) == (422, "INPUT_REFUSED"), act
        assert answer.json()["detail"] == "The settings do not know the target 'gone' any more."
        said = press(company, "second", act, row, **fields)
        assert said.status_code in (400, 409, 422), act
    assert LedgerJournal.objects.get().state == JournalState.HANDED_OVER
    assert LedgerPush.objects.get().state == "sent"
