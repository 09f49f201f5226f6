"""Two people at once, in threads on real databases: one wins, the other hears why, and the books stay whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import postgres

ROOT = Path(__file__).parents[3]
ROUNDS = 4
LATE = "NOT_IN_THIS_STATE"
DECIDED = "DISPUTE_NOT_IN_THIS_STATE"
# What may come out, in any order: one is done, and the other is told.
ALLOWED = {
    "accept and accept": [{"done", LATE}],
    "accept and dispute": [{"done", LATE}],
    "one line twice": [{"done", "DISPUTED_ALREADY"}],
    # Both can go well: a proposal may still be withdrawn with its dispute.
    "withdraw and propose": [{"done"}, {"done", DECIDED}],
    "approve twice": [{"done", DECIDED}],
    "approve and take back": [{"done", DECIDED}],
}


def _run(workspace: Path, database: str) -> list[dict[str, list[str]]]:
    (workspace / ".apportion").mkdir()
    environment = {
        **os.environ,
        "APPORTION_WORKSPACE": str(workspace),
        "APPORTION_DATABASE": database,
        "DJANGO_SETTINGS_MODULE": "apportion.records.configuration",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "tests.rooms.actions.review_race", str(ROUNDS)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    *races, standing = [json.loads(line) for line in done.stdout.splitlines()]
    upheld = standing.pop("upheld")
    assert standing.pop("entries") > 0
    assert standing == {"breaks": 0, "gaps": [], "drafts": 0, "notes": 2 * upheld, "net": 0}
    return list(races)


def _check(races: list[dict[str, list[str]]]) -> None:
    assert len(races) == ROUNDS
    for race in races:
        for name, found in race.items():
            assert set(found) in ALLOWED[name], (name, found)
            if name != "withdraw and propose":
                assert found.count("done") == 1, (name, found)


@pytest.mark.slow
def test_on_sqlite(tmp_path: Path) -> None:
    _check(_run(tmp_path, ""))


@pytest.mark.slow
def test_on_postgresql(tmp_path: Path) -> None:
    with postgres.server() as server:
        _check(_run(tmp_path, server.url))
