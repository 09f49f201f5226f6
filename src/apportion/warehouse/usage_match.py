"""Which rule meets which row of usage: the same compiled plan, joins and conditions as for charges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from apportion.warehouse import duckdb as engine
from apportion.warehouse.condition import Field
from apportion.warehouse.lookups import Lookups, plan_fields
from apportion.warehouse.plan import Plan


def fields(plan: Plan) -> tuple[Field, ...]:
    """What the plan looks at, in the order of the values of `outcomes`."""
    return tuple(sorted(plan_fields(plan)))


def outcomes(plan: Plan, rows: Sequence[Sequence[str | None]]) -> list[int]:
    """The smallest outcome number of each row, whose values are those of `fields`; None for a missing one.

    The plan knows no time: it was compiled for a single day.
    """
    if not rows:
        return []
    with closing(engine.connect(threads=1)) as connection:
        lookups = Lookups(connection, plan)
        columns: Mapping[str, list[str | None]] = {
            lookups.name(field): [row[place] for row in rows] for place, field in enumerate(lookups.fields)
        }
        given = ", ".join(f"unnest(${place}::VARCHAR[]) AS {name}" for place, name in enumerate(columns, start=2))
        connection.execute(
            f"CREATE TABLE usage_rows AS SELECT unnest(range($1)) AS place{', ' if given else ''}{given}",
            [len(rows), *columns.values()],
        ).fetchall()
        found = connection.execute(
            f"SELECT place, {lookups.outcome} FROM {lookups.joined('usage_rows')} ORDER BY place"
        ).fetchall()
    return [outcome for _, outcome in found]
