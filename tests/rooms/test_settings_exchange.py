"""`exchange` in `apportion.yaml`: what it may say, and how a mistake in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion import settings
from apportion.errors import DocumentError

USUAL = """\
company: A
exchange:
  rates: [rates/ecb.csv, own.csv]
  choose: month average
  reporting_currency: EUR
"""


def load(tmp_path: Path, text: str) -> settings.Settings:
    (tmp_path / "apportion.yaml").write_text(text, encoding="utf-8")
    return settings.load(tmp_path)


def test_what_is_said(tmp_path: Path) -> None:
    found = load(tmp_path, USUAL).exchange
    assert found == settings.ExchangeSettings(
        rates=("rates/ecb.csv", "own.csv"), choose="month average", reporting_currency="EUR", oldest=7
    )
    longer = load(tmp_path, USUAL + "  oldest: 10\n").exchange
    assert longer is not None
    assert longer.oldest == 10


def test_without_the_section_nothing_is_converted(tmp_path: Path) -> None:
    assert load(tmp_path, "company: A\n").exchange is None


@pytest.mark.parametrize(
    ("old", "new", "line", "code", "words"),
    [
        ("[rates/ecb.csv, own.csv]", "[]", 3, "BAD_VALUE", "rates"),
        ("own.csv]", "/etc/own.csv]", 3, "BAD_FILE", "not in the workspace"),
        ("own.csv]", "../own.csv]", 3, "BAD_FILE", "not in the workspace"),
        ("own.csv]", "a/../../own.csv]", 3, "BAD_FILE", "not in the workspace"),
        ("own.csv]", "'C:\\own.csv']", 3, "BAD_FILE", "not in the workspace"),
        ("own.csv]", "'..\\own.csv']", 3, "BAD_FILE", "not in the workspace"),
        ("own.csv]", "'.']", 3, "BAD_FILE", "not in the workspace"),
        ("month average", "average", 4, "BAD_CHOICE", "'month average'"),
        ("EUR", "Euro", 5, "BAD_CURRENCY", "Euro"),
        ("EUR", "''", 5, "NO_VALUE", "empty"),
        ("EUR\n", "EUR\n  oldest: week\n", 6, "BAD_VALUE", "whole number"),
        ("EUR\n", "EUR\n  oldest: 0\n", 6, "BAD_VALUE", "oldest"),
        ("  choose: month average\n", "", 3, "MISSING_KEY", "choose"),
        ("EUR\n", "EUR\n  rate: 1\n", 6, "UNKNOWN_KEY", "rates"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, line: int, code: str, words: str) -> None:
    assert old in USUAL
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, USUAL.replace(old, new))
    (found,) = caught.value.mistakes
    assert (found.code, words in f"{found.sentence} {found.advice}") == (code, True), found
    assert found.place.line in (line, 2)
