"""``apportion serve``: web application, API, background work and timers, with one command."""

from __future__ import annotations

import multiprocessing
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli import site
from apportion.cli.arguments import read_count
from apportion.cli.face import Face, option, shown_path
from apportion.errors import WorkspaceError
from apportion.records import WEB_BALANCE

if TYPE_CHECKING:
    from pathlib import Path

    from apportion.warehouse.store import Workspace

_MOST_WORKERS = 64
# How many requests a web process takes in at once. How many of them are worked on is for `web.door` to say: the others
# wait for their turn or for their senders, which costs a thread and nothing else.
_THREADS = 32


class IncompleteError(WorkspaceError):
    """A part of the web application that is made when it is installed is not there."""

    code = "INCOMPLETE"


class AddressError(WorkspaceError):
    """An address that cannot be listened on."""

    code = "ADDRESS"


def run(
    face: Face,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", parser=read_count, metavar="N", help="The port.")] = 8000,
    workers: Annotated[
        int, typer.Option("--workers", parser=read_count, metavar="N", help="Web processes; 0: as many as processors.")
    ] = 0,
) -> None:
    """Start the review: the web application and its API, the worker and the timers.

    Makes or updates the books first (a file of SQLite is copied aside before). Ctrl-C stops all of it; work that is
    under way is begun again at the next start. For others to reach it, put a proxy with TLS before it and set site.url
    and site.hosts in apportion.yaml.

    \b
    Examples:
      apportion serve
      apportion serve --host 0.0.0.0 --port 8080 --workers 4
    """
    place = site.boot(face, migrated=False)
    _check(host, port, workers)
    _check_parts()
    from apportion.records import upkeep

    done = upkeep.migrate()
    count = workers or min(os.cpu_count() or 1, 4)
    face.give({"document": "serve", "version": 1, "url": _url(host, port), "database": upkeep.where()})
    _say(face, place, host, port, done)
    sys.stdout.flush()
    if not _serve(host, port, count):
        raise AddressError(
            "The web server stopped by itself.", advice="The lines above say why. Is the port free, the memory enough?"
        )
    face.say("Stopped.")


def _check(host: str, port: int, workers: int) -> None:
    """Before anything is touched: can it be listened on?"""
    if not 1 <= port <= 65535:
        raise typer.BadParameter(f"{port} is not a port. Use 1 to 65535.")
    if workers > _MOST_WORKERS:
        raise typer.BadParameter(f"{workers} processes are too many. Use at most {_MOST_WORKERS}.")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise AddressError(f"'{host}' is no address of this machine.", advice="Use 127.0.0.1 or 0.0.0.0.") from None
    with socket.socket(family[0], family[1]) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(family[4])
        except PermissionError:
            raise AddressError(f"Port {port} may not be used.", advice="Use one above 1023, with --port.") from None
        except OSError:
            raise AddressError(
                f"Port {port} of {host} is in use.", advice="Stop what runs there, or choose another with --port."
            ) from None


def _check_parts() -> None:
    """Scripts, styles and languages are brought in when Apportion is installed, and are not among its sources."""
    from django.conf import settings

    pages, words = settings.STATICFILES_DIRS[0] / "vendor", settings.LOCALE_PATHS[0]
    wanted = [pages / name for name in ("htmx.min.js", "tabler.min.css", "echarts.min.js", "icons.svg")]
    wanted += [words / code / "LC_MESSAGES" / "django.mo" for code, _ in settings.LANGUAGES if code != "en"]
    missing = [path for path in wanted if not path.is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise IncompleteError(
            f"The web application is not complete: {_shown(missing[0])}{more} is missing.",
            advice="Install it anew with: pip install '.[web]' (in a copy of its source for work on it: make check)",
        )


def _shown(path: Path) -> str:
    """From `static` or `locale` on."""
    start = next((at for at, name in enumerate(path.parts) if name in {"static", "locale"}), 0)
    return "/".join(path.parts[start:])


def _url(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _say(face: Face, place: Workspace, host: str, port: int, done: object) -> None:
    from apportion.records import upkeep
    from apportion.records.people import Person
    from apportion.records.upkeep import Migrated

    face.say(f"{place.settings.company}: the review", "bold")
    if isinstance(done, Migrated) and done.steps:
        face.say(f"Books:   {shown_path(upkeep.where())} ({'made' if done.was_new else 'brought up to date'})")
        if done.backup:
            face.say(f"         the former file is kept: {shown_path(done.backup)}")
    else:
        face.say(f"Books:   {shown_path(upkeep.where())}")
    face.say(f"Open:    {_url(host, port)}")
    if not Person.objects.exists():
        command = f"apportion {option(place)}people add YOU@EXAMPLE.COM --role administrator"
        face.say(f"First:   nobody can sign in yet. In another terminal: {command}")
    allowed = place.settings.site.hosts
    if host not in (*allowed, "0.0.0.0", "::", "::1"):  # noqa: S104
        face.say(f"Note:    {host} is not among site.hosts in apportion.yaml, so browsers are refused there.")
    face.say("Stop:    Ctrl-C")
    face.say()


def _serve(host: str, port: int, workers: int) -> bool:
    """Run until asked to stop; False where the web server ended by itself."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from apportion.cli.background import Background

    # A forked process would share this one's connections and locks.
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        "apportion.web.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=_THREADS,
        websockets=False,
        backlog=256,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.error,
    )
    with Background(), _balance(workers):
        server.serve()
    return bool(server.interrupt_signal)


@contextmanager
def _balance(workers: int) -> Iterator[None]:
    """What the web processes share to do the same amount of work each."""
    if workers == 1:
        yield
        return
    with tempfile.NamedTemporaryFile(prefix="apportion-web-") as file:
        os.environ[WEB_BALANCE] = file.name
        yield
