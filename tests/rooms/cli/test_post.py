"""`apportion post` and `apportion ledger`: the whole way on the command line, and what each of them refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apportion.actions.post import journals, posting
from apportion.actions.post.invoiced import Recharge
from apportion.cli import ledger
from apportion.post.erp.pace import RealClock
from apportion.records.audit import AuditEntry
from apportion.records.documents import Document
from apportion.records.journals import LedgerJournal, LedgerPush
from tests import erp_server, erp_server_erpnext
from tests.books import OCTOBER
from tests.erp_server import KEY, Ledger
from tests.posted import approved, northwind
from tests.rooms.cli.harbour import Said, Say
from tests.rooms.cli.test_cli_documents import fits as fits_its_schema

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

SECOND, CONTROLLER = ("--as", "second@example.com"), ("--as", "controller@example.com")
NUMBER = "JV-1000-FY2026-000001"
ERPNEXT = """\
  books:
    kind: erpnext
    url: {url}
    secret: BOOKS_SECRET
    companies: {{"1000": Nimbus GmbH}}
    axes: {{cost_center: cost_center}}
"""


@pytest.fixture(name="here")
def here_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the workspace will be, and the current directory."""
    root = tmp_path / "northwind"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("APPORTION_WORKSPACE", "")  # which commands of the books set, and which is to end with the test
    monkeypatch.delenv("APPORTION_WORKSPACE")
    monkeypatch.delenv("APPORTION_PERSON", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(RealClock, "sleep", lambda _self, _seconds: None)
    return root


@pytest.fixture(name="ledger_there")
def ledger_there_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Ledger, str]]:
    monkeypatch.setenv("BOOKS_SECRET", KEY)
    ledger = Ledger()
    with erp_server.served(ledger, erp_server_erpnext.dialect, erp_server_erpnext.wrong) as url:
        yield ledger, url


def done(said: Said, status: int = 0) -> str:
    """What was said, after it went as it should."""
    assert (said.status, said.err) == (status, "")
    return said.out


def fits(said: Said, name: str, status: int = 0) -> dict[str, Any]:
    """The document of ``--json``, after it went as it should."""
    done(said, status)
    document: dict[str, Any] = fits_its_schema(said, name)
    return document


def state() -> list[object]:
    """All of the books that posting changes."""
    return [
        list(LedgerJournal.objects.order_by("pk").values()),
        list(LedgerPush.objects.order_by("pk").values()),
        AuditEntry.objects.count(),
    ]


