"""Commitments: bought upfront or by the month, used by teams, and partly not used by anybody.

Over a whole term the EffectiveCost of what was used and what was not equals the BilledCost of the purchases, to the
last decimal: all of them are hours times the same rate. Source of the row shapes: FOCUS, commitment discounts; W4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from apportion.demo.bill import ONE_UNIT
from apportion.demo.catalogue import Sku
from apportion.demo.line import CENTRAL, Line, Prices, pool
from apportion.demo.numbers import letters
from apportion.demo.story import Month
from apportion.money.split import to_step

TERM = 12  # months


@dataclass(frozen=True, slots=True)
class Use:
    """The part of a commitment, in thousandths, that a team takes in months [`since`, `until`) of the story."""

    owner: str
    account: str
    permille: int
    since: int = 0
    until: int = 10**6


@dataclass(frozen=True, slots=True)
class Commitment:
    """A commitment that starts in month `first` of the story and is renewed every twelve months.

    `rate` is in millionths of the currency for an hour of one unit. A spend commitment (`covered_rate` above zero)
    promises money and covers usage at that rate per hour; a usage commitment promises hours of a SKU.
    `upfront` is the part in thousandths that is paid at once; the rest is paid by the month.
    """

    key: str
    name: str
    kind: str
    sku_key: str
    rate: int
    units: int
    first: int
    uses: tuple[Use, ...]
    upfront: int = 0
    covered_rate: int = 0

    def id_on(self, month: Month) -> str:
        term = (month.place - self.first) // TERM
        return f"{self.key}-{letters(12, 'commitment', self.key, term)}"

    @property
    def promises_money(self) -> bool:
        return self.covered_rate > 0


Covered = Callable[[Use, Sku, str], Line]
"""Makes the line of covered usage that a provider would send, given who uses it; quantity and prices are set here."""


def lines(
    commitment: Commitment,
    month: Month,
    sku: Sku,
    discount: int,
    currency: str,
    covered: Covered,
    central: dict[str, str],
) -> Iterator[Line]:
    """The purchases, used and unused parts of one commitment in one month.

    `central` are the columns of the account that buys; `discount` is the provider's own, in percent.
    """
    if month.place < commitment.first:
        return
    columns = {
        "CommitmentDiscountId": commitment.id_on(month),
        "CommitmentDiscountName": commitment.name,
        "CommitmentDiscountType": commitment.kind,
        "CommitmentDiscountCategory": "Spend" if commitment.promises_money else "Usage",
        "CommitmentDiscountUnit": currency if commitment.promises_money else "Hours",
    }
    yield from _purchases(commitment, month, {**central, **columns})
    promised = commitment.units * month.hours * ONE_UNIT
    left = promised * commitment.rate if commitment.promises_money else promised
    for use in commitment.uses:
        if not use.since <= month.place < use.until:
            continue
        rate = commitment.covered_rate or commitment.rate
        size = promised * commitment.rate if commitment.promises_money else promised
        quantity = to_step(size * use.permille, 1000 * (rate if commitment.promises_money else 1))
        left -= quantity * (rate if commitment.promises_money else 1)
        line = covered(use, sku, commitment.key)
        yield replace(
            line,
            columns={
                **line.columns, **columns, "CommitmentDiscountStatus": "Used", "PricingCategory": "Committed",
            },
            quantity=quantity,
            prices=Prices(sku.listed, sku.after_discount(discount), 0, rate),
            commitment_price=rate if commitment.promises_money else 10**6,
        )  # fmt: skip
    yield _unused(commitment, month, {**central, **columns}, left)


def _purchases(commitment: Commitment, month: Month, columns: dict[str, str]) -> Iterator[Line]:
    hours = sum(Month(month.place + ahead).hours for ahead in range(TERM))
    at_once = to_step(commitment.rate * commitment.upfront, 1000)
    by_month = commitment.rate - at_once
    starts = (month.place - commitment.first) % TERM == 0
    for frequency, wording, hourly, length, due in (
        ("One-Time", "paid upfront", at_once, hours, starts and at_once > 0),
        ("Recurring", "monthly fee", by_month, month.hours, by_month > 0),
    ):
        if due:
            yield Line(
                key=f"{commitment.key}/purchase/{frequency}",
                intended=CENTRAL,
                columns={
                    **columns,
                    "ChargeCategory": "Purchase",
                    "ChargeFrequency": frequency,
                    "PricingCategory": "Committed",
                    "PricingUnit": "Hours",
                    "ResourceId": columns["CommitmentDiscountId"],
                    "ResourceName": commitment.name,
                    "ResourceType": commitment.kind,
                    "ChargeDescription": f"{commitment.name}, {wording}",
                },
                quantity=commitment.units * length * ONE_UNIT,
                prices=Prices(hourly, hourly, hourly, 0),
                first=month.start,
                hours=month.hours,
                commitment_price=hourly if commitment.promises_money else 10**6,
            )


def _unused(commitment: Commitment, month: Month, columns: dict[str, str], left: int) -> Line:
    price = 1 if commitment.promises_money else commitment.rate
    return Line(
        key=f"{commitment.key}/unused",
        intended=pool("unused-commitments"),
        columns={
            **columns,
            "ChargeCategory": "Usage",
            "ChargeFrequency": "Usage-Based",
            "PricingCategory": "Committed",
            "CommitmentDiscountStatus": "Unused",
            "ResourceId": columns["CommitmentDiscountId"],
            "ResourceName": commitment.name,
            "ResourceType": commitment.kind,
            "ChargeDescription": f"{commitment.name}, not used",
        },
        quantity=left,
        prices=Prices(0, 0, 0, price),
        first=month.start,
        hours=month.hours,
        weight=20,
        priced=False,
        commitment_price=1 if commitment.promises_money else 10**6,
    )
