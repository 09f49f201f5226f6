"""A delivery record as JSON text, and back: what goes in comes out equal.

Every integer is written as text, for amounts have more digits than the doubles that most JSON readers know.
The fields themselves say how they are read, so a record that gains a field needs no change here. A text from before
it had the field takes the field's default.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from apportion.periods import BillingPeriod
from apportion.warehouse.record import Delivery
from apportion.warehouse.snapshot import ChargeFile, Column

_Reader = Callable[[Any], Any]


def to_text(delivery: Delivery) -> str:
    """The record as JSON. Paths stay as they are: make them relative first."""
    # A delivery of a thousand files has the same sixty columns a thousand times: they are written once.
    layouts = tuple(dict.fromkeys(file.columns for file in delivery.charges))
    number = {layout: str(index) for index, layout in enumerate(layouts)}
    charges = [{**_plain(replace(file, columns=())), "columns": number[file.columns]} for file in delivery.charges]
    document = {**_plain(replace(delivery, charges=())), "layouts": _plain(layouts), "charges": charges}
    return json.dumps(document, separators=(",", ":"))


def from_text(text: str) -> Delivery:
    """The record that `to_text` wrote. Raises `ValueError`, `LookupError` or `TypeError` for any other text."""
    document = json.loads(text)
    layouts = _reader(tuple[tuple[Column, ...], ...])(document["layouts"])
    read_file = _reader(ChargeFile)
    charges = tuple(
        replace(read_file({**file, "columns": ()}), columns=layouts[int(file["columns"])])
        for file in document["charges"]
    )
    delivery: Delivery = _reader(Delivery)({**document, "charges": ()})
    return replace(delivery, charges=charges)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | BillingPeriod):
        return str(value)
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"a delivery record cannot hold a {type(value).__name__}")


@cache
def _reader(kind: Any) -> _Reader:
    """How a value of the type `kind` is made from plain JSON."""
    if kind in (str, bool):
        return _as_it_is
    if kind is BillingPeriod:
        return BillingPeriod.parse
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _record_reader(kind)
    if isinstance(kind, type) and issubclass(kind, int | Path | Enum):
        return kind
    return _container_reader(typing.get_origin(kind), typing.get_args(kind))


def _container_reader(origin: Any, inner: tuple[Any, ...]) -> _Reader:
    if origin in (typing.Union, types.UnionType) and len(inner) == 2 and type(None) in inner:
        present = _reader(next(kind for kind in inner if kind is not type(None)))
        return lambda value: None if value is None else present(value)
    if origin is tuple and inner[-1] is Ellipsis:
        each = _reader(inner[0])
        return lambda items: tuple([each(item) for item in items])
    if origin is tuple:
        readers = tuple(_reader(kind) for kind in inner)
        return lambda items: tuple(read(item) for read, item in zip(readers, items, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        key, value = (_reader(kind) for kind in inner)
        return lambda items: {key(name): value(item) for name, item in items.items()}
    raise TypeError(f"a delivery record cannot hold {origin}[{inner}]")


def _record_reader(kind: type) -> _Reader:
    hints = typing.get_type_hints(kind)
    readers = [(field.name, _reader(hints[field.name])) for field in dataclasses.fields(kind)]

    def read(value: Any) -> Any:
        return kind(**{name: reader(value[name]) for name, reader in readers if name in value})

    return read


def _as_it_is(value: Any) -> Any:
    return value
