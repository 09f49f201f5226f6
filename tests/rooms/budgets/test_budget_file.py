"""The file of budgets: what it gives, and how each mistake is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from apportion.budgets.budget import Budget
from apportion.budgets.budget_file import read
from apportion.errors import DocumentError, UnreadableFileError
from apportion.periods import BillingPeriod

OCTOBER = BillingPeriod(2026, 10)
GROUPS = ("web", "bakery", "data")
HEADER = "cost_group,period,currency,amount\n"


def written(directory: Path, text: str | bytes) -> Path:
    path = directory / "budgets.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_reads_amounts_in_minor_units_in_a_fixed_order(tmp_path: Path) -> None:
    text = "﻿amount;period;cost_group;currency\r\n# agreed in March\r\n\r\n900000;2026-11;data;JPY\r\n"
    text += '12500.5;2026-10;web;USD\r\n"7.0000";2026-10;web;EUR\r\n1.234;2026-10;bakery;KWD\r\n'
    found = read(written(tmp_path, text), GROUPS)
    assert found.values == (
        Budget("bakery", OCTOBER, "KWD", 1234),
        Budget("data", OCTOBER.next, "JPY", 900000),
        Budget("web", OCTOBER, "EUR", 700),
        Budget("web", OCTOBER, "USD", 1250050),
    )
    assert found.digest == hashlib.sha256(text.encode()).hexdigest()
    assert list(found.of(OCTOBER)) == ["bakery", "web"]
    assert [budget.currency for budget in found.of(OCTOBER)["web"]] == ["EUR", "USD"]


@pytest.mark.parametrize(
    ("text", "code", "line", "field", "advice"),
    [
        (HEADER + "bakerry,2026-10,USD,1\n", "UNKNOWN_COST_GROUP", 2, "cost_group", "Did you mean 'bakery'?"),
        (HEADER + "web,October,USD,1\n", "BAD_PERIOD", 2, "period", "YYYY-MM"),
        (HEADER + "web,2026-10,usd,1\n", "BAD_CURRENCY", 2, "currency", "USD"),
        (HEADER + "web,2026-10,USD,1.005\n", "BAD_AMOUNT", 2, "amount", "up to 2 decimals"),
        (HEADER + "web,2026-10,USD,-5\n", "BAD_AMOUNT", 2, "amount", "digits"),
        (HEADER + "web,2026-10,USD,\n", "BAD_AMOUNT", 2, "amount", "digits"),
        (HEADER + 'web,2026-10,USD,"1,000"\n', "BAD_AMOUNT", 2, "amount", "digits"),
        (HEADER + "web,2026-10,JPY,1.5\n", "BAD_AMOUNT", 2, "amount", "no decimals"),
        (HEADER + "web,2026-10,USD,1\nweb,2026-10,USD,1\n", "DUPLICATE_BUDGET", 3, "", "Keep one"),
        (HEADER + "web,2026-10,USD\n", "BAD_ROW", 2, "", "quotes"),
        (HEADER + 'web,2026-10,USD,"1\n', "NOT_CSV", 2, "", "quote"),
        (HEADER.replace("amount", "amonut") + "web,2026-10,USD,1\n", "UNKNOWN_COLUMN", 1, "amonut", "'amount'"),
        ("cost_group,period,currency\nweb,2026-10,USD\n", "NO_COLUMN", 1, "", "amount"),
        (HEADER.replace("period", "cost_group"), "DUPLICATE_COLUMN", 1, "cost_group", "Delete"),
        ("# nothing\n\n", "EMPTY_FILE", None, "", "cost_group"),
        (b"cost_group,period\nw\xe9b,1\n", "NOT_UTF8", 2, "", "UTF-8"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_advice(
    tmp_path: Path, text: str | bytes, code: str, line: int | None, field: str, advice: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DocumentError) as refused:
        read(path, GROUPS)
    mistake = refused.value.mistakes[0]
    assert (mistake.code, mistake.place.file, mistake.place.line, mistake.place.field) == (code, str(path), line, field)
    assert advice in mistake.advice


def test_all_mistakes_are_found_at_once_up_to_a_hundred(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as refused:
        read(written(tmp_path, HEADER + "x,y,z,w\nweb,2026-10,USD,1\n"), GROUPS)
    assert [mistake.code for mistake in refused.value.mistakes] == [
        "UNKNOWN_COST_GROUP",
        "BAD_PERIOD",
        "BAD_CURRENCY",
    ]
    with pytest.raises(DocumentError) as many:
        read(written(tmp_path, HEADER + "nobody,2026-10,USD,1\n" * 10_000), GROUPS)
    assert len(many.value.mistakes) == 100


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError):
        read(tmp_path / "budgets.csv", GROUPS)
