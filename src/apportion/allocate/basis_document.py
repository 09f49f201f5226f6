"""What may stand for a way of sharing in the policy file: under `share`, `otherwise` and in the parts of a mix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Tag, WithJsonSchema, model_validator

from apportion.allocate.fields import check_followed, strange_values
from apportion.allocate.figures import parse_amount
from apportion.allocate.quantity_document import PriceDocument, Quantity, QuantityDocument
from apportion.allocate.sections import Codes, Money, Section, Share, forms, nothing_left_open, one_of
from apportion.allocate.shares import parse_share, percent_text, whole_weights
from apportion.yamlfile import Code, Refusal, Text, refuse, refuse_all

REST = "rest"


def _known_categories(categories: tuple[str, ...]) -> tuple[str, ...]:
    if found := strange_values("ChargeCategory", categories, (), fold=False):
        raise refuse_all(found)
    return categories


class DirectCostDocument(Section):
    """Direct cost, narrowed to some of it."""

    services: Annotated[tuple[Text, ...], Field(min_length=1)] | None = Field(
        None, description="Cost of these services (ServiceName) only."
    )
    categories: Annotated[tuple[Text, ...], Field(min_length=1), AfterValidator(_known_categories)] | None = Field(
        None, description="Charges of these categories (ChargeCategory) only."
    )
    under: Codes | None = Field(None, description="Cost of what is at or below these cost groups only.")

    @model_validator(mode="after")
    def _narrows(self) -> DirectCostDocument:
        nothing_left_open(self)
        if not self.model_fields_set:
            advice = "Name services, categories or under, or write: proportional to direct cost."
            raise refuse("NO_VALUE", "It is not said which direct cost counts.", advice)
        return self


def _whole(shares: dict[str, str]) -> dict[str, str]:
    whole_weights(fractions(shares))
    return shares


def fractions(shares: Mapping[str, str]) -> dict[str, Fraction]:
    """Each part of one whole."""
    return {code: parse_share(text) for code, text in shares.items()}


_EXAMPLES = {
    "fixed": "{fixed: {payments: 60%, data: 40%}}",
    "direct_cost": "{direct_cost: {services: [Amazon S3]}}, or: proportional to direct cost",
    "metered": "{metered: requests}",
    "greater_of": "{greater_of: [cpu_requested, cpu_used]}",
    "sum_of": "{sum_of: [{metric: input_tokens}, {metric: output_tokens, times: 4}]}",
    "mix": "{mix: [{share: 30%, by: even}, {share: 70%, by: {metered: requests}}]}",
    "price": "{price: {per: requests, prices: [{price: 0.02 USD}]}}",
    "follow": "{follow: [[ResourceId], [SubAccountId, ServiceName]]}",
    "proportional": "proportional to direct cost, or proportional to cost so far",
}


def _word(value: object) -> object:
    if isinstance(value, str) and value in _EXAMPLES:
        raise refuse("BAD_BASIS", f"'{value}' alone does not say how this is shared.", f"Write {_EXAMPLES[value]}.")
    return value


_Words = Annotated[
    Literal["even", "proportional to direct cost", "proportional to cost so far", "kept_central"],
    BeforeValidator(_word),
]


class SimpleBasisDocument(QuantityDocument):
    """A way of sharing that may stand anywhere, in the parts of a mix too."""

    fixed: Annotated[dict[Code, Share], Field(min_length=1), AfterValidator(_whole)] | None = Field(
        None, description="Cost groups or other pools, each with its share: 45%, 0.45 or 1/3; together 100 %."
    )
    direct_cost: DirectCostDocument | None = Field(
        None, description="In proportion to some of the direct cost: of services, categories, or a part of the tree."
    )

    _ways: ClassVar[tuple[str, ...]] = ("fixed", "direct_cost", "metered", "greater_of", "sum_of")


def _can_be_a_part(value: object) -> object:
    """A sentence of its own for what can be a basis, but not that of a part."""
    for way in ("mix", "price", "follow"):
        if isinstance(value, dict) and way in value:
            raise refuse("BAD_MIX", f"A part of a mix cannot be shared by '{way}'.", "", (way,))
    return value


SimpleShare = Annotated[
    Annotated[_Words, Tag("#text")] | Annotated[SimpleBasisDocument, BeforeValidator(_can_be_a_part), Tag("#mapping")],
    forms("Write even, proportional to direct cost, or for example {metered: requests}."),
]


def _share_of_part(text: str) -> str:
    if text != REST:
        parse_share(text)
    return text


class PartDocument(Section):
    """A part of a mix: how much of the pool it is, and how that is shared."""

    share: Annotated[str, AfterValidator(_share_of_part), WithJsonSchema({"type": ["string", "number"]})] | None = (
        Field(None, description="This part of the pool (30%), or rest: what the other parts leave.")
    )
    amount: Money | None = Field(None, description="This amount of the pool, as far as it goes.")
    rate: Money | None = Field(None, description="As much as this comes to for each unit of `per`.")
    per: Quantity | None = Field(None, description="What the rate is for: a metric, or several of them.")
    by: SimpleShare = Field(description="How the part is shared.")

    _ways: ClassVar[tuple[str, ...]] = ("share", "amount", "rate")

    @model_validator(mode="after")
    def _one_size(self) -> PartDocument:
        nothing_left_open(self)
        way = one_of(
            self, self._ways, code="BAD_MIX", none="It is not said how large this part is.",
            several="{} cannot both say how large this part is.", advice="Write one of share, amount and rate.",
        )  # fmt: skip
        if way == "rate" and self.per is None:
            raise refuse("BAD_MIX", "It is not said what the rate is for.", "Add 'per: …' with a metric.", ("rate",))
        if way != "rate" and self.per is not None:
            raise refuse("BAD_MIX", "'per' goes with 'rate' only.", "Leave it out.", ("per",))
        return self


def _fit_together(parts: tuple[PartDocument, ...]) -> tuple[PartDocument, ...]:
    if len(parts) == 1:
        raise refuse("BAD_MIX", "A mix has two parts or more.", "Write the way of sharing under 'share' itself.")
    last = len(parts) - 1
    found = [
        Refusal("BAD_MIX", "What is left can only be the last part.", "Move it to the end.", (place, "share"))
        for place, part in enumerate(parts)
        if part.share == REST and place != last
    ]
    sizes = [text for part in parts if (text := part.amount or part.rate) is not None]
    if not sizes:
        if found:
            raise refuse_all(found)
        _make_a_whole(parts)
        return parts
    currencies = sorted({parse_amount(text).currency for text in sizes})
    if len(currencies) > 1:
        sentence = f"The parts are given in {' and '.join(currencies)}; no pool holds both in one."
        found.append(Refusal("BAD_MIX", sentence, "Give all of them in one currency."))
    for place, part in enumerate(parts):
        if part.share is not None and part.share != REST:
            sentence = "A share of the pool cannot stand beside amounts and rates."
            advice = "Share what these leave in a last part {share: rest, by: …}."
            found.append(Refusal("BAD_MIX", sentence, advice, (place, "share")))
    if not any(part.share is not None for part in parts):
        sentence = "It is not said who takes what the amounts and rates leave of the pool."
        found.append(Refusal("BAD_MIX", sentence, "Add a last part {share: rest, by: …}."))
    if found:
        raise refuse_all(found)
    return parts


def part_weights(parts: tuple[PartDocument, ...]) -> tuple[int, ...]:
    """The weights of a mix in shares; `rest` is what the others leave."""
    shares = {str(place): parse_share(part.share or "") for place, part in enumerate(parts) if part.share != REST}
    if len(shares) < len(parts):
        shares[str(len(parts) - 1)] = 1 - sum(shares.values(), Fraction(0))
    return tuple(weight for _, weight in whole_weights(shares))


def _make_a_whole(parts: tuple[PartDocument, ...]) -> None:
    if parts[-1].share == REST:
        total = sum((parse_share(part.share or "") for part in parts[:-1]), Fraction(0))
        if total >= 1:
            sentence = f"The other parts take {percent_text(total)}, and nothing is left."
            raise refuse("SHARES_NOT_100", sentence, "", (len(parts) - 1, "share"))
    part_weights(parts)


def _bracketed(columns: object) -> object:
    if isinstance(columns, str):
        sentence = f"'{columns}' stands here without brackets."
        raise refuse("BAD_BASIS", sentence, f"Write columns that must all agree together: [{columns}].")
    return columns


def _distinct(entries: tuple[object, ...]) -> tuple[object, ...]:
    for place, entry in enumerate(entries):
        if entry in entries[:place]:
            raise refuse("BAD_BASIS", "This stands here a second time.", "Keep one of them.", (place,))
    return entries


_Columns = Annotated[
    tuple[Annotated[Text, AfterValidator(check_followed)], ...],
    Field(min_length=1),
    BeforeValidator(_bracketed),
    AfterValidator(_distinct),
]


class BasisDocument(SimpleBasisDocument):
    """A way of sharing a pool."""

    mix: Annotated[tuple[PartDocument, ...], Field(min_length=1), AfterValidator(_fit_together)] | None = Field(
        None, description="In parts, each shared in its own way."
    )
    price: PriceDocument | None = Field(None, description="By internal prices for what each recipient used.")
    follow: Annotated[tuple[_Columns, ...], Field(min_length=1), AfterValidator(_distinct)] | None = Field(
        None, description="Each charge goes where other charges with the same values went; sets are tried in order."
    )

    _ways: ClassVar[tuple[str, ...]] = (*SimpleBasisDocument._ways, "mix", "price", "follow")


ShareBy = Annotated[
    Annotated[_Words, Tag("#text")] | Annotated[BasisDocument, Tag("#mapping")],
    forms("Write even, proportional to direct cost, or for example {metered: requests}."),
]


def ways(share: str | SimpleBasisDocument) -> Iterator[str]:
    """The words or keys by which a pool is shared; for a mix, itself and those of its parts."""
    if isinstance(share, str):
        yield share
        return
    yield share.way
    if isinstance(share, BasisDocument):
        for part in share.mix or ():
            yield from ways(part.by)


def asks_recipients(share: str | SimpleBasisDocument) -> bool:
    """Whether somebody takes part who is not named by the basis itself."""
    rates = isinstance(share, BasisDocument) and any(part.rate for part in share.mix or ())
    return rates or any(way not in ("fixed", "kept_central", "follow", "mix") for way in ways(share))
