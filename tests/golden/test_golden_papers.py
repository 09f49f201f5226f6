"""Three documents in every format: a statement, an invoice in three currencies, and a credit note.

PDFs are compared by their text, page by page, set in the letters that the typesetter brings along, so that no other
font has a part in it. A change in a golden file needs a line in the changelog. To write the files anew:
`APPORTION_WRITE_GOLDEN=1 pytest tests/golden`.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

import openpyxl
import pytest
from pypdf import PdfReader

from apportion.invoice.paper import Paper, from_json, to_json
from apportion.invoice.papers import pdf as pdf_module
from apportion.invoice.papers.csv_file import csv
from apportion.invoice.papers.pdf import pdf
from apportion.invoice.papers.spreadsheet import xlsx
from tests.papers import PAPERS

HERE = Path(__file__).parent / "papers"


def json(paper: Paper) -> bytes:
    return f"{to_json(paper)}\n".encode()


def pages(paper: Paper, locale: str) -> bytes:
    """The text of each page."""
    found = [page.extract_text() for page in PdfReader(io.BytesIO(pdf(paper, locale))).pages]
    return "".join(f"--- {number}\n{text}\n" for number, text in enumerate(found, start=1)).encode()


def cells(paper: Paper, locale: str) -> bytes:
    """Every cell with its format, and a digest of each part of the file."""
    content = xlsx(paper, locale)
    told = [
        f"{sheet.title}!{cell.coordinate} [{cell.number_format}] {cell.value!r}"
        for sheet in openpyxl.load_workbook(io.BytesIO(content))
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    ]
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        told += [f"{sha256(book.read(name)).hexdigest()} {name}" for name in sorted(book.namelist())]
    return ("\n".join(told) + "\n").encode()


FORMATS: Mapping[str, Callable[[Paper], bytes]] = {
    "json": json,
    "csv": csv,
    "en.pdf.txt": lambda paper: pages(paper, "en"),
    "de.pdf.txt": lambda paper: pages(paper, "de"),
    "en.xlsx.txt": lambda paper: cells(paper, "en"),
}


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", PAPERS)
def test_document_is_the_golden_one(name: str, suffix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pdf_module, "FONTS", tmp_path / "none")
    made = FORMATS[suffix](PAPERS[name]())
    golden = HERE / f"{name}.{suffix}"
    if os.environ.get("APPORTION_WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(made)
    assert made == golden.read_bytes()


@pytest.mark.parametrize("name", PAPERS)
def test_the_kept_json_is_the_same_document(name: str) -> None:
    assert from_json((HERE / f"{name}.json").read_text(encoding="utf-8")) == PAPERS[name]()
