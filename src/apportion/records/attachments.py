"""Files beside disputes and comments: their bytes lie in the workspace under their SHA-256, never served inline.

Takes a stream with what its sender calls it, gives what is kept of it; looks into the bytes, because a name and a
declared type are only what somebody says. Nothing of a refused file stays.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import unicodedata
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from django.conf import settings

from apportion.errors import InputRefusedError, NotFoundError, Place, StorageError
from apportion.records.kinds import NAME_LENGTH

_BLOCK = 64 * 1024
_LONGEST_NAME = 120
_MOST_MEMBERS = 2_000
_MOST_UNPACKED = 200 * 1024 * 1024
_MOST_RATIO = 200


class AttachmentError(InputRefusedError):
    """A file that is not taken."""

    code = "ATTACHMENT_REFUSED"


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the store. `is_new`: its bytes were not there before; `touched_at` is when it came."""

    name: str
    media_type: str
    size: int
    digest: str
    is_new: bool
    touched_at: int


_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
# What is taken, by the end of the name: the media type it is kept with, and others that browsers say for it.
_KINDS: dict[str, tuple[str, frozenset[str]]] = {
    ".pdf": ("application/pdf", frozenset()),
    ".png": ("image/png", frozenset()),
    ".jpg": ("image/jpeg", frozenset()),
    ".jpeg": ("image/jpeg", frozenset()),
    ".txt": ("text/plain", frozenset()),
    ".csv": ("text/csv", frozenset({"text/plain", "application/csv", "application/vnd.ms-excel"})),
    ".xlsx": (_SHEET, frozenset({"application/zip"})),
    ".docx": (_WORD, frozenset({"application/zip"})),
}
_UNSAID = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_MEMBERS = {_SHEET: "xl/workbook.xml", _WORD: "word/document.xml"}
_ADVICE = "Send a PDF, PNG, JPEG, text, CSV, XLSX or DOCX file."
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_RESERVED = re.compile(r'[<>:"|?*]')
_MARKUP = re.compile(rb"<\s*(?:!doctype|html|script|svg|body|iframe|\?xml|!--)", re.IGNORECASE)


def store(stream: BinaryIO, name: str, media_type: str, limit: int) -> Stored:
    """Check a file and keep its bytes. Raises `AttachmentError`; then nothing of it is left.

    `limit` is the largest size in bytes. The same bytes are kept once, whoever sends them.
    """
    cleaned = clean_name(name)
    kind = _declared(cleaned, media_type)
    folder = Path(settings.ATTACHMENTS)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = folder / f".{secrets.token_hex(8)}.partial"
    try:
        size, digest = _written(stream, partial, limit, cleaned)
        _check(partial, kind, cleaned)
        target = path_of(digest)
        try:
            os.utime(target)  # tells whoever would discard these bytes that somebody else has sent them, too
            is_new = False
        except FileNotFoundError:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            partial.replace(target)
            is_new = True
        return Stored(cleaned, kind, size, digest, is_new, target.stat().st_mtime_ns)
    except OSError as error:
        raise StorageError("The file could not be kept.", advice="Free some space, then send it again.") from error
    finally:
        with suppress(OSError):
            partial.unlink()


def discard(stored: Stored) -> None:
    """Take the bytes of a file away that no row names, unless they were sent again meanwhile."""
    path = path_of(stored.digest)
    with suppress(OSError):
        if path.stat().st_mtime_ns == stored.touched_at:
            path.unlink()


