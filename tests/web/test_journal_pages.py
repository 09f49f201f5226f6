"""The pages of journals: what could be drawn up, each journal's way into the ledger and out again, who may do what."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apportion.actions.post import handing_over, journal_reading, journals
from apportion.actions.review.accepting import accept
from apportion.errors import ConservationError, JournalRefusedError, Mistake, Place, UnmappedError
from apportion.post.erp.errors import TargetDownError
from apportion.post.erp.report import PushReport
from apportion.post.lifecycle import JournalKind, JournalState
from apportion.records.documents import Document
from apportion.records.journals import LedgerJournal, LedgerPush
from tests.company import OCTOBER, Company
from tests.journals import put, transfer

pytestmark = pytest.mark.django_db
MOST_QUERIES = 15
TAG = re.compile(r"<[^>]*>")
ERP = "targets:\n  erp: {kind: folder, folder: drop}\n"


def client(company: Company, who: str) -> Client:
    made = Client()
    made.force_login(company.person(who))
    return made


def text(response: Any) -> str:
    return " ".join(unescape(TAG.sub(" ", response.content.decode())).replace("\xa0", " ").split())


def shown(company: Company, row: LedgerJournal, who: str = "second", query: str = "") -> str:
    answer = client(company, who).get(reverse("journal", args=[row.pk]) + query)
    assert answer.status_code == 200
    return text(answer)


def press(company: Company, who: str, act: str, row: LedgerJournal, **typed: str) -> Any:
    return client(company, who).post(reverse(f"journal_{act}", args=[row.pk]), typed, follow=True)


def drawn_up(company: Company) -> LedgerJournal:
    """By the controller, of Red web shop's accepted invoice."""
    accept(company.actor("red"), company.document("red-web").pk)
    return journals.draw_up(company.actor("controller"), OCTOBER)


def placed(company: Company, state: JournalState = JournalState.HANDED_OVER, **more: Any) -> LedgerJournal:
    return put(more.pop("found", transfer()), company.person("controller"), company.person("second"), state, **more)


@pytest.fixture(name="pushed")
def pushed_fixture(company: Company) -> Any:
    """The workspace has a target that is pushed to."""
    file = company.root / "apportion.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before + ERP, encoding="utf-8")
    yield "erp"
    file.write_text(before, encoding="utf-8")


def test_a_preview_is_what_is_drawn_up(company: Company) -> None:
    accept(company.actor("red"), company.document("red-web").pk)
    whole = company.document("red-web").totals.get().amount_minor
    assert whole == 120418  # 910.40 and 101.05, and 192.73 of the support
    answer = client(company, "second").get(reverse("journal_preview") + "?period=2026-10")
    page = text(answer)
    assert "2 lines for the target Files" in page
    assert "1000 USD 2 1,204.18 1,204.18 0.00" in page
    assert "Passed on by this journal 1,204.18" in page
    # 2,210.78 less 1,204.18: Red app is disputed, Green in showback, and 23.99 is nobody's.
    assert "Stays with the payer 1,006.60" in page
    assert "Disputed 411.15" in page
    assert "Showback, for reading only 571.46" in page
    assert "Unallocated 23.99" in page
    assert "Part that stays with the payer 45.5 %" in page
    found = answer.context["content"]
    made = client(company, "second").post(
        reverse("journal_draw_up"), {"period": "2026-10", "kind": "transfer", "target": "files"}, follow=True
    )
    row = LedgerJournal.objects.get()
    assert made.redirect_chain[-1][0] == reverse("journal", args=[row.pk])
    assert row.digest == found.digest
    assert Document.objects.get(posting_state="exported") == company.document("red-web")
    after = text(client(company, "second").get(reverse("journal_preview") + "?period=2026-10"))
    assert "Nothing waits to be drawn up" in after
    assert "In other journals already 1,204.18" in after


def test_a_preview_says_why_it_cannot_be_drawn_up(company: Company) -> None:
    accept(company.actor("red"), company.document("red-web").pk)
    address = reverse("journal_preview") + "?period=2026-10"
    assert "A controller does this." in text(client(company, "auditor").get(address))
    pending = placed(company)
    page = text(client(company, "second").get(address))
    assert f"Another journal waits at the target Files. They go one at a time: {pending.label}" in page
    assert "Confirm the other journal, or withdraw it." in page
    refused = client(company, "second").post(reverse("journal_draw_up"), {"period": "2026-10"})
    assert refused.status_code == 400
    assert "still waits at the ledger" in text(refused)
    assert LedgerJournal.objects.count() == 1
    nowhere = text(client(company, "second").get(f"{address}&target=nowhere"))
    assert "There is no target 'nowhere'." in nowhere


