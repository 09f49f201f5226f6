"""What is posted again after it was taken back, by a journal or by hand: under ids of its own, and each entry once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from django.db import IntegrityError
from pytest_django.fixtures import Settings

from apportion.actions.close import charging, issuing
from apportion.actions.post import e_invoices, handing_over, invoiced, journals, posting, verifying
from apportion.actions.review import accepting
from apportion.errors import EInvoiceRefusedError
from apportion.ingest.load import ingest
from apportion.ledger.entry import EntryKind
from apportion.periods import BillingPeriod
from apportion.post.erp.pace import RealClock
from apportion.post.lifecycle import JournalKind, JournalState
from apportion.records.documents import Document
from apportion.records.groups import Charging, CostGroup
from apportion.records.journals import LedgerJournal
from apportion.review.states import StateError
from tests import erp_server, erp_server_erpnext
from tests.books import MONTHS, OCTOBER, SEPTEMBER, SETTINGS, Books, books
from tests.charging_books import ACCOUNTS, CHARGES, PARTIES, group_of_companies
from tests.charging_books import document as invoice
from tests.erp_server import KEY, Ledger
from tests.posted import northwind
from tests.rooms.close.workspaces import month

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

ACCRUAL, TRUE_UP = JournalKind.ACCRUAL, JournalKind.TRUE_UP
ACCRUING = SETTINGS.replace("ledger: {", 'ledger: {accrued: "339000", payables: "330000", ')
TWO = "targets:\n  first: {kind: files}\n  second: {kind: files}\n"
ERPNEXT = """\
  books:
    kind: erpnext
    url: {url}
    secret: BOOKS_SECRET
    companies: {{"1000": Nimbus GmbH}}
    axes: {{cost_center: cost_center}}
