"""Who takes part in pools and surcharges when some of those named are gone from today's tree."""

from __future__ import annotations

from datetime import date

import pytest

from apportion.allocate.basis import Even
from apportion.allocate.policy import CostBasis, Policy, Pool, Recipients, Uplift
from apportion.allocate.weigh import groups_of
from apportion.close.succession import Succession, frozen, in_words_of_today
from apportion.organization.cost_group import CostGroup, Organization

DAY = date(2026, 6, 1)
ORGANIZATION = Organization(
    (CostGroup("a", "A"), CostGroup("b", "B"), CostGroup("gone", "Gone", valid_until=date(2026, 5, 1))), ""
)
SUCCESSION = Succession(ORGANIZATION, ORGANIZATION.on(DAY), {})


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Recipients(), ("a", "b")),
        (Recipients(pools=("q",)), ()),
        (Recipients(groups=("gone",), pools=("q",)), ()),
        (Recipients(excluded=("b",), pools=("q",)), ("a",)),
        (Recipients(excluded=("gone",), pools=("q",)), ("a", "b")),
        (Recipients(groups=("a", "gone")), ("a",)),
    ],
)
def test_nobody_new_takes_part(asked: Recipients, expected: tuple[str, ...]) -> None:
    tree = frozen(ORGANIZATION, DAY, SUCCESSION).on(DAY)
    then = Policy("P", CostBasis.EFFECTIVE, (), (Pool("p", "P", Even(), asked),), "")
    [pool] = in_words_of_today(then, SUCCESSION).pools
    assert groups_of(pool.recipients, tree) == expected


def test_a_surcharge_of_groups_that_are_gone_meets_nobody_else() -> None:
    uplifts = (
        Uplift("one", "One", Recipients(groups=("gone",))),
        Uplift("two", "Two", Recipients(groups=("a", "gone"))),
    )
    then = Policy("P", CostBasis.EFFECTIVE, (), (), "", uplifts=uplifts)
    assert [uplift.id for uplift in in_words_of_today(then, SUCCESSION).uplifts] == ["two"]
