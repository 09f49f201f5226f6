"""What may become of a journal: one small table. Whoever draws it up does not approve it, and each act is done once.

A journal is drawn up from what waits, approved by a second person (then it takes its number), handed over to the
ledger as files or by a push, and posted when the ledger has confirmed all of it. What is posted goes away only by a
reversal, which is a journal of its own with the same life.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from apportion.errors import ApportionError
from apportion.review.permission import Permission


class JournalStateError(ApportionError):
    """An act that the journal's state does not allow."""

    code = "NOT_IN_THIS_STATE"


class JournalState(StrEnum):
    """How far a journal has come."""

    DRAWN_UP = "drawn_up"
    APPROVED = "approved"
    HANDED_OVER = "handed_over"  # its files were fetched, or its push has begun
    POSTED = "posted"
    REVERSED = "reversed"
    WITHDRAWN = "withdrawn"  # nothing of it is in the ledger, and its documents wait again


class JournalAct(StrEnum):
    """What people and pushes do with a journal."""

    APPROVE = "approve"
    HAND_OVER = "hand_over"
    CONFIRM = "confirm"
    REVERSE = "reverse"
    WITHDRAW = "withdraw"


class JournalKind(StrEnum):
    """What a journal is about; each is drawn up from something else."""

    TRANSFER = "transfer"  # accepted invoices and notes: cost moves to cost groups
    PROVIDER = "provider"  # the providers' invoices and credits, as payables
    ACCRUAL = "accrual"  # cost of a period whose provider invoice is not there
    TRUE_UP = "true_up"  # the accrual taken back
    PREPAID = "prepaid"  # commitments paid upfront, and their amortisation
    REMAINDER = "remainder"  # what nobody owns yet, set apart at the payer
    SHOWBACK = "showback"  # statistical quantities, never money
    REVERSAL = "reversal"  # takes a posted journal back


PENDING = (JournalState.DRAWN_UP, JournalState.APPROVED, JournalState.HANDED_OVER)
TABLE: Mapping[tuple[JournalState, JournalAct], JournalState] = {
    (JournalState.DRAWN_UP, JournalAct.APPROVE): JournalState.APPROVED,
    (JournalState.APPROVED, JournalAct.HAND_OVER): JournalState.HANDED_OVER,
    (JournalState.HANDED_OVER, JournalAct.HAND_OVER): JournalState.HANDED_OVER,
    (JournalState.HANDED_OVER, JournalAct.CONFIRM): JournalState.POSTED,
    (JournalState.POSTED, JournalAct.REVERSE): JournalState.REVERSED,
    **{(state, JournalAct.WITHDRAW): JournalState.WITHDRAWN for state in PENDING},
}
# Every act on a journal needs the right to post; drawing up and looking at it need no other.
PERMISSION = Permission.POST

_SAID = {
    JournalState.DRAWN_UP: "waits to be approved",
    JournalState.APPROVED: "is approved and was not handed over yet",
    JournalState.HANDED_OVER: "was handed over and is not confirmed",
    JournalState.POSTED: "is posted",
    JournalState.REVERSED: "was reversed",
    JournalState.WITHDRAWN: "was withdrawn",
}
_ADVICE = {
    JournalState.DRAWN_UP: "Somebody other than who drew it up approves it first.",
    JournalState.APPROVED: "Export or push it first.",
    JournalState.HANDED_OVER: "Push it to its end, confirm it, or withdraw it.",
    JournalState.POSTED: "Only a reversal takes it back.",
    JournalState.REVERSED: "Draw up a new one.",
    JournalState.WITHDRAWN: "Draw up a new one.",
}


def step(now: JournalState, act: JournalAct) -> JournalState:
    """The state after an act. Raises `JournalStateError`."""
    after = TABLE.get((now, act))
    if after is None:
        raise JournalStateError(f"This journal {_SAID[now]}.", advice=_ADVICE[now])
    return after


def acts(now: JournalState) -> tuple[JournalAct, ...]:
    """What can be done with a journal in this state."""
    return tuple(act for state, act in TABLE if state is now)
