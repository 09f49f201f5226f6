"""`apportion post` with a folder: what comes next after a push that was refused or whose target went."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from apportion.records.journals import LedgerJournal
from tests.posted import approved, northwind
from tests.rooms.cli.harbour import Say
from tests.rooms.cli.test_post import NUMBER, SECOND, done, here_fixture, state

__all__ = ["here_fixture"]

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

DROP = "  drop: {kind: folder, folder: drop}\n"


def setting(here: Path, old: str, new: str) -> None:
    """Change a line of the settings."""
    file = here / "apportion.yaml"
    before = file.read_text("utf-8")
    assert old in before
    file.write_text(before.replace(old, new), "utf-8")


def test_what_was_not_sent_is_pushed_before_it_is_confirmed(here: Path, settings: Settings, say: Say) -> None:
    (here / "drop").mkdir()
    approved(northwind(here, settings, DROP))
    setting(here, '{"1000": EUR}', '{"1000": SEK}')
    refused = say("post", "push", NUMBER, *SECOND)
    assert refused.err.startswith("error TARGET_REJECTED")
    assert f"Next: apportion post push {NUMBER} --as EMAIL" in done(say("post", "status"))
    before = state()
    told = say("post", "confirm", NUMBER, "--reference", "GL-1", *SECOND)
    assert (told.status, told.out) == (1, "")
    assert "NOT_IN_THIS_STATE: Not all of this journal was sent to 'drop'." in told.err
    assert "  advice: Push it to its end, then confirm it." in told.err
    assert state() == before
    setting(here, '{"1000": SEK}', '{"1000": EUR}')
    sent = done(say("post", "push", NUMBER, *SECOND))
    confirm = f"Next, when the ledger has taken it: apportion post confirm {NUMBER} --reference NUMBER --as EMAIL"
    assert confirm in sent
    assert confirm in done(say("post", "status"))
    done(say("post", "confirm", NUMBER, "--reference", "GL-1", *SECOND))


def test_a_target_that_went_is_asked_for_and_nothing_goes_another_way(here: Path, settings: Settings, say: Say) -> None:
    (here / "drop").mkdir()
    approved(northwind(here, settings, DROP))
    done(say("post", "push", NUMBER, *SECOND))
    setting(here, "  drop: {", "  other: {")
    before = state()
    shown = done(say("post", "status"))
    assert "The settings do not know the target 'drop' any more: bring it back, or withdraw the journal." in shown
    for words in (["export", NUMBER], ["push", NUMBER], ["confirm", NUMBER, "--reference", "GL-1"]):
        told = say("post", *words, *SECOND)
        assert (told.status, told.out) == (1, "")
        assert "INPUT_REFUSED: The settings do not know the target 'drop' any more." in told.err
    assert state() == before
    assert not (here / "journals").exists()
    setting(here, "  other: {", "  drop: {")
    done(say("post", "confirm", NUMBER, "--reference", "GL-1", *SECOND))
    assert LedgerJournal.objects.get().state == "posted"
