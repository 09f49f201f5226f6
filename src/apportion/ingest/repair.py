"""A CSV with ragged rows made regular, so that its good rows can be read and its bad ones kept.

Only for a file that the engine refuses to read: slower by far, and the same rows in the same order come out. A row that
has more or fewer fields than the header, or a quotation mark out of place, comes out without fields; its text stands in
a last column.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from apportion.errors import Place, UnreadableFileError
from apportion.ingest.read import LONGEST_FIELD


class _Lines(Iterator[str]):
    """Lines one after the other, and the text of those given since the last row."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.text: list[str] = []

    def __next__(self) -> str:
        line = next(self._lines)
        self.text.append(line)
        return line

    def take(self) -> str:
        """The text since the last call."""
        text, self.text = "".join(self.text), []
        return text


def repair(lines: Iterable[str], delimiter: str, width: int, target: Path, name: str) -> None:
    """Write the rows of a CSV, header included, as a regular CSV with commas and one more column.

    `width` is the number of columns. Raises `UnreadableFileError` for a quotation mark that is never closed.
    """
    csv.field_size_limit(LONGEST_FIELD)
    source = _Lines(lines)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f"c{place}" for place in range(width + 1)])
        for number, fields in enumerate(_rows(source, delimiter, name)):
            if number == 0:
                source.take()
                continue
            text = source.take().rstrip("\r\n")
            if fields is not None and len(fields) == width + 1 and not fields[-1]:
                fields.pop()  # a delimiter at the end of the row
            if fields is None or len(fields) != width:
                writer.writerow([*[""] * width, text])
            else:
                writer.writerow([*fields, ""])


def _rows(source: _Lines, delimiter: str, name: str) -> Iterator[list[str] | None]:
    """The rows that are not blank; None for one whose quotation marks are out of place."""
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    number = -1
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise UnreadableFileError(
                    "A quotation mark is never closed.",
                    place=Place(name, row=number + 1),
                    advice="Close it, or double quotation marks inside a field.",
                ) from None
            number += 1
            yield None
            continue
        if fields:
            number += 1
            yield fields
        else:
            source.take()
