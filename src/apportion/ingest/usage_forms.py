"""The forms in which usage comes as a table: which columns are read, and what rows of usage they make.

Takes the columns of one delivered table, gives a `Form`. Never looks at a row itself: the engine adds rows up by the
columns that a form asks for, and the form says what each of these groups means.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from apportion.errors import BadValueError, InputRefusedError, Place
from apportion.money.amount import units
from apportion.warehouse.usage_intake import Asked, Group

PERIOD, METRIC, CONSUMER, VALUE = "period", "metric", "consumer", "value"
ESSENTIAL = (PERIOD, METRIC, CONSUMER, VALUE)
IDLE = "__idle__"
"""The consumer of what a cluster has and nobody asked for."""


class Measured(NamedTuple):
    """What a group of rows says of one metric. Dimensions may come in any order, and with empty values."""

    metric: str
    consumer: str
    dimensions: Mapping[str, str | None]
    value: int


@dataclass(frozen=True, slots=True)
class Form:
    """How one table is read: what is asked of the engine, and what a group of its rows means."""

    name: str
    asked: Asked
    rows: Callable[[Group], Iterable[Measured]]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one file: names as delivered, and as the table has them."""

    file: str
    names: tuple[str, ...]
    physical: tuple[str, ...]

    def by(self, normal: Callable[[str], str]) -> dict[str, str]:
        """The table's column for each name in the spelling that `normal` gives it; the first of several."""
        found: dict[str, str] = {}
        for name, physical in zip(self.names, self.physical, strict=True):
            found.setdefault(normal(name), physical)
        return found


def folded(name: str) -> str:
    """A column's name without regard to case and blanks around it."""
    return name.strip().lower()


def plain(columns: Columns, given: Mapping[str, str]) -> Form:
    """The form of a table with period, metric, consumer and value; every other column is a dimension.

    `given` is what the user or a folder supplies for columns that are not there: a constant, or ``=Other``. Raises
    `InputRefusedError` for a column that is missing or there twice, `BadValueError` for a constant that cannot be.
    """
    _refuse_twice(columns)
    there = columns.by(folded)
    constants: dict[str, str] = {}
    for name, value in given.items():
        if name in there:
            continue
        if value.startswith("="):
            if folded(value[1:]) not in there:
                raise InputRefusedError(
                    f"'{name}' is to be taken from '{value[1:].strip()}', and the file has no such column.",
                    place=Place(columns.file),
                    advice=f"Its columns are: {', '.join(columns.names)}.",
                )
            there[name] = there[folded(value[1:])]
        else:
            constants[name] = value
    missing = [name for name in ESSENTIAL if name not in there and name not in constants]
    if missing:
        raise InputRefusedError(
            f"Without {'this column' if len(missing) == 1 else 'these columns'} there is no usage: "
            f"{', '.join(missing)}.",
            place=Place(columns.file),
            advice=f"Export them, or say what to assume, for example --assume {missing[0]}==Other. "
            f"The file has: {', '.join(columns.names)}.",
        )
    fixed = _constant_value(columns.file, constants)
    keys = tuple(there[name] for name in (METRIC, CONSUMER) if name in there)
    taken = {there[name] for name in ESSENTIAL if name in there}
    dimensions = [(name, physical) for name, physical in there.items() if name not in ESSENTIAL]
    # A column that was taken for one of the four is no dimension as well.
    dimensions = [(name, physical) for name, physical in dimensions if physical not in taken]
    asked = Asked(
        period=there.get(PERIOD, ""),
        keys=tuple(dict.fromkeys((*keys, *(physical for _, physical in dimensions)))),
        values=(there[VALUE],) if VALUE in there else (),
        required=(*keys, *((there[VALUE],) if VALUE in there else ())),
        constant_period=constants.get(PERIOD, ""),
    )
    place = {physical: number for number, physical in enumerate(asked.keys)}
    others = {name: value for name, value in constants.items() if name not in ESSENTIAL}

    def rows(group: Group) -> Iterator[Measured]:
        def text(name: str) -> str:
            return (group.keys[place[there[name]]] or "") if name in there else constants[name]

        shown: dict[str, str | None] = {name: group.keys[place[physical]] for name, physical in dimensions}
        value = (group.sums[0] or 0) if asked.values else fixed * group.rows
        yield Measured(text(METRIC), text(CONSUMER), {**others, **shown}, value)

    return Form("usage", asked, rows)


def _constant_value(file: str, constants: Mapping[str, str]) -> int:
    try:
        return units(constants[VALUE]) if VALUE in constants else 0
    except ValueError:
        raise BadValueError(
            f"'{constants[VALUE]}' is no number.", place=Place(file, field=VALUE), advice="Give digits and a point."
        ) from None


def _refuse_twice(columns: Columns) -> None:
    names = [folded(name) for name in columns.names]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise InputRefusedError(
            f"Several columns are called {', '.join(repr(name) for name in twice)}; case makes no difference.",
            place=Place(columns.file),
            advice="Rename all but one.",
        )


def object_of(text: str | None) -> dict[str, str]:
    """Labels or tags: a JSON object of texts, numbers and booleans, with or without its braces; else nothing."""
    if not text or not text.strip():
        return {}
    shown = text.strip()
    try:
        found = json.loads(shown if shown.startswith("{") else f"{{{shown}}}", parse_float=str, parse_int=str)
    except ValueError:
        return {}
    return labels_of(found)


def labels_of(found: object) -> dict[str, str]:
    """The texts of a JSON object by key in lower case, first come first; whatever has no plain value is left out."""
    labels: dict[str, str] = {}
    if isinstance(found, dict):
        for key in sorted(found):
            value = found[key]
            if isinstance(value, bool):
                value = "true" if value else "false"
            if isinstance(value, str):
                labels.setdefault(key.lower(), value)
    return labels


def first(names: Sequence[str], there: Mapping[str, str]) -> str:
    """The column of the first name that is there; empty where none is."""
    return next((there[name] for name in names if name in there), "")
