"""Late corrections in a month's charges: which earlier months they are of, and in which files they lie."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse.condition import Equals, Field
from apportion.warehouse.scan import batches, delivered
from apportion.warehouse.snapshot import ChargeFile, Snapshot

CHARGE_CLASS = Field("ChargeClass")
CORRECTION = "Correction"
IS_CORRECTION = Equals(CHARGE_CLASS, (CORRECTION,))


def corrected_periods(snapshot: Snapshot) -> Mapping[BillingPeriod, tuple[int, ...]]:
    """Earlier months that charges of class Correction are of, and the places of the files that hold them.

    By ChargePeriodStart, as dated rules are. Reads two columns; of a file without the class nothing, and of one with
    nulls in it hardly more than that.
    """
    places = {str(file.path): place for place, file in enumerate(snapshot.files)}
    found: dict[BillingPeriod, set[int]] = {}
    with closing(engine.connect()) as connection:
        for batch in batches(snapshot, Path()):
            is_correction = _is_correction(batch.first)
            if not is_correction:
                continue
            scan = delivered(batch, snapshot.period, ())
            tests = [is_correction, f"{scan.start} < TIMESTAMP '{snapshot.period.start}'"]
            tests += [scan.kept] if scan.kept else []
            months = connection.execute(
                f"SELECT DISTINCT filename, year({scan.start}), month({scan.start}) "
                f"FROM {scan.relation} WHERE {' AND '.join(tests)}"
            ).fetchall()
            for path, year, month in months:
                found.setdefault(BillingPeriod(year, month), set()).add(places[path])
    return {period: tuple(sorted(found[period])) for period in sorted(found)}


def _is_correction(file: ChargeFile) -> str:
    """SQL for the test, empty where no row can meet it; on the bare column, so that the engine skips what it can."""
    column = file.column(CHARGE_CLASS.name)
    if column is None or (not column.physical and column.constant != CORRECTION):
        return ""
    if not column.physical:
        return "true"
    shown = engine.raw(column) if column.type == "VARCHAR" else engine.text(column)
    return f"{shown} = {engine.literal(CORRECTION)}"
