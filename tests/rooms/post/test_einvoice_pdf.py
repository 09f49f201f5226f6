"""The PDF of an e-invoice: what people read is what machines read, and it stays an archived, accessible file."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from apportion.errors import BadValueError
from apportion.post.einvoice.cii import cii
from apportion.post.einvoice.pdf import XML_NAME, attached, pdf
from tests.einvoices import REVERSE, credit_note, document, made


@pytest.fixture(scope="module")
def file() -> bytes:
    paper = document(70_000, 40_000, -10_000)
    return pdf(made(paper), paper, cii(made(paper)))


def text(file: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(file)).pages).split())


def test_the_xml_comes_out_as_it_went_in(file: bytes) -> None:
    assert attached(file) == cii(made(document(70_000, 40_000, -10_000)))


def test_the_attachment_is_an_alternative_of_the_page(file: bytes) -> None:
    listed: Any = PdfReader(BytesIO(file)).root_object["/AF"]
    assert len(listed) == 1
    found = listed[0].get_object()
    assert (found["/AFRelationship"], found["/F"], found["/UF"]) == ("/Alternative", XML_NAME, XML_NAME)
    assert found["/EF"]["/F"]["/Subtype"] == "/text/xml"


def test_the_metadata_say_factur_x_and_the_archive_and_accessibility_marks_stay(file: bytes) -> None:
    metadata: Any = PdfReader(BytesIO(file)).root_object["/Metadata"].get_object()
    xmp = metadata.get_data().decode()
    for said in (
        "<fx:DocumentType>INVOICE</fx:DocumentType>",
        "<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>",
        "<fx:Version>1.0</fx:Version>",
        "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>",
        "<pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>",
        "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance><pdfuaid:part>1</pdfuaid:part>",
    ):
        assert xmp.count(said) == 1, said


def test_the_page_says_the_same_amounts_and_the_document_follows(file: bytes) -> None:
    said = text(file)
    for part in ("KES-2026-000017", "1,000.00", "50.00", "1,050.00", "199.50", "1,249.50 EUR", "DE136695976"):
        assert part in said, part
    assert "How to check this document" in said
    assert "Internal invoice" in said


def test_it_is_in_german_where_asked() -> None:
    paper = credit_note(-5_000)
    said = text(pdf(made(paper, REVERSE), paper, cii(made(paper, REVERSE)), "de"))
    assert "Steuerschuldnerschaft des Leistungsempfängers" in said
    assert "Berichtigt KES-2026-000017" in said
    assert "Zahlbetrag 52,50 EUR" in said


def test_the_same_invoice_gives_the_same_bytes(file: bytes) -> None:
    paper = document(70_000, 40_000, -10_000)
    assert pdf(made(paper), paper, cii(made(paper))) == file


def test_other_readers_find_the_xml(file: bytes) -> None:
    from facturx import get_facturx_xml_from_pdf

    name, xml = get_facturx_xml_from_pdf(file, check_xsd=True, check_schematron=False)
    assert (name, xml) == (XML_NAME, attached(file))


@pytest.mark.parametrize("given", [b"", b"%PDF-1.7", b"no pdf at all"])
def test_what_is_no_such_pdf_is_refused(given: bytes) -> None:
    with pytest.raises(BadValueError):
        attached(given)


def test_no_locale_is_refused() -> None:
    paper = document(1)
    with pytest.raises(BadValueError, match="not a locale"):
        pdf(made(paper), paper, cii(made(paper)), "xx_nowhere")
