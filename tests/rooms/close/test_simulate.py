"""Simulation touches nothing, refuses what it cannot compare, and finds nothing where nothing is different."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from apportion.allocate import policy_file
from apportion.allocate.basis import Cost, Even, Fixed, KeptCentral
from apportion.allocate.rule import UNALLOCATED
from apportion.close import run as runs
from apportion.close import simulate as room
from apportion.close.compare import Why
from apportion.close.restate import restate
from apportion.close.simulate import simulate
from apportion.errors import (
    ConservationError,
    DocumentError,
    InputRefusedError,
    NotFoundError,
    PoolLoopError,
    ZeroBasisError,
)
from apportion.warehouse.crossing import Crossed, crossed
from apportion.warehouse.store import Workspace
from tests.rooms.close.workspaces import OCTOBER, POLICY, done, everything, month, workspace, written

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


CHARGES = (
    ("red", "Compute", "100.015"),
    ("green", "Compute", "200.99"),
    ("blue", "Compute", "-3.10"),
    ("nobody", "Storage", "50.00"),
    ("", "Support", "61.00"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace(tmp_path_factory.mktemp("simulate") / "books", {OCTOBER: CHARGES})


@pytest.fixture
def untouched(made: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """The workspace must be the same afterwards, byte for byte, and nothing may be left where temporary files go."""
    aside = tmp_path / "temporary"
    aside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(aside))
    before = everything(made.root)
    yield made
    assert everything(made.root) == before
    assert not list(aside.iterdir())


def test_the_same_inputs_show_nothing(untouched: Workspace) -> None:
    run = runs.current(untouched, OCTOBER)
    found = simulate(untouched, OCTOBER, policy=run.policy, organization=run.organization, methods={"support": Even()})
    assert found.changed == ()
    assert all(change.parts == () for change in found.changes)
    assert found.after.allocation.lines == found.before.allocation.lines


def test_a_method_that_always_holds_needs_no_fallback(untouched: Workspace) -> None:
    policy = runs.current(untouched, OCTOBER).policy
    pools = tuple(replace(pool, basis=Cost(), otherwise=(Even(),)) for pool in policy.pools)
    found = simulate(untouched, OCTOBER, policy=replace(policy, pools=pools), methods={"support": Even()})
    assert found.changed == ()


def test_another_policy_touches_nothing(untouched: Workspace) -> None:
    other = written(untouched.root, "other.yaml", POLICY.replace("charge_to: {tag: team}", "charge_to: {tag: squad}"))
    found = simulate(untouched, OCTOBER, policy=other)
    assert {change.name for change in found.changed} == {"Red", "Green", "Blue", "Unallocated"}
    assert sum(change.minor for change in found.changes) == 0
    for change in found.changes:
        assert sum(part.minor for part in change.parts) == change.minor
    gained = next(change for change in found.changes if change.holder == UNALLOCATED)
    assert sum(part.rows for part in gained.parts) == 3
    assert all(part.rules == ("by-team", None) for part in gained.parts if part.why is Why.MOVED)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (POLICY.replace("share: even", "share: evenly"), DocumentError),
        (POLICY.replace("{tag: team}", "{cost_group: purple}"), DocumentError),
        (POLICY.replace("even", "proportional to direct cost").replace("{tag: team}", "{tag: squad}"), ZeroBasisError),
    ],
    ids=["not a policy", "unknown cost group", "zero basis"],
)
def test_a_failure_touches_nothing(untouched: Workspace, text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        simulate(untouched, OCTOBER, policy=written(untouched.root, "wrong.yaml", text))


def test_an_interruption_touches_nothing(untouched: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "crossed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        simulate(untouched, OCTOBER, methods={"support": KeptCentral()})


def test_a_method_for_an_unknown_pool_and_a_loop_are_refused(untouched: Workspace) -> None:
    with pytest.raises(InputRefusedError, match="There is no pool 'suport'") as refused:
        simulate(untouched, OCTOBER, methods={"suport": Even()})
    assert "support" in refused.value.advice
    with pytest.raises((DocumentError, PoolLoopError)):
        simulate(untouched, OCTOBER, methods={"support": Fixed((("support", 1), ("red", 1)))})


def test_restating_touches_nothing(untouched: Workspace) -> None:
    found = restate(untouched, [OCTOBER], organization=untouched.root / "organization.yaml")
    assert not found.periods[0].comparison.changed
    assert all(step.before == step.after and not step.moved for step in found.together)
    with pytest.raises(InputRefusedError, match="'red' is in the tree on that day"):
        restate(untouched, [OCTOBER], successors={"red": "blue"})
    with pytest.raises(NotFoundError, match="2026-09 has not been allocated"):
        restate(untouched, [OCTOBER.previous, OCTOBER])


def test_a_sealed_period_can_be_simulated_and_stays_sealed(tmp_path: Path) -> None:
    made = workspace(tmp_path / "books", {OCTOBER: CHARGES})
    done("--workspace", str(made.root), "close", str(OCTOBER))
    (made.root / "policy.yaml").write_text(POLICY.replace("even", "{fixed: {red: 100%}}"), encoding="utf-8")
    before = everything(made.root)
    found = simulate(made, OCTOBER, policy=made.root / "policy.yaml")
    assert {change.name: change.minor for change in found.changed} == {"Red": 40_67, "Green": -20_34, "Blue": -20_33}
    assert everything(made.root) == before
    assert made.sealed(OCTOBER) is not None


def test_before_the_first_run_it_compares_with_what_the_files_say(tmp_path: Path) -> None:
    made = workspace(tmp_path / "books", {OCTOBER: CHARGES}, allocated=False)
    before = everything(made.root)
    assert simulate(made, OCTOBER).changed == ()
    assert simulate(made, OCTOBER, methods={"support": Fixed((("red", 1),))}).changed != ()
    assert everything(made.root) == before
    assert made.current_run(OCTOBER) is None


def test_a_run_of_other_charges_is_not_compared_with(tmp_path: Path) -> None:
    made = workspace(tmp_path / "books", {OCTOBER: CHARGES})
    (made.root / "late.csv").write_text(month([("red", "Compute", "5.00")]), encoding="utf-8")
    done("--workspace", str(made.root), "ingest", str(made.root / "late.csv"), "--source", "late")
    with pytest.raises(InputRefusedError, match="the charges changed") as refused:
        simulate(made, OCTOBER)
    assert "apportion allocate 2026-10" in refused.value.advice


def test_the_other_cost_basis_is_a_reason_of_its_own(tmp_path: Path) -> None:
    made = workspace(tmp_path / "books", {}, allocated=False)
    text = month(CHARGES[:2])
    (made.root / "charges.csv").write_text(text.replace("100.015,100.015", "100.015,70", 1), encoding="utf-8")
    done("--workspace", str(made.root), "ingest", str(made.root / "charges.csv"), "--source", "cloud")
    done("--workspace", str(made.root), "allocate", str(OCTOBER))
    billed = written(made.root, "billed.yaml", POLICY.replace("effective", "billed"))
    found = simulate(made, OCTOBER, policy=billed)
    (change,) = found.changed
    assert (change.name, change.before, change.after) == ("Red", 70_00, 100_02)
    assert {part.why for part in change.parts} <= {Why.COST_BASIS, Why.CENTS}
    assert found.totals == (("USD", 270_99, 301_01),)


def test_sidecars_of_other_charges_are_not_crossed(made: Workspace, tmp_path: Path) -> None:
    other = workspace(tmp_path / "other", {OCTOBER: CHARGES[:3]})
    sidecars = [runs.current(each, OCTOBER).sidecars for each in (made, other)]
    with pytest.raises(ConservationError, match="do not speak of the same charges"):
        crossed(made.snapshot(OCTOBER), *sidecars, effective=(True, True))


def test_crossing_counts_every_charge_once(made: Workspace) -> None:
    sidecars = runs.current(made, OCTOBER).sidecars
    found = crossed(made.snapshot(OCTOBER), sidecars, sidecars, effective=(True, False))
    assert sum(each.rows for each in found) == 5
    assert all(isinstance(each, Crossed) and each.before == each.after for each in found)
    assert sum(each.units_before for each in found) == 408_905 * 10**15


def test_a_policy_can_be_given_as_a_value(untouched: Workspace) -> None:
    path = written(untouched.root, "again.yaml", POLICY.replace("even", "{fixed: {green: 100%}}"))
    assert (
        simulate(untouched, OCTOBER, policy=path).changes
        == simulate(untouched, OCTOBER, policy=policy_file.read(path)).changes
    )
