"""The document as PDF: tagged for screen readers (PDF/UA-1), searchable, with its fonts inside.

The same document gives the same bytes, on every machine where its letters are in the fonts that the typesetter brings
along. Only for other scripts the fonts of the machine are asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from apportion.methodology.document import Document
from apportion.methodology.render.typst_source import source

if TYPE_CHECKING:
    from typst import PDFStandards

_UA: PDFStandards = ["ua-1"]
_NONE: PDFStandards = []


def render(document: Document) -> bytes:
    """The whole file."""
    import typst  # only here: it loads its fonts

    text = source(document).encode()
    for standards, ignores_system in ((_UA, True), (_UA, False)):
        try:
            return _compiled(text, standards, ignores_system)
        except typst.TypstError:
            continue
    # A letter that no font has: it is shown as an empty box, which the standard does not allow.
    return _compiled(text, _NONE, True)


def _compiled(text: bytes, standards: PDFStandards, ignores_system: bool) -> bytes:
    import typst

    made = typst.Compiler(text, ignore_system_fonts=ignores_system).compile(
        format="pdf", pdf_standards=standards, timestamp=0
    )
    return made if isinstance(made, bytes) else b""
