"""The journal's texts: written, read back, refused when changed, and judged by hledger."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from apportion.errors import BadValueError, StorageError
from apportion.ledger.entry import Entry, Posting
from apportion.organization.coding import Coding
from apportion.periods import BillingPeriod
from apportion.post.export import write_journal
from apportion.post.formats import beancount, csv_text, hledger, json_text
from apportion.post.formats.csv_text import MachineFile
from apportion.post.formats.reading import minor
from apportion.post.journal import Journal, journal
from apportion.post.mapping import PostingAccounts

if TYPE_CHECKING:
    from tests.rooms.post.conftest import MakeStatement

DAY = date(2026, 10, 31)
AWKWARD = 'a, "b"; c:d|e (f) [g] %2C 日本 – é'


@pytest.fixture
def made(statement: MakeStatement, accounts: PostingAccounts) -> Journal:
    """Two companies, three currencies with two, none and three decimals, awkward names, and a reversal."""
    plain = journal(
        [
            statement(1, "shop", Coding("1000", "0010", "", "600100"), name=AWKWARD, EUR=123456, JPY=7),
            statement(2, "labs", Coding("2000", "L:1 x", "-", "600,150"), EUR=-99, KWD=1005),
        ],
        accounts,
    )
    return replace(plain, entries=(*plain.entries, plain.entries[0].reversal(date(2026, 11, 1))))


def without_entries(made: Journal) -> Journal:
    return replace(made, entries=())


@pytest.mark.parametrize("change", [lambda made: made, without_entries], ids=["full", "empty"])
@pytest.mark.parametrize("module", [json_text, hledger, beancount])
def test_texts_are_read_back_to_the_same_journal(
    made: Journal, module: object, change: Callable[[Journal], Journal]
) -> None:
    written = change(made)
    assert module.parse(module.render(written)) == written  # type: ignore[attr-defined]


@pytest.mark.parametrize("change", [lambda made: made, without_entries], ids=["full", "empty"])
def test_the_machine_file_is_read_back_to_the_same_journal(made: Journal, change: Callable[[Journal], Journal]) -> None:
    # A department that is a hyphen may not stand in a machine file: it begins like a formula.
    written = change(_plain(made))
    assert csv_text.parse(csv_text.render(written)) == written


def test_the_machine_file_is_strict_text(made: Journal) -> None:
    lines = csv_text.render(_plain(made)).lines
    assert lines.encode("utf-8")[:3] != b"\xef\xbb\xbf"
    assert lines.count("\r\n") == lines.count("\n") == 1 + sum(len(entry.postings) for entry in made.entries)
    for amount in ("1234.56", "-0.99", ",-7,", "1.005"):
        assert amount in lines
    assert ",0010," in lines
    assert "-0.00" not in lines


def test_the_control_file_counts_and_adds_up(made: Journal) -> None:
    file = csv_text.render(_plain(made))
    control = json.loads(file.control)
    assert control["lines"] == file.lines.count("\r\n") - 1
    assert control["files"] == [
        {"file": "journal-2026-10.csv", "sha256": sha256(file.lines.encode()).hexdigest()},
    ]
    assert control["totals"] == [
        {"currency": "EUR", "debit": "2471.10", "credit": "2471.10"},
        {"currency": "JPY", "debit": "7", "credit": "7"},
        {"currency": "KWD", "debit": "2.010", "credit": "2.010"},
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-x", "@SUM(A1)", "＝1"])
@pytest.mark.parametrize("field", ["text", "account", "cost_center", "ref"])
def test_the_machine_file_refuses_formulas_and_says_where(field: str, text: str) -> None:
    posting = Posting("600100", "1000", "0010", "", "EUR", 5, "text")
    entry = Entry("E-1", DAY, DAY, "", (replace(posting, amount_minor=-5), replace(posting, **{field: text})))  # type: ignore[arg-type]
    with pytest.raises(BadValueError) as refused:
        csv_text.render(Journal("J", BillingPeriod(2026, 10), "h", (entry,)))
    assert refused.value.place is not None
    assert (refused.value.place.row, refused.value.place.field) == (2, field)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1234.56", "1234.57"),
        ("0010", "0011"),
        (",0010,", ",10,"),
        ("\r\n", "\n"),
        ("company,account", "account,company"),
    ],
)
def test_a_changed_machine_file_is_refused(made: Journal, old: str, new: str) -> None:
    file = csv_text.render(_plain(made))
    assert old in file.lines
    changed = file.lines.replace(old, new)
    for control in (file.control, _resealed(file.control, changed)):
        with pytest.raises(BadValueError):
            csv_text.parse(MachineFile(changed, control))


def test_a_cut_or_swapped_machine_file_is_refused(made: Journal) -> None:
    file = csv_text.render(_plain(made))
    header, first, second, *rest = file.lines.split("\r\n")
    for lines in ([header, first, second, *rest[1:]], [header, second, first, *rest], [header, first, second]):
        changed = "\r\n".join(lines)
        for control in (file.control, _resealed(file.control, changed)):
            with pytest.raises(BadValueError):
                csv_text.parse(MachineFile(changed, control))


@pytest.mark.parametrize("module", [json_text, hledger, beancount])
@pytest.mark.parametrize(
    ("old", "new"),
    [("1234.56", "1234.57"), ("0010", "0020"), ("-31", "-30"), ("2026-10", "2026-09"), ("JPY", "KRW"), ("ST-", "XT-")],
)
def test_a_changed_text_is_refused(made: Journal, module: object, old: str, new: str) -> None:
    source = module.render(made)  # type: ignore[attr-defined]
    changed = source.replace(old, new, 1)
    assert changed != source
    with pytest.raises(BadValueError):
        module.parse(changed)  # type: ignore[attr-defined]


@pytest.mark.parametrize("source", ["", "{}", "[]", "null", "2026-10-31 * (x) y", "; journal: x"])
def test_what_is_no_journal_is_refused(source: str) -> None:
    for parse in (
        json_text.parse,
        hledger.parse,
        beancount.parse,
        lambda text: csv_text.parse(MachineFile(text, text)),
    ):
        with pytest.raises(BadValueError):
            parse(source)


@pytest.mark.parametrize(
    ("text", "currency"),
    [("-0.00", "EUR"), ("1.5", "EUR"), ("1.500", "EUR"), ("1,50", "EUR"), ("+1.50", "EUR"), ("1.0", "JPY"),
     ("01.50", "EUR"), (" 1.50", "EUR"), ("1e2", "EUR"), ("", "EUR"), ("١.٥٠", "EUR")],
)  # fmt: skip
def test_amounts_have_one_spelling(text: str, currency: str) -> None:
    with pytest.raises(BadValueError):
        minor(text, currency)


def test_files_are_the_same_twice(made: Journal, tmp_path: Path) -> None:
    paths = write_journal(_plain(made), tmp_path)
    assert [path.name for path in paths] == [
        "journal-2026-10.csv",
        "journal-2026-10.control.json",
        "journal-2026-10.hledger",
        "journal-2026-10.beancount",
        "journal-2026-10.json",
    ]
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_journal(_plain(made), tmp_path)] == before
    read = MachineFile(before[0].decode(), before[1].decode())
    assert csv_text.parse(read) == _plain(made)


def test_nothing_is_written_where_the_machine_file_refuses(made: Journal, tmp_path: Path) -> None:
    with pytest.raises(BadValueError):
        write_journal(made, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_said_plainly(made: Journal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        write_journal(_plain(made), tmp_path / "file")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("hledger") is None, reason="hledger is not installed (apt-get install hledger)")
def test_hledger_accepts_the_journal_and_finds_the_same_balances(made: Journal, tmp_path: Path) -> None:
    path = tmp_path / "journal.hledger"
    path.write_text(hledger.render(made), encoding="utf-8")

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(shutil.which("hledger")), "-f", str(path), *command],
            capture_output=True,
            text=True,
            check=False,
            encoding="utf-8",
            env={"LC_ALL": "C.UTF-8"},
        )

    checked = run("check", "--strict")
    assert (checked.returncode, checked.stderr) == (0, "")
    expected = {
        currency: sum(
            max(posting.amount_minor, 0)
            for entry in made.entries
            for posting in entry.postings
            if posting.currency == currency
        )
        for currency in ("EUR", "JPY", "KWD")
    }
    registered = run("print", "--output-format=json")
    amounts: dict[str, int] = {}
    for transaction in json.loads(registered.stdout):
        for posting in transaction["tpostings"]:
            for amount in posting["pamount"]:
                quantity = amount["aquantity"]["decimalMantissa"]
                amounts[amount["acommodity"]] = amounts.get(amount["acommodity"], 0) + max(quantity, 0)
    assert amounts == expected
    # One cent off must be caught, or the check above proves nothing.
    path.write_text(hledger.render(made).replace("1234.56", "1234.57", 1), encoding="utf-8")
    assert run("check", "--strict").returncode != 0


def _plain(made: Journal) -> Journal:
    return replace(
        made,
        entries=tuple(
            replace(
                entry,
                postings=tuple(replace(each, department=each.department.removeprefix("-")) for each in entry.postings),
            )
            for entry in made.entries
        ),
    )


def _resealed(control: str, lines: str) -> str:
    """The control file with the digest that fits changed lines: the other controls must catch them."""
    data = json.loads(control)
    data["files"][0]["sha256"] = sha256(lines.encode()).hexdigest()
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
