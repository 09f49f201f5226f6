"""Pages of the large company's review: who opens what, sessions for them, the server, and what it took."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import company as made
from bench.crowd import nearest
from bench.meter import Meter, cpu_s_of
from bench.process import ROOT
from bench.review import books

AT_ONCE = 20
_SAMPLE = 400
FLOOR = "an empty page of the same frame"
Facts = dict[str, Any]
Visit = tuple[str, str]  # who, and the address


def pages() -> dict[str, list[Visit]]:
    """What is opened, by name: many different documents by the people they are for, and lists by every role."""
    from apportion.records.disputes import Dispute
    from apportion.records.documents import Document
    from apportion.records.groups import CostGroup

    chance = random.Random(1)
    last = str(made.LAST)
    documents = list(
        Document.objects.filter(period=last, issue_state="issued", cost_group__isnull=False)
        .order_by("pk")
        .values_list("pk", "cost_group__code", "cost_group__owners")
    )
    chosen = chance.sample(documents, min(_SAMPLE, len(documents)))
    large = _large()
    former = list(
        Document.objects.filter(period=str(made.periods(3)[0])).order_by("pk").values_list("pk", flat=True)[:_SAMPLE]
    )
    owners = [_name(owners["technical"]) for _, _, owners in chosen]
    departments = sorted({_name(owners["finance"]) for _, _, owners in chosen})
    divisions = sorted({_name(owners["business"]) for _, _, owners in chosen})
    disputes = list(Dispute.objects.order_by("-pk").values_list("pk", flat=True)[:_SAMPLE])
    groups = list(CostGroup.objects.order_by("-depth", "pk").values_list("pk", flat=True)[:_SAMPLE])
    return {
        FLOOR: [("controller", "/search/")],
        "invoice, its owner": [(_name(owners["technical"]), f"/documents/{pk}/") for pk, _, owners in chosen],
        "invoice, a controller": [("controller", f"/documents/{pk}/") for pk, _, _ in chosen],
        "invoice of a former month": [("controller", f"/documents/{pk}/") for pk in former],
        "invoice with more than a hundred lines": [("controller", f"/documents/{pk}/") for pk in large],
        "close": [("controller", f"/close/{last}/"), ("auditor", f"/close/{last}/")],
        "periods": [("controller", "/close/")],
        "documents": [("controller", "/documents/")],
        "documents of an owner": [(name, "/documents/") for name in owners],
        "documents of the executive": [("executive", "/documents/")],
        "home of an owner": [(name, "/") for name in owners],
        "home of a department's owner": [(name, "/") for name in departments],
        "home of a division's owner": [(name, "/") for name in divisions],
        "home of the executive": [("executive", "/")],
        "home of a controller": [("controller", "/")],
        "summary": [("executive", "/summary/"), ("controller", "/summary/")],
        "measures": [("controller", "/measures/")],
        "cost groups": [("controller", "/groups/")],
        "cost group": [("controller", f"/groups/{pk}/") for pk in groups],
        "disputes": [("controller", "/disputes/")],
        "dispute": [("controller", f"/disputes/{pk}/") for pk in disputes],
        "search": [("controller", f"/search/?q={word}") for word in ("checkout", "Premium", "t0042", "ST-1000")],
        "audit": [("auditor", "/audit/")],
    }


def _large() -> list[int]:
    """The documents with most lines, of the last year."""
    from django.db.models import Max

    from apportion.records.documents import Document

    some = Document.objects.filter(period__gte=str(made.periods(12)[0])).annotate(lines_count=Max("lines__number"))
    return list(some.filter(lines_count__gt=100).order_by("pk").values_list("pk", flat=True))


def _name(address: str) -> str:
    return address.partition("@")[0]


def review_pages(meter: Meter, *, root: str, database: str, requests: int, only: str = "") -> Facts:
    """Every page by twenty browsers at once from the real server: percentiles in milliseconds, and queries."""
    with books(root, database) as place:
        found = {name: visits for name, visits in pages().items() if only in name and visits}
        sessions = _sessions({who for visits in found.values() for who, _ in visits})
        queries = {name: _queries(visits[:3], sessions) for name, visits in found.items()}
        database_process = _process(place)
        with served(place) as (port, process), meter.running():
            processes = [process, *database_process]
            took = {name: _measured(port, processes, visits, sessions, requests) for name, visits in found.items()}
    return {"pages": {name: {**took[name], "queries": queries[name]} for name in found}}


def _sessions(names: set[str]) -> dict[str, str]:
    """A session for everybody, as after signing in."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from apportion.records.people import Person

    people = {
        _name(row.email): row for row in Person.objects.filter(email__in=[f"{name}@{made.HOST}" for name in names])
    }
    found = {}
    for name in sorted(names):
        session = SessionStore()
        session[SESSION_KEY] = str(people[name].pk)
        session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
        session[HASH_SESSION_KEY] = people[name].get_session_auth_hash()
        session.create()
        found[name] = str(session.session_key)
    return found


def _queries(visits: Sequence[Visit], sessions: Mapping[str, str]) -> int:
    """The most queries that one of these pages runs."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    most = 0
    for who, address in visits:
        client = Client(headers={"host": "127.0.0.1"})
        client.cookies["sessionid"] = sessions[who]
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} was answered with {answer.status_code}")
        most = max(most, len(captured))
    return most


def _process(place: Path) -> list[int]:
    """The number of the database server's first process."""
    file = place.parent / f"{place.name}-cluster" / "data" / "postmaster.pid"
    return [int(file.read_text().split()[0])] if file.exists() else []


def _measured(
    port: int, processes: Sequence[int], visits: Sequence[Visit], sessions: Mapping[str, str], requests: int
) -> Facts:
    """Twenty at a time; the first of them only so that the server has met the page."""
    _ask(port, [*visits[:1]] * min(requests, 2 * AT_ONCE), sessions)
    before = sum(map(cpu_s_of, processes))
    # From the end: what was opened before is not asked for again while there is something else.
    wanted = [visits[-1 - number % len(visits)] for number in range(requests)]
    found = _ask(port, wanted, sessions)
    times = found["milliseconds"]
    spent = 1000 * (sum(map(cpu_s_of, processes)) - before) / len(times)
    figures = {f"p{per_cent}_ms": round(nearest(times, per_cent), 1) for per_cent in (50, 95, 99)}
    return {
        **figures,
        "cpu_ms": round(spent, 1),
        "a_second": round(len(times) / found["seconds"], 1),
        "kb": found["largest"] // 1000,
    }


def _ask(port: int, visits: Sequence[Visit], sessions: Mapping[str, str]) -> Facts:
    calls = [{"path": address, "cookie": sessions[who]} for who, address in visits]
    wanted = json.dumps({"port": port, "calls": calls, "at_once": min(AT_ONCE, len(calls))})
    done = subprocess.run(
        [sys.executable, "-m", "bench.crowd"], cwd=ROOT, input=wanted, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    found: Facts = json.loads(done.stdout)
    return found


@contextmanager
def served(place: Path) -> Iterator[tuple[int, int]]:
    """``apportion serve`` as it comes, on a free port; gives that and the number of its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "apportion.cli", "--workspace", str(place), "serve", "--port", str(port)]
    log = place / "serve.log"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ}) as server:
        try:
            _wait(server, port, log)
            yield port, server.pid
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"The server ended: {log.read_text(encoding='utf-8')[-1500:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(2)  # every worker has to import the application
                return
        time.sleep(0.1)
    raise RuntimeError("The server does not answer.")
