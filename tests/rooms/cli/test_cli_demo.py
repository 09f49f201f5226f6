"""The example company in small: two months, closed, and every command that the screen proposes works."""

from __future__ import annotations

import shlex
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.rooms.cli.harbour import Say
from tests.rooms.cli.test_cli_documents import fits

PROGRAM = [sys.executable, "-m", "apportion.cli"]


@pytest.mark.slow
def test_the_demo_closes_its_months_and_its_proposals_work(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = say("demo", "kestrel", "--months", "2", "--rows", "2000", "--json")
    assert (told.status, told.err) == (0, "")
    made = fits(told, "demo")
    assert made["periods"] == [{"period": "2025-11", "sealed": True}, {"period": "2025-12", "sealed": False}]
    assert made["last"]["tie_out"]["holds"] is True
    assert len(made["last"]["largest"]) == 5
    totals = {each["currency"]: Decimal(each["amount"]) for each in made["last"]["totals"]}
    assert set(totals) == {"EUR", "SEK", "USD"}
    assert {total["currency"] for each in made["last"]["largest"] for total in each["totals"]} == {"EUR", "USD"}
    assert len(made["try"]) == 5
    for command in made["try"]:
        assert say(*shlex.split(command)[1:]).status == 0
    assert say("--workspace", "kestrel", "periods", "--json").json["periods"][1]["state"] == "sealed"
    refused = say("demo", "kestrel")
    assert refused.status == 1
    assert "kestrel is not empty." in refused.err


@pytest.mark.slow
def test_the_demo_ends_on_one_screen(tmp_path: Path) -> None:
    words = [*PROGRAM, "demo", "kestrel", "--months", "1", "--rows", "1000"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "The tie-out of November 2025 holds" in lines
    assert "Its largest statements" in lines
    assert any(line.startswith("  apportion --workspace kestrel explain KES-2025-11-") for line in lines)
    assert len(lines) < 50
    assert max(map(len, lines)) <= 100


def test_wishes_that_the_story_cannot_meet_are_refused_and_leave_nothing(say: Say, tmp_path: Path) -> None:
    few, none = say("demo", tmp_path / "a", "--rows", "5"), say("demo", tmp_path / "a", "--months", "0")
    assert (few.status, none.status) == (1, 1)
    assert "5 rows are too few" in few.err
    assert "The demo cannot have 0 months." in none.err
    assert list(tmp_path.iterdir()) == []
