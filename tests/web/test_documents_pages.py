"""The pages of owners: what awaits them, the list, a document, its lines, and accepting one or many."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apportion.actions.review.commenting import comment
from apportion.actions.workspace import workspace
from apportion.close import run as runs
from apportion.records import convert
from apportion.records.audit import AuditEntry
from apportion.records.disputes import Attachment, Comment
from apportion.records.documents import Document
from apportion.review.states import Review
from apportion.web import explaining
from tests.company import OCTOBER, SEPTEMBER, Company

pytestmark = pytest.mark.django_db


def signed_in(company: Company, name: str) -> Client:
    client = Client()
    client.force_login(company.person(name))
    return client


def shown(client: Client, address: str, status: int = 200) -> str:
    """The words of a page, without its marks."""
    answer = client.get(address)
    assert answer.status_code == status, (address, answer.status_code)
    return words(answer.content.decode())


def words(html: str) -> str:
    body = html.partition("<main")[2]
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split())).replace("\xa0", " ")


def page_of(document: Document) -> str:
    return f"/documents/{document.pk}/"


# What a page says.


def test_the_start_page_says_what_awaits_whom(company: Company) -> None:
    red = shown(signed_in(company, "red"), "/")
    assert "One document to review" in red
    assert "Red web shop" in red
    assert "Disputes under way" in red
    assert "Green" not in red
    controller = shown(signed_in(company, "controller"), "/")
    assert "Disputes to decide Red app, line" in controller
    assert "The close of October 2026" in controller
    assert "1 document is disputed" in controller
    assert "You have no role yet" in shown(signed_in(company, "stranger"), "/")
    assert "People and roles are yours" in shown(signed_in(company, "administrator"), "/")


def test_who_is_named_in_a_comment_finds_it_on_the_start_page_until_they_answer(company: Company) -> None:
    document = company.document("red-web")
    comment(company.actor("controller"), document.pk, "Can you say why, @red?")
    client = signed_in(company, "red")
    assert "You were named" in shown(client, "/")
    client.post(f"{page_of(document)}comment/", {"text": "Because of the sale."})
    assert "You were named" not in shown(client, "/")


def test_a_document_says_its_total_change_and_reasons_that_sum_to_it(company: Company) -> None:
    document = company.document("red-web")
    total = document.totals.get()
    text = shown(signed_in(company, "red"), page_of(document))
    money = f"{total.amount_minor // 100:,}.{total.amount_minor % 100:02d} {total.currency}"
    assert money in text
    assert total.before_minor is not None
    change = total.amount_minor - total.before_minor
    assert change > 0
    assert f"{change // 100:,}.{change % 100:02d} {total.currency} more (+" in text
    assert "than in September 2026" in text
    why = text.partition("Why it changed")[2].partition("Direct cost What")[0]
    known = convert.paper(document).changes[0]
    assert known.parts
    for _part, minor in known.parts:
        assert not minor or f"{'+' if minor > 0 else '-'}{abs(minor) // 100:,}.{abs(minor) % 100:02d}" in why
    assert sum(minor for _part, minor in known.parts) == change
    assert "even parts" in text or "proportion" in text or "direct cost" in text
    assert "Compute" in text
    assert "Support" in text
    assert "Carl" not in text
    assert "Internal invoice" in text


def test_a_showback_statement_says_so_in_words(company: Company) -> None:
    text = shown(signed_in(company, "green"), page_of(company.document("green")))
    assert "This is showback" in text
    assert "nothing of it is posted" in text
    assert "Statement (showback)" in text


def test_the_deadline_says_date_days_and_what_happens_then(company: Company) -> None:
    document = company.document("red-web")
    text = shown(signed_in(company, "red"), page_of(document))
    assert document.review_until is not None
    assert f"Your answer is asked for by {document.review_until.day} " in text
    assert "working days are left" in text
    assert "brought before those who stand above" in text
    Document.objects.filter(pk=document.pk).update(review_until=timezone.localdate() - timedelta(days=2))
    assert "The last day for your answer has passed" in shown(signed_in(company, "red"), page_of(document))


def test_earlier_months_stand_beside_each_line(company: Company) -> None:
    text = shown(signed_in(company, "red"), page_of(company.document("red-web")))
    lines = text.partition("Direct cost What your own")[2]
    assert "Compute" in lines
    assert "910.40 +210.40 +30.1 %" in lines  # 700.00 in September
    assert "101.05 -19.50 -16.2 %" in lines
    flows = text.partition("Where it comes from")[2]
    assert "direct" in flows
    assert "shared" in flows


@pytest.mark.parametrize("name", ["red", "controller", "auditor"])
@pytest.mark.parametrize("code", ["red-web", "red-app"])
def test_no_page_of_a_document_asks_more_than_fifteen_queries(
    company: Company, django_assert_max_num_queries: DjangoAssertNumQueries, name: str, code: str
) -> None:
    document, client = company.document(code), signed_in(company, name)
    comment(company.actor("controller"), document.pk, "A word, @red.")
    for address in (
        "/",
        "/documents/",
        "/documents/?period=all&q=Red&group=north",
        page_of(document),
        f"{page_of(document)}lines/1/",
        f"{page_of(document)}lines/1/?view=working",
        f"{page_of(document)}readers/",
        "/search/?q=Red",
    ):
        with django_assert_max_num_queries(15):
            client.get(address)


# Lines.


def test_a_direct_line_goes_down_to_the_rows_that_the_provider_delivered(company: Company) -> None:
    document, client = company.document("red-web"), signed_in(company, "red")
    compute = document.lines.get(service="Compute")
    address = f"{page_of(document)}lines/{compute.number}/"
    assert "By rule “Tag team”" in shown(client, address)
    assert "910.40" in shown(client, f"{address}?view=working")
    answer = client.get(f"{address}?view=resources").content.decode()
    token = re.search(r"resource=([0-9a-f-]+)", answer)
    assert token is not None
    rows = shown(client, f"{address}?view=resources&resource={token[1]}")
    assert "BillingPeriodStart" in rows
    assert "All 1 rows of it" in rows
    assert "05" in shown(client, f"{address}?view=days")
    assert client.get(f"{address}?view=resources&resource=0-nonsense").status_code == 404
    assert client.get(f"{page_of(document)}lines/999/").status_code == 404


def test_an_owner_sees_a_pool_its_basis_and_their_share_but_not_the_resources_of_others(company: Company) -> None:
    document = company.document("red-web")
    share = document.lines.get(kind="share")
    address = f"{page_of(document)}lines/{share.number}/"
    owner, controller = signed_in(company, "red"), signed_in(company, "controller")
    working = shown(owner, f"{address}?view=working")
    assert "of 350.00" in working
    assert re.search(r"\d+/\d+ \(\d", working)
    assert "What is in the pool “Support”" in working
    assert "view=resources" not in owner.get(address).content.decode()
    assert "Charges" not in shown(owner, f"{address}?view=resources")
    assert "The pools behind it" in shown(controller, f"{address}?view=resources")


def test_a_line_whose_run_is_gone_says_so(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    document = company.document("red-web")
    monkeypatch.setattr(explaining, "reference", lambda *_: "ST-2026-10-0099:1")
    text = shown(signed_in(company, "red"), f"{page_of(document)}lines/1/?view=working")
    assert "was allocated anew since this document was issued" in text
    # The statement of somebody else under the same number is never shown.
    other = company.document("green").statement
    monkeypatch.setattr(explaining, "reference", lambda *_: f"{other}:1")
    for view in ("working", "resources", "days"):
        text = shown(signed_in(company, "red"), f"{page_of(document)}lines/1/?view={view}")
        assert "was allocated anew" in text


# Lists and search.


def test_the_list_filters_by_period_state_kind_group_and_text(company: Company) -> None:
    client = signed_in(company, "executive")
    assert "Documents October 2026" in shown(client, "/documents/")
    for query, seen, unseen in (
        ("?period=2026-09", "September 2026", "Awaiting review 2"),
        ("?state=disputed", "Red app", "Division Green red"),
        ("?kind=statement", "Division Green", "Internal invoice · "),
        ("?group=red", "Red web shop", "Division Green"),
        (f"?group={company.group('red-app').pk}", "Red app", "Red web shop"),
        ("?q=web", "Red web shop", "Division Green"),
        ("?state=posted", "No document is like this", "Red web shop"),
        ("?group=nowhere", "There is no such cost group for you", "Red web shop"),
        ("?q=web&period=nonsense&kind=x&state=y&page=99", "Red web shop", "nonsense"),
    ):
        text = shown(client, f"/documents/{query}").partition("Reset")[2]
        assert seen in text, query
        assert unseen not in text, query


def test_the_list_sums_what_it_shows_and_leaves_out_what_is_voided(company: Company) -> None:
    document = company.document("red-web")
    before = shown(signed_in(company, "red"), "/documents/").partition("2 documents")[2][:20]
    Document.objects.filter(pk=document.pk).update(issue_state="voided", review_state="none")
    after = shown(signed_in(company, "red"), "/documents/").partition("2 documents")[2][:20]
    assert before != after


def test_search_finds_documents_groups_and_services_within_reach(company: Company) -> None:
    red = shown(signed_in(company, "red"), "/search/?q=queues")
    assert "Red app" in red
    assert "Red app" not in shown(signed_in(company, "green"), "/search/?q=queues")
    assert "Cost groups" in shown(signed_in(company, "red"), "/search/?q=red")
    assert "Administrator" in shown(signed_in(company, "administrator"), "/search/?q=admin")
    assert "Administrator" not in shown(signed_in(company, "red"), "/search/?q=admin")
    assert "too short" in shown(signed_in(company, "red"), "/search/?q=r")
    assert "Nothing found" in shown(signed_in(company, "red"), "/search/?q=%3Cscript%3E%00")
    assert "<script>alert" not in signed_in(company, "red").get("/search/?q=<script>alert(1)").content.decode()


# Accepting.


def test_an_owner_accepts_and_a_second_press_is_no_fright(company: Company) -> None:
    document, client = company.document("red-web"), signed_in(company, "red")
    for _press in range(2):
        answer = client.post(f"{page_of(document)}accept/", {"remark": "All fine."}, follow=True)
        text = words(answer.content.decode())
        assert "is accepted. Thank you." in text
        assert "Accepted by Red" in text
    assert AuditEntry.objects.filter(act="accept", subject_id=str(document.pk)).count() == 1


def test_what_cannot_be_accepted_any_more_says_so_on_the_page_as_it_is_now(company: Company) -> None:
    document, client = company.document("red-app"), signed_in(company, "red")
    answer = client.post(f"{page_of(document)}accept/", follow=True)
    text = words(answer.content.decode())
    assert "cannot be accepted: it is disputed" in text
    assert "One dispute is not decided yet" in text
    assert Document.objects.get(pk=document.pk).review_state == Review.DISPUTED


def test_a_form_without_its_token_is_refused(company: Company) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(company.person("red"))
    document = company.document("red-web")
    assert client.post(f"{page_of(document)}accept/").status_code == 403
    assert Document.objects.get(pk=document.pk).review_state == Review.AWAITING


def test_many_are_shown_first_and_then_accepted_with_the_refused_ones_named(company: Company) -> None:
    client = signed_in(company, "executive")
    web, green, app = (company.document(code) for code in ("red-web", "green", "red-app"))
    asked = client.post("/documents/accept/", {"all": "yes"})
    text = words(asked.content.decode())
    assert "Nothing is accepted yet" in text
    assert "Red app" not in text
    assert Document.objects.get(pk=web.pk).review_state == Review.AWAITING
    chosen = {"sure": "yes", "document": [web.pk, green.pk, app.pk, 999_999]}
    done = client.post("/documents/accept/", chosen, follow=True)
    text = words(done.content.decode())
    assert "2 documents are accepted 2 were not: why, stands below." in text
    assert "cannot be accepted: it is disputed" in text
    assert "A document that you may not read" in text
    assert {Document.objects.get(pk=each.pk).review_state for each in (web, green)} == {Review.ACCEPTED}
    assert "2 documents are accepted" in shown(client, "/documents/accepted/")


def test_below_a_group_only_its_part_of_the_tree_is_accepted(company: Company) -> None:
    client = signed_in(company, "executive")
    text = words(client.post("/documents/accept/", {"below": company.group("red").pk}).content.decode())
    assert "Red web shop" in text
    assert "Division Green" not in text
    assert signed_in(company, "green").post("/documents/accept/", {"below": company.group("red").pk}).status_code == 404


@pytest.mark.parametrize("data", [{}, {"document": "x"}, {"below": "-1"}, {"document": "9" * 40}, {"document": "1e3"}])
def test_a_form_that_names_nothing_or_nonsense_changes_nothing(company: Company, data: dict[str, str]) -> None:
    answer = signed_in(company, "executive").post("/documents/accept/", data, follow=True)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert not AuditEntry.objects.filter(act="accept", subject__startswith="ST-", before__contains="2026-10").exists()


# Talking.


def test_comments_name_people_keep_files_and_are_not_said_twice(company: Company) -> None:
    document, client = company.document("red-web"), signed_in(company, "red")
    text = "Why so much, @controller?\n<img src=x onerror=alert(1)>"
    for _press in range(2):
        upload = SimpleUploadedFile("minutes.txt", b"Agreed.\n", content_type="text/plain")
        answer = client.post(f"{page_of(document)}comment/", {"text": text, "attachments": upload}, follow=True)
        assert answer.status_code == 200
    assert Comment.objects.filter(document=document).count() == 1
    html = answer.content.decode()
    assert '<strong class="named">@controller</strong>' in html
    assert "<img src=x" not in html
    file = Attachment.objects.get()
    got = client.get(f"/attachments/{file.pk}/")
    assert got.content == b"Agreed.\n"
    assert got["Content-Disposition"].startswith("attachment;")
    assert signed_in(company, "green").get(f"/attachments/{file.pk}/").status_code == 404


def test_a_file_that_is_refused_keeps_the_comment_back_and_what_was_typed_stays(company: Company) -> None:
    document, client = company.document("red-web"), signed_in(company, "red")
    bad = SimpleUploadedFile("page.txt", b"<html><script>alert(1)</script>", content_type="text/plain")
    answer = client.post(f"{page_of(document)}comment/", {"text": "Look here", "attachments": bad})
    assert answer.status_code == 400
    assert "Look here" in answer.content.decode()
    assert "in markup, not plain text" in answer.content.decode()
    assert not Comment.objects.filter(document=document).exists()
    assert client.post(f"{page_of(document)}comment/", {"text": " "}).status_code == 400
    assert client.post(f"{page_of(document)}comment/", {"text": "x", "line": "999"}).status_code == 404


# Taking away.


@pytest.mark.parametrize(
    ("form", "begins"), [("pdf", b"%PDF-"), ("xlsx", b"PK"), ("csv", b"number,")], ids=["pdf", "xlsx", "csv"]
)
def test_a_document_is_downloaded_with_the_same_bytes_each_time(company: Company, form: str, begins: bytes) -> None:
    document, client = company.document("red-web"), signed_in(company, "red")
    first = client.get(f"{page_of(document)}download/{form}/")
    assert first.status_code == 200
    assert first.content.lstrip(b"\xef\xbb\xbf").startswith(begins) or form == "csv"
    assert first["Content-Disposition"] == f'attachment; filename="{document.label}.{form}"'
    assert client.get(f"{page_of(document)}download/{form}/").content == first.content
    assert client.get(f"{page_of(document)}download/exe/").status_code == 404


def test_the_methodology_is_that_of_the_run_or_says_that_it_is_not_there(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, client = company.document("red-web"), signed_in(company, "red")
    page = client.get(f"{page_of(document)}methodology/")
    assert document.policy_digest[:12] in page.content.decode()
    assert "default-src 'none'" in page["Content-Security-Policy"]
    settings, policy, organization = runs.frozen(workspace(), OCTOBER)
    other = replace(policy, digest="0" * 64)
    monkeypatch.setattr(runs, "frozen", lambda *_: (settings, other, organization))
    assert "not at hand" in shown(client, f"{page_of(document)}methodology/")


# For controllers.


def test_a_controller_gives_more_time_and_reopens(company: Company) -> None:
    client = signed_in(company, "controller")
    web, old = company.document("red-web"), company.document("red-web", SEPTEMBER)
    later = timezone.localdate() + timedelta(days=40)
    wrong = client.post(f"{page_of(web)}extend/", {"until": "2020-01-01", "reason": "Holidays."})
    assert wrong.status_code == 400
    assert "the new day must be later" in wrong.content.decode()
    client.post(f"{page_of(web)}extend/", {"until": later.isoformat(), "reason": "Holidays."})
    assert Document.objects.get(pk=web.pk).review_until == later
    text = words(client.post(f"{page_of(old)}reopen/", {"reason": "A wrong tag."}, follow=True).content.decode())
    assert "It awaits review again." in text
    assert words(client.post(f"{page_of(old)}reopen/", {"reason": "Again."}, follow=True).content.decode()).count(
        "cannot be reopened"
    )


def test_a_controller_voids_and_the_page_says_that_it_counts_for_nothing(company: Company) -> None:
    web = company.document("red-web")
    client = signed_in(company, "controller")
    assert "There is no text" in words(
        client.post(f"{page_of(web)}void/", {"reason": ""}, follow=True).content.decode()
    )
    text = words(client.post(f"{page_of(web)}void/", {"reason": "Wrong tree."}, follow=True).content.decode())
    assert "This document was voided and counts for nothing." in text
