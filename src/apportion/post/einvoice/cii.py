"""An e-invoice as Cross Industry Invoice (UN/CEFACT D22B), the XML inside Factur-X and ZUGFeRD, profile EN 16931."""

from __future__ import annotations

from apportion.post.einvoice.model import EInvoice
from apportion.post.einvoice.terms import terms


def cii(invoice: EInvoice) -> bytes:
    """The XML, UTF-8; the same bytes for the same e-invoice."""
    from facturx import generate_cii_xml  # only here: it brings much with it

    # Its own checks ask a server and call it valid where there is none; `validate` really runs the rules.
    made: bytes = generate_cii_xml(terms(invoice), level="en16931", check_xsd=False, check_schematron=None)
    return made
