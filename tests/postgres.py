"""A throw-away PostgreSQL for tests: its own cluster in a temporary folder, gone with the block that asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench import postgres
from bench.postgres import Server

__all__ = ["Server", "postgres_fixture", "server"]


@contextmanager
def server() -> Iterator[Server]:
    """Make a cluster, start it on loopback, and take it all away at the end."""
    try:
        with postgres.server() as running:
            yield running
    except postgres.NotInstalledError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session", name="postgres")
def postgres_fixture() -> Iterator[Server]:
    """The server for a whole session of tests."""
    with server() as running:
        yield running
