"""The same call many times at once, in threads of a real process: one of them does it, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apportion.warehouse.store import Workspace
from tests.postgres import Server

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_only_one_of_many_does_it(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    environment.pop("APPORTION_DATABASE", None)
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    if database == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        environment["APPORTION_DATABASE"] = server.url
    Workspace.create(tmp_path)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.web.api_crossing", str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["people"], found["entries"]) == (2, 2)
    made = {code for status, code in found["answers"] if status == 201}
    assert len(made) <= 2
    assert all(status == 201 or (status, code) == (409, "STILL_UNDER_WAY") for status, code in found["answers"])
    assert [status for status, _ in found["again"]] == [201, 201]
    assert made <= {code for _, code in found["again"]}
