"""Suitebench, the software vendor: seats by the month in EUR, FOCUS 1.2, one invoice for each legal entity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apportion.demo.bill import ONE_UNIT, flat_line, steps_line
from apportion.demo.catalogue import SEATS
from apportion.demo.line import CENTRAL, NOBODY, Line, Prices, billed_steps, percent_of, pool
from apportion.demo.numbers import letters
from apportion.demo.story import Month

CURRENCY = "EUR"
ISSUER = "Suitebench AB"

EUROPE, NORDIC = ("SB-1000", "Kestrel Europe GmbH"), ("SB-2000", "Kestrel Nordic AB")


@dataclass(frozen=True, slots=True)
class Seats:
    """So many seats of a product in November 2025, and how many join each month."""

    owner: str
    account: tuple[str, str]
    sku_key: str
    seats: int
    joining: int
    department: str = ""


SOLD = (
    Seats(pool("collaboration"), EUROPE, "office", 640, 6),
    Seats(pool("identity"), EUROPE, "identity", 640, 6),
    Seats(pool("developer-tools"), EUROPE, "code", 190, 3, "Engineering"),
    Seats("storefront", EUROPE, "design", 22, 0, "Product Design"),
    Seats("sellers", EUROPE, "sales", 58, 1, "Sales"),
    Seats(pool("people-platform"), EUROPE, "people", 640, 6, "People"),
    Seats("returns", EUROPE, "desk", 45, 0, "Customer Care"),
    Seats(pool("collaboration"), NORDIC, "office", 260, 2),
    Seats(pool("identity"), NORDIC, "identity", 260, 2),
    Seats(pool("developer-tools"), NORDIC, "code", 84, 1, "Engineering"),
    Seats("rider-app", NORDIC, "desk", 31, 1, "Rider Care"),
    Seats(pool("people-platform"), NORDIC, "people", 260, 2, "People"),
    Seats(NOBODY, EUROPE, "boards", 36, 2, "Trial"),
)


def seats_of(sku_key: str, month: Month) -> int:
    """How many seats of a product are paid for, over both contracts."""
    return sum(sold.seats + sold.joining * month.place for sold in SOLD if sold.sku_key == sku_key)


def lines(month: Month, seed: int) -> list[Line]:
    """Every line of the month's two invoices. Seats follow contracts, so nothing depends on `seed`."""
    seats = [_seat_line(sold, month) for sold in SOLD]
    return [*seats, *_rest(seats, month)]


def _bill(account: tuple[str, str], month: Month) -> dict[str, str]:
    return {
        "ProviderName": "Suitebench",
        "PublisherName": "Suitebench",
        "InvoiceIssuerName": ISSUER,
        "InvoiceId": f"{account[0]}-{month.period.year}{month.period.month:02d}",
        "BillingAccountId": account[0],
        "BillingAccountName": account[1],
        "BillingAccountType": "Subscription",
    }


def _seat_line(sold: Seats, month: Month) -> Line:
    sku = SEATS[sold.sku_key]
    tags = {"department": sold.department} if sold.department else {}
    return Line(
        key=f"{sold.account[0]}/{sold.sku_key}",
        intended=sold.owner,
        columns={
            **_bill(sold.account, month), **sku.columns(), "ChargeCategory": "Purchase",
            "ChargeFrequency": "Recurring", "PricingCategory": "Standard", "ResourceName": sku.service,
            "ResourceId": f"{sold.account[0]}/{letters(8, 'plan', *sold.account, sold.sku_key)}",
        },
        quantity=(sold.seats + sold.joining * month.place) * ONE_UNIT,
        prices=Prices.flat(sku.listed),
        first=month.start,
        hours=month.hours,
        tags=tags,
    )  # fmt: skip


def _rest(seats: list[Line], month: Month) -> Iterator[Line]:
    """Seats handed back in March and refunded in April, and Swedish VAT on the Nordic invoice."""
    if month.place == 5:
        refund = {
            **_bill(EUROPE, month), **SEATS["sales"].columns(), "ChargeCategory": "Purchase",
            "ChargeDescription": "Refund of 8 seats handed back in March",
        }  # fmt: skip
        yield flat_line("refund", pool("refunds"), refund, -60_000, month, tags={"department": "Sales"})
    for account, permille, text in ((EUROPE, 0, "VAT, reverse charge"), (NORDIC, 250, "VAT 25 %, Sweden")):
        taxed = billed_steps(line for line in seats if line.columns["BillingAccountId"] == account[0])
        tax = {
            **_bill(account, month), "ChargeCategory": "Tax", "ServiceName": "VAT", "ServiceCategory": "Other",
            "ServiceSubcategory": "Other (Other)", "ChargeDescription": text,
        }  # fmt: skip
        yield steps_line(f"vat/{account[0]}", CENTRAL, tax, percent_of(taxed, permille), month)
