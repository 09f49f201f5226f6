"""What Peppol BIS Billing 3 asks for beyond EN 16931: the terms that an invoice between these companies must have.

Its schematron comes with no package, so the rules that say what must be there are written here, under their own names.
They are asked of UBL files that say they follow Peppol. The sums among its rules are in `exact`; those about terms
that no e-invoice of ours has, such as allowances by line and prepaid amounts, are not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from apportion.errors import Mistake, Place

_SELLER, _BUYER = "AccountingSupplierParty/Party", "AccountingCustomerParty/Party"
_PROFILE = re.compile(r"urn:fdc:peppol\.eu:2017:poacc:billing:\d\d:1\.0")
_EN_16931 = "urn:cen.eu:en16931:2017"
_COUNTRY = "PostalAddress/Country/IdentificationCode"

# The rule, the paths of which one must say something, and what it is.
_MUST_HAVE = (
    ("PEPPOL-EN16931-R003", ("BuyerReference", "OrderReference/ID"), "a buyer reference (BT-10) or purchase order"),
    ("PEPPOL-EN16931-R010", (f"{_BUYER}/EndpointID",), "an electronic address of the buyer (BT-49)"),
    ("PEPPOL-EN16931-R020", (f"{_SELLER}/EndpointID",), "an electronic address of the seller (BT-34)"),
)
_WITHIN_GERMANY = (
    ("DE-R-001", ("PaymentMeans/PaymentMeansCode",), "instructions for payment (BG-16)"),
    ("DE-R-002", (f"{_SELLER}/Contact",), "a contact of the seller (BG-6)"),
    ("DE-R-003", (f"{_SELLER}/PostalAddress/CityName",), "the seller's city (BT-37)"),
    ("DE-R-004", (f"{_SELLER}/PostalAddress/PostalZone",), "the seller's postcode (BT-38)"),
    ("DE-R-005", (f"{_SELLER}/Contact/Name",), "the name of the seller's contact (BT-41)"),
    ("DE-R-006", (f"{_SELLER}/Contact/Telephone",), "the telephone number of the seller's contact (BT-42)"),
    ("DE-R-007", (f"{_SELLER}/Contact/ElectronicMail",), "the mail address of the seller's contact (BT-43)"),
    ("DE-R-008", (f"{_BUYER}/PostalAddress/CityName",), "the buyer's city (BT-52)"),
    ("DE-R-009", (f"{_BUYER}/PostalAddress/PostalZone",), "the buyer's postcode (BT-53)"),
    ("DE-R-014", ("TaxTotal/TaxSubtotal/TaxCategory/Percent",), "the rate of a VAT category (BT-119)"),
)


def unfit(root: Any, file: str) -> Iterator[Mistake]:
    """What a UBL file lacks that says it follows Peppol BIS 3, each with its rule."""
    rules = _text(root, "CustomizationID")
    if rules and not rules.startswith(_EN_16931):
        yield _mistake(
            "PEPPOL-EN16931-R004", f"'{rules}' is not the specification of an e-invoice (BT-24).", root, file
        )
    if "peppol" not in rules:
        return
    if not _text(root, "ProfileID"):
        yield _mistake("PEPPOL-EN16931-R001", "The invoice has not a business process (BT-23).", root, file)
    elif not _PROFILE.fullmatch(_text(root, "ProfileID")):
        yield _mistake("PEPPOL-EN16931-R007", "The business process (BT-23) is not one of Peppol's.", root, file)
    within = _text(root, f"{_SELLER}/{_COUNTRY}") == _text(root, f"{_BUYER}/{_COUNTRY}") == "DE"
    for rule, paths, what in (*_MUST_HAVE, *(_WITHIN_GERMANY if within else ())):
        if not any(_says(root, path) for path in paths):
            yield _mistake(rule, f"The invoice has not {what}.", root, file)
    for node in root.iter():
        if isinstance(node.tag, str) and not len(node) and not (node.text or "").strip():
            name = node.tag.rpartition("}")[2]
            yield _mistake("PEPPOL-EN16931-R008", f"The element {name} is empty.", node, file)


def _says(root: Any, path: str) -> bool:
    found = _find(root, path)
    return found is not None and bool("".join(found.itertext()).strip())


def _text(root: Any, path: str) -> str:
    found = _find(root, path)
    return (found.text or "").strip() if found is not None else ""


def _find(root: Any, path: str) -> Any:
    return root.find("/".join(f"{{*}}{step}" for step in path.split("/")))


def _mistake(rule: str, sentence: str, node: Any, file: str) -> Mistake:
    names = [each.tag.rpartition("}")[2] for each in (node, *node.iterancestors())]
    return Mistake(rule, sentence, Place(file, node.sourceline, field="/" + "/".join(reversed(names))))
