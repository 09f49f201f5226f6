"""Journals in the books: drawn up from what waits, approved by a second person, withdrawn, or taken back by another.

Handing them over to the ledger is in `handing_over`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apportion.actions.acting import Actor, Record, locked, person_of, recorded, require_second_person
from apportion.actions.close.closing import close_of
from apportion.actions.post import ledgers, posting
from apportion.actions.post.ledgers import FILES, ledger_for, pusher
from apportion.actions.words import said
from apportion.actions.workspace import workspace
from apportion.close.journals import counted
from apportion.close.journals import made as made_from_run
from apportion.close.month import posting_calendar, require_ledger_takes
from apportion.errors import BadValueError, ConservationError, NotFoundError
from apportion.invoice.paper import PaperKind
from apportion.invoice.series import fiscal_year
from apportion.ledger.entry import EntryKind
from apportion.periods import BillingPeriod
from apportion.post import journal as post_journal
from apportion.post import rules
from apportion.post.erp.book import ENDED
from apportion.post.formats import json_text
from apportion.post.journal import Journal
from apportion.post.lifecycle import PENDING, PERMISSION, JournalAct, JournalKind, JournalState, step
from apportion.records.documents import Document, Series
from apportion.records.journals import LedgerJournal, LedgerPush
from apportion.review.states import Issue, Posting, StateError
from apportion.warehouse.store import Workspace

_PREFIX = "JV"
_NOTHING = {
    JournalKind.TRANSFER: "Only accepted invoices and notes in chargeback are, each once.",
    JournalKind.TRUE_UP: "It takes back accruals that are posted, each once.",
}


def content(row: LedgerJournal) -> Journal:
    """The journal itself. Raises `ConservationError` where the books were changed behind our back."""
    try:
        found = json_text.parse(row.body)
    except BadValueError:
        found = None
    if found is None or found.digest != row.digest:
        raise ConservationError(
            f"Journal {row} is not what was drawn up: its digest is another.",
            advice="Somebody changed the database. Run `apportion audit verify` and bring it back from a backup.",
        )
    return found


def journal_row(pk: int) -> LedgerJournal:
    """A journal by its row. Raises `NotFoundError`."""
    row = LedgerJournal.objects.filter(pk=pk).first()
    if row is None:
        raise NotFoundError("There is no such journal.", advice="Choose one in the list of journals.")
    return row


def preview(
    period: BillingPeriod, kind: JournalKind = JournalKind.TRANSFER, known: Sequence[Journal] | None = None
) -> Journal | None:
    """The journal that would be drawn up now; None where nothing waits. Raises what making it raises.

    `known` is what `known_journals` gives, for whoever looks at several kinds: reading them takes its time.
    """
    place = workspace()
    documents = posting.exportable(period).select_related("body").order_by("pk")
    rows = list(documents) if kind is JournalKind.TRANSFER else []
    return _made(place, kind, period, rows, _day(place, period), known)


def known_journals() -> list[Journal]:
    """Every journal that was not withdrawn, in the order they were drawn up: nothing of them is journaled again."""
    return [content(row) for row in LedgerJournal.objects.exclude(state=JournalState.WITHDRAWN).order_by("pk")]


def require_taken(found: Journal) -> None:
    """Raise `JournalRefusedError` for every line of a previewed journal that drawing it up would refuse."""
    _require_taken(workspace(), found)


def draw_up(
    actor: Actor, period: BillingPeriod, kind: JournalKind = JournalKind.TRANSFER, target: str = ""
) -> LedgerJournal:
    """Make a journal of everything that waits, for a target (by default the one that takes this kind).

    Nobody draws up the transfer of what they allocated themselves. Raises `ForbiddenError`, `SamePersonError`,
    `StateError` where nothing waits, `InputRefusedError` while another journal waits at the target, `UnmappedError` for
    missing codes, and `JournalRefusedError` for what the ledger would not take.
    """
    person_of(actor)
    actor.rights.require(PERMISSION)
    place = workspace()
    wanted = ledger_for(place.settings, kind, target)
    with recorded(actor, "draw up journal") as record:
        close_of(period)
        _require_free(wanted)
        rows = list(posting.exportable(period).select_for_update(of=("self",)).select_related("body").order_by("pk"))
        found = _made(place, kind, period, rows, _day(place, period))
        if found is None:
            raise StateError(f"Nothing of {period} waits to be exported.", advice=_NOTHING.get(kind, ""))
        return _kept(actor, record, place, found, kind, wanted, rows if kind is JournalKind.TRANSFER else ())


def approve(actor: Actor, journal: int) -> LedgerJournal:
    """A second person has looked at it: it takes its number, and may be handed over.

    Raises `ForbiddenError`, `SamePersonError`, `JournalStateError`, and `JournalRefusedError` for what the ledger would
    not take any more.
    """
    person = person_of(actor)
    actor.rights.require(PERMISSION)
    place = workspace()
    with recorded(actor, "approve journal") as record:
        row = locked(LedgerJournal, journal)
        after = step(JournalState(row.state), JournalAct.APPROVE)
        require_second_person(actor, row.drawn_up_by_id)
        found = content(row)
        ledgers.require_ready(place, row.target)
        _require_taken(place, found)
        series, number = _number(place, found)
        row.state, row.approved_at, row.approved_by = after, timezone.now(), person
        row.series, row.number, row.label = series, number.count, str(number)
        row.save(update_fields=["state", "approved_at", "approved_by", "series", "number", "label"])
        record.about(row)
        record.changed({}, {"state": row.state, "number": row.label, "digest": row.digest})
    return row


def withdraw(actor: Actor, journal: int, reason: str) -> LedgerJournal:
    """Give up a journal that is not posted: its drafts in the ledger are deleted, and its documents wait again.

    Raises `ForbiddenError`, `JournalStateError`, `InputRefusedError` without a reason and where something of it is
    posted already, and `TargetError`s when the ledger cannot be asked: then nothing is changed here.
    """
    person_of(actor)
    actor.rights.require(PERMISSION)
    words = said(reason, "reason", "Say why the ledger does not get it.")
    row = journal_row(journal)
    step(JournalState(row.state), JournalAct.WITHDRAW)
    found = content(row)
    _require_standing(row, found, "Bring this one to its end: it is needed there.")
    # A push that has begun ends first, and none begins until the books say that there is nothing to be pushed.
    with ledgers.alone(row.target, found) as book:
        if _was_pushed(row, found):
            pusher(row.target, book).withdraw(found)
        with recorded(actor, "withdraw journal", reason=words) as record:
            row = locked(LedgerJournal, journal)
            row.state = step(JournalState(row.state), JournalAct.WITHDRAW)
            row.ended_at, row.reason = timezone.now(), words
            row.save(update_fields=["state", "ended_at", "reason"])
            if row.kind == JournalKind.TRANSFER:
                posting.recall(actor, posting.in_journal(found.period, row.journal_id, Posting.EXPORTED))
            record.about(row)
            record.changed({}, {"state": row.state})
    return row


def draw_up_reversal(actor: Actor, journal: int, reason: str) -> LedgerJournal:
    """Make the journal that takes a posted one back: each entry mirrored and linked, approved and handed over like any.

    It is posted on the day of the first where that is still open, else on the first open day after it. Raises as
    `draw_up` does, `JournalStateError` unless the first is posted, and `StateError` for what is taken back already.
    """
    person_of(actor)
    actor.rights.require(PERMISSION)
    words = said(reason, "reason", "Say why: an auditor will ask.")
    place = workspace()
    with recorded(actor, "draw up reversal", reason=words) as record:
        first = locked(LedgerJournal, journal)
        step(JournalState(first.state), JournalAct.REVERSE)
        _require_free(first.target)
        was = content(first)
        if first.kind == JournalKind.REVERSAL:
            raise StateError(
                f"Journal {first} is itself the reversal of {first.reverses}.",
                advice="What that one held waits again: draw it up anew.",
            )
        if first.kind == JournalKind.TRANSFER:
            _require_whole(first, was)
        _require_standing(first, was, "Draw up the accrual anew if its amount has changed: it holds the difference.")
        found = post_journal.reversal(was, _reversed_on(place, was), posting.taken_ids(was.period))
        return _kept(actor, record, place, found, JournalKind.REVERSAL, first.target, (), first, words)


def _reversed_on(place: Workspace, was: Journal) -> date:
    calendar = _calendar(place)
    last = max(_days(was))
    period = BillingPeriod.of(last)
    return last if calendar.takes(period) else calendar.posting_on(period)


def _require_standing(row: LedgerJournal, found: Journal, advice: str) -> None:
    """Raise `StateError` where a true-up takes an accrual of the journal back: an entry is taken back once.

    A true-up that is not posted can be withdrawn; else `advice` says what helps.
    """
    own = {entry.id for entry in found.entries if entry.kind is EntryKind.ACCRUAL}
    if not own:
        return
    others = LedgerJournal.objects.filter(kind=JournalKind.TRUE_UP).exclude(state=JournalState.WITHDRAWN)
    for other in others.filter(pk__gt=row.pk).order_by("pk"):
        if any(entry.reverses in own for entry in content(other).entries):
            raise StateError(
                f"Journal {other} takes back what journal {row} accrued.",
                advice="Withdraw that one first." if other.state in PENDING else advice,
            )


def _require_whole(row: LedgerJournal, found: Journal) -> None:
    """What was reversed by hand is not taken back a second time."""
    there = set(posting.labels_in(row.journal_id))
    if gone := sorted(posting.named_in(found) - there):
        raise StateError(
            f"{gone[0]} of this journal was reversed by itself.",
            advice="Have finance reverse the others by hand too, and say so on each document.",
        )


def journals(period: BillingPeriod | None = None) -> QuerySet[LedgerJournal]:
    """Journals, newest first, with the people of their acts."""
    found = LedgerJournal.objects.select_related("drawn_up_by", "approved_by", "handed_over_by", "reverses")
    found = found.filter(period=str(period)) if period else found
    return found.defer("body").order_by("-pk")


def _made(
    place: Workspace,
    kind: JournalKind,
    period: BillingPeriod,
    rows: Sequence[Document],
    day: date | None,
    known: Sequence[Journal] | None = None,
) -> Journal | None:
    if kind is JournalKind.TRANSFER:
        return posting.transfer(rows, day) if rows else None
    known = known_journals() if known is None else known
    if kind is JournalKind.TRUE_UP:
        known = _without_waiting_accruals(known)
    if kind is JournalKind.SHOWBACK:
        shown = Document.objects.filter(period=str(period), issue_state=Issue.ISSUED, kind=PaperKind.STATEMENT)
        documents = posting.postable(list(shown.select_related("body").order_by("pk")))
        return counted(documents, place.settings, known, posting.mapping_of(place, period)) if documents else None
    return made_from_run(kind, place, place.settings, period, day, known)


def _without_waiting_accruals(known: Sequence[Journal]) -> list[Journal]:
    """What may still be withdrawn is not taken back: neither an accrual that waits, nor one that is entered again."""
    rows = LedgerJournal.objects.filter(state__in=PENDING)
    adding = rows.filter(Q(kind=JournalKind.ACCRUAL) | Q(reverses__kind=JournalKind.TRUE_UP))
    waiting = set(adding.values_list("journal_id", flat=True))
    return [each for each in known if each.id not in waiting]


def _kept(
    actor: Actor,
    record: Record,
    place: Workspace,
    found: Journal,
    kind: JournalKind,
    target: str,
    rows: Sequence[Document],
    reverses: LedgerJournal | None = None,
    reason: str = "",
) -> LedgerJournal:
    """Check what was made, keep it, and send its documents along."""
    _require_taken(place, found)
    person = person_of(actor)
    row = LedgerJournal(
        period=str(found.period),
        kind=kind,
        target=target,
        journal_id=found.id,
        digest=found.digest,
        body=json_text.render(found),
        reverses=reverses,
        reason=reason,
        drawn_up_at=timezone.now(),
        drawn_up_by=person,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        _require_free(target)  # somebody else drew one up at the same moment
        raise StateError(
            f"Journal {found.id} is at {target} already.", advice="Look at it in the list of journals."
        ) from error
    posting.send(actor, person, rows, found.id)
    record.about(row)
    record.changed(
        {}, {"journal": found.id, "target": target, "digest": found.digest, "documents": [each.label for each in rows]}
    )
    return row


def _require_free(target: str) -> None:
    pending = LedgerJournal.objects.filter(target=target, state__in=PENDING).values_list("journal_id", flat=True)
    rules.require_none_pending("the ledger" if target == FILES else target, set(pending))


def _require_taken(place: Workspace, found: Journal) -> None:
    rules.require(found, _calendar(place))
    require_ledger_takes(place.settings, place.root, found)


def _calendar(place: Workspace) -> rules.PostingCalendar:
    return posting_calendar(place.settings, place.root, timezone.localdate())


def _day(place: Workspace, period: BillingPeriod) -> date | None:
    """The posting day where it is not the last of the period, as it mostly is."""
    day = _calendar(place).posting_on(period)
    return None if day == period.ends_on - timedelta(days=1) else day


def _days(found: Journal) -> list[date]:
    """The posting days of all entries."""
    return [entry.posting_on for entry in found.entries] + [entry.posting_on for entry in found.statistical]


def _number(place: Workspace, found: Journal) -> tuple[Series, rules.JournalNumber]:
    """The next number of the payer's journals in the fiscal year; the series is locked until the act ends."""
    year = fiscal_year(BillingPeriod.of(min(_days(found))), place.settings.fiscal_year_starts)
    company = place.settings.payer.company
    name = f"journals of {company} FY{year:04d}"  # with blanks, so that no series of documents is called the same
    Series.objects.get_or_create(name=name)
    series = Series.objects.select_for_update().get(name=name)
    series.last_number += 1
    series.save(update_fields=["last_number"])
    return series, rules.JournalNumber(_PREFIX, company, year, series.last_number)


def _was_pushed(row: LedgerJournal, found: Journal) -> bool:
    entries = [entry.id for entry in found.entries]
    pushes = LedgerPush.objects.filter(target=row.target, entry__in=entries)
    return pushes.exclude(state__in=ENDED).exists()
