"""Journals in the books: drawn up, approved by a second person, handed over, confirmed, taken back; each once."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from pytest_django.fixtures import Settings

from apportion.actions.acting import SamePersonError
from apportion.actions.close import charging, issuing
from apportion.actions.post import handing_over, journals, posting
from apportion.actions.review import accepting
from apportion.errors import ConservationError, InputRefusedError, JournalRefusedError
from apportion.ledger.entry import EntryKind
from apportion.post.lifecycle import JournalKind, JournalState, JournalStateError
from apportion.records.closes import Close
from apportion.records.documents import Document
from apportion.records.groups import Charging, CostGroup
from apportion.records.journals import LedgerJournal
from apportion.records.rights import ForbiddenError
from apportion.review.states import StateError
from tests.books import OCTOBER, SEPTEMBER, SETTINGS, Books, books

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]


@pytest.fixture(name="northwind")
def northwind_fixture(tmp_path: Path, settings: Settings) -> Books:
    return accepted(books(tmp_path / "northwind", settings))


def accepted(found: Books) -> Books:
    """Red and blue are charged for October and accept; green is in showback."""
    found.allocated()
    for code in ("red", "blue"):
        group = CostGroup.objects.get(code=code)
        charging.set_charging(found.actor("controller"), group.pk, Charging.CHARGEBACK, OCTOBER, "Three quiet months")
    issuing.issue(found.actor("controller"), OCTOBER)
    for code in ("red", "blue"):
        accepting.accept(found.actor(code), document(code).pk)
    return found


def document(code: str) -> Document:
    return Document.objects.get(cost_group__code=code, period=str(OCTOBER), issue_state="issued")


def posted(found: Books, reference: str = "4711") -> LedgerJournal:
    made = journals.draw_up(found.actor("second"), OCTOBER)
    journals.approve(found.actor("controller"), made.pk)
    handing_over.export(found.actor("second"), made.pk)
    return handing_over.confirm(found.actor("second"), made.pk, reference)


def test_each_line_is_journaled_once_and_each_journal_has_two_people(northwind: Books) -> None:
    second, controller = northwind.actor("second"), northwind.actor("controller")
    made = journals.draw_up(second, OCTOBER)
    assert (made.state, made.label, made.target) == ("drawn_up", None, "files")
    content = journals.content(made)
    assert [sum(line.amount_minor for line in entry.postings) for entry in content.entries] == [0, 0]
    refs = [line.ref for entry in content.entries for line in entry.postings if line.account == "600150"]
    assert sorted(refs) == sorted(document(code).label or "" for code in ("red", "blue"))
    with pytest.raises(InputRefusedError, match="still waits at the ledger"):
        journals.draw_up(second, OCTOBER)
    with pytest.raises(SamePersonError):
        journals.approve(second, made.pk)
    with pytest.raises(JournalStateError, match="waits to be approved"):
        handing_over.export(second, made.pk)
    assert journals.approve(controller, made.pk).label == "JV-1000-FY2026-000001"
    with pytest.raises(JournalStateError, match="not handed over"):
        handing_over.confirm(second, made.pk, "4711")
    _, first = handing_over.export(second, made.pk)
    before = {path.name: path.read_bytes() for path in first}
    _, again = handing_over.export(second, made.pk)
    assert {path.name: path.read_bytes() for path in again} == before
    with pytest.raises(InputRefusedError, match="no reference"):
        handing_over.confirm(second, made.pk, "  ")
    done = handing_over.confirm(second, made.pk, "4711")
    assert (done.state, done.reference) == ("posted", "4711")
    assert {document(code).ledger_reference for code in ("red", "blue")} == {"4711"}
    assert Close.objects.get(period=str(OCTOBER)).posted_at is not None
    with pytest.raises(StateError, match="Nothing of 2026-10 waits"):
        journals.draw_up(second, OCTOBER)


def test_a_reversal_is_a_journal_of_its_own_and_brings_everything_to_zero(northwind: Books) -> None:
    first = posted(northwind)
    second, controller = northwind.actor("second"), northwind.actor("controller")
    with pytest.raises(InputRefusedError, match="reason"):
        journals.draw_up_reversal(second, first.pk, " ")
    made = journals.draw_up_reversal(second, first.pk, "Booked in the wrong year")
    assert (made.kind, made.reverses_id) == (JournalKind.REVERSAL, first.pk)
    sums: dict[tuple[str, ...], int] = {}
    for entry in (*journals.content(first).entries, *journals.content(made).entries):
        for line in entry.postings:
            place = (line.company, line.account, line.cost_center, line.department, line.currency)
            sums[place] = sums.get(place, 0) + line.amount_minor
    assert set(sums.values()) == {0}
    assert {entry.kind for entry in journals.content(made).entries} <= set(EntryKind)
    with pytest.raises(SamePersonError):
        journals.approve(second, made.pk)
    journals.approve(controller, made.pk)
    handing_over.export(second, made.pk)
    handing_over.confirm(second, made.pk, "4712")
    assert LedgerJournal.objects.get(pk=first.pk).state == JournalState.REVERSED
    assert document("red").posting_state == "reversed"
    assert Close.objects.get(period=str(OCTOBER)).posted_at is None
    again = posted(northwind, "4713")
    assert again.label == "JV-1000-FY2026-000003"
    assert document("red").ledger_reference == "4713"


def test_a_journal_of_single_lines_is_reversed_like_any(tmp_path: Path, settings: Settings) -> None:
    each = SETTINGS.replace("ledger: {", "ledger: {lines: each, ")
    assert each != SETTINGS
    found = accepted(books(tmp_path / "northwind", settings, each))
    first = posted(found)
    names = {line.ref for entry in journals.content(first).entries for line in entry.postings}
    assert any(":" in name for name in names)
    assert (
        journals.draw_up_reversal(found.actor("second"), first.pk, "Booked in the wrong year").reverses_id == first.pk
    )


def test_what_finance_reversed_by_hand_is_not_taken_back_again(northwind: Books) -> None:
    first = posted(northwind)
    blue = document("blue").pk
    # Exported by the second, allocated by the analyst: the controller may.
    posting.reverse(northwind.actor("controller"), blue, "Finance booked it back by hand")
    with pytest.raises(StateError, match="was reversed by itself"):
        journals.draw_up_reversal(northwind.actor("second"), first.pk, "All of it")
    assert LedgerJournal.objects.count() == 1


def test_what_was_pushed_is_reversed_by_a_journal_only(northwind: Books) -> None:
    posted(northwind)
    drop = "targets:\n  files-of-old: {kind: files}\n  drop: {kind: folder, folder: /tmp}\n"
    northwind.write("apportion.yaml", SETTINGS + drop)
    LedgerJournal.objects.update(state=JournalState.REVERSED)  # as if it had gone to the folder instead
    made = LedgerJournal.objects.get()
    made.pk, made.target, made.state, made.series, made.number, made.label = None, "drop", "posted", None, None, "JV-9"
    made.save()
    with pytest.raises(StateError, match="was pushed to 'drop' with journal JV-9"):
        posting.reverse(northwind.actor("controller"), document("red").pk, "By hand")
    assert document("red").posting_state == "posted"


def test_what_is_withdrawn_waits_again_and_numbers_have_no_gap(northwind: Books) -> None:
    second, controller = northwind.actor("second"), northwind.actor("controller")
    first = journals.draw_up(second, OCTOBER)
    journals.withdraw(second, first.pk, "A line is wrong")
    assert document("red").posting_state == "unposted"
    with pytest.raises(JournalStateError, match="was withdrawn"):
        journals.approve(controller, first.pk)
    again = journals.draw_up(second, OCTOBER)
    assert journals.approve(controller, again.pk).label == "JV-1000-FY2026-000001"
    journals.withdraw(second, again.pk, "The ledger is closed")
    last = journals.draw_up(second, OCTOBER)
    assert journals.approve(controller, last.pk).label == "JV-1000-FY2026-000002"
    numbers = LedgerJournal.objects.exclude(number=None).order_by("number").values_list("number", flat=True)
    assert list(numbers) == [1, 2]


def test_showback_is_counted_and_never_money(northwind: Books) -> None:
    northwind.write("apportion.yaml", SETTINGS.replace("ledger: {", 'ledger: {statistical: "900100", '))
    made = journals.draw_up(northwind.actor("second"), OCTOBER, JournalKind.SHOWBACK)
    content = journals.content(made)
    assert content.entries == ()
    assert [(line.account, line.quantity_minor) for entry in content.statistical for line in entry.lines] == [
        ("900100", total_of("green"))
    ]
    journals.withdraw(northwind.actor("second"), made.pk, "Try again")
    assert journals.preview(OCTOBER, JournalKind.SHOWBACK) == content
    journals.draw_up(northwind.actor("second"), OCTOBER, JournalKind.SHOWBACK)
    assert journals.preview(OCTOBER, JournalKind.SHOWBACK) is None


def total_of(code: str) -> int:
    return sum(total.amount_minor for total in document(code).totals.all())


def test_closed_periods_and_late_posting(northwind: Books) -> None:
    (northwind.workspace.root / "master").mkdir()
    northwind.write("master/periods.csv", "company,period,open\n,2026-10,false\n,2026-11,true\n")
    northwind.write("apportion.yaml", SETTINGS.replace("ledger: {", 'ledger: {master_data: "master", '))
    made = journals.draw_up(northwind.actor("second"), OCTOBER)
    assert {str(entry.posting_on) for entry in journals.content(made).entries} == {"2026-11-01"}
    assert {str(entry.belongs_to) for entry in journals.content(made).entries} == {"2026-10"}
    northwind.write("master/periods.csv", "company,period,open\n,2026-10,false\n,2026-11,false\n")
    with pytest.raises(JournalRefusedError):
        journals.approve(northwind.actor("controller"), made.pk)
    assert LedgerJournal.objects.get(pk=made.pk).state == JournalState.DRAWN_UP


def test_wrong_targets_unknown_journals_and_missing_rights(northwind: Books) -> None:
    with pytest.raises(InputRefusedError, match="There is no target 'sap'"):
        journals.draw_up(northwind.actor("second"), OCTOBER, target="sap")
    with pytest.raises(ForbiddenError):
        journals.draw_up(northwind.actor("analyst"), OCTOBER)
    with pytest.raises(StateError, match="2026-09"):
        journals.draw_up(northwind.actor("second"), SEPTEMBER)
    assert not LedgerJournal.objects.exists()
    assert posting.exportable(OCTOBER).count() == 2


def test_the_database_keeps_a_journal_as_it_was_drawn_up(northwind: Books) -> None:
    made = journals.draw_up(northwind.actor("second"), OCTOBER)
    for changed in ({"body": "{}"}, {"digest": "0" * 64}, {"target": "other"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            LedgerJournal.objects.filter(pk=made.pk).update(**changed)
    with pytest.raises(DatabaseError), transaction.atomic():
        LedgerJournal.objects.filter(pk=made.pk).delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        LedgerJournal.objects.filter(pk=made.pk).update(state="approved")
    made.digest = "0" * 64
    with pytest.raises(ConservationError):
        journals.content(made)
