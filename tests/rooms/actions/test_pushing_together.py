"""Several people at one journal at once, and a ledger that refuses lines, is down or answers rubbish."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cutting import Treat, way
from tests.push_books import NOWHERE
from tests.push_process import AFTER, BEFORE
from tests.push_world import BOTH, GROUP, LEDGER, World, documents

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database", BOTH)]

OTHER = "storefront"  # of the European company: an entry in euro and one in dollars
LATE = "NOT_IN_THIS_STATE"


def test_two_push_the_same_journal_at_once(world: World, database: str) -> None:
    (case,) = world.ready(database)
    answers = case.books.together(*[("push", {"journal": case.journal})] * 3)
    assert [answer.must()["done"] for answer in answers] == [True] * 3
    assert sorted(answer.value["already"] for answer in answers) == [0, 2, 2]
    case.require_posted_once()


def test_who_withdraws_waits_for_a_push_that_has_begun(world: World, database: str) -> None:
    """Else its documents would wait again while they are posted: they would be charged twice."""
    (whole,) = world.ready(database)
    steps = whole.push().steps
    create = steps.index("model.account.move.create") + 1
    for place, moment in ((1, AFTER), (create, AFTER), (len(steps), BEFORE)):
        (case,) = world.ready(database)
        held = case.books.held(world.folder, "push", place, moment, journal=case.journal)
        withdrawn = case.books.begin("withdraw", journal=case.journal)
        assert withdrawn.is_waiting(0.5), (place, moment)
        assert held.go().must()["done"]
        assert withdrawn.answer().code in {LATE, "INPUT_REFUSED"}
        case.require_posted_once()


def test_who_pushes_waits_for_a_withdrawal_that_has_begun(world: World, database: str) -> None:
    """A push that was cut off has left a draft: the withdrawal deletes it, and nothing is pushed after it."""
    (whole, case) = world.ready(database, 2)
    create = whole.push().steps.index("model.account.move.create") + 1
    assert case.push(steps={"at": create, "moment": AFTER}).killed
    (key, *_) = [push["key"] for push in case.look()["pushes"]]
    assert world.moves(key) == [("draft", 1)]
    held = case.books.held(world.folder, "withdraw", 1, BEFORE, journal=case.journal)
    pushed = case.books.begin("push", journal=case.journal)
    assert pushed.is_waiting(0.5)
    assert held.go().must() == "withdrawn"
    assert pushed.answer().code == LATE
    found = case.look()
    assert world.moves(*(push["key"] for push in found["pushes"])) == []
    assert documents(found) == set()
    again = case.books.do("draw_up", target=case.target)
    assert case.books.do("approve", journal=again) == "JV-1000-FY2026-000002"
    assert case.books.do("push", journal=again)["done"]
    assert world.moves(*(push["key"] for push in case.look()["pushes"])) == [("posted", 2)]


def test_two_journals_for_one_target_are_drawn_up_at_once(world: World, database: str) -> None:
    """One journal at a time waits at a target; two that do not wait for the same rows neither."""
    (case,) = world.ready(database)
    assert case.push().must()["done"]
    case.books.do("accept", groups=[OTHER])
    held = case.books.held(world.folder, "draw_up", 1, BEFORE, target=case.target)
    back = case.books.begin("draw_up_reversal", journal=case.journal)
    assert back.is_waiting(0.5)
    made = held.go().must()
    answer = back.answer()
    assert answer.code == "INPUT_REFUSED"
    assert f"still waits at {case.target}" in answer.sentence
    assert [each["state"] for each in case.look()["journals"]] == ["posted", "drawn_up"]
    case.books.do("withdraw", journal=made)
    both = case.books.together(*[("draw_up", {"target": case.target})] * 2)
    assert sorted(answer.code for answer in both) == ["", "INPUT_REFUSED"]


def test_approved_at_once_the_numbers_have_no_gap(world: World, database: str) -> None:
    """Two at one journal, then one at each of two journals for different targets."""
    site, names = world.sites[database], [f"approved-{place}" for place in (1, 2)]
    site.targets(names, LEDGER, world.url)
    books = site.books()
    made = []
    for name, group in zip(names, (GROUP, OTHER), strict=True):
        books.do("accept", groups=[group])
        made.append(books.do("draw_up", target=name))
    twice = books.together(*[("approve", {"journal": made[0]})] * 2)
    assert sorted(answer.code for answer in twice) == ["", LATE]
    assert [answer.value for answer in twice if not answer.code] == ["JV-1000-FY2026-000001"]
    for journal in made:
        books.do("withdraw", journal=journal)
    made = [books.do("draw_up", target=names[0])]
    books.do("accept", groups=["search"])
    made.append(books.do("draw_up", target=names[1]))
    both = books.together(*[("approve", {"journal": journal}) for journal in made])
    assert sorted(answer.must() for answer in both) == ["JV-1000-FY2026-000002", "JV-1000-FY2026-000003"]
    pushed = books.together(*[("push", {"journal": journal}) for journal in made])  # different targets, one ledger
    assert [answer.must()["done"] for answer in pushed] == [True, True]
    keys = [push["key"] for push in books.do("look")["pushes"]]
    assert world.moves(*keys) == [("posted", len(keys))]


def test_a_refused_line_is_repaired_in_the_ledger_and_pushed_again(world: World, database: str) -> None:
    (case,) = world.ready(database)
    account = "code = '5420' AND company = (SELECT max(id) FROM company_company)"
    world.ledgers.ask(LEDGER, f"UPDATE account_account SET closed = true WHERE {account}")
    try:
        report = case.push().must()
    finally:
        world.ledgers.ask(LEDGER, f"UPDATE account_account SET closed = false WHERE {account}")
    assert (report["done"], report["numbers"]) == (False, [])
    found = case.look()
    (journal,) = found["journals"]
    assert journal["state"] == "handed_over"
    (line,) = journal["repair"]
    assert (line["entry"], line["company"], line["code"]) == (journal["parts"][0][0], "2000", "UNKNOWN_ACCOUNT")
    assert "5420" in line["sentence"]
    assert line["line"] > 0
    assert line["advice"]
    assert world.moves(*(push["key"] for push in found["pushes"])) == []
    assert documents(found) == {(GROUP, "exported", "")}
    assert case.push().must()["done"]
    case.require_posted_once()


def test_a_ledger_that_is_down_gets_it_later(world: World, database: str) -> None:
    (case,) = world.ready(database, url=NOWHERE)
    answer = case.push(hasty=True)
    assert answer.code == "TARGET_DOWN"
    assert "Nothing was sent" in answer.advice
    _require_waiting(case.look())
    world.sites[database].targets([case.target], LEDGER, world.url)
    assert case.push().must()["done"]
    case.require_posted_once()


@pytest.mark.parametrize("rubbish", [b"<html>Sign in</html>", b'{"id": 1, "result": [{"id": 5}]}'])
def test_a_ledger_that_answers_rubbish_is_told_and_gets_it_later(world: World, database: str, rubbish: bytes) -> None:
    """From the first answer on, and then from the middle of the work on."""
    with way(world.url) as bad:
        (case,) = world.ready(database, url=bad.url)
        for good in (0, 25):
            bad.again(lambda number, *_, good=good: Treat(status=200, body=rubbish) if number > good else Treat())
            answer = case.push(hasty=True)
            assert answer.code in {"TARGET_RUBBISH", "TARGET_NOT_AUTHORISED"}, answer
            assert answer.advice
            _require_waiting(case.look())
        bad.again()
        assert case.push().must()["done"]
    case.require_posted_once()


def _require_waiting(found: dict[str, Any]) -> None:
    """Nothing of it is posted as far as the books say, and it may be pushed again."""
    assert [each["state"] for each in found["journals"]] == ["handed_over"]
    assert documents(found) == {(GROUP, "exported", "")}
    assert {push["state"] for push in found["pushes"]} <= {"reserved", "created"}
