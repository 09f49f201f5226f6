"""Both databases in one run of the tests: books of one's own, whatever the rest of the run is kept in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.utils import load_backend

from apportion.records import configuration
from tests.postgres import server

SQLITE, POSTGRESQL = "sqlite", "postgresql"
BOTH = [SQLITE, pytest.param(POSTGRESQL, marks=pytest.mark.slow)]


@contextmanager
def books_on(database: str) -> Iterator[None]:
    """Empty books of this version on one of both, for the block. Let pytest-django allow it (`django_db_blocker`)."""
    if database == SQLITE:
        with _books(configuration._sqlite(":memory:")):
            yield
        return
    with server() as running:
        found = configuration._database(running.url, Path())
        found["OPTIONS"] = {}  # one thread needs no pool
        with _books(found):
            yield


@contextmanager
def _books(found: dict[str, Any]) -> Iterator[None]:
    whole = connections.configure_settings({DEFAULT_DB_ALIAS: found})[DEFAULT_DB_ALIAS]
    usual = connections[DEFAULT_DB_ALIAS]
    mine = load_backend(whole["ENGINE"]).DatabaseWrapper(whole, DEFAULT_DB_ALIAS)
    connections[DEFAULT_DB_ALIAS] = mine
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = usual
        mine.close()
