"""Ledgers against the books: what is there, what is not any more, what is there twice, and how much was passed on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from apportion.actions.post import handing_over, verifying
from apportion.actions.post.invoiced import Recharge, invoiced
from apportion.actions.workspace import workspace
from apportion.errors import InputRefusedError
from apportion.post.erp.calling import Caller
from apportion.post.erp.errors import TargetDownError
from apportion.post.erp.pace import RealClock
from apportion.records.audit import AuditEntry
from apportion.records.chain import verify as verify_chain
from apportion.records.documents import Document
from apportion.records.people import Person
from apportion.records.rights import ForbiddenError
from tests import erp_server, erp_server_erpnext
from tests.books import OCTOBER, SEPTEMBER, Books
from tests.erp_server import KEY, Ledger
from tests.posted import approved, northwind, pushed, reversed_by
from tests.tryton_ledger import Ledger as TrytonLedger
from tests.tryton_ledger import ledger_fixture
from tests.tryton_server import PASSWORD

__all__ = ["ledger_fixture"]

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

ERPNEXT = """\
  books:
    kind: erpnext
    url: {url}
    secret: BOOKS_SECRET
    companies: {{"1000": Nimbus GmbH}}
    axes: {{cost_center: cost_center}}
"""
TRYTON = """\
  books:
    kind: tryton
    url: {url}
    database: {database}
    user: admin
    secret: BOOKS_SECRET
    companies: {{"1000": Nimbus GmbH}}
    axes: {{cost_center: cost_center}}
"""
# 130.00 and 87.77 US dollars at 0.9: 117.00 and 78.99 euro, each line by itself.
WHOLE = 11700 + 7899


@pytest.fixture(name="ledger_there")
def ledger_there_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Ledger, str]]:
    monkeypatch.setenv("BOOKS_SECRET", KEY)
    monkeypatch.setattr(RealClock, "sleep", lambda _self, _seconds: None)
    ledger = Ledger()
    with erp_server.served(ledger, erp_server_erpnext.dialect, erp_server_erpnext.wrong) as url:
        yield ledger, url


@pytest.fixture(name="found")
def found_fixture(ledger_there: tuple[Ledger, str], tmp_path: Path, settings: Settings) -> Books:
    return northwind(tmp_path / "northwind", settings, ERPNEXT.format(url=ledger_there[1]))


def rates(found: verifying.Verified) -> list[tuple[str, str, int, int, int]]:
    return [(each.company, each.currency, each.passed_on, each.invoiced, each.rate) for each in found.recharges]


def test_all_that_was_invoiced_is_in_the_ledger_and_others_stand_beside_it(
    found: Books, ledger_there: tuple[Ledger, str]
) -> None:
    ledger, _ = ledger_there
    row, report = pushed(found)
    assert report.done
    other = [erp_server.Line("600100", Decimal("5.00"), "0030"), erp_server.Line("600199", Decimal("-5.00"), "9900")]
    ledger.add("somebody", "2026-10-31", other, posted=True, raw={})
    before = len(ledger.entries)
    done = verifying.verify(found.actor("auditor"), "books")
    assert (done.holds, done.asked, done.periods) == (True, True, ("2026-10",))
    assert [(each.name, each.entries, each.differences) for each in done.journals] == [(row.label, 1, ())]
    accounts = {each.account: (each.ours, each.held, each.ledger, each.others) for each in done.rows}
    assert accounts == {"600100": (WHOLE, WHOLE, WHOLE + 500, 500), "600199": (-WHOLE, -WHOLE, -WHOLE - 500, -500)}
    assert rates(done) == [("1000", "EUR", WHOLE, WHOLE, 10**6)]
    assert len(ledger.entries) == before
    entry = AuditEntry.objects.get(act="verify ledger")
    assert (entry.subject_kind, entry.subject_id, entry.via) == ("ledger", "books", "web")
    assert json.loads(entry.after)["holds"] is True
    told = verifying.last_of(row)
    assert told is not None
    assert (told.holds, told.by, told.asked) == (True, "Auditor", True)
    assert verifying.last("books") == told
    assert verifying.recharge_rate(OCTOBER) == (Recharge("2026-10", "1000", "EUR", WHOLE, WHOLE),)
    assert verifying.recharge_rate(SEPTEMBER) == ()
    assert verify_chain().breaks == ()


def test_the_measures_say_what_the_ledger_showed(found: Books) -> None:
    client = Client()
    client.force_login(Person.objects.get(email="auditor@example.com"))
    assert "In the ledger, as it was last asked" not in client.get("/measures/2026-10/").content.decode()
    assert client.get("/api/v1/measures/2026-10/ledger").json() == []
    pushed(found)
    verifying.verify(found.actor("auditor"), "books")
    page = " ".join(client.get("/measures/2026-10/").content.decode().split())
    assert "In the ledger, as it was last asked" in page
    assert page.count("195.99 EUR") == 2
    assert "<strong>100.0 %</strong>" in page
    (told,) = client.get("/api/v1/measures/2026-10/ledger").json()
    assert (told["company"], told["rate"]) == ("1000", 10**6)
    assert told["passed_on"] == told["invoiced"] == {"amount": "195.99", "currency": "EUR", "amount_minor": WHOLE}


def test_what_is_not_posted_yet_lowers_the_rate(found: Books) -> None:
    """Blue's invoice is disputed away: it waits, and counts as invoiced at the rate of the run."""
    Document.objects.filter(cost_group__code="blue", kind="invoice").update(review_state="awaiting")
    pushed(found)
    done = verifying.verify(found.actor("second"), "books")
    assert done.holds
    # 117.00 of 195.99 euro
    assert rates(done) == [("1000", "EUR", 11700, WHOLE, 596969)]


