"""The pages of disputes: raising one, what others see of it, and deciding it by two controllers."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from apportion.errors import InputRefusedError
from apportion.records.audit import AuditEntry
from apportion.records.disputes import Attachment, Comment, Dispute
from apportion.records.documents import Document
from apportion.review.states import Review
from apportion.web.frame.typed_amounts import minor_of, typed_amount
from tests.company import Company
from tests.web.test_documents_pages import page_of, shown, signed_in, words

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "text", "currency", "minor"),
    [
        ("en", "1,234.50", "EUR", 123450),
        ("en", " 12 ", "EUR", 1200),
        ("en", "12.5 EUR", "EUR", 1250),
        ("en", "-0.05", "EUR", -5),
        ("en", "−7", "JPY", -7),
        ("en", "1.234", "KWD", 1234),
        ("en", "1 234.5", "EUR", 123450),
        ("de", "1.234,50", "EUR", 123450),
        ("de", "0,1", "EUR", 10),
        ("de", "1.234", "EUR", 123400),
    ],
)
def test_amounts_are_read_as_the_language_writes_them(language: str, text: str, currency: str, minor: int) -> None:
    with translation.override(language):
        assert minor_of(text, currency, "amount") == minor
        assert minor_of(typed_amount(minor, currency), currency, "amount") == minor


@pytest.mark.parametrize(
    ("language", "text", "currency"),
    [
        ("en", "12,5", "EUR"),
        ("en", "1.234,50", "EUR"),
        ("en", "1.005", "EUR"),
        ("en", "1.5", "JPY"),
        ("en", "12.", "EUR"),
        ("en", "1e9", "EUR"),
        ("en", "--5", "EUR"),
        ("en", "٣", "EUR"),
        ("en", "", "EUR"),
        ("en", "9" * 30, "EUR"),
        ("de", "1,234.50", "EUR"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(language: str, text: str, currency: str) -> None:
    with translation.override(language), pytest.raises(InputRefusedError) as refusal:
        minor_of(text, currency, "amount")
    assert refusal.value.place is not None
    assert refusal.value.place.field == "amount"


def form(company: Company, **other: Any) -> dict[str, Any]:
    """An objection to the line of storage of Red's web shop."""
    line = company.document("red-web").lines.get(service="Storage")
    return {"about": str(line.number), "reason": "not_ours", "amount": "", "text": "We left that.", **other}


def test_the_form_says_what_would_happen_to_the_bill(company: Company) -> None:
    document, client = company.document("red-web"), signed_in(company, "red")
    line = document.lines.get(service="Storage")
    total = document.totals.get().amount_minor
    address = f"{page_of(document)}dispute/"
    text = shown(client, f"{address}?line={line.number}")
    after = total - line.amount_minor
    assert f"If all of it is upheld {after // 100:,}.{after % 100:02d}" in text
    assert "A second controller approves it" in text
    part = client.get(f"{address}preview/", {"about": str(line.number), "amount": "1.05"}).content.decode()
    assert f"{(total - 105) // 100:,}.{(total - 105) % 100:02d}" in part
    for wrong in ("101.06", "-1", "nothing"):
        part = client.get(f"{address}preview/", {"about": str(line.number), "amount": wrong}).content.decode()
        assert "Write an amount from nothing to 101.05" in part.replace("\xa0", " ")
    assert "cannot be disputed (any more)" in shown(client, f"{address}?line=999")


