"""One delivery into the workspace, once: under the lock, through a staged directory, all of it or nothing.

Takes paths as the user gives them, gives a receipt. The same delivery again changes nothing, and costs its hashes only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from apportion.ingest.copy import hash_of
from apportion.ingest.delivery import Found, find, source_name
from apportion.ingest.prepare import Supplied, delivery_id, prepare
from apportion.ingest.progress import Progress, Silent
from apportion.periods import BillingPeriod
from apportion.warehouse.record import Delivery, Mode, Quarantined
from apportion.warehouse.store import Committed, Workspace


@dataclass(frozen=True, slots=True)
class CostSums:
    """What was loaded in one currency, in units of 10⁻¹⁸; None for a cost that not all files have."""

    currency: str
    billed_units: int
    effective_units: int
    list_units: int | None
    contracted_units: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a delivery. `rows_delivered` = `rows_loaded` + `rows_quarantined` for Cost and Usage.

    `loaded` and `quarantined` are by currency; `replaced` are the ids of deliveries that are no longer current in some
    billing period because of this one.
    """

    delivery: Delivery
    status: Committed
    rows_delivered: int
    rows_loaded: int
    rows_quarantined: int
    loaded: tuple[CostSums, ...]
    quarantined: tuple[Quarantined, ...]
    findings: int
    replaced: tuple[str, ...]


def ingest(
    workspace: Workspace,
    paths: Sequence[str | Path],
    *,
    source: str | None = None,
    mode: Mode | None = None,
    assume: Mapping[str, str] | None = None,
    quarantine: bool | None = None,
    allow_shrink: bool = False,
    progress: Progress | None = None,
) -> Receipt:
    """Load one delivery from files, folders or globs.

    `source` defaults to the name of the first folder or file; what else is not given comes from the source's settings.
    Values of `assume` are constants, or ``=Column`` to take the value of another column. Raises every error of a
    delivery that cannot be loaded (`InputRefusedError` and those below it), `WorkspaceBusyError` and `StorageError`;
    nothing has changed then.
    """
    source = source or source_name(paths)
    settings = workspace.settings.source(source)
    supplied = Supplied(
        source,
        mode or Mode(settings.mode),
        {**settings.assume, **(assume or {})},
        tuple(settings.nulls),
        settings.quarantine if quarantine is None else quarantine,
        workspace.settings.currency,
    )
    progress = progress or Silent()
    with workspace.lock(f"ingest {source}"), workspace.staging() as staged:
        found = find(paths)
        progress.start(sum(file.path.stat().st_size for file in found.files))
        try:
            delivery = _known(workspace, found, supplied)
            if delivery is None:
                received_at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
                delivery = prepare(found, staged, supplied, received_at, progress)
        finally:
            progress.done()
        before = _current(workspace, delivery)
        status = workspace.commit_delivery(staged, delivery, allow_shrink=allow_shrink)
        replaced = before - _current(workspace, delivery) - {delivery.id}
    return receipt(workspace.delivery(delivery.id), status, tuple(sorted(replaced)))


def _known(workspace: Workspace, found: Found, supplied: Supplied) -> Delivery | None:
    """The delivery with the same content, if there is one. Files are only hashed where one has their sizes."""
    sizes = sorted(file.path.stat().st_size for file in found.files)
    known = [
        delivery
        for delivery in workspace.deliveries()
        if delivery.source == supplied.source and sorted(file.size for file in delivery.files) == sizes
    ]
    if not known:
        return None
    identity = delivery_id([(file, hash_of(file.path)) for file in found.files], supplied)
    return next((delivery for delivery in known if delivery.id == identity), None)


def _current(workspace: Workspace, delivery: Delivery) -> set[str]:
    """The current deliveries of the same source and dataset in the billing periods of a delivery."""
    periods = {*delivery.totals, *delivery.invoices, *delivery.statuses, *delivery.quarantined}
    held: list[BillingPeriod | None] = [*periods] or [None]
    return {
        other.id
        for period in held
        for other in workspace.current(period)
        if other.source == delivery.source and other.dataset is delivery.dataset
    }


def receipt(delivery: Delivery, status: Committed, replaced: tuple[str, ...] = ()) -> Receipt:
    """What there is to say about a delivery."""
    totals = [total for period in sorted(delivery.totals) for total in delivery.totals[period]]
    loaded = []
    for currency in sorted({total.currency for total in totals}):
        alike = [total for total in totals if total.currency == currency]
        loaded.append(
            CostSums(
                currency,
                sum(total.billed_units for total in alike),
                sum(total.effective_units for total in alike),
                _sum([total.list_units for total in alike]),
                _sum([total.contracted_units for total in alike]),
            )
        )
    aside = [rows for period in sorted(delivery.quarantined) for rows in delivery.quarantined[period]]
    quarantined = tuple(
        Quarantined(
            currency,
            sum(rows.rows for rows in aside if rows.currency == currency),
            sum(rows.billed_units for rows in aside if rows.currency == currency),
        )
        for currency in sorted({rows.currency for rows in aside})
    )
    delivered = sum(file.rows for file in delivery.files)
    rows_aside = sum(rows.rows for rows in quarantined)
    return Receipt(
        delivery,
        status,
        delivered,
        delivered - rows_aside,
        rows_aside,
        tuple(loaded),
        quarantined,
        len(delivery.findings),
        replaced,
    )


def _sum(parts: Sequence[int | None]) -> int | None:
    """A sum of which one part is unknown is unknown."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
