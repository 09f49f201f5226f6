"""Every kind of work that a worker can do, and how a person asks for it."""

from __future__ import annotations

from threading import Lock

from apportion.actions.acting import Actor
from apportion.actions.close import closing, issuing, sealing
from apportion.actions.post import handing_over, journals, ledgers, posting
from apportion.actions.working import Kind, Progress, Result, enqueue, register
from apportion.actions.workspace import workspace
from apportion.periods import BillingPeriod
from apportion.post.erp.pace import Pace
from apportion.post.erp.report import PushReport
from apportion.post.lifecycle import JournalKind
from apportion.records.closes import Close
from apportion.records.documents import DocumentLine
from apportion.records.journals import LedgerJournal
from apportion.records.work import Work
from apportion.review.permission import Permission
from apportion.review.states import Issue

ALLOCATE, ISSUE, SEAL, DRAW_UP, PUSH = "allocate", "issue", "seal", "draw up journal", "push journal"
OF_A_CLOSE = (ALLOCATE, ISSUE, SEAL, DRAW_UP, PUSH)
AT_ONCE = 20_000  # lines of documents that are added up or booked while a page waits
WHILE_A_PAGE_WAITS = Pace(tries=3, seconds=5)  # and a person presses again
PUSHED_AT_ONCE = 200  # lines of a journal that a ledger is sent while a page waits


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


def draw_up_or_ask(
    actor: Actor, period: BillingPeriod, kind: JournalKind = JournalKind.TRANSFER, target: str = ""
) -> LedgerJournal | Work:
    """Make a short journal now, and a long one in the background. Raises what `journals.draw_up` does."""
    rows = DocumentLine.objects.filter(document__in=posting.exportable(period))
    if kind is not JournalKind.TRANSFER or rows.count() <= AT_ONCE:
        return journals.draw_up(actor, period, kind, target)
    ledgers.ledger_for(workspace().settings, kind, target)
    return enqueue(actor, DRAW_UP, period=period, arguments={"kind": kind, "target": target})


def push_or_ask(actor: Actor, row: LedgerJournal) -> PushReport | Work:
    """Push a short journal now, and a long one in the background. Raises what `handing_over.push` does."""
    lines = sum(len(entry.postings) for entry in journals.content(row).entries)
    if lines <= PUSHED_AT_ONCE:
        return handing_over.push(actor, row.pk, WHILE_A_PAGE_WAITS)
    period = BillingPeriod.parse(row.period)
    return enqueue(actor, PUSH, key=f"{PUSH} {row.pk}", period=period, arguments={"journal": row.pk})


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


def _draw_up(actor: Actor, work: Work, progress: Progress) -> Result:
    period = BillingPeriod.parse(work.period)
    if work.attempts > 1 and not posting.exportable(period).exists():
        return {}  # its worker ended after the journal was made
    progress(0, 0, "Writing documents")
    kind, target = JournalKind(work.arguments["kind"]), str(work.arguments["target"])
    return {"journal": journals.draw_up(actor, period, kind, target).pk}


def _push(actor: Actor, work: Work, progress: Progress) -> Result:
    progress(0, 0, "Pushing to the ledger")
    report = handing_over.push(actor, int(work.arguments["journal"]))
    return {"posted": len(report.posted), "rejected": len(report.rejected)}


register(Kind(ALLOCATE, Permission.PREPARE, _allocate))
register(Kind(ISSUE, Permission.ISSUE, _issue))
register(Kind(SEAL, Permission.SEAL, _seal))
register(Kind(DRAW_UP, Permission.POST, _draw_up))
register(Kind(PUSH, Permission.POST, _push))
