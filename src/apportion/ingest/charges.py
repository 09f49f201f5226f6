"""One delivered file made readable and checked: its columns, what its rows add up to, and what was found in them.

Takes a staged copy, gives a `CheckedFile`. Proves on the way that what later queries will read adds up to what was
delivered, to the last digit; what cannot be read exactly as it stands is translated beside the delivered bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from apportion.errors import ConservationError, NotFocusError, Place, UnreadableFileError
from apportion.focus import checks
from apportion.focus.checks import Check
from apportion.focus.finding import Finding
from apportion.ingest import findings, read, repair
from apportion.ingest.copy import Copied
from apportion.ingest.delivery import FoundFile
from apportion.ingest.read import Format, Kind
from apportion.ingest.translate import Delivered, Reading, read_columns
from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse import intake, intake_documents, intake_flags, intake_translate
from apportion.warehouse.intake_nulls import SpelledNulls
from apportion.warehouse.intake_sweep import Group, Sweep
from apportion.warehouse.intake_translate import Csv
from apportion.warehouse.record import Dataset
from apportion.warehouse.snapshot import ChargeFile, DeliveredInvoice

Sums = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A delivered file and its copy in the staged delivery. `number` is its place in the delivery."""

    found: FoundFile
    number: int
    path: Path
    kind: Kind
    copied: Copied

    @property
    def name(self) -> str:
        return self.found.name


