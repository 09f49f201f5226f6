"""A delivered file copied into the staged delivery and hashed in the same pass.

Takes a file, gives its size, SHA-256 and, for text, whether a null is spelled in it. A compressed file is followed to
its end on the way, because the engine takes a damaged one for whole: it trusts gzip without its checksum, and reads a
truncated zstd file as a shorter one.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from apportion.errors import Place, UnreadableFileError
from apportion.ingest.read import Format, Kind, check_text

BLOCK = 1024 * 1024
_TRANSFER = 64 * 1024 * 1024
_CANNOT = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF}
_UNPACKED = 16 * 1024 * 1024
_FIELD_EDGE = rb"[,;\t|\"\r\n]"


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied. `spells_null`: whether a field of a text file may be one of the words that stand for null."""

    size: int
    sha256: str
    spells_null: bool


def copy(
    source: Path,
    target: Path,
    name: str,
    kind: Kind,
    nulls: Sequence[str],
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Copied:
    """Copy `source` to `target`. Raises `UnreadableFileError` for a damaged, truncated or binary file.

    A zstd file is not unpacked here, so it counts as one in which nulls are spelled.
    """
    with source.open("rb", buffering=0) as reading, target.open("xb", buffering=0) as writing:
        _transfer(reading, writing, on_bytes)
    # What is hashed and looked at is the copy, whatever happens to the file meanwhile.
    with target.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if kind.format is Format.PARQUET:
            return Copied(size, hashlib.file_digest(file, "sha256").hexdigest(), spells_null=False)
        if kind.compression == "zstd":
            check_zstd(file, size, name)
            file.seek(0)
            return Copied(size, hashlib.file_digest(file, "sha256").hexdigest(), spells_null=True)
        digest, inspector = hashlib.sha256(), _Gzip(name, nulls) if kind.compression == "gzip" else _Text(name, nulls)
        while block := file.read(BLOCK):
            digest.update(block)
            inspector.feed(block)
        inspector.close()
    return Copied(size, digest.hexdigest(), inspector.spells_null)


def _transfer(reading: FileIO, writing: FileIO, on_bytes: Callable[[int], None]) -> None:
    """Copy inside the kernel where it can; on some file systems that takes no space at all."""
    try:
        while done := os.copy_file_range(reading.fileno(), writing.fileno(), _TRANSFER):
            on_bytes(done)
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _CANNOT:
            raise
        while block := reading.read(BLOCK):
            view = memoryview(block)
            while view:  # an unbuffered file may take less than it is given
                view = view[writing.write(view) :]
            on_bytes(len(block))


def hash_of(source: Path) -> str:
    """SHA-256 of a file."""
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Text:
    """Refuses binary files, and looks for fields that spell null."""

    def __init__(self, name: str, nulls: Sequence[str]) -> None:
        self.spells_null = False
        self._name = name
        words = [word.encode() for word in nulls]
        among = b"|".join(re.escape(word) for word in words)
        # Whoever finds the shorter ones finds all.
        self._words = [word for word in words if not any(other != word and other in word for other in words)]
        self._field = re.compile(rb"(?:^|" + _FIELD_EDGE + rb")(?:" + among + rb")(?:$|" + _FIELD_EDGE + rb")")
        self._tail: bytes | None = None

    def feed(self, block: bytes) -> None:
        if not block:
            return
        if self._tail is None:
            check_text(block[:4096], self._name)
        if b"\0" in block:
            raise UnreadableFileError(
                "This is neither Parquet nor text.",
                place=Place(self._name),
                advice="Check that it is the file you mean.",
            )
        if not self.spells_null:
            for part in ((self._tail or b"") + block[:64], block):
                if any(word in part for word in self._words) and self._field.search(part):
                    self.spells_null = True
        self._tail = ((self._tail or b"") + block[-64:])[-64:]

    def close(self) -> None:
        """There is no more, and nothing that text must end with."""


class _Gzip:
    """Unpacks what passes, to its last checksum."""

    def __init__(self, name: str, nulls: Sequence[str]) -> None:
        self._name = name
        self._text = _Text(name, nulls)
        self._unpacking = zlib.decompressobj(wbits=31)

    @property
    def spells_null(self) -> bool:
        return self._text.spells_null

    def feed(self, block: bytes) -> None:
        while block:
            if self._unpacking.eof:
                block = block.lstrip(b"\0")  # some writers fill up the last sector
                if not block:
                    return
                self._unpacking = zlib.decompressobj(wbits=31)
            try:
                text = self._unpacking.decompress(block, _UNPACKED)
            except zlib.error:
                raise self._damaged() from None
            self._text.feed(text)
            block = self._unpacking.unconsumed_tail or self._unpacking.unused_data

    def close(self) -> None:
        while not self._unpacking.eof:
            text = self._unpacking.decompress(b"", _UNPACKED)
            self._text.feed(text)
            if not text:
                raise self._damaged()

    def _damaged(self) -> UnreadableFileError:
        return UnreadableFileError(
            "The gzip file is truncated or damaged.", place=Place(self._name), advice="Fetch the file again."
        )


def check_zstd(file: BinaryIO, size: int, name: str) -> None:
    """Walk over the frames and blocks of a zstd file, without unpacking them, to its very end.

    Source of the layout: RFC 8878. Raises `UnreadableFileError` where the file ends too early.
    """
    place = 0
    while place < size:
        file.seek(place)
        head = file.read(18)
        magic = int.from_bytes(head[:4], "little")
        if magic & 0xFFFFFFF0 == 0x184D2A50:
            place += 8 + int.from_bytes(head[4:8], "little")
        elif magic == 0xFD2FB528 and len(head) > 5:
            place = _after_frame(file, place, head[4], size)
        else:
            place = size + 1
    if place != size:
        raise UnreadableFileError(
            "The zstd file is truncated or damaged.", place=Place(name), advice="Fetch the file again."
        )


def _after_frame(file: BinaryIO, start: int, descriptor: int, size: int) -> int:
    single, has_checksum = descriptor >> 5 & 1, descriptor >> 2 & 1
    content = (1 if single else 0, 2, 4, 8)[descriptor >> 6]
    place = start + 5 + (0 if single else 1) + (0, 1, 2, 4)[descriptor & 3] + content
    is_last = False
    while not is_last:
        file.seek(place)
        head = file.read(3)
        if len(head) < 3:
            return size + 1
        block = int.from_bytes(head, "little")
        is_last = bool(block & 1)
        place += 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
    return place + (4 if has_checksum else 0)
