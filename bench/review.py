"""The review under load: a large company's books on both databases, issuing a month of it, and its pages.

Every function runs in a process of its own; the first one leaves a workspace and its database behind for the others.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apportion import records
from apportion.ingest import load
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Workspace
from bench import company as made
from bench import postgres
from bench.company import Company
from bench.meter import Meter

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a company is, in how many periods and lines, and how often each page is opened."""

    groups: int
    periods: int
    lines: Mapping[str, int]
    requests: int

    def of(self, database: str) -> Mapping[str, int]:
        """What `review_books` is given for a database."""
        return {"groups": self.groups, "periods": self.periods, "lines": self.lines[database]}


FULL = Size(5_000, 36, {"sqlite": 200_000, "postgresql": 2_000_000}, 400)
QUICK = Size(60, 4, {"sqlite": 3_000, "postgresql": 3_000}, 20)


ALL = ("sqlite", "postgresql")


def databases() -> tuple[str, ...]:
    """Those that there are on this machine."""
    return ALL if postgres.programs() else ALL[:1]


# As a company would run it on a machine with two cores, except that nothing waits for a disk.
_SERVER = {**postgres.SETTINGS, "shared_buffers": "512MB", "effective_cache_size": "2GB", "work_mem": "16MB"}


@contextmanager
def books(root: str, database: str) -> Iterator[Path]:
    """Django on the books of the workspace in `root`, which are in this database (sqlite or postgresql)."""
    place = Path(root)
    if database == "sqlite":
        os.environ.pop(records.DATABASE, None)
        records.boot(place)
        yield place
        return
    with postgres.server(place.parent / f"{place.name}-cluster", _SERVER) as server:
        os.environ[records.DATABASE] = server.url
        records.boot(place)
        yield place
        from django.db import connections

        connections.close_all()


def review_books(meter: Meter, *, root: str, database: str, groups: int, lines: int, periods: int) -> Facts:
    """Make a workspace and its books: former months loaded, the last but one issued and accepted, the last to issue."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.rmtree(f"{root}-cluster", ignore_errors=True)
    company, months = Company(groups), made.periods(periods)
    made.write_workspace(company, Path(root))
    workspace = Workspace.create(Path(root))
    charges = 0
    for month in (periods - 2, periods - 1):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{months[month]}.csv"
            charges += made.write_charges(company, months[month], month, path)
            load.ingest(workspace, [path], source="clouds")
    with books(root, database), meter.running():
        from apportion.records import upkeep

        upkeep.migrate()
        return {"charges": charges, **_filled(company, workspace, lines, months)}


def _filled(company: Company, workspace: Workspace, lines: int, months: list[BillingPeriod]) -> Facts:
    from django.db import connection
    from django.utils import timezone

    from apportion.actions.access import organization
    from apportion.actions.close import closing, issuing
    from apportion.records.closes import Close
    from apportion.records.documents import Document, DocumentLine
    from bench import company_books

    company_books.people(company)
    organization.bring_tree(workspace)
    company_books.modes(company, months[0])
    known = 2 * sum(company.size(group) + len(made.POOLS) for group in company.groups)
    loaded = company_books.load(company, months[:-2], max(0, lines - known))
    for period in months[-2:]:
        closing.mark_data_complete(_actor("analyst"), period)
        closing.allocate(_actor("analyst"), period)
        if period != months[-1]:
            issuing.issue(_actor("controller"), period)
            out = Document.objects.filter(period=str(period))
            now = timezone.now()
            out.update(review_state="accepted", reviewed_at=now, reviewed_by=company_books.person("executive"))
            done = {"posting_state": "posted", "journal": f"J-{period}", "posted_at": now}
            out.filter(kind="invoice").update(**done, exported_by=company_books.person("second"))
            Close.objects.filter(period=str(period)).update(posted_at=now, sealed_at=now)
    _quiet()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"documents": Document.objects.count(), "lines": DocumentLine.objects.count(), "entries": loaded.entries}


def _quiet() -> None:
    """No mail is sent while pages are measured."""
    from apportion.records.work import Message

    Message.objects.filter(state="waiting").update(state="sent")


def _actor(name: str) -> Any:
    from apportion.actions.acting import actor_of
    from bench.company_books import person

    return actor_of(person(name), "web")


def review_issue(meter: Meter, *, root: str, database: str) -> Facts:
    """Issue the last month: every document of its run with why it changed, numbered, saved and told."""
    with books(root, database):
        from apportion.actions.close import issuing

        actor = _actor("controller")
        with meter.running():
            done = issuing.issue(actor, made.LAST)
        _quiet()
        return {"documents": done.made}
