"""A real Tryton as tests of pushing use it: a ledger of two companies, a bad way to it, and a pusher over that way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from apportion.post.erp.book import FilePushBook, PushState
from apportion.post.erp.push import Pusher
from apportion.post.journal import Journal
from tests import postgres, pushing, tryton_server
from tests.cutting import Treat, Way, way

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


@pytest.fixture(scope="session", name="ledger")
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
