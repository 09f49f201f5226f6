"""Killed at any moment of ingest or allocation, nothing is lost and nothing is doubled."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apportion.close import run as runs
from apportion.ingest.load import ingest
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Workspace

PERIOD = BillingPeriod(2026, 10)
ROUNDS = 25
HEADER = (
    "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,"
    "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,InvoiceIssuerName,InvoiceId,BillingAccountId,ServiceName,Tags"
)
SETTINGS = """\
company: Kill
payer: {company: "1", cost_center: "9", department: "", ledger_account: "6"}
ledger: {transferred_out: "699"}
"""
ORGANIZATION = """\
groups:
  - {code: a, name: A, coding: {company: "1", cost_center: "1", ledger_account: "6"}}
  - {code: b, name: B, coding: {company: "1", cost_center: "2", ledger_account: "6"}}
"""
POLICY = """\
policy: Kill
cost_basis: billed
rules:
  - {id: tag, when: {tags.team: {exists: true}}, charge_to: {tag: team}}
  - {id: rest, charge_to: {pool: rest}}
pools:
  - {id: rest, name: Rest, share: proportional to direct cost}
"""


def delivery(path: Path, rows: int, cents: int) -> Path:
    """A month of `rows` charges of so many cents each."""
    days = "2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,2026-10-05T00:00:00Z,2026-10-06T00:00:00Z"
    cost = f"{cents // 100}.{cents % 100:02d}"
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER + "\n")
        for row in range(rows):
            tags = ('"{""team"": ""a""}"', '"{""team"": ""b""}"', "")[row % 3]
            file.write(f"{cost},{cost},{cost},{cost},USD,{days},Usage,Cloud,INV-1,acct,Compute,{tags}\n")
    return path


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "books"
    root.mkdir()
    for name, text in (("apportion", SETTINGS), ("organization", ORGANIZATION), ("policy", POLICY)):
        (root / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Workspace.create(root)


def start(workspace: Workspace, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "apportion.cli", "--workspace", str(workspace.root), *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def lasting(workspace: Workspace, *arguments: str) -> float:
    """How long a command takes when it is left alone."""
    began = time.monotonic()
    assert start(workspace, *arguments).wait(timeout=120) == 0
    return time.monotonic() - began


def killed_at_random(workspace: Workspace, made: random.Random, lasts: float, *arguments: str) -> None:
    child = start(workspace, *arguments)
    time.sleep(made.uniform(0, 1.1) * lasts)
    child.send_signal(signal.SIGKILL)
    child.wait(timeout=60)


def state(workspace: Workspace) -> tuple[int, int]:
    """Rows and billed units of what is current; every file of it must be there to be read."""
    for file in workspace.snapshot(PERIOD).files:
        assert file.path.is_file()
    totals = workspace.totals(PERIOD)
    return sum(total.rows for total in totals), sum(total.billed_units for total in totals)


@pytest.mark.slow
def test_a_killed_delivery_leaves_the_former_one_or_is_there_whole(workspace: Workspace, tmp_path: Path) -> None:
    paths = [delivery(tmp_path / "first.csv", 3000, 101), delivery(tmp_path / "second.csv", 4000, 99)]
    wanted = [(3000, 3000 * 101 * 10**16), (4000, 4000 * 99 * 10**16)]
    ingest(workspace, [paths[0]], source="cloud")
    lasts = lasting(workspace, "ingest", str(paths[1]), "--source", "cloud")
    made, new = random.Random(11), 0
    for _ in range(ROUNDS):
        killed_at_random(workspace, made, lasts, "ingest", str(paths[new]), "--source", "cloud")
        assert state(workspace) in wanted
        ingest(workspace, [paths[new]], source="cloud")
        assert state(workspace) == wanted[new]
        assert len(workspace.current(PERIOD)) == 1
        new = 1 - new


@pytest.mark.slow
def test_a_killed_allocation_leaves_the_former_run_or_is_there_whole(workspace: Workspace, tmp_path: Path) -> None:
    ingest(workspace, [delivery(tmp_path / "first.csv", 3000, 101)], source="cloud")
    policies = [POLICY, POLICY.replace("proportional to direct cost", "even")]
    policy = workspace.root / "policy.yaml"
    wanted = []
    for text in policies:
        policy.write_text(text, encoding="utf-8")
        wanted.append(runs.allocate(workspace, PERIOD).digest)
    policy.write_text(policies[0], encoding="utf-8")
    lasts = lasting(workspace, "allocate", str(PERIOD))
    made, new = random.Random(12), 1
    for _ in range(ROUNDS):
        policy.write_text(policies[new], encoding="utf-8")
        killed_at_random(workspace, made, lasts, "allocate", str(PERIOD))
        run = runs.current(workspace, PERIOD)
        assert run.digest in wanted
        assert sum(line.units for line in run.allocation.lines) == 3000 * 101 * 10**16
        assert runs.allocate(workspace, PERIOD).digest == wanted[new]
        new = 1 - new


@pytest.mark.slow
def test_two_processes_at_once_do_not_mix(workspace: Workspace, tmp_path: Path) -> None:
    paths = [delivery(tmp_path / "first.csv", 3000, 101), delivery(tmp_path / "second.csv", 4000, 99)]
    children = [start(workspace, "ingest", str(path), "--source", "cloud", "--allow-shrink") for path in paths]
    statuses = [child.wait(timeout=120) for child in children]
    assert set(statuses) <= {0, 4}
    assert 0 in statuses
    assert state(workspace)[0] in {3000, 4000}
