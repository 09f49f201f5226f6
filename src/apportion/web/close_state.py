"""How far a period's close is: every step of the calendar with what is done, what blocks, and who is waited for.

Takes what the books and the workspace say; decides nothing. Sentences are in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apportion.actions import configured
from apportion.actions.close import calendars, close_sums
from apportion.actions.close.calendars import Said
from apportion.actions.close.close_sums import Books, Counts
from apportion.actions.close.delivery_facts import Delivered, delivered
from apportion.actions.work_kinds import OF_A_CLOSE
from apportion.periods import BillingPeriod
from apportion.records.closes import Close
from apportion.records.disputes import Dispute
from apportion.records.documents import Document
from apportion.records.journals import LedgerJournal
from apportion.records.ready import Ready
from apportion.records.work import Work, WorkState
from apportion.review.calendar import Row, Step
from apportion.review.deadlines import has_passed
from apportion.review.states import Review
from apportion.web import close_tie_out
from apportion.web.close_tie_out import Table
from apportion.web.words.figures import day
from apportion.web.words.told import told

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STEP_WORDS: Mapping[Step, _StrPromise] = {
    Step.DATA_COMPLETE: gettext_lazy("Data complete"),
    Step.RECONCILE: gettext_lazy("Reconcile with the providers' invoices"),
    Step.ALLOCATE: gettext_lazy("Allocate"),
    Step.ISSUE: gettext_lazy("Issue the documents"),
    Step.REVIEW: gettext_lazy("Review"),
    Step.POST: gettext_lazy("Post to the ledger"),
    Step.SEAL: gettext_lazy("Seal the period"),
}
_NAMED = 3


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the page of a period shows."""

    period: BillingPeriod
    close: Close
    delivered: Delivered
    tie_out: Table | None
    counts: Counts
    books: list[Books]
    disputes: list[Dispute]
    dispute_count: int
    silent: list[Document]
    journals: list[LedgerJournal]
    works: list[Work]
    stale: tuple[str, ...]
    rows: tuple[Row, ...]
    blocking: tuple[str, ...]

    @property
    def running(self) -> list[Work]:
        """Work that waits or runs."""
        return [work for work in self.works if work.state in (WorkState.WAITING, WorkState.RUNNING)]

    @property
    def failed(self) -> list[Work]:
        """Work whose last attempt failed, and that nothing has been done about since."""
        latest = {work.kind: work for work in reversed(self.works)}
        return [work for work in latest.values() if work.state == WorkState.FAILED]

    @property
    def is_issued(self) -> bool:
        """Whether all documents of the latest run are out."""
        close = self.close
        return close.issued_at is not None and close.issued_run_digest == close.run_digest


def state(period: BillingPeriod, today: date) -> State | None:
    """What there is of a period; None where nothing was ever delivered or done. At most 8 queries, most often 1."""
    close = _CLOSE.first([*OF_A_CLOSE, str(period)])
    stamp: str = getattr(close, "stamp", "") or ""
    may_work: bool = getattr(close, "any_work", True)  # where there is no close, nobody has asked yet
    came = delivered(period)
    if close is None and not came.sources:
        return None
    close = close or Close(period=str(period))
    key = close.period
    found = close_sums.figures(stamp, key, today) if close.issued_at else close_sums.Figures()
    counted, disputes, dispute_count = found.counts, list(found.disputes), found.dispute_count
    stale = _stale(close, came)
    tied = close_tie_out.table(close.tie_out)
    blocking = _blocking(close, counted, disputes, dispute_count, today)
    said = _said(came, tied, counted, dispute_count, stale, blocking)
    return State(
        period,
        close,
        came,
        tied,
        counted,
        list(found.books),
        disputes,
        dispute_count,
        list(found.silent),
        list(found.journals),
        _works(key) if may_work else [],
        stale,
        calendars.rows(close, counted, said, today),
        blocking,
    )


_CLOSE = Ready(
    Close,
    calendars.PEOPLE,
    "WHERE records_close.period = %s",
    {
        "stamp": "SELECT hash FROM records_audithead WHERE id = 1",  # as `records.stamp` says it, for `kept`
        "any_work": f"""
        EXISTS (SELECT 1 FROM records_work
        WHERE records_work.period = records_close.period AND kind IN ({", ".join(["%s"] * len(OF_A_CLOSE))}))
        """,
    },
    without=("tagged",),
)


