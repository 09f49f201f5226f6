"""Runs whatever tests are asked for with their books in PostgreSQL: ``python -m pytest -p tests.on_postgresql …``.

A throw-away server is started before Django reads its settings, and stopped when all is done. The processes of
``-n auto`` share it, each with a database of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from apportion.records import DATABASE
from bench import postgres


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Before pytest-django looks at the settings; a process that another one began finds the server running."""
    if DATABASE not in os.environ:
        until_the_end = ExitStack()
        try:
            os.environ[DATABASE] = until_the_end.enter_context(postgres.server()).url
        except postgres.NotInstalledError as error:
            raise pytest.UsageError(str(error)) from error
        early_config.add_cleanup(until_the_end.close)
    yield


def pytest_report_header() -> str:
    """Which database it is, where the run tells of itself."""
    return f"books: PostgreSQL at {os.environ[DATABASE].rpartition('@')[2]}"
