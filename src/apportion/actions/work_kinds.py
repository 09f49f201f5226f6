"""Every kind of work that a worker can do, and how a person asks for it."""

from __future__ import annotations

from threading import Lock

from apportion.actions import (  # those that are not used here register kinds of their own
    auditing,  # noqa: F401
    closing,
    issuing,
    policy_simulation,  # noqa: F401
    posting,
    sealing,
    work_list,  # noqa: F401
)
from apportion.actions.acting import Actor
from apportion.actions.posting import Exported
from apportion.actions.working import Kind, Progress, Result, enqueue, register
from apportion.actions.workspace import workspace
from apportion.periods import BillingPeriod
from apportion.records.closes import Close
from apportion.records.documents import DocumentLine
from apportion.records.work import Work
from apportion.review.permission import Permission
from apportion.review.states import Issue

ALLOCATE, ISSUE, SEAL, EXPORT = "allocate", "issue", "seal", "export journal"
OF_A_CLOSE = (ALLOCATE, ISSUE, SEAL, EXPORT)
AT_ONCE = 20_000  # lines of documents that are added up or booked while a page waits


def ask_to_allocate(actor: Actor, period: BillingPeriod) -> Work:
    """Allocate a period in the background. Raises `ForbiddenError`."""
    return enqueue(actor, ALLOCATE, period=period)


def ask_to_issue(actor: Actor, period: BillingPeriod) -> Work:
    """Issue a period in the background; what `issue` would refuse is found out by then. Raises `ForbiddenError`."""
    return enqueue(actor, ISSUE, period=period)


def seal_or_ask(actor: Actor, period: BillingPeriod) -> Close | Work:
    """Seal a small period now, and have a large one sealed in the background. Raises what `sealing.seal` does."""
    rows = DocumentLine.objects.filter(document__period=str(period), document__issue_state=Issue.ISSUED)
    if rows.count() <= AT_ONCE:
        return sealing.seal(actor, period)
    return enqueue(actor, SEAL, period=period)


def export_or_ask(actor: Actor, period: BillingPeriod) -> Exported | Work:
    """Make a short journal now, and a long one in the background. Raises what `posting.export_journal` does."""
    rows = DocumentLine.objects.filter(document__in=posting.exportable(period))
    if rows.count() <= AT_ONCE:
        return posting.export_journal(actor, period)
    return enqueue(actor, EXPORT, period=period)


def _allocate(actor: Actor, work: Work, progress: Progress) -> Result:
    period = BillingPeriod.parse(work.period)
    rows = sum(file.rows for file in workspace().snapshot(period).files)
    read, lock = 0, Lock()

    def count(more: int) -> None:
        """Called by the engine's threads: `progress` only remembers, so none of them opens a connection."""
        nonlocal read
        with lock:
            read += more
            progress(min(read, rows), rows, "Reading charges")

    progress(0, rows, "Reading charges")
    close = closing.allocate(actor, period, count)
    return {"run": close.run_digest, "holds": close.tie_out.get("holds"), "statements": close.summary.get("statements")}


def _issue(actor: Actor, work: Work, progress: Progress) -> Result:
    done = issuing.issue(actor, BillingPeriod.parse(work.period), progress)
    return {"documents": done.documents, "made": done.made, "voided": done.voided, "was_before": done.was_before}


def _seal(actor: Actor, work: Work, progress: Progress) -> Result:
    progress(0, 0, "Reading charges")
    close = sealing.seal(actor, BillingPeriod.parse(work.period))
    return {"sealed": close.sealed_at is not None}


def _export(actor: Actor, work: Work, progress: Progress) -> Result:
    period = BillingPeriod.parse(work.period)
    if work.attempts > 1 and not posting.exportable(period).exists():
        return {}  # its worker ended after the journal was made
    progress(0, 0, "Writing documents")
    done = posting.export_journal(actor, period)
    return {"journal": done.journal.id, "documents": done.documents, "files": [path.name for path in done.files]}


register(Kind(ALLOCATE, Permission.PREPARE, _allocate))
register(Kind(ISSUE, Permission.ISSUE, _issue))
register(Kind(SEAL, Permission.SEAL, _seal))
register(Kind(EXPORT, Permission.POST, _export))
