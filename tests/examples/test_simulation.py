"""What-if by hand: a pool from even to proportional, a rule that moves charges, a team that moves, a group that goes.

Red has 100.00, green 200.00 and blue 300.00 of their own, and 60.00 of support are shared evenly: 20.00 each.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion.allocate.basis import Cost, Metered
from apportion.allocate.policy import PoolOrder
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.close.bridge import Cause, Step
from apportion.close.compare import Comparison, Part, Why
from apportion.close.methods import methods
from apportion.close.restate import restate
from apportion.close.simulate import simulate
from apportion.errors import InputRefusedError
from apportion.money.amount import units
from apportion.warehouse.store import Workspace
from tests.rooms.close.workspaces import OCTOBER, ORGANIZATION, POLICY, done, workspace, written

pytestmark = pytest.mark.thorough

CHARGES = (
    ("red", "Compute", "100.00"),
    ("green", "Compute", "200.00"),
    ("blue", "Compute", "250.00"),
    ("blue", "Storage", "50.00"),
    ("", "Support", "60.00"),
)
RED, GREEN, BLUE = (Target(Holder.COST_GROUP, code) for code in ("red", "green", "blue"))


@pytest.fixture(scope="module")
def northwind(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace(tmp_path_factory.mktemp("what-if") / "northwind", {OCTOBER: CHARGES})


def amounts(found: Comparison) -> dict[str, tuple[int, int]]:
    return {change.holder.code or change.name: (change.before, change.after) for change in found.changed}


def parts(found: Comparison, holder: Target) -> tuple[Part, ...]:
    return next(change.parts for change in found.changes if change.holder == holder)


def test_a_pool_from_even_to_proportional(northwind: Workspace) -> None:
    """60.00 by 100 : 200 : 300 is 10.00, 20.00 and 30.00."""
    found = simulate(northwind, OCTOBER, methods={"support": Cost()})
    assert amounts(found) == {"red": (120_00, 110_00), "blue": (320_00, 330_00)}
    assert parts(found, RED) == (Part(Why.POOL_SHARE, -10_00, "support"),)
    assert parts(found, BLUE) == (Part(Why.POOL_SHARE, 10_00, "support"),)
    assert parts(found, GREEN) == ()
    assert found.totals == (("USD", 660_00, 660_00),)


def test_a_rule_that_moves_charges(northwind: Workspace) -> None:
    """Storage goes to red: blue is 50.00 less, red 50.00 more, and the even pool stays as it is."""
    rule = "  - {id: storage, when: {ServiceName: Storage}, charge_to: {cost_group: red}}\n  - {id: by-team"
    other = written(northwind.root, "storage.yaml", POLICY.replace("  - {id: by-team", rule))
    found = simulate(northwind, OCTOBER, policy=other)
    rules = ("by-team", "storage")
    assert parts(found, RED) == (Part(Why.MOVED, 50_00, other=BLUE, rules=rules, rows=1, came=True),)
    assert parts(found, BLUE) == (Part(Why.MOVED, -50_00, other=RED, rules=rules, rows=1),)
    assert amounts(found) == {"red": (120_00, 170_00), "blue": (320_00, 270_00)}


def test_a_pool_that_grows_and_is_shared_another_way(northwind: Workspace) -> None:
    """Storage joins support, 110.00 now, in proportion to 100 : 200 : 250, which is 20.00, 40.00 and 50.00.

    Red had 20.00 of 60.00. Of 110.00 a third is 36.66⅔, 16.66⅔ more because the pool grew; but its share is 20.00 now,
    so the other share takes 16.66⅔ back: in cents 16.66 each, which cancel. Blue has 50.00 less of its own, 16.66⅔ more
    by the size of the pool and 13.33⅓ by its share: the cent goes to the larger rest.
    """
    text = POLICY.replace("ServiceName: Support", "ServiceName: [Support, Storage]").replace(
        "even", "proportional to direct cost"
    )
    found = simulate(northwind, OCTOBER, policy=written(northwind.root, "larger.yaml", text))
    assert parts(found, RED) == (Part(Why.POOL_SIZE, 16_66, "support"), Part(Why.POOL_SHARE, -16_66, "support"))
    support = Target(Holder.POOL, "support")
    assert parts(found, BLUE) == (
        Part(Why.MOVED, -50_00, other=support, rules=("by-team", "support"), rows=1),
        Part(Why.POOL_SIZE, 16_67, "support"),
        Part(Why.POOL_SHARE, 13_33, "support"),
    )
    assert amounts(found) == {"green": (220_00, 240_00), "blue": (320_00, 300_00)}


def test_another_order_of_pools(tmp_path: Path) -> None:
    """Platform gives half of its 40.00 to support; directly, red has all of it."""
    policy = POLICY.replace(
        "pools:\n", "pools:\n  - {id: platform, share: {fixed: {red: 1/2, support: 1/2}}}\n"
    ).replace("rules:\n", "rules:\n  - {id: platform, when: {ServiceName: Network}, charge_to: {pool: platform}}\n")
    made = workspace(tmp_path / "w", {OCTOBER: (*CHARGES, ("", "Network", "40.00"))}, policy=policy)
    found = simulate(made, OCTOBER, pool_order=PoolOrder.DIRECT)
    assert parts(found, RED) == (Part(Why.POOL_SHARE, 20_00, "platform"), Part(Why.POOL_SIZE, -6_67, "support"))
    assert amounts(found) == {"red": (146_67, 160_00), "green": (226_67, 220_00), "blue": (326_66, 320_00)}
    assert parts(found, BLUE) == (Part(Why.POOL_SIZE, -6_67, "support"), Part(Why.CENTS, 1))


def test_a_pool_from_even_to_metered(tmp_path: Path) -> None:
    """Of six seats red has one, green two and blue three: 10.00, 20.00 and 30.00. Later usage is refused."""
    made = workspace(tmp_path / "w", {OCTOBER: CHARGES})
    seats = written(made.root, "seats.csv", SEATS)
    done("--workspace", str(made.root), "usage", str(seats), "--source", "seats")
    found = simulate(made, OCTOBER, methods={"support": Metered("seats")})
    assert amounts(found) == {"red": (120_00, 110_00), "blue": (320_00, 330_00)}
    assert parts(found, RED) == (Part(Why.POOL_SHARE, -10_00, "support"),)
    (made.root / "policy.yaml").write_text(POLICY.replace("even", "{metered: seats}"), encoding="utf-8")
    done("--workspace", str(made.root), "allocate", str(OCTOBER))
    tried = methods(made, OCTOBER, pools=["support"]).lab
    assert [way.carried[RED, "USD"] for way in (*tried.ways, *tried.step_down)] == [units("110")] * 4
    seats.write_text(SEATS.replace("red,1", "red,2"), encoding="utf-8")
    done("--workspace", str(made.root), "usage", str(seats), "--source", "seats")
    with pytest.raises(InputRefusedError, match="the usage changed"):
        simulate(made, OCTOBER)
    with pytest.raises(InputRefusedError, match="the usage changed"):
        methods(made, OCTOBER)


SEATS = """\
period,metric,consumer,value
2026-10,seats,red,1
2026-10,seats,green,2
2026-10,seats,blue,3
"""


def test_an_uplift_is_an_agreement_at_the_expense_of_what_is_kept_central(northwind: Workspace) -> None:
    """A tenth of the 120.00 that red carries."""
    text = POLICY + "uplifts:\n  - {id: fee, percent: 10%, recipients: {groups: [red]}}\n"
    found = simulate(northwind, OCTOBER, policy=written(northwind.root, "fee.yaml", text))
    assert amounts(found) == {"red": (120_00, 132_00), "Kept central": (0, -12_00)}
    assert parts(found, RED) == (Part(Why.AGREED, 12_00, "fee"),)
    assert parts(found, KEPT_CENTRAL) == (Part(Why.AGREED, -12_00, "fee"),)


TREE = """\
organization: Northwind
groups:
  - code: north
    name: North
    groups:
      - {code: red, name: Red}
      - {code: green, name: Green}
  - code: south
    name: South
    groups:
      - {code: blue, name: Blue}
