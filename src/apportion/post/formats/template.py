"""The customer's own template: which columns it has, and what belongs into them.

A template is a workbook or a CSV file as the finance system gives it out. Its header row is the one with the most names
that we know; rows above it are kept as they are. Columns that we do not know stay, and stay empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

from apportion.errors import BadValueError, InputRefusedError
from apportion.post.formats.target import Options
from apportion.post.formats.workbook import first_sheet

_LEAST_KNOWN = 4
_DELIMITERS = (",", ";", "\t")


def with_template(options: Options, content: bytes, names: Mapping[str, str]) -> Options:
    """Options with the rows of a template, and for CSV its delimiter.

    `names` are the headers that are known, as `plain` makes them, with the field of each. Raises `BadValueError` for
    a file that is neither a workbook nor UTF-8 text, and `InputRefusedError` where no row looks like a header.
    """
    settings = dict(options.settings)
    if content.startswith(b"PK"):
        rows = first_sheet(content)
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadValueError("The template is neither a workbook (XLSX) nor text in UTF-8.") from error
        by_delimiter = {each: list(csv.reader(io.StringIO(text, newline=""), delimiter=each)) for each in _DELIMITERS}
        delimiter = max(
            by_delimiter, key=lambda each: max((_known(row, names) for row in by_delimiter[each]), default=0)
        )
        rows = by_delimiter[delimiter]
        settings["delimiter"] = delimiter
    place = max(range(len(rows)), key=lambda each: _known(rows[each], names), default=-1)
    if place < 0 or _known(rows[place], names) < _LEAST_KNOWN:
        raise InputRefusedError(
            "No row of the template has names of columns that are known.",
            advice="Give the template as the finance system hands it out, or name its columns in the options.",
        )
    kept = [_trimmed(row) for row in rows[: place + 1]]
    if not all(kept[-1]):
        raise InputRefusedError("A column of the template has no name.", advice="Remove the column from the template.")
    return replace(options, settings=settings, template=tuple(kept))


def plain(name: str) -> str:
    """A header without what differs from template to template: letters and digits, small, no mark of a duty."""
    return "".join(character for character in name.casefold() if character.isalnum())


def _known(row: Sequence[str], names: Mapping[str, str]) -> int:
    return sum(plain(cell) in names for cell in row)


def _trimmed(row: Sequence[str]) -> tuple[str, ...]:
    cells = list(row)
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)
