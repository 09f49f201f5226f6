"""Charges written out again with what became of them, and those that went into pools added up.

A charge that stays with a holder keeps its delivered row, with columns of ours beside it. Charges in pools are given
back as sums by the columns that tell them apart; what replaces them is written by `write_rows`. Works on batches side
by side in single-threaded engines, so that rows stay in their order and the same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from apportion.errors import ConservationError
from apportion.focus.columns import COSTS
from apportion.warehouse import duckdb as engine
from apportion.warehouse.allocated_layout import Form, OutColumn, unreadable, value
from apportion.warehouse.queries import ASIDE, MARK, side_by_side
from apportion.warehouse.scan import Batch, batches, relation
from apportion.warehouse.snapshot import ChargeFile, Snapshot

ROW_GROUP = 40_960  # wide rows: this many fit into the memory of one engine several times over
FORMAT = f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"

Costs = tuple[int | None, int | None, int | None, int | None]


class Decided(NamedTuple):
    """What an outcome means: the place of a holder, or the id of a pool; and the rule. `corrects` as in cells."""

    corrects: str
    outcome: int
    holder: int | None
    pool: str | None
    rule: str | None


class LineKey(NamedTuple):
    """The line of a holder's statement that a charge is on; issuers as delivered."""

    holder: int
    corrects: str
    issuer: str
    invoice: str
    account: str
    currency: str
    service: str
    category: str
    line: int


@dataclass(frozen=True, slots=True)
class Beside:
    """What is written beside charges: what was decided, the lines, and texts of each holder for these columns.

    `constants` are the same for every row. `late` are the charges of corrections and their sidecars, by the month that
    they correct. The names of the columns of a decision are in `named`: rule, corrects and line.
    """

    decided: Sequence[Decided]
    lines: Sequence[LineKey]
    holder_columns: Sequence[str]
    holders: Sequence[Sequence[str | None]]
    constants: Mapping[str, str]
    late: Mapping[str, tuple[Snapshot, Path]]
    named: Mapping[str, str]
    effective: bool


class Pooled(NamedTuple):
    """Charges of one pool that are alike in `values`, added up: rows, and the four costs in units of 10⁻¹⁸."""

    corrects: str
    pool: str
    values: tuple[str | None, ...]
    rows: int
    costs: Costs


class Control(NamedTuple):
    """What charges of one issuer, invoice, account and currency add up to; empty texts for null."""

    issuer: str
    invoice: str
    account: str
    currency: str
    rows: int
    costs: Costs


def control(key: Sequence[str], rows: int, costs: Costs) -> Control:
    """The sums of one issuer, invoice, account and currency."""
    issuer, invoice, account, currency = key
    return Control(issuer, invoice, account, currency, rows, costs)


class Part(NamedTuple):
    """One written file and its rows."""

    path: Path
    rows: int


@dataclass(frozen=True, slots=True)
class Origin:
    """What was written of the charges that stayed, what the pools hold, and what all of them add up to.

    `unreadable` counts values by column that were not what their column holds, and are null.
    """

    parts: tuple[Part, ...]
    pooled: tuple[Pooled, ...]
    controls: tuple[Control, ...]
    unreadable: Mapping[str, int]


class _Done(NamedTuple):
    number: int
    part: Part
    pooled: list[tuple[Any, ...]]
    controls: list[tuple[Any, ...]]
    unreadable: list[int]


