"""The small company's site as people use it: its books filled once, and copies of them served by `apportion serve`.

The books are filled by the acts in a process of their own, and kept at three stages:

- ``issued``: October is issued, and nobody has answered;
- ``disputed``: Red disputes a line, and a controller has asked something;
- ``things``: one of each kind besides, as the tests of rights have them.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.browser import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import StorageState

Stage = Literal["issued", "disputed", "things"]

# Fills the books, keeps a copy of the workspace at each stage, and tells what is in them with everybody's session.
SEED = """
import json, os, shutil
from pathlib import Path
import django; django.setup()
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from apportion.actions.review.commenting import comment
from apportion.web.frame.refusals import failed
from tests.company import PEOPLE, SEPTEMBER, dispute_queues, fill
root = Path(os.environ["APPORTION_WORKSPACE"])
def keep(stage):
    connection.close()
    shutil.copytree(root, root.parent / stage)
call_command("migrate", verbosity=0)
company = fill(root, disputed=False)
def session(name):
    client = Client()
    client.force_login(company.person(name))
    return client.cookies["sessionid"].value
known = {"sessions": {name: session(name) for name in PEOPLE}}
keep("issued")
known["dispute"] = dispute_queues(company).pk
web, app, green = (company.document(code) for code in ("red-web", "red-app", "green"))
comment(company.actor("controller"), web.pk, "Is this right, @red?")
known |= {"web": web.pk, "app": app.pk, "green": green.pk, "september": company.document("red-web", SEPTEMBER).pk,
    "share": web.lines.get(kind="share").number, "compute": app.lines.get(service="Compute").number}
keep("disputed")
from tests.web.test_rights import make_things
known["things"] = make_things(company).ids
keep("things")
known["failed"] = failed(RequestFactory().get("/")).content.decode()
print(json.dumps(known, default=str))
"""


@dataclass(frozen=True)
class Books:
    """The workspace of each stage, and what is in the books."""

    root: Path
    known: dict[str, Any]


@dataclass(frozen=True)
class Site:
    """A running site, and what is in its books."""

    address: str
    known: dict[str, Any]

    def session(self, name: str) -> StorageState:
        """The browser of somebody who is signed in."""
        cookie = {"name": "sessionid", "value": self.known["sessions"][name], "domain": "127.0.0.1", "path": "/"}
        more = {"expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}
        return {"cookies": [{**cookie, **more}], "origins": []}  # type: ignore[typeddict-item]


def environment_of(root: Path) -> dict[str, str]:
    """For a process whose site is the one of this workspace, on SQLite."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "apportion.records.configuration",
        "APPORTION_WORKSPACE": str(root),
        "APPORTION_DATABASE": "",
        "PYTHONPATH": str(ROOT),
    }


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the server answers; fails with what it said where it ended instead."""
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"the server did not start: {log.read_text()}")


@contextmanager
def serving(root: Path, port: int, more: Mapping[str, str] = {}, options: Sequence[str] = ()) -> Iterator[str]:
    """Serve a workspace as people do; gives the address."""
    program = str(Path(sys.executable).with_name("apportion"))
    command = [program, "--workspace", str(root), "serve", "--port", str(port), *options]
    with (
        (root / "server.log").open("w") as log,
        subprocess.Popen(
            command, env={**environment_of(root), **more}, stdout=log, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            wait_for(port, process, root / "server.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(name="filled", scope="session")
def filled_fixture(delivered: Path, tmp_path_factory: pytest.TempPathFactory) -> Books:
    """The company's books, filled once for all tests that serve a copy of them."""
    root = tmp_path_factory.mktemp("filled") / "northwind"
    shutil.copytree(delivered, root)
    told = subprocess.run(
        [sys.executable, "-c", SEED], env=environment_of(root), check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    return Books(root.parent, json.loads(told.stdout.splitlines()[-1]))


@contextmanager
def site_at(filled: Books, stage: Stage, root: Path) -> Iterator[Site]:
    """Serve a copy, in the new directory `root`, of the books at a stage. What tests change there is theirs alone."""
    shutil.copytree(filled.root / stage, root)
    with serving(root, free_port()) as address:
        yield Site(address, filled.known)
