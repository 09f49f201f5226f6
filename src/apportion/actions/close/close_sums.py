"""The figures of a period's close, added up by the database: documents by state, amounts by currency, who waits.

Reads only. A period of 5,000 documents comes back as a few rows for each question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count, Max, Sum

from apportion.actions.close.charging import MONTHLY
from apportion.allocate.rule import Holder
from apportion.invoice.credit_note import NOTES
from apportion.invoice.paper import PaperKind
from apportion.post.lifecycle import JournalState
from apportion.records.closes import Close
from apportion.records.disputes import UNDECIDED, Dispute
from apportion.records.documents import Document, DocumentTotal
from apportion.records.journals import LedgerJournal
from apportion.records.stamp import kept
from apportion.review.states import Issue, Posting, Review

ACCEPTED = (Review.ACCEPTED, Review.DEEMED)
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Counts:
    """How many documents of a period there are.

    `review` counts issued documents that a cost group reviews, by state. Of what is charged (invoices and notes):
    `charged` in all, `unaccepted`, and those accepted that are `exportable`, `exported` or `posted`. `drafts` are notes
    that are not issued; `until` is the last day on which a statement that awaits review can be answered.
    """

    review: Mapping[str, int] = field(default_factory=dict)
    issued: int = 0
    charged: int = 0
    unaccepted: int = 0
    exportable: int = 0
    exported: int = 0
    posted: int = 0
    drafts: int = 0
    until: date | None = None
    reviewed_at: datetime | None = None

    @property
    def reviewers(self) -> int:
        """How many documents somebody reviews."""
        return sum(self.review.values())

    def of(self, state: Review) -> int:
        """How many of them are in this state."""
        return self.review.get(state, 0)


def counts(period: str, today: date) -> Counts:
    """One query."""
    rows = (
        Document.objects.filter(period=period)
        .exclude(issue_state=Issue.VOIDED)
        .values_list("kind", "issue_state", "review_state", "posting_state", "showback", "holder")
        .annotate(count=Count("pk"), until=Max("review_until"), at=Max("reviewed_at"))
        .order_by()
    )
    review: dict[str, int] = defaultdict(int)
    sums: dict[str, int] = defaultdict(int)
    last: date | None = None
    instants: list[datetime] = []
    for kind, issue, state, posting, showback, holder, count, until, at in rows:
        is_central = holder != Holder.COST_GROUP
        if issue == Issue.OPEN:
            sums["drafts"] += count if kind in NOTES else 0
            continue
        sums["issued"] += count
        if not is_central:
            review[state] += count
            instants += [at] if at else []
            if kind == PaperKind.STATEMENT and state == Review.AWAITING and until and until >= today:
                last = max(last or until, until)
        if kind != PaperKind.STATEMENT and not showback:
            sums["charged"] += count
            if state not in ACCEPTED:
                sums["unaccepted"] += count
            elif posting in (Posting.UNPOSTED, Posting.REVERSED):
                sums["exportable"] += 0 if is_central else count
            else:
                sums["exported" if posting == Posting.EXPORTED else "posted"] += count
    return Counts(dict(review), until=last, reviewed_at=max(instants, default=None), **sums)


@dataclass(slots=True)
class Books:
    """The books of a period in one currency, minor units. `reviewed` and the rest divide `issued` plus `notes`.

    `run` is what the run came to; `central` is what nobody reviews: unallocated and kept central.
    """

    currency: str
    run: int = 0
    issued: int = 0
    notes: int = 0
    accepted: int = 0
    deemed: int = 0
    disputed: int = 0
    awaiting: int = 0
    central: int = 0
    posted: int = 0
    exported: int = 0
    not_posted: int = 0

    @property
    def whole(self) -> int:
        """All that is out."""
        return self.issued + self.notes

    @property
    def difference(self) -> int:
        """What the documents differ by from the run."""
        return self.issued - self.run

    @property
    def agrees(self) -> bool:
        """Whether documents are the run, and each stands in one state of review and one of posting."""
        reviewed = self.accepted + self.deemed + self.disputed + self.awaiting + self.central
        return not self.difference and self.whole == reviewed == self.posted + self.exported + self.not_posted


def books(close: Close) -> list[Books]:
    """By currency of the documents, the largest first; nothing before they are issued. One query."""
    if close.issued_at is None:
        return []
    found: dict[str, Books] = {}
    for currency, minor in close.summary.get("totals", {}).items():
        found[currency] = Books(currency, run=minor)
    rows = (
        DocumentTotal.objects.filter(document__period=close.period, document__issue_state=Issue.ISSUED)
        .values_list(
            "currency",
            "document__kind",
            "document__review_state",
            "document__posting_state",
            "document__holder",
        )
        .annotate(minor=Sum("amount_minor"))
        .order_by()
    )
    names = {
        Review.ACCEPTED: "accepted",
        Review.DEEMED: "deemed",
        Review.DISPUTED: "disputed",
        Review.AWAITING: "awaiting",
    }
    for currency, kind, review, posting, holder, minor in rows:
        row = found.setdefault(currency, Books(currency))
        where = "central" if holder != Holder.COST_GROUP else names.get(Review(review), "awaiting")
        ledger = posting if posting in (Posting.POSTED, Posting.EXPORTED) else "not_posted"
        for name in ("issued" if kind in MONTHLY else "notes", where, str(ledger)):
            setattr(row, name, getattr(row, name) + minor)
    return sorted(found.values(), key=lambda row: -abs(row.whole))


def undecided(period: str) -> tuple[list[Dispute], int]:
    """The first of the disputes that are not decided, and how many there are. Two queries, one where there is none."""
    rows = (
        Dispute.objects.filter(document__period=period, state__in=UNDECIDED)
        .exclude(document__issue_state=Issue.VOIDED)
        .select_related("document")
        .order_by("pk")
    )
    first = list(rows[:SHOWN])
    return first, rows.count() if len(first) == SHOWN else len(first)


def silent(period: str) -> list[Document]:
    """The first of the documents that nobody has answered, by deadline. One query."""
    rows = Document.objects.filter(
        period=period, issue_state=Issue.ISSUED, review_state=Review.AWAITING, cost_group__isnull=False
    )
    return list(rows.select_related("cost_group").order_by("review_until", "cost_group__number", "pk")[:SHOWN])


@dataclass(frozen=True, slots=True)
class Figures:
    """All of this for an issued period; `disputes` and `silent` are the first few."""

    counts: Counts = field(default_factory=Counts)
    books: tuple[Books, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    dispute_count: int = 0
    silent: tuple[Document, ...] = ()
    journals: tuple[LedgerJournal, ...] = ()


@kept(most=24)
def figures(stamp: str, period: str, today: date) -> Figures:
    """What the page of an issued period adds up, kept until the next act. At most 6 queries."""
    counted = counts(period, today)
    disputes, count = undecided(period)
    return Figures(
        counted,
        tuple(books(Close.objects.get(period=period))),
        tuple(disputes),
        count,
        tuple(silent(period)) if counted.of(Review.AWAITING) else (),
        tuple(journals(period)),
    )


def journals(period: str) -> list[LedgerJournal]:
    """The journals of a period that were not withdrawn. One query."""
    rows = LedgerJournal.objects.filter(period=period).exclude(state=JournalState.WITHDRAWN)
    return list(rows.defer("body").order_by("pk"))


def progress(periods: list[str]) -> dict[str, dict[str, int]]:
    """For a list of closes: how many monthly documents are in each state of review, by period. One query."""
    rows = (
        Document.objects.filter(
            period__in=periods, issue_state=Issue.ISSUED, kind__in=MONTHLY, cost_group__isnull=False
        )
        .values_list("period", "review_state")
        .annotate(count=Count("pk"))
        .order_by()
    )
    found: dict[str, dict[str, int]] = {period: {} for period in periods}
    for period, state, count in rows:
        found[period][state] = count
    return found
