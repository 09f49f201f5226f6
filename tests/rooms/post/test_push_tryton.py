"""Journals pushed to a real Tryton on PostgreSQL: posted once, read back, reversed, whatever is cut off on the way."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from apportion.allocate.rule import Holder
from apportion.close.month import posting_accounts
from apportion.ledger.entry import Entry
from apportion.post.erp.book import FilePushBook, PushState
from apportion.post.erp.connected import Setup
from apportion.post.erp.errors import (
    DiffersError,
    DuplicatePushError,
    NotAuthorisedError,
    TargetBusyError,
    TargetDownError,
    TargetRubbishError,
)
from apportion.post.erp.push import Pusher
from apportion.post.erp.read_back import read_back, recharged
from apportion.post.erp.secret import Secret
from apportion.post.erp.tryton import TrytonTarget
from apportion.post.foreign import Quote, in_own_currency
from apportion.post.journal import Journal, of_entries
from tests import demo_month, postgres, pushing, tryton_server
from tests.cutting import Treat, Way, way
from tests.pushing import LAST_DAY, between, entry, journal, posting

pytestmark = pytest.mark.slow

CENTERS = ["0010", "0020", "0030", "9900"]
PLAN: dict[str, object] = {
    "currencies": ["EUR", "USD", "SEK"],
    "companies": [
        {"code": "1000", "name": "Nimbus GmbH", "currency": "EUR"},
        {"code": "2000", "name": "Nimbus Nordic AB", "currency": "SEK"},
    ],
    "year": ["2025-11-01", "2026-12-31"],
    "accounts": [
        {"code": "600100", "name": "Cloud cost", "kind": "expense"},
        {"code": "600199", "name": "Cloud cost passed on", "kind": "expense"},
        {"code": "140000", "name": "Receivable from the group", "kind": "balance"},
        {"code": "160000", "name": "Payable to the group", "kind": "balance"},
    ],
    "roots": {"cost_center": CENTERS},
}
DATABASE = "ledger"


@dataclass(frozen=True)
class Ledger:
    """A running Tryton, and the bad way to it."""

    ledgers: tryton_server.Ledgers
    url: str
    way: Way

    def moves(self, *names: str) -> list[tuple[str, str, int]]:
        """Each entry of these names as the database has it: its name, its state, how many there are of both."""
        rows = self.ledgers.ask(DATABASE, "SELECT description, state FROM account_move")
        found: dict[tuple[str, str], int] = {}
        for description, state in rows:
            name = str(description).rpartition("(")[2].rstrip(")")
            if name in names:
                found[name, str(state)] = found.get((name, str(state)), 0) + 1
        return [(*place, count) for place, count in sorted(found.items())]

    def count(self, question: str) -> int:
        """A number out of the database."""
        (found,) = self.ledgers.ask(DATABASE, question)[0]
        assert isinstance(found, int)
        return found


@pytest.fixture(scope="module", name="ledger")
def ledger_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    folder = tmp_path_factory.mktemp("tryton")
    with postgres.server() as server, tryton_server.ledgers(server, folder, PLAN) as ledgers:
        ledgers.copy(DATABASE)
        with ledgers.served(DATABASE) as url, way(url) as bad:
            yield Ledger(ledgers, url, bad)


@pytest.fixture(name="book")
def book_fixture(tmp_path: Path) -> Path:
    return tmp_path / "pushes.jsonl"


@pytest.fixture(name="run")
def run_fixture(ledger: Ledger, book: Path, request: pytest.FixtureRequest) -> Pusher:
    """A pusher over the bad way, which is good as long as a test says nothing else; its keys are its test's own."""
    ledger.way.again()
    return pushing.pusher(pushing.tryton(ledger.way.url, DATABASE, str(request.node.name)), book)


def calls(method: str, treat: Callable[[], Treat], times: int = 1) -> Callable[[int, str, bytes], Treat]:
    """Treat the first calls of a method."""
    left = [times]

    def treated(_number: int, _line: str, body: bytes) -> Treat:
        if json.loads(body)["method"] == method and left[0]:
            left[0] -= 1
            return treat()
        return Treat()

    return treated


