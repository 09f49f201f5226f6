"""The audit log, messages and webhooks as pages: found, proved, taken out, tried again; and who may."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apportion.actions import auditing
from apportion.actions.acting import Record, append
from apportion.actions.auditing import Wanted
from apportion.actions.working import KINDS, Progress
from apportion.records import chain, triggers
from apportion.records.audit import AuditEntry
from apportion.records.rights import ForbiddenError
from apportion.records.work import Message, WebhookEndpoint, Work
from apportion.web.words.audit_words import sides
from tests.company import Company

pytestmark = pytest.mark.django_db


def client(company: Company, name: str = "auditor") -> Client:
    found = Client()
    found.force_login(company.person(name))
    return found


def page(company: Company, address: str, name: str = "auditor") -> str:
    signed_in = client(company, name)
    with CaptureQueriesContext(connection) as queries:
        answer = signed_in.get(address)
    assert answer.status_code == 200, answer.content
    assert len(queries) <= 15, [each["sql"][:120] for each in queries]
    return answer.content.decode()


def body(answer: Any) -> str:
    assert answer.status_code == 200
    return b"".join(answer).decode()


def numbers(company: Company, wanted: Wanted) -> list[int]:
    return [entry.number for entry in auditing.entries(company.actor("auditor"), wanted)]


def test_the_latest_stand_first_and_pages_are_cut_by_number(company: Company) -> None:
    for count in range(120):
        append(company.actor("analyst"), "test", Record("thing", str(count), f"Thing {count}"))
    last = AuditEntry.objects.latest("number").number
    text = page(company, "/audit/")
    assert f"Entry {last}" in text
    assert f"Entry {last - 49}" in text
    assert f'"Entry {last - 50}"' not in text
    assert f"before={last - 49}" in text
    append(company.actor("analyst"), "test", Record("thing", "x", "Came in between"))
    older = page(company, f"/audit/?before={last - 49}")
    assert f'"Entry {last - 50}"' in older
    assert f'"Entry {last - 49}"' not in older
    newer = page(company, f"/audit/?after={last - 50}")
    assert f'"Entry {last - 49}"' in newer
    assert f'"Entry {last}"' in newer
    assert page(company, "/audit/?before=rubbish&after=-3").count("<tr>") == 51


def test_filters_find_by_who_what_when_and_which_period(company: Company) -> None:
    everything = numbers(company, Wanted())
    assert everything == sorted(everything, reverse=True)
    issued = numbers(company, Wanted(act="issue"))
    assert len(issued) == 2
    assert numbers(company, Wanted(act="issue", person="analyst")) == []
    assert numbers(company, Wanted(act="issue", person="CONTROLLER")) == issued
    assert numbers(company, Wanted(act="issue", period="2026-10")) == issued[:1]
    of_october = AuditEntry.objects.filter(number__in=numbers(company, Wanted(period="2026-10")))
    assert {"issue", "dispute", "allocate"} <= set(of_october.values_list("act", flat=True))
    assert not of_october.filter(act="accept").exists()  # those are of September
    document = company.document("red-app")
    about = numbers(company, Wanted(subject_kind="document", subject_id=str(document.pk)))
    assert AuditEntry.objects.filter(number__in=about).count() == len(about)
    day = AuditEntry.objects.latest("number").at.date()
    assert numbers(company, Wanted(from_on=day, until_on=day)) == everything
    assert numbers(company, Wanted(from_on=day.replace(year=day.year + 1))) == []
    assert numbers(company, Wanted(text="Agreed.")) == numbers(company, Wanted(act="set charging"))


def test_a_filter_that_cannot_be_read_says_so(company: Company) -> None:
    text = page(company, "/audit/?period=October&from_on=yesterday&act=issue")
    assert "Write it as 2026-10." in text
    assert len(re.findall(r"Issue a period\s*</td>", text)) == 2
    assert "No entry is like this" in page(company, "/audit/?text=nowhere+to+be+found")


def test_one_entry_shows_what_was_and_is(company: Company) -> None:
    entry = AuditEntry.objects.get(act="dispute")
    text = page(company, f"/audit/{entry.number}/")
    for said in ("awaiting review", "disputed", "12.01\N{NO-BREAK SPACE}USD", "We switched it off", entry.hash):
        assert said in text
    assert "As it was written" in text
    assert client(company).get("/audit/999999999999999999999999/").status_code == 404


def test_nested_values_are_named_by_their_way(company: Company) -> None:
    found = sides('{"a":{"b":1},"was":[1,2]}', '{"a":{"b":2},"list":[{"x":true}],"currency":"EUR","amount_minor":1201}')
    assert [(side.name, side.before, side.after) for side in found] == [
        ("a › b", "1", "2"),
        ("was", "1\n2", None),
        ("list 1 › x", None, "yes"),
        ("currency", None, "EUR"),
        ("amount", None, "12.01\N{NO-BREAK SPACE}EUR"),
    ]
    assert [side.is_changed for side in found] == [True] * 5
    assert sides("not json", "{}")[0].before == "not json"


def test_verifying_says_up_to_where_and_what_came_since(company: Company) -> None:
    assert "has not been verified yet" in page(company, "/audit/")
    before = AuditEntry.objects.count()
    assert client(company).post("/audit/verify/").status_code == 302
    text = page(company, "/audit/")
    assert f"Verified up to entry {before}." in text
    assert "come since" not in text
    append(company.actor("analyst"), "test", Record("thing", "1", "Thing"))
    assert "1 entry has come since." in page(company, "/audit/")


def test_a_changed_entry_is_found_and_shown(company: Company) -> None:
    triggers.remove(connection)
    AuditEntry.objects.filter(number=3).update(reason="Somebody else did it.")
    client(company).post("/audit/verify/")
    text = page(company, "/audit/")
    assert "The chain does not hold." in text
    assert "Entry 3: It was changed after it was written." in text
    assert "Changed after it was written" in page(company, "/audit/3/")


def test_a_long_chain_is_verified_in_the_background(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "AT_ONCE", 3)
    client(company).post("/audit/verify/")
    assert "It is being verified now." in page(company, "/audit/")
    client(company).post("/audit/verify/")
    assert Work.objects.filter(kind=auditing.VERIFY).count() == 1
    assert auditing.proof() is None
    work = Work.objects.get(kind=auditing.VERIFY)
    result = KINDS[work.kind].run(company.actor("auditor"), work, Progress())
    proof = auditing.proof()
    assert proof is not None
    assert (result["entries"], proof.breaks) == (proof.number, ())


def test_csv_holds_every_field_and_no_formula(company: Company) -> None:
    for start in ("=1+1", "+1", "-1", "@x", "\t=1", "  =1"):
        append(company.actor("analyst"), "test", Record("thing", "1", start), f"{start}\n<b>")
    text = body(client(company).post("/audit/export/csv/"))
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == auditing.FIELDS
    assert [int(row[0]) for row in rows[1:]] == list(range(1, len(rows)))
    assert all(not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    assert rows[-1][rows[0].index("hash")] == AuditEntry.objects.get(number=len(rows) - 1).hash


def test_json_lines_hold_what_proves_the_chain_and_taking_them_is_an_entry(company: Company) -> None:
    wanted = {"act": "accept", "period": "2026-09"}
    found = [json.loads(line) for line in body(client(company).post("/audit/export/jsonl/", wanted)).splitlines()]
    assert len(found) == 3
    assert {entry["act"] for entry in found} == {"accept"}
    taken = AuditEntry.objects.latest("number")
    assert (taken.act, json.loads(taken.after)["wanted"], json.loads(taken.after)["entries"]) == (
        "export audit",
        wanted,
        3,
    )
    everything = [json.loads(line) for line in body(client(company).post("/audit/export/jsonl/")).splitlines()]
    assert [entry["number"] for entry in everything] == list(range(1, taken.number + 1))
    assert all(one["hash"] == two["previous_hash"] for one, two in pairwise(everything))
    for entry in everything:  # as anybody could prove it who has nothing but the file
        fields = {name: value for name, value in entry.items() if name != "hash"}
        said = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(said.encode()).hexdigest() == entry["hash"]
    assert chain.verify().breaks == ()
    assert client(company).post("/audit/export/xlsx/").status_code == 404
    assert client(company).get("/audit/export/csv/").status_code == 405


@pytest.mark.parametrize("name", ["red", "analyst", "executive", "stranger"])
def test_others_see_nothing_of_it(company: Company, name: str) -> None:
    for address in ("/audit/", "/audit/1/", "/messages/", "/messages/webhooks/"):
        assert client(company, name).get(address).status_code == 403
    for address in ("/audit/verify/", "/audit/export/csv/", "/messages/webhooks/add/"):
        assert client(company, name).post(address).status_code == 403
    with pytest.raises(ForbiddenError):
        auditing.export(company.actor(name), Wanted(), "csv")


def test_a_webhook_shows_its_secret_once(company: Company) -> None:
    file = company.root / "apportion.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text}\nwebhooks: {{allow_private: true, allow_http: true}}\n", encoding="utf-8")
    administrator = client(company, "administrator")
    bad = administrator.post("/messages/webhooks/add/", {"url": "ftp://127.0.0.1/", "events": ["issued"]})
    assert bad.status_code == 400
    assert "ftp://127.0.0.1/" in bad.content.decode()
    assert administrator.post("/messages/webhooks/add/", {"url": "http://127.0.0.1:9/x"}).status_code == 400
    made = administrator.post("/messages/webhooks/add/", {"url": "http://127.0.0.1:9/x", "events": ["issued"]})
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.secret in made.content.decode()
    Message.objects.create(
        channel="webhook", recipient="127.0.0.1", subject="issued", body="{}", key="k", endpoint=endpoint
    )
    text = page(company, "/messages/webhooks/", "administrator")
    assert "http://127.0.0.1:9/x" in text
    assert "1 waiting" in text
    assert endpoint.secret not in text
    assert not AuditEntry.objects.filter(after__contains=endpoint.secret).exists()
    administrator.post(f"/messages/webhooks/{endpoint.pk}/remove/")
    assert "The webhook was removed." in page(company, "/messages/webhooks/", "administrator")
    assert administrator.post("/messages/webhooks/999/remove/").status_code == 404


def test_a_message_that_was_given_up_is_tried_again(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message.objects.earliest("pk")
    Message.objects.filter(pk=message.pk).update(state="failed", attempts=7, error="The server refused <it>.")
    text = page(company, "/messages/", "administrator")
    assert "The server refused &lt;it&gt;." in text
    assert "No mail server is set" not in text
    monkeypatch.setattr("apportion.actions.notices.sending.has_mail", lambda: False)
    assert "No mail server is set" in page(company, "/messages/", "administrator")
    assert message.body not in text
    administrator = client(company, "administrator")
    assert administrator.post(f"/messages/{message.pk}/again/").status_code == 302
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("waiting", 0)
    assert administrator.post(f"/messages/{message.pk}/again/").status_code == 409  # it waits already
    query = urlencode({"state": "sent", "q": "nobody"})
    assert "No message is like this" in page(company, f"/messages/?{query}", "administrator")
