"""Journals pushed to a real Tryton on PostgreSQL: posted once, read back, reversed, whatever is cut off on the way."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from apportion.post.erp.book import FilePushBook, PushState
from apportion.post.erp.errors import TargetBusyError, TargetError
from apportion.post.erp.push import Pusher
from tests import pushing
from tests.cutting import Treat
from tests.pushing import between, entry, journal
from tests.tryton_ledger import DATABASE, Ledger, calls

pytestmark = pytest.mark.slow


def test_posted_read_back_reversed_and_posted_again(ledger: Ledger, run: Pusher) -> None:
    pushed = journal(entry("A-1"), between("A-2"))
    report = run.push(pushed)
    assert report.done
    assert [push.slot.entry + push.slot.company for push in report.posted] == ["A-11000", "A-22000", "A-21000"]
    assert all(push.number and push.state is PushState.POSTED for push in report.posted)
    held = {(doc.entry, doc.company): (push, holding) for doc, push, holding in run.holdings(pushed)}
    push, holding = held["A-1", "1000"]
    assert push is not None
    assert holding is not None
    assert holding.number == push.number
    assert holding.sums["600100", (("cost_center", "0020"),)] == 301111
    assert holding.problems == ()
    _, holding = held["A-2", "2000"]
    assert holding is not None
    assert holding.sums == {("600100", (("cost_center", "0010"),)): 1375000, ("160000", ()): -1375000}
    assert (
        ledger.count("SELECT count(*) FROM account_move_line WHERE state <> 'valid' OR analytic_state <> 'valid'") == 0
    )

    november = date(2026, 11, 1)
    back = run.reverse(pushed, november)
    assert back.done
    first, again = run.book.latest(run.target.name, "A-1", "1000"), run.book.latest(run.target.name, "A-1-R", "1000")
    assert first is not None
    assert again is not None
    assert (first.state, again.state) == (PushState.REVERSED, PushState.POSTED)
    assert run.target.read("1000", again.reference).reverses == first.reference
    assert run.reverse(pushed, november).already == 3  # the same again is the same
    assert ledger.moves("A-1-R", "A-2-R") == [("A-1-R", "posted", 1), ("A-2-R", "posted", 2)]

    third = run.push(pushed)  # what was reversed may be posted anew, under a new key
    assert [push.round for push in third.posted] == [2, 2, 2]
    assert ledger.moves("A-1", "A-2") == [("A-1", "posted", 2), ("A-2", "posted", 4)]


def test_killed_at_every_step_and_run_again(ledger: Ledger, book: Path) -> None:
    """The process that pushes is killed before and after each of its requests, then another completes the work."""
    name = "killed"
    ledger.way.again()
    whole = journal(entry("K"))
    assert pushing.ended([pushing.started(ledger.way.url, DATABASE, name, book, whole)]) == [0]
    # Before each request; after it too where the ledger did something, since nothing else happens in between.
    steps = [(number, "before") for number in range(1, ledger.way.count + 1)]
    writes = [number for number, method in enumerate(ledger.way.methods, 1) if method.endswith((".create", ".post"))]
    steps += [(number, "after") for number in writes]
    assert len(writes) == 2
    assert len(steps) > 15
    direct = pushing.pusher(pushing.tryton(ledger.url, DATABASE, name), book)
    names = []
    for step, moment in steps:
        pushed = journal(entry(f"K-{step}-{moment}"))
        names.append(pushed.entries[0].id)
        process: list[Callable[[], None]] = []
        begun = threading.Event()

        def kill(process: list[Callable[[], None]] = process, begun: threading.Event = begun) -> None:
            begun.wait(10)
            process[0]()

        before, after = Treat(forwarded=False, cut=True, before=kill), Treat(cut=True, after=kill)
        chosen = before if moment == "before" else after
        ledger.way.again(lambda number, *_, at=step, chosen=chosen: chosen if number == at else Treat())
        started = pushing.started(ledger.way.url, DATABASE, name, book, pushed)
        process.append(pushing.killed(started))
        begun.set()
        assert pushing.ended([started]) == [-9], f"not killed at request {step}"
        report = direct.push(pushed)
        assert report.done
        assert len(report.posted) == 1
    assert ledger.moves(*names) == sorted((each, "posted", 1) for each in names)
    assert len({push.number for push in FilePushBook(book).pushes(name)}) == len(names) + 1


def test_killed_while_reversing(ledger: Ledger, book: Path) -> None:
    """The same for a reversal, at its requests that write and the ones beside them."""
    name = "killed while reversing"
    ledger.way.again()
    direct = pushing.pusher(pushing.tryton(ledger.url, DATABASE, name), book)
    on = date(2026, 11, 1)
    names = []
    for method in ("model.account.move.create", "model.account.move.post"):
        for moment in ("before", "after"):
            pushed = journal(entry(f"KR-{method[-4:]}-{moment}"))
            names.append(f"{pushed.entries[0].id}-R")
            assert direct.push(pushed).done
            started: list[Callable[[], None]] = []
            begun = threading.Event()

            def kill(started: list[Callable[[], None]] = started, begun: threading.Event = begun) -> None:
                begun.wait(10)
                started[0]()

            before = Treat(forwarded=False, cut=True, before=kill)
            chosen = before if moment == "before" else Treat(cut=True, after=kill)
            ledger.way.again(calls(method, lambda chosen=chosen: chosen))  # type: ignore[misc]
            process = pushing.started(ledger.way.url, DATABASE, name, book, pushed, on)
            started.append(pushing.killed(process))
            begun.set()
            assert pushing.ended([process]) == [-9]
            assert direct.reverse(pushed, on).done
    assert ledger.moves(*names) == sorted((each, "posted", 1) for each in names)


def test_two_at_once(ledger: Ledger, book: Path) -> None:
    pushed = journal(*(entry(f"T-{number}") for number in range(6)), between("T-6"))
    both = [pushing.started(ledger.url, DATABASE, "two", book, pushed) for _ in range(2)]
    assert pushing.ended(both) == [0, 0]
    expected = [(f"T-{number}", "posted", 1) for number in range(6)]
    assert ledger.moves(*(each.id for each in pushed.entries)) == [*expected, ("T-6", "posted", 2)]


def test_two_at_once_that_do_not_share_a_book(ledger: Ledger, tmp_path: Path) -> None:
    """As on two machines: nothing counts as refused or is posted twice, and the ledger keeps no draft."""
    pushed = journal(*(entry(f"U-{number}") for number in range(8)))
    books = [tmp_path / f"book-{number}" for number in range(3)]
    ended = pushing.ended([pushing.started(ledger.url, DATABASE, "apart", book, pushed) for book in books])
    assert set(ended) <= {0, TargetError.exit_status}
    for book in books:  # whoever found the others too busy runs again
        assert pushing.pusher(pushing.tryton(ledger.url, DATABASE, "apart"), book).push(pushed).done
    assert ledger.moves(*(each.id for each in pushed.entries)) == [(f"U-{number}", "posted", 1) for number in range(8)]


@pytest.mark.parametrize("method", ["model.account.move.create", "model.account.move.post"])
def test_the_answer_is_lost_after_the_work_was_done(ledger: Ledger, run: Pusher, method: str) -> None:
    pushed = journal(entry(f"L-{method[-4:]}"))
    ledger.way.again(calls(method, lambda: Treat(cut=True)))
    assert run.push(pushed).done
    assert ledger.moves(pushed.entries[0].id) == [(pushed.entries[0].id, "posted", 1)]


def test_a_request_that_arrives_long_after_it_was_given_up(ledger: Ledger, run: Pusher) -> None:
    """It makes a draft that nobody waits for: the next run takes it away, and nothing is posted twice."""
    pushed = journal(entry("Z-1"))
    late = threading.Event()
    ledger.way.again(calls("model.account.move.create", lambda: Treat(late=late)))
    assert run.push(pushed).done
    late.set()
    for each in ledger.way.waiting:
        each.join()
    assert ledger.moves("Z-1") == [("Z-1", "draft", 1), ("Z-1", "posted", 1)]
    assert run.push(pushed).already == 1
    assert ledger.moves("Z-1") == [("Z-1", "posted", 1)]


def test_a_storm_of_503(ledger: Ledger, run: Pusher) -> None:
    """Two answers of five are 503, half of them after the work was done."""
    pushed = journal(entry("S-1"), between("S-2"))
    dice = random.Random(7)

    def treat(_number: int, _line: str, _body: bytes) -> Treat:
        thrown = dice.random()
        return Treat(forwarded=thrown < 0.2, status=503, body=b"busy") if thrown < 0.4 else Treat()

    ledger.way.again(treat)
    assert run.push(pushed).done
    assert ledger.moves("S-1", "S-2") == [("S-1", "posted", 1), ("S-2", "posted", 2)]


def test_503_without_end_is_told_and_kept_to_its_bounds(ledger: Ledger, run: Pusher) -> None:
    clock = pushing.Clock()
    target = pushing.tryton(ledger.way.url, DATABASE, run.target.name, pushing.AT_ONCE)
    patient = Pusher(target, run.book, run.books, clock=clock)
    ledger.way.again(lambda *_: Treat(forwarded=False, status=503, headers={"Retry-After": "7"}))
    pushed = journal(entry("S-3"))
    with pytest.raises(TargetBusyError, match="come back later"):
        patient.push(pushed)
    assert clock.slept[:6] == [7, 7, 7, 7, 8, 16]
    assert sum(clock.slept) <= 300
    ledger.way.again()
    assert run.push(pushed).done
