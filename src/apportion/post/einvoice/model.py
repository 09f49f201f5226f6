"""An issued document between two companies as what EN 16931 calls an invoice: parties, lines, tax by category, totals.

Amounts are minor units of the one currency, signed as the e-invoice shows them: on a credit note what is credited is
above zero. Sums are checked when an `EInvoice` is made, so none that does not add up can be written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from apportion.errors import ConservationError
from apportion.money.currency import minor_text
from apportion.post.tax import part_minor
from apportion.settings.parties import Party


class Category(StrEnum):
    """Who owes what tax: the categories of VAT (UNTDID 5305) that charges between companies of a group can have."""

    STANDARD = "S"
    ZERO = "Z"
    REVERSE_CHARGE = "AE"  # the buyer owes it
    OUTSIDE = "O"  # not subject to VAT, as inside a tax group


EXEMPTION = {
    Category.REVERSE_CHARGE: ("VATEX-EU-AE", "Reverse charge: the recipient owes the VAT"),
    Category.OUTSIDE: ("VATEX-EU-O", "Not subject to VAT"),
}


class Kind(StrEnum):
    """What kind of document it is (UNTDID 1001)."""

    INVOICE = "380"
    CREDIT_NOTE = "381"
    DEBIT_NOTE = "383"


@dataclass(frozen=True, slots=True)
class Vat:
    """A category of VAT with its rate in per cent as decimal text; ``0`` where none is on the invoice."""

    category: Category
    rate: str = "0"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing of which there is one: a service, what it was for, why, and its net amount."""

    id: str
    name: str
    about: str
    net_minor: int
    vat: Vat


@dataclass(frozen=True, slots=True)
class Surcharge:
    """What is added to all lines together (below zero: taken off): why, per cent of which amount, and how much."""

    reason: str
    rate: str
    base_minor: int
    minor: int
    vat: Vat


@dataclass(frozen=True, slots=True)
class Subtotal:
    """The net amount and the tax of one category and rate (BG-23)."""

    vat: Vat
    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class EInvoice:
    """Everything that the XML and the page say. `currency` has at most two decimals.

    `buyer_reference` is the cost group, `accounting_reference` how the buyer books it; `about` is the number of the
    e-invoice that this one corrects. `tax_abroad` is the whole tax once more, in the currency of the seller's books.
    Raises `ConservationError` where lines, categories and totals do not add up.
    """

    number: str
    kind: Kind
    issued_on: date
    due_on: date
    starts_on: date
    ends_on: date
    currency: str
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]
    surcharges: tuple[Surcharge, ...]
    breakdown: tuple[Subtotal, ...]
    lines_minor: int
    surcharges_minor: int
    net_minor: int
    tax_minor: int
    due_minor: int
    buyer_reference: str = ""
    accounting_reference: str = ""
    about: str = ""
    note: str = ""
    tax_abroad: tuple[str, int] | None = None

    def __post_init__(self) -> None:
        checks = (
            ("lines", self.lines_minor, sum(line.net_minor for line in self.lines)),
            ("surcharges", self.surcharges_minor, sum(each.minor for each in self.surcharges)),
            ("net total", self.net_minor, self.lines_minor + self.surcharges_minor),
            ("tax", self.tax_minor, sum(each.tax_minor for each in self.breakdown)),
            ("net amounts by category", self.net_minor, sum(each.net_minor for each in self.breakdown)),
            ("amount due", self.due_minor, self.net_minor + self.tax_minor),
        )
        for name, said, sum_ in checks:
            if said != sum_:
                raise ConservationError(f"{self.number}: the {name} come to {sum_}, and {said} was to be written.")
        if self.breakdown != breakdown(self.lines, self.surcharges):
            raise ConservationError(f"{self.number}: the tax by category is not that of the lines.")

    def text(self, minor: int) -> str:
        """An amount in the currency's decimals: ``-0.05``."""
        return minor_text(minor, self.currency)


def breakdown(lines: Iterable[Line], surcharges: Iterable[Surcharge]) -> tuple[Subtotal, ...]:
    """Tax for each category and rate on its whole net amount, rounded once, halves away from zero (BR-CO-17)."""
    sums: dict[Vat, int] = {}
    for line in lines:
        sums[line.vat] = sums.get(line.vat, 0) + line.net_minor
    for each in surcharges:
        sums[each.vat] = sums.get(each.vat, 0) + each.minor
    return tuple(Subtotal(vat, sums[vat], part_minor(sums[vat], vat.rate)) for vat in sorted(sums, key=_order))


def _order(vat: Vat) -> tuple[str, str]:
    return vat.category.value, vat.rate
