"""Workbooks (XLSX): a sheet of typed cells out, and the cells of a sheet in.

Codes and texts are text cells, so that zeros in front stay and nothing is run as a formula; amounts are number cells
with the digits they have here, never by way of a float. Written directly, for speed: a sheet of a hundred thousand
lines takes a second or two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from xml.etree.ElementTree import Element

from apportion.errors import BadValueError
from apportion.post.formats.tables import body, unzipped, zipped
from apportion.post.formats.target import Page
from apportion.post.formats.xml_text import escaped, parsed

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET_TYPE}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Journal" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    # Styles: 0 plain, 1 bold, 2 text (@), 3 to 7 numbers with no to four decimals, 8 a day.
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts count="5">'
    + "".join(
        f'<numFmt numFmtId="{164 + places}" formatCode="#,##0{"." * bool(places)}{"0" * places}"/>'
        for places in range(5)
    )
    + '</numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="9"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    + "".join(
        f'<xf numFmtId="{164 + places}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        for places in range(5)
    )
    + '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_UNESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d+)", re.ASCII)
_DAY = 8
MOST_CHARACTERS = 32_767  # of a cell
MOST_ROWS = 1_048_576
DIGITS = 15  # that a spreadsheet keeps of a number


@dataclass(frozen=True, slots=True)
class Workbook:
    """One sheet: rows above, the header, one row a line; the rows down to the header stay in view."""

    def write(self, page: Page) -> bytes:
        """The workbook, the same bytes for the same page. Raises `BadValueError` for more than a sheet can hold."""
        top = [*page.above, tuple(column.name for column in page.columns)]
        if len(top) + (page.ends[-1] if page.ends else 0) > MOST_ROWS:
            raise BadValueError(f"A sheet has {MOST_ROWS:,} rows.", advice="Export fewer entries at once.")
        parts: dict[str, Iterable[bytes]] = {name: [(_HEAD + text).encode("utf-8")] for name, text in _PARTS.items()}
        return zipped({**parts, "xl/worksheets/sheet1.xml": _sheet(page, top)})

    def read(self, content: bytes, page: Page) -> list[list[str]]:
        """Columns of cells. Raises `BadValueError` or `ValueError` for another workbook."""
        width = len(page.columns)
        rows = [[*row, *[""] * (width - len(row))] for row in first_sheet(content)]
        return body(rows, Page(page.columns, (), (), page.settings, above=tuple(("",) for _ in page.above)))


def _sheet(page: Page, top: Sequence[Sequence[str]]) -> Iterator[bytes]:
    """The sheet, a thousand rows at a time."""
    widths = (
        f'<col min="{place}" max="{place}" width="{_width(page, place - 1)}" customWidth="1"/>'
        for place in range(1, len(page.columns) + 1)
    )
    opening = (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        f'<pane ySplit="{len(top)}" topLeftCell="A{len(top) + 1}" activePane="bottomLeft" state="frozen"/>'
        f"</sheetView></sheetViews><cols>{''.join(widths)}</cols><sheetData>"
    )
    head = "".join(_text_row(number, cells, 1) for number, cells in enumerate(top, start=1))
    yield (opening + head).encode("utf-8")
    rows = _rows(page, len(top))
    while chunk := "".join(islice(rows, 1000)):
        yield chunk.encode("utf-8")
    yield b"</sheetData></worksheet>"


def _width(page: Page, place: int) -> int:
    longest = max(map(len, page.cells[place][:200]), default=0) if page.cells else 0
    return min(60, max(8, longest + 2, len(page.columns[place].name) + 2))


def _text_row(number: int, cells: Sequence[str], style: int) -> str:
    made = (_text_cell(place, number, text, style) for place, text in enumerate(cells) if text)
    return f'<row r="{number}">{"".join(made)}</row>'


def _text_cell(place: int, number: int, text: str, style: int) -> str:
    inside = f'<is><t xml:space="preserve">{_cell(text)}</t></is>'
    return f'<c r="{letters(place)}{number}" s="{style}" t="inlineStr">{inside}</c>'


def _cell(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise BadValueError(f"A cell holds {MOST_CHARACTERS:,} characters, and a text has {len(text):,}.")
    return escaped(_ESCAPE.sub("_x005F_", text))


def _rows(page: Page, above: int) -> Iterator[str]:
    """Each line as a row; every different text and number is made once for each column."""
    made: list[list[tuple[str, str]]] = []
    for place, (column, texts) in enumerate(zip(page.columns, page.cells, strict=True)):
        letter = letters(place)
        known: dict[str, tuple[str, str]] = {}
        for text in set(texts):
            if not text:
                known[text] = ("", "")
            elif column.number:
                style = _DAY if column.day else 3 + len(text.partition(".")[2])
                known[text] = (f'<c r="{letter}', f'" s="{style}"><v>{text}</v></c>')
            else:
                inside = f'<is><t xml:space="preserve">{_cell(text)}</t></is>'
                known[text] = (f'<c r="{letter}', f'" s="2" t="inlineStr">{inside}</c>')
        made.append([known[text] for text in texts])
    for number, cells in enumerate(zip(*made, strict=True), start=above + 1):
        row = str(number)
        yield f'<row r="{row}">' + "".join([start + row + end for start, end in cells if end]) + "</row>"


def letters(place: int) -> str:
    """The name of a column, from 0: A, B … Z, AA."""
    found = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def first_sheet(content: bytes) -> list[list[str]]:
    """The cells of a workbook's first sheet as text, row by row, without empty cells at the ends of rows.

    Reads what spreadsheets write (shared strings) and what `Workbook` does. Raises `BadValueError` for anything else.
    """
    parts = unzipped(content)
    try:
        shared = _shared(parts)
        sheet = parsed(parts[_first(parts)], "worksheet")
        rows: list[list[str]] = []
        for row in sheet.iter(f"{{{_MAIN}}}row"):
            number = int(row.get("r") or len(rows) + 1)
            if number > MOST_ROWS:
                raise ValueError("a sheet has no such row")
            rows.extend([] for _ in range(number - len(rows)))
            rows[number - 1] = _read_row(row, shared)
    except (KeyError, IndexError, ValueError) as error:
        raise BadValueError(f"The workbook cannot be read ({type(error).__name__}: {error}).") from error
    return rows


def _first(parts: dict[str, bytes]) -> str:
    """The file of the first sheet, by way of the book's own list."""
    book = parsed(parts["xl/workbook.xml"], "workbook")
    wanted = next(book.iter(f"{{{_MAIN}}}sheet")).get(f"{{{_OFFICE}}}id")
    for each in parsed(parts["xl/_rels/workbook.xml.rels"], "relationships"):
        if each.get("Id") == wanted:
            target = each.get("Target", "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise KeyError("first sheet")


def _shared(parts: dict[str, bytes]) -> list[str]:
    if "xl/sharedStrings.xml" not in parts:
        return []
    return [_text(item) for item in parsed(parts["xl/sharedStrings.xml"], "shared strings")]


def _text(item: Element) -> str:
    text = "".join(each.text or "" for each in item.iter(f"{{{_MAIN}}}t"))
    return _UNESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def _read_row(row: Element, shared: Sequence[str]) -> list[str]:
    cells: list[str] = []
    for cell in row:
        found = _REFERENCE.fullmatch(cell.get("r") or "")
        place = _place(found[1]) if found else len(cells)
        cells.extend("" for _ in range(place + 1 - len(cells)))
        kind, value = cell.get("t", "n"), cell.find(f"{{{_MAIN}}}v")
        if cell.find(f"{{{_MAIN}}}f") is not None:
            raise ValueError(f"{cell.get('r')} holds a formula")
        if kind == "inlineStr":
            cells[place] = _text(cell)
        elif value is not None:
            cells[place] = shared[int(value.text or "")] if kind == "s" else value.text or ""
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _place(name: str) -> int:
    place = 0
    for letter in name:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1
