"""A real Tryton for tests: its own Python (`.tryton`, from a pinned list), a template database, and `trytond` itself.

Tryton is under the GPL and no part of this project: it is a peer that tests talk to over its network interface.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psycopg
import pytest

from bench.postgres import programs
from tests import postgres

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".tryton" / "bin" / "python"
HERE = ROOT / "tests" / "tryton"
MODULES = ("account", "analytic_account")
PASSWORD = "push-it-once-only"  # noqa: S105 - of a server that lives for one run on this machine
TEMPLATE = "template_of_ledgers"
CACHE = ROOT / ".tryton" / "ledgers"


@dataclass(frozen=True)
class Ledgers:
    """A PostgreSQL with a template database that holds a ledger ready to be posted in."""

    server: postgres.Server
    folder: Path

    def copy(self, name: str) -> None:
        """A ledger of that name, as the template is."""
        with psycopg.connect(self.server.database("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")

    def ask(self, name: str, question: str) -> list[tuple[object, ...]]:
        """Look into a ledger behind its back: what is there, whatever its interface says."""
        with psycopg.connect(self.server.database(name), autocommit=True) as connection:
            cursor = connection.execute(question.encode())
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def served(self, *names: str) -> Iterator[str]:
        """`trytond` with these ledgers; gives its address."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        configuration = self.folder / f"trytond-{port}.conf"
        configuration.write_text(_configuration(self.server, port), encoding="utf-8")
        command = [str(PYTHON.with_name("trytond")), "-c", str(configuration), "-d", *names]
        with (self.folder / f"trytond-{port}.log").open("wb") as log:
            process = subprocess.Popen(_until_we_end(command), cwd=self.folder, stdout=log, stderr=log)
            try:
                _wait(process, port, names[0], self.folder / f"trytond-{port}.log")
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@contextmanager
def ledgers(server: postgres.Server, folder: Path, plan: dict[str, object]) -> Iterator[Ledgers]:
    """The template, made once for each version of its plan and kept as a dump beside Tryton itself."""
    if not PYTHON.exists():
        pytest.skip("Tryton is not there: `make tools` installs it")
    text = json.dumps(plan, sort_keys=True)
    sources = [text, *((HERE / name).read_text("utf-8") for name in ("make_ledger.py", "requirements.lock"))]
    dump = CACHE / f"{hashlib.sha256(''.join(sources).encode()).hexdigest()[:16]}.dump"
    CACHE.mkdir(parents=True, exist_ok=True)
    with psycopg.connect(server.database("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    with (CACHE / "lock").open("a") as lock:  # of two test processes, one makes it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not dump.exists():
            _made(server, folder, text)
            _program(server, "pg_dump", "--format=custom", "--compress=0", f"--file={dump}.part", TEMPLATE)
            Path(f"{dump}.part").rename(dump)
        else:
            _program(server, "pg_restore", "--no-owner", f"--dbname={TEMPLATE}", str(dump))
    yield Ledgers(server, folder)


def _made(server: postgres.Server, folder: Path, plan: str) -> None:
    configuration = folder / "make.conf"
    configuration.write_text(_configuration(server, 0), encoding="utf-8")
    (folder / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    (folder / "plan.json").write_text(plan, encoding="utf-8")
    admin = [str(PYTHON.with_name("trytond-admin")), "-c", str(configuration), "-d", TEMPLATE]
    environment = {**os.environ, "TRYTONPASSFILE": str(folder / "password")}
    _run([*admin, "--all", "--email", "ledger@example.com"], environment)
    _run([*admin, "-u", *MODULES, "--activate-dependencies"], environment)
    made = [str(PYTHON), str(HERE / "make_ledger.py"), str(configuration), TEMPLATE, str(folder / "plan.json")]
    _run(made, _kind(server, configuration))


def add(ledgers: Ledgers, name: str, plan: dict[str, object]) -> None:
    """Add accounts and cost centres to a ledger."""
    configuration, wanted = ledgers.folder / f"{name}.conf", ledgers.folder / f"{name}.json"
    configuration.write_text(_configuration(ledgers.server, 0), encoding="utf-8")
    wanted.write_text(json.dumps(plan), encoding="utf-8")
    _run(
        [str(PYTHON), str(HERE / "make_ledger.py"), str(configuration), name, str(wanted), "add"],
        _kind(ledgers.server, configuration),
    )


def _kind(server: postgres.Server, configuration: Path) -> dict[str, str]:
    """The kind of database is chosen when Tryton is imported, before any configuration is read."""
    uri = server.database("").rstrip("/")
    return {**os.environ, "TRYTOND_CONFIG": str(configuration), "TRYTOND_DATABASE_URI": uri}


def _program(server: postgres.Server, name: str, *arguments: str) -> None:
    found = programs()
    assert found is not None
    program = found / name if (found / name).exists() else Path(shutil.which(name) or name)
    where = ["--host", server.host, "--port", str(server.port), "--username", server.user]
    _run([str(program), *where, *arguments], {**os.environ, "PGPASSWORD": server.password})


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"{Path(command[0]).name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def _configuration(server: postgres.Server, port: int) -> str:
    database = server.database("").rstrip("/")
    listen = f"[web]\nlisten = 127.0.0.1:{port}\n" if port else ""
    # A password hash as quick as may be: tests sign in often, and the password is no secret.
    return (
        f"[database]\nuri = {database}\n{listen}[session]\nauthentications = password\n"
        "[password]\nschemes = pbkdf2_sha512\n[cron]\nworker = False\n"
    )


def _until_we_end(command: list[str]) -> list[str]:
    return [*(["setpriv", "--pdeathsig=TERM"] if shutil.which("setpriv") else []), *command]


def _wait(process: subprocess.Popen[bytes], port: int, name: str, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, f"trytond ended at once: {log.read_text(encoding='utf-8')[-3000:]}"
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            body = json.dumps({"id": 0, "method": "common.server.version", "params": []})
            connection.request("POST", "/rpc/", body, {"Content-Type": "application/json"})
            if connection.getresponse().status < 500:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError(f"trytond does not answer for {name}")
