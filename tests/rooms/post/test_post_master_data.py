"""The target's master data, read from files, and a journal that is checked by them before it goes anywhere."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from apportion.errors import BadValueError, DocumentError, JournalRefusedError, UnreadableFileError
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.periods import BillingPeriod
from apportion.post import checking, master_data
from apportion.post.journal import Journal, journal
from apportion.post.mapping import LedgerMapping, PostingAccounts
from apportion.post.master_data import AccountData, MasterData, Open

if TYPE_CHECKING:
    from tests.rooms.post.conftest import MakeStatement

OCTOBER = BillingPeriod(2026, 10)
FILES = {
    "accounts.csv": "company,account,name,opens_on,closes_on,currencies,statistical\n"
    "1000,600100,Cloud,2020-01-01,,EUR USD,\n"
    ",600199,Passed on,,,,false\n"
    "1000,950100,Counted,,2027-01-01,,true\n",
    "cost_centers.csv": "company,cost_center,opens_on,closes_on\n,0010,,\n,9900,,\n1000,0020,,2026-10-31\n",
    "dimensions.csv": "dimension,code\nproject,P-1\n",
    "periods.csv": "period,open\n2026-10,true\n2026-09,no\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def made(statement: MakeStatement, accounts: PostingAccounts) -> Journal:
    mapping = LedgerMapping(dimensions={"shop": (("project", "P-1"),)})
    return journal([statement(1, "shop", EUR=500)], accounts, mapping)


def test_a_folder_of_csv_files(folder: Path) -> None:
    found = master_data.load(folder)
    assert found.account("1000", "600100") == AccountData(Open(date(2020, 1, 1)), frozenset({"EUR", "USD"}))
    assert found.account("2000", "600199") == AccountData()
    assert found.account("2000", "600100") is None
    assert found.cost_center("1000", "0020") == Open(None, date(2026, 10, 31))
    assert (found.is_open("9", OCTOBER), found.is_open("9", OCTOBER.previous), found.is_open("9", OCTOBER.next)) == (
        True,
        False,
        None,
    )


def test_a_json_file_says_the_same(folder: Path, tmp_path: Path) -> None:
    data = {
        "accounts": [
            {"company": "1000", "account": "600100", "opens_on": "2020-01-01", "currencies": ["EUR", "USD"]},
            {"account": "600199", "statistical": False},
            {"company": "1000", "account": 950100, "closes_on": "2027-01-01", "statistical": True},
        ],
        "cost_centers": [
            {"cost_center": "0010"},
            {"cost_center": "9900"},
            {"company": "1000", "cost_center": "0020", "closes_on": "2026-10-31"},
        ],
        "dimensions": [{"dimension": "project", "code": "P-1"}],
        "periods": [{"period": "2026-10", "open": True}, {"period": "2026-09", "open": False}],
    }
    path = tmp_path / "master.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert master_data.load(path) == master_data.load(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("accounts.csv", "2020-01-01", "1.1.2020", "accounts.csv:2, opens_on: BAD_VALUE: '1.1.2020' is not a day."),
        ("accounts.csv", "EUR USD", "EURO", "accounts.csv:2, currencies: BAD_VALUE: 'EURO'"),
        ("accounts.csv", ",false", ",maybe", "accounts.csv:3, statistical: BAD_VALUE: 'maybe'"),
        ("accounts.csv", "1000,950100", "1000,", "accounts.csv:4, account: MISSING_VALUE: The account is missing."),
        ("cost_centers.csv", ",9900,,", ",0010,,", "cost_centers.csv:3: DUPLICATE_ROW: 0010 stands here"),
        ("periods.csv", "2026-09", "2026-13", "periods.csv:3, period: BAD_VALUE: '2026-13' is not a billing period."),
    ],
)  # fmt: skip
def test_every_mistake_has_its_place(folder: Path, name: str, old: str, new: str, said: str) -> None:
    path = folder / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(DocumentError) as refused:
        master_data.load(folder)
    (mistake,) = refused.value.mistakes
    assert str(mistake).startswith(str(folder / said))


def test_all_mistakes_of_all_files_are_listed(folder: Path) -> None:
    (folder / "periods.csv").write_text("period,open\n2026-1,x\n,true\n", encoding="utf-8")
    (folder / "dimensions.csv").write_text("dimension,code\nproject,\n", encoding="utf-8")
    with pytest.raises(DocumentError) as refused:
        master_data.load(folder)
    assert [(each.code, each.place.line, each.place.field) for each in refused.value.mistakes] == [
        ("MISSING_VALUE", 2, "code"),
        ("BAD_VALUE", 2, "period"),
        ("MISSING_VALUE", 3, "period"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("periods.csv", b"period\n2026-10\n", BadValueError),
        ("periods.csv", b"period,open\n2026-10\n", BadValueError),
        ("periods.csv", b'period,open\n"2026-10,true\n', UnreadableFileError),
        ("periods.csv", b"period,open\n\xff\n", UnreadableFileError),
        ("m.json", b"{", UnreadableFileError),
        ("m.json", b"[]", BadValueError),
        ("m.json", b'{"accounts": [1]}', BadValueError),
    ],
)
def test_files_that_cannot_be_read_are_refused(
    tmp_path: Path, name: str, content: bytes, error: type[Exception]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error):
        master_data.load(tmp_path / name if name.endswith(".json") else tmp_path)


def test_a_folder_without_master_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="no master data"):
        master_data.load(tmp_path)


def test_a_journal_that_fits_passes(folder: Path, made: Journal) -> None:
    assert checking.faults(made, master_data.load(folder)) == ()
    checking.require(made, master_data.load(folder))
    checking.require(made, MasterData())


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("accounts.csv", "600199", "600198", "row 2, account: UNKNOWN_ACCOUNT: There is no account 600199"),
        ("accounts.csv", "2020-01-01", "2026-11-01", "row 1, account: CLOSED_ACCOUNT: Account 600100 in company 1000 "
         "opens on 2026-11-01, and the line is posted on 2026-10-31."),
        ("accounts.csv", "2020-01-01,", "2020-01-01,2026-10-31", "row 1, account: CLOSED_ACCOUNT: Account 600100 in "
         "company 1000 is closed since 2026-10-31"),
        ("accounts.csv", "EUR USD", "USD", "row 1, currency: WRONG_CURRENCY: Account 600100 in company 1000 takes USD, "
         "not EUR."),
        ("accounts.csv", ",,,,false", ",,,,true", "row 2, account: STATISTICAL_ACCOUNT: Account 600199 in company 1000 "
         "counts quantities and takes no money."),
        ("cost_centers.csv", "9900", "9901", "row 2, cost_center: UNKNOWN_COST_CENTER: There is no cost center 9900"),
        ("dimensions.csv", "P-1", "P-9", "row 1, project: UNKNOWN_DIMENSION: There is no project P-1 in company 1000."),
        ("periods.csv", "10,true", "10,false", "posting_on: CLOSED_PERIOD: Company 1000 has closed 2026-10, and the "
         "entry is posted on 2026-10-31."),
        ("periods.csv", "2026-10", "2026-11", "posting_on: CLOSED_PERIOD: Company 1000 has no period 2026-10"),
    ],
)  # fmt: skip
def test_every_line_that_the_ledger_would_refuse_is_named(
    folder: Path, made: Journal, name: str, old: str, new: str, said: str
) -> None:
    path = folder / name
    assert old in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(JournalRefusedError) as refused:
        checking.require(made, master_data.load(folder))
    (mistake,) = refused.value.mistakes
    assert str(mistake).startswith(f"{made.id}-0001, {said}")
    assert mistake.advice


def test_all_faults_are_listed_line_by_line(made: Journal) -> None:
    nothing = MasterData({}, {}, {}, {})
    found = checking.faults(made, nothing)
    assert [(each.place.row, each.place.field) for each in found] == [
        (1, "account"),
        (1, "cost_center"),
        (1, "project"),
        (2, "account"),
        (2, "cost_center"),
        (None, "posting_on"),
    ]


def test_quantities_stand_on_statistical_accounts_only(folder: Path, made: Journal) -> None:
    def counted(account: str) -> Journal:
        line = StatisticalLine(account, "1000", "0010", "", "EUR", 500, "Shop")
        entry = StatisticalEntry("S-1", date(2026, 10, 31), date(2026, 10, 31), "Showback", (line,))
        return replace(made, entries=(), statistical=(entry,))

    master = master_data.load(folder)
    assert checking.faults(counted("950100"), master) == ()
    (fault,) = checking.faults(counted("600100"), master)
    assert fault.code == "STATISTICAL_ACCOUNT"