def test_from_preview_to_verify_with_files(here: Path, settings: Settings, say: Say) -> None:
    northwind(here, settings)
    nothing = say("post", "draw-up", "2026-09", *SECOND)
    assert (nothing.status, nothing.out) == (1, "")
    assert nothing.err.startswith("error NOT_IN_THIS_STATE: Nothing of 2026-09 waits to be exported.\n")
    empty = done(say("post", "status", "2026-10"))
    assert "There is no journal of 2026-10 yet." in empty
    assert "2 documents of 2026-10 wait for a journal.\nNext: apportion post preview 2026-10\n" in empty
    before = state()
    shown = done(say("post", "preview", "2026-10"))
    assert "Journal (transfer) of 2026-10 for files, not drawn up yet: 1 entry, 3 lines" in shown
    assert re.search(r"1000 +USD +3 +217\.77 +217\.77 +0\.00", shown)
    assert re.search(r"1000 +600100 +USD +2 +217\.77", shown)
    assert "600199" not in done(say("post", "preview", "2026-10", "--lines")).partition("Text")[0]
    previewed = fits(say("post", "preview", "2026-10", "--json"), "post-preview")
    assert state() == before
    made = fits(say("post", "draw-up", "2026-10", *SECOND, "--json"), "post-journal")
    assert (made["act"], made["id"], made["sha256"], made["number"]) == (
        "draw_up",
        previewed["id"],
        previewed["sha256"],
        "",
    )
    assert [each["balance"] for each in made["balances"]] == ["0.00"]
    waits = done(say("post", "status", "2026-10"))
    assert f"Next, by somebody else: apportion post approve {made['id']} --as EMAIL" in waits
    agreed = done(say("post", "approve", made["id"], *CONTROLLER))
    assert f"Journal {NUMBER}: transfer of 2026-10 for files; approved.\n" in agreed
    assert "  Drawn up by Second, approved by Controller.\n" in agreed
    assert f"Next: apportion post export {NUMBER} --as EMAIL" in agreed
    exported = fits(say("post", "export", NUMBER.lower(), *SECOND, "--json"), "post-journal")
    assert [Path(name).exists() for name in exported["files"]] == [True] * 5
    posted = done(say("post", "confirm", NUMBER, "--reference", "4711", *SECOND))
    assert "in the ledger as 4711." in posted
    assert "Next: apportion ledger verify --target files --period 2026-10 --as EMAIL" in posted
    held = done(say("ledger", "verify", "--as", "auditor@example.com"))
    assert held.startswith("✓ files: what was handed over is what the books say, 1 journal.\n")
    assert "cannot be asked" in held
    checked = fits(say("ledger", "verify", "--as", "auditor@example.com", "--json"), "ledger-verify")
    assert checked["holds"]
    listed = fits(say("post", "status", "--json"), "post-status")
    assert (listed["waiting"], listed["journals"][0]["verified"]) == (None, True)
    Path(exported["files"][0]).write_text("nothing", encoding="utf-8")
    differs = done(say("ledger", "verify", "--as", "auditor@example.com"), status=3)
    assert differs.startswith("✗ files: 1 journal looked at, and something differs from the books.\n")
    assert f"of journal {NUMBER} is not what was handed over" in done(say("post", "status"))
    back = fits(say("post", "reverse", NUMBER, "--reason", "Wrong year", *SECOND, "--json"), "post-journal")
    assert (back["kind"], back["reverses"], back["reason"]) == ("reversal", NUMBER, "Wrong year")
    gone = done(say("post", "withdraw", back["id"], "--reason", "It was right", *SECOND))
    assert "; withdrawn." in gone


def test_of_two_journals_with_one_id_the_one_that_waits_is_meant(here: Path, settings: Settings, say: Say) -> None:
    found = northwind(here, settings, "  drop: {kind: folder, folder: drop}\n")
    row = approved(found, "files")
    done(say("post", "export", NUMBER, *SECOND))
    done(say("post", "confirm", NUMBER, "--reference", "4711", *SECOND))
    Document.objects.update(posting_state="unposted")
    with pytest.MonkeyPatch.context() as before:
        before.setattr(posting, "taken_ids", lambda _period: frozenset())
        again = journals.draw_up(found.actor("second"), OCTOBER, target="drop")
    assert again.journal_id == row.journal_id
    assert "withdrawn" in done(say("post", "withdraw", row.journal_id, "--reason", "Not there", *SECOND))
    assert LedgerJournal.objects.get(pk=again.pk).state == "withdrawn"
    assert LedgerJournal.objects.get(pk=row.pk).state == "posted"


