"""A document as XLSX: typed cells, exact digits, no formula, the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import openpyxl
import pytest
from openpyxl.utils.escape import unescape
from openpyxl.worksheet.worksheet import Worksheet

from apportion.invoice.papers.spreadsheet import xlsx
from apportion.money.currency import exponent
from tests.papers import NASTY, PAPERS, credit_note, invoice, line, paper, statement

pytestmark = pytest.mark.thorough


def sheet(content: bytes, name: str) -> Worksheet:
    found = openpyxl.load_workbook(io.BytesIO(content))[name]
    assert isinstance(found, Worksheet)
    return found


def parts(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {name: book.read(name).decode() for name in book.namelist()}


def exact(value: object) -> Decimal:
    """What a reader shows of a number: the shortest digits that mean it."""
    return Decimal(repr(value))


@pytest.mark.parametrize("name", PAPERS)
def test_every_amount_is_a_number_and_exact(name: str) -> None:
    printed = PAPERS[name]()
    found = sheet(xlsx(printed), "Lines")
    heads = [cell.value for cell in found[1]]
    for row, each in zip(found.iter_rows(min_row=2), printed.lines, strict=True):
        cells = dict(zip(heads, row, strict=True))
        for column, minor, currency in (
            ("Amount", each.minor, each.currency),
            ("Billed amount", each.billed_minor, each.billed_currency),
        ):
            places = exponent(currency)
            assert cells[column].data_type == "n"
            assert exact(cells[column].value) == Decimal(minor).scaleb(-places)
            assert cells[column].number_format == ("#,##0." + "0" * places if places else "#,##0")
        assert cells["No."].value == each.number
        assert cells["Reason"].value == each.reason


def test_the_digits_of_the_file_are_the_digits_of_the_amount() -> None:
    amounts = [999_999_999_999_999, -123_456_789_012_345, 1, -10, 0, 110, 100_000_000_000_001]
    printed = paper(tuple(line(number, minor) for number, minor in enumerate(amounts, start=1)))
    lines = parts(xlsx(printed))["xl/worksheets/sheet2.xml"]
    found = re.findall(r'<c r="R\d+" s="\d+"><v>([^<]+)</v></c>', lines)
    assert found == [f"{Decimal(minor).scaleb(-2):f}" for minor in amounts]


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (10**15, "USD", "10000000000000.00"),
        (-(2**63), "KWD", "-9223372036854775.808"),
        (9_007_199_254_740_993, "JPY", "9007199254740993"),
    ],
)
def test_an_amount_of_more_digits_than_a_spreadsheet_keeps_is_text(minor: int, currency: str, text: str) -> None:
    content = xlsx(paper((line(1, minor, currency=currency),)))
    assert sheet(content, "Lines")["R2"].value == text
    assert sheet(content, "Lines")["R2"].data_type == "s"


def test_totals_comparisons_and_dates_are_typed() -> None:
    found = sheet(xlsx(statement()), "Summary")
    rows = {row[0].value: row for row in found.iter_rows()}
    assert rows["Issued on"][1].value == datetime(2026, 11, 5)  # noqa: DTZ001 - a spreadsheet knows no zones
    total = [cell.value for cell in rows["USD"]]
    assert total == ["USD", 10536.45, 9590.49, 945.96, 0, 9723.16, 813.29, 0.084, 10000, 536.45, 0.054]
    assert rows["USD"][7].number_format == "+0.0%;-0.0%;0.0%"


def test_the_parts_of_a_change_sum_to_it() -> None:
    found = sheet(xlsx(statement()), "Why it changed")
    amounts = [exact(row[3].value) for row in found.iter_rows(min_row=2) if row[3].value is not None]
    assert amounts[0] + sum(amounts[1:-1]) == amounts[-1] == Decimal("10536.45")
    drivers = [exact(row[4].value) for row in found.iter_rows(min_row=2) if row[4].value is not None]
    assert len(drivers) == 4


@pytest.mark.parametrize(
    "text",
    ["=1+2", "+1", "-1", "@SUM(A1)", "{=1}", "http://x.example", "mailto:a@x.example", "internal:A1", NASTY, "007",
     "<r><t>x</t></r>", "<r></r>", "_x0041_", " edge ", "TRUE", "1e5", "#N/A"],
)  # fmt: skip
def test_every_text_stays_that_text(text: str) -> None:
    content = xlsx(paper((line(1, 5, service=text, reason=text),), name=text, company=text, label=text))
    # Excel reads _x0041_ as a letter, so the file holds it escaped; openpyxl leaves that to its caller.
    assert [unescape(str(sheet(content, "Lines")[cell].value)) for cell in ("C2", "G2")] == [text, text]
    assert sheet(content, "Lines")["C2"].data_type == "s"
    assert unescape(str(sheet(content, "Summary")["A1"].value)) == text
    for name, part in parts(content).items():
        assert "<f>" not in part, name
        assert "hyperlink" not in part, name


def test_what_no_file_can_hold_does_not_break_it() -> None:
    content = xlsx(paper((line(1, 5, service="a\0b\x0b\ud800\ufffe", reason="r" * 40_000),)))
    assert sheet(content, "Lines")["C2"].value == "a b "
    reason = sheet(content, "Lines")["G2"].value
    assert isinstance(reason, str)
    assert len(reason) == 32_767
    assert reason.endswith("…")


@pytest.mark.parametrize("name", PAPERS)
def test_the_same_bytes_again(name: str) -> None:
    assert xlsx(PAPERS[name](), "de") == xlsx(PAPERS[name](), "de")
    with zipfile.ZipFile(io.BytesIO(xlsx(PAPERS[name]()))) as book:
        assert {part.date_time[0] for part in book.infolist()} == {1980}  # not of the day it was made
    assert xlsx(PAPERS[name]()) != xlsx(replace(PAPERS[name](), period="2026-11"))


def test_sheets_are_made_to_be_read_and_printed() -> None:
    content = xlsx(invoice(), "de")
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Übersicht", "Positionen", "Warum es sich verändert hat", "Verlauf"]
    lines = sheet(content, "Positionen")
    assert lines.freeze_panes == "A2"
    assert lines.auto_filter.ref == "A1:R7"
    assert lines.print_title_rows == "$1:$1"
    assert (lines.page_setup.orientation, str(lines.page_setup.paperSize)) == ("landscape", "9")
    assert book.properties.title == f"Interne Rechnung BLK-2026-000017 – {invoice().name}"
    assert book.properties.creator == "Brightwater Group"
    assert book.properties.created == datetime(2026, 11, 5)  # noqa: DTZ001 - a spreadsheet knows no zones


def test_a_credit_note_and_a_draft_say_so() -> None:
    note = [row[0].value for row in sheet(xlsx(credit_note()), "Summary").iter_rows(max_row=3)]
    assert note[1] == "Credit note about BLK-2026-000017"
    draft = [row[0].value for row in sheet(xlsx(replace(statement(), issued_on=None)), "Summary").iter_rows(max_row=3)]
    assert draft == ["Brightwater Group", "Statement (showback)", "DRAFT"]