def states(report_journal: Journal, book: Path) -> set[PushState]:
    """How far the book says that the pushes of a journal have come."""
    names = {each.id for each in report_journal.entries}
    everything = FilePushBook(book)
    return {push.state for name in _targets(book) for push in everything.pushes(name) if push.slot.entry in names}


def _targets(book: Path) -> set[str]:
    return {json.loads(line)["slot"]["target"] for line in book.read_text("utf-8").splitlines()}


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
    """As on two machines: nothing is posted twice, and the ledger keeps no draft."""
    pushed = journal(*(entry(f"U-{number}") for number in range(8)))
    books = [tmp_path / f"book-{number}" for number in range(3)]
    pushing.ended([pushing.started(ledger.url, DATABASE, "apart", book, pushed) for book in books])
    for book in books:  # whoever gave up runs again
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


def test_refused_lines_come_back_and_nothing_is_kept(ledger: Ledger, run: Pusher, book: Path) -> None:
    wrong = entry("R-2", posting("600100", "0099", 500), posting("699999", "0010", -400), posting("600100", "", -100))
    pushed = journal(entry("R-1"), wrong)
    report = run.push(pushed)
    assert not report.posted
    assert [(each.entry, each.line, each.code) for each in report.rejected] == [
        ("R-2", 1, "UNKNOWN_CODE"),
        ("R-2", 2, "UNKNOWN_ACCOUNT"),
        ("R-2", 3, "MISSING_CODE"),
    ]
    assert all(each.sentence and each.advice for each in report.rejected)
    assert ledger.moves("R-1", "R-2") == []
    assert states(pushed, book) == {PushState.WITHDRAWN, PushState.REJECTED}
    repaired = journal(entry("R-1"), entry("R-2"))
    assert run.push(repaired).done
    assert ledger.moves("R-1", "R-2") == [("R-1", "posted", 1), ("R-2", "posted", 1)]


def test_a_draft_without_its_analytic_lines_is_not_posted(ledger: Ledger, run: Pusher) -> None:
    """Tryton would post it and only mark its lines as incomplete."""

    def stripped(body: bytes) -> bytes:
        call = json.loads(body)
        for line in call["params"][0][0]["lines"][0][1]:
            line.pop("analytic_lines", None)
        return json.dumps(call).encode()

    pushed = journal(entry("N-1"))
    ledger.way.again(calls("model.account.move.create", lambda: Treat(request=stripped), times=99))
    report = run.push(pushed)
    assert {each.code for each in report.rejected} == {"DRAFT_NOT_VALID"}
    assert any("not complete in its analytic lines" in each.sentence for each in report.rejected)
    assert ledger.moves("N-1") == []
    ledger.way.again()
    assert run.push(pushed).done


def test_a_draft_that_somebody_changed_is_made_anew(ledger: Ledger, run: Pusher, book: Path) -> None:
    pushed = journal(entry("C-1"))
    ledger.way.again(calls("model.account.move.post", lambda: Treat(forwarded=False, cut=True), times=99))
    with pytest.raises(TargetDownError):
        run.push(pushed)
    assert ledger.moves("C-1") == [("C-1", "draft", 1)]
    draft = "(SELECT id FROM account_move WHERE description LIKE '%(C-1)')"
    ledger.ledgers.ask(DATABASE, f"UPDATE account_move_line SET debit = debit + 1 WHERE move = {draft} AND debit > 0")
    ledger.way.again()
    assert run.push(pushed).done
    assert ledger.moves("C-1") == [("C-1", "posted", 1)]
    assert states(pushed, book) == {PushState.POSTED}


def test_a_closed_period(ledger: Ledger, run: Pusher) -> None:
    august = date(2026, 8, 31)
    pushed = journal(entry("P-1", on=august))
    period = "start_date <= '2026-08-31' AND end_date >= '2026-08-31'"
    ledger.ledgers.ask(DATABASE, f"UPDATE account_period SET state = 'closed' WHERE {period}")
    report = run.push(pushed)
    assert [each.code for each in report.rejected] == ["PERIOD_CLOSED"]
    assert "2026-08-31" in report.rejected[0].sentence

    # Closed between our check and the posting: Tryton's own refusal, and the draft is gone.
    ledger.ledgers.ask(DATABASE, f"UPDATE account_period SET state = 'open' WHERE {period}")

    def close() -> None:
        ledger.ledgers.ask(DATABASE, f"UPDATE account_period SET state = 'closed' WHERE {period}")

    ledger.way.again(calls("model.account.move.create", lambda: Treat(before=close)))
    report = run.push(pushed)
    assert [each.code for each in report.rejected] == ["PERIOD_CLOSED"]
    assert ledger.moves("P-1") == []
    ledger.ledgers.ask(DATABASE, f"UPDATE account_period SET state = 'open' WHERE {period}")
    ledger.way.again()
    assert run.push(pushed).done


