"""Tables for a terminal of 80 columns or more: text on the left, amounts on the right.

No digit and no code is ever cut off: a table that does not fit is wider than the terminal, which breaks its lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apportion.cli.face import clean

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


_READABLE = 12  # how narrow a column whose values go on in the next line may become


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading; whether its values are numbers; whether a long value may go on in the next line."""

    heading: str
    is_number: bool = False
    wraps: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, sums: Sequence[Sequence[str]] = ()) -> Table:
    """Rows, and below a line the `sums`."""
    from rich import box
    from rich.table import Table

    lines = box.Box("    \n    \n ── \n    \n ── \n ── \n    \n    \n")  # below the heading, and above the sums
    made = Table(box=lines, pad_edge=False, show_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        longest = max(cell(each).cell_len for each in (column.heading, *(row[place] for row in (*rows, *sums))))
        made.add_column(
            cell(column.heading),
            justify="right" if column.is_number else "left",
            no_wrap=not column.wraps,
            overflow="fold",
            min_width=min(longest, _READABLE) if column.wraps else longest,
        )
    for place, row in enumerate(rows, start=1):
        made.add_row(*map(cell, row), end_section=bool(sums) and place == len(rows))
    for row in sums:
        made.add_row(*map(cell, row), style="bold")
    return made


def cell(text: str) -> Text:
    """A value as it is: no markup, and nothing that steers the terminal."""
    from rich.text import Text

    return Text(clean(text).replace("\n", " "))
