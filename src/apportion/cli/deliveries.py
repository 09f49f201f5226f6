"""``apportion deliveries``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.arguments import OnlyPeriod
from apportion.cli.face import Face

if TYPE_CHECKING:
    from apportion.periods import BillingPeriod
    from apportion.warehouse.record import Delivery
    from apportion.warehouse.store import Workspace

VERSION = 1
_ID_SHOWN = 12  # enough to tell them apart; --json has all of it


def run(
    face: Face,
    period: OnlyPeriod = None,
    every: Annotated[bool, typer.Option("--all", help="Those that were replaced since, too.")] = False,
) -> None:
    """List what was delivered, when, and for which periods.

    \b
    Examples:
      apportion deliveries
      apportion deliveries --period 2026-10 --all
    """
    workspace = face.workspace()
    current = _current(workspace)
    found = [delivery for delivery in workspace.deliveries(period) if every or current.get(delivery.id)]
    face.give(
        {
            "document": "deliveries",
            "version": VERSION,
            "period": str(period) if period else None,
            "deliveries": [_document(delivery, current.get(delivery.id, [])) for delivery in found],
        }
    )
    if not found:
        face.say("There is no delivery yet. Load one with: apportion ingest PATH")
    elif not face.as_json:
        _show(face, found, current)


def _current(workspace: Workspace) -> dict[str, list[str]]:
    """For each delivery that is current somewhere the periods in which it is (none: of no single period)."""
    held: dict[str, list[str]] = {delivery.id: [] for delivery in workspace.current(None)}
    for period in _all_periods(workspace):
        for delivery in workspace.current(period):
            held.setdefault(delivery.id, []).append(str(period))
    return {delivery_id: periods or ["-"] for delivery_id, periods in held.items()}


def _all_periods(workspace: Workspace) -> list[BillingPeriod]:
    return sorted({period for delivery in workspace.deliveries() for period in periods_of(delivery)})


def periods_of(delivery: Delivery) -> tuple[BillingPeriod, ...]:
    """The billing periods that a delivery speaks of, in order."""
    held = (delivery.totals, delivery.quarantined, delivery.invoices, delivery.statuses, delivery.usage)
    return tuple(sorted({period for each in held for period in each}))


def rows_of(delivery: Delivery) -> tuple[int, int]:
    """How many rows were loaded, and how many kept aside."""
    aside = sum(each.rows for rows in delivery.quarantined.values() for each in rows)
    aside += sum(file.rows_aside for file in delivery.usage.values())
    return sum(file.rows for file in delivery.files) - aside, aside


def _show(face: Face, found: list[Delivery], current: dict[str, list[str]]) -> None:
    from apportion.cli.tables import Column, table

    columns = [
        Column("Received"),
        Column("Source"),
        Column("FOCUS", wraps=True),
        Column("Periods", wraps=True),
        Column("Rows", is_number=True),
        Column("Delivery", wraps=True),
    ]
    rows = []
    for delivery in found:
        loaded, aside = rows_of(delivery)
        notes = [f"{aside:,} rows aside"] if aside else []
        if delivery.id not in current:
            notes.append("replaced")
        rows.append(
            [
                delivery.received_at[:10],
                delivery.source,
                f"{delivery.focus_version} {delivery.dataset.replace('_', ' ')}".strip(),
                span(periods_of(delivery)),
                f"{loaded:,}",
                " ".join([delivery.id[:_ID_SHOWN], *([f"({', '.join(notes)})"] if notes else [])]),
            ]
        )
    face.show(table(columns, rows))


def holds(delivery: Delivery) -> str:
    """The dataset and its version in a few words: ``FOCUS 1.2 cost and usage``."""
    dataset = delivery.dataset.replace("_", " ")
    return f"FOCUS {delivery.focus_version} {dataset}" if delivery.focus_version else dataset


def span(periods: tuple[BillingPeriod, ...]) -> str:
    """``2026-10``, ``2026-01 to 2026-10``, or nothing."""
    if len(periods) > 1:
        return f"{periods[0]} to {periods[-1]}"
    return str(periods[0]) if periods else ""


def _document(delivery: Delivery, current: list[str]) -> dict[str, object]:
    loaded, aside = rows_of(delivery)
    return {
        "id": delivery.id,
        "received_at": delivery.received_at,
        "source": delivery.source,
        "dataset": str(delivery.dataset),
        "focus_version": delivery.focus_version,
        "mode": str(delivery.mode),
        "periods": [str(period) for period in periods_of(delivery)],
        "is_current": bool(current),
        "rows_loaded": loaded,
        "rows_quarantined": aside,
        "files": [
            {"name": file.name, "bytes": file.size, "rows": file.rows, "sha256": file.sha256} for file in delivery.files
        ],
    }