@pytest.mark.parametrize(
    "rubbish",
    [
        b"<html>Sign in</html>",
        b'{"id": 1',
        b'{"id": 1, "result": "?"}',
        b'{"id": 1, "result": [{"id": 5}]}',
        b'{"id": 1, "result": [[]]}',
        b"[]",
        b'{"id":1,"result":NaN}',
    ],
)
def test_rubbish(ledger: Ledger, run: Pusher, rubbish: bytes) -> None:
    name = f"G-{rubbish.hex()}"
    pushed = journal(entry(name))
    ledger.way.again(lambda *_: Treat(forwarded=False, status=200, body=rubbish))
    with pytest.raises((TargetRubbishError, NotAuthorisedError)):
        run.push(pushed)
    ledger.way.again(lambda number, *_: Treat(status=200, body=rubbish) if number > 12 else Treat())
    fresh = pushing.pusher(pushing.tryton(ledger.way.url, DATABASE, run.target.name), Path(run.book._path))  # type: ignore[attr-defined]
    with pytest.raises(TargetRubbishError):
        fresh.push(pushed)
    ledger.way.again()
    assert run.push(pushed).done
    assert ledger.moves(name) == [(name, "posted", 1)]


def test_the_same_entry_with_other_content_is_refused(ledger: Ledger, run: Pusher) -> None:
    assert run.push(journal(entry("D-1"))).done
    other = Entry("D-1", LAST_DAY, LAST_DAY, "Other", entry("D-1").postings)
    with pytest.raises(DuplicatePushError, match="with other content"):
        run.push(journal(other))
    assert ledger.moves("D-1") == [("D-1", "posted", 1)]


def test_posted_twice_by_hand_is_seen(ledger: Ledger, run: Pusher) -> None:
    pushed = journal(entry("D-2"))
    (first,) = run.push(pushed).posted
    columns = "company, period, journal, date, description"
    ledger.ledgers.ask(
        DATABASE,
        f"INSERT INTO account_move ({columns}, state, number) SELECT {columns}, 'posted', 'X-1' "
        f"FROM account_move WHERE id = {first.reference}",
    )
    with pytest.raises(DuplicatePushError, match="twice"):
        run.push(pushed)
    ledger.ledgers.ask(DATABASE, "DELETE FROM account_move WHERE number = 'X-1'")


def test_a_posted_entry_whose_cost_centre_was_changed_is_seen(ledger: Ledger, run: Pusher) -> None:
    """Tryton lets the analytic account of a posted entry be changed."""
    pushed = journal(entry("D-3"))
    (push,) = run.push(pushed).posted
    other = "(SELECT id FROM analytic_account_account WHERE code = '9900' AND company = 1)"
    lines = f"(SELECT id FROM account_move_line WHERE move = {push.reference} AND debit = 3011.11)"
    ledger.ledgers.ask(DATABASE, f"UPDATE analytic_account_line SET account = {other} WHERE move_line IN {lines}")
    with pytest.raises(DiffersError, match=r"0\.00 EUR on 600100 / 0020, and 3011\.11 was sent"):
        run.push(pushed)


def test_withdrawn(ledger: Ledger, run: Pusher, book: Path) -> None:
    pushed = journal(entry("W-1"))
    ledger.way.again(calls("model.account.move.post", lambda: Treat(forwarded=False, cut=True), times=99))
    with pytest.raises(TargetDownError):
        run.push(pushed)
    ledger.way.again()
    assert [push.state for push in run.withdraw(pushed)] == [PushState.WITHDRAWN]
    assert ledger.moves("W-1") == []
    assert run.push(pushed).done