def test_an_entry_that_was_changed_is_found_to_the_cent(found: Books, ledger_there: tuple[Ledger, str]) -> None:
    ledger, _ = ledger_there
    row, _ = pushed(found)
    (entry,) = ledger.entries
    entry.lines[0].amount += 1
    entry.lines[-1].amount -= 1
    done = verifying.verify(found.actor("second"), "books")
    first, *accounts = done.differences
    assert first.startswith(f"Entry {row.journal_id}-0001 of company 1000 is not what was posted as ACC-JV-2026-")
    assert accounts == [
        "Account 600100 of company 1000 has 196.99 EUR of ours in the ledger; 195.99 was posted.",
        "Account 600199 of company 1000 has -196.99 EUR of ours in the ledger; -195.99 was posted.",
    ]
    assert done.journals[0].differences == (first,)
    told = verifying.last_of(row)
    assert told is not None
    assert (told.holds, told.differences) == (False, (first,))
    assert len(json.loads(AuditEntry.objects.get(act="verify ledger").after)["differences"]) == 3


def test_an_entry_that_is_gone_or_there_twice_is_a_difference(found: Books, ledger_there: tuple[Ledger, str]) -> None:
    ledger, _ = ledger_there
    row, report = pushed(found)
    (entry,) = ledger.entries
    ledger.add(entry.key, entry.day, list(entry.lines), posted=True, raw=entry.raw)
    twice = verifying.verify(found.actor("second"), "books")
    assert [sentence.rpartition(" (")[0] for sentence in twice.differences] == [
        f"Entry {row.journal_id}-0001 of company 1000 is in the ledger a second time"
    ]
    ledger.entries.clear()
    gone = verifying.verify(found.actor("second"), "books")
    assert gone.differences[0] == (
        f"Entry {row.journal_id}-0001 of company 1000 is not in the ledger any more; "
        f"it was posted as {report.posted[0].number}."
    )
    assert rates(gone) == [("1000", "EUR", 0, WHOLE, 0)]
    assert [each.held for each in gone.rows] == [0, 0]


def test_what_was_reversed_counts_as_nothing_and_what_is_posted_anew_as_once(found: Books) -> None:
    row, _ = pushed(found)
    back = reversed_by(found, row)
    assert back.state == "posted"
    done = verifying.verify(found.actor("second"), "books")
    assert (done.differences, [each.ours for each in done.rows]) == ((), [0, 0])
    assert rates(done) == [("1000", "EUR", 0, WHOLE, 0)]
    again, report = pushed(found)
    assert report.done
    assert again.journal_id != row.journal_id  # a ledger that knows entries by their ids takes both
    once = verifying.verify(found.actor("second"), "books", [OCTOBER])
    assert once.differences == ()
    assert rates(once) == [("1000", "EUR", WHOLE, WHOLE, 10**6)]
    assert [each.name for each in once.journals] == [row.label, back.label, again.label]


def test_documents_that_a_journal_does_not_hold_are_found(found: Books) -> None:
    row, _ = pushed(found)
    Document.objects.filter(cost_group__code="blue", posting_state="posted").update(journal="JN-another")
    done = verifying.verify(found.actor("second"), "books")
    assert done.differences == (f"Journal {row} has 217.77 USD for company 1000, and its documents come to 130.00.",)


