"""What processes of `push_process` can do: the month of the example company in books, its journals, and looking."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from apportion.periods import BillingPeriod
from tests.push_process import Steps

if TYPE_CHECKING:
    from apportion.records.journals import LedgerJournal

OCTOBER = BillingPeriod(2026, 10)


def warm() -> None:
    """Import all that acts need, and open nothing."""
    from apportion.actions.post import handing_over, journals  # noqa: F401
    from apportion.demo import people, review  # noqa: F401
    from apportion.post.erp import read_back  # noqa: F401


def done(command: dict[str, Any], steps: Steps) -> dict[str, Any]:
    """Do what a command says, in the books that it names; its value or its refusal, and the steps that it took."""
    from django.db import connection

    from apportion.errors import ApportionError
    from apportion.post.erp.pace import RealClock

    if command["books"]:
        connection.settings_dict["NAME"] = command["books"]
    if command.get("hasty"):  # no waiting between tries
        setattr(RealClock, "sleep", lambda _clock, _seconds: None)  # noqa: B010
    connection.ensure_connection()
    steps.watch()
    time.sleep(max(command.get("at", 0) - time.time(), 0))
    try:
        value = ACTS[command["act"]](**command["given"])
    except ApportionError as error:
        said = {"code": error.code, "sentence": error.sentence, "advice": error.advice}
        return {"refused": said, "steps": steps.names}
    except Exception:
        return {"broken": traceback.format_exc(), "steps": steps.names}
    return {"value": value, "steps": steps.names}


def issue() -> None:
    """The whole month in books that are empty: everybody is charged, nobody has accepted."""
    from apportion import organization
    from apportion.actions.close import charging, closing, issuing
    from apportion.actions.workspace import workspace
    from apportion.demo import people, review
    from apportion.records.groups import Charging, CostGroup

    place = workspace()
    review.begin(organization.read(place.root / place.settings.organization))
    closing.mark_data_complete(people.actor("analyst"), OCTOBER)
    closing.allocate(people.actor("analyst"), OCTOBER)
    people.appoint_executive()
    for group in CostGroup.objects.filter(is_current=True):
        charging.set_charging(people.actor("controller"), group.pk, Charging.CHARGEBACK, OCTOBER, "All of them pay.")
    issuing.issue(people.actor("controller"), OCTOBER)


def accept(groups: Sequence[str]) -> dict[str, list[str]]:
    """Accept documents of these groups, or with none of all; gives what the ledger must know for the rest of them."""
    from apportion.actions.post import journals
    from apportion.actions.review import accepting
    from apportion.demo import people
    from apportion.records.documents import Document

    rows = Document.objects.filter(period=str(OCTOBER), cost_group__isnull=False, review_state="awaiting_review")
    for row in rows.filter(cost_group__code__in=groups) if groups else rows:
        accepting.accept(people.actor("executive"), row.pk)
    found = journals.preview(OCTOBER)
    lines = [line for entry in found.entries for line in entry.postings] if found else []
    return {
        "accounts": sorted({line.account for line in lines}),
        "cost_center": sorted({line.cost_center for line in lines if line.cost_center}),
        "department": sorted({line.department for line in lines if line.department}),
    }


def draw_up(target: str, kind: str = "transfer") -> int:
    """The second controller's work."""
    from apportion.actions.post import journals
    from apportion.demo import people
    from apportion.post.lifecycle import JournalKind

    return journals.draw_up(people.actor("second-controller"), OCTOBER, JournalKind(kind), target).pk


def draw_up_reversal(journal: int) -> int:
    """Take a journal back."""
    from apportion.actions.post import journals
    from apportion.demo import people

    return journals.draw_up_reversal(people.actor("second-controller"), journal, "Booked in the wrong year").pk


def approve(journal: int) -> str:
    """The controller's work; gives its number."""
    from apportion.actions.post import journals
    from apportion.demo import people

    return str(journals.approve(people.actor("controller"), journal).label)


def ready(groups: Sequence[str], target: str) -> int:
    """Documents accepted, and a journal of them that was drawn up and approved."""
    accept(groups)
    made = draw_up(target)
    approve(made)
    return made


def push(journal: int) -> dict[str, Any]:
    """Push, and tell what came of it; and how many locks of the server are left by it."""
    from apportion.actions.post import handing_over
    from apportion.demo import people

    report = handing_over.push(people.actor("second-controller"), journal)
    numbers = [push.number for push in report.posted]
    return {"done": report.done, "already": report.already, "numbers": numbers, "locks": _locks()}


def _locks() -> int:
    """The server's locks that this process holds on; those of a closed connection go in a moment."""
    from django.db import connection

    left = 0
    for _ in range(100):
        if connection.vendor != "postgresql":
            break
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
                "(SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            left = cursor.fetchone()[0]
        if not left:
            break
        time.sleep(0.02)
    return left


def withdraw(journal: int) -> str:
    """Give it up."""
    from apportion.actions.post import journals
    from apportion.demo import people

    return str(journals.withdraw(people.actor("second-controller"), journal, "A line is wrong").state)


def look() -> dict[str, Any]:
    """How the books stand."""
    from apportion.records import chain
    from apportion.records.closes import Close
    from apportion.records.documents import Document
    from apportion.records.journals import LedgerJournal, LedgerPush

    journals = [_journal(row) for row in LedgerJournal.objects.order_by("pk")]
    rows = Document.objects.filter(period=str(OCTOBER), cost_group__isnull=False).order_by("pk")
    return {
        "journals": journals,
        "documents": [[row.cost_group.code, row.posting_state, row.ledger_reference] for row in rows if row.cost_group],
        "pushes": list(LedgerPush.objects.order_by("pk").values("key", "entry", "company", "state", "number", "round")),
        "posted": Close.objects.get(period=str(OCTOBER)).posted_at is not None,
        "breaks": len(chain.verify().breaks),
    }


def _journal(row: LedgerJournal) -> dict[str, Any]:
    """A journal's row, its parts, and its sums by company, account and center in the company's own currency."""
    from apportion.actions.post.journals import content

    postings = [(entry.id, line) for entry in content(row).entries for line in entry.postings]
    sums: dict[str, int] = {}
    for _, line in postings:
        place = f"{line.company} {line.account}"
        sums[place] = sums.get(place, 0) + (line.local.amount_minor if line.local else line.amount_minor)
    names = ("pk", "state", "label", "reference", "repair", "target", "kind", "reverses_id")
    parts = sorted({(entry, line.company) for entry, line in postings})
    return {**{name: getattr(row, name) for name in names}, "parts": parts, "sums": sums}


def read_back(journals: Sequence[int]) -> dict[str, Any]:
    """What the ledger holds of journals beside what we do, by account."""
    from apportion.actions.post import ledgers
    from apportion.actions.post.journals import content, journal_row
    from apportion.actions.workspace import workspace
    from apportion.post.erp.read_back import read_back as told

    rows = [journal_row(pk) for pk in journals]
    found = told(
        ledgers.pusher(rows[0].target), [content(row) for row in rows], workspace().settings.ledger.transferred_out
    )
    return {
        "differences": found.differences,
        "rows": [asdict(row) for row in found.rows],
        "passed_on": {f"{company} {currency}": amount for (company, currency), amount in found.passed_on.items()},
    }


ACTS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        issue,
        accept,
        draw_up,
        draw_up_reversal,
        approve,
        ready,
        push,
        withdraw,
        look,
        read_back,
    )
}