"""


@dataclass(frozen=True)
class Desk:
    """Two people who bring journals into the ledger."""

    books: Books

    def drawn_up(
        self, kind: JournalKind = JournalKind.TRANSFER, period: BillingPeriod = OCTOBER, target: str = ""
    ) -> LedgerJournal:
        return journals.draw_up(self.books.actor("second"), period, kind, target)

    def to_its_end(self, row: LedgerJournal) -> LedgerJournal:
        """Approved, carried to the ledger, and confirmed."""
        journals.approve(self.books.actor("controller"), row.pk)
        handing_over.export(self.books.actor("second"), row.pk)
        return handing_over.confirm(self.books.actor("second"), row.pk, f"GL-{row.pk}")

    def posted(
        self, kind: JournalKind = JournalKind.TRANSFER, period: BillingPeriod = OCTOBER, target: str = ""
    ) -> LedgerJournal:
        return self.to_its_end(self.drawn_up(kind, period, target))

    def back(self, row: LedgerJournal) -> LedgerJournal:
        """Drawn up: what takes a journal back."""
        return journals.draw_up_reversal(self.books.actor("second"), row.pk, "Booked wrongly")

    def by_hand(self, document: Document) -> None:
        posting.reverse(self.books.actor("controller"), document.pk, "Finance booked it back by hand")


@pytest.fixture(name="desk")
def desk_fixture(tmp_path: Path, settings: Settings) -> Desk:
    """Red and blue accept what they are charged for October."""
    found = books(tmp_path / "northwind", settings)
    found.allocated()
    for code in ("red", "blue"):
        group = CostGroup.objects.get(code=code)
        charging.set_charging(found.actor("controller"), group.pk, Charging.CHARGEBACK, OCTOBER, "Three quiet months")
    issuing.issue(found.actor("controller"), OCTOBER)
    for code in ("red", "blue"):
        accepting.accept(found.actor(code), document(code).pk)
    return Desk(found)


@pytest.fixture(name="accruing")
def accruing_fixture(tmp_path: Path, settings: Settings) -> Desk:
    """No provider has invoiced September."""
    found = books(tmp_path / "northwind", settings, ACCRUING + TWO)
    not_invoiced(found)
    return Desk(found)


@pytest.fixture(name="ledger_there")
def ledger_there_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("BOOKS_SECRET", KEY)
    monkeypatch.setattr(RealClock, "sleep", lambda _self, _seconds: None)
    with erp_server.served(Ledger(), erp_server_erpnext.dialect, erp_server_erpnext.wrong) as url:
        yield url


def document(code: str) -> Document:
    return Document.objects.get(cost_group__code=code, period=str(OCTOBER), issue_state="issued")


def not_invoiced(found: Books) -> None:
    """September is delivered anew: its charges have no invoice yet."""
    file = found.workspace.root.parent / "september.csv"
    file.write_text(month(MONTHS[SEPTEMBER], SEPTEMBER).replace("INV-1", ""), encoding="utf-8")
    ingest(found.workspace, [file], source="cloud", allow_shrink=True)
    found.allocated(SEPTEMBER)


def entries(rows: Iterable[LedgerJournal]) -> list[str]:
    return [entry.id for row in rows for entry in journals.content(row).entries]


def held(account: str = "339000") -> int:
    """What the posted journals come to on an account."""
    out = LedgerJournal.objects.filter(state__in=[JournalState.POSTED, JournalState.REVERSED])
    return sum(
        line.amount_minor
        for row in out
        for entry in journals.content(row).entries
        for line in entry.postings
        if line.account == account
    )


def test_what_is_posted_anew_has_ids_of_its_own_and_can_be_taken_back_again(desk: Desk) -> None:
    made = []
    for _ in range(3):
        made.append(desk.posted())
        assert verifying.verify(desk.books.actor("second"), "files").differences == ()
        made.append(desk.to_its_end(desk.back(made[-1])))
    assert [LedgerJournal.objects.get(pk=row.pk).state for row in made] == ["reversed", "posted"] * 3
    assert len({row.journal_id for row in made}) == 6
    assert len(set(entries(made))) == len(entries(made))
    assert {row.period for row in made} == {"2026-10"}
    seen = journals.preview(OCTOBER)
    assert seen == journals.content(desk.drawn_up())
    sums: dict[str, int] = {}
    for row in made:
        for entry in journals.content(row).entries:
            for line in entry.postings:
                sums[line.account] = sums.get(line.account, 0) + line.amount_minor
    assert set(sums.values()) == {0}


def test_journals_that_share_an_id_since_before_are_taken_back_each(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = desk.posted()
    desk.to_its_end(desk.back(first))
    with monkeypatch.context() as before:
        before.setattr(posting, "taken_ids", lambda _period: frozenset())
        again = desk.posted()
    assert again.journal_id == first.journal_id
    desk.to_its_end(desk.back(again))
    assert LedgerJournal.objects.get(pk=again.pk).state == JournalState.REVERSED
    assert held("600199") == 0


def test_documents_that_were_all_reversed_by_hand_are_posted_anew(desk: Desk) -> None:
    first = desk.posted()
    for code in ("red", "blue"):
        desk.by_hand(document(code))
    again = desk.posted()
    assert not set(entries([first])) & set(entries([again]))
    assert document("red").ledger_reference == f"GL-{again.pk}"
    assert verifying.verify(desk.books.actor("second"), "files").differences == ()


def test_the_same_journal_twice_is_a_refusal_and_no_fault(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(*_args: object, **_more: object) -> None:
        raise IntegrityError("UNIQUE constraint failed: records_ledgerjournal.journal_id")

    monkeypatch.setattr(LedgerJournal, "save", twice)
    with pytest.raises(StateError, match=r"Journal JN-2026-10-\w+ is at files already"):
        desk.drawn_up()
    assert document("red").posting_state == "unposted"


def test_one_document_reversed_by_hand_and_posted_anew_leaves_both_journals_right(desk: Desk) -> None:
    first = desk.posted()
    desk.by_hand(document("red"))
    assert verifying.verify(desk.books.actor("second"), "files").differences == ()
    desk.posted()
    assert verifying.verify(desk.books.actor("second"), "files").differences == ()
    Document.objects.filter(pk=document("red").pk).update(journal="JN-another")  # of which the books know nothing
    (said,) = {
        each
        for each in verifying.verify(desk.books.actor("second"), "files").differences
        if each.startswith(f"Journal {first} ")
    }
    assert said == f"Journal {first} has 130.00 USD for company 1000, and its documents come to 0.00."


def test_what_was_invoiced_counts_no_document_twice(tmp_path: Path, settings: Settings) -> None:
    desk = Desk(northwind(tmp_path / "northwind", settings))
    place = desk.books.workspace
    whole = invoiced.invoiced(place, str(OCTOBER))
    assert whole == {("1000", "EUR"): 11700 + 7899}
    desk.posted()
    assert invoiced.invoiced(place, str(OCTOBER)) == whole
    desk.by_hand(document("red"))
    assert invoiced.invoiced(place, str(OCTOBER)) == whole
    desk.posted()
    assert invoiced.invoiced(place, str(OCTOBER)) == whole


def test_an_e_invoice_agrees_with_its_journal_when_another_document_has_left_it(
    tmp_path: Path, settings: Settings
) -> None:
    desk = Desk(group_of_companies(tmp_path / "books", settings))
    desk.posted()
    controller = desk.books.actor("controller")
    teams = ("blue", "green")  # both of company 2000
    before = {team: e_invoices.files(controller, invoice(team).pk) for team in teams}
    for left in teams:
        desk.by_hand(invoice(left))
        assert {team: e_invoices.files(controller, invoice(team).pk) for team in teams} == before
        desk.posted()
        assert {team: e_invoices.files(controller, invoice(team).pk) for team in teams} == before
    desk.books.write("apportion.yaml", ACCOUNTS + CHARGES.replace("5 %", "6") + PARTIES)
    for team in teams:
        with pytest.raises(EInvoiceRefusedError, match="on other terms"):
            e_invoices.files(controller, invoice(team).pk)


def test_an_accrual_that_was_taken_back_is_not_taken_back_again(accruing: Desk) -> None:
    accrual = accruing.posted(ACCRUAL, SEPTEMBER)
    waiting = accruing.drawn_up(TRUE_UP, SEPTEMBER, "second")
    with pytest.raises(StateError, match=f"takes back what journal {accrual} accrued") as caught:
        accruing.back(accrual)
    assert caught.value.advice == "Withdraw that one first."
    true_up = accruing.to_its_end(waiting)
    with pytest.raises(StateError, match=f"Journal {true_up} takes back what journal {accrual} accrued") as caught:
        accruing.back(accrual)
    assert "Draw up the accrual anew" in caught.value.advice
    assert LedgerJournal.objects.count() == 2
    assert held() == 0


def test_what_it_advises_lets_the_accrual_be_reversed(accruing: Desk) -> None:
    accrual = accruing.posted(ACCRUAL, SEPTEMBER)
    waiting = accruing.drawn_up(TRUE_UP, SEPTEMBER, "second")
    journals.withdraw(accruing.books.actor("second"), waiting.pk, "Not yet")
    accruing.to_its_end(accruing.back(accrual))
    assert held() == 0
    with pytest.raises(StateError, match="Nothing of 2026-09 waits"):
        accruing.drawn_up(TRUE_UP, SEPTEMBER, "second")


def test_an_accrual_that_is_not_posted_is_not_taken_back(accruing: Desk) -> None:
    accrual = accruing.drawn_up(ACCRUAL, SEPTEMBER, "first")
    with pytest.raises(StateError, match="Nothing of 2026-09 waits") as caught:
        accruing.drawn_up(TRUE_UP, SEPTEMBER, "second")
    assert "accruals that are posted" in caught.value.advice
    assert journals.preview(SEPTEMBER, TRUE_UP, journals.known_journals()) is None
    accruing.to_its_end(accrual)
    accruing.posted(TRUE_UP, SEPTEMBER, "second")
    assert held() == 0


def test_an_accrual_that_was_taken_back_too_early_is_not_withdrawn(accruing: Desk) -> None:
    accrual = accruing.posted(ACCRUAL, SEPTEMBER, "first")
    accruing.posted(TRUE_UP, SEPTEMBER, "second")
    LedgerJournal.objects.filter(pk=accrual.pk).update(state=JournalState.HANDED_OVER)  # as books of old may have it
    with pytest.raises(StateError, match="takes back what journal") as caught:
        journals.withdraw(accruing.books.actor("second"), accrual.pk, "Not wanted")
    assert "Bring this one to its end" in caught.value.advice
    assert LedgerJournal.objects.get(pk=accrual.pk).state == JournalState.HANDED_OVER


def test_a_true_up_is_reversed_and_made_again(accruing: Desk) -> None:
    accrual = accruing.posted(ACCRUAL, SEPTEMBER)
    accrued = held()
    assert accrued == -180_00
    made = [accrual]
    for _ in range(2):
        made.append(accruing.posted(TRUE_UP, SEPTEMBER))
        assert held() == 0
        back = accruing.back(made[-1])
        with pytest.raises(StateError, match="Nothing of 2026-09 waits"):
            accruing.drawn_up(TRUE_UP, SEPTEMBER, "second")  # what enters the accrual again may still be withdrawn
        made.append(accruing.to_its_end(back))
        assert held() == accrued
        (again,) = journals.content(back).entries
        assert (again.kind, again.reverses, again.posting_on) == (EntryKind.ACCRUAL, "", date(2026, 10, 1))
        assert journals.preview(SEPTEMBER, ACCRUAL) is None  # it is there
        with pytest.raises(StateError, match="is itself the reversal of") as caught:
            accruing.back(made[-1])
        assert "draw it up anew" in caught.value.advice
        with pytest.raises(StateError, match="takes back what journal"):
            accruing.back(accrual)
    made.append(accruing.posted(TRUE_UP, SEPTEMBER))
    assert held() == 0
    assert {entry.posting_on for entry in journals.content(made[-1]).entries} == {date(2026, 10, 1)}
    assert len(set(entries(made))) == len(entries(made))
    reversed_once = [entry.reverses for row in made for entry in journals.content(row).entries if entry.reverses]
    assert len(set(reversed_once)) == len(reversed_once)
    assert verifying.verify(accruing.books.actor("second"), "first").differences == ()


def test_a_ledger_that_answers_takes_a_true_up_back_and_anew(
    tmp_path: Path, settings: Settings, ledger_there: str
) -> None:
    found = northwind(tmp_path / "northwind", settings, ERPNEXT.format(url=ledger_there))
    text = (found.workspace.root / "apportion.yaml").read_text(encoding="utf-8")
    found.write("apportion.yaml", text.replace("ledger: {", 'ledger: {accrued: "140000", '))
    not_invoiced(found)
    second, controller = found.actor("second"), found.actor("controller")

    def pushed(row: LedgerJournal) -> LedgerJournal:
        journals.approve(controller, row.pk)
        assert handing_over.push(second, row.pk).done
        return journals.journal_row(row.pk)

    pushed(journals.draw_up(second, SEPTEMBER, ACCRUAL))
    true_up = pushed(journals.draw_up(second, SEPTEMBER, TRUE_UP))
    back = pushed(journals.draw_up_reversal(second, true_up.pk, "Booked wrongly"))
    there = verifying.verify(second, "books")
    assert there.differences == ()
    assert {each.name: each.entries for each in there.journals}[str(back)] == 1  # the ledger was asked for it
    pushed(journals.draw_up(second, SEPTEMBER, TRUE_UP))
    assert journals.journal_row(true_up.pk).state == JournalState.REVERSED
    done = verifying.verify(second, "books")
    assert done.differences == ()
    assert {each.account: each.ledger for each in done.rows}["140000"] == 0
