"""Documents on their way into the ledger: what waits, the journal that it makes, and their states as it moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db.models import QuerySet
from django.utils import timezone

from apportion.actions.acting import Actor, Record, person_of, recorded
from apportion.actions.moving import move
from apportion.actions.notices import telling
from apportion.actions.post import ledgers
from apportion.actions.words import said
from apportion.actions.workspace import workspace
from apportion.close import run as runs
from apportion.close.month import ledger_mapping, own_quotes, posting_accounts
from apportion.invoice.paper import PaperKind
from apportion.organization.cost_group import Tree
from apportion.periods import BillingPeriod
from apportion.post.document import PostableDocument, of_paper
from apportion.post.journal import Journal, journal
from apportion.post.lifecycle import JournalKind, JournalState
from apportion.post.mapping import LedgerMapping
from apportion.records import convert, reach
from apportion.records.closes import Close
from apportion.records.documents import Document
from apportion.records.journals import LedgerJournal
from apportion.records.people import Person
from apportion.review.states import Act, Issue, Posting, Review, StateError
from apportion.warehouse.store import Workspace

_ACCEPTED = (Review.ACCEPTED, Review.DEEMED)


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


def in_journal(period: BillingPeriod, journal_id: str, state: Posting) -> list[Document]:
    """The documents of a journal that are in this state, locked until the transaction ends."""
    found = Document.objects.filter(period=str(period), journal=journal_id, posting_state=state)
    return list(found.select_for_update().order_by("pk"))


def labels_in(journal_id: str) -> list[str]:
    """The numbers of the documents that are posted with a journal."""
    found = Document.objects.filter(journal=journal_id, posting_state=Posting.POSTED, label__isnull=False)
    return [str(label) for label in found.values_list("label", flat=True)]


def made_from(row: LedgerJournal, found: Journal) -> list[Document]:
    """The documents that a transfer was made from, with their bodies.

    Those that say so; and those that its lines name and that another transfer has now, because finance reversed them by
    hand and they were posted anew.
    """
    named = named_in(found)
    others = LedgerJournal.objects.filter(period=row.period, kind=JournalKind.TRANSFER)
    others = others.exclude(state=JournalState.WITHDRAWN).exclude(journal_id=row.journal_id)
    elsewhere = Document.objects.filter(period=row.period, journal__in=others.values("journal_id"))
    moved = [pk for pk, label in elsewhere.values_list("pk", "label") if label in named]
    own = Document.objects.filter(period=row.period, journal=row.journal_id).exclude(posting_state=Posting.UNPOSTED)
    rows = [*own.select_related("body"), *Document.objects.filter(pk__in=moved).select_related("body")]
    return sorted(rows, key=lambda each: each.pk)


def named_in(found: Journal) -> set[str]:
    """The numbers of the documents that a journal's lines name."""
    return {name for entry in found.entries for line in entry.postings for name in line.documents}


def postable(rows: Sequence[Document]) -> list[PostableDocument]:
    """The documents as the accounting core takes them."""
    return [of_paper(convert.paper(row)) for row in rows]


def transfer(rows: Sequence[Document], posting_on: date | None = None) -> Journal:
    """The cost transfer of documents of one period. Raises `UnmappedError` and `MissingRateError`."""
    place = workspace()
    documents = postable(rows)
    period = documents[0].period
    quotes = {}
    if place.settings.ledger.currencies:
        quotes = own_quotes(place.settings, documents, runs.current(place, period).exchange)
    mapping = mapping_of(place, period)
    taken = taken_ids(period)
    return journal(documents, posting_accounts(place.settings), mapping, posting_on, quotes, taken)


def taken_ids(period: BillingPeriod) -> frozenset[str]:
    """The ids of a period's journals, of whatever target; one that was withdrawn gives its id back."""
    rows = LedgerJournal.objects.filter(period=str(period)).exclude(state=JournalState.WITHDRAWN)
    return frozenset(rows.values_list("journal_id", flat=True))


def mapping_of(place: Workspace, period: BillingPeriod) -> LedgerMapping:
    """By the tree that the period's documents were made with; it is asked for only where dimensions are."""
    if not place.settings.ledger.dimensions:
        return ledger_mapping(place.settings, Tree([]))
    _, _, organization = runs.frozen(place, period)
    return ledger_mapping(place.settings, organization.during(period.starts_on, period.ends_on))


def send(actor: Actor, person: Person, rows: Sequence[Document], journal_id: str) -> None:
    """They are in a journal now. Nobody sends what they allocated themselves. Raises what `moving.move` raises."""
    for row in rows:
        row.journal, row.exported_by = journal_id, person
        row.save(update_fields=["journal", "exported_by"])
        move(actor, row, Act.EXPORT, Record())


def recall(actor: Actor, rows: Sequence[Document]) -> None:
    """Their journal was withdrawn: they wait again."""
    for row in rows:
        move(actor, row, Act.RECALL, Record())


def posted(actor: Actor, person: Person, rows: Sequence[Document], close: Close, reference: str) -> None:
    """The ledger has them, under its own number. When all of the period is posted, its close says so."""
    for row in rows:
        move(actor, row, Act.POST, Record())
        row.ledger_reference = reference
        row.save(update_fields=["ledger_reference"])
    rest = Document.objects.filter(period=close.period, issue_state=Issue.ISSUED, showback=False)
    if not rest.exclude(kind=PaperKind.STATEMENT).exclude(posting_state=Posting.POSTED).exists():
        close.posted_at, close.posted_by = timezone.now(), person
        close.save(update_fields=["posted_at", "posted_by"])
    telling.posted(rows)


def reversed_in_ledger(actor: Actor, rows: Sequence[Document]) -> None:
    """Their journal was taken back by another, which two people have looked at: no third has to."""
    for row in rows:
        move(actor, row, Act.REVERSE, Record(), prepared_by=())
    _not_all_posted({row.period for row in rows})


def reverse(actor: Actor, document: int, reason: str) -> Document:
    """Finance has reversed one document's posting by hand. It may be exported anew, or be put right by a note.

    Whoever exported or allocated it does not reverse it. Raises what acts raise, and `StateError` for what a push has
    posted: that is reversed by a journal, which the ledger is seen to have taken.
    """
    person_of(actor)
    reach.document(actor.rights, document)
    words = said(reason, "reason", "Say why: an auditor will ask.")
    with recorded(actor, "reverse", reason=words) as record:
        row = Document.objects.select_for_update().get(pk=document)
        _require_by_hand(row)
        move(actor, row, Act.REVERSE, record, prepared_by=(row.prepared_by_id, row.exported_by_id))
        _not_all_posted({row.period})
        record.changed({"journal": row.journal, "reference": row.ledger_reference}, {})
    return row


def _require_by_hand(row: Document) -> None:
    posted_by = LedgerJournal.objects.filter(journal_id=row.journal, state=JournalState.POSTED).defer("body").first()
    if posted_by is not None and not ledgers.of_files(workspace().settings, posted_by.target):
        raise StateError(
            f"{row} was pushed to '{posted_by.target}' with journal {posted_by}.",
            advice="Reverse that journal: the ledger is asked whether it has.",
        )


def _not_all_posted(periods: set[str]) -> None:
    Close.objects.filter(period__in=periods, sealed_at__isnull=True).update(posted_at=None, posted_by=None)
