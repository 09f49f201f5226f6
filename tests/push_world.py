"""The example company's month in books on both databases, and a real Tryton that has its accounts and centers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests import postgres, push_books, tryton_server
from tests.push_books import Answer, Books, Site
from tests.tryton_ledger import PLAN

LEDGER = "kestrel"  # shared by tests that look at their own entries
MONTHS = {"sqlite": "month_one", "postgresql": "month_two"}  # ledgers in which nobody else posts
BOTH = list(MONTHS)
GROUP = "dispatch"  # of the Nordic company: one entry, with a part for each company in its own currency


@dataclass(frozen=True)
class World:
    """Books on both databases, and the Tryton that they are pushed to."""

    sites: dict[str, Site]
    ledgers: tryton_server.Ledgers
    url: str
    folder: Path
    names: Iterator[int]

    def ready(self, database: str, many: int = 1, url: str = "") -> list[Case]:
        """Approved journals of one document, each in books of its own and for a target of its own."""
        names = [f"case-{next(self.names)}" for _ in range(many)]
        site = self.sites[database]
        site.targets(names, LEDGER, url or self.url)
        made = [(site.books(), name) for name in names]
        begun = [books.begin("ready", groups=[GROUP], target=name) for books, name in made]
        return [Case(self, books, name, each.answer().must()) for (books, name), each in zip(made, begun, strict=True)]

    def moves(self, *keys: str, database: str = LEDGER) -> list[tuple[str, int]]:
        """The entries of Tryton that carry any of these keys, by their state."""
        some = " OR ".join(f"description LIKE '{key} %'" for key in keys)
        found = self.ledgers.ask(
            database, f"SELECT state, count(*) FROM account_move WHERE {some} GROUP BY 1 ORDER BY 1"
        )
        return [(str(state), int(str(many))) for state, many in found]

    def drafts(self) -> int:
        """How many entries of the shared ledger are no more than drafts."""
        return len(self.ledgers.ask(LEDGER, "SELECT id FROM account_move WHERE state = 'draft'"))

    def sums(self, database: str) -> dict[str, int]:
        """The posted minor units of each account, behind Tryton's back."""
        found = self.ledgers.ask(database, _SUMS)
        return {f"{company} {account}": int(str(amount)) for company, account, amount in found}

    def analytic(self, database: str) -> dict[str, int]:
        """The same of each analytic account."""
        found = self.ledgers.ask(database, _ANALYTIC)
        return {f"{company} {root} {code}": int(str(amount)) for company, root, code, amount in found}


_SUMS = """
SELECT p.code, a.code, (sum(l.debit - l.credit) * 100)::bigint
FROM account_move_line l JOIN account_move m ON m.id = l.move JOIN account_account a ON a.id = l.account
JOIN company_company c ON c.id = m.company JOIN party_party p ON p.id = c.party
WHERE m.state = 'posted' GROUP BY 1, 2
"""
_ANALYTIC = """
SELECT p.code, r.code, a.code, (sum(l.debit - l.credit) * 100)::bigint
FROM analytic_account_line l JOIN analytic_account_account a ON a.id = l.account
JOIN analytic_account_account r ON r.id = a.root
JOIN company_company c ON c.id = a.company JOIN party_party p ON p.id = c.party
GROUP BY 1, 2, 3
"""


@dataclass(frozen=True)
class Case:
    """A journal in its books."""

    world: World
    books: Books
    target: str
    journal: int

    def look(self) -> dict[str, Any]:
        """How its books stand."""
        found: dict[str, Any] = self.books.do("look")
        return found

    def push(self, **how: Any) -> Answer:
        """Push it."""
        return self.books.act("push", journal=self.journal, **how)

    def require_posted_once(self) -> None:
        """Books and ledger agree: each part is posted, once, and no draft of it is left."""
        found = self.look()
        (journal,) = found["journals"]
        assert journal["state"] == "posted"
        assert journal["repair"] == []
        parts = [(push["entry"], push["company"]) for push in found["pushes"] if push["state"] == "posted"]
        assert sorted(map(list, parts)) == journal["parts"]
        assert len(parts) == 2
        for push in found["pushes"]:
            assert push["number"] or push["state"] != "posted"
            assert self.world.moves(push["key"]) == ([("posted", 1)] if push["state"] == "posted" else [])
        assert documents(found) == {(GROUP, "posted", journal["reference"])}
        assert journal["reference"]
        assert found["breaks"] == 0


def documents(found: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Documents that the ledger has or that are on their way."""
    return {(code, state, reference) for code, state, reference in found["documents"] if state != "unposted"}


@pytest.fixture(scope="session", name="world")
def world_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("kestrel")
    push_books.delivered(folder / "books")
    with (
        postgres.server() as server,
        tryton_server.ledgers(server, folder, PLAN) as ledgers,
        push_books.site(folder / "books", None, "sqlite") as one,
        push_books.site(folder / "books", server, "postgresql") as two,
    ):
        wanted = one.books().do("accept", groups=[])
        accounts = [
            {"code": code, "name": f"Account {code}", "kind": "expense" if code[0] in "56" else "balance"}
            for code in wanted.pop("accounts")
        ]
        ledgers.copy(LEDGER)
        tryton_server.add(ledgers, LEDGER, {**PLAN, "accounts": accounts, "roots": wanted})
        for name in MONTHS.values():
            ledgers.ask("postgres", f"CREATE DATABASE {name} TEMPLATE {LEDGER}")
        with ledgers.served(LEDGER, *MONTHS.values()) as url:
            yield World({"sqlite": one, "postgresql": two}, ledgers, url, folder, count())
