"""A PostgreSQL of one's own for tests and measurements: a cluster in a folder, on loopback, stopped with the block."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

USER = "apportion"
DATABASE = "apportion"
# Nothing of a test has to survive a crash.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "timezone": "UTC",
}


@dataclass(frozen=True)
class Server:
    """A running server and how to reach it."""

    port: int
    password: str = field(repr=False)
    socket_folder: Path
    host: str = "127.0.0.1"
    user: str = USER

    @property
    def url(self) -> str:
        """The address of the empty database that is there from the start."""
        return self.database(DATABASE)

    def database(self, name: str) -> str:
        """The address of a database of that name."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{name}"


def programs() -> Path | None:
    """The folder of initdb and postgres, the newest of the machine; None where there is none."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = sorted(debian, key=lambda path: float(path.parents[1].name), reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


class NotInstalledError(Exception):
    """There is no PostgreSQL on this machine."""


@contextmanager
def server(home: Path | None = None, settings: Mapping[str, str] = SETTINGS) -> Iterator[Server]:
    """Start a server for the block, in a cluster of its own that goes with the block.

    With `home`, an empty folder or one that this made before, the cluster stays there for the next time. Raises
    `NotInstalledError`.
    """
    folder = programs()
    if folder is None:
        raise NotInstalledError("PostgreSQL is not there: `make tools` installs it")
    place = home or Path(tempfile.mkdtemp(prefix="apportion-postgres-"))
    try:
        owner = _owner()
        secret = place / "password"
        is_new = not secret.exists()
        if is_new:
            place.mkdir(parents=True, exist_ok=True)
            _for_owner(place, owner)
            _made(folder, place, owner, secret)
        password = secret.read_text(encoding="utf-8")
        with _started(folder, place, owner, Server(_free_port(), password, place), settings) as running:
            if is_new:
                with psycopg.connect(running.database("postgres"), autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
            yield running
    finally:
        if home is None:
            shutil.rmtree(place, ignore_errors=True)


def _owner() -> pwd.struct_passwd | None:
    """As whom the server runs: it refuses to run as root."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _as(owner: pwd.struct_passwd | None) -> list[str]:
    """What to put before a command so that it runs as the owner."""
    if owner is None:
        return []
    return ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]


def _for_owner(path: Path, owner: pwd.struct_passwd | None) -> None:
    if owner is not None:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _made(folder: Path, home: Path, owner: pwd.struct_passwd | None, secret: Path) -> None:
    """Make the cluster: the password is asked for on every way in, since others may share the machine."""
    unfinished = home / "password.new"
    unfinished.touch(mode=0o600)
    unfinished.write_text(secrets.token_urlsafe(18), encoding="utf-8")
    _for_owner(unfinished, owner)
    command = [*_as(owner), str(folder / "initdb"), "--pgdata", str(home / "data"), "--username", USER]
    command += ["--auth", "scram-sha-256", "--pwfile", str(unfinished), "--encoding", "UTF8", "--locale", "C.UTF-8"]
    command += ["--no-sync"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    unfinished.rename(secret)


@contextmanager
def _started(
    folder: Path, home: Path, owner: pwd.struct_passwd | None, running: Server, settings: Mapping[str, str]
) -> Iterator[Server]:
    # Should this process be killed, the system stops the server.
    until_we_end = ["setpriv", "--pdeathsig=QUIT"] if shutil.which("setpriv") else []
    command = [*_as(owner), *until_we_end, str(folder / "postgres"), "-D", str(home / "data"), "-k", str(home)]
    command += ["-h", running.host, "-p", str(running.port)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    with (home / "log").open("wb") as log, subprocess.Popen(command, cwd=home, stdout=log, stderr=log) as process:
        try:
            _wait(process, running, home / "log")
            yield running
        finally:
            _stopped(process)


def _stopped(process: subprocess.Popen[bytes]) -> None:
    """End the server: politely, then at once. Its other processes go with the first."""
    for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        process.send_signal(sign)
        try:
            process.wait(10)
            return
        except subprocess.TimeoutExpired:
            continue


def _wait(process: subprocess.Popen[bytes], running: Server, log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert process.poll() is None, f"PostgreSQL ended at once: {log.read_text(encoding='utf-8')}"
        try:
            psycopg.connect(running.database("postgres"), connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise AssertionError(f"PostgreSQL does not answer: {log.read_text(encoding='utf-8')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
