"""Restatement over several periods and trees: every line of the bridge adds up, whatever happened to the tree."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from apportion.close.bridge import Cause
from apportion.close.restate import restate
from apportion.errors import InputRefusedError, NotFoundError
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Workspace
from tests.rooms.close.workspaces import OCTOBER, POLICY, done, everything, workspace

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


SEPTEMBER = OCTOBER.previous
TREE = """\
organization: Northwind
groups:
  - code: north
    name: North
    groups:
      - {code: red, name: Red}
      - {code: green, name: Green, until: 2026-10-15}
      - {code: lime, name: Lime, from: 2026-10-15}
  - {code: south, name: South}
"""
RULES = POLICY.replace(
    "rules:\n",
    "rules:\n  - {id: green, when: {ServiceName: Green}, until: 2026-10-15, charge_to: {cost_group: green}}\n",
)
CHARGES = (("red", "Compute", "10.00"), ("green", "Compute", "20.00"), ("lime", "Green", "5.01"), ("", "Support", "9"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    months: dict[BillingPeriod, tuple[tuple[str, str, str], ...]] = {SEPTEMBER: CHARGES, OCTOBER: CHARGES}
    return workspace(tmp_path_factory.mktemp("restate") / "books", months, organization=TREE, policy=RULES)


def test_every_step_adds_up_and_so_do_all_periods_together(made: Workspace) -> None:
    before = everything(made.root)
    found = restate(made, [SEPTEMBER, OCTOBER])
    assert everything(made.root) == before
    assert found.as_of == date(2026, 10, 31)
    for restated in found.periods:
        for step in restated.bridge:
            assert step.before - step.moved_out + step.moved_in == step.after
        tops = [step for step in restated.bridge if step.depth == 0]
        (total,) = restated.comparison.totals
        assert sum(step.before for step in tops) == total.before == total.after == sum(step.after for step in tops)
    for step in found.together:
        same = [each for made in found.periods for each in made.bridge if each.holder == step.holder]
        assert step.before == sum(each.before for each in same)
        assert step.after == sum(each.after for each in same)
        assert step.before - step.moved_out + step.moved_in == step.after


def test_what_is_gone_falls_to_the_next_rule_or_to_nobody(made: Workspace) -> None:
    """In September green carried its tag (20.00) and the service Green (5.01), which has the tag of lime today."""
    found = restate(made, [SEPTEMBER])
    steps = {step.name: step for step in found.together}
    assert found.gone == ("green",)
    assert steps["Green"].is_gone
    assert (steps["Green"].before, steps["Green"].after) == (28_01, 0)  # 25.01 and a third of 9.00
    assert (steps["Lime"].before, steps["Lime"].after) == (0, 8_01)
    assert steps["Unallocated"].after == 20_00
    assert {moved.cause for moved in steps["North"].moved} == {Cause.GROUPS}


def test_the_day_decides_about_the_tree(made: Workspace) -> None:
    found = restate(made, [SEPTEMBER], as_of=date(2026, 9, 1))
    assert found.gone == ()
    assert not found.periods[0].comparison.changed


def test_an_alias_of_today_names_the_successor(tmp_path: Path) -> None:
    made = workspace(tmp_path / "books", {SEPTEMBER: CHARGES}, organization=TREE, policy=RULES)
    text = RULES.replace("{tag: team}", "{tag: team, aliases: names}").replace(
        "pools:", "aliases: {names: {green: lime}}\npools:"
    )
    (made.root / "policy.yaml").write_text(text, encoding="utf-8")
    found = restate(made, [SEPTEMBER], as_of=date(2026, 10, 31))
    assert found.renamed == {"green": "lime"}
    assert {step.name: step.after for step in found.together} == {
        "North": 41_01, "Red": 13_00, "Lime": 28_01, "South": 3_00, "Green": 0,
    }  # fmt: skip


def test_refusals(made: Workspace) -> None:
    with pytest.raises(InputRefusedError, match="The successor of 'green', 'lme', is not in the tree") as refused:
        restate(made, [SEPTEMBER], successors={"green": "lme"})
    assert "lime" in refused.value.advice
    with pytest.raises(InputRefusedError, match="There was no cost group 'grene'"):
        restate(made, [SEPTEMBER], successors={"grene": "lime"})
    with pytest.raises(NotFoundError, match="2026-08 has not been allocated"):
        restate(made, [SEPTEMBER.previous])


def test_a_sealed_period_is_restated_and_stays_sealed(tmp_path: Path) -> None:
    made = workspace(tmp_path / "books", {SEPTEMBER: CHARGES}, organization=TREE, policy=RULES)
    done("--workspace", str(made.root), "close", str(SEPTEMBER))
    before = everything(made.root)
    assert restate(made, [SEPTEMBER], as_of=date(2026, 10, 31)).gone == ("green",)
    assert everything(made.root) == before
