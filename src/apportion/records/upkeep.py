"""The database itself: brought up to the software's version, with a copy of the former one; and whether it is sound."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from apportion.errors import StorageError
from apportion.records import chain, convert, triggers
from apportion.records.documents import Document

_KEPT = 5


@dataclass(frozen=True, slots=True)
class Migrated:
    """What bringing the books up to date came to: how many steps, and where the copy of the former file is."""

    steps: int
    was_new: bool
    backup: Path | None = None


def migrate() -> Migrated:
    """Bring the database to this version of the software; a file of SQLite is copied aside before.

    Safe to be killed and begun again. Raises `StorageError` where the database cannot be reached or refuses.
    """
    with explained():
        executor = MigrationExecutor(connection)
        steps = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        was_new = not executor.loader.applied_migrations
        if not steps:
            return Migrated(0, was_new=False)
        backup = None if was_new else _copied()
        call_command("migrate", verbosity=0, interactive=False)
    return Migrated(steps, was_new, backup)


def pending() -> bool:
    """Whether the database is of an earlier version than the software, or empty."""
    with explained():
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def is_new() -> bool:
    """Whether nothing was ever made in the database."""
    with explained():
        return not MigrationExecutor(connection).loader.applied_migrations


def where() -> str:
    """The database in words, without its password."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(values["NAME"])
    port = f":{values['PORT']}" if values["PORT"] else ""
    return f"PostgreSQL, {values['NAME']} at {values['HOST'] or 'this machine'}{port}"


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a database refuses into a `StorageError` with its first line."""
    try:
        yield
    except (OperationalError, DatabaseError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise StorageError(
            f"The books cannot be reached: {said}",
            advice="Is the database running, and is its address in apportion.yaml (or APPORTION_DATABASE) right?"
            if connection.vendor == "postgresql"
            else "Is the disk full, or the file in use by a command that runs?",
        ) from error


def faults() -> Iterator[str]:
    """What is wrong with the books, in sentences: missing triggers, touched documents, a broken audit chain."""
    for name in missing_triggers():
        yield f"The trigger {name} is missing: something could be changed that must not."
    for document in Document.objects.select_related("body").order_by("pk").iterator(chunk_size=500):
        if convert.digest(document.body.text) != document.body_digest:
            yield f"The text of {document} is not what was issued."
    for found in chain.verify().breaks:
        yield f"Audit entry {found.number}: {found.sentence}"


def missing_triggers() -> list[str]:
    """The triggers that guard issued documents and the audit chain, and that the database does not have."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        there = {row[0] for row in cursor.fetchall()}
    return [guard.name for guard in triggers.GUARDS if guard.name not in there]


def _copied() -> Path | None:
    """A copy of the SQLite file, made by SQLite itself so that it is whole; the oldest copies go."""
    if connection.vendor != "sqlite":
        return None
    path = Path(connection.settings_dict["NAME"])
    if not path.is_file():
        return None
    target = path.with_name(f"{path.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    for old in sorted(path.parent.glob(f"{path.name}.before-*"))[:-_KEPT]:
        old.unlink()
    return target