def write_origin(
    snapshot: Snapshot,
    sidecars: Path,
    beside: Beside,
    columns: Sequence[OutColumn],
    told_apart: Sequence[str],
    directory: Path,
    progress: Callable[[int], None] = lambda _: None,
) -> Origin:
    """Write a Parquet file for each batch of charges that a holder kept, and add up the others by `told_apart`.

    Raises `ConservationError` where sidecars and charges do not lie row beside row, or a charge was not decided.
    """

    def work(connection: engine.Connection, mine: Sequence[Batch]) -> list[_Done]:
        _create(connection, beside)
        done = []
        for batch in mine:
            done.append(_batch(connection, batch, snapshot, beside, columns, told_apart, directory))
            progress(batch.rows)
        return done

    found_all = [done for part in side_by_side(list(batches(snapshot, sidecars)), work) for done in part]
    done = sorted(found_all, key=lambda each: each.number)
    names = [out.name for out in columns if out.form in (Form.DECIMAL, Form.INSTANT)]
    counts = {name: sum(each.unreadable[place] for each in done) for place, name in enumerate(names)}
    return Origin(
        tuple(each.part for each in done if each.part.rows),
        tuple(_pooled_from(key, *sums) for key, sums in _merged((row for each in done for row in each.pooled), 3)),
        tuple(control(key, *sums) for key, sums in _merged((row for each in done for row in each.controls), 4)),
        {name: count for name, count in counts.items() if count},
    )


def _create(connection: engine.Connection, beside: Beside) -> None:
    texts = ", ".join(f"h{place} VARCHAR" for place in range(len(beside.holder_columns)))
    tables: tuple[tuple[str, str, Sequence[Sequence[Any]]], ...] = (
        ("decided", "corrects VARCHAR, outcome INTEGER, holder INTEGER, pool VARCHAR, rule VARCHAR", beside.decided),
        ("line", "holder INTEGER, corrects VARCHAR, issuer VARCHAR, invoice VARCHAR, account VARCHAR, "
         "currency VARCHAR, service VARCHAR, category VARCHAR, line INTEGER", beside.lines),
        ("holder", f"holder INTEGER, {texts}", [(place, *row) for place, row in enumerate(beside.holders)]),
    )  # fmt: skip
    for name, kinds, rows in tables:
        connection.execute(f"CREATE TABLE {name} ({kinds})").fetchall()
        insert(connection, name, [kind.split()[1] for kind in kinds.split(", ")], rows)


