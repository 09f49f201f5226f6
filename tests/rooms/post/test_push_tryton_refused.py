"""What a real Tryton refuses, and what it takes although it should not: told, and nothing half-posted."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from apportion.ledger.entry import Entry
from apportion.post.erp.book import Push, PushState
from apportion.post.erp.connected import Setup
from apportion.post.erp.document import documents
from apportion.post.erp.errors import (
    DiffersError,
    DuplicatePushError,
    NotAuthorisedError,
    TargetDownError,
    TargetRubbishError,
)
from apportion.post.erp.push import Pusher
from apportion.post.erp.secret import Secret
from apportion.post.erp.tryton import TrytonTarget
from tests import pushing
from tests.cutting import Treat
from tests.pushing import LAST_DAY, entry, journal, posting
from tests.tryton_ledger import CENTERS, DATABASE, Ledger, calls, states

pytestmark = pytest.mark.slow


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


def _given_up(ledger: Ledger, run: Pusher, name: str) -> Push:
    """A push that was withdrawn before it was posted."""
    ledger.way.again(calls("model.account.move.post", lambda: Treat(forwarded=False, cut=True), times=99))
    with pytest.raises(TargetDownError):
        run.push(journal(entry(name)))
    ledger.way.again()
    (push,) = run.withdraw(journal(entry(name)))
    return push


def test_what_comes_late_of_a_push_that_was_given_up(ledger: Ledger, run: Pusher) -> None:
    """A draft goes, and what is posted after all is taken up instead of being posted again."""
    document, target = documents(journal(entry("W-2")), pushing.BOOKS, together=True)[0], run.target
    push = _given_up(ledger, run, "W-2")
    target.create(document, push.key, None)
    assert [each.round for each in run.push(journal(entry("W-2"))).posted] == [2]
    assert ledger.moves("W-2") == [("W-2", "posted", 1)]

    push = _given_up(ledger, run, "W-3")
    document = documents(journal(entry("W-3")), pushing.BOOKS, together=True)[0]
    target.post("1000", target.create(document, push.key, None).reference)
    report = run.push(journal(entry("W-3")))
    assert [(each.key, each.state) for each in report.posted] == [(push.key, PushState.POSTED)]
    assert ledger.moves("W-3") == [("W-3", "posted", 1)]


def test_what_comes_late_of_a_round_long_past(ledger: Ledger, run: Pusher) -> None:
    first = _given_up(ledger, run, "W-4")
    _given_up(ledger, run, "W-4")
    document = documents(journal(entry("W-4")), pushing.BOOKS, together=True)[0]
    run.target.post("1000", run.target.create(document, first.key, None).reference)
    with pytest.raises(DuplicatePushError, match=first.key):
        run.push(journal(entry("W-4")))
    assert ledger.moves("W-4") == [("W-4", "posted", 1)]


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
