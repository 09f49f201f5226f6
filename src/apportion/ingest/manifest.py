"""Manifests: a provider's own list of what it delivered.

Takes a JSON file, gives the files it names, with row counts where it has them. Known are AWS Data Exports
(``*-Manifest.json`` with ``dataFiles``), Azure exports (``blobs``), FinOps hubs (an empty manifest says that the folder
is complete) and our own: ``{"files": [{"name": "charges.parquet", "rows": 120, "sha256": "..."}]}``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from apportion.errors import IncompleteDeliveryError, Place
from apportion.periods import BillingPeriod

LARGEST_BYTES = 64 * 1024 * 1024
_LISTS = ("dataFiles", "reportKeys", "blobs", "files")
_NAMES = ("blobName", "key", "name", "path")
_ROWS = ("dataRowCount", "rowCount", "rows")
_BUCKET = re.compile(r"[a-z][a-z0-9+.-]*://[^/]+/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Promise:
    """One file that a manifest names. `rows` is None where it says nothing: that is not zero."""

    name: str
    rows: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest: the files it promises (None: all of its folder), their rows in all, and the months it speaks of.

    `run` is the same for two manifests of the same export and dates, of which only one may be loaded.
    """

    path: Path
    promises: tuple[Promise, ...] | None
    rows: int | None = None
    periods: tuple[BillingPeriod, BillingPeriod] | None = None
    run: str = ""


def is_manifest_name(name: str) -> bool:
    """Whether a file of that name is a manifest."""
    return name.casefold().endswith("manifest.json")


def read(path: Path) -> Manifest:
    """Read a manifest. Raises `IncompleteDeliveryError` for one that cannot be understood."""
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise _not_understood(path, "is larger than 64 MiB")
    if not content.strip():
        return Manifest(path, None)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise _not_understood(path, "is not JSON") from None
    if not isinstance(document, dict):
        raise _not_understood(path, "is not a JSON object")
    listed = next((document[name] for name in _LISTS if name in document), None)
    if listed is None:
        return Manifest(path, None, periods=_periods(document))
    if not isinstance(listed, list):
        raise _not_understood(path, "has no list of files")
    promises = tuple(_promise(path, item) for item in listed)
    return Manifest(path, promises, _count(path, document), _periods(document), _run(path, document))


def _promise(path: Path, item: Any) -> Promise:
    if isinstance(item, str):
        return Promise(_key(item))
    name = next((item[key] for key in _NAMES if key in item), None) if isinstance(item, dict) else None
    if not isinstance(name, str):
        raise _not_understood(path, "names a file in a way that is not known")
    return Promise(_key(name), _count(path, item), str(item.get("sha256") or "").lower())


def _key(name: str) -> str:
    """A file's name inside its bucket or container."""
    return unquote(_BUCKET.sub("", name, count=1)) if _BUCKET.match(name) else name


def _count(path: Path, item: dict[str, Any]) -> int | None:
    value = next((item[key] for key in _ROWS if key in item), None)
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise _not_understood(path, f"has the row count {value!r}")


def _periods(document: dict[str, Any]) -> tuple[BillingPeriod, BillingPeriod] | None:
    run = document.get("runInfo")
    if not isinstance(run, dict):
        return None
    try:
        first, last = (datetime.fromisoformat(str(run[key])) for key in ("startDate", "endDate"))
    except (KeyError, ValueError):
        return None
    return BillingPeriod.of(first), BillingPeriod.of(last)


def _run(path: Path, document: dict[str, Any]) -> str:
    run, export = document.get("runInfo"), document.get("exportConfig")
    if isinstance(run, dict) and isinstance(export, dict):
        return json.dumps([export.get("exportName"), run.get("startDate"), run.get("endDate")])
    partitions = [part for part in path.parts if "=" in part]
    return json.dumps([path.name, *partitions]) if partitions else ""


def _not_understood(path: Path, why: str) -> IncompleteDeliveryError:
    return IncompleteDeliveryError(
        f"The manifest {why}, so nobody knows whether the delivery is complete.",
        place=Place(str(path)),
        advice="Fetch the manifest again, or name the data files themselves.",
    )
