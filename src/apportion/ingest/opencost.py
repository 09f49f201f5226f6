"""OpenCost's allocations, as they come: the JSON of its API, its CSV export, and tables with the same columns.

Each becomes usage of a cluster: metrics ``cluster.RESOURCE.cost`` in the currency of OpenCost, and
``cluster.RESOURCE.needed`` in the hours that cost was made for (the greater of request and usage). The consumer is the
namespace, or what the allocations were aggregated by; cluster, node, controller and labels are dimensions. Idle cost
has the consumer ``__idle__``.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apportion.errors import Place, UnreadableFileError
from apportion.ingest.usage_forms import IDLE, Columns, Form, Measured, first, folded, labels_of, object_of
from apportion.money.amount import half_even, units
from apportion.periods import BillingPeriod
from apportion.warehouse.usage_intake import Asked, Group, Problem

# OpenCost's fields in lower case, by the resource that they are about. Adjustments belong to the cost beside them.
COSTS: Mapping[str, tuple[str, ...]] = {
    "cpu": ("cpucost", "cpucostadjustment"),
    "memory": ("ramcost", "ramcostadjustment"),
    "gpu": ("gpucost", "gpucostadjustment"),
    "storage": ("pvcost", "pvcostadjustment"),
    "network": ("networkcost", "networkcostadjustment"),
    "load_balancer": ("loadbalancercost", "loadbalancercostadjustment"),
    "shared": ("sharedcost",),
    "external": ("externalcost",),
}
NEEDED: Mapping[str, str] = {
    "cpu": "cpucorehours",
    "memory": "rambytehours",
    "gpu": "gpuhours",
    "storage": "pvbytehours",
}
TOTAL = "totalcost"
_DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "cluster": ("cluster", "properties.cluster"),
    "node": ("node", "properties.node"),
    "namespace": ("namespace", "properties.namespace"),
    "controller": ("controllername", "controller", "properties.controller"),
    "controller_kind": ("controllerkind", "properties.controllerkind"),
}
_PROPERTIES = {
    "cluster": "cluster",
    "node": "node",
    "namespace": "namespace",
    "controller": "controller",
    "controller_kind": "controllerKind",
}
_LABELS = ("labels", "properties.labels")
_LABEL_COLUMN = ("properties.labels.", "label.")
_STARTS = ("date", "window.start", "start")
_NOISE = 10**9  # what binary fractions leave in the nineteenth decimal is no cost


def table(columns: Columns) -> Form | None:
    """The form of OpenCost's CSV export, or of a table with the same fields; None for any other table.

    Where costs have no column of their own (the CSV export leaves out load balancers), the rest of the total is
    ``cluster.other.cost``.
    """
    there = columns.by(folded)
    period = first(_STARTS, there)
    costs = {name: there[name] for fields in COSTS.values() for name in fields if name in there}
    if not period or "cpucost" not in costs or "ramcost" not in costs:
        return None
    needed = {resource: there[name] for resource, name in NEEDED.items() if name in there}
    total = there.get(TOTAL, "") if "loadbalancercost" not in costs else ""
    dimensions = {name: first(names, there) for name, names in _DIMENSIONS.items() if first(names, there)}
    labels = {
        name.removeprefix(prefix): physical
        for prefix in _LABEL_COLUMN
        for name, physical in there.items()
        if name.startswith(prefix) and name != prefix
    }
    packed, named = first(_LABELS, there), there.get("name", "")
    others = [column for column in (packed, named) if column]
    keys = tuple(dict.fromkeys((*dimensions.values(), *labels.values(), *others)))
    values = tuple(dict.fromkeys((*costs.values(), *needed.values(), *((total,) if total else ()))))
    place = {column: number for number, column in enumerate(keys)}

    def rows(group: Group) -> Iterator[Measured]:
        shown = {name: group.keys[place[column]] for name, column in dimensions.items()}
        found = object_of(group.keys[place[packed]]) if packed else {}
        found |= {name: text for name, column in labels.items() if (text := group.keys[place[column]])}
        sums = dict(zip(values, group.sums, strict=True))
        fields = {name: sums[column] for name, column in costs.items()}
        fields |= {NEEDED[resource]: sums[column] for resource, column in needed.items()}
        if total:
            fields[TOTAL] = sums[total]
        name = (group.keys[place[named]] or "") if named else ""
        yield from measured(name, shown, found, fields)

    return Form("OpenCost", Asked(period, keys, values), rows)


def measured(
    name: str, properties: Mapping[str, str | None], labels: Mapping[str, str], fields: Mapping[str, int | None]
) -> Iterator[Measured]:
    """What one allocation says, for each resource. `fields` by OpenCost's names in lower case, in units."""
    is_idle = name.endswith(IDLE) or properties.get("namespace") == IDLE
    consumer = IDLE if is_idle else properties.get("namespace") or name or "__unallocated__"
    dimensions: dict[str, str | None] = {key: value for key, value in properties.items() if value != IDLE}
    dimensions |= {f"label.{key}": value for key, value in labels.items()}
    spent = 0
    for resource, names in COSTS.items():
        parts = [value for each in names if (value := fields.get(each)) is not None]
        spent += sum(parts)
        if any(parts):
            yield Measured(f"cluster.{resource}.cost", consumer, dimensions, sum(parts))
    total = fields.get(TOTAL)
    if total is not None and (rest := half_even(total - spent, _NOISE) * _NOISE):
        yield Measured("cluster.other.cost", consumer, dimensions, rest)
    for resource, field in NEEDED.items():
        if value := fields.get(field):
            yield Measured(f"cluster.{resource}.needed", consumer, dimensions, value)


