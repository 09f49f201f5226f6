"""A journal put into the books as it is, for tests of pages and routes: no act could have made all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils import timezone

from apportion.ledger.entry import Entry, Posting
from apportion.periods import BillingPeriod
from apportion.post.formats import json_text
from apportion.post.journal import Journal, of_entries
from apportion.post.lifecycle import JournalKind, JournalState
from apportion.records.journals import LedgerJournal
from apportion.records.people import Person

PERIOD = BillingPeriod(2026, 10)
DAY = date(2026, 10, 31)
_PENDING = (JournalState.DRAWN_UP, JournalState.APPROVED)


def transfer(lines: int = 3, name: str = "JN-TEST", ref: str = "ST-1") -> Journal:
    """One entry: this many lines of a growing amount, and one that takes them off the payer."""
    made = [
        Posting("6100", "1000", f"{number:04d}", "1", "USD", 100 * number, f"Cloud cost: group {number}", ref)
        for number in range(1, lines + 1)
    ]
    total = sum(line.amount_minor for line in made)
    out = Posting("6199", "1000", "9900", "000", "USD", -total, "Cloud cost transferred out")
    return of_entries(PERIOD, [Entry(f"{name}-0001", DAY, DAY, "Cloud cost transfer 2026-10", (*made, out))])


def put(
    found: Journal,
    by: Person,
    second: Person,
    state: JournalState = JournalState.HANDED_OVER,
    *,
    target: str = "files",
    kind: JournalKind = JournalKind.TRANSFER,
    number: int = 1,
    repair: Sequence[dict[str, object]] = (),
) -> LedgerJournal:
    """A row of it, drawn up by one person and as far as `state` by a second."""
    now = timezone.now()
    row = LedgerJournal(
        period=str(found.period),
        kind=kind,
        target=target,
        journal_id=found.id,
        digest=found.digest,
        body=json_text.render(found),
        state=state,
        drawn_up_by=by,
        drawn_up_at=now,
        repair=list(repair),
    )
    if state is not JournalState.DRAWN_UP:
        row.approved_by, row.approved_at, row.label = second, now, f"JV-1000-FY2026-{number:06d}"
    if state not in _PENDING:
        row.handed_over_by, row.handed_over_at = second, now
    if state in (JournalState.POSTED, JournalState.REVERSED):
        row.posted_at, row.reference = now, "GL-1"
    row.save(force_insert=True)
    return row
