"""Comparing two months resource by resource: which effect each kind of difference is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.charges import Row
from tests.examples.changing import OCTOBER, SEPTEMBER, Books, charge, parts
from tests.laws.test_change_laws import Sides

pytestmark = pytest.mark.thorough

VM: Row = {"SubAccountId": "a", "ResourceId": "vm", "SkuId": "s", "ConsumedUnit": "Hours", "PricingUnit": "Hours"}


def effects(directory: Path, before: Row | list[Row], after: Row | list[Row]) -> dict[tuple[str, str], int]:
    """The effects of differences between two months, by holder, in hundredths."""
    sides = Sides(directory, *(rows if isinstance(rows, list) else [rows] for rows in (before, after)))
    found: dict[tuple[str, str], int] = {}
    for each in sides.effects(0, 1).sums:
        key = (str(sides.targets[each.place]), str(each.effect))
        found[key] = found.get(key, 0) + each.units // 10**16
    return found


def vm(cost: str, quantity: str | None = None, **more: str | None) -> Row:
    return {**VM, "EffectiveCost": cost, "ConsumedQuantity": quantity, **more}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (vm("10", "10"), vm("24", "12"), {("a", "usage"): 200, ("a", "price"): 1200}),
        (vm("10", "10"), vm("0", "0"), {("a", "usage"): -1000}),
        (vm("10", "10"), vm("12", "10"), {("a", "price"): 200}),
        (vm("10"), vm("12"), {("a", "price"): 200}),  # without quantities
        (vm("10", "10"), vm("12", None), {("a", "usage"): -1000, ("a", "price"): 1200}),  # another kind of use
        (vm("10", "-10"), vm("12", "5"), {("a", "price"): 200}),
        (vm("10", "1e30"), vm("12", "2e30"), {("a", "price"): 200}),  # more than can be added up
        (vm("10", PricingQuantity="10"), vm("20", PricingQuantity="20"), {("a", "usage"): 1000}),
        (vm("10", "10"), [vm("10", "10"), vm("3", "1", SkuId="disk")], {("a", "usage"): 300}),
        (vm("10", "10"), vm("10", "20", ConsumedUnit="GB"), {}),  # one kind went, one came: as much
        (vm("10", "10"), vm("9", "9", SubAccountId="b"), {("a", "moved"): -1000, ("b", "moved"): 900}),
        (vm("10", "10"), vm("10", "10", SubAccountId="pool:p"), {("a", "moved"): -1000, ("p", "moved"): 1000}),
        (vm("10", "10"), vm("10", "10", ResourceId="vm2"), {("a", "new"): 1000, ("a", "gone"): -1000}),
        (vm("10", "10"), [vm("5", "5"), vm("5", "5", SubAccountId="b")], {("a", "usage"): -500, ("b", "moved"): 500}),
    ],
)
def test_which_effect(tmp_path: Path, before: Row, after: Row | list[Row], told: dict[tuple[str, str], int]) -> None:
    assert effects(tmp_path, before, after) == told


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (["green", "red"], {"red": {"new": 10_00}, "green": {}}),
        (["red"], {"red": {"allocation": 10_00}}),
    ],
)
def test_what_has_no_id_has_moved_only_where_somebody_lost_it(
    tmp_path: Path, after: list[str], told: dict[str, dict[str, int]]
) -> None:
    """Both teams may use a SKU in one account: one that begins has something new, and took it from nobody."""
    books = Books(tmp_path / "books")
    books.month(SEPTEMBER, [charge("green", "", "10.00", "10")])
    books.month(OCTOBER, [charge(team, "", "10.00", "10") for team in after])
    assert {holder: parts(change) for holder, (change,) in books.changes().items()} == told
