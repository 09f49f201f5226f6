"""The book of pushes in the database keeps what the rules of pushing need of it, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from pytest_django.plugin import DjangoDbBlocker

from apportion.actions.post.push_book import BooksPushBook
from apportion.post.erp.book import PushState, Slot
from apportion.post.erp.errors import DuplicatePushError, TargetBusyError
from apportion.records.journals import LedgerPush
from tests.databases import BOTH, books_on

pytestmark = pytest.mark.thorough

SLOT = Slot("books", "E-1", "1000")


@pytest.fixture(name="book", params=BOTH)
def book_fixture(
    request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker, tmp_path: Path
) -> Iterator[BooksPushBook]:
    with django_db_blocker.unblock(), books_on(request.param):
        yield BooksPushBook(tmp_path, patience=0.2)


def test_it_keeps_what_was_reserved_and_refuses_other_content(book: BooksPushBook) -> None:
    push = book.reserve(SLOT, "hash")
    assert (push.round, push.state) == (1, PushState.RESERVED)
    assert book.reserve(SLOT, "hash") == push
    with pytest.raises(DuplicatePushError, match="is on its way with other content"):
        book.reserve(SLOT, "other")
    book.mark(push.key, PushState.CREATED, reference="7")
    posted = book.mark(push.key, PushState.POSTED, number="JE-7")
    assert (posted.reference, posted.number) == ("7", "JE-7")
    with pytest.raises(DuplicatePushError, match="is in the ledger as JE-7 with other content"):
        book.reserve(SLOT, "other")
    book.mark(push.key, PushState.REVERSED, detail="reversed by JE-8")
    again = book.reserve(SLOT, "other")
    assert (again.round, again.state) == (2, PushState.RESERVED)
    assert again.key != push.key
    assert book.latest("books", "E-1", "1000") == again
    assert book.latest("books", "E-1", "2000") is None
    assert [each.number for each in book.pushes("books")] == ["JE-7", ""]
    assert book.pushes("others") == ()


def test_nothing_is_written_inside_the_transaction_of_an_act(book: BooksPushBook) -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        book.reserve(SLOT, "hash")
    assert book.pushes("books") == ()


def test_the_database_keeps_what_a_push_is_about(book: BooksPushBook) -> None:
    push = book.reserve(SLOT, "hash")
    for changed in ({"content_hash": "x"}, {"key": "AP" + "A" * 18}, {"round": 2}, {"entry": "E-2"}):
        with pytest.raises(DatabaseError):
            LedgerPush.objects.filter(key=push.key).update(**changed)
    with pytest.raises(DatabaseError):
        LedgerPush.objects.filter(key=push.key).delete()
    assert book.pushes("books") == (push,)


def test_only_one_push_for_a_company_at_a_time(book: BooksPushBook, tmp_path: Path) -> None:
    other = BooksPushBook(tmp_path, patience=0.2)  # its locks are its own, also in the same process
    with book.alone("books", "1000"):
        with pytest.raises(TargetBusyError, match="on its way for company 1000"), other.alone("books", "1000"):
            pass
        with other.alone("books", "2000"):
            pass
    with other.alone("books", "1000"):
        pass
