"""Worked examples of commitments and surcharges."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from apportion.allocate.allocation import Cell
from apportion.allocate.commitments import Held, carried
from apportion.allocate.policy import Commitment, CommitmentMethod, Policy, Unused, Uplift
from apportion.allocate.rule import KEPT_CENTRAL, Exists, Field, Holder, Target
from apportion.allocate.uplift import uplifted
from apportion.methodology.document import Example, say
from apportion.methodology.scenario import CENTRAL, CURRENCY, SCOPE, amount, table
from apportion.money.amount import units
from apportion.organization.cost_group import CostGroup, Tree

Made = tuple[Callable[[Policy], bool], Callable[[], Example]]

_RED, _GREEN = (Target(Holder.COST_GROUP, code) for code in ("Red", "Green"))
_TREE = Tree(CostGroup(code, code) for code in ("Red", "Green"))
# The provider covered Green's usage, and Red, who bought the commitment, paid list prices.
_HELD = {
    _RED: Held(uncovered=units("100"), uncovered_worth=units("100")),
    _GREEN: Held(covered=units("60"), covered_worth=units("100")),
}


def _divided(method: CommitmentMethod) -> list[list[str]]:
    each = Commitment("", "", Exists(Field("ServiceName")), method, "Red", ("Red",), Unused.KEPT_CENTRAL)
    found = carried(each, _HELD, _TREE, CURRENCY)
    return [
        [target.code, "100.00", amount(_HELD[target].covered + _HELD[target].uncovered), amount(found[target])]
        for target in (_RED, _GREEN)
    ]


_STORY = (
    "Red and Green each use capacity that is worth 100.00 at ordinary prices. A commitment covers one of them at "
    "60.00, and the provider happened to cover Green. "
)


def _ordered() -> Example:
    return Example(
        "A commitment, in an agreed order",
        (
            say(f"{_STORY}Red, who bought it, is to be covered first."),
            table(
                ("Cost group", "Worth", "As the provider applied it", "Pays"), _divided(CommitmentMethod.BUYER_FIRST)
            ),
        ),
    )


def _blended() -> Example:
    return Example(
        "A commitment, at one rate",
        (
            say(f"{_STORY}At one rate both pay the same for the same worth."),
            table(("Cost group", "Worth", "As the provider applied it", "Pays"), _divided(CommitmentMethod.BLENDED)),
        ),
    )


def _surcharge() -> Example:
    brought = {_RED: "1000", _GREEN: "400", KEPT_CENTRAL: "200"}
    cells = [Cell(None, target, SCOPE, "", "", 1, units(cost)) for target, cost in brought.items()]
    moved = {
        share.target: share.units for share in uplifted([Uplift("", "", percent=Fraction(1, 20))], cells, (), _TREE)
    }
    rows = [
        [target.code or CENTRAL, amount(units(cost)), amount(moved[target]), amount(units(cost) + moved[target])]
        for target, cost in brought.items()
    ]
    return Example(
        "A surcharge",
        (
            say("5 % on what cost groups carry relieves the centre by the same amount; the total of 1,600.00 stays."),
            table(("", "Before", "Surcharge", "After"), rows),
        ),
    )


def _has(*methods: CommitmentMethod) -> Callable[[Policy], bool]:
    return lambda policy: any(each.method in methods for each in policy.commitments)


ORDERED: Made = (_has(CommitmentMethod.BUYER_FIRST, CommitmentMethod.PRIORITY), _ordered)
BLENDED: Made = (_has(CommitmentMethod.BLENDED), _blended)
SURCHARGE: Made = (lambda policy: bool(policy.uplifts), _surcharge)
