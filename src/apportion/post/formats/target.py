"""What a target is: its columns, its limits, and what a company may choose about it.

A target is described by values, not by code: a few columns say which field of a line stands where and how it is
spelled. What the columns do not hold goes into the companion file, so nothing is lost in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from apportion.errors import InputRefusedError


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table or one member of a document, and the field of a line that it holds.

    `most` is the number of characters that the target takes (0: no limit is known). `day` is how a day is spelled, or
    ``@`` and the name of a setting that says so. `words` are what debit and credit are called. `where` names a field
    without which the column stays empty, and `first` columns are written on the first line of a document only.
    `setting` fills the column; `empty` names the setting that stands for an empty value. Where `zero`, the other side
    of two amount columns is a zero.
    """

    name: str
    field: str = ""
    most: int = 0
    day: str = ""
    words: tuple[str, str] = ("", "")
    number: bool = False
    constant: str = ""
    setting: str = ""
    where: str = ""
    first: bool = False
    required: bool = False
    empty: str = ""
    zero: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """A choice of the company, such as the number of its ledger, with what holds without one."""

    name: str
    about: str
    default: str = ""
    required: bool = False
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """What one document of a target holds: one company, one currency, at most so many lines.

    Where `in_books`, amounts are in the currency of the company's books, whatever they were made in.
    """

    per_company: bool = True
    per_currency: bool = False
    most_lines: int = 0
    least_lines: int = 1
    in_books: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What one export is asked for.

    `settings` are the target's own (`Target.settings`). `columns` gives a column another field of ours (``cost_center``
    or ``dimension.project``), adds one, or with an empty field leaves one empty. `companion` are fields that stay out
    of the target although it has room, such as ``text``. `books` says in which currency a company keeps its books, by
    company code. `template` is the customer's own template, its header row last (`apportion.post.formats.template`).
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    companion: frozenset[str] = frozenset()
    books: Mapping[str, str] = field(default_factory=dict)
    template: tuple[tuple[str, ...], ...] = ()

    def as_json(self) -> dict[str, object]:
        """As the companion file keeps it."""
        return {
            "settings": dict(sorted(self.settings.items())),
            "columns": dict(self.columns),
            "companion": sorted(self.companion),
            "books": dict(sorted(self.books.items())),
            "template": [list(row) for row in self.template],
        }


@dataclass(frozen=True, slots=True)
class Rendered:
    """Everything that is handed over, by file name: the target's files, the companion, and the control file.

    `control` is the name of the control file: it has the digests of all others, their lines, and their totals.
    """

    files: dict[str, bytes]
    control: str


@dataclass(frozen=True, slots=True)
class Page:
    """What becomes one file: the cells of each column, line by line, and where each of its documents ends."""

    columns: tuple[Column, ...]
    cells: tuple[list[str], ...]
    ends: tuple[int, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    above: tuple[tuple[str, ...], ...] = ()


class Carrier(Protocol):
    """How cells become bytes, and bytes cells."""

    def write(self, page: Page) -> bytes:
        """The file."""

    def read(self, content: bytes, page: Page) -> list[list[str]]:
        """The cells of each column of `page`, which has no cells of its own. Raises `ValueError` for other files."""


@dataclass(frozen=True, slots=True)
class Target:
    """A finance system, or one way into it.

    `key_most` is how long the key of a document may be, `whole` and `decimals` how many digits an amount may have
    before and after the point and `digits` in all (0: only our own limit of 18; `decimals` of -1: those of the
    currency). Files are cut
    at `lines_per_file` lines between documents, and by company or currency where `file_per` says so. `free` targets
    take a column for each of the company's own dimensions. `columns` may depend on the options, as with a template.
    """

    name: str
    title: str
    extension: str
    carrier: Carrier
    columns: Callable[[Options], tuple[Column, ...]]
    shape: Shape = Shape()
    settings: tuple[Setting, ...] = ()
    key_most: int = 0
    whole: int = 0
    decimals: int = -1
    digits: int = 0
    encoding: str = "utf-8"
    lines_per_file: int = 0
    file_per: tuple[str, ...] = ()
    free: bool = False
    sheet: bool = False  # a file that spreadsheets open and would run formulas of
    xml: bool = False  # names of columns are those of elements
    cells: bool = False  # a workbook: XML inside, with any names
    check: Callable[[Options], None] | None = None
    statistical: Callable[[Options], tuple[Column, ...]] | None = None
    forbidden: Mapping[str, str] = field(default_factory=dict)  # characters that a field may not hold, by field

    def chosen(self, options: Options) -> Mapping[str, str]:
        """Every setting with its value. Raises `InputRefusedError` for an unknown, missing or impossible one."""
        known = {setting.name: setting for setting in self.settings}
        for name in options.settings:
            if name not in known:
                raise InputRefusedError(
                    f"{self.title} has no setting '{name}'.",
                    advice=f"Its settings are {', '.join(known)}." if known else "It has none.",
                )
        found = {name: options.settings.get(name, setting.default) for name, setting in known.items()}
        for name, value in found.items():
            setting = known[name]
            if setting.required and not value:
                raise InputRefusedError(f"{self.title} needs the setting '{name}': {setting.about}.")
            if setting.one_of and value not in setting.one_of:
                raise InputRefusedError(
                    f"'{value}' cannot be the setting '{name}' of {self.title}.",
                    advice=f"Choose one of {', '.join(setting.one_of)}.",
                )
        return found


def fixed(*columns: Column) -> Callable[[Options], tuple[Column, ...]]:
    """Columns that depend on no option."""
    return lambda _options: columns
