"""What may stand for how much recipients used: metrics, what is made of several, and internal prices for them."""

from __future__ import annotations

import itertools
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, Tag, model_validator

from apportion.allocate.figures import parse_amount, parse_number
from apportion.allocate.sections import Money, Name, Number, OneOrMore, Section, forms, given, nothing_left_open, one_of
from apportion.yamlfile import Day, refuse


def _ascending_tiers(tiers: tuple[TierDocument, ...]) -> tuple[TierDocument, ...]:
    reached = 0
    for place, tier in enumerate(tiers):
        if tier.up_to is None and place < len(tiers) - 1:
            sentence = "This tier takes all that is left, and the next could never begin."
            raise refuse("BAD_TIERS", sentence, "Give it 'up_to', or move it to the end.", (place,))
        top = reached + 1 if tier.up_to is None else parse_number(tier.up_to)
        if top <= reached:
            sentence = f"The tier up to {tier.up_to} ends before it begins."
            raise refuse("BAD_TIERS", sentence, "Write tiers in ascending order of 'up_to'.", (place, "up_to"))
        reached = top
    if not any(parse_number(tier.factor) for tier in tiers):
        raise refuse("BAD_TIERS", "No tier counts anything.", "Give one of them a factor above 0.")
    return tiers


def _ascending_prices(prices: tuple[PriceStepDocument, ...]) -> tuple[PriceStepDocument, ...]:
    first = parse_amount(prices[0].price).currency
    for place, (before, price) in enumerate(itertools.pairwise(prices), start=1):
        currency = parse_amount(price.price).currency
        if currency != first:
            sentence = f"This price is in {currency}, the first in {first}."
            raise refuse("BAD_PRICES", sentence, "A price list has one currency.", (place, "price"))
        if price.valid_from is None:
            raise refuse("BAD_PRICES", "It is not said from when on this price holds.", "Add 'from: …'.", (place,))
        if before.valid_from is not None and price.valid_from <= before.valid_from:
            sentence = f"The price from {price.valid_from} does not come after the one from {before.valid_from}."
            raise refuse("BAD_PRICES", sentence, "Write prices in the order of their dates.", (place, "from"))
    return prices


def _several(metrics: tuple[object, ...]) -> tuple[object, ...]:
    if len(metrics) == 1:
        raise refuse("BAD_BASIS", "Only one metric stands here.", "Add another, or write {metered: …}.")
    return metrics


class TierDocument(Section):
    """Of each consumer's quantity, what lies below `up_to` counts `factor` times."""

    up_to: Number | None = Field(None, description="Where the tier ends; left out, it takes all that is left.")
    factor: Number = Field(description="How many times the quantity in this tier counts.")

    @model_validator(mode="after")
    def _said(self) -> TierDocument:
        nothing_left_open(self)
        return self


class MeterDocument(Section):
    """One metric of delivered usage, narrowed to values of its dimensions, in tiers."""

    metric: Name = Field(description="The metric, as it is delivered.")
    where: Annotated[dict[Name, OneOrMore], Field(min_length=1)] | None = Field(
        None, description="Dimensions with the value, or the values, that count."
    )
    tiers: Annotated[tuple[TierDocument, ...], Field(min_length=1), AfterValidator(_ascending_tiers)] | None = Field(
        None, description="How much of each consumer's quantity counts how many times."
    )

    @model_validator(mode="after")
    def _said(self) -> MeterDocument:
        nothing_left_open(self)
        return self


class TimesDocument(MeterDocument):
    """A metric of a sum, with how many times it counts."""

    times: Number = Field("1", description="How many times the metric counts.")


Meter = Annotated[
    Annotated[Name, Tag("#text")] | Annotated[MeterDocument, Tag("#mapping")],
    forms("Write the name of a metric, or {metric: …, where: …}."),
]


class QuantityDocument(Section):
    """How much each recipient used: one metric, or several of them."""

    metered: Meter | None = Field(None, description="By delivered usage of one metric.")
    greater_of: Annotated[tuple[Meter, ...], Field(min_length=1), AfterValidator(_several)] | None = Field(
        None, description="By the greatest of several metrics, for each recipient."
    )
    sum_of: Annotated[tuple[TimesDocument, ...], Field(min_length=1), AfterValidator(_several)] | None = Field(
        None, description="By several metrics added up, each times its factor."
    )

    _ways: ClassVar[tuple[str, ...]] = ("metered", "greater_of", "sum_of")

    @model_validator(mode="after")
    def _one_way(self) -> QuantityDocument:
        nothing_left_open(self)
        one_of(
            self, self._ways, code="BAD_BASIS", none="It is not said how this is shared.",
            several="{} cannot stand beside each other.", advice=f"Write one of {', '.join(self._ways)}.",
        )  # fmt: skip
        if self.sum_of and not any(parse_number(part.times) for part in self.sum_of):
            raise refuse("BAD_BASIS", "Every metric counts 0 times.", "Give one of them another 'times'.", ("sum_of",))
        return self

    @property
    def way(self) -> str:
        """The key that stands there."""
        return given(self, self._ways)[0]


Quantity = Annotated[
    Annotated[Name, Tag("#text")] | Annotated[QuantityDocument, Tag("#mapping")],
    forms("Write the name of a metric, or {greater_of: …} or {sum_of: …}."),
]


class PriceStepDocument(Section):
    """An internal price for one unit, from a day on."""

    valid_from: Day | None = Field(None, alias="from", description="The first day on which it holds.")
    price: Money = Field(description="For one unit, with its currency: 0.02 USD.")

    @model_validator(mode="after")
    def _said(self) -> PriceStepDocument:
        nothing_left_open(self)
        return self


class PriceDocument(Section):
    """A price list: every recipient pays for its quantity, and what is over or under-recovered is kept central."""

    per: Quantity = Field(description="What is counted: a metric, or several of them.")
    prices: Annotated[tuple[PriceStepDocument, ...], Field(min_length=1), AfterValidator(_ascending_prices)] = Field(
        description="The prices in the order of their dates, all in one currency."
    )
