"""An e-invoice as UBL 2.1 Invoice or CreditNote, by the rules of Peppol BIS Billing 3."""

from __future__ import annotations

from apportion.errors import ConservationError
from apportion.post.einvoice.model import EInvoice
from apportion.post.einvoice.terms import terms

CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"

_HEAD = b"<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>"
_VERSION = b"  <cbc:UBLVersionID>2.1</cbc:UBLVersionID>\n"


def ubl(invoice: EInvoice) -> bytes:
    """The XML, UTF-8; the same bytes for the same e-invoice."""
    from facturx import generate_ubl_xml  # only here: it brings much with it

    made: bytes = generate_ubl_xml(
        {**terms(invoice), "BT-23": PROFILE}, level="en16931", check_xsd=False, check_schematron=None
    )
    # The generator knows EN 16931 itself and no rules on top of it, and writes a version that BIS 3 leaves out.
    if made.count(_HEAD) != 1 or made.count(_VERSION) != 1:
        raise ConservationError(f"{invoice.number}: the head of the UBL file is not the one that is known.")
    return made.replace(_VERSION, b"").replace(
        _HEAD, f"<cbc:CustomizationID>{CUSTOMIZATION}</cbc:CustomizationID>".encode()
    )
