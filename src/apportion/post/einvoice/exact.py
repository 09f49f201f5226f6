"""Rules of EN 16931 to the cent, where the official schematrons leave play or have left a rule out.

They let the tax of a category and its taxable amount be off by one whole unit of currency, so that tax rounded line by
line would pass; they count the decimals of the tax total by its value, and no longer ask for a due date (BR-CO-25). Two
sums of Peppol BIS 3 are checked as well: quantity by price (R120) and per cent of the base (R040). What is no number is
left to the schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation
from typing import Any

from apportion.errors import BadValueError, Mistake, Place
from apportion.money.currency import exponent

_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
_LAWS = {"S": "BR-S", "Z": "BR-Z", "AE": "BR-AE", "O": "BR-O", "E": "BR-E", "G": "BR-G", "K": "BR-IC"}
_MOST_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class _Paths:
    """Where a syntax has each term, from its root, or from the line, charge or subtotal that it belongs to."""

    currency: str
    lines: str
    net: str
    category: str
    rate: str
    quantity: str
    price: str
    price_for: str
    line_charges: str
    charges: str
    is_charge: str
    amount: str
    base: str
    percent: str
    charge_category: str
    charge_rate: str
    subtotals: str
    taxable: str
    tax: str
    tax_category: str
    tax_rate: str
    tax_total: str
    due: str
    due_date: tuple[str, ...]
    terms: str


_SETTLEMENT = "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement"
_SUMMATION = f"{_SETTLEMENT}/SpecifiedTradeSettlementHeaderMonetarySummation"
_CII = _Paths(
    currency=f"{_SETTLEMENT}/InvoiceCurrencyCode",
    lines="SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem",
    net="SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
    category="SpecifiedLineTradeSettlement/ApplicableTradeTax/CategoryCode",
    rate="SpecifiedLineTradeSettlement/ApplicableTradeTax/RateApplicablePercent",
    quantity="SpecifiedLineTradeDelivery/BilledQuantity",
    price="SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount",
    price_for="SpecifiedLineTradeAgreement/NetPriceProductTradePrice/BasisQuantity",
    line_charges="SpecifiedLineTradeSettlement/SpecifiedTradeAllowanceCharge",
    charges=f"{_SETTLEMENT}/SpecifiedTradeAllowanceCharge",
    is_charge="ChargeIndicator/Indicator",
    amount="ActualAmount",
    base="BasisAmount",
    percent="CalculationPercent",
    charge_category="CategoryTradeTax/CategoryCode",
    charge_rate="CategoryTradeTax/RateApplicablePercent",
    subtotals=f"{_SETTLEMENT}/ApplicableTradeTax",
    taxable="BasisAmount",
    tax="CalculatedAmount",
    tax_category="CategoryCode",
    tax_rate="RateApplicablePercent",
    tax_total=f"{_SUMMATION}/TaxTotalAmount",
    due=f"{_SUMMATION}/DuePayableAmount",
    due_date=(f"{_SETTLEMENT}/SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString",),
    terms=f"{_SETTLEMENT}/SpecifiedTradePaymentTerms/Description",
)


def _ubl(line: str, quantity: str) -> _Paths:
    return _Paths(
        currency="DocumentCurrencyCode",
        lines=line,
        net="LineExtensionAmount",
        category="Item/ClassifiedTaxCategory/ID",
        rate="Item/ClassifiedTaxCategory/Percent",
        quantity=quantity,
        price="Price/PriceAmount",
        price_for="Price/BaseQuantity",
        line_charges="AllowanceCharge",
        charges="AllowanceCharge",
        is_charge="ChargeIndicator",
        amount="Amount",
        base="BaseAmount",
        percent="MultiplierFactorNumeric",
        charge_category="TaxCategory/ID",
        charge_rate="TaxCategory/Percent",
        subtotals="TaxTotal/TaxSubtotal",
        taxable="TaxableAmount",
        tax="TaxAmount",
        tax_category="TaxCategory/ID",
        tax_rate="TaxCategory/Percent",
        tax_total="TaxTotal/TaxAmount",
        due="LegalMonetaryTotal/PayableAmount",
        due_date=("DueDate", "PaymentMeans/PaymentDueDate"),
        terms="PaymentTerms/Note",
    )


_PATHS = {
    "CrossIndustryInvoice": _CII,
    "Invoice": _ubl("InvoiceLine", "InvoicedQuantity"),
    "CreditNote": _ubl("CreditNoteLine", "CreditedQuantity"),
}


def inexact(root: Any, name: str, file: str) -> Iterator[Mistake]:
    """Every sum that is not exact, in the file whose root element is called `name`, with the rule it breaks."""
    paths = _PATHS[name]
    found = _Found(root, file, paths)
    yield from found.breakdown()
    yield from found.products()
    yield from found.decimals()
    yield from found.due()
    yield from found.dates()


@dataclass(frozen=True, slots=True)
class _Found:
    root: Any
    file: str
    paths: _Paths

    def breakdown(self) -> Iterator[Mistake]:
        """Taxable amounts are the sums of their lines (BR-S-08 and its like), tax is their rate (BR-CO-17)."""
        paths, sums = self.paths, self._sums()
        for node in _all(self.root, paths.subtotals):
            key = _text(node, paths.tax_category), _number(node, paths.tax_rate) or Decimal(0)
            taxable, tax = _number(node, paths.taxable), _number(node, paths.tax)
            if taxable is None or tax is None:
                continue
            if key[0] in _LAWS and taxable != sums.get(key, Decimal(0)):
                said = f"The taxable amount of {key[0]} is {taxable}; lines, charges and allowances of it come to"
                yield self._mistake(f"{_LAWS[key[0]]}-08", f"{said} {sums.get(key, Decimal(0))}.", node, paths.taxable)
            due = self._rounded(_EXACT.multiply(taxable, key[1]).scaleb(-2))
            if tax != due:
                said = f"{key[1]} % of {taxable} is {due}, rounded once for the category; the file says {tax}."
                yield self._mistake("BR-CO-17", said, node, paths.tax)

    def products(self) -> Iterator[Mistake]:
        """Quantity by price is the line, and per cent of the base is the charge, which has one VAT category (BR-37)."""
        paths = self.paths
        for node in _all(self.root, paths.lines):
            net, quantity, price = (_number(node, each) for each in (paths.net, paths.quantity, paths.price))
            alone = not _all(node, paths.line_charges) and not _all(node, paths.price_for)
            if alone and net is not None and quantity is not None and price is not None:
                product = self._rounded(_EXACT.multiply(quantity, price))
                if net != product:
                    said = f"{quantity} at a price of {price} is {product}; the line says {net}."
                    yield self._mistake("PEPPOL-EN16931-R120", said, node, paths.net)
        for node in _all(self.root, paths.charges):
            if len(_all(node, paths.charge_category)) > 1:
                yield self._mistake("BR-37", "The charge or allowance has more than one VAT category.", node)
            amount, base, percent = (_number(node, each) for each in (paths.amount, paths.base, paths.percent))
            if amount is not None and base is not None and percent is not None:
                part = _EXACT.multiply(base, percent).scaleb(-2)
                if self._rounded(part) != amount:
                    said = f"{percent} % of {base} is {self._rounded(part)}; the file says {amount}."
                    yield self._mistake("PEPPOL-EN16931-R040", said, node, paths.amount)

    def decimals(self) -> Iterator[Mistake]:
        """The tax total has two decimals at most, zeros counted (BR-DEC-13)."""
        for node in _all(self.root, self.paths.tax_total):
            if len((node.text or "").strip().partition(".")[2]) > _MOST_DECIMALS:
                said = "The invoice total VAT amount (BT-110) has more than two decimals."
                yield self._mistake("BR-DEC-13", said, node)

    def due(self) -> Iterator[Mistake]:
        """What is to be paid has a date or terms (BR-CO-25)."""
        paths = self.paths
        amount = _number(self.root, paths.due)
        dated = any(_text(self.root, each) for each in (*paths.due_date, paths.terms))
        if amount is not None and amount > 0 and not dated:
            said = "An amount is due (BT-115), and neither its date (BT-9) nor the terms of payment (BT-20) are said."
            yield self._mistake("BR-CO-25", said, self.root, paths.due)

    def dates(self) -> Iterator[Mistake]:
        """Days of the CII are days (its schema takes any text; that of the UBL does not)."""
        for node in self.root.iter(*(f"{{*}}{name}" for name in ("DateTimeString", "DateString"))):
            try:
                datetime.strptime((node.text or "").strip(), "%Y%m%d").replace(tzinfo=UTC)
            except ValueError:
                yield self._mistake("BAD_DATE", f"'{node.text}' is not a day; it is written as in 20261105.", node)

    def _sums(self) -> dict[tuple[str, Decimal], Decimal]:
        paths = self.paths
        sums: dict[tuple[str, Decimal], Decimal] = {}
        for node in _all(self.root, paths.lines):
            key = _text(node, paths.category), _number(node, paths.rate) or Decimal(0)
            sums[key] = _EXACT.add(sums.get(key, Decimal(0)), _number(node, paths.net) or Decimal(0))
        for node in _all(self.root, paths.charges):
            key = _text(node, paths.charge_category), _number(node, paths.charge_rate) or Decimal(0)
            amount = _number(node, paths.amount) or Decimal(0)
            adds = _text(node, paths.is_charge) in {"true", "1"}
            sums[key] = _EXACT.add(sums.get(key, Decimal(0)), amount if adds else -amount)
        return sums

    def _rounded(self, amount: Decimal) -> Decimal:
        try:
            places = min(_MOST_DECIMALS, exponent(_text(self.root, self.paths.currency)))
        except BadValueError:
            places = _MOST_DECIMALS  # the code list says that it is no currency
        return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)

    def _mistake(self, rule: str, sentence: str, node: Any, path: str = "") -> Mistake:
        spot = (_all(node, path) or [node])[0] if path else node
        where = self.root.getroottree().getelementpath(spot)
        return Mistake(rule, sentence, Place(self.file, spot.sourceline, field=_plain(where)))


def _all(node: Any, path: str) -> list[Any]:
    found: list[Any] = node.findall("/".join(f"{{*}}{step}" for step in path.split("/")))
    return found


def _text(node: Any, path: str) -> str:
    found = _all(node, path)
    return (found[0].text or "").strip() if found else ""


def _number(node: Any, path: str) -> Decimal | None:
    try:
        value = Decimal(_text(node, path))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _plain(path: str) -> str:
    """A path without its namespaces: ``/TaxTotal/TaxSubtotal[2]``."""
    return "/" + "/".join(step.rpartition("}")[2] for step in path.split("/"))
