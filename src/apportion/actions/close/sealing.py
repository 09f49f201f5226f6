"""Sealing a period for ever: when nothing of it is undecided and the books tie out."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apportion.actions.acting import Actor, Record, append, person_of, recorded, timer
from apportion.actions.close.charging import MONTHLY
from apportion.actions.close.closing import close_of
from apportion.actions.close.tying import books_tie_out
from apportion.actions.workspace import workspace
from apportion.close import month as months
from apportion.close import run as runs
from apportion.close.month import Month
from apportion.invoice.credit_note import NOTES
from apportion.invoice.paper import PaperKind
from apportion.periods import BillingPeriod
from apportion.records.closes import Close
from apportion.records.disputes import UNDECIDED, Dispute
from apportion.records.documents import Document
from apportion.review.deadlines import has_passed
from apportion.review.permission import Permission
from apportion.review.states import Issue, Posting, Review, StateError
from apportion.settings import Settings
from apportion.warehouse.store import Workspace

_ACCEPTED = (Review.ACCEPTED, Review.DEEMED)
_DONE = {"exported": (Posting.EXPORTED, Posting.POSTED), "posted": (Posting.POSTED,)}


def blocking(period: BillingPeriod, settings: Settings) -> tuple[str, ...]:
    """What stands in the way of sealing, in sentences, without the tie-out; nothing where nothing does. Six queries."""
    close = Close.objects.filter(period=str(period)).first()
    if close is None or close.issued_at is None:
        return ("Its documents are not issued.",)
    documents = Document.objects.filter(period=str(period), issue_state=Issue.ISSUED)
    disputes = Dispute.objects.filter(document__period=str(period), state__in=UNDECIDED)
    open_disputes = disputes.exclude(document__issue_state=Issue.VOIDED).select_related("document").order_by("pk")
    first = open_disputes.first()
    found = []
    if first is not None:
        where = f"line {first.line} of {first.document}" if first.line else str(first.document)
        count = open_disputes.count()
        named = _first(where, count)
        found.append(f"{_count(count, 'dispute is', 'disputes are')} not decided: {named}.")
    drafts = Document.objects.filter(period=str(period), kind__in=NOTES, issue_state=Issue.OPEN).count()
    if drafts:
        found.append(f"{_count(drafts, 'credit or debit note is', 'credit or debit notes are')} not issued.")
    invoices = documents.exclude(kind=PaperKind.STATEMENT).filter(showback=False)
    if waiting := list(invoices.exclude(review_state__in=_ACCEPTED).order_by("number").values_list("label", flat=True)):
        named = _first(waiting[0], len(waiting))
        found.append(f"{_count(len(waiting), 'invoice or note is', 'invoices or notes are')} not accepted: {named}.")
    found += _unread(documents, first is not None)
    if wanted := _DONE.get(settings.posting.before_seal):
        left = invoices.filter(review_state__in=_ACCEPTED).exclude(posting_state__in=wanted)
        if count := left.exclude(totals__isnull=True).count():
            what = _count(count, "accepted invoice or note is", "accepted invoices or notes are")
            found.append(f"{what} not {settings.posting.before_seal}.")
    return tuple(found)


def seal(actor: Actor, period: BillingPeriod, *, done: Month | None = None, place: Workspace | None = None) -> Close:
    """Seal a period, in the books and in the workspace. Sealed already, nothing happens.

    `done` is what the period's run came to, and `place` the workspace, where the caller has them at hand. Raises
    `ForbiddenError`, `StateError` with everything that stands in the way, and `TieOutError` where the run or the books
    do not tie out.
    """
    person = person_of(actor)
    actor.rights.require(Permission.SEAL)
    place = place or workspace()
    with recorded(actor, "seal") as record:
        close = close_of(period)
        if close.sealed_at:
            return close
        if reasons := blocking(period, place.settings):
            raise StateError(
                f"{period} cannot be sealed. {' '.join(reasons)}", advice="Settle that first; then seal it."
            )
        run = runs.up_to_date(place, period)
        if done is None or done.run.digest != run.digest:
            done = months.month(place, run)
        done.tie_out.require()
        books_tie_out(period).require()
        now = timezone.now()
        close.sealed_at, close.sealed_by = now, person
        if not close.posted_at and _is_posted(period):
            close.posted_at, close.posted_by = now, person
        close.save(update_fields=["sealed_at", "sealed_by", "posted_at", "posted_by"])
        record.about(close)
        sealed = months.sealed_record(done)
        record.changed({"sealed": False}, {"sealed": True, **sealed})
        # The workspace keeps its seal for ever, so the books write theirs first: what fails there undoes both.
        place.seal(period, place.sealed(period) or sealed)
    return close


def reconcile_seals() -> list[str]:
    """Periods that the workspace has sealed and the books have not: a process was killed between the two.

    Their close is marked as sealed; gives those periods.
    """
    place = workspace()
    found = []
    with transaction.atomic():
        for close in Close.objects.select_for_update().filter(issued_at__isnull=False, sealed_at__isnull=True):
            if place.sealed(BillingPeriod.parse(close.period)) is not None:
                close.sealed_at = timezone.now()
                close.save(update_fields=["sealed_at"])
                record = Record()
                record.about(close)
                record.changed({"sealed": False}, {"sealed": True})
                append(timer(), "note seal", record)
                found.append(close.period)
    return found


def _unread(documents: QuerySet[Document], disputed: bool) -> list[str]:
    """Showback statements need no acceptance, but their time."""
    today = timezone.localdate()
    waiting = documents.filter(kind=PaperKind.STATEMENT, review_state=Review.AWAITING, cost_group__isnull=False)
    last = waiting.order_by("-review_until").values_list("review_until", flat=True).first()
    if last is None or has_passed(last, today):
        return []
    still = waiting.filter(review_until__gte=today).count()
    return [f"{_count(still, 'statement is', 'statements are')} in review until {last:%Y-%m-%d}."]


def _is_posted(period: BillingPeriod) -> bool:
    invoices = Document.objects.filter(period=str(period), issue_state=Issue.ISSUED, kind__in=MONTHLY)
    return not invoices.filter(kind=PaperKind.INVOICE).exclude(posting_state=Posting.POSTED).exists()


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _first(name: str | None, number: int) -> str:
    """The one that is named, and whether there are others."""
    return f"{name}, …" if number > 1 else str(name)
