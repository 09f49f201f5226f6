"""Delivered tables turned into Parquet that every query can read: once, in one pass, row by row in their order.

A CSV becomes text columns, but for costs (exact decimals) and date-times (instants). A Parquet file is only rewritten
where a column cannot be read exactly as it stands. What could not be kept goes into columns of our own: ``__flags``
(what the row breaks), ``__effect`` (of rounding), ``__raw`` (the text of values that were changed or not understood, as
JSON), ``__nulls_…`` (which columns spelled null, and how) and ``__ragged`` (the text of a row that has no columns).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apportion.focus import checks
from apportion.focus.checks import Check
from apportion.focus.columns import COSTS, DATASETS, DataType
from apportion.warehouse import duckdb as engine
from apportion.warehouse import intake_flags
from apportion.warehouse.intake_nulls import SpelledNulls
from apportion.warehouse.intake_values import Instant, Number, Stage
from apportion.warehouse.snapshot import Column

FLAGS, EFFECT, RAW, RAGGED = "__flags", "__effect", "__raw", "__ragged"
LONGEST_ROW = 16 * 1024 * 1024
_ROW_GROUP_BYTES = 64 * 1024 * 1024
_UNREADABLE = {
    "BillingPeriodStart": checks.BILLING_PERIOD_UNREADABLE,
    "ChargePeriodStart": checks.CHARGE_PERIOD_UNREADABLE,
    "BillingPeriodEnd": checks.DATE_UNREADABLE,
    "ChargePeriodEnd": checks.DATE_UNREADABLE,
}


@dataclass(frozen=True, slots=True)
class Csv:
    """How a CSV file is read: its delimiter, compression (``none``, ``gzip``, ``zstd``) and names, all different.

    A `repaired` file is one of our own, with the raw text of ragged rows in a last column.
    """

    path: Path
    delimiter: str
    compression: str
    names: tuple[str, ...]
    repaired: bool = False

    @property
    def relation(self) -> str:
        """SQL of the table of all rows as text; empty fields are NULL."""
        names = [*self.names, RAGGED] if self.repaired else self.names
        columns = ", ".join(f"{engine.literal(name)}: 'VARCHAR'" for name in names)
        return (
            f"read_csv({engine.literal(str(self.path))}, auto_detect = false, header = true, columns = {{{columns}}}, "
            f"delim = {engine.literal(self.delimiter)}, quote = '\"', escape = '\"', strict_mode = true, "
            f"compression = {engine.literal(self.compression)}, max_line_size = {LONGEST_ROW}, "
            f"buffer_size = {2 * LONGEST_ROW}, hive_partitioning = false)"
        )


@dataclass(slots=True)
class _Translation:
    """What is written: the columns, and the marks of what could not be kept."""

    stage: Stage = field(default_factory=Stage)
    outputs: list[str] = field(default_factory=list)
    conditions: dict[tuple[Check, str], str] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)

    def number(self, name: str, shown: str, number: Number, output: str) -> None:
        self.add(number.value, output)
        self._flag(checks.NUMBER_UNREADABLE, name, number.unreadable)
        self._flag(checks.NUMBER_ROUNDED, name, number.rounded)
        self._raw(name, shown, number.unreadable, number.rounded)
        if number.effect:
            self.effects.append(number.effect)

    def instant(self, name: str, shown: str, instant: Instant, output: str) -> None:
        self.add(instant.value, output)
        if name in _UNREADABLE:
            is_start = name.endswith("Start")
            wrong = [sql for sql in (instant.unreadable, instant.out_of_range if is_start else None) if sql]
            self._flag(_UNREADABLE[name], name, " OR ".join(f"({sql})" for sql in wrong))
            self._flag(checks.INSTANT_FORM, name, instant.odd_form)
            self._raw(name, shown, *wrong, instant.odd_form)

    def add(self, expression: str, output: str) -> None:
        self.outputs.append(f"{expression} AS {engine.identifier(output)}")

    def _flag(self, check: Check, name: str, condition: str | None) -> None:
        if condition:
            self.conditions[check, name] = condition

    def _raw(self, name: str, shown: str, *conditions: str | None) -> None:
        lost = " OR ".join(f"({condition})" for condition in conditions if condition)
        if lost:
            self.lost[name] = f"CASE WHEN {lost} THEN {shown} END"

    def write(self, connection: engine.Connection, source: str, target: Path) -> None:
        # Marks are only worked out for the few rows that have any.
        flags = self.stage.keep("marks", intake_flags.total(self.conditions), 4)
        texts = ", ".join(f"{engine.literal(name)}: {sql}" for name, sql in self.lost.items())
        self.add(flags, FLAGS)
        self.add(f"CASE WHEN {flags} <> 0 THEN to_json({{{texts}}})::VARCHAR END" if texts else "NULL::VARCHAR", RAW)
        effect = " + ".join(f"coalesce({effect}, 0)" for effect in self.effects)
        self.add(f"CASE WHEN {flags} <> 0 THEN {effect} END" if effect else "NULL::DECIMAL(38,20)", EFFECT)
        # One thread keeps the order of rows by itself, and only then may row groups end by size, without which one of
        # long texts would not fit into memory. For CSV a second thread costs more than it saves.
        threads = connection.execute("SELECT current_setting('threads')").fetchall()[0][0]
        connection.execute("SET threads = 1")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(
            f"COPY (SELECT {', '.join(self.outputs)} FROM {self.stage.relation(source)}) TO "
            f"{engine.literal(str(target))} "
            f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE_BYTES {_ROW_GROUP_BYTES})"
        ).fetchall()
        connection.execute("SET preserve_insertion_order = true")
        connection.execute(f"SET threads = {threads}")


def raw_text(name: str) -> str:
    """SQL for the delivered text of a value that a translated file could not keep, NULL where it could."""
    return f"json_extract_string({RAW}, {engine.literal(f'$.{name}')})"


def translated_type(identity: str | None, dataset: str) -> str:
    """The engine type that a FOCUS column has in a translated file."""
    facts = DATASETS[dataset].get(identity or "")
    if facts is not None and facts.type is DataType.INSTANT:
        return "TIMESTAMP"
    return engine.DECIMAL if identity in COSTS else "VARCHAR"


def translate_csv(
    connection: engine.Connection,
    csv: Csv,
    columns: Sequence[Column],
    made_from: Sequence[str],
    nulls: Sequence[str],
    target: Path,
) -> None:
    """Write a CSV as Parquet: each column from the CSV column whose name stands at its place in `made_from`.

    Fields that spell null as one of `nulls` become null. Raises the engine's own errors.
    """
    translation = _Translation()
    for column, origin in zip(columns, made_from, strict=True):
        shown = engine.identifier(origin)
        if column.type == "TIMESTAMP":
            translation.instant(column.name, shown, translation.stage.text_instant(column.name, shown), column.physical)
        elif column.type == engine.DECIMAL:
            translation.number(column.name, shown, translation.stage.text_number(column.name, shown), column.physical)
        else:
            translation.add(shown, column.physical)
    if csv.repaired:
        translation.conditions[checks.ROW_RAGGED, ""] = f"{RAGGED} IS NOT NULL"
        translation.add(RAGGED, RAGGED)
    spelled = SpelledNulls(csv.names, tuple(nulls))
    for name in spelled.words:
        translation.add(name, name)
    translation.write(connection, spelled.cleaned(csv.relation), target)


def translate_parquet(
    connection: engine.Connection, source: Path, columns: Sequence[Column], dataset: str, target: Path
) -> tuple[Column, ...]:
    """Write a Parquet file again, with everything it has and an exact column for each cost, date-time and tag.

    Gives how the columns of the new file are read.
    """
    translation = _Translation()
    for name in dict.fromkeys(column.physical for column in columns if column.physical):
        translation.add(engine.identifier(name), name)
    read: list[Column] = []
    for column in columns:
        kind = translated_type(column.name, dataset)
        physical = f"__{column.name}"
        if not column.physical:
            read.append(column)
            continue
        if kind == "TIMESTAMP":
            translation.instant(column.name, engine.text(column), translation.stage.instant(column), physical)
        elif kind == engine.DECIMAL:
            translation.number(column.name, engine.text(column), translation.stage.number(column), physical)
        elif (shown := odd_text(column)) is not None:
            translation.add(shown, physical)
        else:
            read.append(column)
            continue
        read.append(Column(column.name, physical, kind))
    translation.write(connection, engine.files([source]), target)
    return tuple(read)


def odd_text(column: Column) -> str | None:
    """SQL that makes text, or JSON text, of a column of a type in which nobody reads text; None where none needs it."""
    raw = engine.raw(column)
    if column.type == "BLOB":
        return f"decode({raw})"
    if column.name == "Tags" and column.type.startswith("STRUCT"):
        # A struct has every key in every row: those without a value are no tags of the row.
        return f"CASE WHEN {raw} IS NOT NULL THEN json_merge_patch('{{}}'::JSON, to_json({raw}))::VARCHAR END"
    if column.name == "Tags" and column.type.startswith("MAP") and column.type != "MAP(VARCHAR, VARCHAR)":
        return f"to_json({raw})::VARCHAR"
    return None
