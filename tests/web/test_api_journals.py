"""Journals for programs: drawn up, approved by another, exported, confirmed, reversed; and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from apportion.actions.post import handing_over, journals
from apportion.actions.review.accepting import accept
from apportion.errors import JournalRefusedError, Mistake, Place, UnmappedError
from apportion.post.erp.errors import TargetDownError
from apportion.post.lifecycle import JournalState
from apportion.records.documents import Document
from apportion.records.journals import LedgerJournal
from tests.company import OCTOBER, Company
from tests.journals import put, transfer
from tests.web.api_calls import ROOT, Caller, key_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(name="first")
def first_fixture(company: Company) -> Caller:
    return Caller(key_of(company.person("controller")))


@pytest.fixture(name="second")
def second_fixture(company: Company) -> Caller:
    return Caller(key_of(company.person("second")))


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    said = answer.json()
    assert (answer.status_code, said["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = said
    return found


def test_a_journal_from_preview_to_reversal(company: Company, first: Caller, second: Caller) -> None:
    accept(company.actor("red"), company.document("red-web").pk)
    preview = first.get("/periods/2026-10/journal?kind=transfer").json()["journal"]
    drawn = first.post("/periods/2026-10/journals", {"kind": "transfer"}).json()
    row = drawn["journal"]
    assert drawn["work"] is None
    assert (row["state"], row["target"], row["number"]) == ("drawn_up", "files", None)
    assert row["sha256"] == preview["sha256"]
    assert row["debit"] == [{"currency": "USD", "amount": "1204.18", "amount_minor": 120418}]
    assert first.get("/periods/2026-10/journal").json()["journal"] is None
    where = f"/journals/{row['id']}"
    assert first.get(where).json()["may"] == ["withdraw"]
    assert second.get(where).json()["may"] == ["approve", "withdraw"]
    refused(first.post(f"{where}/approve"), 403, "SAME_PERSON")
    refused(second.post(f"{where}/export"), 409, "NOT_IN_THIS_STATE")
    refused(second.get(f"{where}/files/journal-2026-10.csv"), 409, "NOT_IN_THIS_STATE")
    assert second.post(f"{where}/approve").json()["number"] == "JV-1000-FY2026-000001"
    exported = second.post(f"{where}/export").json()
    assert exported["journal"]["state"] == "handed_over"
    assert "journal-2026-10.csv" in exported["files"]
    whole = second.get(where).json()
    assert sorted(each["name"] for each in whole["files"]) == sorted(exported["files"])
    assert whole["journal"] == preview
    (balance,) = whole["balances"]
    assert (balance["debit"], balance["difference"]["amount_minor"]) == (balance["credit"], 0)
    assert whole["documents"] == 1
    file = second.get(f"{where}/files/journal-2026-10.csv")
    assert file.content == second.get(f"{where}/files/journal-2026-10.csv").content
    assert file["Content-Disposition"].startswith("attachment")
    assert refused(first.post(f"{where}/confirm", {"reference": " "}), 422, "INPUT_REFUSED")["place"] == {
        "field": "reference", "file": "", "line": None, "column": None, "row": None,
    }  # fmt: skip
    assert first.post(f"{where}/confirm", {"reference": "GL-7"}).json()["reference"] == "GL-7"
    assert Document.objects.get(posting_state="posted").ledger_reference == "GL-7"
    refused(first.post(f"{where}/withdraw", {"reason": "No."}), 409, "NOT_IN_THIS_STATE")
    back = first.post(f"{where}/reverse", {"reason": "Wrong company."}).json()
    assert back["reverses"] == {"id": row["id"], "label": "JV-1000-FY2026-000001"}
    assert second.get(where).json()["reversed_by"] == [{"id": back["id"], "label": back["label"]}]
    assert second.get(where).json()["may"] == []


def test_the_same_key_draws_up_one_journal(company: Company, first: Caller) -> None:
    accept(company.actor("red"), company.document("red-web").pk)
    sent = [first.post("/periods/2026-10/journals", {}, Idempotency_Key="draw-1") for _ in range(2)]
    assert sent[0].json() == sent[1].json()
    assert sent[1]["Idempotency-Replayed"] == "true"
    assert LedgerJournal.objects.count() == 1
    refused(first.post("/periods/2026-10/journals", {}), 422, "INPUT_REFUSED")  # one at a time


def test_what_cannot_be_drawn_up_says_every_mistake(
    company: Company, first: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(first.post("/periods/2026-10/journals", {}), 409, "NOT_IN_THIS_STATE")
    refused(first.post("/periods/2026-10/journals", {"target": "nowhere"}), 422, "INPUT_REFUSED")
    refused(first.post("/periods/2026-10/journals", {"kind": "reversal"}), 422, "INVALID_REQUEST")
    refused(first.post("/periods/2026-10/journals", {"kind": "provider"}), 409, "UNMAPPED")

    def two(*_given: object) -> None:
        raise JournalRefusedError(
            [
                Mistake(
                    "UNKNOWN_ACCOUNT", "There is no account 6199.", Place("JN-1", row=2, field="account"), "Open it."
                ),
                Mistake("CLOSED_PERIOD", "It is closed.", Place("JN-1", field="posting_on"), "Open it."),
            ]
        )

    monkeypatch.setattr(journals, "preview", two)
    wrong = refused(first.get("/periods/2026-10/journal"), 422, "JOURNAL_REFUSED")
    assert [(each["code"], each["place"]["row"], each["advice"]) for each in wrong["errors"]] == [
        ("UNKNOWN_ACCOUNT", 2, "Open it."),
        ("CLOSED_PERIOD", None, "Open it."),
    ]

    def unmapped(*_given: object) -> None:
        raise UnmappedError("Codes are missing for 1 cost group.", groups=[("red-web", ("cost center",))])

    monkeypatch.setattr(journals, "preview", unmapped)
    (missing,) = refused(first.get("/periods/2026-10/journal"), 409, "UNMAPPED")["errors"]
    assert (missing["detail"], missing["place"]["field"]) == ("'red-web' has no cost center.", "red-web")


def test_a_ledger_that_is_down_is_asked_again_under_the_same_key(
    company: Company, first: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = put(transfer(), company.person("second"), company.person("controller"), JournalState.APPROVED)
    where = f"/journals/{row.pk}/push"
    refused(first.post(where), 422, "INPUT_REFUSED")  # its target takes files

    def down(*_given: object) -> None:
        raise TargetDownError("Nobody answers.", advice="Push again.")

    with monkeypatch.context() as away:
        away.setattr(handing_over, "push", down)
        answer = first.post(where, {}, Idempotency_Key="push-1")
        assert refused(answer, 503, "TARGET_DOWN")["advice"] == "Push again."
        assert answer["Retry-After"]
    refused(first.post(where, {}, Idempotency_Key="push-1"), 422, "INPUT_REFUSED")  # nothing was kept of the first


def test_lists_are_filtered_and_paged(company: Company, first: Caller) -> None:
    people = company.person("controller"), company.person("second")
    for number in range(1, 4):
        put(transfer(number, f"N{number}"), *people, JournalState.POSTED, number=number)
    waits = put(transfer(9, "W"), *people, JournalState.DRAWN_UP)

    def ids(query: str) -> list[int]:
        return [each["id"] for each in first.get(f"/journals?{query}").json()["items"]]

    assert len(ids("")) == 4
    assert ids("waits=true") == ids("state=drawn_up") == [waits.pk]
    assert waits.pk not in ids("waits=false")
    assert ids("period=2026-09") == ids("kind=accrual") == ids("target=erp") == []
    page = first.get("/journals?limit=3").json()
    assert (page["total"], len(page["items"])) == (4, 3)
    assert page["links"]["next"] == f"{ROOT}/journals?limit=3&page=2"
    refused(first.get("/journals?state=nonsense"), 422, "INVALID_REQUEST")
    refused(first.get("/journals/999999"), 404, "NOT_FOUND")


def test_only_those_who_post_act(company: Company) -> None:
    row = put(transfer(), company.person("controller"), company.person("second"))
    auditor, owner = (Caller(key_of(company.person(name))) for name in ("auditor", "red"))
    assert auditor.get(f"/journals/{row.pk}").json()["may"] == []
    assert owner.get("/journals").status_code == owner.get(f"/journals/{row.pk}").status_code == 403
    for act in ("approve", "export", "push", "confirm", "withdraw", "reverse"):
        said = {"reason": "x", "reference": "x"}
        assert auditor.post(f"/journals/{row.pk}/{act}", said).status_code == 403
    assert auditor.post(f"/periods/{OCTOBER}/journals", {}).status_code == 403
    assert LedgerJournal.objects.get().state == JournalState.HANDED_OVER
