"""Tables as text: CSV by RFC 4180, with a header or by position alone, also inside of a zip archive."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from apportion.errors import BadValueError
from apportion.post.formats.target import Page

# A day that every archive can hold: the same journal gives the same bytes.
_MADE_AT = (1980, 1, 1, 0, 0, 0)
MOST_BYTES = 1 << 30


@contextmanager
def damage_as_value_errors() -> Iterator[None]:
    """What damaged files lead to beside wrong values, as `ValueError`: too few rows, no such file, broken archives."""
    try:
        yield
    except (IndexError, StopIteration, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class Csv:
    """Comma (or what the setting `delimiter` says), CRLF, quotes where needed; no byte order mark."""

    header: bool = True
    delimiter: str = ""  # the name of a setting
    encoding: str = "utf-8"

    def write(self, page: Page) -> bytes:
        """The rows above the header, the header, and one row a line."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n", delimiter=self._delimiter(page))
        writer.writerows(page.above)
        if self.header:
            writer.writerow([column.name for column in page.columns])
        writer.writerows(zip(*page.cells, strict=True))
        return text.getvalue().encode(self.encoding)

    def read(self, content: bytes, page: Page) -> list[list[str]]:
        """Columns of cells. Raises `ValueError` for another header, and for rows of another width."""
        text = io.StringIO(content.decode(self.encoding), newline="")
        rows = list(csv.reader(text, delimiter=self._delimiter(page), strict=True))
        return body(rows, page, header=self.header)

    def _delimiter(self, page: Page) -> str:
        return page.settings[self.delimiter] if self.delimiter else ","


def body(rows: list[list[str]], page: Page, *, header: bool = True) -> list[list[str]]:
    """The cells of each column below the header. Raises `ValueError` for other columns."""
    names = [column.name for column in page.columns]
    if header:
        place = len(page.above)
        if rows[place] != names:
            raise ValueError("the columns are others")
        rows = rows[place + 1 :]
    if any(len(row) != len(names) for row in rows):
        raise ValueError("a row has more or fewer cells than there are columns")
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]


@dataclass(frozen=True, slots=True)
class Zipped:
    """One file inside of a zip archive, under the name that the target looks for."""

    inside: str
    carrier: Csv

    def write(self, page: Page) -> bytes:
        """The archive, the same bytes for the same page."""
        return zipped({self.inside: [self.carrier.write(page)]})

    def read(self, content: bytes, page: Page) -> list[list[str]]:
        """The cells of the file inside. Raises `ValueError` for another archive."""
        return self.carrier.read(unzipped(content)[self.inside], page)


def zipped(files: Mapping[str, Iterable[bytes]]) -> bytes:
    """An archive of files, given in pieces, with a fixed day, so that the same files give the same bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as book:
        for name, pieces in files.items():
            entry = zipfile.ZipInfo(name, _MADE_AT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            with book.open(entry, "w", force_zip64=False) as inside:
                for piece in pieces:
                    inside.write(piece)
    return archive.getvalue()


def unzipped(content: bytes) -> dict[str, bytes]:
    """The files of an archive. Raises `BadValueError` for what is no archive, or would be too large unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            if sum(entry.file_size for entry in book.infolist()) > MOST_BYTES:
                raise BadValueError(f"The archive holds more than {MOST_BYTES:,} bytes.", advice="Give a smaller one.")
            return {name: book.read(name) for name in book.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise BadValueError(f"This is not a zip archive or workbook ({error}).") from error
