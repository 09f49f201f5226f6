"""A document as PDF: the same bytes, searchable, tagged, with its fonts inside; and whatever is in it is only text."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from apportion.errors import BadValueError
from apportion.invoice.paper import Paper, to_json
from apportion.invoice.papers import pdf as module
from apportion.invoice.papers.pdf import pdf, pdfs
from apportion.organization.ownership import Owners
from tests.papers import NASTY, PAPERS, credit_note, invoice, line, paper, share, statement

pytestmark = pytest.mark.thorough


def read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def text(content: bytes) -> str:
    """All text, with one space for any white space: where a line ends depends on the fonts."""
    return " ".join(" ".join(page.extract_text() for page in read(content).pages).split())


def tight(content: str) -> str:
    return re.sub(r"\s+", "", content)


@pytest.mark.parametrize("name", PAPERS)
@pytest.mark.parametrize("locale", ["en", "de"])
def test_the_same_bytes_again(name: str, locale: str) -> None:
    first = pdf(PAPERS[name](), locale)
    module._free.clear()
    assert pdf(PAPERS[name](), locale) == first


def test_what_was_printed_before_leaves_no_trace() -> None:
    alone = pdf(statement())
    for made in PAPERS.values():
        pdf(made(), "de")
    assert pdf(statement()) == alone


@pytest.mark.slow
def test_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    (tmp_path / "paper.json").write_text(to_json(invoice()), encoding="utf-8")
    code = (
        "import sys, pathlib;"
        "from apportion.invoice.paper import from_json;"
        "from apportion.invoice.papers.pdf import pdf;"
        "sys.stdout.buffer.write(pdf(from_json(pathlib.Path(sys.argv[1]).read_text(encoding='utf-8')), 'de'))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "paper.json")]
    environment = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}
    assert subprocess.run(command, capture_output=True, check=True, env=environment).stdout == pdf(invoice(), "de")


def test_it_is_to_keep_and_for_everybody() -> None:
    found = read(pdf(statement(), "de"))
    root: Any = found.trailer["/Root"]
    assert root["/Lang"] == "de"
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712 - a value of the file, not of Python
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] == True  # noqa: E712 - see above
    metadata = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert found.metadata is not None
    assert found.metadata.title == "Kostennachweis (Showback) KES-2026-10-0004 – Web shop"
    assert found.metadata.author == "Brightwater Group"
    assert found.metadata.creation_date_raw == "D:20261105000000Z"


def tags(content: bytes) -> list[Any]:
    """Every element of the tag tree, in order."""

    def below(element: Any) -> Iterator[Any]:
        element = element.get_object()
        if isinstance(element, list):
            for each in element:
                yield from below(each)
        elif isinstance(element, dict):
            if "/S" in element:
                yield element
            if "/K" in element:
                yield from below(element["/K"])

    root: Any = read(content).trailer["/Root"]
    return list(below(root["/StructTreeRoot"]["/K"]))


def test_headings_tables_and_the_chart_are_tagged() -> None:
    found = tags(pdf(statement()))
    kinds = [element["/S"] for element in found]
    assert kinds.count("/H1") == 1
    assert kinds.count("/H2") == 5
    assert kinds.count("/Table") == 3
    assert kinds.count("/TH") >= 3 * 4
    figures = [element["/Alt"] for element in found if element["/S"] == "/Figure"]
    assert len(figures) == 1
    assert figures[0].startswith("Cost by month in USD: November 2025: 7,021.10; ")
    assert figures[0].endswith("October 2026: 10,536.45.")


def test_its_fonts_are_inside() -> None:
    fonts: dict[str, Any] = {}
    for page in read(pdf(invoice())).pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            fonts[font["/BaseFont"]] = font["/DescendantFonts"][0]["/FontDescriptor"]
    assert fonts
    assert all("/FontFile2" in each or "/FontFile3" in each for each in fonts.values())


def test_a_statement_says_everything() -> None:
    said = text(pdf(statement()))
    for wanted in (
        "Brightwater Group", "Statement (showback)", "Web shop", "KES-2026-10-0004", "October 2026", "November 5, 2026",
        "For information: nothing of it will be posted.", "by November 19, 2026", "Retail (retail)", "10,536.45 USD",
        "Against September 2026", "+813.29", "+8.4 %", "was 9,723.16", "+536.45", "+5.4 %", "Why it changed",
        "New resources", "+640.33", "-180.02", "checkout-api", "Direct cost", "9,590.49", "Shared cost", "945.96",
        "Correction of August 2026", "Exchange: 1 EUR = 1.0852 USD, 2026-10-30, eurofxref.csv", "36.00 EUR",
        "Taxes: one of 2 equal parts", "apportion explain KES-2026-10-0004:22", "Brightwater 2026", "600100",
        "lena.fischer@brightwater.example", "Page 1 of 3", "Page 3 of 3", "No service named",
    ):  # fmt: skip
        assert tight(wanted.replace("\N{NO-BREAK SPACE}", "")) in tight(said), wanted
    for digest in (statement().policy_digest, statement().run_digest):
        assert digest in tight(said)
    assert "DRAFT" not in said


@pytest.mark.slow
def test_every_line_is_there_with_its_amount() -> None:
    lines = tuple(
        line(
            number, minor * (-1) ** number, currency=("USD", "JPY", "KWD")[number % 3], service=f"Service {number // 5}"
        )
        for number, minor in enumerate(range(100_000, 100_500), start=1)
    )
    content = pdf(paper(lines))
    said = text(content)
    shown = {"USD": "{:,.2f}", "JPY": "{:,.0f}", "KWD": "{:,.3f}"}
    for each in lines:
        places = {"USD": 100, "JPY": 1, "KWD": 1000}[each.currency]
        assert shown[each.currency].format(each.minor / places) in said
    assert f"Page {len(read(content).pages)} of {len(read(content).pages)}" in said


def test_a_draft_is_marked_on_every_page() -> None:
    draft = replace(statement(), issued_on=None)
    pages = read(pdf(draft)).pages
    assert all(page.extract_text().count("DRAFT") >= 2 for page in pages)
    assert "not issued, and without effect" in text(pdf(draft))
    assert "ENTWURF" in text(pdf(draft, "de"))
    assert read(pdf(draft)).metadata.creation_date_raw == "D:20261101000000Z"  # type: ignore[union-attr]


def test_a_credit_note_says_what_it_is_about() -> None:
    said = text(pdf(credit_note()))
    for wanted in (
        "Credit note about BLK-2026-000017",
        "wrong team from 3 October",
        "-599.81",
        "line BLK-2026-000017:3",
    ):
        assert wanted in said
    assert "apportion explain" not in said


@pytest.mark.parametrize(
    "nasty", [NASTY, "#panic()", "*b* _i_ `c` $1/2$", '"); #read("/etc/passwd")', "<a href='x'>", "--"]
)
def test_text_is_never_code(nasty: str) -> None:
    printed = paper(
        (line(1, 5, service=nasty, reason=nasty, invoice_issuer=nasty), share(2, 5, "P", "even", nasty)),
        label=nasty, company=nasty, name=nasty, note=nasty, about=nasty, policy_name=nasty,
        owners=Owners(nasty, nasty, nasty), path=((nasty, nasty),),
    )  # fmt: skip
    content = pdf(printed)
    assert tight(text(content)).count(tight(nasty)) >= 10
    found = read(content).metadata
    assert found is not None
    assert str(found.author) == nasty
    assert nasty in str(found.title)


def test_a_long_word_ends_within_its_column_and_is_still_found() -> None:
    word = "Supercalifragilistic" * 12
    printed = paper((line(1, 10**19, service=word, reason=word, invoice_id=word),), name=word, company=word)
    content = pdf(printed)
    assert tight(text(content)).count(word) >= 5
    edge = read(content).pages[0].mediabox.right
    rightmost: list[float] = []

    def visit(_text: str, _cm: Any, matrix: Any, _font: Any, _size: Any) -> None:
        rightmost.append(float(matrix[4]))

    read(content).pages[0].extract_text(visitor_text=visit)
    assert max(rightmost) < edge


def test_letters_that_no_font_has_are_kept_as_text() -> None:
    content = pdf(replace(statement(), name="視覚 \U0001f9ff"))
    assert read(content).metadata.title == "Statement (showback) KES-2026-10-0004 – 視覚 \U0001f9ff"  # type: ignore[union-attr]
    assert content == pdf(replace(statement(), name="視覚 \U0001f9ff"))


def test_control_characters_do_no_harm() -> None:
    content = pdf(replace(statement(), name="a\0b\x1b\u202ec"))
    assert "a b c" in text(content)
    assert b"pdfuaid" in content


def test_several_documents_in_one_file() -> None:
    papers = [made() for made in PAPERS.values()]
    content = pdf(papers, "de")
    found = read(content)
    pages = [len(read(pdf(each, "de")).pages) for each in papers]
    assert len(found.pages) == sum(pages)
    assert "Seite 1 von 3" in found.pages[0].extract_text()
    assert f"Seite 1 von {pages[1]}" in found.pages[pages[0]].extract_text()
    assert "Seite 1 von 1" in found.pages[-1].extract_text()
    top = [str(entry["/Title"]) for entry in found.outline if not isinstance(entry, list)]
    assert len(top) == 3
    assert all(each.label in title for each, title in zip(papers, top, strict=True))
    assert found.metadata is not None
    assert found.metadata.title == "3 Dokumente"


def test_nothing_is_refused() -> None:
    with pytest.raises(BadValueError, match="no document"):
        pdf([])
    with pytest.raises(BadValueError, match="not a locale"):
        pdf(statement(), "klingon")


def test_a_document_without_lines_says_so() -> None:
    said = text(pdf(paper((), review_until=None, issued_on=date(2026, 11, 5))))
    assert "There are no lines." in said
    assert "Twelve months" not in said


def numbered(count: int) -> list[Paper]:
    return [replace(credit_note(), label=f"BLK-2026-{number:06d}") for number in range(1, count + 1)]


def test_many_are_made_one_after_the_other_by_one() -> None:
    asked: list[str] = []

    def papers() -> Iterator[Paper]:
        for each in numbered(3):
            asked.append(each.label)
            yield each

    made = pdfs(papers(), workers=1)
    assert next(made) == pdf(numbered(1))
    assert asked == ["BLK-2026-000001"]
    assert list(made) == [pdf(each) for each in numbered(3)[1:]]


def test_threads_do_not_disturb_each_other() -> None:
    papers = numbered(8)
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(pdf, papers))
    assert made == [pdf(each) for each in papers]


@pytest.mark.slow
def test_many_are_made_in_their_order_by_processes() -> None:
    papers = numbered(12)
    assert list(pdfs(iter(papers), "de", workers=2)) == [pdf(each, "de") for each in papers]
    begun = pdfs(papers, workers=2)
    assert next(begun) == pdf(papers[0])
    begun.close()  # type: ignore[attr-defined]
