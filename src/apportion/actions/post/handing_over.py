"""Approved journals on their way into the ledger: as files that a person carries, or by a push; and confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from django.utils import timezone

from apportion.actions.acting import Actor, Record, locked, person_of, recorded
from apportion.actions.close.closing import close_of
from apportion.actions.post import ledgers, posting
from apportion.actions.post.journals import content, journal_row
from apportion.actions.post.push_book import unsent
from apportion.actions.words import one_line
from apportion.actions.workspace import workspace
from apportion.errors import InputRefusedError, Place
from apportion.invoice.export import write_files
from apportion.post.erp import opening_files
from apportion.post.erp.book import Push, PushState
from apportion.post.erp.opening import format_of, options_of
from apportion.post.erp.pace import Pace
from apportion.post.erp.push import Pusher
from apportion.post.erp.report import PushReport
from apportion.post.export import generic_files
from apportion.post.journal import Journal
from apportion.post.lifecycle import PERMISSION, JournalAct, JournalKind, JournalState, JournalStateError, step
from apportion.records.journals import LedgerJournal
from apportion.records.kinds import CODE_LENGTH
from apportion.review.states import Posting
from apportion.warehouse.store import Workspace

FOLDER = "journals"


def folder_of(place: Workspace, row: LedgerJournal) -> Path:
    """Where its files are written."""
    return place.root / FOLDER / row.period / row.journal_id


def rendered(row: LedgerJournal) -> Mapping[str, bytes]:
    """The files of a journal, the same bytes each time. Raises what its target's format refuses, by line."""
    place = workspace()
    found = content(row)
    if row.target == ledgers.FILES:
        return generic_files(found)
    wanted = ledgers.found(place.settings, row.target)
    options = options_of(wanted, place.settings.ledger.currencies, place.root)
    return opening_files.rendered(format_of(wanted), found, options)


def export(actor: Actor, journal: int) -> tuple[LedgerJournal, tuple[Path, ...]]:
    """Write an approved journal's files into the workspace, for a person to carry to the ledger.

    Once more gives the same files. Raises `ForbiddenError`, `JournalStateError`, `InputRefusedError` for a target that
    is pushed to, and `BadValueError` for what the format cannot carry, with its line: then nothing is changed.
    """
    person_of(actor)
    actor.rights.require(PERMISSION)
    place = workspace()
    row = journal_row(journal)
    if not ledgers.of_files(place.settings, row.target):
        raise InputRefusedError(
            f"'{row.target}' is no target of files.", place=Place(field="target"), advice="Push the journal to it."
        )
    step(JournalState(row.state), JournalAct.HAND_OVER)
    files = rendered(row)
    with recorded(actor, "export journal") as record:
        row = _handed_over(actor, journal, record)
        paths = write_files(files, folder_of(place, row))
        record.changed({}, {"files": sorted(files)})
    return row, paths


def push(actor: Actor, journal: int, pace: Pace | None = None) -> PushReport:
    """Bring an approved journal into its ledger, or complete what an earlier push has begun.

    `pace` says how long a ledger that does not answer is waited for.

    What the ledger refuses comes back in the report, and stays as the journal's repair list. When all of it is seen
    posted there, the journal and its documents are. Raises `ForbiddenError`, `JournalStateError`, `InputRefusedError`
    for a target of files, and `TargetError`s when the ledger does not answer: the same push, run again, completes it.
    """
    person_of(actor)
    actor.rights.require(PERMISSION)
    row = journal_row(journal)
    if ledgers.of_files(workspace().settings, row.target):
        raise InputRefusedError(
            "This journal's target takes files.", place=Place(field="target"), advice="Export it, and confirm it."
        )
    step(JournalState(row.state), JournalAct.HAND_OVER)
    found = content(row)
    with ledgers.alone(row.target, found) as book:
        run = ledgers.pusher(row.target, book, pace)
        if journal_row(journal).state == JournalState.POSTED:  # by another push, for whose end we waited
            return _as_posted(run, found)
        with recorded(actor, "push journal") as record:
            _handed_over(actor, journal, record)
        report = run.push(found)
        _noted(actor, journal, report, answers=run.target.traits.answers)
    return report


