"""Usage in a run: what it was made from is kept, changes are noticed, and a sealed month stays as it was."""

from __future__ import annotations

import csv
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apportion.allocate.consumers import Unknown
from apportion.close import metering, month
from apportion.close import run as runs
from apportion.errors import InputRefusedError, MissingBasisError, SealedPeriodError
from apportion.ingest.usage import load
from apportion.money.amount import ONE, plain
from apportion.warehouse import usage as stored
from apportion.warehouse.store import Workspace
from tests.rooms.close.workspaces import OCTOBER, ORGANIZATION, POLICY, everything, workspace

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


CODED = 'coding: {company: "1000", cost_center: "10", department: "1", ledger_account: "6100"}}'
METERED = POLICY.replace("share: even", "share: {metered: requests}") + (
    "consumers:\n  - {id: fronts, when: {consumer: {prefix: front-}}, charge_to: {cost_group: green}}\n"
)
CHARGES = (("red", "Compute", "100"), ("", "Support", "90"))
TEXT = "period,metric,consumer,value\n2026-10,requests,red,1\n2026-10,requests,front-1,2\n2026-10,requests,ghost,7\n"


def metered_workspace(root: Path) -> Workspace:
    """October with a pool that follows requests, and the requests of two teams and of nobody."""
    organization = ORGANIZATION.replace("}", f", {CODED}")
    made = workspace(root, {OCTOBER: CHARGES}, organization=organization, policy=METERED, allocated=False)
    deliver(made, TEXT)
    return made


@pytest.fixture
def metered(tmp_path: Path) -> Workspace:
    return metered_workspace(tmp_path / "close")


def deliver(made: Workspace, text: str) -> None:
    path = made.root.parent / "usage.csv"
    path.write_text(text, encoding="utf-8")
    load(made, [path], source="edge")


def shares(run: runs.Run) -> dict[str, str]:
    return {str(share.target): plain(share.units) for share in run.allocation.shares}


def test_a_pool_follows_what_was_delivered_and_the_unknown_is_shown(metered: Workspace) -> None:
    run = runs.allocate(metered, OCTOBER)
    assert shares(run) == {"red": "30", "green": "60"}
    assert run.unknown_usage == (Unknown("requests", "ghost", 1, 7 * ONE),)
    assert runs.current(metered, OCTOBER).unknown_usage == run.unknown_usage
    assert run.allocation.usage_digest == metering.digest(metered, run.policy, OCTOBER) != ""
    kept = run.directory / "inputs" / "usage" / "edge.csv"
    with kept.open(encoding="utf-8", newline="") as file:
        assert [(row["consumer"], row["value"]) for row in csv.DictReader(file)] == [
            ("front-1", "2"),
            ("ghost", "7"),
            ("red", "1"),
        ]
    assert runs.allocate(metered, OCTOBER).digest == run.digest


def test_changed_usage_is_noticed(metered: Workspace) -> None:
    first = runs.allocate(metered, OCTOBER)
    assert runs.up_to_date(metered, OCTOBER).digest == first.digest
    deliver(metered, TEXT.replace("red,1", "red,4"))
    with pytest.raises(InputRefusedError, match="Since 2026-10 was allocated, the usage changed"):
        runs.up_to_date(metered, OCTOBER)
    assert shares(runs.allocate(metered, OCTOBER)) == {"red": "60", "green": "30"}
    deliver(metered, TEXT)
    assert runs.allocate(metered, OCTOBER).digest == first.digest


def test_the_same_usage_in_another_file_changes_nothing(metered: Workspace) -> None:
    first = runs.allocate(metered, OCTOBER)
    head, *rows = TEXT.splitlines()
    deliver(metered, "\n".join([head, *reversed(rows), "2026-10,requests,red,0"]) + "\n")
    assert runs.up_to_date(metered, OCTOBER).digest == first.digest
    assert runs.allocate(metered, OCTOBER).digest == first.digest


def test_a_policy_that_follows_no_usage_does_not_grow_old_by_it(metered: Workspace) -> None:
    (metered.root / "policy.yaml").write_text(POLICY, encoding="utf-8")
    run = runs.allocate(metered, OCTOBER)
    assert run.allocation.usage_digest == ""
    assert not (run.directory / "inputs" / "usage").exists()
    deliver(metered, TEXT.replace("red,1", "red,4"))
    assert runs.up_to_date(metered, OCTOBER).digest == run.digest


def test_a_month_without_its_usage_is_refused(tmp_path: Path) -> None:
    made = workspace(tmp_path / "close", {OCTOBER: CHARGES}, policy=METERED, allocated=False)
    before = everything(made.root)
    with pytest.raises(MissingBasisError, match="No usage of 'requests' was delivered for 2026-10") as refused:
        runs.allocate(made, OCTOBER)
    assert "apportion usage PATH" in refused.value.advice
    assert {name: digest for name, digest in everything(made.root).items() if "lock" not in name} == {
        name: digest for name, digest in before.items() if "lock" not in name
    }


def test_a_sealed_month_is_replayed_from_the_usage_it_kept(metered: Workspace) -> None:
    sealed = month.close(metered, OCTOBER).run
    with pytest.raises(SealedPeriodError):
        deliver(metered, TEXT.replace("red,1", "red,4"))
    # Even if the delivery itself were gone, the run has all that it was made from.
    (file,) = metered.usage(OCTOBER).values()
    assert file.path is not None
    file.path.chmod(0o644)
    file.path.write_text("metric,consumer,dimensions,value\nrequests,red,,1000\n", encoding="utf-8")
    again = month.close(metered, OCTOBER).run
    assert again.digest == sealed.digest
    assert shares(again) == {"red": "30", "green": "60"}
    assert again.unknown_usage == sealed.unknown_usage


@pytest.mark.slow
def test_a_killed_delivery_of_usage_leaves_the_former_one_or_is_there_whole(metered: Workspace, tmp_path: Path) -> None:
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for number, path in enumerate(paths, start=1):
        rows = "".join(f"2026-10,requests,red-{row},{number}\n" for row in range(3000))
        path.write_text("period,metric,consumer,value\n" + rows, encoding="utf-8")

    def total() -> int:
        file = metered.usage(OCTOBER)["edge"]
        assert file.path is not None
        assert stored.sha256_of(file.path) == file.sha256
        return sum(row.value for row in stored.read(file.path, "edge"))

    load(metered, [paths[0]], source="edge")
    command = [sys.executable, "-m", "apportion.cli", "--workspace", str(metered.root), "usage", "--source", "edge"]
    began = time.monotonic()
    assert subprocess.run([*command, str(paths[1])], stdout=subprocess.DEVNULL, check=False).returncode == 0
    lasts, made, new = time.monotonic() - began, random.Random(7), 0
    for _ in range(6):
        with subprocess.Popen(
            [*command, str(paths[new])], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as child:
            time.sleep(made.uniform(0.3, 1.1) * lasts)
            child.send_signal(signal.SIGKILL)
        assert total() in (3000 * ONE, 6000 * ONE)
        load(metered, [paths[new]], source="edge")
        assert total() == 3000 * (new + 1) * ONE
        assert len([each for each in metered.current(OCTOBER) if each.source == "edge"]) == 1
        new = 1 - new
