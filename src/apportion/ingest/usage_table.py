"""One delivered table of usage read by the engine: its form, its groups, and the rows that cannot be used.

Takes a staged CSV or Parquet file, gives a `Reading`. A CSV with ragged rows is repaired as one of charges is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from apportion.errors import BadValueError, InputRefusedError, Place, UnreadableFileError
from apportion.ingest import opencost, read, repair, split_cost
from apportion.ingest.charges import StagedFile
from apportion.ingest.prepare import Supplied
from apportion.ingest.read import Format
from apportion.ingest.usage_forms import CONSUMER, ESSENTIAL, METRIC, PERIOD, VALUE, Columns, Form, folded, plain
from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse import intake, usage_intake
from apportion.warehouse.intake_translate import Csv
from apportion.warehouse.usage_intake import Group, Problem, Sweep, Table

_RESERVED = ("file_row_number", "__row")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a table came to. `bad` are (row, check, column) of every row that cannot be used."""

    form: Form
    groups: tuple[Group, ...]
    problems: tuple[Problem, ...]
    bad: tuple[tuple[int, str, str], ...]


def read_table(connection: engine.Connection, staged: StagedFile, supplied: Supplied, root: Path) -> Reading:
    """Read and add up one file.

    Raises `InputRefusedError`, `BadValueError`, `EmptyFileError` and `UnreadableFileError`.
    """
    try:
        with intake.explained(staged.name):
            if staged.kind.format is not Format.CSV:
                return _parquet(connection, staged, supplied)
        return _csv(connection, staged, supplied, root)
    except intake.RaggedCsvError as error:
        raise UnreadableFileError(
            f"The rows cannot be told apart ({error}).", place=Place(staged.name), advice="Export the file again."
        ) from error


def _parquet(connection: engine.Connection, staged: StagedFile, supplied: Supplied) -> Reading:
    table = usage_intake.parquet_table(connection, staged.path)
    names = tuple(name for name, _ in table.columns)
    for name in names:
        if name.lower() in _RESERVED or "\0" in name:
            raise InputRefusedError(
                f"A column is called {name!r}, which is kept for the number of the row.",
                place=Place(staged.name),
                advice="Rename it in the export.",
            )
    form = recognised(Columns(staged.name, names, names), _given(staged, supplied))
    return _read(connection, table, form, supplied)


def _csv(connection: engine.Connection, staged: StagedFile, supplied: Supplied, root: Path) -> Reading:
    with intake.explained(staged.name):
        header = read.header(intake.csv_lines(connection, staged.path, staged.kind.compression), staged.name)
    form = recognised(Columns(staged.name, header.names, header.physical), _given(staged, supplied))
    csv = Csv(staged.path, header.delimiter, staged.kind.compression, header.physical)
    try:
        with intake.explained(staged.name):
            return _read(connection, usage_intake.csv_table(csv), form, supplied)
    except intake.RaggedCsvError:
        repaired = root / f"repaired-{staged.number:05d}.csv"
        with intake.explained(staged.name):
            lines = intake.csv_lines(connection, staged.path, staged.kind.compression)
            repair.repair(lines, header.delimiter, len(header.names), repaired, staged.name)
            csv = Csv(repaired, ",", "none", header.physical, repaired=True)
            return _read(connection, usage_intake.csv_table(csv), form, supplied)


def _read(connection: engine.Connection, table: Table, form: Form, supplied: Supplied) -> Reading:
    nulls = tuple(dict.fromkeys((*engine.FOCUS_NULLS, *supplied.nulls)))
    sweep = Sweep(table, form.asked, nulls)
    groups = tuple(sweep.groups(connection))
    problems = tuple(sweep.problems(connection))
    return Reading(form, groups, problems, tuple(sweep.bad_rows(connection)) if problems else ())


def _given(staged: StagedFile, supplied: Supplied) -> dict[str, str]:
    """What stands in for missing columns: the values of hive folders, over what the user assumes."""
    folders = {folded(name): value for name, value in staged.found.partition if value is not None}
    return {**supplied.assume, **folders}


def recognised(columns: Columns, given: Mapping[str, str]) -> Form:
    """The form of a table. Raises `InputRefusedError` for one of no known form."""
    there = {folded(name) for name in (*columns.names, *given)}
    for name in (METRIC, CONSUMER):
        _refuse_empty(columns, name, given)
    _refuse_period(columns, given)
    if not {METRIC, CONSUMER, VALUE} <= there:
        for known in (split_cost.aws, split_cost.focus, opencost.table):
            form = known(columns)
            if form is not None:
                return form
        if not any(name in there for name in ESSENTIAL if name != PERIOD):
            raise InputRefusedError(
                "These are not the columns of usage.",
                place=Place(columns.file),
                advice="Usage has period, metric, consumer and value; OpenCost's allocations and split cost of FOCUS "
                f"and AWS are known as they come. The file has: {', '.join(columns.names)}.",
            )
    return plain(columns, given)


def _refuse_empty(columns: Columns, name: str, given: Mapping[str, str]) -> None:
    if name in given and not given[name].strip():
        raise BadValueError(f"'{name}' cannot be empty.", place=Place(columns.file, field=name))


def _refuse_period(columns: Columns, given: Mapping[str, str]) -> None:
    text = given.get(PERIOD, "")
    if text and not text.startswith("="):
        try:
            BillingPeriod.parse(text)
        except InputRefusedError as error:
            raise BadValueError(error.sentence, place=Place(columns.file, field=PERIOD), advice=error.advice) from None