def test_a_ledger_takes_it_refuses_a_part_and_is_verified(
    here: Path, settings: Settings, say: Say, ledger_there: tuple[Ledger, str]
) -> None:
    books, url = ledger_there
    found = northwind(here, settings, ERPNEXT.format(url=url))
    approved(found)
    answers = done(say("ledger", "targets"))
    assert re.search(r"books +ERPNext +http://127\.0\.0\.1:\d+ +all +✓ answers", answers)
    assert fits(say("ledger", "targets", "--json"), "ledger-targets")["sound"]
    books.locked_on = date(2026, 10, 31)
    refused = done(say("post", "push", NUMBER, *SECOND), status=1)
    assert "✗ JN-2026-10-" in refused
    assert "PERIOD_CLOSED" in refused
    assert "Repair it in the ledger or in the mapping, then push again" in refused
    assert books.entries == []
    assert "PERIOD_CLOSED" in done(say("post", "status"))
    books.locked_on = None
    posted = fits(say("post", "push", NUMBER, *SECOND, "--json"), "post-journal")
    assert (posted["state"], posted["repair"], [each["state"] for each in posted["pushes"]]) == (
        "posted",
        [],
        ["posted"],
    )
    assert fits(say("post", "status", "2026-10", "--json"), "post-status")["journals"][0]["pushes"] == posted["pushes"]
    held = done(say("ledger", "verify", "--target", "books", *SECOND))
    assert held.startswith("✓ books holds what was posted: 1 journal (2026-10-31 to 2026-10-31).\n")
    assert re.search(r"Company 1000, EUR:\n.*\n600199 +-195\.99 +-195\.99 +-195\.99 +0\.00 *\n", held, re.DOTALL)
    assert "GL recharge rate of 2026-10: 100.0 % (195.99 EUR passed on in the ledger" in held
    books.entries.clear()
    differs = fits(say("ledger", "verify", "--period", "2026-10", *SECOND, "--json"), "ledger-verify", status=3)
    (target,) = differs["targets"]
    assert (differs["holds"], target["recharge_rates"][0]["millionths"]) == (False, 0)
    shown = done(say("ledger", "verify", *SECOND), status=3)
    assert "is not in the ledger any more; it was posted as ACC-JV-2026-" in shown


@pytest.mark.parametrize(
    ("passed_on", "said"),
    [
        (1_000_000, "100.0 % (10,000.00 EUR"),
        (999_999, "just under 100 % (9,999.99 EUR"),
        (1_000_001, "just over 100 % (10,000.01 EUR"),
        (596_900, "59.7 % (5,969.00 EUR"),
        (0, "0.0 % (0.00 EUR"),
    ],
)
def test_a_rate_is_not_rounded_to_all_of_it(passed_on: int, said: str) -> None:
    line = ledger._rate_line(Recharge("2026-10", "1000", "EUR", passed_on, 1_000_000))
    assert line.startswith(f"GL recharge rate of 2026-10: {said} passed on in the ledger of company 1000, 10,000.00")


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["post", "preview", "2026-13"], 2, "USAGE"),
        (["post", "preview", "2026-10", "--kind", "gift"], 2, "USAGE"),
        (["post", "preview", "2026-09"], 1, "NOT_IN_THIS_STATE"),
        (["post", "draw-up", "2026-10"], 1, "INPUT_REFUSED"),
        (["post", "draw-up", "2026-10", "--as", "nobody@example.com"], 1, "NOT_FOUND"),
        (["post", "draw-up", "2026-10", "--as", "red@example.com"], 1, "FORBIDDEN"),
        (["post", "draw-up", "2026-10", "--target", "moon", *SECOND], 1, "INPUT_REFUSED"),
        (["post", "draw-up", "2026-10", *SECOND], 1, "INPUT_REFUSED"),
        (["post", "approve", "JV-9", *CONTROLLER], 1, "NOT_FOUND"),
        (["post", "approve", "ID", *SECOND], 1, "SAME_PERSON"),
        (["post", "export", "ID", *SECOND], 1, "NOT_IN_THIS_STATE"),
        (["post", "push", "ID", *SECOND], 1, "INPUT_REFUSED"),
        (["post", "confirm", "ID", "--reference", "1", *SECOND], 1, "NOT_IN_THIS_STATE"),
        (["post", "confirm", "ID", *SECOND], 1, "INPUT_REFUSED"),
        (["post", "withdraw", "ID", *SECOND], 1, "INPUT_REFUSED"),
        (["post", "reverse", "ID", "--reason", "Why not", *SECOND], 1, "NOT_IN_THIS_STATE"),
        (["ledger", "verify", *SECOND], 1, "INPUT_REFUSED"),
        (["ledger", "verify", "--target", "moon", *SECOND], 1, "INPUT_REFUSED"),
        (["ledger", "verify"], 1, "INPUT_REFUSED"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else str(value),
)
def test_each_mistake_is_one_clear_error_and_changes_nothing(
    here: Path, settings: Settings, say: Say, words: list[str], status: int, code: str
) -> None:
    found = northwind(here, settings)
    made = fits(say("post", "draw-up", "2026-10", *SECOND, "--json"), "post-journal")
    before = state()
    told = say(*[made["id"] if word == "ID" else word for word in words])
    assert (told.status, told.out) == (status, "")
    assert told.err.startswith(f"error {code}: ")
    assert "  advice: " in told.err
    assert len(told.err.splitlines()) <= 3
    assert state() == before
    assert found.workspace.root == here