def test_nobody_draws_up_the_transfer_of_what_they_allocated(company: Company) -> None:
    from apportion.records.closes import Close

    accept(company.actor("red"), company.document("red-web").pk)
    Close.objects.filter(period="2026-10").update(allocated_by=company.person("second"))
    page = text(client(company, "second").get(reverse("journal_preview") + "?period=2026-10"))
    assert "You allocated this period yourself, so somebody else has to draw it up." in page


def test_what_lacks_codes_is_a_repair_list_by_cost_group(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def unmapped(*_given: object) -> None:
        raise UnmappedError(
            "Codes are missing for 2 cost groups.",
            advice="Add them.",
            groups=[("red-web", ("cost center", "ledger account")), ("gone", ("company",))],
        )

    monkeypatch.setattr(journals, "preview", unmapped)
    answer = client(company, "controller").get(reverse("journal_preview") + "?period=2026-10")
    page = text(answer)
    assert "Red web shop (red-web) It has no cost center, ledger account." in page
    assert "gone It has no company." in page
    assert reverse("group", args=[company.group("red-web").pk]) in answer.content.decode()
    assert "Draw it up" not in page


def test_what_the_ledger_would_not_take_is_a_repair_list_by_line(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(company.actor("red"), company.document("red-web").pk)

    def refused(found: Any) -> None:
        place = Place(found.entries[0].id, row=2, field="account")
        raise JournalRefusedError([Mistake("UNKNOWN_ACCOUNT", "There is no account 6199.", place, "Open it.")])

    monkeypatch.setattr(journals, "require_taken", refused)
    answer = client(company, "controller").get(reverse("journal_preview") + "?period=2026-10")
    assert "-0001, line 2, account There is no account 6199. UNKNOWN_ACCOUNT Open it." in text(answer)
    assert 'href="?page=1#line-2"' in answer.content.decode()
    assert 'id="line-2"' in answer.content.decode()
    assert "Draw it up" not in text(answer)


def test_the_offers_of_a_period_say_what_each_kind_would_move(company: Company) -> None:
    accept(company.actor("red"), company.document("red-web").pk)
    page = client(company, "auditor").get(reverse("journal_offers") + "?period=2026-10")
    assert "Accepted invoices and notes: cost moves to the cost groups, each document once. 2 1,204.18 USD" in text(
        page
    )
    assert "Nothing of these kinds, or all of it is in a journal already: Accrual" in text(page)
    assert "<html" in page.content.decode()
    part = client(company, "auditor").get(reverse("journal_offers") + "?period=2026-10", headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()


def test_a_journal_goes_its_way_with_two_people(company: Company) -> None:
    row = drawn_up(company)
    own = shown(company, row, "controller")
    assert "You drew it up yourself, so somebody else has to approve it." in own
    refused = press(company, "controller", "approve", row)
    assert refused.status_code == 409
    assert "You prepared this yourself" in text(refused)
    assert "is approved as JV-1000-FY2026-000001" in text(press(company, "second", "approve", row))
    early = client(company, "second").get(reverse("journal_file", args=[row.pk, "journal-2026-10.csv"]))
    assert early.status_code == 409
    page = text(press(company, "second", "export", row))
    assert "Its files are written: journal-2026-10" in page
    assert "Number in the ledger" in page
    empty = press(company, "controller", "confirm", row, reference=" ")
    assert empty.status_code == 400
    assert 'aria-describedby="reference-error"' in empty.content.decode()
    assert "There is no reference." in text(empty)
    assert "The journal is posted." in text(press(company, "controller", "confirm", row, reference="GL-77"))
    page = shown(company, row, "auditor")
    assert re.search(r"Drawn up \d[^,]*, [\d:]+, Controller Approved by a second person \d[^,]*, [\d:]+, Second", page)
    assert "in the ledger as GL-77" in page
    again = press(company, "controller", "confirm", row, reference="GL-78")
    assert again.status_code == 409
    assert Document.objects.get(posting_state="posted").ledger_reference == "GL-77"


def test_files_are_the_same_bytes_each_time_and_reading_changes_nothing(company: Company) -> None:
    row = drawn_up(company)
    journals.approve(company.actor("second"), row.pk)
    row, paths = handing_over.export(company.actor("second"), row.pk)
    name = "journal-2026-10.csv"
    address = reverse("journal_file", args=[row.pk, name])
    before = list(LedgerJournal.objects.values())
    first, second = (client(company, who).get(address) for who in ("auditor", "analyst"))
    assert first.content == second.content == handing_over.rendered(row)[name]
    assert first["Content-Disposition"].startswith("attachment")
    assert first["X-Content-Type-Options"] == "nosniff"
    assert {each.name for each in journal_reading.files(row)} == {path.name for path in paths}
    for each in journal_reading.files(row):
        assert each.sha256 in client(company, "auditor").get(reverse("journal", args=[row.pk])).content.decode()
    for path in paths:  # the books are kept, and the workspace's files are lost
        path.unlink()
    paths[0].parent.rmdir()
    assert client(company, "auditor").get(address).content == first.content
    for wrong in ("apportion.yaml", "..%2F..%2Fapportion.yaml", "journal-2026-10.txt", ".x"):
        assert client(company, "auditor").get(address.replace(name, wrong)).status_code == 404
    assert list(LedgerJournal.objects.values()) == before


def test_withdrawing_wants_a_reason_and_lets_the_documents_wait_again(company: Company) -> None:
    row = drawn_up(company)
    refused = press(company, "controller", "withdraw", row, reason="  ")
    assert refused.status_code == 400
    assert "Say why the ledger does not get it." in text(refused)
    assert '<details class="confirm" open>' in refused.content.decode()
    page = text(press(company, "controller", "withdraw", row, reason="Wrong month."))
    assert "its documents wait for the next one" in page
    assert "Withdrawn" in page
    assert "Wrong month." in page
    assert not Document.objects.filter(posting_state="exported").exists()
    assert "What comes next" not in page
    again = journals.draw_up(company.actor("controller"), OCTOBER)
    assert again.journal_id == row.journal_id


def test_a_reversal_is_a_journal_of_its_own_linked_both_ways(company: Company) -> None:
    row = drawn_up(company)
    journals.approve(company.actor("second"), row.pk)
    handing_over.export(company.actor("second"), row.pk)
    handing_over.confirm(company.actor("second"), row.pk, "GL-1")
    assert press(company, "controller", "reverse", row, reason="").status_code == 400
    page = text(press(company, "controller", "reverse", row, reason="Booked in the wrong company."))
    back = LedgerJournal.objects.get(kind=JournalKind.REVERSAL)
    assert "It takes back another journal, entry by entry: JV-1000-FY2026-000001" in page
    assert "Booked in the wrong company." in page
    first = shown(company, row)
    assert "A reversal is drawn up. It counts when the ledger has posted it:" in first
    assert "Reverse it" not in first
    press(company, "second", "approve", back)
    press(company, "second", "export", back)
    press(company, "second", "confirm", back, reference="GL-2")
    assert "It was taken back by another journal: JV-1000-FY2026-000002" in shown(company, row)
    both = [*journal_reading.balances(journals.content(row)), *journal_reading.balances(journals.content(back))]
    assert [(each.debit_minor, each.credit_minor) for each in both] == [(120418, 120418)] * 2


def test_a_push_that_is_refused_comes_back_line_by_line(company: Company, pushed: str) -> None:
    repair = {"entry": "JN-TEST-0001", "company": "1000", "line": 2, "code": "UNKNOWN_ACCOUNT"}
    more = {"sentence": "There is no account 6100.", "advice": "Open it in the ledger."}
    row = placed(company, target=pushed, repair=[repair | more])
    LedgerPush.objects.create(
        target=pushed, entry="JN-TEST-0001", company="1000", round=1, key="APKEY", content_hash="0" * 64,
        state="rejected", detail="There is no account 6100.",
    )  # fmt: skip
    page = client(company, "second").get(reverse("journal", args=[row.pk]))
    assert "JN-TEST-0001, line 2 There is no account 6100. UNKNOWN_ACCOUNT Open it in the ledger." in text(page)
    assert 'href="?page=1#line-2"' in page.content.decode()
    assert "Refused There is no account 6100." in text(page)
    assert "Push it again" in text(page)
    assert "to be repaired" in text(client(company, "second").get(reverse("journals")))


def test_a_ledger_that_does_not_answer_is_said_on_the_journals_page(
    company: Company, pushed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = placed(company, JournalState.APPROVED, target=pushed)

    def down(*_given: object) -> None:
        raise TargetDownError("Nobody answers at erp.", advice="Push again when it is back.")

    monkeypatch.setattr(handing_over, "push", down)
    page = text(press(company, "second", "push", row))
    assert "Nobody answers at erp. Push again when it is back." in page
    monkeypatch.setattr(handing_over, "push", lambda *_given: PushReport(row.journal_id))
    assert "All of it was sent. Confirm it when the ledger has posted it." in text(
        press(company, "second", "push", row)
    )


def test_a_changed_journal_is_not_shown(company: Company) -> None:
    row = placed(company)
    row.body = row.body.replace("Cloud cost: group 1", "Cloud cost: group 9")
    with pytest.raises(ConservationError, match="not what was drawn up"):
        journal_reading.read(row)


def test_the_list_begins_with_what_waits_and_can_be_filtered(company: Company) -> None:
    posted = placed(company, JournalState.POSTED, found=transfer(2, "A"), number=1)
    waits = placed(company, JournalState.DRAWN_UP, found=transfer(3, "B"), number=2)
    late = placed(company, JournalState.POSTED, found=transfer(4, "C"), number=3)

    def rows(query: str = "") -> list[int]:
        answer = client(company, "auditor").get(reverse("journals") + query)
        assert answer.status_code == 200
        return [row.pk for row, _documents, _sums in answer.context["rows"]]

    assert rows() == [waits.pk, late.pk, posted.pk]
    assert rows("?state=waiting") == [waits.pk]
    assert rows("?state=posted&period=2026-10&kind=transfer&target=files") == [late.pk, posted.pk]
    assert rows("?kind=accrual") == []
    assert rows("?state=nonsense") == [waits.pk, late.pk, posted.pk]
    page = text(client(company, "auditor").get(reverse("journals")))
    assert "6.00 USD" in page  # 1.00, 2.00 and 3.00


def test_twelve_thousand_lines_are_paged_and_looked_through(company: Company) -> None:
    document = company.document("red-web")
    row = placed(company, JournalState.APPROVED, found=transfer(11_999, ref=f"{document.label}:1 ST-NOWHERE"))
    browser = client(company, "second")
    with CaptureQueriesContext(connection) as queries:
        answer = browser.get(reverse("journal", args=[row.pk]) + "?page=60")
    assert len(queries) <= MOST_QUERIES
    lines = answer.context["lines"]
    assert (lines.page.number, lines.page.paginator.num_pages) == (60, 60)
    assert sum(len(part.lines) for part in lines.parts) == 200
    assert lines.parts[-1].lines[-1].place == 12_000
    assert "(goes on)" in text(answer)
    assert f"{reverse('line', args=[document.pk, 1])}" in answer.content.decode()
    assert "1000 USD 12,000 71,994,000.00 71,994,000.00 0.00" in text(answer)  # the sum of 1.00 to 11,999.00
    found = browser.get(reverse("journal", args=[row.pk]) + "?q=GROUP 4711")
    assert [line.number for part in found.context["lines"].parts for line in part.lines] == [4711]


@pytest.mark.parametrize("name", ["journals", "journal_offers", "journal_preview"])
def test_the_pages_ask_little(company: Company, name: str) -> None:
    for number in range(30):
        placed(company, JournalState.POSTED, found=transfer(2, f"N{number}"), number=number + 1)
    browser = client(company, "second")
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(reverse(name)).status_code == 200
    assert len(queries) <= MOST_QUERIES


@pytest.mark.parametrize("act", ["approve", "export", "push", "confirm", "withdraw", "reverse"])
def test_acts_need_the_right_to_post(company: Company, act: str) -> None:
    row = placed(company)
    for who in ("analyst", "auditor", "red", "executive"):
        assert press(company, who, act, row, reason="x", reference="x").status_code == 403
    assert client(company, "controller").get(reverse(f"journal_{act}", args=[row.pk])).status_code == 405
    assert LedgerJournal.objects.get().state == JournalState.HANDED_OVER


def test_there_is_no_journal_of_that_number(company: Company) -> None:
    assert client(company, "auditor").get(reverse("journal", args=[999999])).status_code == 404
    assert client(company, "auditor").get(reverse("journal_file", args=[999999, "x"])).status_code == 404