def test_an_owner_disputes_a_line_with_a_file_and_a_second_press_is_the_same_dispute(company: Company) -> None:
    document, client = company.document("red-web"), signed_in(company, "red")
    for _press in range(2):
        upload = SimpleUploadedFile("proof.txt", b"See.\n", content_type="text/plain")
        data = form(company, amount="1.05", attachments=upload)
        answer = client.post(f"{page_of(document)}dispute/", data, follow=True)
        text = words(answer.content.decode())
        assert "1.05 USD: The cost is not ours" in text
    made = Dispute.objects.get(document=document)
    assert made.amount_minor == 105
    assert Attachment.objects.get(dispute=made).name == "proof.txt"
    assert Document.objects.get(pk=document.pk).review_state == Review.DISPUTED
    assert "A controller has to propose a decision." in text
    assert "proof.txt" in text
    assert "Your answer" in shown(client, page_of(document))
    assert shown(signed_in(company, "green"), f"/disputes/{made.pk}/", 404)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"amount": "9,999.00"}, "cannot be claimed"),
        ({"amount": "abc"}, "is not an amount"),
        ({"text": "  "}, "This field is required"),
        ({"about": "999"}, "Select a valid choice"),
        ({"reason": "because"}, "Select a valid choice"),
        ({"attachments": b"MZ\x00"}, "not plain text"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    company: Company, other: dict[str, Any], sentence: str
) -> None:
    document, client = company.document("red-web"), signed_in(company, "red")
    if "attachments" in other:
        other = {"attachments": SimpleUploadedFile("x.txt", other["attachments"], content_type="text/plain")}
    data = form(company, **{"text": "What I typed.", **other})
    answer = client.post(f"{page_of(document)}dispute/", data)
    assert answer.status_code == 400
    assert sentence in words(answer.content.decode())
    assert "What I typed." in answer.content.decode() or "text" in other
    assert not Dispute.objects.filter(document=document).exists()


def test_what_is_disputed_already_leads_to_its_dispute(company: Company) -> None:
    document, client = company.document("red-app"), signed_in(company, "red")
    line = company.dispute.line
    answer = client.post(
        f"{page_of(document)}dispute/", {"about": str(line), "reason": "not_ours", "text": "Once more."}
    )
    assert answer.status_code == 400
    assert "cannot be disputed (any more)" in shown(client, f"{page_of(document)}dispute/?line={line}")


def test_the_list_says_who_is_waited_for_and_by_when(company: Company) -> None:
    red = shown(signed_in(company, "red"), "/disputes/")
    assert "Red app, line" in red
    assert "a controller proposes a decision" in red
    assert "days left" in red
    assert "propose a decision" in shown(signed_in(company, "controller"), "/disputes/")
    assert "No dispute is open" in shown(signed_in(company, "green"), "/disputes/")
    assert "No dispute is like this" in shown(signed_in(company, "red"), "/disputes/?state=decided&reason=other")


def test_the_thread_of_a_dispute_is_its_own(company: Company) -> None:
    client = signed_in(company, "controller")
    address = f"/disputes/{company.dispute.pk}/"
    upload = SimpleUploadedFile("list.csv", b"a;b\n1;2\n", content_type="text/csv")
    text = words(
        client.post(f"{address}comment/", {"text": "Since when?", "attachments": upload}, follow=True).content.decode()
    )
    assert "Since when?" in text
    assert "list.csv" in text
    assert Comment.objects.get().dispute == company.dispute
    assert "Since when?" not in shown(client, page_of(company.dispute.document))
    assert client.post(f"{address}comment/", {"text": ""}).status_code == 400


def test_an_owner_withdraws(company: Company) -> None:
    objection = company.dispute
    answer = signed_in(company, "red").post(f"/disputes/{objection.pk}/withdraw/", {"reason": "Found it."}, follow=True)
    assert "The dispute is withdrawn." in words(answer.content.decode())
    assert "Withdrawn" in shown(signed_in(company, "red"), f"/disputes/{objection.pk}/")


