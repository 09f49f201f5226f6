"""What can be done with a journal, the next first, and why something cannot be pressed.

Every act checks its own permission, state and second person: this only says beforehand what it would say.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apportion.actions.acting import Actor
from apportion.post.lifecycle import PERMISSION, JournalState
from apportion.records.journals import LedgerJournal
from apportion.web.close_presses import Press

_PENDING = (JournalState.DRAWN_UP, JournalState.APPROVED, JournalState.HANDED_OVER)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the presses depend on, besides the journal and who looks at it.

    `is_pushed`: its target is pushed to; `answers`: and says itself what it has posted; `is_unsent`: and was not sent
    all of it yet. `reversal` is the journal that takes it back, if one was drawn up; `is_busy`: a push is under way.
    """

    is_pushed: bool
    answers: bool
    is_unsent: bool
    reversal: LedgerJournal | None
    is_busy: bool


def presses(row: LedgerJournal, now: Situation, actor: Actor) -> list[Press]:
    """What can be done now, the next first; nothing where the journal has come to its end."""
    may = "" if actor.rights.may(PERMISSION) else _("A controller does this.")
    busy = may or (_("It is being pushed right now.") if now.is_busy else "")
    made: list[Press] = []
    match JournalState(row.state):
        case JournalState.DRAWN_UP:
            made.append(_approve(row, actor, may))
        case JournalState.APPROVED:
            made.append(_hand_over(now, busy))
        case JournalState.HANDED_OVER:
            made += _to_its_end(row, now, busy)
        case JournalState.POSTED if now.reversal is None:
            text = _("A new journal mirrors each entry. It is approved and handed over like any, and leaves zero.")
            made.append(Press("reverse", _("Reverse it"), text, may, is_next=False))
        case _ended:
            pass
    if row.state in _PENDING:
        made.append(_withdraw(row, now, busy))
    return sorted(made, key=lambda press: not press.is_next)


def _approve(row: LedgerJournal, actor: Actor, may: str) -> Press:
    own = ""
    if actor.person is not None and actor.person.pk == row.drawn_up_by_id:
        own = _("You drew it up yourself, so somebody else has to approve it.")
    text = _("A second person has looked at balance and lines. It takes its number, and may be handed over.")
    return Press("approve", _("Approve it"), text, may or own)


def _hand_over(now: Situation, busy: str) -> Press:
    if now.is_pushed:
        text = _("Each entry is sent once, and read back before it is called posted.")
        return Press("push", _("Push it to the ledger"), text, busy)
    text = _("Its files are written, with their control totals, for you to bring them to the ledger.")
    return Press("export", _("Export its files"), text, busy)


def _to_its_end(row: LedgerJournal, now: Situation, busy: str) -> list[Press]:
    made = []
    if now.is_pushed:
        text = _("What is in the ledger already is found there; only the rest is sent.")
        words = _("Push it again") if row.repair else _("Go on with the push")
        made.append(Press("push", words, text, busy, is_next=now.answers or now.is_unsent))
    if not now.answers:
        text = _("Say that the ledger has taken all of it, under the number that it gave.")
        early = _("Not all of it was sent yet: push it to its end first.") if now.is_unsent else ""
        made.append(Press("confirm", _("Confirm posted"), text, busy or early, is_next=not now.is_unsent))
    if not now.is_pushed:
        text = _("The same journal in the format that its target has in the settings now.")
        made.append(Press("export", _("Write the files again"), text, busy, is_next=False))
    return made


def _withdraw(row: LedgerJournal, now: Situation, busy: str) -> Press:
    if row.state != JournalState.HANDED_OVER:
        text = _("Nothing of it is in the ledger. Its documents wait for the next journal.")
    elif now.is_pushed:
        text = _("Only if nothing of it is posted: its drafts are deleted there, and its documents wait again.")
    else:
        text = _("Only if the ledger did not take it: its documents wait for the next journal.")
    return Press("withdraw", _("Withdraw it"), text, busy, is_next=False)
