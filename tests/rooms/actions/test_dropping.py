"""Journals dropped in a folder, which does not answer: confirmed once all of it was sent, and kept to its one route."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from apportion.actions.post import handing_over, journal_reading, journals, ledgers, verifying
from apportion.actions.workspace import workspace
from apportion.errors import InputRefusedError
from apportion.post.erp.errors import RejectedError
from apportion.post.erp.folder import FolderTarget
from apportion.post.lifecycle import JournalState, JournalStateError
from apportion.records.documents import Document
from apportion.records.journals import LedgerJournal, LedgerPush
from tests.books import OCTOBER, Books
from tests.posted import approved, northwind, pushed, reversed_by

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

DROP = "  drop: {kind: folder, folder: drop}\n"


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(name="found")
def found_fixture(tmp_path: Path, settings: Settings) -> Books:
    (tmp_path / "northwind" / "drop").mkdir(parents=True)
    return northwind(tmp_path / "northwind", settings, DROP)


def dropped() -> set[str]:
    return {path.name for path in (workspace().root / "drop").iterdir()}


def setting(found: Books, old: str, new: str) -> None:
    """Change a line of the settings."""
    before = (found.workspace.root / "apportion.yaml").read_text("utf-8")
    assert old in before
    found.write("apportion.yaml", before.replace(old, new))


def confirmed(found: Books, row: LedgerJournal, number: str) -> LedgerJournal:
    return handing_over.confirm(found.actor("second"), row.pk, number)


def state() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (LedgerJournal, LedgerPush, Document)]


def test_what_was_reversed_is_dropped_anew(found: Books) -> None:
    first, _ = pushed(found)
    confirmed(found, first, "GL-1")
    confirmed(found, reversed_by(found, first), "GL-2")
    assert LedgerJournal.objects.get(pk=first.pk).state == JournalState.REVERSED
    before = dropped()
    again, report = pushed(found)
    assert (report.done, report.already) == (True, 0)
    assert len(dropped() - before) == 2
    confirmed(found, again, "GL-3")
    assert set(Document.objects.filter(posting_state="posted").values_list("ledger_reference", flat=True)) == {"GL-3"}
    assert verifying.verify(found.actor("second"), "drop").differences == ()


def test_what_was_not_sent_is_not_confirmed(found: Books) -> None:
    """The ledger's books are said to be in a currency that the journal does not say."""
    row = approved(found)
    setting(found, '{"1000": EUR}', '{"1000": SEK}')
    with pytest.raises(RejectedError):
        handing_over.push(found.actor("second"), row.pk)
    before = state()
    with pytest.raises(JournalStateError, match="Not all of this journal was sent to 'drop'") as told:
        confirmed(found, row, "GL-1")
    assert told.value.advice == "Push it to its end, then confirm it."
    assert state() == before
    setting(found, '{"1000": SEK}', '{"1000": EUR}')
    assert handing_over.push(found.actor("second"), row.pk).done
    assert confirmed(found, row, "GL-1").state == JournalState.POSTED


def test_a_push_cut_off_while_it_drops_is_neither_confirmed_nor_withdrawn(
    found: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_given: object) -> None:
        raise Killed

    row = approved(found)
    with monkeypatch.context() as dying:
        dying.setattr("apportion.post.erp.push.Pusher._seen_posted", killed)
        dying.setattr(FolderTarget, "post", killed)
        with pytest.raises(Killed):
            handing_over.push(found.actor("second"), row.pk)
    assert len(dropped()) == 2
    LedgerPush.objects.update(state="reserved")  # as it is before the answer of the folder is written down
    before = state()
    with pytest.raises(JournalStateError, match="Not all of this journal was sent"):
        confirmed(found, row, "GL-1")
    with pytest.raises(InputRefusedError, match="was sent to drop, which does not say whether it arrived"):
        journals.withdraw(found.actor("second"), row.pk, "A wrong account")
    assert state() == before
    assert handing_over.push(found.actor("second"), row.pk).done
    assert len(dropped()) == 2
    assert confirmed(found, row, "GL-1").state == JournalState.POSTED


def test_what_never_began_is_withdrawn(found: Books) -> None:
    row = approved(found)
    setting(found, '{"1000": EUR}', '{"1000": SEK}')
    with pytest.raises(RejectedError):
        handing_over.push(found.actor("second"), row.pk)
    assert journals.withdraw(found.actor("second"), row.pk, "Wrong currency").state == JournalState.WITHDRAWN


@pytest.mark.parametrize("how", ["renamed", "removed"])
def test_a_journal_does_not_change_its_route_with_the_settings(found: Books, how: str) -> None:
    row, _ = pushed(found)
    setting(found, "  drop: {kind", "  other: {kind") if how == "renamed" else setting(found, f"targets:\n{DROP}", "")
    before = state()
    second = found.actor("second")
    for act in (
        lambda: handing_over.export(second, row.pk),
        lambda: handing_over.push(second, row.pk),
        lambda: handing_over.confirm(second, row.pk, "GL-1"),
        lambda: handing_over.rendered(row),
        lambda: journals.withdraw(second, row.pk, "Wrong account"),
    ):
        with pytest.raises(InputRefusedError, match="do not know the target 'drop' any more") as told:
            act()
        assert "Bring it back" in told.value.advice
    assert state() == before
    assert not (workspace().root / "journals").exists()
    settings = workspace().settings
    assert (ledgers.is_pushed(settings, "drop"), ledgers.answers(settings, "drop")) == (True, False)
    assert journal_reading.files(row) == ()
    found.write("apportion.yaml", (found.workspace.root / "apportion.yaml").read_text("utf-8") + (
        DROP if how == "renamed" else f"targets:\n{DROP}"
    ))  # fmt: skip
    assert confirmed(found, row, "GL-1").state == JournalState.POSTED


def test_a_journal_of_a_target_that_went_takes_no_number(found: Books) -> None:
    made = journals.draw_up(found.actor("second"), OCTOBER, target="drop")
    setting(found, f"targets:\n{DROP}", "")
    with pytest.raises(InputRefusedError, match="do not know the target 'drop' any more"):
        journals.approve(found.actor("controller"), made.pk)
    assert LedgerJournal.objects.get().label is None
    assert journals.withdraw(found.actor("second"), made.pk, "Its target went").state == JournalState.WITHDRAWN


def test_files_that_were_written_for_a_target_that_went_are_still_read(found: Books) -> None:
    setting(found, DROP, "  paper: {kind: files}\n")
    row = approved(found)
    _, paths = handing_over.export(found.actor("second"), row.pk)
    row = confirmed(found, row, "GL-1")
    setting(found, "targets:\n  paper: {kind: files}\n", "")
    assert {each.name for each in journal_reading.files(row)} == {path.name for path in paths}
    assert journal_reading.file(row, paths[0].name) == paths[0].read_bytes()
