"""Tables in a terminal: whatever its width, no amount and no code is ever shown in part."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion.cli.face import Face
from apportion.cli.tables import Column, table

COLUMNS = [Column("Currency"), Column("Cost group", wraps=True), Column("Invoices", is_number=True)]
LARGE = ("IDR", "Platform of the northern branch", "117,112,109,459.19")


def shown(columns: list[Column], rows: list[list[str]], width: int, sums: list[list[str]] | None = None) -> str:
    face = Face()
    face.console.file = io.StringIO()
    face.console.width = width
    face.show(table(columns, rows, sums=sums or []))
    assert face.console.width == width
    return face.console.file.getvalue()


@pytest.mark.parametrize("width", [20, 60, 80, 100, 200])
def test_every_amount_stands_whole_in_one_line(width: int) -> None:
    columns = [*COLUMNS, *(Column(name, is_number=True) for name in ("Billed cost", "Effective", "Statements"))]
    row = [*LARGE[:2], *[LARGE[2]] * 4]
    said = shown(columns, [row, row], width, sums=[["All in EUR", "", *["9,999,999,999,999,999.99"] * 4]])
    lines = [line for line in said.splitlines() if "IDR" in line]
    assert [line.count("117,112,109,459.19") for line in lines] == [4, 4]
    assert said.count("9,999,999,999,999,999.99") == 4
    assert said.count("All in EUR") == 1


def test_a_table_that_fits_is_no_wider_than_the_terminal() -> None:
    said = shown(COLUMNS, [[*LARGE]], 50)
    assert max(map(len, said.splitlines())) <= 50
    assert "Platform of" in said


@given(
    st.lists(st.integers(-(10**20), 10**20), min_size=1, max_size=6),
    st.integers(10, 140),
    st.text("äb 漢", max_size=30),
)
def test_numbers_are_never_cut(numbers: list[int], width: int, name: str) -> None:
    texts = [f"{number:,}" for number in numbers]
    columns = [Column("Name", wraps=True), *(Column("", is_number=True) for _ in texts)]
    said = shown(columns, [[name, *texts]], width)
    assert [each for line in said.splitlines() for each in re.findall(r"-?[0-9][0-9,]*", line)] == texts