"""
GREEN_MOVED = TREE.replace("      - {code: green, name: Green}\n", "") + "      - {code: green, name: Green}\n"


def bridge(steps: tuple[Step, ...]) -> dict[str, tuple[int, int, int, int]]:
    return {step.name: (step.before, step.moved_out, step.moved_in, step.after) for step in steps}


def test_a_team_that_moved_takes_its_cost_along(tmp_path: Path) -> None:
    """Green carries 220.00 and moves from north to south; everybody pays what they paid."""
    made = workspace(tmp_path / "w", {OCTOBER: CHARGES}, organization=TREE)
    (made.root / "organization.yaml").write_text(GREEN_MOVED, encoding="utf-8")
    found = restate(made, [OCTOBER])
    assert str(found.as_of) == "2026-10-31"
    assert not found.periods[0].comparison.changed
    assert bridge(found.together) == {
        "North": (340_00, 220_00, 0, 120_00),
        "Red": (120_00, 0, 0, 120_00),
        "South": (320_00, 0, 220_00, 540_00),
        "Blue": (320_00, 0, 0, 320_00),
        "Green": (220_00, 0, 0, 220_00),
    }
    assert {moved.cause for step in found.together for moved in step.moved} == {Cause.GROUPS}


def test_a_group_that_is_gone_stands_for_its_successor(tmp_path: Path) -> None:
    """Green has become part of blue: 200.00 of its own follow its tag, and 60.00 are now two parts of 30.00."""
    made = workspace(tmp_path / "w", {OCTOBER: CHARGES})
    (made.root / "organization.yaml").write_text(
        ORGANIZATION.replace("  - {code: green, name: Green}\n", ""), encoding="utf-8"
    )
    found = restate(made, [OCTOBER], successors={"green": "blue"})
    assert found.renamed == {"green": "blue"}
    assert bridge(found.together) == {
        "Red": (120_00, 0, 10_00, 130_00),
        "Blue": (320_00, 0, 210_00, 530_00),
        "Green": (220_00, 220_00, 0, 0),
    }


def test_a_group_without_a_successor_stays_visible_as_unallocated(tmp_path: Path) -> None:
    """Nobody is green today: its 200.00 are unallocated, and so is the half of support that was agreed."""
    policy = POLICY.replace("even", "{fixed: {green: 50%, red: 50%}}")
    made = workspace(tmp_path / "w", {OCTOBER: CHARGES}, policy=policy)
    (made.root / "organization.yaml").write_text(
        ORGANIZATION.replace("  - {code: green, name: Green}\n", ""), encoding="utf-8"
    )
    (made.root / "policy.yaml").write_text(POLICY, encoding="utf-8")
    found = restate(made, [OCTOBER])
    assert found.gone == ("green",)
    assert bridge(found.together) == {
        "Red": (130_00, 0, 0, 130_00),
        "Blue": (300_00, 0, 0, 300_00),
        "Green": (230_00, 230_00, 0, 0),
        "Unallocated": (0, 0, 230_00, 230_00),
    }
    unallocated = parts(found.periods[0].comparison, UNALLOCATED)
    assert {(part.why, part.minor) for part in unallocated} == {(Why.MOVED, 200_00), (Why.POOL_SHARE, 30_00)}
