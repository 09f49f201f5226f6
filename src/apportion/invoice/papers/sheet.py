"""One sheet of a workbook: rows from top to bottom, each cell with a type, every amount exact.

A spreadsheet keeps numbers as binary fractions of 15 certain digits. An amount of at most 15 digits is written as a
number, digit for digit, and comes back the same; a longer one is written as text, so that none of it is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from apportion.invoice.papers.words import clean
from apportion.money.currency import exponent, minor_text

if TYPE_CHECKING:
    from xlsxwriter import Workbook  # type: ignore[import-untyped]
    from xlsxwriter.format import Format  # type: ignore[import-untyped]

CERTAIN = 10**15  # in minor units; from here on, a number of a spreadsheet loses digits
_MOST = 32_767  # characters of a cell


@dataclass(frozen=True, slots=True)
class Money:
    """Minor units of a currency; `signed` shows a plus, too."""

    minor: int
    currency: str
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Percent:
    """Thousandths: 84 is 8.4 %."""

    thousandths: int


@dataclass(frozen=True, slots=True)
class Month:
    """The first day of a month, shown as year and month."""

    first_on: date


Cell = str | int | date | Money | Percent | Month | None


class Styles:
    """The formats of one workbook, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def of(self, **what: Any) -> Format:
        """The format with these properties."""
        key = tuple(sorted(what.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({"font_name": "Calibri", "font_size": 11, "valign": "top", **what})
        return self._made[key]


class Sheet:
    """A sheet to which rows are added. Once a row is added, it is written."""

    def __init__(self, book: Workbook, styles: Styles, name: str, widths: Sequence[int], foot: str) -> None:
        self._sheet = book.add_worksheet(name)
        self._styles = styles
        self._row = 0
        self._width = len(widths)
        for column, width in enumerate(widths):
            self._sheet.set_column(column, column, width)
        self._sheet.hide_gridlines(2)
        self._sheet.set_landscape()
        self._sheet.set_paper(9)  # A4
        self._sheet.fit_to_pages(1, 0)
        # "&" begins a code there, and the whole may have 255 characters.
        label = clean(foot)[:100].replace("&", "&&")
        self._sheet.set_footer(f"&L&8 {label}&R&8 &P / &N")

    def head(self, names: Sequence[str]) -> None:
        """The row of headings: it stays in sight, is printed on each page, and filters what is below."""
        style = self._styles.of(bold=True, bg_color="#F0F2F5", bottom=1, text_wrap=True)
        for column, name in enumerate(names):
            self._text(column, name, style)
        self._sheet.freeze_panes(self._row + 1, 0)
        self._sheet.repeat_rows(self._row)
        self._row += 1

    def filtered(self) -> None:
        """Filters over all rows below the first one."""
        if self._row > 1:
            self._sheet.autofilter(0, 0, self._row - 1, self._width - 1)

    def add(self, *cells: Cell, bold: bool = False, size: int = 11) -> None:
        """One row; None leaves a cell empty."""
        for column, cell in enumerate(cells):
            self._cell(column, cell, {"bold": True} if bold else {}, size)
        self._row += 1

    def skip(self) -> None:
        """An empty row."""
        self._row += 1

    def _cell(self, column: int, cell: Cell, look: dict[str, Any], size: int) -> None:
        if size != 11:
            look = {**look, "font_size": size}
        match cell:
            case None | "":
                pass
            case str():
                wrapped = {} if size != 11 else {"text_wrap": True}
                self._text(column, cell, self._styles.of(**look, **wrapped))
            case Money():
                self._money(column, cell, look)
            case Percent():
                number = Decimal(cell.thousandths).scaleb(-3)
                self._number(column, number, self._styles.of(num_format="+0.0%;-0.0%;0.0%", **look))
            case Month():
                style = self._styles.of(num_format="yyyy-mm", align="left", **look)
                self._sheet.write_datetime(self._row, column, cell.first_on, style)
            case date():
                style = self._styles.of(num_format="yyyy-mm-dd", align="left", **look)
                self._sheet.write_datetime(self._row, column, cell, style)
            case int():
                self._number(column, Decimal(cell), self._styles.of(num_format="#,##0", **look))

    def _money(self, column: int, money: Money, look: dict[str, Any]) -> None:
        places = exponent(money.currency)
        if abs(money.minor) >= CERTAIN:
            text = minor_text(money.minor, money.currency)
            self._text(column, text, self._styles.of(num_format="@", align="right", **look))
            return
        plain = f"#,##0.{'0' * places}" if places else "#,##0"
        shown = f"+{plain};-{plain};{plain}" if money.signed else plain
        number = Decimal(money.minor).scaleb(-places)
        self._number(column, number, self._styles.of(num_format=shown, **look))

    def _number(self, column: int, number: Decimal, style: Format) -> None:
        # The library writes up to 16 digits of a Decimal as they are; of a float, they would be what came nearest.
        self._sheet.write_number(self._row, column, number, style)

    def _text(self, column: int, text: str, style: Format) -> None:
        """Always as text: nothing is a formula, a link or mark-up of the file, whatever it looks like."""
        shown = clean(text)
        shown = shown if len(shown) <= _MOST else f"{shown[: _MOST - 1]}…"
        if shown.startswith("<r>") and shown.endswith("</r>"):
            # The library would take this for rich text that is marked up already.
            self._sheet.write_rich_string(self._row, column, shown[0], shown[1], shown[2:], style)
        else:
            self._sheet.write_string(self._row, column, shown, style)
