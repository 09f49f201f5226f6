"""Ways to break an e-invoice, each with the rule of EN 16931 that must fire: a change of the CII and one of the UBL.

`base` names the e-invoice that is broken.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.einvoices import Change, after, attribute, drop, drop_each, put, twice

Changes = tuple[Change, ...]


@dataclass(frozen=True)
class Mutation:
    """`rule` is what must fire; `cii_rule` where the rules of the CII catch the same thing by another one."""

    rule: str
    what: str
    cii: Changes
    ubl: Changes
    base: str = "standard"
    cii_rule: str = ""


def both(
    rule: str,
    what: str,
    cii: Change | Changes,
    ubl: Change | Changes,
    base: str = "standard",
    cii_rule: str = "",
) -> Mutation:
    """The same thing done to both syntaxes."""
    changes = [each if isinstance(each, tuple) else (each,) for each in (cii, ubl)]
    return Mutation(rule, what, changes[0], changes[1], base, cii_rule)


# A row is one mutation, so that the catalogue can be read as a table.
# fmt: off
# ruff: noqa: E501
LINE, UBL_LINE = "IncludedSupplyChainTradeLineItem", "InvoiceLine"
SUM, UBL_SUM = "SpecifiedTradeSettlementHeaderMonetarySummation", "LegalMonetaryTotal"
TAX, UBL_TAX = "ApplicableHeaderTradeSettlement/ApplicableTradeTax", "TaxSubtotal"
CHARGE, UBL_CHARGE = "ApplicableHeaderTradeSettlement/SpecifiedTradeAllowanceCharge", "AllowanceCharge"
SELLER, UBL_SELLER = "SellerTradeParty", "AccountingSupplierParty/Party"
BUYER, UBL_BUYER = "BuyerTradeParty", "AccountingCustomerParty/Party"
SETTLED = f"{LINE}/SpecifiedLineTradeSettlement"
LINE_TAX, UBL_LINE_TAX = f"{SETTLED}/ApplicableTradeTax", "ClassifiedTaxCategory"
LINE_NET = f"{SETTLED}/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount"
PERIOD_END = "BillingSpecifiedPeriod/EndDateTime/DateTimeString"
PAYMENT = "SpecifiedTradeSettlementPaymentMeans"
CATEGORY_IN_TAX, UBL_CATEGORY_IN_TAX = f"{TAX}/CategoryCode", f"{UBL_TAX}/TaxCategory/ID"
SELLER_VAT, UBL_SELLER_VAT = f"{SELLER}/SpecifiedTaxRegistration", f"{UBL_SELLER}/PartyTaxScheme"
BUYER_VAT, UBL_BUYER_VAT = f"{BUYER}/SpecifiedTaxRegistration", f"{UBL_BUYER}/PartyTaxScheme"

MISSING = (
    both("BR-01", "no specification (BT-24)", drop("GuidelineSpecifiedDocumentContextParameter/ID"), drop("CustomizationID")),
    both("BR-02", "no number (BT-1)", drop("ExchangedDocument/ID"), drop("Invoice/ID")),
    both("BR-03", "no date of issue (BT-2)", drop("ExchangedDocument/IssueDateTime"), drop("IssueDate")),
    both("BR-04", "no type (BT-3)", drop("ExchangedDocument/TypeCode"), drop("InvoiceTypeCode")),
    both("BR-05", "no currency (BT-5)", drop("InvoiceCurrencyCode"), drop("DocumentCurrencyCode")),
    both("BR-06", "no name of the seller (BT-27)", drop(f"{SELLER}/Name"), drop(f"{UBL_SELLER}/PartyLegalEntity/RegistrationName")),
    both("BR-07", "no name of the buyer (BT-44)", drop(f"{BUYER}/Name"), drop(f"{UBL_BUYER}/PartyLegalEntity/RegistrationName")),
    both("BR-08", "no address of the seller (BG-5)", drop(f"{SELLER}/PostalTradeAddress"), drop(f"{UBL_SELLER}/PostalAddress")),
    both("BR-09", "no country of the seller (BT-40)", drop(f"{SELLER}/PostalTradeAddress/CountryID"), drop(f"{UBL_SELLER}/PostalAddress/Country")),
    both("BR-10", "no address of the buyer (BG-8)", drop(f"{BUYER}/PostalTradeAddress"), drop(f"{UBL_BUYER}/PostalAddress")),
    both("BR-11", "no country of the buyer (BT-55)", drop(f"{BUYER}/PostalTradeAddress/CountryID"), drop(f"{UBL_BUYER}/PostalAddress/Country")),
    both("BR-12", "no sum of lines (BT-106)", drop(f"{SUM}/LineTotalAmount"), drop(f"{UBL_SUM}/LineExtensionAmount")),
    both("BR-13", "no total without VAT (BT-109)", drop(f"{SUM}/TaxBasisTotalAmount"), drop(f"{UBL_SUM}/TaxExclusiveAmount")),
    both("BR-14", "no total with VAT (BT-112)", drop(f"{SUM}/GrandTotalAmount"), drop(f"{UBL_SUM}/TaxInclusiveAmount")),
    both("BR-15", "no amount due (BT-115)", drop(f"{SUM}/DuePayableAmount"), drop(f"{UBL_SUM}/PayableAmount")),
    both("BR-16", "no lines (BG-25)", drop_each(LINE), drop_each(UBL_LINE)),
    both("BR-21", "no number of a line (BT-126)", drop(f"{LINE}/AssociatedDocumentLineDocument/LineID"), drop(f"{UBL_LINE}/ID")),
    both("BR-22", "no quantity (BT-129)", drop(f"{LINE}/SpecifiedLineTradeDelivery/BilledQuantity"), drop(f"{UBL_LINE}/InvoicedQuantity")),
    both("BR-23", "no unit (BT-130)", attribute(f"{LINE}/SpecifiedLineTradeDelivery/BilledQuantity", "unitCode"), attribute(f"{UBL_LINE}/InvoicedQuantity", "unitCode")),
    both("BR-24", "no net amount of a line (BT-131)", drop(LINE_NET), drop(f"{UBL_LINE}/LineExtensionAmount")),
    both("BR-25", "no name of an item (BT-153)", drop(f"{LINE}/SpecifiedTradeProduct/Name"), drop(f"{UBL_LINE}/Item/Name")),
    both("BR-26", "no price (BT-146)", drop(f"{LINE}/SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount"), drop(f"{UBL_LINE}/Price/PriceAmount")),
    both("BR-36", "no amount of the uplift (BT-99)", drop(f"{CHARGE}/ActualAmount"), drop(f"{UBL_CHARGE}/Amount")),
    both("BR-37", "no VAT category of the uplift (BT-102)", drop(f"{CHARGE}/CategoryTradeTax"), drop(f"{UBL_CHARGE}/TaxCategory")),
    both("BR-38", "no reason for the uplift (BT-104)", drop(f"{CHARGE}/Reason"), drop(f"{UBL_CHARGE}/AllowanceChargeReason")),
    both("BR-45", "no taxable amount (BT-116)", drop(f"{TAX}/BasisAmount"), drop(f"{UBL_TAX}/TaxableAmount")),
    both("BR-46", "no tax amount of a category (BT-117)", drop(f"{TAX}/CalculatedAmount"), drop(f"{UBL_TAX}/TaxAmount")),
    both("BR-47", "no category in the breakdown (BT-118)", drop(CATEGORY_IN_TAX), drop(UBL_CATEGORY_IN_TAX)),
    both("BR-48", "no rate in the breakdown (BT-119)", drop(f"{TAX}/RateApplicablePercent"), drop(f"{UBL_TAX}/TaxCategory/Percent")),
    both("BR-49", "no means of payment (BT-81)", drop(f"{PAYMENT}/TypeCode"), drop("PaymentMeans/PaymentMeansCode")),
    both("BR-50", "an account without its number (BT-84)", drop("PayeePartyCreditorFinancialAccount/IBANID"), drop("PayeeFinancialAccount/ID")),
    both("BR-55", "no number of the invoice before (BT-25)", drop("InvoiceReferencedDocument/IssuerAssignedID"), drop("BillingReference/InvoiceDocumentReference/ID"), "credit"),
    both("BR-61", "a transfer without an account (BT-84)", drop("PayeePartyCreditorFinancialAccount"), drop("PayeeFinancialAccount"), cii_rule="CII-SR-470"),
    both("BR-62", "no scheme of the seller's electronic address", attribute(f"{SELLER}/URIUniversalCommunication/URIID", "schemeID"), attribute(f"{UBL_SELLER}/EndpointID", "schemeID")),
    both("BR-63", "no scheme of the buyer's electronic address", attribute(f"{BUYER}/URIUniversalCommunication/URIID", "schemeID"), attribute(f"{UBL_BUYER}/EndpointID", "schemeID")),
    both("BR-CO-04", "no VAT category of a line (BT-151)", drop(f"{LINE_TAX}/CategoryCode"), drop(f"{UBL_LINE}/Item/{UBL_LINE_TAX}")),
    both("BR-CO-18", "no breakdown of VAT (BG-23)", drop_each(TAX), drop_each(UBL_TAX)),
    both("BR-CO-25", "neither due date nor terms", drop("SpecifiedTradePaymentTerms"), (drop("DueDate"), drop("PaymentTerms"))),
    both("BR-CO-26", "nothing that says who the seller is", (drop(SELLER_VAT), drop(f"{SELLER}/SpecifiedLegalOrganization")), (drop(UBL_SELLER_VAT), drop(f"{UBL_SELLER}/PartyLegalEntity/CompanyID"))),
)

WRONG = (
    both("BR-27", "a price below zero", put(f"{LINE}/SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount", "-1.00"), put(f"{UBL_LINE}/Price/PriceAmount", "-1.00")),
    both("PEPPOL-EN16931-R120", "a price that is not the line's", put(f"{LINE}/SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount", "700.01"), put(f"{UBL_LINE}/Price/PriceAmount", "700.01")),
    both("PEPPOL-EN16931-R120", "a quantity that is not the line's", put(f"{LINE}/SpecifiedLineTradeDelivery/BilledQuantity", "2"), put(f"{UBL_LINE}/InvoicedQuantity", "2")),
    both("PEPPOL-EN16931-R040", "an uplift that is not its per cent", put(f"{CHARGE}/CalculationPercent", "6"), put(f"{UBL_CHARGE}/MultiplierFactorNumeric", "6")),
    both("BR-29", "a period that ends before it begins", put(PERIOD_END, "20260930"), put("InvoicePeriod/EndDate", "2026-09-30")),
    both("BR-53", "a currency of tax without the tax in it", after("PaymentReference", "TaxCurrencyCode", "USD"), after("DocumentCurrencyCode", "TaxCurrencyCode", "USD")),
    both("BR-CO-09", "a VAT number without its country", put(f"{SELLER_VAT}/ID", "136695976"), put(f"{UBL_SELLER_VAT}/CompanyID", "136695976")),
    both("BR-CO-10", "lines that do not sum up", put(f"{SUM}/LineTotalAmount", "1000.01"), put(f"{UBL_SUM}/LineExtensionAmount", "1000.01")),
    both("BR-CO-10", "a line that is a cent too high", put(LINE_NET, "700.01"), put(f"{UBL_LINE}/LineExtensionAmount", "700.01")),
    both("BR-CO-10", "a line twice", twice(LINE), twice(UBL_LINE)),
    both("BR-CO-10", "a line less", drop(LINE), drop(UBL_LINE)),
    both("BR-CO-12", "charges that do not sum up", put(f"{SUM}/ChargeTotalAmount", "50.01"), put(f"{UBL_SUM}/ChargeTotalAmount", "50.01")),
    both("BR-CO-12", "the uplift twice", twice(CHARGE), twice(UBL_CHARGE)),
    both("BR-CO-12", "the uplift a cent too low", put(f"{CHARGE}/ActualAmount", "49.99"), put(f"{UBL_CHARGE}/Amount", "49.99")),
    both("BR-CO-13", "a total without VAT that does not sum up", put(f"{SUM}/TaxBasisTotalAmount", "1050.01"), put(f"{UBL_SUM}/TaxExclusiveAmount", "1050.01")),
    both("BR-CO-14", "a VAT total that is not the categories'", put(f"{SUM}/TaxTotalAmount", "199.51"), put("TaxTotal/TaxAmount", "199.51")),
    both("BR-CO-15", "a total with VAT that does not sum up", put(f"{SUM}/GrandTotalAmount", "1249.51"), put(f"{UBL_SUM}/TaxInclusiveAmount", "1249.51")),
    both("BR-CO-16", "an amount due a cent too high", put(f"{SUM}/DuePayableAmount", "1249.51"), put(f"{UBL_SUM}/PayableAmount", "1249.51")),
    both("BR-CO-17", "VAT that is not the rate's", put(f"{TAX}/CalculatedAmount", "209.50"), put(f"{UBL_TAX}/TaxAmount", "209.50")),
    both("BR-CO-17", "a rate that is not the VAT's", put(f"{TAX}/RateApplicablePercent", "7"), put(f"{UBL_TAX}/TaxCategory/Percent", "7")),
    both("BR-CO-17", "VAT rounded by line and summed, with all totals to match", (put(f"{TAX}/CalculatedAmount", "199.51"), put(f"{SUM}/TaxTotalAmount", "199.51"), put(f"{SUM}/GrandTotalAmount", "1249.51"), put(f"{SUM}/DuePayableAmount", "1249.51")), (put(f"{UBL_TAX}/TaxAmount", "199.51"), put("TaxTotal/TaxAmount", "199.51"), put(f"{UBL_SUM}/TaxInclusiveAmount", "1249.51"), put(f"{UBL_SUM}/PayableAmount", "1249.51"))),
    both("BR-CO-14", "the breakdown twice", twice(TAX), twice(UBL_TAX)),
)

CATEGORIES = (
    both("BR-S-01", "standard lines, zero in the breakdown", put(CATEGORY_IN_TAX, "Z"), put(UBL_CATEGORY_IN_TAX, "Z")),
    both("BR-S-02", "no VAT number of the seller", drop(SELLER_VAT), drop(UBL_SELLER_VAT)),
    both("BR-S-04", "no VAT number of the seller, with an uplift", drop(SELLER_VAT), drop(UBL_SELLER_VAT)),
    both("BR-S-05", "a standard line at zero", put(f"{LINE_TAX}/RateApplicablePercent", "0"), put(f"{UBL_LINE}/Item/{UBL_LINE_TAX}/Percent", "0")),
    both("BR-S-07", "a standard uplift at zero", put(f"{CHARGE}/CategoryTradeTax/RateApplicablePercent", "0"), put(f"{UBL_CHARGE}/TaxCategory/Percent", "0")),
    both("BR-S-08", "a taxable amount that is not the lines'", put(f"{TAX}/BasisAmount", "1052.00"), put(f"{UBL_TAX}/TaxableAmount", "1052.00")),
    both("BR-S-08", "a taxable amount a cent too high", put(f"{TAX}/BasisAmount", "1050.01"), put(f"{UBL_TAX}/TaxableAmount", "1050.01")),
    both("BR-S-08", "a line at another rate", put(f"{LINE_TAX}/RateApplicablePercent", "7"), put(f"{UBL_LINE}/Item/{UBL_LINE_TAX}/Percent", "7")),
    both("BR-S-09", "a tax amount that is not the rate's", put(f"{TAX}/CalculatedAmount", "209.50"), put(f"{UBL_TAX}/TaxAmount", "209.50")),
    both("BR-S-10", "an exemption from standard VAT", after(f"{TAX}/TypeCode", "ExemptionReason", "None"), after(f"{UBL_TAX}/TaxCategory/Percent", "TaxExemptionReason", "None")),
    both("BR-AE-01", "reverse charge lines, standard in the breakdown", put(CATEGORY_IN_TAX, "S"), put(UBL_CATEGORY_IN_TAX, "S"), "reverse"),
    both("BR-AE-02", "reverse charge without the seller's VAT number", drop(SELLER_VAT), drop(UBL_SELLER_VAT), "reverse"),
    both("BR-AE-02", "reverse charge without a number of the buyer", (drop(BUYER_VAT), drop(f"{BUYER}/SpecifiedLegalOrganization")), (drop(UBL_BUYER_VAT), drop(f"{UBL_BUYER}/PartyLegalEntity/CompanyID")), "reverse"),
    both("BR-AE-04", "reverse charge on the uplift without the seller's number", drop(SELLER_VAT), drop(UBL_SELLER_VAT), "reverse"),
    both("BR-AE-05", "reverse charge with a rate", put(f"{LINE_TAX}/RateApplicablePercent", "19"), put(f"{UBL_LINE}/Item/{UBL_LINE_TAX}/Percent", "19"), "reverse"),
    both("BR-AE-07", "reverse charge with a rate on the uplift", put(f"{CHARGE}/CategoryTradeTax/RateApplicablePercent", "19"), put(f"{UBL_CHARGE}/TaxCategory/Percent", "19"), "reverse"),
    both("BR-AE-08", "a taxable amount that is not the lines'", put(f"{TAX}/BasisAmount", "1052.00"), put(f"{UBL_TAX}/TaxableAmount", "1052.00"), "reverse"),
    both("BR-AE-09", "reverse charge with tax", put(f"{TAX}/CalculatedAmount", "199.50"), put(f"{UBL_TAX}/TaxAmount", "199.50"), "reverse"),
    both("BR-AE-10", "reverse charge without its reason", (drop(f"{TAX}/ExemptionReason"), drop(f"{TAX}/ExemptionReasonCode")), (drop(f"{UBL_TAX}/TaxCategory/TaxExemptionReason"), drop(f"{UBL_TAX}/TaxCategory/TaxExemptionReasonCode")), "reverse"),
    both("BR-O-01", "lines outside VAT, zero in the breakdown", put(CATEGORY_IN_TAX, "Z"), put(UBL_CATEGORY_IN_TAX, "Z"), "outside", "BR-Z-01"),
    both("BR-O-05", "a rate outside VAT", after(f"{LINE_TAX}/CategoryCode", "RateApplicablePercent", "0"), after(f"{UBL_LINE}/Item/{UBL_LINE_TAX}/ID", "Percent", "0"), "outside"),
    both("BR-O-07", "a rate on the uplift outside VAT", after(f"{CHARGE}/CategoryTradeTax/CategoryCode", "RateApplicablePercent", "0"), after(f"{UBL_CHARGE}/TaxCategory/ID", "Percent", "0"), "outside"),
    both("BR-O-08", "a taxable amount that is not the lines'", put(f"{TAX}/BasisAmount", "1052.00"), put(f"{UBL_TAX}/TaxableAmount", "1052.00"), "outside"),
    both("BR-O-09", "tax outside VAT", put(f"{TAX}/CalculatedAmount", "1.00"), put(f"{UBL_TAX}/TaxAmount", "1.00"), "outside"),
    both("BR-O-10", "outside VAT without a reason", (drop(f"{TAX}/ExemptionReason"), drop(f"{TAX}/ExemptionReasonCode")), (drop(f"{UBL_TAX}/TaxCategory/TaxExemptionReason"), drop(f"{UBL_TAX}/TaxCategory/TaxExemptionReasonCode")), "outside"),
    both("BR-O-12", "a standard line among those outside VAT", put(f"{LINE_TAX}/CategoryCode", "Z"), put(f"{UBL_LINE}/Item/{UBL_LINE_TAX}/ID", "Z"), "outside"),
    both("BR-O-14", "a zero uplift among lines outside VAT", put(f"{CHARGE}/CategoryTradeTax/CategoryCode", "Z"), put(f"{UBL_CHARGE}/TaxCategory/ID", "Z"), "outside"),
    both("BR-Z-01", "zero lines, standard in the breakdown", put(CATEGORY_IN_TAX, "S"), put(UBL_CATEGORY_IN_TAX, "S"), "zero"),
    both("BR-Z-02", "zero without the seller's VAT number", drop(SELLER_VAT), drop(UBL_SELLER_VAT), "zero"),
    both("BR-Z-04", "a zero uplift without the seller's VAT number", drop(SELLER_VAT), drop(UBL_SELLER_VAT), "zero"),
    both("BR-Z-05", "a zero line with a rate", put(f"{LINE_TAX}/RateApplicablePercent", "19"), put(f"{UBL_LINE}/Item/{UBL_LINE_TAX}/Percent", "19"), "zero"),
    both("BR-Z-07", "a zero uplift with a rate", put(f"{CHARGE}/CategoryTradeTax/RateApplicablePercent", "19"), put(f"{UBL_CHARGE}/TaxCategory/Percent", "19"), "zero"),
    both("BR-Z-08", "a taxable amount that is not the lines'", put(f"{TAX}/BasisAmount", "1052.00"), put(f"{UBL_TAX}/TaxableAmount", "1052.00"), "zero"),
    both("BR-Z-09", "zero with tax", put(f"{TAX}/CalculatedAmount", "1.00"), put(f"{UBL_TAX}/TaxAmount", "1.00"), "zero"),
    both("BR-Z-10", "an exemption where the rate is zero", after(f"{TAX}/TypeCode", "ExemptionReason", "None"), after(f"{UBL_TAX}/TaxCategory/Percent", "TaxExemptionReason", "None"), "zero"),
)

DECIMALS = (
    both("BR-DEC-05", "the uplift", put(f"{CHARGE}/ActualAmount", "50.000"), put(f"{UBL_CHARGE}/Amount", "50.000")),
    both("BR-DEC-06", "what the uplift is on", put(f"{CHARGE}/BasisAmount", "1000.000"), put(f"{UBL_CHARGE}/BaseAmount", "1000.000")),
    both("BR-DEC-09", "the sum of lines", put(f"{SUM}/LineTotalAmount", "1000.000"), put(f"{UBL_SUM}/LineExtensionAmount", "1000.000")),
    both("BR-DEC-11", "the sum of charges", put(f"{SUM}/ChargeTotalAmount", "50.000"), put(f"{UBL_SUM}/ChargeTotalAmount", "50.000")),
    both("BR-DEC-12", "the total without VAT", put(f"{SUM}/TaxBasisTotalAmount", "1050.000"), put(f"{UBL_SUM}/TaxExclusiveAmount", "1050.000")),
    both("BR-DEC-13", "the VAT total", put(f"{SUM}/TaxTotalAmount", "199.500"), put("TaxTotal/TaxAmount", "199.500")),
    both("BR-DEC-14", "the total with VAT", put(f"{SUM}/GrandTotalAmount", "1249.500"), put(f"{UBL_SUM}/TaxInclusiveAmount", "1249.500")),
    both("BR-DEC-18", "the amount due", put(f"{SUM}/DuePayableAmount", "1249.500"), put(f"{UBL_SUM}/PayableAmount", "1249.500")),
    both("BR-DEC-19", "the taxable amount", put(f"{TAX}/BasisAmount", "1050.000"), put(f"{UBL_TAX}/TaxableAmount", "1050.000")),
    both("BR-DEC-20", "the tax amount", put(f"{TAX}/CalculatedAmount", "199.500"), put(f"{UBL_TAX}/TaxAmount", "199.500")),
    both("BR-DEC-23", "a line", put(LINE_NET, "700.000"), put(f"{UBL_LINE}/LineExtensionAmount", "700.000")),
)

CODES = (
    both("BR-CL-01", "the type", put("ExchangedDocument/TypeCode", "999"), put("InvoiceTypeCode", "999")),
    both("BR-CL-04", "the currency", put("InvoiceCurrencyCode", "EUX"), put("DocumentCurrencyCode", "EUX")),
    both("BR-CL-03", "the currency of an amount", attribute(f"{SUM}/TaxTotalAmount", "currencyID", "EUX"), attribute(f"{UBL_SUM}/PayableAmount", "currencyID", "EUX"), cii_rule="BR-CO-15"),
    both("BR-CL-14", "the seller's country", put(f"{SELLER}/PostalTradeAddress/CountryID", "QQ"), put(f"{UBL_SELLER}/PostalAddress/Country/IdentificationCode", "QQ")),
    both("BR-CL-14", "the buyer's country", put(f"{BUYER}/PostalTradeAddress/CountryID", "QQ"), put(f"{UBL_BUYER}/PostalAddress/Country/IdentificationCode", "QQ")),
    both("BR-CL-16", "the means of payment", put(f"{PAYMENT}/TypeCode", "999"), put("PaymentMeans/PaymentMeansCode", "999")),
    both("BR-CL-17", "the category in the breakdown", put(CATEGORY_IN_TAX, "X"), put(UBL_CATEGORY_IN_TAX, "X")),
    both("BR-CL-18", "the category of a line", put(f"{LINE_TAX}/CategoryCode", "X"), put(f"{UBL_LINE}/Item/{UBL_LINE_TAX}/ID", "X")),
    both("BR-CL-22", "the reason of an exemption", put(f"{TAX}/ExemptionReasonCode", "VATEX-XX"), put(f"{UBL_TAX}/TaxCategory/TaxExemptionReasonCode", "VATEX-XX"), "reverse"),
    both("BR-CL-23", "the unit", attribute(f"{LINE}/SpecifiedLineTradeDelivery/BilledQuantity", "unitCode", "ONE"), attribute(f"{UBL_LINE}/InvoicedQuantity", "unitCode", "ONE")),
    both("BR-CL-25", "the scheme of an electronic address", attribute(f"{SELLER}/URIUniversalCommunication/URIID", "schemeID", "9999"), attribute(f"{UBL_SELLER}/EndpointID", "schemeID", "9999")),
)

CATALOGUE = (*MISSING, *WRONG, *CATEGORIES, *DECIMALS, *CODES)