def confirm(actor: Actor, journal: int, reference: str) -> LedgerJournal:
    """A person says that the ledger has taken a journal, under its own number.

    Raises `ForbiddenError`, `InputRefusedError` without a reference, and `JournalStateError`, also before all of it was
    sent to where it is pushed, and for a ledger that answers: that is asked by pushing, not by people.
    """
    person_of(actor)
    number = one_line(reference, CODE_LENGTH)
    if not number:
        raise InputRefusedError(
            "There is no reference.", place=Place(field="reference"), advice="Write the number that the ledger gave."
        )
    actor.rights.require(PERMISSION)
    row = journal_row(journal)
    step(JournalState(row.state), JournalAct.CONFIRM)
    if not ledgers.of_files(workspace().settings, row.target):
        _confirm_pushes(row, content(row), number)
    with recorded(actor, "confirm posted") as record:
        row = locked(LedgerJournal, journal)
        _posted(actor, row, number, record)
    return row


def _handed_over(actor: Actor, journal: int, record: Record) -> LedgerJournal:
    row = locked(LedgerJournal, journal)
    before = row.state
    row.state = step(JournalState(row.state), JournalAct.HAND_OVER)
    row.handed_over_at, row.handed_over_by = timezone.now(), person_of(actor)
    row.save(update_fields=["state", "handed_over_at", "handed_over_by"])
    record.about(row)
    record.changed({"state": before}, {"state": row.state, "target": row.target, "digest": row.digest})
    return row


def _as_posted(run: Pusher, found: Journal) -> PushReport:
    """What another push has done, as the books have it."""
    parts = sorted({(entry.id, line.company) for entry in found.entries for line in entry.postings})
    pushes = [run.book.latest(run.target.name, *part) for part in parts]
    posted = tuple(push for push in pushes if push is not None)
    return PushReport(found.id, posted, len(posted), statistical=len(found.statistical))


def _noted(actor: Actor, journal: int, report: PushReport, *, answers: bool) -> None:
    """What came of a push. Where there is no money in it, another push may have noted it first."""
    with recorded(actor, "journal was pushed") as record:
        row = locked(LedgerJournal, journal)
        if row.state == JournalState.POSTED:
            return
        row.repair = [asdict(each) for each in report.rejected]
        row.save(update_fields=["repair"])
        if report.done and answers:
            _posted(actor, row, _numbers(report.posted), record)
            return
        record.about(row)
        record.changed({}, {"repair": row.repair, "sent": [push.key for push in report.posted]})


def _posted(actor: Actor, row: LedgerJournal, reference: str, record: Record) -> None:
    row.state = step(JournalState(row.state), JournalAct.CONFIRM)
    row.posted_at, row.reference, row.repair = timezone.now(), reference, []
    row.save(update_fields=["state", "posted_at", "reference", "repair"])
    record.about(row)
    found = content(row)
    if row.kind == JournalKind.TRANSFER:
        documents = posting.in_journal(found.period, row.journal_id, Posting.EXPORTED)
        posting.posted(actor, person_of(actor), documents, close_of(found.period), reference)
    elif row.reverses_id is not None:
        _taken_back(actor, row.reverses_id, found, record)
    record.changed({}, {"state": row.state, "reference": reference})


def _taken_back(actor: Actor, journal: int, found: Journal, record: Record) -> None:
    first = locked(LedgerJournal, journal)
    first.state, first.ended_at = step(JournalState(first.state), JournalAct.REVERSE), timezone.now()
    first.save(update_fields=["state", "ended_at"])
    if first.kind == JournalKind.TRANSFER:
        posting.reversed_in_ledger(actor, posting.in_journal(found.period, first.journal_id, Posting.POSTED))
    record.changed({}, {"reversed": str(first)})


def _confirm_pushes(row: LedgerJournal, found: Journal, number: str) -> None:
    run = ledgers.pusher(row.target)
    if run.target.traits.answers:
        raise JournalStateError(
            f"'{row.target}' says itself what it has posted.", advice="Push the journal again: it is looked up there."
        )
    if missing := unsent(row.target, found):
        raise JournalStateError(
            f"Not all of this journal was sent to '{row.target}'.",
            place=Place(missing[0][0]),
            advice="Push it to its end, then confirm it.",
        )
    for entry in found.entries:
        for company in sorted({line.company for line in entry.postings}):
            last = run.book.latest(row.target, entry.id, company)
            if last is not None and last.state is not PushState.POSTED:
                run.confirm(entry.id, company, number)


def _numbers(pushes: tuple[Push, ...]) -> str:
    """The ledger's numbers, as many as there is room for."""
    names = list(dict.fromkeys(push.number for push in pushes if push.number))
    said = ", ".join(names)
    if len(said) <= CODE_LENGTH:
        return said
    return f"{names[0]} … {names[-1]} ({len(names)})"[:CODE_LENGTH]
