"""Where each charge went in two runs of one period: both sidecars read beside the charges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from apportion.errors import ConservationError
from apportion.warehouse import duckdb as engine
from apportion.warehouse.queries import ASIDE, side_by_side
from apportion.warehouse.scan import Batch, batches, relation
from apportion.warehouse.snapshot import Snapshot


class Crossed(NamedTuple):
    """Charges of one outcome before and one after, in one currency; units of 10⁻¹⁸ on the cost that each charged on."""

    before: int
    after: int
    currency: str
    rows: int
    units_before: int
    units_after: int


def crossed(snapshot: Snapshot, before: Path, after: Path, *, effective: tuple[bool, bool]) -> tuple[Crossed, ...]:
    """Every pair of outcomes, sorted. `before` and `after` are directories of sidecars, `effective` says which cost.

    Raises `ConservationError` where the two do not speak of the same charges.
    """

    def work(connection: engine.Connection, mine: Sequence[Batch]) -> list[tuple[Any, ...]]:
        return [row for batch in mine for row in connection.execute(_query(batch, after, effective)).fetchall()]

    todo = list(batches(snapshot, before))
    sums: dict[tuple[int, int, str], list[int]] = {}
    for rows in side_by_side(todo, work):
        for was, now, currency, counted, cost_before, cost_after in rows:
            if was is None or now is None or (was == ASIDE) != (now == ASIDE):
                raise ConservationError(
                    "The two results do not speak of the same charges.",
                    advice="Files of the workspace may have been touched; allocate the period again.",
                )
            found = sums.setdefault((was, now, currency or ""), [0, 0, 0])
            for place, value in enumerate((counted, engine.units(cost_before), engine.units(cost_after))):
                found[place] += value
    return tuple(
        Crossed(was, now, currency, *found) for (was, now, currency), found in sorted(sums.items()) if was != ASIDE
    )


def _query(batch: Batch, after: Path, effective: tuple[bool, bool]) -> str:
    file = batch.first
    old, new = (engine.cost(file, "EffectiveCost" if each else "BilledCost") for each in effective)
    sidecars = (f"(SELECT outcome AS {name} FROM {engine.files([path])})" for name, path in
                (("was", batch.sidecar), ("now", after / batch.sidecar.name)))  # fmt: skip
    charges = f"SELECT {engine.field_text(file, 'BillingCurrency')} AS currency, {old} AS old, {new} AS new"
    groups = (
        "SELECT was, now, currency, count(*), "
        "sum(CASE WHEN was <> -1 THEN old END) AS old, sum(CASE WHEN now <> -1 THEN new END) AS new "
        f"FROM ({charges} FROM {relation(batch)}) POSITIONAL JOIN {' POSITIONAL JOIN '.join(sidecars)} GROUP BY ALL"
    ).replace("-1", str(ASIDE))
    return f"SELECT * REPLACE (coalesce(old, 0)::VARCHAR AS old, coalesce(new, 0)::VARCHAR AS new) FROM ({groups})"
