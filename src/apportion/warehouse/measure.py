"""Questions about charges that are classified: what they add up to, by outcome and by the values of some columns.

Each question is one scan of the delivered files beside the sidecars, so whoever asks none pays for none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from apportion.errors import ConservationError
from apportion.warehouse import duckdb as engine
from apportion.warehouse.condition import Condition, Field
from apportion.warehouse.predicates import fields as looked_at
from apportion.warehouse.predicates import predicate
from apportion.warehouse.queries import ASIDE, MARK, side_by_side
from apportion.warehouse.scan import Batch, Scan, batches, delivered
from apportion.warehouse.snapshot import ChargeFile, Snapshot

Values = tuple[str | None, ...]
_Group = tuple[Any, ...]
_Key = tuple[int, int, Values, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """Which charges are added up, and by what beside their outcome and their issuer, invoice, account and currency.

    `outcomes` None: of every outcome. With `met`, only charges that meet one of these conditions, by the first that
    they meet. `columns` are those whose values tell charges apart; with `among`, only charges whose values are one of
    these. `costs` are sums beside the cost itself: of each charge the first of several cost columns that is there and
    not zero, else zero.
    """

    outcomes: Collection[int] | None = None
    columns: tuple[Field, ...] = ()
    met: tuple[Condition, ...] = ()
    among: Collection[tuple[str, ...]] | None = None
    costs: tuple[tuple[str, ...], ...] = ()


class Measured(NamedTuple):
    """Charges added up, in units of 10⁻¹⁸. `met` counts the question's conditions from 0; null values are None.

    As in the cube, invoice and account are empty on effective cost.
    """

    outcome: int
    met: int
    values: Values
    invoice_issuer: str
    invoice_id: str
    billing_account_id: str
    currency: str
    rows: int
    units: int
    costs: tuple[int, ...]


def measure(
    snapshot: Snapshot, sidecars: Path, questions: Sequence[Question], *, effective: bool
) -> tuple[tuple[Measured, ...], ...]:
    """The answer to each question, sorted. `sidecars` are those that `classify` wrote for this snapshot.

    Raises `ConservationError` where the sidecars do not lie row beside row with the charges.
    """

    def work(connection: engine.Connection, mine: Sequence[Batch]) -> list[list[list[_Group]]]:
        for place, question in enumerate(questions):
            _create_among(connection, place, question)
        return [
            [
                _answer(connection, batch, snapshot, place, question, effective)
                for place, question in enumerate(questions)
            ]
            for batch in mine
        ]

    done = [answers for part in side_by_side(list(batches(snapshot, sidecars)), work) for answers in part]
    return tuple(
        _merged((row for answers in done for row in answers[place]), question)
        for place, question in enumerate(questions)
    )


def _create_among(connection: engine.Connection, place: int, question: Question) -> None:
    """The wanted values as a table. Whole columns at once: row by row takes a thousand times longer."""
    if question.among is None:
        return
    rows = sorted(set(question.among))
    columns = [[row[number] for row in rows] for number in range(len(question.columns))]
    shown = ", ".join(f"unnest(${number}::VARCHAR[]) AS k{number - 1}" for number in range(1, len(columns) + 1))
    connection.execute(f"CREATE OR REPLACE TABLE among_{place} AS SELECT {shown}", columns).fetchall()


def _answer(
    connection: engine.Connection,
    batch: Batch,
    snapshot: Snapshot,
    place: int,
    question: Question,
    effective: bool,
) -> list[_Group]:
    """One batch. Charges that are not asked for become one group, so that every row is proved to be in its place."""
    wanted = sorted({*question.columns, *(field for test in question.met for field in looked_at(test))})
    scan = delivered(batch, snapshot.period, wanted)
    names = {field: f"f{number}" for number, field in enumerate(wanted)}
    keys = [names[field] for field in question.columns]
    sums = ["cost", *(f"cost_{number}" for number in range(len(question.costs)))]
    chosen = _chosen(question, place)
    met = "0"
    if question.met:
        tests = (f"WHEN {predicate(test, names.__getitem__)} THEN {number}" for number, test in enumerate(question.met))
        met = f"CASE {' '.join(tests)} END"
    joined = f"(SELECT *, {met} AS met FROM ({_charges(scan, batch, question, names, effective=effective)})) r"
    if question.among is not None:
        same = " AND ".join(f"k.k{number} = r.{key}" for number, key in enumerate(keys))
        joined += f" LEFT JOIN among_{place} k ON {same}"
    dimensions = ("issuer", "invoice", "account", "currency", "service", "category")
    groups = (
        f"SELECT {chosen} AS chosen, CASE WHEN {chosen} THEN outcome END AS outcome, met, "
        + "".join(f"CASE WHEN {chosen} THEN r.{key} END AS g{number}, " for number, key in enumerate(keys))
        + "".join(f"CASE WHEN {chosen} THEN d_{name} END AS d_{name}, " for name in dimensions)
        + "".join(f"sum(CASE WHEN {chosen} THEN {name} END) AS {name}, " for name in sums)
        + f"count(*) AS counted, count(*) FILTER (moved) AS moved FROM {joined} GROUP BY ALL"
    )
    invoice = "''" if effective else "invoice"
    account = "''" if effective else "CASE WHEN invoice = '' THEN account ELSE '' END"
    by = ["outcome", "met", *(f"g{number}" for number in range(len(keys)))]
    by += ["issuer", f"{invoice} AS invoice", f"{account} AS account", "currency"]
    shown = ", ".join(
        [*by, "sum(counted) AS counted", "sum(moved) AS moved", *(f"sum({name})::VARCHAR" for name in sums)]
    )
    found = connection.execute(f"SELECT chosen, {shown} FROM ({scan.named.format(groups)}) GROUP BY ALL").fetchall()
    _must_lie_in_order(batch, found, 1 + len(by))
    return [row[1:] for row in found if row[0]]


def _charges(scan: Scan, batch: Batch, question: Question, names: dict[Field, str], *, effective: bool) -> str:
    """SQL for the charges with what is asked of them. The cost of a row that is aside may be unreadable."""
    counts = f"sidecar_outcome <> {ASIDE}"
    costs = [scan.effective if effective else scan.billed]
    costs += [_first_there(batch.first, alternatives) for alternatives in question.costs]
    selected = [f"{scan.fields[field]} AS {name}" for field, name in names.items()]
    selected += [
        f"CASE WHEN {counts} THEN {cost} END AS {'cost' if number == 0 else f'cost_{number - 1}'}"
        for number, cost in enumerate(costs)
    ]
    selected += [
        scan.grouped,
        "sidecar_outcome AS outcome",
        f"(sidecar_outcome IS NULL OR sidecar_mark IS DISTINCT FROM {MARK}) AS moved",
    ]
    sidecar = f"SELECT mark AS sidecar_mark, outcome AS sidecar_outcome FROM {engine.files([batch.sidecar])}"
    return f"SELECT {', '.join(selected)} FROM {scan.relation} POSITIONAL JOIN ({sidecar})"


def _first_there(file: ChargeFile, names: Iterable[str]) -> str:
    columns = [column for name in names if (column := file.column(name)) is not None]
    zero = f"0::{engine.DECIMAL}"
    return f"coalesce({', '.join([*(f'nullif({engine.decimal(column)}, 0)' for column in columns), zero])})"


def _chosen(question: Question, place: int) -> str:
    tests = [f"outcome <> {ASIDE}"]
    if question.outcomes is not None:
        runs = (f"outcome BETWEEN {first} AND {last}" for first, last in _runs(question.outcomes))
        tests = [f"({' OR '.join(runs) or 'false'})"]
    if question.met:
        tests.append("met IS NOT NULL")
    if question.among is not None:
        tests.append("k.k0 IS NOT NULL")
    return f"coalesce({' AND '.join(tests)}, false)"


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The first and last of each run of numbers without a gap: hundreds of numbers make a long query slow."""
    ordered = sorted(numbers)
    starts = [place for place, number in enumerate(ordered) if not place or ordered[place - 1] != number - 1]
    for start, after in zip(starts, [*starts[1:], len(ordered)], strict=True):
        yield ordered[start], ordered[after - 1]


