"""The columns of allocated charges as they are written: one schema for all files of a month, whatever was delivered.

Takes the columns of a snapshot's files, gives the columns to write and the SQL for each of them over one file. FOCUS
columns come first and always have the same types; unknown and ``x_`` columns follow as they were delivered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from apportion.focus.columns import COST_AND_USAGE, COSTS, DATASETS, DataType
from apportion.warehouse import duckdb as engine
from apportion.warehouse.snapshot import ChargeFile, Column

_FACTS = DATASETS[COST_AND_USAGE]
_PLAIN = ("VARCHAR", "BOOLEAN", "DATE", "DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "UHUGEINT")
_WHOLE = ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT")


class Form(StrEnum):
    """How a value is written."""

    COST = "cost"
    DECIMAL = "decimal"
    INSTANT = "instant"
    TEXT = "text"
    PLAIN = "plain"  # in its delivered type
    OURS = "ours"  # of no delivered column


@dataclass(frozen=True, slots=True)
class OutColumn:
    """One column to write: its name and engine type. `key` finds the delivered column in a file."""

    name: str
    form: Form
    type: str
    key: tuple[str, int] = ("", 0)


def layout(files: Iterable[ChargeFile], always: Iterable[str], ours: Mapping[str, str]) -> tuple[OutColumn, ...]:
    """FOCUS columns that are delivered or in `always`, other delivered columns, then `ours` (names and engine types).

    A delivered column that has the name of one of ours, such as one from an earlier export, keeps its values under a
    name with ``_delivered`` behind.
    """
    files = list(files)
    there = {column.name for file in files for column in file.columns} | set(always)
    made = [_focus(name) for name in sorted(_FACTS) if name in there]
    taken = {name.casefold() for name in (*(column.name for column in made), *ours)}
    types: dict[tuple[str, int], set[str]] = {}
    spelled: dict[tuple[str, int], str] = {}
    for file in files:
        for key, column in _others(file):
            types.setdefault(key, set()).add(column.type if column.physical else "VARCHAR")
            spelled.setdefault(key, column.name)
    for key, name in spelled.items():
        free = _free(name, taken)
        taken.add(free.casefold())
        (kind, *more) = sorted(types[key])
        is_plain = not more and _is_plain(kind)
        made.append(OutColumn(free, Form.PLAIN if is_plain else Form.TEXT, kind if is_plain else "VARCHAR", key))
    return (*made, *(OutColumn(name, Form.OURS, kind) for name, kind in ours.items()))


def _focus(name: str) -> OutColumn:
    if name in COSTS:
        return OutColumn(name, Form.COST, engine.DECIMAL)
    kind = _FACTS[name].type
    if kind is DataType.DECIMAL:
        return OutColumn(name, Form.DECIMAL, engine.DECIMAL)
    return OutColumn(name, Form.INSTANT, "TIMESTAMP") if kind is DataType.INSTANT else OutColumn(
        name, Form.TEXT, "VARCHAR"
    )  # fmt: skip


def _others(file: ChargeFile) -> Iterator[tuple[tuple[str, int], Column]]:
    """The columns that FOCUS does not know. Names that differ only in case are one to the engine: they are counted."""
    seen: Counter[str] = Counter()
    for column in file.columns:
        if column.name not in _FACTS:
            folded = column.name.casefold()
            yield (folded, seen[folded]), column
            seen[folded] += 1


def _free(name: str, taken: set[str]) -> str:
    while name.casefold() in taken:
        name = f"{name}_delivered"
    return name


def _is_plain(kind: str) -> bool:
    if kind.endswith("]"):
        return False
    return kind in _WHOLE or kind in ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE") or kind.startswith(_PLAIN)


def found(file: ChargeFile, out: OutColumn) -> Column | None:
    """The file's column behind a column to write, None where it has none."""
    if out.form is Form.OURS:
        return None
    if out.key == ("", 0):
        return file.column(out.name)
    return dict(_others(file)).get(out.key)


def value(file: ChargeFile, out: OutColumn, *, counts: str = "true") -> str:
    """SQL for the value of a delivered column. `counts` tells rows that count: the cost of others may be unreadable.

    Who invoiced and the starts of the periods are always there: where a file does not say, as every query reads them.
    """
    always = {
        "InvoiceIssuerName": engine.issuer,
        "BillingPeriodStart": engine.billing_start,
        "ChargePeriodStart": engine.charge_start,
    }
    if out.name in always and out.key == ("", 0):
        return always[out.name](file)
    column = found(file, out)
    if column is None or (not column.physical and column.constant is None):
        return f"NULL::{out.type}"
    if out.form is Form.COST:
        return f"CASE WHEN {counts} THEN {engine.decimal(column)} END"
    if out.form is Form.INSTANT:
        return engine.timestamp(column)
    if out.form is Form.DECIMAL:
        is_exact = column.physical and column.type.startswith(("DECIMAL", "HUGEINT", *_WHOLE))
        return f"TRY_CAST({engine.raw(column) if is_exact else engine.text(column)} AS {out.type})"
    if out.form is Form.PLAIN and column.physical and column.type != "VARCHAR":
        return engine.raw(column)
    if column.physical and (column.type.endswith("]") or column.type.startswith(("MAP", "STRUCT", "UNION"))):
        return f"to_json({engine.raw(column)})::VARCHAR"
    return engine.text(column)


def unreadable(file: ChargeFile, out: OutColumn) -> str:
    """SQL for the test whether a value is there that its column cannot hold; empty where that cannot be."""
    column = found(file, out)
    if column is None or not column.physical or out.form not in (Form.DECIMAL, Form.INSTANT):
        return ""
    if out.form is Form.INSTANT and column.type != "VARCHAR":
        return ""
    return f"({engine.text(column)} IS NOT NULL AND {value(file, out)} IS NULL)"