def test_nobody_there_and_nobody_we_may_be(ledger: Ledger, book: Path) -> None:
    pushed = journal(entry("X-1"))
    down = pushing.pusher(pushing.tryton("http://127.0.0.1:9", DATABASE, "down"), book)
    with pytest.raises(TargetDownError, match="Nothing was sent"):
        down.push(pushed)
    stranger = TrytonTarget(ledger.url, DATABASE, "admin", Secret("not-the-password"), Setup("x", pushing.COMPANIES))
    with pytest.raises(NotAuthorisedError) as told:
        pushing.pusher(stranger, book).push(pushed)
    assert "not-the-password" not in str(told.value)


def test_many_lines_are_sent_as_one_for_each_place(run: Pusher) -> None:
    lines = [posting("600100", CENTERS[number % 3], 100 + number) for number in range(900)]
    total = sum(line.amount_minor for line in lines)
    pushed = journal(entry("M-1", *lines, posting("600199", "9900", -total)))
    assert run.push(pushed).done
    ((document, _, holding),) = run.holdings(pushed)
    assert len(document.lines) == 4
    assert holding is not None
    assert -holding.sums["600199", (("cost_center", "9900"),)] == total


def test_a_month_of_the_example_company(ledger: Ledger, book: Path, tmp_path: Path) -> None:
    """Every entry of a closed month in its own currency: posted, read back to the cent, and reversed."""
    month = demo_month.closed(tmp_path / "kestrel")
    accounts = posting_accounts(month.run.settings)
    on = month.journal.entries[0].posting_on
    quotes = {
        ("1000", "USD"): Quote("EUR", "1.1583", on, "ECB", inverted=True),
        ("1000", "SEK"): Quote("EUR", "10.9865", on, "ECB", inverted=True),
    }
    entries = [in_own_currency(each, quotes, accounts) for each in month.journal.entries]
    pushed = of_entries(month.journal.period, entries)
    postings = [posting for each in entries for posting in each.postings]
    codes = sorted({posting.account for posting in postings})
    plan = {
        **PLAN,
        "accounts": [
            {"code": code, "name": f"Account {code}", "kind": "expense" if code[0] in "56" else "balance"}
            for code in codes
        ],
        "roots": {"cost_center": sorted({posting.cost_center for posting in postings if posting.cost_center})},
    }
    with ledger_of(ledger, plan, "month") as url:
        run = pushing.pusher(pushing.tryton(url, "month", "month"), book)
        report = run.push(pushed).require()
        assert [push.slot.company for push in report.posted] == ["1000", "1000", "2000", "1000"]
        held = run.holdings(pushed)
        assert all(holding is not None and holding.sums == run.target.expected(doc) for doc, _, holding in held)

        back = read_back(run, [pushed], accounts.transferred_out)
        assert back.differences == ()
        invoiced = {
            currency: sum(
                total.minor
                for statement in month.statements
                if statement.holder.holder is Holder.COST_GROUP
                for total in statement.totals
                if total.currency == currency
            )
            for currency in ("EUR", "USD", "SEK")
        }
        in_eur = sum(
            quotes["1000", currency].local(minor, currency).amount_minor if currency != "EUR" else minor
            for currency, minor in invoiced.items()
        )
        assert recharged(back, {("1000", "EUR"): in_eur}) == {("1000", "EUR"): (in_eur, 10**6)}

        assert run.reverse(pushed, date(2025, 12, 1)).done
        empty = read_back(run, [pushed], accounts.transferred_out)
        assert empty.differences == ()
        assert empty.passed_on == {("1000", "EUR"): 0}
        for company in ("1000", "2000"):
            found = run.target.trial_balance(company, date(2025, 11, 1), date(2025, 12, 31), codes)
            assert found
            assert all(balance.amount_minor == 0 for balance in found)


@contextmanager
def ledger_of(ledger: Ledger, plan: dict[str, object], name: str) -> Iterator[str]:
    """Another ledger beside the first, with other accounts: added to a copy of the template."""
    ledger.ledgers.copy(name)
    tryton_server.add(ledger.ledgers, name, plan)
    with ledger.ledgers.served(name) as url:
        yield url
