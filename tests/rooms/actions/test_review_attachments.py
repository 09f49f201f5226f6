"""Files beside disputes: what is taken, what is refused however it is dressed up, and that nothing of it stays."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from apportion.actions.review import attaching, disputing
from apportion.actions.review.attaching import Upload
from apportion.errors import NotFoundError, StorageError
from apportion.records import attachments
from apportion.records.attachments import AttachmentError
from apportion.records.audit import AuditEntry
from apportion.records.disputes import Attachment
from apportion.records.rights import ForbiddenError
from tests.rooms.actions import review_world
from tests.rooms.actions.review_world import World

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = b"%PDF-1.7\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + bytes(17) + bytes(4) + b"IEND" + bytes(4)
JPEG = b"\xff\xd8\xff\xe0" + bytes(40) + b"\xff\xd9"


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    settings.ATTACHMENTS = tmp_path / "store" / "attachments"
    return review_world.build()


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


SHEET = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}
TEXT = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<document/>"}


def _up(name: str, content: bytes, media_type: str = "") -> Upload:
    return Upload(name, media_type, io.BytesIO(content))


def _files(settings: Any) -> list[Path]:
    folder = Path(settings.ATTACHMENTS)
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


@pytest.mark.parametrize(
    ("name", "content", "said", "kept"),
    [
        ("mail.pdf", PDF, "application/pdf", "application/pdf"),
        ("screen.PNG", PNG, "image/png", "image/png"),
        ("photo.jpeg", JPEG, "image/jpeg", "image/jpeg"),
        ("usage.csv", "a;b\n1;2 €\n".encode(), "application/vnd.ms-excel", "text/csv"),
        ("note.txt", b"\xef\xbb\xbfhello 5 < 6 <b>", "text/plain; charset=utf-8", "text/plain"),
        ("usage.xlsx", _zip(SHEET), XLSX, XLSX),
        ("letter.docx", _zip(TEXT), "application/octet-stream", attachments._WORD),
    ],
)
def test_what_people_send_is_taken(
    world: World, settings: Any, name: str, content: bytes, said: str, kept: str
) -> None:
    made = disputing.dispute(
        world.actor("ada"), world.documents["shop"].pk, line=1, reason="not_ours", text="See the file",
        attachments=[_up(name, content, said)],
    )  # fmt: skip
    row = Attachment.objects.get(dispute=made)
    assert (row.name, row.media_type, row.size) == (name, kept, len(content))
    found, path = attaching.open_attachment(world.actor("cora"), row.pk)
    assert (found, path.read_bytes()) == (row, content)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.name == row.digest
    assert row.digest in AuditEntry.objects.order_by("-number")[0].after
    with pytest.raises(NotFoundError):
        attaching.open_attachment(world.actor("stan"), row.pk)


HOSTILE: dict[str, tuple[str, bytes, str]] = {
    "a page": ("x.html", b"<html></html>", "text/html"),
    "a page said to be text": ("x.txt", b"  <!DOCTYPE html><script>alert(1)</script>", "text/plain"),
    "a picture with script": ("x.svg", b"<svg onload=alert(1)>", "image/svg+xml"),
    "a picture with script said to be a sheet": ("x.csv", b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "text/csv"),
    "a program": ("x.exe", b"MZ" + bytes(100), "application/octet-stream"),
    "a program said to be a PDF": ("x.pdf", b"MZ" + bytes(100), "application/pdf"),
    "a program with two ends": ("invoice.pdf.exe", PDF, "application/pdf"),
    "a script": ("x.txt", b"#!/bin/sh\nrm -rf /\n", "text/plain"),
    "a name turned round": ("invoice\u202efdp.exe", PDF, "application/pdf"),
    "a name with a null": ("x.exe\x00.pdf\x00.exe", PDF, "application/pdf"),
    "another type than the name says": ("x.pdf", PDF, "text/html"),
    "another content than the name says": ("x.png", JPEG, "image/png"),
    "half a PDF": ("x.pdf", b"%PDF-1.7\n", "application/pdf"),
    "nothing": ("x.pdf", b"", "application/pdf"),
    "only an end": (".pdf", PDF, "application/pdf"),
    "no name": ("", PDF, "application/pdf"),
    "text with a null": ("x.txt", b"a\x00b", "text/plain"),
    "text that is none": ("x.csv", b"\xff\xfe\xfa", "text/csv"),
    "a zip said to be a sheet": ("x.xlsx", _zip({"a.txt": b"a"}), XLSX),
    "a text said to be a sheet": ("x.xlsx", _zip(TEXT), XLSX),
    "a sheet with macros": ("x.xlsx", _zip({**SHEET, "xl/vbaProject.bin": b"x"}), XLSX),
    "a sheet that points outside": ("x.xlsx", _zip({**SHEET, "../../etc/passwd": b"x"}), XLSX),
    "a zip bomb": ("x.xlsx", _zip({**SHEET, "xl/bomb.xml": bytes(12 * 1024 * 1024)}), XLSX),
    "a thousand parts": ("x.xlsx", _zip({**SHEET, **{f"xl/{n}.xml": b"" for n in range(2_000)}}), XLSX),
    "half a zip": ("x.xlsx", _zip(SHEET)[:-30], XLSX),
    "a macro sheet": ("x.xlsm", _zip(SHEET), ""),
    "too much": ("x.txt", b"x" * 5_000, "text/plain"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused_and_leave_nothing(world: World, settings: Any, tmp_path: Path, case: str) -> None:
    (tmp_path / "apportion.yaml").write_text("company: B\nreview:\n  attachment_limit: 4096\n", encoding="utf-8")
    if case in {"a zip bomb", "a thousand parts"}:
        (tmp_path / "apportion.yaml").write_text("company: B\n", encoding="utf-8")
    settings.APPORTION_WORKSPACE = tmp_path
    entries = AuditEntry.objects.count()
    with pytest.raises(AttachmentError) as refused:
        disputing.dispute(
            world.actor("ada"), world.documents["shop"].pk, line=1, reason="not_ours", text="See the file",
            attachments=[_up("good.pdf", PDF), _up(*HOSTILE[case][:2], HOSTILE[case][2])],
        )  # fmt: skip
    assert refused.value.place is not None
    assert refused.value.place.field == "attachments"
    assert _files(settings) == []
    assert (Attachment.objects.count(), AuditEntry.objects.count()) == (0, entries)
    world.documents["shop"].refresh_from_db()
    assert world.documents["shop"].review_state == "awaiting_review"


def test_a_zip_that_lies_about_its_sizes_is_still_counted(world: World, settings: Any) -> None:
    big = bytes(12 * 1024 * 1024)
    raw = bytearray(_zip({**SHEET, "xl/bomb.xml": big}))
    size = struct.pack("<I", len(big))
    assert raw.count(size) == 2
    lying = bytes(raw.replace(size, struct.pack("<I", 10)))
    with pytest.raises(AttachmentError):
        attaching.attach(world.actor("ada"), world.documents["shop"].pk, [_up("x.xlsx", lying, XLSX)])
    assert _files(settings) == []


def test_a_refused_act_leaves_no_file_but_keeps_what_others_sent(world: World, settings: Any) -> None:
    shop = world.documents["shop"].pk
    with pytest.raises(Exception, match="no line 9"):
        disputing.dispute(
            world.actor("ada"), shop, line=9, reason="not_ours", text="x", attachments=[_up("a.pdf", PDF)]
        )
    assert _files(settings) == []
    attaching.attach(world.actor("nina"), shop, [_up("a.pdf", PDF), _up("b.pdf", PDF)])
    assert len(_files(settings)) == 1
    with pytest.raises(Exception, match="no line 9"):
        disputing.dispute(
            world.actor("ada"), shop, line=9, reason="not_ours", text="x", attachments=[_up("c.pdf", PDF)]
        )
    assert len(_files(settings)) == 1


def test_bytes_that_somebody_else_is_sending_too_are_not_discarded(world: World, settings: Any) -> None:
    first = attachments.store(io.BytesIO(PDF), "a.pdf", "", 1_000)
    second = attachments.store(io.BytesIO(PDF), "b.pdf", "", 1_000)
    assert (first.is_new, second.is_new) == (True, False)
    attachments.discard(first)
    assert len(_files(settings)) == 1


class _Broken(io.RawIOBase):
    """A sender who goes away in the middle."""

    def __init__(self) -> None:
        self._parts: Iterator[bytes] = iter((b"%PDF-", b"more"))

    def read(self, _: int = -1) -> bytes:
        part = next(self._parts, None)
        if part is None:
            raise OSError("gone")
        return part


def test_a_sender_who_goes_away_leaves_no_half_file(world: World, settings: Any) -> None:
    with pytest.raises(StorageError):
        attaching.attach(
            world.actor("ada"), world.documents["shop"].pk, [Upload("a.pdf", "", cast(BinaryIO, _Broken()))]
        )
    assert _files(settings) == []


def test_who_may_attach_and_how_much(world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = world.documents["shop"].pk
    with pytest.raises(NotFoundError):
        attaching.attach(world.actor("stan"), shop, [_up("a.pdf", PDF)])
    with pytest.raises(ForbiddenError):
        attaching.attach(world.actor("audrey"), shop, [_up("a.pdf", PDF)])
    with pytest.raises(AttachmentError, match="more than 10"):
        attaching.attach(world.actor("ada"), shop, [_up("a.pdf", PDF)] * 11)
    with pytest.raises(AttachmentError, match="No file"):
        attaching.attach(world.actor("ada"), shop, [])
    monkeypatch.setattr(attaching, "MOST_OF_A_DOCUMENT", 2)
    attaching.attach(world.actor("ada"), shop, [_up("a.pdf", PDF), _up("b.txt", b"b")])
    with pytest.raises(AttachmentError, match="no more than 2"):
        attaching.attach(world.actor("ada"), shop, [_up("c.txt", b"c")])
    assert len(_files(settings)) == 2
    made = disputing.dispute(world.actor("stan"), world.documents["search"].pk, line=1, reason="unclear", text="?")
    with pytest.raises(NotFoundError):
        attaching.attach(world.actor("cora"), shop, [_up("c.txt", b"c")], dispute=made.pk)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("C:\\Users\\ada\\bill.pdf", "bill.pdf"),
        ("../../etc/bill.pdf", "bill.pdf"),
        ("bi\u202ell\r\n\x00.pdf", "bill.pdf"),
        ('a<b>"|?*.pdf', "a_b_____.pdf"),
        ("  Größe 漢字.pdf ", "Größe 漢字.pdf"),
        ("x" * 400 + ".pdf", "x" * 116 + ".pdf"),
        ("..", ""),
    ],
)
def test_names_are_cleaned(given: str, name: str) -> None:
    assert attachments.clean_name(given) == name


def test_a_file_is_always_saved_and_never_shown() -> None:
    headers = attachments.headers('Größe";\r\n.pdf', "application/pdf")
    assert headers["Content-Disposition"].startswith('attachment; filename="Groe____.pdf"; filename*=')
    assert all("\r" not in value and "\n" not in value for value in headers.values())
    assert headers["X-Content-Type-Options"] == "nosniff"
    with pytest.raises(NotFoundError):
        attachments.path_of("../../etc/passwd")
