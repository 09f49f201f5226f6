"""What can be done on the page of a period's close, the next first, and why something cannot be pressed.

Every act checks its own permission and state: this only says beforehand what it would say.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apportion.actions.acting import Actor
from apportion.actions.close.delivery_facts import sealed_in_workspace
from apportion.actions.work_kinds import DRAW_UP, SEAL
from apportion.review.permission import Permission
from apportion.review.states import Review
from apportion.web.close_state import State

UNDER_WAY = gettext_lazy("It is being done right now.")


@dataclass(frozen=True, slots=True)
class Press:
    """One act on the page. Where `why_not` says something it cannot be pressed, and that is why.

    `question` is asked first; `is_next` marks what brings the close forward.
    """

    name: str
    words: str
    text: str
    why_not: str = ""
    question: str = ""
    is_next: bool = True


def presses(found: State, actor: Actor) -> list[Press]:
    """What can be done now, the next first; what belongs to somebody else says so."""
    close = found.close
    if close.sealed_at is not None or found.period in sealed_in_workspace():
        return []
    if close.issued_at is None:
        return [_before_issue(found, actor)]
    made = []
    if not found.is_issued:
        made.append(_issue(found, actor, again=True))
    if found.stale:
        made.append(_allocate(found, actor, again=True))
    if found.counts.of(Review.AWAITING):
        made.append(_remind(actor))
    made += _to_ledger(found, actor)
    made.append(_seal(found, actor))
    return sorted(made, key=lambda press: (not press.is_next, bool(press.why_not)))


def _before_issue(found: State, actor: Actor) -> Press:
    close = found.close
    if close.data_complete_at is None:
        missing = ", ".join(source.name for source in found.delivered.missed)
        text = (
            _("%s sent charges last month and none for this one. If nothing more will come, say so.") % missing
            if missing
            else _("Say that every provider has delivered. Until then nothing can be issued.")
        )
        why = "" if found.delivered.is_anything else _("Nothing was delivered yet.")
        return Press("complete", _("Mark the data complete"), text, _may(actor, Permission.PREPARE) or why)
    if close.allocated_at is None or found.stale:
        return _allocate(found, actor)
    return _issue(found, actor)


def _allocate(found: State, actor: Actor, *, again: bool = False) -> Press:
    words = _("Allocate again") if found.close.allocated_at else _("Allocate")
    text = " ".join(found.stale) or _("Divide the cost by the policy that is in use, and tie it out.")
    if again:
        text = _("%s Documents that change are voided and issued anew.") % text
    return Press("allocate", words, text, _may(actor, Permission.PREPARE) or _busy(found, "allocate"))


def _issue(found: State, actor: Actor, *, again: bool = False) -> Press:
    close = found.close
    number = close.summary.get("statements", 0)
    text = ngettext("%d document goes to its owner for review.", "%d documents go to their owners for review.",
                    number) % number  # fmt: skip
    if again:
        text = _("The period was allocated anew since its documents were issued: those that differ are replaced.")
    why = _may(actor, Permission.ISSUE)
    if not why and found.tie_out is not None and not found.tie_out.holds:
        why = _("The tie-out does not hold: see below what has to be resolved.")
    if not why and actor.person is not None and actor.person.pk == close.allocated_by_id:
        why = _("You allocated this period yourself, so somebody else has to issue it.")
    question = _("All documents get their numbers now, and cannot be changed afterwards. Owners are told.")
    return Press("issue", _("Issue the documents"), text, why or _busy(found, "issue"), question=question)


def _remind(actor: Actor) -> Press:
    text = _("Everybody who has not answered gets a mail, at most one a day.")
    return Press("remind", _("Remind now"), text, _may(actor, Permission.ISSUE), is_next=False)


def _to_ledger(found: State, actor: Actor) -> list[Press]:
    counted, made = found.counts, []
    may = _may(actor, Permission.POST)
    own = ""
    if actor.person is not None and actor.person.pk == found.close.allocated_by_id:
        own = _("You allocated this period yourself, so somebody else has to export it.")
    if counted.exportable:
        words = ngettext(
            "%d accepted invoice or note waits for the ledger.",
            "%d accepted invoices and notes wait for the ledger.",
            counted.exportable,
        )
        why = may or own or _busy(found, DRAW_UP)
        made.append(Press("journal", _("Draw up the journal"), words % counted.exportable, why))
    return made


def _seal(found: State, actor: Actor) -> Press:
    why = _may(actor, Permission.SEAL) or " ".join(found.blocking) or _busy(found, SEAL)
    question = _("A seal is for ever: nothing of this period can change after it.")
    text = _("Pin inputs, policy, organization and results by their digests.")
    return Press("seal", _("Seal the period"), text, why, question=question, is_next=not found.blocking)


def _may(actor: Actor, permission: Permission) -> str:
    if actor.rights.may(permission):
        return ""
    return {
        Permission.PREPARE: _("An analyst or controller does this."),
        Permission.ISSUE: _("A controller does this."),
        Permission.POST: _("A controller does this."),
        Permission.SEAL: _("A controller does this."),
    }[permission]


def _busy(found: State, kind: str) -> str:
    return str(UNDER_WAY) if any(work.kind == kind for work in found.running) else ""
