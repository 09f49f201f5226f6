"""How a workload becomes lines of a provider's bill.

A workload is what one team runs in one account: a budget for a month, spread over SKUs by a profile, moved by the
story's curve and by a few percent that look like chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from apportion.demo.catalogue import Sku
from apportion.demo.line import CENT_STEPS, QUANTITY_DECIMALS, Line, Prices
from apportion.demo.numbers import drawn
from apportion.demo.story import Month, permille
from apportion.money.split import to_step

ONE_UNIT: int = 10**QUANTITY_DECIMALS


@dataclass(frozen=True, slots=True)
class Workload:
    """What `owner` (a line's intended holder) runs in `account`.

    `budget` is whole currency units in an ordinary month; `profile` names the mix of SKUs, `curve` the story's curve.
    `quirk` says how the tags of one of its lines go wrong; see `tags_of`. `name` is what its resources are called.
    """

    owner: str
    account: str
    budget: int
    profile: str
    curve: str = "growth"
    quirk: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        return self.name or self.owner.removeprefix("pool:")


@dataclass(frozen=True, slots=True)
class Part:
    """One SKU of one workload in one month: the cost aimed at, in steps of 10⁻¹⁰, and its place in the profile."""

    workload: Workload
    sku_key: str
    sku: Sku
    place: int
    aimed: int

    @property
    def key(self) -> str:
        return f"{self.workload.account}/{self.workload.label}/{self.sku_key}"


def parts(
    workloads: Iterable[Workload],
    profiles: Mapping[str, Mapping[str, int]],
    skus: Mapping[str, Sku],
    month: Month,
    seed: int,
) -> Iterator[Part]:
    """The parts of all workloads that cost anything in the month; profiles are thousandths by SKU."""
    for workload in workloads:
        level = permille(workload.curve, month)
        if not level:
            continue
        for place, (sku_key, share) in enumerate(profiles[workload.profile].items()):
            chance = drawn(970, 1030, seed, "level", workload.account, workload.label, sku_key, month.place)
            aimed = to_step(workload.budget * share * level * chance * CENT_STEPS * 100, 1000**3)
            yield Part(workload, sku_key, skus[sku_key], place, aimed)


def quantity_for(steps: int, price: int) -> int:
    """The quantity, in ten-thousandths of a unit, whose cost at a price in millionths comes nearest to an amount."""
    return to_step(steps, price)


def tags_of(part: Part, key: str, value: str, others: Mapping[str, str]) -> dict[str, str]:
    """The tags of a part: `key` with the owner's `value`, unless the workload's quirk spoils this line.

    Quirks: ``case`` (the first line in capitals), ``typo=…`` (the second line misspelt), ``bare`` (the second line
    without tags), ``application`` (the third line says only which application it is), ``none`` (no line has tags),
    ``unknown=…`` (every line names somebody who does not exist).
    """
    quirk, _, spelt = part.workload.quirk.partition("=")
    if quirk == "none" or (quirk == "bare" and part.place == 1):
        return {}
    if quirk == "unknown":
        return {**others, key: spelt}
    if quirk == "case" and part.place == 0:
        return {**others, key: value.upper()}
    if quirk == "typo" and part.place == 1:
        return {**others, key: spelt}
    if quirk == "application" and part.place == 2:
        return dict(others)
    return {**others, key: value}


def usage_columns(sku: Sku) -> dict[str, str]:
    """The FOCUS columns of ordinary metered usage of a SKU."""
    return {
        **sku.columns(),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "PricingCategory": "Standard",
        "ConsumedUnit": sku.unit,
    }


def flat_line(
    key: str,
    intended: str,
    columns: Mapping[str, str],
    cents: int,
    month: Month,
    *,
    tags: Mapping[str, str] | None = None,
) -> Line:
    """One row with an amount in cents and no price or quantity: support, tax, credit, refund, correction, rounding."""
    return steps_line(key, intended, columns, cents * CENT_STEPS, month, tags=tags)


def steps_line(
    key: str,
    intended: str,
    columns: Mapping[str, str],
    steps: int,
    month: Month,
    *,
    tags: Mapping[str, str] | None = None,
) -> Line:
    """Like `flat_line`, with the amount in steps of 10⁻¹⁰."""
    return Line(
        key=key,
        intended=intended,
        columns={"ChargeFrequency": "One-Time", **columns},
        quantity=steps,
        prices=Prices.flat(1),
        first=month.start,
        hours=month.hours,
        tags=tags or {},
        priced=False,
    )
