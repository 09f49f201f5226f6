"""Ledgers that do not answer: what was dropped, may have been, and was taken back, is known from the book alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from apportion.errors import InputRefusedError, StorageError
from apportion.post.erp.book import FilePushBook, PushState
from apportion.post.erp.document import Document
from apportion.post.erp.errors import DuplicatePushError, Rejection, TargetSilentError
from apportion.post.erp.folder import FolderTarget
from apportion.post.erp.push import Pusher
from apportion.post.erp.target import Found, Link
from apportion.post.journal import Journal
from tests.pushing import AT_ONCE, BOOKS, between, entry, journal

NEXT_DAY = date(2026, 11, 1)


class Killed(BaseException):
    """The process ends here."""


@dataclass(frozen=True)
class Drop(FolderTarget):
    """A folder in front of which a push dies, after the file is there or before; or loses the answer."""

    after: BaseException | None = None
    before: BaseException | None = None
    refused: tuple[Rejection, ...] = ()

    def check(self, documents: Sequence[Document]) -> tuple[Rejection, ...]:
        return (*super().check(documents), *self.refused)

    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        if self.before:
            raise self.before
        made = super().create(document, key, reverses)
        if self.after:
            raise self.after
        return made


@dataclass(frozen=True)
class Place:
    """A folder and a book of pushes, and what is done with both."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "drop"

    @property
    def book(self) -> FilePushBook:
        return FilePushBook(self.root / "book")

    def pusher(
        self,
        *,
        before: BaseException | None = None,
        after: BaseException | None = None,
        refused: tuple[Rejection, ...] = (),
    ) -> Pusher:
        return Pusher(Drop("drop", self.folder, after, before, refused), self.book, BOOKS, AT_ONCE)

    def files(self) -> set[str]:
        return {path.stem for path in self.folder.glob("*.json")}

    def confirm(self, pushed: Journal, number: str) -> None:
        for each in pushed.entries:
            for company in {line.company for line in each.postings}:
                self.pusher().confirm(each.id, company, number)


@pytest.fixture(name="place")
def place_fixture(tmp_path: Path) -> Place:
    (tmp_path / "drop").mkdir()
    return Place(tmp_path)


def test_what_was_reversed_is_dropped_anew_under_a_new_key(place: Place) -> None:
    pushed = journal(entry("R-1"), between("R-2"))
    first = place.pusher().push(pushed)
    place.confirm(pushed, "GL-1")
    back = place.pusher().reverse(pushed, NEXT_DAY)
    assert {push.state for push in place.book.pushes("drop")} == {PushState.POSTED, PushState.SENT}
    for push in back.posted:
        place.pusher().confirm(push.slot.entry, push.slot.company, "GL-2")
    states = {push.key: push.state for push in place.book.pushes("drop")}
    assert {states[push.key] for push in first.posted} == {PushState.REVERSED}
    assert {states[push.key] for push in back.posted} == {PushState.POSTED}
    assert place.pusher().reverse(pushed, NEXT_DAY).already == 3  # asked for once more, it is there
    for path in place.folder.iterdir():
        path.unlink()
    again = place.pusher().push(pushed)
    assert (again.already, {push.round for push in again.posted}) == (0, {2})
    assert place.files() == {push.key for push in again.posted}
    assert place.files().isdisjoint(push.key for push in first.posted)
    place.confirm(pushed, "GL-3")
    assert len(place.pusher().reverse(pushed, NEXT_DAY).posted) == 3


@pytest.mark.parametrize("after", [Killed(), TargetSilentError("No answer.")])
def test_what_may_have_been_sent_is_not_withdrawn(place: Place, after: BaseException) -> None:
    pushed = journal(entry("W-1"), entry("W-2"))
    with pytest.raises(type(after)):
        place.pusher(after=after).push(pushed)
    assert len(place.files()) == 1
    before = place.book.pushes("drop")
    with pytest.raises(InputRefusedError, match=r"W-1 was sent to drop, which does not say") as told:
        place.pusher().withdraw(pushed)
    assert told.value.advice == "Push the journal to its end, confirm it, then reverse it."
    assert place.book.pushes("drop") == before
    with pytest.raises(InputRefusedError, match="was not sent"):
        place.pusher().confirm("W-1", "1000", "GL-1")
    assert place.pusher().push(pushed).done
    assert len(place.files()) == 2
    assert {push.round for push in place.book.pushes("drop")} == {1}
    with pytest.raises(InputRefusedError, match=r"W-1 was sent to drop"):
        place.pusher().withdraw(pushed)


def test_a_push_that_died_before_a_file_was_there_counts_as_sent(place: Place) -> None:
    """Nobody can tell it from one that died after it."""
    with pytest.raises(Killed):
        place.pusher(before=Killed()).push(journal(entry("B-1")))
    with pytest.raises(InputRefusedError, match="was sent to drop"):
        place.pusher().withdraw(journal(entry("B-1")))
    assert place.pusher().push(journal(entry("B-1"))).done


def test_what_was_never_begun_is_withdrawn_and_pushed_with_other_content(place: Place) -> None:
    place.folder.rmdir()
    with pytest.raises(StorageError, match="is not there"):
        place.pusher().push(journal(entry("N-1")))
    (push,) = place.pusher().withdraw(journal(entry("N-1")))
    assert push.state is PushState.WITHDRAWN
    place.folder.mkdir()
    assert place.pusher().push(journal(between("N-1"))).done


def test_a_refusal_does_not_end_what_an_earlier_push_may_have_sent(place: Place) -> None:
    """Settings that changed between two pushes refuse the journal, and its first file lies in the folder."""
    pushed = journal(entry("S-1"), entry("S-2"))
    with pytest.raises(Killed):
        place.pusher(after=Killed()).push(pushed)
    refused = (Rejection("S-1", "1000", 1, "BAD_VALUE", "It is too long.", "Shorten it."),)
    report = place.pusher(refused=refused).push(pushed)
    assert not report.done
    assert [push.slot.entry for push in report.unsent] == ["S-2"]
    with pytest.raises(InputRefusedError, match="S-1 was sent to drop"):
        place.pusher().withdraw(pushed)
    with pytest.raises(DuplicatePushError, match="other content"):
        place.pusher().push(journal(between("S-1")))
    assert place.pusher().push(pushed).done
    assert len(place.files()) == 2
