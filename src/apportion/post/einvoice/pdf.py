"""Factur-X: a PDF that people read and machines too. Its first page is the e-invoice, its XML is attached to it.

Behind it follows the document that is charged, with the reason of every line. The typesetter builds it as PDF/A-3a and
PDF/UA-1, XML included (relationship *Alternative*); the four properties by which readers find it are added to
the metadata afterwards, as an update at the file's end that leaves everything before it as it was.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, time
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from apportion.errors import BadValueError, ConservationError
from apportion.invoice.paper import Paper
from apportion.invoice.papers.page import labels
from apportion.invoice.papers.page import page as paper_page
from apportion.invoice.papers.pdf import FAMILIES, FONTS
from apportion.invoice.papers.words import clean, words
from apportion.post.einvoice.model import EInvoice
from apportion.post.einvoice.page import page

if TYPE_CHECKING:
    from typst import PDFStandards

XML_NAME = "factur-x.xml"  # the name that Factur-X 1.0 and ZUGFeRD 2 prescribe

_PACKAGE = Path(__file__).parents[2]
_ARCHIVE: PDFStandards = ["a-3a", "ua-1"]
_NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_TAIL = re.compile(rb"trailer\n<<((?:(?!>>).)*)>>\nstartxref\n(\d+)\n%%EOF\s*\Z", re.DOTALL)
_SCHEMAS, _END = "<pdfaExtension:schemas><rdf:Bag>", "</rdf:RDF>"
_PROPERTIES = (
    ("DocumentFileName", XML_NAME, "The name of the embedded XML document"),
    ("DocumentType", "INVOICE", "The type of the hybrid document in capital letters"),
    ("Version", "1.0", "The version of the standard that the embedded XML document follows"),
    ("ConformanceLevel", "EN 16931", "The profile that the embedded XML document follows"),
)

_one_at_a_time = Lock()  # a compiler works for one thread


def pdf(invoice: EInvoice, paper: Paper, xml: bytes, locale: str = "en") -> bytes:
    """The file; the same bytes for the same e-invoice, document, XML and locale. Raises `BadValueError` for no locale.

    A text in a script that no font of the package or machine has cannot be archived, and raises `BadValueError`.
    """
    said = words(locale)
    printed = page(invoice, said, XML_NAME)
    whole = {
        "title": clean(printed["title"]),
        "author": clean(invoice.seller.name),
        "lang": said.language,
        "fonts": FAMILIES,
        "words": labels(said),
        "papers": [paper_page(paper, said)],
    }
    inputs = {
        "e": json.dumps({**printed, "file": XML_NAME, "about": printed["title"]}, ensure_ascii=False),
        "d": json.dumps(whole, ensure_ascii=False),
        "x": xml.decode(),
    }
    return _marked(_typeset(inputs, datetime.combine(invoice.issued_on, time(), UTC)))


def attached(file: bytes) -> bytes:
    """The XML inside a Factur-X PDF. Raises `BadValueError` where there is none."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        found = PdfReader(BytesIO(file)).attachments.get(XML_NAME, [])
    except (PyPdfError, ValueError, KeyError) as error:
        raise BadValueError("This is not a PDF that can be read.", advice="Take the file as it was written.") from error
    if len(found) != 1:
        raise BadValueError(f"The PDF holds no one '{XML_NAME}'.", advice="Take the file as it was written.")
    return bytes(found[0])


def _typeset(inputs: dict[str, str], made_at: datetime) -> bytes:
    import typst  # only here: it is large, and other formats do without

    for ignores_system in (True, False):
        try:
            with _one_at_a_time:
                made = _compiler(ignores_system).compile(
                    format="pdf", sys_inputs=inputs, pdf_standards=_ARCHIVE, timestamp=made_at
                )
        except typst.TypstError as error:
            if "could not be displayed" not in error.message:
                raise
        else:
            if not isinstance(made, bytes):
                raise TypeError("A PDF is one file.")
            return made
    raise BadValueError(
        "The e-invoice has letters that no font here can show, and a PDF/A must show all.",
        advice="Install a font of that script, or send the XML file.",
    )


@cache
def _compiler(ignores_system: bool) -> Any:
    import typst

    return typst.Compiler(
        str(Path(__file__).with_name("einvoice.typ")),
        root=str(_PACKAGE),
        font_paths=[str(FONTS)] if FONTS.is_dir() else [],
        ignore_system_fonts=ignores_system,
    )


def _marked(file: bytes) -> bytes:
    """The file with the properties of Factur-X in its metadata, by an update at its end (ISO 32000-1, 7.5.6).

    The update is written here in the typesetter's own way, a plain table: a library would write the whole file anew, or
    end it with a table of another kind than the first.
    """
    from pypdf import PdfReader

    tail = _TAIL.search(file)
    reference = PdfReader(BytesIO(file)).root_object.raw_get("/Metadata")
    xmp = reference.get_object().get_data().decode()
    if not tail or xmp.count(_SCHEMAS) != 1 or xmp.count(_END) != 1:
        raise ConservationError("The PDF does not end, or describe itself, as the typesetter is known to write.")
    said = xmp.replace(_SCHEMAS, _SCHEMAS + _schema()).replace(_END, _values() + _END).encode()
    stream = b"%d 0 obj\n<</Type/Metadata/Subtype/XML/Length %d>>\nstream\n%b\nendstream\nendobj\n"
    update = stream % (reference.idnum, len(said), said)
    start = len(file) + 1
    table = b"xref\n%d 1\n%010d 00000 n\r\ntrailer\n<<%b/Prev %b>>\nstartxref\n%d\n%%%%EOF\n"
    return b"%b\n%b%b" % (file, update, table % (reference.idnum, start, tail[1], tail[2], start + len(update)))


def _schema() -> str:
    """What the four properties are: PDF/A wants each that it does not know described."""
    described = "".join(
        f'<rdf:li rdf:parseType="Resource"><pdfaProperty:category>external</pdfaProperty:category>'
        f"<pdfaProperty:description>{about}</pdfaProperty:description><pdfaProperty:name>{name}</pdfaProperty:name>"
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType></rdf:li>"
        for name, _, about in _PROPERTIES
    )
    return (
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{described}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )


def _values() -> str:
    values = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value, _ in _PROPERTIES)
    return f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">{values}</rdf:Description>'
