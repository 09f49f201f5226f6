"""The PDF is tagged and searchable, and the same document gives the same bytes."""

from __future__ import annotations

import re
import zlib
from datetime import date

import pytest

from apportion.methodology.compiled import compiled
from apportion.methodology.render import pdf
from tests.rooms.methodology.everything import ORGANIZATION, POLICY

pytestmark = pytest.mark.slow  # the typesetter loads its fonts

DAY = date(2026, 5, 1)


def plain(data: bytes) -> bytes:
    """The file with its compressed parts opened."""
    found = [data]
    for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        try:
            found.append(zlib.decompress(part))
        except zlib.error:
            continue
    return b"\n".join(found)


def test_the_same_document_gives_the_same_tagged_file() -> None:
    document = compiled(POLICY, ORGANIZATION, DAY)
    first = pdf.render(document)
    assert first == pdf.render(document)
    opened = plain(first)
    assert first.startswith(b"%PDF-")
    assert b"pdfuaid" in opened
    assert b"/StructTreeRoot" in opened
    assert b"/ToUnicode" in opened  # text can be searched and copied
    assert b"/FontFile" in opened  # fonts are inside
    assert b"/JavaScript" not in opened
    assert b"/URI" not in opened  # a name that looks like an address is no link


def test_letters_that_no_font_has_do_not_stop_it() -> None:
    from dataclasses import replace

    odd = replace(POLICY, name="Policy \U0001335f 東京")
    assert pdf.render(compiled(odd, ORGANIZATION, DAY)).startswith(b"%PDF-")