def _must_lie_in_order(batch: Batch, found: Sequence[_Group], counted_at: int) -> None:
    counted, moved = sum(row[counted_at] for row in found), sum(row[counted_at + 1] for row in found)
    if counted != batch.rows or moved:
        raise ConservationError(
            f"{batch.rows} charges were to be measured, {counted} were, {moved} marks of them out of order.",
            advice="Nothing was saved. The files may have changed on disk: run `apportion ingest` again.",
        )


def _merged(rows: Iterable[_Group], question: Question) -> tuple[Measured, ...]:
    """One answer for each combination, over all batches, in a fixed order."""
    sums: dict[_Key, list[int]] = {}
    end = 2 + len(question.columns)
    for row in rows:
        issuer, invoice, account, currency = row[end : end + 4]
        key = (row[0], row[1], tuple(row[2:end]), issuer, invoice, account, currency)
        count, _, *amounts = row[end + 4 :]
        found = [int(count), *(engine.units(amount) for amount in amounts)]
        before = sums.get(key)
        sums[key] = found if before is None else [one + other for one, other in zip(before, found, strict=True)]

    def order(key: _Key) -> _Group:
        return (*key[:2], tuple((value is not None, value or "") for value in key[2]), *key[3:])

    return tuple(Measured(*key, sums[key][0], sums[key][1], tuple(sums[key][2:])) for key in sorted(sums, key=order))