def path_of(digest: str) -> Path:
    """Where the bytes of a digest lie. Raises `NotFoundError` for what is no digest."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise NotFoundError("There is no such file.")
    return Path(settings.ATTACHMENTS) / digest[:2] / digest


def headers(name: str, media_type: str) -> dict[str, str]:
    """The headers that a file is sent with: always to be saved, never shown or guessed at."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode())
    return {
        "Content-Type": f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type,
        "Content-Disposition": f"attachment; filename=\"{plain or 'file'}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }


def clean_name(name: str) -> str:
    """The last part of a name, without controls, marks of direction and characters that file systems refuse."""
    found = _UNSEEN.sub("", unicodedata.normalize("NFC", name)).replace("\\", "/").rpartition("/")[2]
    found = " ".join(_RESERVED.sub("_", found).split()).strip(". ")
    stem, dot, end = found.rpartition(".")
    if len(found) > _LONGEST_NAME and dot:
        found = f"{stem[: _LONGEST_NAME - len(end) - 1]}.{end}"
    return found[:NAME_LENGTH]


def _declared(name: str, media_type: str) -> str:
    """The media type that the end of the name stands for, if what is declared agrees."""
    end = Path(name).suffix.lower()
    if not Path(name).stem or end not in _KINDS:
        raise _refused(f"'{name or 'A file without a name'}' is of a kind that is not taken.")
    kind, others = _KINDS[end]
    said = media_type.partition(";")[0].strip().lower()
    if said not in _UNSAID and said != kind and said not in others:
        raise _refused(f"'{name}' says by its name that it is {kind}, but was sent as {said[:80]}.")
    return kind


def _written(stream: BinaryIO, partial: Path, limit: int, name: str) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while block := stream.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise _refused(f"'{name}' is larger than {limit // 1024:,} KiB.", "Send a smaller one.")
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    if not size:
        raise _refused(f"'{name}' is empty.")
    return size, digest.hexdigest()


def _check(path: Path, kind: str, name: str) -> None:
    """Look at the bytes."""
    with path.open("rb") as file:
        head = file.read(1024)
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 2048))
        tail = file.read()
    is_it = {
        "application/pdf": lambda: head.startswith(b"%PDF-") and b"%%EOF" in tail,
        "image/png": lambda: head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR" and b"IEND" in tail,
        "image/jpeg": lambda: head.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in tail,
    }.get(kind)
    if is_it is not None:
        if not is_it():
            raise _refused(f"'{name}' is not what its name says: its content is not {kind}.")
    elif kind in _MEMBERS:
        _check_office(path, kind, name)
    else:
        _check_text(path, head, name)


def _check_text(path: Path, head: bytes, name: str) -> None:
    if _MARKUP.search(head.lstrip(b"\xef\xbb\xbf")[:512]):
        raise _refused(f"'{name}' is a page or picture in markup, not plain text.")
    if head.startswith((b"#!", b"MZ", b"\x7fELF")):
        raise _refused(f"'{name}' is a program, not plain text.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            while block := file.read(_BLOCK):
                if "\x00" in block:
                    raise _refused(f"'{name}' is not plain text.")
    except UnicodeDecodeError:
        raise _refused(f"'{name}' is not text in UTF-8.", "Save it in UTF-8, or send a PDF.") from None


def _check_office(path: Path, kind: str, name: str) -> None:
    """A workbook or text: the members it must have, none with a macro, and no more in it than a person would send."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if len(members) > _MOST_MEMBERS or len(names) != len(members):
                raise _refused(f"'{name}' has too many parts.")
            if not {"[Content_Types].xml", _MEMBERS[kind]} <= names:
                raise _refused(f"'{name}' is not what its name says.")
            if any("vbaproject" in each.lower() or "activex" in each.lower() for each in names):
                raise _refused(f"'{name}' has macros.", "Save it without them.")
            if any(each.startswith("/") or ".." in each.split("/") or "\\" in each for each in names):
                raise _refused(f"'{name}' has parts that point outside it.")
            _check_sizes(archive, members, path.stat().st_size, name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise _refused(f"'{name}' is damaged or encrypted.", "Save it again without a password.") from error


def _check_sizes(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], size: int, name: str) -> None:
    """Unpack every part and count, since what a zip file says of its sizes may be a lie."""
    most = min(_MOST_UNPACKED, max(size * _MOST_RATIO, 10 * 1024 * 1024))
    whole = 0
    for member in members:
        with archive.open(member) as part:
            while block := part.read(_BLOCK):
                whole += len(block)
                if whole > most:
                    raise _refused(f"'{name}' unpacks to far more than it is.", "Send a smaller file.")


def _refused(sentence: str, advice: str = _ADVICE) -> AttachmentError:
    return AttachmentError(sentence, place=Place(field="attachments"), advice=advice)
