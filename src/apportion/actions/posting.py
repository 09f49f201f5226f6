"""Into the ledger: accepted invoices and notes become a balanced journal, each once; confirmed, or reversed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db.models import QuerySet
from django.utils import timezone

from apportion.actions import telling
from apportion.actions.acting import Actor, Record, person_of, recorded
from apportion.actions.closing import close_of
from apportion.actions.moving import move
from apportion.actions.words import one_line, said
from apportion.actions.workspace import workspace
from apportion.close import run as runs
from apportion.close.month import ledger_mapping, own_quotes, posting_accounts, require_ledger_takes
from apportion.errors import InputRefusedError, Place
from apportion.invoice.paper import PaperKind
from apportion.organization.cost_group import Tree
from apportion.periods import BillingPeriod
from apportion.post.document import of_paper
from apportion.post.export import write_journal
from apportion.post.journal import Journal, journal
from apportion.post.mapping import LedgerMapping
from apportion.records import convert, reach
from apportion.records.closes import Close
from apportion.records.documents import Document
from apportion.records.people import Person
from apportion.review.permission import Permission
from apportion.review.states import Act, Issue, Posting, Review, StateError
from apportion.warehouse.store import Workspace

FOLDER = "journals"
_ACCEPTED = (Review.ACCEPTED, Review.DEEMED)


@dataclass(frozen=True, slots=True)
class Exported:
    """A journal, where its files are, and how many documents are in it."""

    journal: Journal
    files: tuple[Path, ...]
    documents: int


def exportable(period: BillingPeriod) -> QuerySet[Document]:
    """The documents of a period that can go into the ledger and are not there or on their way."""
    return Document.objects.filter(
        period=str(period),
        issue_state=Issue.ISSUED,
        review_state__in=_ACCEPTED,
        posting_state__in=(Posting.UNPOSTED, Posting.REVERSED),
        showback=False,
        cost_group__isnull=False,
    ).exclude(kind=PaperKind.STATEMENT)


def exported(period: BillingPeriod, journal_id: str = "") -> QuerySet[Document]:
    """The documents of a period that are on their way into the ledger, of one journal or of all."""
    found = Document.objects.filter(period=str(period), posting_state=Posting.EXPORTED)
    return found.filter(journal=journal_id) if journal_id else found


def preview(period: BillingPeriod) -> Journal | None:
    """The journal that an export would make now; None where nothing waits. Raises `UnmappedError`."""
    rows = list(exportable(period).select_related("body").order_by("pk"))
    return _journal(rows) if rows else None


def export_journal(actor: Actor, period: BillingPeriod) -> Exported:
    """Make the journal of everything accepted that is not in the ledger, write its files, and mark it as exported.

    Nobody exports what they allocated themselves. Raises `ForbiddenError`, `SamePersonError`, `StateError` where
    nothing waits, `UnmappedError` for missing codes, and `JournalRefusedError` for what the ledger would not take.
    """
    person = person_of(actor)
    actor.rights.require(Permission.POST)
    place = workspace()
    with recorded(actor, "export journal") as record:
        close = close_of(period)
        rows = list(exportable(period).select_for_update(of=("self",)).select_related("body").order_by("pk"))
        if not rows:
            raise StateError(
                f"Nothing of {period} waits to be exported.",
                advice="Only accepted invoices and notes in chargeback are, each once.",
            )
        made = _journal(rows)
        require_ledger_takes(place.settings, place.root, made)
        for row in rows:
            row.journal, row.exported_by = made.id, person
            row.save(update_fields=["journal", "exported_by"])
            move(actor, row, Act.EXPORT, Record())
        directory = place.root / FOLDER / str(period) / made.id
        files = write_journal(made, directory)
        record.about(close)
        record.changed({}, {"journal": made.id, "digest": made.digest, "documents": [row.label for row in rows]})
    return Exported(made, files, len(rows))


def recall(actor: Actor, period: BillingPeriod, journal_id: str, reason: str) -> int:
    """Take an exported journal back that the ledger did not take; gives how many documents wait again."""
    person_of(actor)
    words = said(reason, "reason", "Say why the ledger did not take it.")
    return _moved(actor, period, "recall journal", Act.RECALL, exported(period, journal_id), words)


def confirm_posted(actor: Actor, period: BillingPeriod, reference: str, journal_id: str = "") -> int:
    """The ledger has taken what was exported, under its own number; gives how many documents that is.

    When all of the period is posted, its close says so. Raises `ForbiddenError`, `StateError` where nothing is exported
    and `InputRefusedError` without a reference.
    """
    person = person_of(actor)
    number = one_line(reference, 200)
    if not number:
        raise InputRefusedError(
            "There is no reference.", place=Place(field="reference"), advice="Write the number that the ledger gave."
        )
    actor.rights.require(Permission.POST)
    with recorded(actor, "confirm posted") as record:
        close = close_of(period)
        rows = list(exported(period, journal_id).select_for_update().order_by("pk"))
        _require_some(rows, period, Act.POST)
        for row in rows:
            move(actor, row, Act.POST, Record())
            row.ledger_reference = number
            row.save(update_fields=["ledger_reference"])
        _note_posted(close, person)
        record.about(close)
        record.changed({}, {"posted": [row.label for row in rows], "reference": number})
        telling.posted(rows)
    return len(rows)


def reverse(actor: Actor, document: int, reason: str) -> Document:
    """The ledger has reversed one document's posting. It may be exported anew, or be put right by a note.

    Whoever exported or allocated it does not reverse it. Raises what acts raise.
    """
    person_of(actor)
    reach.document(actor.rights, document)
    words = said(reason, "reason", "Say why: an auditor will ask.")
    with recorded(actor, "reverse", reason=words) as record:
        row = Document.objects.select_for_update().get(pk=document)
        move(actor, row, Act.REVERSE, record, prepared_by=(row.prepared_by_id, row.exported_by_id))
        Close.objects.filter(period=row.period, sealed_at__isnull=True).update(posted_at=None, posted_by=None)
        record.changed({"journal": row.journal, "reference": row.ledger_reference}, {})
    return row


def _moved(actor: Actor, period: BillingPeriod, name: str, act: Act, rows: QuerySet[Document], reason: str) -> int:
    actor.rights.require(Permission.POST)
    with recorded(actor, name, reason=reason) as record:
        close = close_of(period)
        found = list(rows.select_for_update().order_by("pk"))
        _require_some(found, period, act)
        for row in found:
            move(actor, row, act, Record())
        record.about(close)
        record.changed({}, {"documents": [row.label for row in found], "journals": sorted({r.journal for r in found})})
    return len(found)


def _require_some(rows: Sequence[Document], period: BillingPeriod, act: Act) -> None:
    if not rows:
        raise StateError(f"Nothing of {period} is exported.", advice="Export its journal first.")


def _note_posted(close: Close, person: Person) -> None:
    rest = Document.objects.filter(period=close.period, issue_state=Issue.ISSUED, showback=False).exclude(
        kind=PaperKind.STATEMENT
    )
    if not rest.exclude(posting_state=Posting.POSTED).exists():
        close.posted_at, close.posted_by = timezone.now(), person
        close.save(update_fields=["posted_at", "posted_by"])


def _journal(rows: Sequence[Document]) -> Journal:
    place = workspace()
    documents = [of_paper(convert.paper(row)) for row in rows]
    period = documents[0].period
    quotes = {}
    if place.settings.ledger.currencies:
        quotes = own_quotes(place.settings, documents, runs.current(place, period).exchange)
    return journal(documents, posting_accounts(place.settings), _mapping(place, period), quotes=quotes)


def _mapping(place: Workspace, period: BillingPeriod) -> LedgerMapping:
    """By the tree that the period's documents were made with; it is asked for only where dimensions are."""
    if not place.settings.ledger.dimensions:
        return ledger_mapping(place.settings, Tree([]))
    _, _, organization = runs.frozen(place, period)
    return ledger_mapping(place.settings, organization.during(period.starts_on, period.ends_on))