# The JSON of the API.


@dataclass(slots=True)
class Document:
    """What the allocations of one JSON file say: what was measured in which period, and what cannot be read.

    `rows` are the allocations; each is one row, counted from 1 in the order of the file.
    """

    measured: list[tuple[BillingPeriod, Measured]]
    rows_by_period: dict[BillingPeriod, int]
    problems: list[Problem]
    bad: list[tuple[int, str, str]]
    rows: int


def is_json(path: Path, compression: str) -> bool:
    """Whether a text file is JSON: its first sign is a bracket or brace."""
    if compression == "zstd":
        return False
    with gzip.open(path, "rb") if compression == "gzip" else path.open("rb") as file:
        head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith((b"{", b"["))


def read_json(path: Path, name: str, compression: str) -> Document:
    """Read the answer of OpenCost's ``/allocation``, or the ``data`` in it. Raises `UnreadableFileError`."""
    try:
        with gzip.open(path, "rb") if compression == "gzip" else path.open("rb") as file:
            found = json.loads(file.read(), parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(
            f"The JSON cannot be read: {error}.", place=Place(name), advice="Fetch it again."
        ) from None
    made = Document([], {}, [], [], 0)
    problems: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for key, allocation in _allocations(found, name):
        made.rows += 1
        read = _read(key, allocation)
        if isinstance(read, tuple):
            check, field, value = read
            problems.setdefault((check, field), []).append((made.rows, value))
            made.bad.append((made.rows, check, field))
            continue
        period, rows = read.period, read.rows
        made.rows_by_period[period] = made.rows_by_period.get(period, 0) + 1
        made.measured += [(period, row) for row in rows]
    made.problems = [
        Problem(check, field, len(where), tuple(where[:10])) for (check, field), where in sorted(problems.items())
    ]
    return made


def _allocations(found: Any, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every allocation by its name: of a set, of a list of sets, or of either inside ``data`` or ``sets``."""
    if isinstance(found, dict):
        for inner in ("data", "sets", "allocations"):
            if inner in found and not (isinstance(found[inner], dict) and _is_allocation(found[inner])):
                yield from _allocations(found[inner], name)
                return
        found = [found]
    if not isinstance(found, list):
        raise _not_opencost(name)
    for each in found:
        if each is None:
            continue  # a window without any allocation
        if not isinstance(each, dict):
            raise _not_opencost(name)
        inside = "allocations" in each and not _is_allocation(each)
        for key, allocation in ((each["allocations"] or {}) if inside else each).items():
            if not isinstance(allocation, dict) or not _is_allocation(allocation):
                raise _not_opencost(name)
            yield key, allocation


def _is_allocation(found: Mapping[str, Any]) -> bool:
    return bool({"cpuCost", "ramCost", "totalCost"} & found.keys())


def _not_opencost(name: str) -> UnreadableFileError:
    return UnreadableFileError(
        "This JSON holds no allocations of OpenCost.",
        place=Place(name),
        advice="Save the answer of /allocation as it comes, or deliver usage as CSV or Parquet.",
    )


@dataclass(frozen=True, slots=True)
class _Read:
    period: BillingPeriod
    rows: Iterable[Measured]


def _read(key: str, allocation: Mapping[str, Any]) -> _Read | tuple[str, str, str]:
    """One allocation; or the check that it breaks, the field and its value."""
    window = allocation.get("window") or {}
    shown = str(window.get("start") or allocation.get("start") or "")
    start = _instant(shown)
    if start is None:
        return ("period" if shown else "missing"), "window.start", shown
    period = BillingPeriod.of(start)
    end = _instant(str(window.get("end") or ""))
    if end is not None and end > period.end:
        return "window", "window", f"{shown} to {window['end']}"
    fields: dict[str, int | None] = {}
    names = [*(name for names in COSTS.values() for name in names), *NEEDED.values()]
    by_name = {name.lower(): name for name in allocation}
    for name in names:
        value = allocation.get(by_name.get(name, ""))
        if value is None:
            continue
        try:
            fields[name] = units(value) if isinstance(value, str) else units("")
        except ValueError:
            return "number", by_name[name], str(value)
    properties = allocation.get("properties") or {}
    named = {
        name: text for name, field in _PROPERTIES.items() if isinstance(text := properties.get(field), str) and text
    }
    return _Read(period, list(measured(key, named, labels_of(properties.get("labels")), fields)))


def _instant(text: str) -> datetime | None:
    """An instant in UTC without its zone; None where the text is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