def _works(period: str) -> list[Work]:
    rows = Work.objects.filter(period=period, kind__in=OF_A_CLOSE).select_related("created_by")
    return list(rows.order_by("-pk")[:6])


def _stale(close: Close, came: Delivered) -> tuple[str, ...]:
    """What the run was made from that has changed since; a sealed period asks for nothing any more."""
    if close.allocated_at is None or close.sealed_at is not None:
        return ()
    found = []
    if close.summary.get("snapshot_digest") not in (None, came.digest):
        found.append(_("Charges were delivered since it was allocated."))
    return tuple(found)


def _said(
    came: Delivered,
    tied: Table | None,
    counted: Counts,
    disputes: int,
    stale: tuple[str, ...],
    blocking: tuple[str, ...],
) -> Said:
    """What the calendar says, in the reader's language."""
    return Said(
        undelivered=() if came.is_anything else (_("Nothing was delivered yet."),),
        missed=tuple(source.name for source in came.missed),
        unreconciled=_unreconciled(came),
        is_stale=bool(stale),
        differences=tuple(tied.open_sentences[:_NAMED]) if tied is not None and not tied.holds else (),
        reviewers=_reviewers(counted, disputes),
        ledger=(_("the ledger's confirmation"),),
        blocking=blocking,
    )


def _unreconciled(came: Delivered) -> tuple[str, ...]:
    sentences = [f"{each.issuer} {each.number}".strip() + f": {told(each.sentence)}." for each in came.invoices]
    more = len(sentences) - _NAMED
    rest = [ngettext("And %d more.", "And %d more.", more) % more] if more > 0 else []
    return (*sentences[:_NAMED], *rest)


def _reviewers(counted: Counts, disputes: int) -> tuple[str, ...]:
    waiting, asked = counted.of(Review.AWAITING), []
    if waiting:
        asked.append(ngettext("%d document's owner", "the owners of %d documents", waiting) % waiting)
    if disputes:
        asked.append(ngettext("a decision on %d dispute", "decisions on %d disputes", disputes) % disputes)
    return tuple(asked)


def _blocking(
    close: Close, counted: Counts, disputes: list[Dispute], dispute_count: int, today: date
) -> tuple[str, ...]:
    """What stands in the way of sealing, as `actions.close.sealing.blocking` says it, from figures that are there."""
    if close.issued_at is None:
        return (_("Its documents are not issued."),)
    found = []
    if dispute_count:
        found.append(
            ngettext(
                "%(count)d dispute is not decided: %(first)s.",
                "%(count)d disputes are not decided, the first of %(first)s.",
                dispute_count,
            )
            % {"count": dispute_count, "first": disputes[0].document}
        )
    if counted.drafts:
        found.append(
            ngettext("%d credit or debit note is not issued.", "%d credit or debit notes are not issued.",
                     counted.drafts) % counted.drafts
        )  # fmt: skip
    if counted.unaccepted:
        found.append(
            ngettext("%d invoice or note is not accepted.", "%d invoices or notes are not accepted.",
                     counted.unaccepted) % counted.unaccepted
        )  # fmt: skip
    if counted.until is not None and not has_passed(counted.until, today):
        found.append(_("Statements are in review until %s.") % day(counted.until))
    wanted = configured.current().posting.before_seal
    left = counted.exportable + (counted.exported if wanted == "posted" else 0)
    if wanted != "nothing" and left:
        words = (
            ngettext("%d accepted invoice or note is not exported.", "%d accepted invoices or notes are not exported.",
                     left)
            if wanted == "exported"
            else ngettext("%d accepted invoice or note is not posted.", "%d accepted invoices or notes are not posted.",
                          left)
        )  # fmt: skip
        found.append(words % left)
    return tuple(found)


def late_words(row: Row) -> str:
    """How late a step is, or was."""
    return (
        ngettext("%d working day late", "%d working days late", row.days_late) % row.days_late if row.days_late else ""
    )


def today() -> date:
    """The day that a page is about."""
    return timezone.localdate()
