"""A month of the example company pushed to a real Tryton through the books: posted, read back, reversed, each once.

The acts run in processes of their own, which are killed at every step; books are on both databases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.push_books import Books
from tests.push_process import AFTER, BEFORE, SENT
from tests.push_world import BOTH, LEDGER, MONTHS, Case, World, documents

pytestmark = pytest.mark.slow

AT_ONCE = 4  # so many journals are on their way at once, which takes less time


@pytest.mark.parametrize("database", BOTH)
def test_a_month_is_posted_read_back_reversed_and_posted_anew(world: World, database: str) -> None:
    site, ledger = world.sites[database], MONTHS[database]
    site.targets(["erp"], ledger, world.url)
    books = site.books()
    first = books.do("ready", groups=[], target="erp")
    report = books.do("push", journal=first)
    assert report == {"done": True, "already": 0, "numbers": report["numbers"], "locks": 0}
    assert len(report["numbers"]) == 4
    found = books.do("look")
    (journal,) = found["journals"]
    assert (journal["state"], journal["label"]) == ("posted", "JV-1000-FY2026-000001")
    assert [company for _, company in journal["parts"]] == ["1000", "1000", "1000", "2000"]
    assert journal["reference"] == ", ".join(dict.fromkeys(report["numbers"]))
    assert {(state, reference) for _, state, reference in found["documents"]} == {("posted", journal["reference"])}
    assert len(found["documents"]) == 36
    assert found["posted"]
    _require_read_back(world, books, [first], ledger, journal["sums"])
    analytic = world.analytic(ledger)
    assert len(analytic) > 30

    back = books.do("draw_up_reversal", journal=first)
    assert books.do("approve", journal=back) == "JV-1000-FY2026-000002"
    assert books.do("push", journal=back)["done"]
    assert set(world.sums(ledger).values()) == {0}
    assert set(world.sums(ledger)) == set(journal["sums"])
    assert world.analytic(ledger) == dict.fromkeys(analytic, 0)
    found = books.do("look")
    assert [each["state"] for each in found["journals"]] == ["reversed", "posted"]
    assert {state for _, state, _ in found["documents"]} == {"reversed"}
    assert not found["posted"]
    _require_read_back(world, books, [first], ledger, dict.fromkeys(journal["sums"], 0))

    again = books.do("draw_up", target="erp")
    assert books.do("approve", journal=again) == "JV-1000-FY2026-000003"
    assert books.do("push", journal=again)["done"]
    found = books.do("look")
    assert {state for _, state, _ in found["documents"]} == {"posted"}
    assert found["posted"]
    assert world.sums(ledger) == journal["sums"]
    assert world.analytic(ledger) == analytic
    states = world.ledgers.ask(ledger, "SELECT state, count(*) FROM account_move GROUP BY 1")
    assert states == [("posted", 12)]
    assert found["breaks"] == 0


def _require_read_back(world: World, books: Books, journals: Sequence[int], ledger: str, sums: dict[str, int]) -> None:
    """The ledger holds what we do, account by account, by its interface and behind its back."""
    back = books.do("read_back", journals=journals)
    assert back["differences"] == []
    rows = {f"{row['company']} {row['account']}": (row["ours"], row["held"], row["ledger"]) for row in back["rows"]}
    assert rows == {place: (amount, amount, amount) for place, amount in sums.items()}
    assert world.sums(ledger) == sums
    assert back["passed_on"]["1000 EUR"] == -sums["1000 600199"]


def _changes(steps: Sequence[str]) -> list[int]:
    """The steps that change something in the ledger or in the books, counted from 1."""
    return [place for place, name in enumerate(steps, 1) if name == "commit" or _writes(name)]


def _writes(name: str) -> bool:
    return name.endswith((".create", ".post", ".delete"))


def _points(steps: Sequence[str], places: Sequence[int]) -> list[tuple[int, str]]:
    """Where to kill: before each of these steps; where the ledger works, also before and after its answer arrives."""
    found = [(place, BEFORE) for place in places]
    writes = [place for place in places if _writes(steps[place - 1])]
    return found + [(place, moment) for place in writes for moment in (SENT, AFTER)]


def _in_parts(points: list[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    yield from (points[start : start + AT_ONCE] for start in range(0, len(points), AT_ONCE))


@pytest.mark.parametrize("database", BOTH)
def test_killed_at_every_step_and_run_again(world: World, database: str) -> None:
    """On SQLite at every step of all. On PostgreSQL around those that change something, and two complete the work."""
    (whole,) = world.ready(database)
    answer = whole.push()
    assert answer.must()["done"]
    whole.require_posted_once()
    steps = answer.steps
    changes = _changes(steps)
    assert [steps[place - 1] for place in changes].count("commit") == 12
    assert len([place for place in changes if _writes(steps[place - 1])]) == 4
    is_all = database == "sqlite"
    points = _points(steps, range(1, len(steps) + 1) if is_all else changes)
    pushers = 1 if is_all else 2
    for some in _in_parts(points):
        cases = world.ready(database, len(some))
        begun = [
            case.books.begin("push", journal=case.journal, steps={"at": step, "moment": moment})
            for case, (step, moment) in zip(cases, some, strict=True)
        ]
        assert [each.answer().killed for each in begun] == [True] * len(some)
        again = [case.books.begin("push", journal=case.journal) for case in cases for _ in range(pushers)]
        assert all(each.answer().must()["done"] for each in again), some
        for case in cases:
            case.require_posted_once()
    assert world.drafts() == 0


@pytest.mark.parametrize("database", BOTH)
def test_killed_after_the_last_step_there_is_nothing_left_to_do(world: World, database: str) -> None:
    (case,) = world.ready(database)
    last = len(world.ready(database)[0].push().steps)
    case.world.sites[database].targets([case.target], LEDGER, world.url)
    assert case.push(steps={"at": last, "moment": AFTER}).killed
    assert case.push().code == "NOT_IN_THIS_STATE"
    case.require_posted_once()


@pytest.mark.parametrize("database", BOTH)
def test_a_reversal_killed_and_run_again(world: World, database: str) -> None:
    """Around every step that changes the ledger, and where only the books are left to change."""
    (whole,) = _reversals(world, database, 1)
    steps = whole.push().steps
    places = [place for place, name in enumerate(steps, 1) if _writes(name)]
    points = _points(steps, places) + [(place, BEFORE) for place in range(len(steps) - 1, len(steps) + 1)]
    for some in _in_parts(points if database == "sqlite" else [each for each in points if each[1] == SENT]):
        cases = _reversals(world, database, len(some))
        begun = [
            case.books.begin("push", journal=case.journal, steps={"at": step, "moment": moment})
            for case, (step, moment) in zip(cases, some, strict=True)
        ]
        assert [each.answer().killed for each in begun] == [True] * len(some)
        again = [case.books.begin("push", journal=case.journal) for case in cases]
        assert all(each.answer().must()["done"] for each in again), some
        for case in cases:
            found = case.look()
            assert [each["state"] for each in found["journals"]] == ["reversed", "posted"]
            assert {push["state"] for push in found["pushes"]} == {"reversed", "posted"}
            assert world.moves(*(push["key"] for push in found["pushes"])) == [("posted", 4)]
            assert {state for _, state, _ in documents(found)} == {"reversed"}
    assert world.drafts() == 0


def _reversals(world: World, database: str, many: int) -> list[Case]:
    """Approved journals that take posted ones back."""
    cases = world.ready(database, many)
    for each in [case.books.begin("push", journal=case.journal) for case in cases]:
        assert each.answer().must()["done"]
    found = []
    for case in cases:
        back = case.books.do("draw_up_reversal", journal=case.journal)
        case.books.do("approve", journal=back)
        found.append(Case(world, case.books, case.target, back))
    return found
