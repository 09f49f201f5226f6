"""The credit and debit notes of a decided dispute, as drafts that somebody has to issue.

Takes a `Settlement` and the document that was disputed; gives `Paper`s through `invoice.credit_note`. What goes to kept
central or unallocated is charged to nobody and has no note: the settlement itself is what the tie-out counts there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apportion.allocate.rule import Holder, Target
from apportion.errors import NotFoundError
from apportion.invoice.credit_note import Adjustment, Party, drafts, party
from apportion.invoice.paper import Paper
from apportion.review.dispute import REASON_WORDS, DecidedError, Dispute, Outcome, name
from apportion.review.settlement import Move, Settlement


def notes(
    settlement: Settlement,
    dispute: Dispute,
    first: Paper,
    *,
    parties: Mapping[Target, Party],
    period: str,
    earlier: Iterable[Paper] = (),
) -> tuple[Paper, ...]:
    """Drafts of a credit note to the disputing holder and debit notes to those who take the amount; for a disputed
    credit the other way round.

    `parties` are the recipients beside the disputing holder, as they stand in `period`, the open billing period that
    the notes belong to. `earlier` are the notes about the first document to its holder. Raises `NotFoundError` for a
    cost group without a party, and what `invoice.credit_note.drafts` raises.
    """
    if dispute.decision is None or dispute.decision.outcome is Outcome.REJECTED:
        raise DecidedError(f"The dispute about {name(dispute)} is not upheld.", advice="There is nothing to credit.")
    by_holder: dict[Target, list[Move]] = {settlement.holder: []}
    for move in settlement.moves:
        by_holder.setdefault(move.holder, []).append(move)
    made: list[Paper] = []
    for holder, moves in by_holder.items():
        if holder.holder is not Holder.COST_GROUP:
            continue
        own = holder == settlement.holder
        to = party(first) if own else parties.get(holder)
        if to is None:
            raise NotFoundError(f"There is no cost group '{holder}' in {period}.")
        adjustments = [
            Adjustment(
                move.line,
                move.billed_minor,
                move.currency,
                move.minor,
                move.rate,
                _line_reason(dispute, first, move, own),
            )
            for move in moves
        ]
        made += drafts(first, to, adjustments, period=period, note=_note(dispute, own), earlier=earlier if own else ())
    return tuple(made)


def decision_words(dispute: Dispute) -> str:
    """``The dispute of line 3 of KES-1000-FY2026-000017 (“The cost is not ours”) was partly upheld: …``."""
    if dispute.decision is None:
        return f"{_subject(dispute)} is not decided."
    return _decided(dispute, "was" if dispute.decision.approved_by else "is proposed to be")


def _subject(dispute: Dispute) -> str:
    return f"The dispute of {name(dispute)} (“{REASON_WORDS[dispute.reason]}”)"


def _decided(dispute: Dispute, verb: str) -> str:
    reason = dispute.decision.reason if dispute.decision else ""
    said = f"{_subject(dispute)} {verb} {_outcome(dispute)}" + (f": {reason}" if reason else "")
    return said if said.endswith((".", "?", "!")) else f"{said}."


def _outcome(dispute: Dispute) -> str:
    return str(dispute.decision.outcome).replace("_", " ") if dispute.decision else "undecided"


# A note is drafted when the decision is proposed, and only issued once it is approved: so it says "was".


def _note(dispute: Dispute, own: bool) -> str:
    words = _decided(dispute, "was")
    return words if own else f"{words} Part of the cost was moved here."


def _line_reason(dispute: Dispute, first: Paper, move: Move, own: bool) -> str:
    given = "Correction of" if own else "Moved here from"
    why = f"the dispute of it (“{REASON_WORDS[dispute.reason]}”) was {_outcome(dispute)}"
    return f"{given} line {move.line.number} of {first.label}: {why}"
