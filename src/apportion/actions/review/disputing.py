"""Disputing a document or one of its lines, and taking that back."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from apportion.actions import configured
from apportion.actions.acting import Actor, locked, person_of, recorded
from apportion.actions.moving import lock, move, situation
from apportion.actions.notices import telling
from apportion.actions.review.attaching import Upload, attached
from apportion.actions.review.reviewing import leave_disputes, subject
from apportion.actions.words import said
from apportion.errors import InputRefusedError, Place
from apportion.records import convert, objections, reach
from apportion.records.disputes import UNDECIDED, Dispute, DisputeState
from apportion.records.documents import Document
from apportion.review import dispute as core
from apportion.review.states import Act, Issue

_WHY = "Write what is wrong, so that others can look into it."


def dispute(
    actor: Actor,
    document: int,
    *,
    line: int | None,
    reason: str,
    text: str,
    claimed_minor: int | None = None,
    currency: str = "",
    attachments: Sequence[Upload] = (),
) -> Dispute:
    """Object to a line, or to the whole document (with `line` None; in several currencies, one is named).

    Nothing claimed means all that remains. Raises `NotFoundError`, `ForbiddenError`, `StateError`, a `DisputeError`
    (`ClaimError`, `DisputedAlreadyError` …), or `AttachmentError`; then nothing is kept, no file either.
    """
    person = person_of(actor)
    reach.document(actor.rights, document)
    why, words = _reason(reason), said(text, "text", _WHY)
    with attached(attachments) as files, recorded(actor, "dispute", reason=words) as record:
        row = lock(document)
        silence = configured.silence()
        now = situation(row, silence)
        # What is wrong with the claim itself is only said to those who may dispute, in a state that allows it.
        move(actor, row, Act.DISPUTE, record, silence)
        made = core.raise_dispute(
            convert.paper(row),
            now,
            objections.disputes_of(row),
            objections.notes_about(row),
            line=line,
            reason=why,
            text=words,
            by=str(person.pk),
            at=timezone.now(),
            claimed_minor=claimed_minor,
            currency=currency,
        )
        objection = Dispute.objects.create(
            document=row,
            line=made.line,
            reason=made.reason,
            text=made.text,
            currency=made.currency,
            amount_minor=made.claimed_minor,
            opened_by=person,
        )
        kept = files.keep(row, objection, person)
        subject(record, row, objection)
        record.changed(
            {},
            {
                "dispute": objection.pk,
                "line": made.line,
                "reason": str(made.reason),
                "claimed_minor": made.claimed_minor,
                "currency": made.currency,
                "attachments": [{"name": each.name, "sha256": each.digest} for each in kept],
            },
        )
        telling.disputed(objection, actor)
    return objection


def withdraw(actor: Actor, objection: int, *, reason: str = "") -> Dispute:
    """Take a dispute back that is not decided; whoever may dispute for the cost group can. Drafts of notes go with it.

    When it was the last one, the document awaits review again. Raises `NotFoundError`, `ForbiddenError`, `StateError`
    or `DecidedError`.
    """
    person = person_of(actor)
    found = reach.dispute(actor.rights, objection)
    words = said(reason, "reason", "") if reason.strip() else ""
    with recorded(actor, "withdraw dispute", reason=words) as record:
        row = lock(found.document_id)
        current = locked(Dispute, objection)
        now = timezone.now()
        before = current.state
        core.withdraw(objections.pure(current, row.label or ""), str(person.pk), now)
        move(actor, row, Act.WITHDRAW, record)
        current.state, current.decided_by, current.decided_at = DisputeState.WITHDRAWN, person, now
        current.save(update_fields=["state", "decided_by", "decided_at"])
        Document.objects.filter(dispute=current, issue_state=Issue.OPEN).delete()
        leave_disputes(actor, row, record)
        subject(record, row, current)
        record.changed({"dispute": current.pk, "state": before}, {"state": str(DisputeState.WITHDRAWN)})
        telling.withdrawn(current, actor)
    return current


def disputable(actor: Actor, document: int) -> dict[int, int]:
    """The lines that may still be disputed, by number, with what remains of each in minor units of its currency.

    Raises `NotFoundError`.
    """
    row = reach.document(actor.rights, document)
    lines = core.disputable(convert.paper(row), objections.disputes_of(row), objections.notes_about(row))
    return {line.number: line.minor for line in lines}


def undecided(document: Document) -> int:
    """How many disputes hold a document back."""
    return document.disputes.filter(state__in=UNDECIDED).count()


def _reason(text: str) -> core.Reason:
    try:
        return core.Reason(text)
    except ValueError:
        raise InputRefusedError(
            "That is no reason of a dispute.", place=Place(field="reason"), advice=f"Use {', '.join(core.Reason)}."
        ) from None
