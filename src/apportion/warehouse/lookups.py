"""The plan's lookup tables in the engine, and the SQL that joins them."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from apportion.warehouse import duckdb as engine
from apportion.warehouse.condition import And, Condition, Field
from apportion.warehouse.plan import Heads, Hit, Key, Lookup, Plan
from apportion.warehouse.predicates import fields, predicate


class Lookups:
    """Tables for a plan in one engine: ``lookup_0``, ``lookup_1``, ...

    `fields` are the scan's columns, `outcome` is the SQL of the smallest outcome number, over what `joined` gives.
    """

    def __init__(self, connection: engine.Connection, plan: Plan) -> None:
        self.plan = plan
        self.type = "SMALLINT" if plan.otherwise < 2**15 else "INTEGER"
        self.fields = sorted(plan_fields(plan))
        self._names = {field: f"f{place}" for place, field in enumerate(self.fields)}
        self._prefixes = {heads.field: f"p{place}" for place, heads in enumerate(plan.heads)}
        self._joins, outcomes = [], []
        for place, heads in enumerate(plan.heads):
            _create_heads(connection, place, heads)
        for place, lookup in enumerate(plan.lookups):
            guards = _guards(lookup)
            _create(connection, place, lookup, guards, self.type)
            self._joins.append(self._join(place, lookup))
            outcomes.append(f"l{place}.outcome")
            if guards:
                outcomes.append(self._guarded(place, guards))
        outcomes += [self._case([guarded]) for guarded in plan.plain]
        # The engine's least() passes over NULL, which is what a row that met nothing has.
        self.outcome = f"least({', '.join([*outcomes, self._number(plan.otherwise)])})"

    def joined(self, charges: str) -> str:
        """SQL to stand after FROM: charges with the columns of `fields`, the lookups joined to them."""
        for place, heads in enumerate(self.plan.heads):
            field = f"r.{self.name(heads.field)}"
            charges = (
                f"(SELECT r.*, left({field}, h.length) AS p{place} FROM {charges} r "
                f"LEFT JOIN heads_{place} h ON h.head = left({field}, {heads.length}))"
            )
        return f"{charges} r {' '.join(self._joins)}"

    def name(self, field: Field) -> str:
        """The scan's column for a field."""
        return self._names[field]

    def _join(self, place: int, lookup: Lookup) -> str:
        tests = [f"l{place}.k{number} = {self._value(key)}" for number, key in enumerate(lookup.keys)]
        if lookup.dated:
            tests.append(f"l{place}.epoch = r.epoch")
        return f"LEFT JOIN lookup_{place} l{place} ON {' AND '.join(tests)}"

    def _value(self, key: Key) -> str:
        shown = f"r.{self._prefixes[key.field] if key.headed else self.name(key.field)}"
        return f"lower({shown})" if key.fold else shown

    def _guarded(self, place: int, guards: list[tuple[tuple[int, Condition], ...]]) -> str:
        cases = [f"WHEN l{place}.guard = {number} THEN {self._case(guarded)}" for number, guarded in enumerate(guards)]
        return f"CASE WHEN l{place}.guard IS NULL THEN NULL {' '.join(cases)} END"

    def _case(self, guarded: Iterable[tuple[int, Condition]]) -> str:
        tests = (
            f"WHEN {predicate(condition, self.name)} THEN {self._number(outcome)}" for outcome, condition in guarded
        )
        return f"(CASE {' '.join(tests)} END)"

    def _number(self, outcome: int) -> str:
        return f"{outcome}::{self.type}"


def plan_fields(plan: Plan) -> set[Field]:
    """Every field that the plan looks at."""
    found = {key.field for lookup in plan.lookups for key in lookup.keys} | {heads.field for heads in plan.heads}
    for lookup in plan.lookups:
        for hit in lookup.rows.values():
            found |= fields(And(tuple(condition for _, condition in hit.guarded)))
    return found | fields(And(tuple(condition for _, condition in plan.plain)))


def _guards(lookup: Lookup) -> list[tuple[tuple[int, Condition], ...]]:
    """The different lists of guarded conditions of a lookup, smallest outcome first in each."""
    return list(dict.fromkeys(_ordered(hit) for hit in lookup.rows.values() if hit.guarded))


def _ordered(hit: Hit) -> tuple[tuple[int, Condition], ...]:
    return tuple(sorted(hit.guarded, key=lambda guard: guard[0]))


def _create_heads(connection: engine.Connection, place: int, heads: Heads) -> None:
    columns = {"head": "VARCHAR", "length": "INTEGER"}
    _load(connection, f"heads_{place}", columns, heads.lengths.items())


def _create(
    connection: engine.Connection,
    place: int,
    lookup: Lookup,
    guards: list[tuple[tuple[int, Condition], ...]],
    outcome: str,
) -> None:
    columns = {f"k{number}": "VARCHAR" for number in range(len(lookup.keys))}
    columns |= {"epoch": "SMALLINT"} if lookup.dated else {}
    columns |= {"outcome": outcome, "guard": "INTEGER"}
    numbers = {guard: number for number, guard in enumerate(guards)}
    rows: Iterable[Sequence[str | int]] = (
        [*values, "" if hit.outcome is None else hit.outcome, numbers[_ordered(hit)] if hit.guarded else ""]
        for values, hit in lookup.rows.items()
    )
    _load(connection, f"lookup_{place}", columns, rows)


def _load(
    connection: engine.Connection, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[str | int]]
) -> None:
    """Fill a table by way of a file: inserting row by row is a thousand times slower. Empty numbers become NULL."""
    with tempfile.TemporaryDirectory(prefix="apportion-") as directory:
        path = Path(directory) / "table.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
        texts = ", ".join(engine.literal(name) for name, kind in columns.items() if kind == "VARCHAR")
        typed = ", ".join(f"{engine.literal(name)}: {engine.literal(kind)}" for name, kind in columns.items())
        connection.execute(
            f"CREATE OR REPLACE TABLE {table} AS FROM read_csv({engine.literal(str(path))}, "
            f"header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
            f"allow_quoted_nulls = true, force_not_null = [{texts}], columns = {{{typed}}})"
        ).fetchall()
