"""Where the engine's time goes: the library's own statements, profiled operator by operator while they run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

from apportion.warehouse import duckdb as engine

_CLASSIFYING = {"TABLE_SCAN": "reading what rules look at", "HASH_JOIN": "lookups", "COPY_TO_FILE": "sidecar"}


@contextmanager
def profiled(directory: Path) -> Iterator[Callable[[], Mapping[str, float]]]:
    """While the block runs, every engine that the library opens writes down what its statements did.

    Gives a function that tells the seconds by what they were spent on, most first.
    """
    connect = engine.connect
    numbers = count()  # the library opens engines from several threads

    def connect_profiled(*given: Any, **named: Any) -> _Profiled:
        return _Profiled(connect(*given, **named), directory / f"engine-{next(numbers)}")

    with mock.patch.object(engine, "connect", connect_profiled):
        yield lambda: _seconds(directory)


class _Profiled:
    """An engine connection that keeps the profile of each statement as a JSON file."""

    def __init__(self, connection: engine.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._count = 0
        connection.execute("PRAGMA enable_profiling = 'json'")

    def execute(self, query: str, *parameters: Any) -> engine.Connection:
        if query.lstrip().startswith(("SELECT", "COPY", "CREATE", "WITH", "FROM")):
            self._count += 1
            path = self._path.with_name(f"{self._path.name}-{self._count:04d}.json")
        else:
            path = self._path.with_name(f"other-{self._path.name}.json")
        self._connection.execute(f"PRAGMA profiling_output = '{path}'")
        return self._connection.execute(query, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def _seconds(directory: Path) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for path in sorted(directory.glob("engine-*.json")):
        profile = json.loads(path.read_text(encoding="utf-8"))
        statement = profile["query"]["sql"].split(None, 1)[0]
        for operator in profile["operator"]:
            kinds = set(_kinds(operator))
            for name, seconds in _named(operator, statement, kinds, outermost=True):
                found[name] = found.get(name, 0.0) + seconds
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _kinds(operator: Mapping[str, Any]) -> Iterator[str]:
    yield operator["type"]
    for below in operator.get("children", ()):
        yield from _kinds(below)


def _named(
    operator: Mapping[str, Any], statement: str, kinds: set[str], *, outermost: bool
) -> Iterator[tuple[str, float]]:
    """The operator and those below it; of the projections of a classification the outermost one decides."""
    kind = operator["type"]
    if statement != "COPY":
        name = "adding up" if "POSITIONAL_SCAN" in kinds else "preparing"
    elif kind == "PROJECTION":
        name = "deciding, patterns included" if outermost else "tags and days"
        outermost = False
    else:
        name = _CLASSIFYING.get(kind, "deciding, patterns included")
    yield name, float(operator["timing"])
    for below in operator.get("children", ()):
        yield from _named(below, statement, kinds, outermost=outermost)
