"""``apportion periods``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apportion.cli.face import Face

if TYPE_CHECKING:
    from apportion.periods import BillingPeriod
    from apportion.warehouse.store import Workspace

VERSION = 1
_STATES = {
    "delivered": "not allocated",
    "changed": "changed since it was allocated",
    "allocated": "allocated, open",
    "sealed": "sealed",
}


def run(face: Face) -> None:
    """List the billing periods, and how far each one is.

    \b
    Example:
      apportion periods
    """
    workspace = face.workspace()
    found = [_document(workspace, period) for period in workspace.periods()]
    face.give({"document": "periods", "version": VERSION, "periods": found})
    if not found:
        face.say("There are no charges yet. Load them with: apportion ingest PATH")
    elif not face.as_json:
        _show(face, workspace)


def state(workspace: Workspace, period: BillingPeriod) -> str:
    """How far a period is: delivered, allocated, changed (since it was allocated) or sealed."""
    from apportion.close import run as runs
    from apportion.errors import DocumentError, InputRefusedError, NotFoundError

    if workspace.sealed(period) is not None:
        return "sealed"
    try:
        runs.up_to_date(workspace, period)
    except NotFoundError:
        return "delivered"
    except (InputRefusedError, DocumentError):
        return "changed"
    return "allocated"


def billed(workspace: Workspace, period: BillingPeriod) -> dict[str, tuple[int, int]]:
    """Rows, and BilledCost in units, by currency."""
    sums: dict[str, tuple[int, int]] = {}
    for total in workspace.totals(period):
        rows, units = sums.get(total.currency, (0, 0))
        sums[total.currency] = (rows + total.rows, units + total.billed_units)
    return dict(sorted(sums.items()))


def _document(workspace: Workspace, period: BillingPeriod) -> dict[str, object]:
    from apportion.money.amount import plain

    sums = billed(workspace, period)
    return {
        "period": str(period),
        "state": state(workspace, period),
        "rows": sum(rows for rows, _ in sums.values()),
        "billed_cost": [{"currency": currency, "amount": plain(units)} for currency, (_, units) in sums.items()],
    }


def _show(face: Face, workspace: Workspace) -> None:
    from apportion.cli.tables import Column, table
    from apportion.invoice import wording

    columns = [
        Column("Period"),
        Column("Rows", is_number=True),
        Column("Billed cost", is_number=True),
        Column("State", wraps=True),
    ]
    rows = []
    for period in workspace.periods():
        said = _STATES[state(workspace, period)]
        sums = billed(workspace, period) or {"": (0, 0)}
        for place, (currency, (charges, units)) in enumerate(sums.items()):
            amount = wording.rounded(units, currency) if currency else ""
            rows.append(["" if place else str(period), f"{charges:,}", amount, "" if place else said])
    face.show(table(columns, rows))
