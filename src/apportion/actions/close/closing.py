"""The first steps of a close: the data is complete, and the period is allocated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from django.db import transaction
from django.utils import timezone

from apportion.actions.access.organization import sync_tree
from apportion.actions.acting import Actor, recorded
from apportion.actions.workspace import workspace
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder
from apportion.close import figures as run_figures
from apportion.close import month as months
from apportion.close import run as runs
from apportion.close.month import Month
from apportion.errors import InputRefusedError
from apportion.periods import BillingPeriod
from apportion.records.closes import Close
from apportion.review.permission import Permission
from apportion.review.states import StateError
from apportion.tie_out import document as tie_out_document
from apportion.warehouse.store import Workspace


def close_of(period: BillingPeriod) -> Close:
    """The period's close, locked until the transaction ends; made where there is none yet."""
    Close.objects.get_or_create(period=str(period))
    return Close.objects.select_for_update().get(period=str(period))


def require_open(place: Workspace, close: Close) -> None:
    """Raises `StateError` where the period is sealed, in the books or in the workspace."""
    if close.sealed_at or place.sealed(BillingPeriod.parse(close.period)) is not None:
        raise StateError(
            f"Billing period {close.period} is sealed.", advice="A seal is for ever: correct in an open period."
        )


def mark_data_complete(actor: Actor, period: BillingPeriod) -> Close:
    """Somebody says that every provider has delivered the period. Said again, nothing changes.

    Raises `ForbiddenError`, `InputRefusedError` where nothing was delivered, and `StateError` for a sealed period.
    """
    actor.rights.require(Permission.PREPARE)
    place = workspace()
    if period not in place.periods():
        raise InputRefusedError(
            f"Nothing was delivered for {period}.", advice="Load its deliveries first: apportion ingest PATH"
        )
    with recorded(actor, "mark data complete") as record:
        close = close_of(period)
        if close.data_complete_at:
            return close
        require_open(place, close)
        close.data_complete_at, close.data_complete_by = timezone.now(), actor.person
        close.save(update_fields=["data_complete_at", "data_complete_by"])
        record.about(close)
        deliveries = sorted(delivery.id for delivery in place.current(period))
        record.changed({"data_complete": False}, {"data_complete": True, "deliveries": deliveries})
    return close


def allocate(actor: Actor, period: BillingPeriod, progress: Callable[[int], None] = lambda _: None) -> Close:
    """Allocate a period, tie it out, and bring what it came to, and the tree, into the books.

    `progress` is told charges as they are read. The same inputs give the same run, and then whoever allocated it first
    stays who prepared it. Raises `ForbiddenError`, `StateError` for a sealed period, and what allocation raises.
    """
    actor.rights.require(Permission.PREPARE)
    place = workspace()
    with transaction.atomic():
        require_open(place, close_of(period))
    done = months.month(place, runs.allocate(place, period, progress))
    figures = run_figures.figures(place, done.run)
    with transaction.atomic():
        sync_tree(actor, done.run.tree, period)
        return _record(actor, place, done, figures)


def adopt(actor: Actor, done: Month) -> Close:
    """Bring a run that was made on the command line into the books, prepared by the actor."""
    place = workspace()
    figures = run_figures.figures(place, done.run)
    with transaction.atomic():
        sync_tree(actor, done.run.tree, done.run.period)
        return _record(actor, place, done, figures)


def _record(actor: Actor, place: Workspace, done: Month, figures: Mapping[str, object]) -> Close:
    with recorded(actor, "allocate") as record:
        close = close_of(done.run.period)
        require_open(place, close)
        if close.run_digest == done.run.digest:
            return close
        before = {"run": close.run_digest, "tie_out_holds": close.tie_out.get("holds")}
        close.run_digest, close.tie_out, close.summary = done.run.digest, tie_out_document(done.tie_out), _summary(done)
        close.tagged = figures.get("tagged", {})
        close.summary["figures"] = {name: found for name, found in figures.items() if name != "tagged"}
        close.allocated_at, close.allocated_by = timezone.now(), actor.person
        close.save(update_fields=["run_digest", "tie_out", "summary", "tagged", "allocated_at", "allocated_by"])
        record.about(close)
        record.changed(before, {"run": close.run_digest, "tie_out_holds": done.tie_out.holds})
    return close


def _summary(done: Month) -> dict[str, object]:
    """Figures of a run for lists; amounts are minor units by currency."""
    holders = {UNALLOCATED: "unallocated", KEPT_CENTRAL: "kept_central"}
    sums: dict[str, dict[str, int]] = {"totals": {}, "unallocated": {}, "kept_central": {}, "shared": {}}
    for statement in done.statements:
        name = holders.get(statement.holder)
        for total in statement.totals:
            for key in filter(None, ("totals", name)):
                sums[key][total.currency] = sums[key].get(total.currency, 0) + total.minor
        for line in statement.lines:
            if line.pool_id:
                stated = line.stated
                sums["shared"][stated.currency] = sums["shared"].get(stated.currency, 0) + stated.minor
    allocation = done.run.allocation
    groups = sum(statement.holder.holder is Holder.COST_GROUP for statement in done.statements)
    return {
        "statements": len(done.statements),
        "cost_groups": groups,
        "lines": sum(len(statement.lines) for statement in done.statements),
        "rows": sum(cell.rows for cell in allocation.cells),
        "main_currency": _main_currency(done),
        **sums,
        "cost_basis": str(allocation.cost_basis),
        "policy_digest": allocation.policy_digest,
        "organization_digest": allocation.organization_digest,
        "snapshot_digest": allocation.snapshot_digest,
        "journal": {"id": done.journal.id, "entries": len(done.journal.entries)},
        "open_differences": len(done.tie_out.open_differences),
    }


def _main_currency(done: Month) -> str:
    """The currency that most lines are in: what a measure is shown in where there are several."""
    counts = Counter(line.stated.currency for statement in done.statements for line in statement.lines)
    return max(sorted(counts), key=lambda code: counts[code], default="")
