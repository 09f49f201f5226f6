"""The reference pages name every key and column of the documents, and no other."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent / "2026-10"
PAGES = Path(__file__).parents[2] / "docs" / "reference"


def keys(value: Any) -> set[str]:
    """Every key in a JSON document, except those of mappings whose keys are data."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if isinstance(value, dict):
        return set(value).union(*(keys(each) for name, each in value.items() if name != "amounts"))
    return set()


@pytest.mark.parametrize(
    ("page", "document"),
    [
        ("statement-json.md", "ST-2026-10-0002.json"),
        ("journal.md", "journal-2026-10.json"),
        ("tie-out.md", "tie-out.json"),
    ],
)
def test_every_key_is_documented(page: str, document: str) -> None:
    named = set(re.findall(r"`([a-z_0-9]+)`", (PAGES / page).read_text(encoding="utf-8")))
    assert keys(json.loads((GOLDEN / document).read_text(encoding="utf-8"))) <= named


def test_every_control_total_is_documented() -> None:
    named = set(re.findall(r"`([a-z_0-9]+)`", (PAGES / "journal.md").read_text(encoding="utf-8")))
    control = json.loads((GOLDEN / "journal-2026-10.control.json").read_text(encoding="utf-8"))
    assert set(control) - {"journal"} <= named


def test_the_columns_of_the_machine_file_are_the_documented_ones() -> None:
    page = (PAGES / "journal.md").read_text(encoding="utf-8")
    table = page[page.index("| Column |") : page.index("The control file")]
    with (GOLDEN / "journal-2026-10.csv").open(encoding="utf-8", newline="") as file:
        assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == next(csv.reader(file))


def test_every_documented_key_of_a_statement_is_there() -> None:
    page = (PAGES / "statement-json.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert rows <= keys(json.loads((GOLDEN / "ST-2026-10-0002.json").read_text(encoding="utf-8")))