def test_nothing_is_noted_where_the_ledger_is_silent_or_nobody_may_ask(
    found: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed(found)
    count = AuditEntry.objects.count()
    with pytest.raises(ForbiddenError):
        verifying.verify(found.actor("red"), "books")
    with pytest.raises(InputRefusedError, match="There is no target 'book'"):
        verifying.verify(found.actor("second"), "book")
    with pytest.raises(InputRefusedError, match="Nothing was handed over to books for 2026-09"):
        verifying.verify(found.actor("second"), "books", [SEPTEMBER])
    with pytest.raises(InputRefusedError, match="Nothing was handed over to files"):
        verifying.verify(found.actor("second"), "files")

    def down(*_: object, **__: object) -> object:
        raise TargetDownError("Nobody answers.")

    with monkeypatch.context() as silent:
        silent.setattr(Caller, "call", down)
        with pytest.raises(TargetDownError):
            verifying.verify(found.actor("second"), "books")
    text = (found.workspace.root / "apportion.yaml").read_text(encoding="utf-8")
    found.write("apportion.yaml", text[: text.index("targets:")])
    with pytest.raises(InputRefusedError, match="do not know the target 'books' any more"):
        verifying.verify(found.actor("second"), "books")
    found.write("apportion.yaml", text)
    monkeypatch.delenv("BOOKS_SECRET")
    with pytest.raises(InputRefusedError, match="BOOKS_SECRET is not set"):
        verifying.verify(found.actor("second"), "books")
    assert AuditEntry.objects.count() == count
    assert verifying.last("books") is None


@pytest.mark.parametrize("form", ["", "business-central", "xlsx"])
def test_files_are_verified_byte_by_byte(tmp_path: Path, settings: Settings, form: str) -> None:
    found = northwind(tmp_path / "northwind", settings, f"  paper: {{kind: files, format: {form}}}\n" if form else "")
    row = approved(found)
    _, files = handing_over.export(found.actor("second"), row.pk)
    done = verifying.verify(found.actor("second"), row.target)
    assert (done.holds, done.asked, done.recharges) == (True, False, ())
    assert done.remarks == (
        f"'{row.target}' takes files and cannot be asked what it holds: the files in the workspace were verified.",
        f"Journal {row} was handed over and is not confirmed yet.",
    )
    handing_over.confirm(found.actor("second"), row.pk, "4711")
    files[0].write_bytes(files[0].read_bytes().replace(b"1", b"2", 1))
    files[1].unlink()
    changed = verifying.verify(found.actor("second"), row.target)
    assert sorted(changed.differences) == sorted(
        [
            f"File {files[0].name} of journal {row} is not what was handed over: its digest is another.",
            f"File {files[1].name} of journal {row} cannot be read: no such file or directory.",
        ]
    )


def test_a_folder_is_looked_into_and_files_that_were_taken_are_no_difference(
    tmp_path: Path, settings: Settings
) -> None:
    drop = tmp_path / "northwind" / "drop"
    found = northwind(tmp_path / "northwind", settings, "  drop: {kind: folder, folder: drop}\n")
    drop.mkdir()
    row, _ = pushed(found)
    handing_over.confirm(found.actor("second"), row.pk, "4711")
    assert verifying.verify(found.actor("second"), "drop").differences == ()
    (file,) = drop.glob("*.json")
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"117.00", b"118.00"))
    (said,) = verifying.verify(found.actor("second"), "drop").differences
    assert said == f"File {file.name} in the folder of drop is not what was dropped."
    file.unlink()
    taken = verifying.verify(found.actor("second"), "drop")
    assert taken.differences == ()
    assert f"{file.name} was taken from the folder of drop." in taken.remarks


def test_what_was_invoiced_without_a_rate_stays_in_its_currency(found: Books) -> None:
    assert invoiced(workspace(), "2026-10") == {("1000", "EUR"): WHOLE}
    assert invoiced(workspace(), "2026-08") == {}


@pytest.mark.slow
def test_a_real_tryton(
    ledger: TrytonLedger, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOOKS_SECRET", PASSWORD)
    ledger.way.again()
    ledger.ledgers.copy("verified")
    with ledger.ledgers.served("verified") as url:
        found = northwind(tmp_path / "northwind", settings, TRYTON.format(url=url, database="verified"))
        row, report = pushed(found)
        assert report.done
        done = verifying.verify(found.actor("auditor"), "books")
        assert done.differences == ()
        assert rates(done) == [("1000", "EUR", WHOLE, WHOLE, 10**6)]
        assert {each.account: (each.held, each.ledger) for each in done.rows} == {
            "600100": (WHOLE, WHOLE),
            "600199": (-WHOLE, -WHOLE),
        }
        ledger.ledgers.ask("verified", "UPDATE account_move_line SET debit = debit + 1 WHERE debit > 100")
        ledger.ledgers.ask("verified", "UPDATE account_move_line SET credit = credit + 1 WHERE credit > 100")
        changed = verifying.verify(found.actor("auditor"), "books")
        assert any("is not what was posted as" in sentence for sentence in changed.differences)
        assert verifying.recharge_rate(OCTOBER)[0].passed_on == WHOLE + 100
        ledger.ledgers.ask("verified", "UPDATE account_move_line SET debit = debit - 1 WHERE debit > 100")
        ledger.ledgers.ask("verified", "UPDATE account_move_line SET credit = credit - 1 WHERE credit > 100")
        reversed_by(found, row)
        empty = verifying.verify(found.actor("auditor"), "books")
        assert empty.differences == ()
        assert {each.ledger for each in empty.rows} == {0}
        assert rates(empty) == [("1000", "EUR", 0, WHOLE, 0)]
