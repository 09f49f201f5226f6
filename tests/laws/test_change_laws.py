"""Laws of why a total changed: parts sum to the change, the other way round negates it, nothing changed is nothing."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.allocate.basis import Cost, Even
from apportion.allocate.policy import CostBasis, Policy, Pool
from apportion.allocate.rule import Holder, Target
from apportion.invoice.change import Direct, Side, changes
from apportion.invoice.paper import Change, Part
from apportion.invoice.statement import statements
from apportion.money.amount import plain
from apportion.warehouse.resource_changes import Effect, Effects, changed
from apportion.warehouse.resource_sums import Selection
from tests.charges import Row
from tests.examples.months import Month, allocated, by_account
from tests.often import often

pytestmark = pytest.mark.slow  # the quick loop has the worked example

PART = {
    Effect.PRICE: Part.PRICE,
    Effect.USAGE: Part.USAGE,
    Effect.NEW: Part.NEW,
    Effect.GONE: Part.GONE,
    Effect.MOVED: Part.ALLOCATION,
}
POOLS = (Pool("p", "Pool p", Even()), Pool("q", "Pool q", Cost(), otherwise=(Even(),)))
POLICY = Policy("laws", CostBasis.EFFECTIVE, by_account("a", "b", "central", "pool:p", "pool:q"), POOLS, "policy")

charges = st.builds(
    lambda account, resource, sku, cost, quantity, unit, currency: {
        "SubAccountId": account,
        "ResourceId": resource,
        "SkuId": sku,
        "EffectiveCost": plain(cost * 10**9),
        "ConsumedQuantity": quantity,
        "ConsumedUnit": unit,
        "PricingQuantity": "3",
        "PricingUnit": "Pieces",
        "BillingCurrency": currency,
    },
    st.sampled_from(["a", "b", "central", "pool:p", "pool:q", "nobody"]),
    st.sampled_from([None, "r1", "r2", "r3"]),
    st.sampled_from([None, "s1", "s2"]),
    st.integers(-(10**12), 10**13),
    st.sampled_from([None, "0", "1", "2.5", "1E-9", "7000000", "-4", "1e25", "many"]),
    st.sampled_from([None, "Hours", "GB"]),
    st.sampled_from(["USD", "JPY"]),
)
months = st.lists(charges, min_size=1, max_size=8)


class Sides:
    """Months that were allocated by one policy, to be compared in either order."""

    def __init__(self, directory: Path, *rows: Sequence[Row]) -> None:
        self.directory = directory
        self.numbers = count()
        self.months = [self.month(each) for each in rows]
        self.targets = list(dict.fromkeys(made.target for month in self.months for made in month.decisions))

    def month(self, rows: Sequence[Row]) -> Month:
        here = self.directory / f"month-{next(self.numbers)}"
        here.mkdir()
        return allocated(here, rows, POLICY, ["a", "b"])

    def selection(self, month: Month) -> Selection:
        places = {number: self.targets.index(made.target) for number, made in enumerate(month.decisions)}
        return Selection(month.snapshot, month.sidecars, places, effective=True)

    def effects(self, before: int, after: int) -> Effects:
        here = self.directory / f"effects-{next(self.numbers)}"
        here.mkdir()
        return changed(self.selection(self.months[before]), self.selection(self.months[after]), here, most=3)

    def changes(self, before: int, after: int) -> dict[Target, tuple[Change, ...]]:
        direct = [
            Direct(self.targets[each.place], each.currency, PART[each.effect], each.units)
            for each in self.effects(before, after).sums
            if self.targets[each.place].holder is not Holder.POOL
        ]
        return changes(self.side(before), self.side(after), direct)

    def side(self, number: int) -> Side:
        month = self.months[number]
        return Side(statements(month.allocation, month.tree, month.policy, "ST"), month.allocation.shares)


@settings(max_examples=often(25), deadline=None)
@given(before=months, after=months)
def test_parts_sum_to_the_change_and_the_other_way_round_negates_it(before: list[Row], after: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        sides = Sides(Path(directory), before, after)
        forth, back = sides.changes(0, 1), sides.changes(1, 0)  # a change proves the sum of its parts itself
        effects = [sides.effects(0, 1), sides.effects(1, 0)]
    for holder in forth.keys() & back.keys():
        sums = [{each.currency: each for each in found[holder]} for found in (forth, back)]
        assert sums[0].keys() == sums[1].keys()
        for currency, change in sums[0].items():
            other = sums[1][currency]
            assert (change.before_minor, change.after_minor) == (other.after_minor, other.before_minor)
            assert sum(minor for _, minor in change.parts) == -sum(minor for _, minor in other.parts)
            assert abs(dict(change.parts).get(Part.ROUNDING, 0)) <= len(before) + len(after) + 2 * len(POOLS)
    exact: list[dict[tuple[int, str], int]] = []
    for found in effects:
        held: dict[tuple[int, str], int] = defaultdict(int)
        for each in found.sums:
            held[each.place, each.currency] += each.units
        exact.append({key: units for key, units in held.items() if units})
    assert exact[0] == {key: -units for key, units in exact[1].items()}


@settings(max_examples=often(10), deadline=None)
@given(rows=months)
def test_nothing_changed_is_nothing(rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        sides = Sides(Path(directory), rows, rows[::-1])
        assert sides.effects(0, 1) == Effects((), ())
        for found in sides.changes(0, 1).values():
            assert all(change.parts == () and change.before_minor == change.after_minor for change in found)


def test_the_law_can_fail(tmp_path: Path) -> None:
    row = {"SubAccountId": "a", "ResourceId": "r1", "EffectiveCost": "10", "ConsumedQuantity": "1"}
    sides = Sides(tmp_path, [row], [{**row, "EffectiveCost": "20"}])
    found = sides.effects(0, 1)
    lost = replace(found, sums=tuple(each._replace(units=each.units - 1) for each in found.sums))
    sides.effects = lambda before, after: lost  # type: ignore[method-assign]
    with pytest.raises(Exception, match="its parts 9999"):
        sides.changes(0, 1)
