"""The close as acts: complete, allocate, issue, and what each of them refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from apportion.actions.acting import SamePersonError
from apportion.actions.close import charging, closing, issuing, sealing
from apportion.actions.close.tying import books_tie_out
from apportion.actions.post import handing_over, journals, posting
from apportion.actions.review import accepting, disputing
from apportion.errors import InputRefusedError
from apportion.invoice import series
from apportion.invoice.paper import to_json
from apportion.records import convert
from apportion.records.audit import AuditEntry
from apportion.records.chain import verify
from apportion.records.closes import Close
from apportion.records.documents import Document, DocumentLine, Series
from apportion.records.groups import Charging, CostGroup
from apportion.records.rights import ForbiddenError
from apportion.review.states import StateError
from tests.books import OCTOBER, ORGANIZATION, SEPTEMBER, Books, books

STRAY_TO_BLUE = "rules:\n  - {id: stray, when: {ServiceName: Stray}, charge_to: {cost_group: blue}}\n"

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]


@pytest.fixture(name="northwind")
def northwind_fixture(tmp_path: Path, settings: Settings) -> Books:
    return books(tmp_path / "northwind", settings)


def _charge(northwind: Books, code: str) -> None:
    group = CostGroup.objects.get(code=code)
    charging.set_charging(northwind.actor("controller"), group.pk, Charging.CHARGEBACK, OCTOBER, "Three quiet months")


def _document(code: str) -> Document:
    return Document.objects.get(cost_group__code=code, period=str(OCTOBER), issue_state="issued")


def _accept(northwind: Books, code: str, by: str) -> None:
    accepting.accept(northwind.actor(by), _document(code).pk)


def test_a_month_from_complete_to_sealed(northwind: Books) -> None:
    northwind.allocated()
    _charge(northwind, "red")
    done = issuing.issue(northwind.actor("controller"), OCTOBER)
    assert (done.documents, done.made, done.voided, done.was_before) == (4, 4, 0, False)
    red = _document("red")
    assert (red.kind, red.label) == ("invoice", "NW-1000-FY2026-000001")
    paper = convert.paper(red)
    assert to_json(paper) == red.body.text
    assert paper.lines[0].minor == 12000
    assert sum(line.amount_minor for line in DocumentLine.objects.filter(document=red)) == paper.totals[0].minor
    tied = books_tie_out(OCTOBER)
    assert tied.holds, tied.differences
    assert tied.sums["USD"].run == tied.sums["USD"].issued == 27332
    with pytest.raises(StateError, match="not accepted: NW-1000-FY2026-000001"):
        sealing.seal(northwind.actor("second"), OCTOBER)
    for code, owner in (("red", "red"), ("green", "green"), ("blue", "blue")):
        _accept(northwind, code, owner)
    with pytest.raises(StateError, match="1 accepted invoice or note is not exported"):
        sealing.seal(northwind.actor("second"), OCTOBER)
    made = journals.draw_up(northwind.actor("second"), OCTOBER)
    journals.approve(northwind.actor("controller"), made.pk)
    _, files = handing_over.export(northwind.actor("second"), made.pk)
    assert [path.name for path in files if path.suffix == ".csv"] == ["journal-2026-10.csv"]
    assert handing_over.confirm(northwind.actor("second"), made.pk, "4711").state == "posted"
    sealing.seal(northwind.actor("second"), OCTOBER)
    assert northwind.workspace.sealed(OCTOBER) is not None
    assert sealing.seal(northwind.actor("second"), OCTOBER).sealed_at is not None
    assert verify().breaks == ()
    acts = list(AuditEntry.objects.order_by("number").values_list("act", flat=True))
    assert acts == [
        "mark data complete",
        "sync tree",
        "allocate",
        "set charging",
        "issue",
        "accept",
        "accept",
        "accept",
        "draw up journal",
        "approve journal",
        "export journal",
        "confirm posted",
        "seal",
    ]


def test_nothing_is_issued_before_its_time(northwind: Books) -> None:
    controller = northwind.actor("controller")
    with pytest.raises(StateError, match="not been allocated"):
        issuing.issue(controller, OCTOBER)
    closing.allocate(northwind.actor("analyst"), OCTOBER)
    with pytest.raises(StateError, match="Nobody has said"):
        issuing.issue(controller, OCTOBER)
    closing.mark_data_complete(northwind.actor("analyst"), OCTOBER)
    with pytest.raises(ForbiddenError):
        issuing.issue(northwind.actor("analyst"), OCTOBER)
    northwind.write("organization.yaml", ORGANIZATION.replace("name: Red", "name: Scarlet"))
    with pytest.raises(InputRefusedError, match="the organization changed"):
        issuing.issue(controller, OCTOBER)
    northwind.write("organization.yaml", ORGANIZATION)
    assert not Document.objects.exists()
    assert not Series.objects.exists()
    assert issuing.issue(controller, OCTOBER).made == 4


def test_who_allocated_does_not_issue(northwind: Books) -> None:
    closing.mark_data_complete(northwind.actor("analyst"), OCTOBER)
    closing.allocate(northwind.actor("controller"), OCTOBER)
    with pytest.raises(SamePersonError):
        issuing.issue(northwind.actor("controller"), OCTOBER)
    # Allocating the same again does not make somebody else the one who prepared it.
    closing.allocate(northwind.actor("second"), OCTOBER)
    with pytest.raises(SamePersonError):
        issuing.issue(northwind.actor("controller"), OCTOBER)
    assert issuing.issue(northwind.actor("second"), OCTOBER).made == 4


def test_pressing_twice_is_safe(northwind: Books) -> None:
    northwind.issued()
    labels = list(Document.objects.order_by("label").values_list("label", flat=True))
    entries = AuditEntry.objects.count()
    again = issuing.issue(northwind.actor("controller"), OCTOBER)
    assert (again.was_before, again.documents, again.made) == (True, 4, 0)
    assert list(Document.objects.order_by("label").values_list("label", flat=True)) == labels
    assert AuditEntry.objects.count() == entries


def test_what_did_not_change_stays_when_issued_anew(northwind: Books) -> None:
    northwind.issued()
    before = {row.cost_group_id: row for row in Document.objects.filter(cost_group__isnull=False)}
    policy = (northwind.workspace.root / "policy.yaml").read_text(encoding="utf-8")
    northwind.write("policy.yaml", policy.replace("rules:\n", STRAY_TO_BLUE))
    _accept(northwind, "green", "green")
    closing.allocate(northwind.actor("analyst"), OCTOBER)
    again = issuing.issue(northwind.actor("controller"), OCTOBER)
    # Blue takes what was unallocated; red and green are as they were.
    assert (again.made, again.voided, again.documents) == (1, 2, 3)
    blue = _document("blue")
    assert blue.about is not None
    assert blue.about.pk == before[blue.cost_group_id].pk
    assert blue.about.issue_state == "voided"
    assert str(blue.about) in convert.paper(blue).note
    assert _document("green").review_state == "accepted"
    assert _document("green").pk == before[_document("green").cost_group_id].pk
    assert books_tie_out(OCTOBER).holds
    for row in Series.objects.all():
        given = [each.number or 0 for each in Document.objects.filter(series=row)]
        series.check(series.parse_series(row.name), given)


def test_a_disputed_document_is_not_replaced(northwind: Books) -> None:
    northwind.issued()
    disputing.dispute(northwind.actor("blue"), _document("blue").pk, line=1, reason="not_ours", text="Not our machine")
    policy = (northwind.workspace.root / "policy.yaml").read_text(encoding="utf-8")
    northwind.write("policy.yaml", policy.replace("rules:\n", STRAY_TO_BLUE))
    closing.allocate(northwind.actor("analyst"), OCTOBER)
    labels = sorted(Document.objects.values_list("label", "issue_state"))
    with pytest.raises(StateError, match=r"cannot be replaced\. A dispute on it is not decided yet"):
        issuing.issue(northwind.actor("controller"), OCTOBER)
    assert sorted(Document.objects.values_list("label", "issue_state")) == labels
    with pytest.raises(StateError, match=r"1 dispute is not decided: line 1 of NW-2000-FY2026-S-000001"):
        sealing.seal(northwind.actor("second"), OCTOBER)


def test_a_voided_document_is_made_anew_by_the_next_issue(northwind: Books) -> None:
    northwind.issued()
    old = _document("red")
    issuing.void(northwind.actor("controller"), old.pk, "Sent to the wrong address")
    again = issuing.issue(northwind.actor("controller"), OCTOBER)
    assert (again.made, again.voided, again.documents) == (1, 0, 4)
    assert _document("red").about_id == old.pk


def test_a_documents_past_is_on_it(northwind: Books) -> None:
    northwind.issued(SEPTEMBER)
    northwind.issued(OCTOBER)
    red = _document("red")
    assert red.totals.get().before_minor == 11000
    paper = convert.paper(red)
    assert [(each.period, each.minor) for each in paper.history] == [("2026-09", 11000), ("2026-10", 13000)]
    assert paper.changes[0].after_minor - paper.changes[0].before_minor == 2000


def test_charging_is_not_changed_behind_issued_documents(northwind: Books) -> None:
    northwind.issued(SEPTEMBER)
    group = CostGroup.objects.get(code="red")
    controller = northwind.actor("controller")
    with pytest.raises(StateError, match="2026-09 are issued"):
        charging.set_charging(controller, group.pk, Charging.CHARGEBACK, SEPTEMBER, "Ready")
    with pytest.raises(ForbiddenError):
        charging.set_charging(northwind.actor("analyst"), group.pk, Charging.CHARGEBACK, OCTOBER, "Ready")
    mode = charging.set_charging(controller, group.pk, Charging.CHARGEBACK, OCTOBER, "Ready")
    assert [row["measure"] for row in mode.readiness["rows"]] == [
        "allocated_share",
        "tagged_share",
        "quiet_months",
        "open_disputes",
    ]
    assert charging.charged(SEPTEMBER) == frozenset()
    assert charging.charged(OCTOBER) == frozenset({"red"})
    again = charging.set_charging(controller, group.pk, Charging.CHARGEBACK, OCTOBER, "Ready")
    assert again.pk == mode.pk


def test_nobody_exports_what_they_allocated(northwind: Books) -> None:
    closing.mark_data_complete(northwind.actor("analyst"), OCTOBER)
    closing.allocate(northwind.actor("second"), OCTOBER)
    _charge(northwind, "red")
    issuing.issue(northwind.actor("controller"), OCTOBER)
    with pytest.raises(StateError, match="Nothing of 2026-10 waits"):
        journals.draw_up(northwind.actor("controller"), OCTOBER)
    _accept(northwind, "red", "red")
    with pytest.raises(SamePersonError):
        journals.draw_up(northwind.actor("second"), OCTOBER)
    made = journals.draw_up(northwind.actor("controller"), OCTOBER)
    journals.withdraw(northwind.actor("controller"), made.pk, "The ledger was closed")
    again = journals.draw_up(northwind.actor("controller"), OCTOBER)
    assert (again.journal_id, again.digest) == (made.journal_id, made.digest)
    journals.approve(northwind.actor("second"), again.pk)
    handing_over.export(northwind.actor("controller"), again.pk)
    handing_over.confirm(northwind.actor("controller"), again.pk, "4711")
    assert Close.objects.get(period="2026-10").posted_at is not None
    with pytest.raises(SamePersonError):
        posting.reverse(northwind.actor("controller"), _document("red").pk, "Wrong year")
    with pytest.raises(SamePersonError):
        posting.reverse(northwind.actor("second"), _document("red").pk, "Wrong year")
