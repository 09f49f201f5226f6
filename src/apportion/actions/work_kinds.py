"""Every kind of work that a worker can do, and how a person asks for it."""

from __future__ import annotations

from threading import Lock

from apportion.actions import (  # those that are not used here register kinds of their own
    auditing,  # noqa: F401
    closing,
    issuing,
    policy_simulation,  # noqa: F401
    work_list,  # noqa: F401
)
from apportion.actions.acting import Actor
from apportion.actions.working import Kind, Progress, Result, enqueue, register
from apportion.actions.workspace import workspace
from apportion.periods import BillingPeriod
from apportion.records.work import Work
from apportion.review.permission import Permission

ALLOCATE, ISSUE = "allocate", "issue"


def ask_to_allocate(actor: Actor, period: BillingPeriod) -> Work:
    """Allocate a period in the background. Raises `ForbiddenError`."""
    return enqueue(actor, ALLOCATE, period=period)


def ask_to_issue(actor: Actor, period: BillingPeriod) -> Work:
    """Issue a period in the background; what `issue` would refuse is found out by then. Raises `ForbiddenError`."""
    return enqueue(actor, ISSUE, period=period)


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


register(Kind(ALLOCATE, Permission.PREPARE, _allocate))
register(Kind(ISSUE, Permission.ISSUE, _issue))
