"""What kind of file it is, told by its bytes and not by its name, and the header of a CSV.

Takes the first bytes or lines, gives the format, compression, delimiter and column names. What is no Parquet or CSV is
refused with what it seems to be instead.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from apportion.errors import EmptyFileError, Place, UnreadableFileError
from apportion.focus.columns import DATASETS
from apportion.focus.versions import column_id

HEAD_BYTES = 4096
LONGEST_FIELD = 16 * 1024 * 1024
DELIMITERS = (",", ";", "\t", "|")
_HEADER_LINES = 50
_RESERVED = ("__", "file_row_number")

_SKIPPABLE_ZSTD = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))
_FOREIGN = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "Unpack it first, or export as Parquet or CSV."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook or a protected document", "Export it as Parquet or CSV."),
    (b"BZh", "a bzip2 file", "Unpack it first."),
    (b"\xfd7zXZ", "an xz file", "Unpack it first."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first."),
    (b"%PDF", "a PDF document", "Ask the provider for the cost data behind it."),
    (b"ORC", "an ORC file", "Export it as Parquet or CSV."),
    (b"Obj\x01", "an Avro file", "Export it as Parquet or CSV."),
    (b"SQLite format 3", "a SQLite database", "Export the table as Parquet or CSV."),
)


class Format(StrEnum):
    """The formats that can be read."""

    PARQUET = "parquet"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Kind:
    """A format and how it is compressed: ``none``, ``gzip`` or ``zstd`` (Parquet compresses inside: ``none``)."""

    format: Format
    compression: str = "none"


@dataclass(frozen=True, slots=True)
class Header:
    """The first row of a CSV: its delimiter, the column names as delivered, and names that differ from each other."""

    delimiter: str
    names: tuple[str, ...]
    physical: tuple[str, ...]


def kind(path: Path, name: str) -> Kind:
    """What a file is. Raises `EmptyFileError` and `UnreadableFileError`."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if not head:
            raise EmptyFileError("The file has no bytes.", place=Place(name), advice="Fetch it again.")
        if head.startswith(b"PAR1"):
            file.seek(-4, 2)
            _check_parquet_end(file.read(4), path.stat().st_size, name)
            return Kind(Format.PARQUET)
    if head.startswith(b"PARE"):
        raise UnreadableFileError("The Parquet file is encrypted.", place=Place(name), advice="Export it unencrypted.")
    if head.startswith(b"\x1f\x8b"):
        return Kind(Format.CSV, "gzip")
    if head.startswith((b"\x28\xb5\x2f\xfd", *_SKIPPABLE_ZSTD)):
        return Kind(Format.CSV, "zstd")
    check_text(head, name)
    return Kind(Format.CSV)


def _check_parquet_end(end: bytes, size: int, name: str) -> None:
    if end != b"PAR1" or size < 12:
        raise UnreadableFileError("The Parquet file is truncated.", place=Place(name), advice="Fetch it again.")


def check_text(head: bytes, name: str) -> None:
    """Whether the first bytes of a file, unpacked, can be text in UTF-8. Raises `UnreadableFileError`."""
    place = Place(name)
    if head.startswith(b"PK\x03\x04") and len(head) > 6 and head[6] & 1:
        raise UnreadableFileError(
            "This is a zip archive with a password.", place=place, advice="Unpack it with its password first."
        )
    for magic, what, advice in _FOREIGN:
        if head.startswith(magic):
            raise UnreadableFileError(f"This is {what}, not Parquet or CSV.", place=place, advice=advice)
    if head.startswith(b"PAR1"):
        raise UnreadableFileError("This is a Parquet file inside gzip.", place=place, advice="Unpack it first.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
        utf_16 = head.startswith((b"\xff\xfe", b"\xfe\xff")) or 3 * head.count(b"\0") > len(head)
        what = "The text is UTF-16, not UTF-8." if utf_16 else "This is neither Parquet nor text."
        advice = "Export it as UTF-8." if utf_16 else "Check that it is the file you mean."
        raise UnreadableFileError(what, place=place, advice=advice)


def header(lines: Iterable[str], name: str) -> Header:
    """Read the header of a CSV: the delimiter is the one that gives the most known columns, then the most columns.

    Raises `EmptyFileError` where no line holds anything, `UnreadableFileError` for a header that is never closed.
    """
    first = [line for line in islice(lines, _HEADER_LINES) if line.strip("\ufeff\r\n ")]
    if not first:
        raise EmptyFileError("The file has no header.", place=Place(name), advice="Fetch it again.")
    first[0] = first[0].removeprefix("\ufeff")
    csv.field_size_limit(LONGEST_FIELD)
    best: tuple[int, int, Header] | None = None
    for delimiter in DELIMITERS:
        try:
            cells = next(csv.reader(first, delimiter=delimiter, strict=True))
        except (csv.Error, StopIteration):
            continue
        names = tuple(cell.strip() for cell in cells)
        if any(names) and (best is None or (_known(names), len(names)) > best[:2]):
            best = _known(names), len(names), Header(delimiter, names, _apart(names))
    if best is None:
        raise UnreadableFileError(
            "The header cannot be read.", place=Place(name, line=1), advice="Check its quotation marks."
        )
    return best[2]


def _known(names: Sequence[str]) -> int:
    return max(sum(column_id(name, dataset) is not None for name in names) for dataset in DATASETS)


def _apart(names: Sequence[str]) -> tuple[str, ...]:
    """Names that no engine takes for one another, or for columns of ours."""
    taken: set[str] = set()
    apart = []
    for place, name in enumerate(names, start=1):
        base = name or f"column_{place}"
        if base.casefold().startswith(_RESERVED):
            base = f"x{base}"
        candidate, count = base, 1
        while candidate.casefold() in taken:
            candidate, count = f"{base}_{count}", count + 1
        taken.add(candidate.casefold())
        apart.append(candidate)
    return tuple(apart)
