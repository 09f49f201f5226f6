"""Books of the example company whose journals are pushed: made once for each database, copied for each test."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from apportion.demo import write
from apportion.ingest import usage
from apportion.ingest.load import ingest
from apportion.records import DATABASE
from apportion.records.configuration import BOOKS
from apportion.warehouse.record import Dataset
from apportion.warehouse.store import STORE, Workspace
from tests.postgres import Server
from tests.tryton_server import PASSWORD

HERE = Path(__file__).parents[1]
SECRET = "TEST_LEDGER_SECRET"  # noqa: S105 - the name of a variable
NOWHERE = "http://127.0.0.1:9"
ROWS = 4000
_LEDGER = '  suspense: "609900"'
_CURRENCIES = '  currencies: {"1000": EUR, "2000": SEK}\n  exchange_rounding: "600901"\n'


def delivered(root: Path) -> Workspace:
    """October 2026 of the example company as `apportion demo` writes it; its companies keep books in EUR and SEK."""
    company = write(root, rows=ROWS, months=12)
    settings = root / "apportion.yaml"
    text = settings.read_text("utf-8")
    assert _LEDGER in text
    settings.write_text(text.replace(_LEDGER, _CURRENCIES + _LEDGER), "utf-8")
    workspace = Workspace.create(root)
    for delivery in company.deliveries:
        if delivery.period != company.periods[-1]:
            continue
        if delivery.dataset is Dataset.USAGE:
            usage.load(workspace, delivery.paths, source=delivery.source)
        else:
            ingest(workspace, delivery.paths, source=delivery.source, mode=delivery.mode)
    return workspace


@dataclass(frozen=True)
class Answer:
    """What came of an act: its value, or its refusal; neither where its process was killed."""

    value: Any = None
    code: str = ""
    sentence: str = ""
    advice: str = ""
    steps: tuple[str, ...] = ()
    killed: bool = False

    def must(self) -> Any:
        """Its value; it was to go well."""
        assert not self.killed
        assert not self.code, f"{self.code}: {self.sentence} {self.advice}"
        return self.value


class Running:
    """An act in its process."""

    def __init__(self, address: Path, command: dict[str, Any]) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(120)
        self._socket.connect(str(address))
        self._socket.sendall(json.dumps(command).encode() + b"\n")

    def answer(self) -> Answer:
        """Wait for its end."""
        with self._socket, self._socket.makefile("r", encoding="utf-8") as lines:
            line = lines.readline()
        if not line:
            return Answer(killed=True)
        told = json.loads(line)
        assert "broken" not in told, told["broken"]
        refused = told.get("refused", {})
        return Answer(told.get("value"), **refused, steps=tuple(told["steps"]))

    def is_waiting(self, seconds: float) -> bool:
        """Is it not done after so long?"""
        self._socket.settimeout(seconds)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(120)
        return False


@dataclass(frozen=True)
class Books:
    """Books in which acts are done, each in a process of its own."""

    site: Site
    name: str

    def begin(
        self, act: str, *, steps: dict[str, Any] | None = None, hasty: bool = False, at: float = 0, **given: Any
    ) -> Running:
        """Begin an act: at an instant, killed or held up at one of its steps, or without waits between tries."""
        command = {"act": act, "given": given, "steps": steps or {}, "books": self.name, "hasty": hasty, "at": at}
        return Running(self.site.address, command)

    def act(self, act: str, **given: Any) -> Answer:
        """Do an act, whatever comes of it."""
        return self.begin(act, **given).answer()

    def do(self, act: str, **given: Any) -> Any:
        """Do an act that must go well; gives its value."""
        return self.act(act, **given).must()

    def together(self, *acts: tuple[str, dict[str, Any]]) -> list[Answer]:
        """Do acts that begin at the same moment."""
        at = time.time() + 0.3
        running = [self.begin(act, at=at, **given) for act, given in acts]
        return [each.answer() for each in running]

    def held(self, folder: Path, act: str, step: int, moment: str, **given: Any) -> Held:
        """An act that has come to one of its steps and waits there."""
        place = folder / f"held-{time.monotonic_ns()}"
        running = self.begin(act, steps={"at": step, "moment": moment, "held": str(place)}, **given)
        end = time.monotonic() + 60
        while not Path(f"{place}.reached").exists():
            assert time.monotonic() < end, running.answer()
            time.sleep(0.01)
        return Held(running, Path(f"{place}.go"))


@dataclass(frozen=True)
class Held:
    """An act that waits at one of its steps."""

    running: Running
    sign: Path

    def go(self) -> Answer:
        """Let it go on to its end."""
        self.sign.touch()
        return self.running.answer()


@dataclass
class Site:
    """The process that forks for acts over one kind of database, and the books in which the month was issued."""

    root: Path
    address: Path
    server: Server | None
    base: str
    count: int = 0

    def books(self) -> Books:
        """Books of their own, as they were when the month was issued."""
        self.count += 1
        if self.server is None:
            name = str(self.root / STORE / f"case-{self.count}.sqlite3")
            shutil.copyfile(self.root / STORE / BOOKS, name)
            return Books(self, name)
        name = f"{self.base}_{self.count}"
        with psycopg.connect(self.server.database("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {self.base}".encode())
        return Books(self, name)

    def targets(self, names: Iterable[str], database: str, url: str = NOWHERE) -> None:
        """Let the settings know these targets, all of them one ledger, and no others."""
        settings = self.root / "apportion.yaml"
        text = settings.read_text("utf-8").partition("\ntargets:")[0]
        lines = [f"  {name}: {{{_target(url, database)}}}" for name in names]
        settings.write_text("\n".join([text, "targets:", *lines, ""]), "utf-8")


@contextmanager
def site(root: Path, server: Server | None, name: str) -> Iterator[Site]:
    """Issue the month in books of one kind, and be ready for acts."""
    url = ""
    if server is not None:
        url = server.database(name)
        with psycopg.connect(server.database("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
    address = root / f"{name}.acts"
    surroundings = {**os.environ, DATABASE: url, SECRET: PASSWORD}
    words = [sys.executable, "-m", "tests.push_process", str(root), str(address)]
    with subprocess.Popen(words, cwd=HERE, env=surroundings) as process:
        try:
            end = time.monotonic() + 60
            while not address.exists():
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.05)
            found = Site(root, address, server, name)
            Books(found, "").do("issue")
            if server is None:
                with closing(sqlite3.connect(root / STORE / BOOKS)) as books:
                    books.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            yield found
        finally:
            process.kill()


def _target(url: str, database: str) -> str:
    companies = 'companies: {"1000": Nimbus GmbH, "2000": Nimbus Nordic AB}'
    axes = "axes: {cost_center: cost_center, department: department}"
    return f"kind: tryton, url: '{url}', database: {database}, user: admin, secret: {SECRET}, {companies}, {axes}"