@dataclass(frozen=True, slots=True)
class Options:
    """How files are read: for which source and delivery, what is assumed, further spellings of null, whether bad
    rows are kept aside, and the currency of files that do not say one. `root` is the staged directory."""

    root: Path
    source: str
    delivery_id: str
    assume: Mapping[str, str]
    nulls: tuple[str, ...]
    quarantine: bool
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The first row that cannot be charged, in the order of the file."""

    row: int
    check: Check
    column: str
    value: str


@dataclass(slots=True)
class CheckedFile:
    """What is known of a file once it is checked. `charge` is None where it has no rows.

    `refusal` is the first bad row of a file whose bad rows may not be kept aside.
    """

    staged: StagedFile
    reading: Reading
    rows: int
    charge: ChargeFile | None = None
    groups: list[Group] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    refusal: Refusal | None = None
    invoices: Mapping[BillingPeriod, list[DeliveredInvoice]] = field(default_factory=dict)
    statuses: Mapping[BillingPeriod, list[tuple[str, str]]] = field(default_factory=dict)

    @property
    def bad_rows(self) -> int:
        """Rows that cannot be charged."""
        return sum(group.rows for group in self.groups if group.is_refused)


@dataclass(frozen=True, slots=True)
class _Table:
    """A file as a Parquet table: the file, its columns as delivered, and for a CSV where it came from.

    `empty` are columns that are null in every row; `nulls` the spellings of null that were looked for. A `translated`
    file is not the delivered one, and has the marks of its translation.
    """

    reading: Reading
    file: ChargeFile
    rows: int
    empty: frozenset[str]
    nulls: tuple[str, ...]
    translated: bool
    csv: Csv | None = None


def check_file(connection: engine.Connection, staged: StagedFile, options: Options) -> CheckedFile:
    """Read and check one file.

    Raises `NotFocusError`, `BadValueError`, `UnreadableFileError`, `EmptyFileError`, and `ConservationError` where the
    sums do not agree.
    """
    try:
        with intake.explained(staged.name):
            is_csv = staged.kind.format is Format.CSV
            table = _from_csv(connection, staged, options) if is_csv else _from_parquet(connection, staged, options)
            checked = CheckedFile(staged, table.reading, table.rows, findings=list(table.reading.findings))
            if not table.rows:
                checked.findings.append(checks.FILE_WITHOUT_ROWS.finding(file=staged.name, column="", rows=0))
            elif table.reading.dataset is not Dataset.CONTRACT_COMMITMENT:
                _check_rows(connection, table, options, checked)
    except intake.RaggedCsvError as error:
        raise UnreadableFileError(
            f"The rows cannot be told apart ({error}).", place=Place(staged.name), advice="Export the file again."
        ) from error
    return checked


# Reading.


def _from_csv(connection: engine.Connection, staged: StagedFile, options: Options) -> _Table:
    lines = intake.csv_lines(connection, staged.path, staged.kind.compression)
    header = read.header(lines, staged.name)
    types = tuple("VARCHAR" for _ in header.names)
    delivered = Delivered(staged.name, header.names, header.physical, types, is_csv=True)
    reading = read_columns(delivered, options.assume, staged.found.partition, options.currency)
    spellings = [word for word in dict.fromkeys((*engine.FOCUS_NULLS, *options.nulls)) if word]
    nulls = tuple(spellings) if staged.copied.spells_null else ()
    made = [(column, origin) for column, origin in zip(reading.columns, reading.made_from, strict=True) if origin]
    columns, origins = [column for column, _ in made], [origin for _, origin in made]
    target = options.root / "charges" / f"{staged.number:05d}.parquet"
    csv = Csv(staged.path, header.delimiter, staged.kind.compression, header.physical)
    try:
        with intake.explained(staged.name):
            intake_translate.translate_csv(connection, csv, columns, origins, nulls, target)
    except intake.RaggedCsvError:
        repaired = options.root / f"repaired-{staged.number:05d}.csv"
        lines = intake.csv_lines(connection, staged.path, staged.kind.compression)
        repair.repair(lines, header.delimiter, len(header.names), repaired, staged.name)
        csv = Csv(repaired, ",", "none", header.physical, repaired=True)
        intake_translate.translate_csv(connection, csv, columns, origins, nulls, target)
    shape = intake.parquet_shape(connection, target)
    file = _charge(staged, options, reading, target, shape.rows)
    return _Table(reading, file, shape.rows, shape.empty, nulls, translated=True, csv=csv)


def _from_parquet(connection: engine.Connection, staged: StagedFile, options: Options) -> _Table:
    shape = intake.parquet_shape(connection, staged.path)
    names = tuple(name for name, _ in shape.columns)
    if "file_row_number" in names or any("\0" in name for name in names):
        raise NotFocusError(
            "A column has a name that is kept for the number of the row.",
            place=Place(staged.name, field="file_row_number"),
            advice="Rename it in the export.",
        )
    delivered = Delivered(staged.name, names, names, tuple(kind for _, kind in shape.columns), is_csv=False)
    reading = read_columns(delivered, options.assume, staged.found.partition, options.currency)
    spellings = tuple(dict.fromkeys((*engine.FOCUS_NULLS, *options.nulls)))
    found = intake.spelled_nulls(connection, staged.path, reading.columns, spellings, shape)
    columns = tuple(replace(column, nulls=found.get(column.physical, ())) for column in reading.columns)
    reading = replace(reading, columns=columns)
    file = _charge(staged, options, reading, staged.path, shape.rows)
    return _Table(reading, file, shape.rows, shape.empty, spellings, translated=False)


def _charge(staged: StagedFile, options: Options, reading: Reading, path: Path, rows: int) -> ChargeFile:
    return ChargeFile(path, staged.name, rows, reading.columns, options.source, options.delivery_id)


# Checking.


def _check_rows(connection: engine.Connection, table: _Table, options: Options, checked: CheckedFile) -> None:
    table = _readable(connection, table, options, checked.staged)
    sweep = _sweep(table)
    checked.groups = sweep.groups(connection)
    if checked.bad_rows and not options.quarantine:
        checked.refusal = _refusal(connection, sweep, checked.groups)
        return
    file = table.file
    if checked.bad_rows:
        aside = options.root / "quarantine" / f"{checked.staged.number:05d}.parquet"
        written = sweep.set_aside(connection, aside)
        _compare(checked.staged, "the rows kept aside", (written, ()), (checked.bad_rows, ()))
        file = replace(file, quarantine=aside)
    file = _prove(connection, replace(table, file=file), options, checked)
    checked.charge = replace(file, mixed=len(findings.periods(checked.groups)) > 1)
    checked.findings += findings.of_rows(connection, sweep, file, checked.groups)
    checked.findings += _of_columns(connection, table)
    if table.reading.dataset is Dataset.INVOICE_DETAIL:
        checked.invoices = intake_documents.invoices(connection, file)
    elif table.reading.dataset is Dataset.BILLING_PERIOD:
        checked.statuses = intake_documents.statuses(connection, file)


def _sweep(table: _Table) -> Sweep:
    return Sweep(table.file, translated=table.translated, repaired=table.csv is not None and table.csv.repaired)


def _readable(connection: engine.Connection, table: _Table, options: Options, staged: StagedFile) -> _Table:
    """Text in types in which nobody reads text is translated before anything is asked of it."""
    if table.csv or not any(column.physical and intake_translate.odd_text(column) for column in table.file.columns):
        return table
    file = _translated(connection, table.file, table.reading.dataset, options, staged)
    return replace(table, file=file, translated=True)


def _translated(
    connection: engine.Connection, file: ChargeFile, dataset: Dataset, options: Options, staged: StagedFile
) -> ChargeFile:
    target = options.root / "charges" / f"{staged.number:05d}.parquet"
    columns = intake_translate.translate_parquet(connection, file.path, file.columns, dataset.value, target)
    return replace(file, path=target, columns=columns)


def _prove(connection: engine.Connection, table: _Table, options: Options, checked: CheckedFile) -> ChargeFile:
    """The file as it will be read, after its sums have been added up again in that way and by its own bytes."""
    delivered = _total(checked.groups)
    loaded = _total(group for group in checked.groups if not group.is_refused)
    if table.csv:
        origins = [
            (column, origin)
            for column, origin in zip(table.reading.columns, table.reading.made_from, strict=True)
            if origin
        ]
        nulls = table.nulls
        before = intake.csv_sums(connection, table.csv, [one for one, _ in origins], [one for _, one in origins], nulls)
        _compare(checked.staged, "the CSV file", before, delivered)
    elif table.file.quarantine:
        _compare(checked.staged, "the Parquet file", _sweep(table).independent(connection), delivered)
    file, found = table.file, intake.proved(connection, table.file)
    if not _agree(found, loaded) and not table.translated:
        file = _translated(connection, file, table.reading.dataset, options, checked.staged)
        found = intake.proved(connection, file)
    _compare(checked.staged, "the file as it will be read", found, loaded)
    return file


def _total(groups: Iterable[Group]) -> tuple[int, Sums]:
    rows, sums = 0, list[int | None]([])
    for group in groups:
        rows += group.rows
        sums = [_plus(one, other) for one, other in zip(sums or [0] * len(group.sums), group.sums, strict=True)]
    return rows, tuple(sums)


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _agree(found: tuple[int, Sums] | None, expected: tuple[int, Sums]) -> bool:
    """Whether rows and sums are the same. A cost that one of them does not have is not compared."""
    if found is None:
        return False
    pairs = zip(found[1], expected[1] or [0] * len(found[1]), strict=True)
    return found[0] == expected[0] and all(one == other for one, other in pairs if None not in (one, other))


def _compare(staged: StagedFile, what: str, found: tuple[int, Sums] | None, expected: tuple[int, Sums]) -> None:
    if not _agree(found, expected):
        raise ConservationError(
            f"Rows and sums of {what} are {found}, but {expected} were counted.",
            place=Place(staged.name),
            advice="Nothing was loaded. This is a fault of the program: please report it with the file's header.",
        )


def _of_columns(connection: engine.Connection, table: _Table) -> list[Finding]:
    """Findings about columns as such: null in every row, or spelled where they should be null."""
    file, columns = table.file, table.reading.columns
    by_physical = {column.physical: column for column in columns}
    found = [
        checks.COLUMN_EMPTY.finding(file=file.name, column=by_physical[name].name, rows=table.rows)
        for name in sorted(table.empty)
        if name in by_physical and by_physical[name].name in checks.COLUMN_EMPTY.looks_at
    ]
    if table.csv:
        spelled = list(SpelledNulls(table.csv.names, table.nulls).found(connection, engine.files([file.path])))
    else:
        spelled = [
            (column.physical, *intake.null_examples(connection, file.path, column.physical, words))
            for column in columns
            if (words := [word for word in column.nulls if word])
        ]
    return found + [
        checks.NULL_SPELLED.finding(file=file.name, column=by_physical[name].name, rows=rows, examples=examples)
        for name, rows, examples in spelled
    ]


def _refusal(connection: engine.Connection, sweep: Sweep, groups: Sequence[Group]) -> Refusal:
    """The first bad row, and of what is wrong in it the first check."""
    flags = 0
    for group in groups:
        flags |= group.flags
    found = [
        (example.row, order, Refusal(example.row, check, column, example.value))
        for order, (check, column) in enumerate(intake_flags.broken(flags & intake_flags.REFUSED))
        for example in sweep.examples(connection, check, column)[:1]
    ]
    return min(found, key=lambda item: item[:2])[2]
