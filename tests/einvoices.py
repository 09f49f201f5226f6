"""E-invoices for tests: two companies, the invoices between them, and changes made to their XML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from apportion.invoice.paper import Paper, PaperKind, totals
from apportion.organization.coding import Coding
from apportion.post.einvoice.drafting import Charge, einvoices
from apportion.post.einvoice.model import EInvoice
from apportion.post.tax import Tax
from apportion.settings.parties import Party
from tests.papers import line, paper

HOLDING = Party(
    name="Brightwater Holding GmbH",
    country="DE",
    address=("Hafenstraße 1",),
    postcode="20457",
    city="Hamburg",
    vat_id="DE136695976",
    legal_id="HRB 100",
    electronic_address="DE136695976",
    electronic_scheme="9930",
    iban="DE89370400440532013000",
    contact="Group accounting",
    phone="+49 40 555010",
    email="invoices@brightwater.example",
)
RETAIL = Party(
    name="Brightwater Retail GmbH",
    country="DE",
    address=("Am Markt 2", "2nd floor"),
    postcode="10115",
    city="Berlin",
    vat_id="DE129273398",
    legal_id="HRB 200",
    electronic_address="4000001000005",
    electronic_scheme="0088",
)
PARTIES = {"1000": HOLDING, "2000": RETAIL}
STANDARD, REVERSE, ZERO = Tax("19"), Tax("19", reverse_charge=True), Tax("0")


def document(*minor: int, **other: Any) -> Paper:
    """An issued invoice to company 2000 with lines of these amounts in EUR, or as `other` says."""
    currency = other.pop("currency", "EUR")
    lines = tuple(line(number, each, currency=currency) for number, each in enumerate(minor, start=1))
    made = paper(lines, kind=PaperKind.INVOICE, label="KES-2026-000017", coding=Coding("2000", "0010", "", "600100"))
    return replace(made, **other)


def joined(*papers: Paper) -> Paper:
    """One document with the lines of several."""
    lines = tuple(
        replace(each, number=number)
        for number, each in enumerate((line for paper in papers for line in paper.lines), start=1)
    )
    return replace(papers[0], lines=lines, totals=totals(lines))


def credit_note(*minor: int) -> Paper:
    """A credit note about the e-invoice of `document`; its lines are below zero, as they lower what is carried."""
    return document(*minor, kind=PaperKind.CREDIT_NOTE, label="KES-2026-000021", about="KES-2026-000017", note="Late")


def made(given: Paper, tax: Tax | None = STANDARD, uplift: str = "5") -> EInvoice:
    """The one e-invoice of a document in one currency."""
    (invoice,) = einvoices(given, PARTIES, Charge("1000", uplift, tax))
    return invoice


@dataclass(frozen=True)
class Change:
    """A change of the XML; `path` is local names from anywhere in it, as in ``Party/PostalAddress``."""

    act: str
    path: str
    value: str = ""
    name: str = ""

    def make(self, root: Any) -> None:
        """Make it, and insist that there was something to change."""
        found = list(nodes(root, self.path))
        assert found, f"there is no {self.path}"
        if self.act == "each":
            for node in found:
                node.getparent().remove(node)
            return
        node = found[0]
        if self.act == "drop":
            node.getparent().remove(node)
        elif self.act == "twice":
            node.addnext(etree.fromstring(etree.tostring(node)))
        elif self.act == "put":
            node.text = self.value
        elif self.act == "attribute" and self.value:
            node.set(self.name, self.value)
        elif self.act == "attribute":
            del node.attrib[self.name]
        elif self.act == "after":  # a new element behind this one, in its namespace
            added = etree.Element(f"{{{etree.QName(node).namespace}}}{self.name}")
            added.text = self.value
            node.addnext(added)
        else:
            raise AssertionError(self.act)


def drop(path: str) -> Change:
    """Without the first."""
    return Change("drop", path)


def drop_each(path: str) -> Change:
    """Without any."""
    return Change("each", path)


def put(path: str, value: str) -> Change:
    """With another text."""
    return Change("put", path, value)


def twice(path: str) -> Change:
    """With the first a second time."""
    return Change("twice", path)


def after(path: str, name: str, value: str) -> Change:
    """With a new element behind it."""
    return Change("after", path, value, name)


def attribute(path: str, name: str, value: str = "") -> Change:
    """With another attribute, or without it."""
    return Change("attribute", path, value, name)


def nodes(root: Any, path: str) -> Iterator[Any]:
    """Elements by their local names, from anywhere in the file; ``Line[2]/ID`` takes the second such line."""
    steps = []
    for step in path.split("/"):
        name, _, count = step.partition("[")
        steps.append(f"*[local-name()='{name}']" + (f"[{count}" if count else ""))
    yield from root.xpath("//" + "/".join(steps))


def changed(xml: bytes, *changes: Change) -> bytes:
    """The file with these changes."""
    root = etree.fromstring(xml)
    for change in changes:
        change.make(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def each_element(xml: bytes, act: Callable[[Any], bool]) -> Iterator[tuple[str, bytes]]:
    """The file once for each of its elements, changed by `act`, and that element's path; where `act` says so."""
    for place in range(1, len(list(etree.fromstring(xml).iter()))):
        root = etree.fromstring(xml)
        node = list(root.iter())[place]
        names = [etree.QName(each).localname for each in (*reversed(list(node.iterancestors())), node)]
        if act(node):
            yield "/".join(names[1:]), etree.tostring(root, xml_declaration=True, encoding="UTF-8")