def test_a_controller_sees_whose_bill_moves_before_anything_is_kept(company: Company) -> None:
    objection, client = company.dispute, signed_in(company, "controller")
    address = f"/disputes/{objection.pk}/decide/"
    assert "Choose a decision first" in shown(client, address)
    text = shown(client, f"{address}?outcome=upheld&settle=cost_group&settle_to=green")
    assert "Red app red-app" in text
    assert "-12.01 USD pays less" in text
    assert "+12.01 USD pays more" in text
    assert "3. Propose it" in text
    assert "Nothing moves: the document stands" in shown(client, f"{address}?outcome=rejected")
    for query, sentence in (
        ("outcome=upheld", "It is not said where the amount goes"),
        ("outcome=upheld&settle=cost_group&settle_to=gree", "Did you mean: Division Green green"),
        ("outcome=partly_upheld&amount=99&settle=unallocated", "is more than nothing and less than all of it"),
        ("outcome=partly_upheld&amount=x&settle=unallocated", "is not an amount"),
        ("outcome=upheld&settle=allocated_anew", "It is not said by which policy"),
        ("outcome=nonsense", "Select a valid choice"),
    ):
        assert sentence in shown(client, f"{address}?{query}", 400), query
    assert Dispute.objects.get(pk=objection.pk).state == "open"


def test_one_controller_proposes_and_another_approves(company: Company) -> None:
    objection = company.dispute
    address = f"/disputes/{objection.pk}/"
    first, second, red = (signed_in(company, name) for name in ("controller", "second", "red"))
    said = {"outcome": "upheld", "settle": "cost_group", "settle_to": "green"}
    assert first.post(f"{address}decide/", {**said, "reason": ""}).status_code == 400
    for _press in range(2):
        text = words(
            first.post(f"{address}decide/", {**said, "reason": "Green took it over."}, follow=True).content.decode()
        )
    assert "You proposed this decision, so somebody else approves it. These can: Second." in text
    assert Dispute.objects.get(pk=objection.pk).state == "proposed"
    # What is not decided is nobody's to read but of those who decide.
    owners = shown(red, address)
    assert "Green took it over." not in owners
    assert "A second controller has to approve it." in owners
    own = words(first.post(f"{address}approve/", follow=True).content.decode())
    assert "You prepared this yourself" in own
    assert AuditEntry.objects.filter(act="refused: approve decision").exists()
    assert "Approve the decision" in shown(second, address)
    assert "+12.01 USD pays more" in shown(second, f"{address}moves/")
    assert red.get(f"{address}moves/").status_code == 403
    done = words(second.post(f"{address}approve/", follow=True).content.decode())
    assert "The decision is taken, and " in done
    assert 'role="alert"' not in second.post(f"{address}approve/", follow=True).content.decode()
    owners = shown(red, address)
    assert "Green took it over." in owners
    assert "Division Green" not in owners  # whose bill rises is not for them
    assert "Credit note" in owners
    note = Document.objects.get(kind="credit_note")
    text = shown(red, page_of(note))
    assert "-12.01 USD" in text
    assert "credit" in text
    assert "The dispute that led to it" in text
    assert "Credit and debit notes since -12.01 USD" in shown(red, page_of(company.document("red-app")))


def test_a_proposal_is_sent_back_and_another_made(company: Company) -> None:
    objection = company.dispute
    address = f"/disputes/{objection.pk}/"
    first, second = signed_in(company, "controller"), signed_in(company, "second")
    first.post(f"{address}decide/", {"outcome": "rejected", "reason": "It ran."})
    text = words(second.post(f"{address}send-back/", {"reason": "It did not."}, follow=True).content.decode())
    assert "the dispute is open again" in text
    stale = words(second.post(f"{address}send-back/", {"reason": "Again."}, follow=True).content.decode())
    assert "has no proposed decision" in stale
    assert "Decide it" in stale


def test_pages_of_disputes_ask_few_queries(
    company: Company, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    number = company.dispute.pk
    signed_in(company, "controller").post(
        f"/disputes/{number}/decide/",
        {"outcome": "upheld", "settle": "cost_group", "settle_to": "green", "reason": "Theirs."},
    )
    web = company.document("red-web")
    for name in ("red", "controller", "second"):
        client = signed_in(company, name)
        for address in (f"/disputes/{number}/", "/disputes/", f"{page_of(web)}dispute/"):
            with django_assert_max_num_queries(15):
                client.get(address)