def test_codes_that_are_missing_are_named_before_anything_is_drawn_up(here: Path, settings: Settings, say: Say) -> None:
    found = northwind(here, settings)
    text = (here / "apportion.yaml").read_text(encoding="utf-8")
    found.write("apportion.yaml", text.replace('transferred_out: "600199", ', ""))
    before = state()
    for words in (["preview", "2026-10"], ["draw-up", "2026-10", *SECOND]):
        told = say("post", *words)
        assert (told.status, told.out) == (1, "")
        assert told.err.startswith("error UNMAPPED")
        assert "transferred out" in told.err
    assert state() == before


def test_what_the_ledger_master_data_refuses_is_listed_after_the_preview(
    here: Path, settings: Settings, say: Say
) -> None:
    found = northwind(here, settings)
    text = (here / "apportion.yaml").read_text(encoding="utf-8")
    found.write("apportion.yaml", text.replace("ledger: {", "ledger: {master_data: codes, "))
    (here / "codes").mkdir()
    found.write("codes/accounts.csv", "account,currencies\n600199,\n")
    before = state()
    told = say("post", "preview", "2026-10")
    assert told.status == 1
    assert "not drawn up yet" in told.out
    assert "error JOURNAL_REFUSED" in told.err
    assert "600100" in told.err
    assert fits(say("post", "preview", "2026-10", "--json"), "error", status=1)
    assert state() == before


def test_a_ledger_that_is_down_or_has_no_secret(
    here: Path, settings: Settings, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = northwind(here, settings, ERPNEXT.format(url="http://127.0.0.1:1"))
    monkeypatch.setenv("BOOKS_SECRET", KEY)
    approved(found)
    before = state()
    monkeypatch.delenv("BOOKS_SECRET")
    told = say("post", "push", NUMBER, *SECOND)
    assert (told.status, told.out) == (1, "")
    assert told.err.startswith("error INPUT_REFUSED: The secret BOOKS_SECRET is not set.")
    assert state() == before
    listed = say("ledger", "targets", "--offline")
    assert (listed.status, listed.err) == (1, "")
    assert "✗ cannot be used" in listed.out
    assert "The secret BOOKS_SECRET is not set." in listed.out
    monkeypatch.setenv("BOOKS_SECRET", KEY)
    assert "✓ not asked" in done(say("ledger", "targets", "--offline"))
    away = fits(say("ledger", "targets", "--json"), "ledger-targets", status=1)
    assert (away["targets"][0]["reached"], away["targets"][0]["faults"][0]["code"]) == (False, "TARGET_DOWN")
    assert state() == before
    told = say("post", "push", NUMBER, *SECOND)
    assert (told.status, told.out) == (4, "")
    assert told.err.startswith("error TARGET_DOWN: ")
    assert KEY not in told.err
    waits = done(say("post", "status"))
    assert "handed over" in waits
    assert f"Next: apportion post push {NUMBER} --as EMAIL" in waits