def insert(connection: engine.Connection, table: str, kinds: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Fill a table, whole columns at once: row by row takes a thousand times longer."""
    if rows:
        shown = ", ".join(f"unnest(${place}::{kind}[])" for place, kind in enumerate(kinds, start=1))
        given = [list(column) for column in zip(*rows, strict=True)]
        connection.execute(f"INSERT INTO {table} SELECT {shown}", given).fetchall()


def _batch(
    connection: engine.Connection,
    batch: Batch,
    snapshot: Snapshot,
    beside: Beside,
    columns: Sequence[OutColumn],
    told_apart: Sequence[str],
    directory: Path,
) -> _Done:
    _must_lie_in_order(connection, batch)
    _create_late(connection, batch, beside)
    path = directory / f"origin-{batch.number:06d}.parquet"
    copy = f"COPY ({_kept(batch, beside, columns)}) TO {engine.literal(str(path))} {FORMAT}"
    ((written,),) = connection.execute(copy).fetchall()
    if not written:
        path.unlink(missing_ok=True)
    pooled = connection.execute(_pooled(batch, beside, told_apart)).fetchall()
    controls, odd = _controls(connection, batch, columns)
    counted = sum(row[4] for row in controls)
    in_pools = sum(row[2 + len(told_apart)] for row in pooled)
    if written + in_pools != counted:
        raise ConservationError(
            f"Of {counted} charges {written} stayed and {in_pools} are in pools.",
            advice="The run does not fit its charges: allocate the period again.",
        )
    rows = [(row[0], row[1], tuple(row[2 : 2 + len(told_apart)]), *row[2 + len(told_apart) :]) for row in pooled]
    return _Done(batch.number, Part(path, written), rows, controls, odd)


def _must_lie_in_order(connection: engine.Connection, batch: Batch) -> None:
    sidecar = f"SELECT mark AS sidecar_mark FROM {engine.files([batch.sidecar])}"
    ((counted, moved),) = connection.execute(
        f"SELECT count(*), count(*) FILTER (sidecar_mark IS DISTINCT FROM {MARK}) "
        f"FROM (SELECT file_row_number FROM {relation(batch)}) POSITIONAL JOIN ({sidecar})"
    ).fetchall()
    if counted != batch.rows or moved:
        raise ConservationError(
            f"{batch.rows} charges were to be written, {counted} were found, {moved} marks of them out of order.",
            advice="Files of the workspace may have been touched; restore them from a backup.",
        )


def _create_late(connection: engine.Connection, batch: Batch, beside: Beside) -> None:
    """What was decided about corrections in this batch, by the file's place in it and the row."""
    connection.execute(
        "CREATE OR REPLACE TABLE late (place INTEGER, row BIGINT, corrects VARCHAR, outcome INTEGER)"
    ).fetchall()
    here = {file.path for file in batch.files}
    for corrects, (snapshot, sidecars) in beside.late.items():
        outcomes = [each.outcome for each in beside.decided if each.corrects == corrects]
        for part in batches(snapshot, sidecars):
            if outcomes and here & {file.path for file in part.files}:
                sidecar = f"SELECT outcome AS sidecar_outcome FROM {engine.files([part.sidecar])}"
                connection.execute(
                    f"INSERT INTO late SELECT {_place(batch)}, file_row_number, {engine.literal(corrects)}, "
                    f"sidecar_outcome FROM (SELECT filename, file_row_number FROM {relation(part)}) "
                    f"POSITIONAL JOIN ({sidecar}) WHERE {_place(batch)} IS NOT NULL "
                    f"AND sidecar_outcome IN ({', '.join(map(str, sorted(outcomes)))})"
                ).fetchall()


def _place(batch: Batch) -> str:
    paths = ", ".join(engine.literal(str(file.path)) for file in batch.files)
    return f"nullif(list_position([{paths}], filename), 0)"


def _dimensions(file: ChargeFile) -> dict[str, str]:
    names = {"invoice": "InvoiceId", "account": "BillingAccountId", "currency": "BillingCurrency"}
    names |= {"service": "ServiceName", "category": "ChargeCategory"}
    shown = {name: f"coalesce({engine.field_text(file, column)}, '')" for name, column in names.items()}
    return {"issuer": engine.issuer(file), **shown}


def _decided(batch: Batch, beside: Beside, selected: Sequence[str]) -> str:
    """Charges that count beside what was decided about each: ``r`` are the charges, ``d`` the decision."""
    sidecar = f"SELECT outcome AS sidecar_outcome FROM {engine.files([batch.sidecar])}"
    place = f", {_place(batch)} AS place" if beside.late else ""
    charges = (
        f"SELECT {', '.join(selected)}, sidecar_outcome AS outcome, file_row_number AS row{place} "
        f"FROM {relation(batch)} POSITIONAL JOIN ({sidecar})"
    )
    corrects, outcome, late = "''", "r.outcome", ""
    if beside.late:
        corrects, outcome = "coalesce(t.corrects, '')", "coalesce(t.outcome, r.outcome)"
        late = " LEFT JOIN late t ON t.place = r.place AND t.row = r.row"
    return (
        f"({charges}) r{late} LEFT JOIN decided d ON d.corrects = {corrects} AND d.outcome = {outcome} "
        f"{{}} WHERE r.outcome <> {ASIDE}"
    )


def _kept(batch: Batch, beside: Beside, columns: Sequence[OutColumn]) -> str:
    file = batch.first
    dimensions = _dimensions(file)
    selected = [f"{expression} AS k_{name}" for name, expression in dimensions.items()]
    shown = []
    ours = _ours(beside)
    for place, out in enumerate(columns):
        if out.form is Form.OURS:
            shown.append(f"{ours.get(out.name, 'NULL')}::{out.type} AS {engine.identifier(out.name)}")
        else:
            selected.append(f"{value(file, out, counts=f'sidecar_outcome <> {ASIDE}')} AS o{place}")
            shown.append(f"r.o{place} AS {engine.identifier(out.name)}")
    invoice = "''" if beside.effective else "r.k_invoice"
    account = "''" if beside.effective else "CASE WHEN r.k_invoice = '' THEN r.k_account ELSE '' END"
    joins = (
        "LEFT JOIN holder h ON h.holder = d.holder LEFT JOIN line l ON l.holder = d.holder "
        "AND l.corrects = d.corrects AND l.issuer = r.k_issuer AND l.currency = r.k_currency "
        f"AND l.invoice = {invoice} AND l.account = {account} "
        "AND l.service = r.k_service AND l.category = r.k_category"
    )
    return f"SELECT {', '.join(shown)} FROM {_decided(batch, beside, selected).format(joins)} AND d.holder IS NOT NULL"


def _ours(beside: Beside) -> dict[str, str]:
    held = {name: f"h.h{place}" for place, name in enumerate(beside.holder_columns)}
    constants = {name: engine.literal(text) for name, text in beside.constants.items()}
    decisions = {"rule": "d.rule", "corrects": "nullif(d.corrects, '')", "line": "l.line"}
    return held | constants | {beside.named[name]: expression for name, expression in decisions.items()}


def _pooled(batch: Batch, beside: Beside, told_apart: Sequence[str]) -> str:
    file = batch.first
    selected = [
        f"{engine.issuer(file) if name == 'InvoiceIssuerName' else engine.field_text(file, name)} AS v{place}"
        for place, name in enumerate(told_apart)
    ]
    selected += [f"{_cost(file, name)} AS {name}" for name in COSTS]
    values = "".join(f"r.v{place}, " for place in range(len(told_apart)))
    sums = ", ".join(f"sum(r.{name})::VARCHAR" for name in COSTS)
    source = _decided(batch, beside, selected).format("")
    return f"SELECT d.corrects, d.pool, {values}count(*), {sums} FROM {source} AND d.pool IS NOT NULL GROUP BY ALL"


def _cost(file: ChargeFile, name: str) -> str:
    return value(file, OutColumn(name, Form.COST, engine.DECIMAL), counts=f"sidecar_outcome <> {ASIDE}")


def _controls(
    connection: engine.Connection, batch: Batch, columns: Sequence[OutColumn]
) -> tuple[list[tuple[Any, ...]], list[int]]:
    """What the batch adds up to, and how many values of each column are not what the column holds."""
    file = batch.first
    tests = [unreadable(file, out) for out in columns if out.form in (Form.DECIMAL, Form.INSTANT)]
    dimensions = _dimensions(file)
    by = [f"{dimensions[name]} AS {name}" for name in ("issuer", "invoice", "account", "currency")]
    sums = ", ".join(f"sum({_cost(file, name)})::VARCHAR" for name in COSTS)
    odd = "".join(f", count(*) FILTER ({test or 'false'})" for test in tests)
    sidecar = f"SELECT outcome AS sidecar_outcome FROM {engine.files([batch.sidecar])}"
    rows = connection.execute(
        f"SELECT {', '.join(by)}, count(*), {sums}{odd} FROM {relation(batch)} POSITIONAL JOIN ({sidecar}) "
        f"WHERE sidecar_outcome <> {ASIDE} GROUP BY ALL"
    ).fetchall()
    end = 5 + len(COSTS)
    return [row[:end] for row in rows], [sum(row[end + place] for row in rows) for place in range(len(tests))]


def _merged(rows: Iterable[Sequence[Any]], width: int) -> list[tuple[tuple[Any, ...], tuple[int, Costs]]]:
    """One entry for each key over all batches, in a fixed order; a cost that none of them has is None."""
    sums: dict[tuple[Any, ...], tuple[int, Costs]] = {}
    for row in rows:
        key = tuple(row[:width])
        rows_of, texts = row[width], row[width + 1 :]
        costs = [None if text is None else engine.units(text) for text in texts]
        before, known = sums.get(key, (0, (None, None, None, None)))
        one, two, three, four = (_plus(old, new) for old, new in zip(known, costs, strict=True))
        sums[key] = (before + rows_of, (one, two, three, four))
    return [(key, sums[key]) for key in sorted(sums, key=_order)]


def _pooled_from(key: tuple[Any, ...], rows: int, costs: Costs) -> Pooled:
    corrects, pool, values = key
    return Pooled(corrects, pool, values, rows, costs)


def _plus(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else one + other


def _order(key: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        tuple((text is not None, text or "") for text in each) if isinstance(each, tuple) else each for each in key
    )
