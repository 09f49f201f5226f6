"""The one table of what may become of a document: three small states, and every act that moves one of them.

Takes a `Situation` and an `Act`, gives the `Situation` after it, or refuses with a sentence. The table drives the code,
the rights, the documented diagram and the tests. A voided document has no way back, and its number is never used
again: what takes its place is another document. A posted document is put right by credit and debit notes, which are
documents of their own and go through the same table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from apportion.errors import ApportionError
from apportion.invoice.paper import PaperKind
from apportion.review.permission import Permission


class StateError(ApportionError):
    """An act that the document's state does not allow."""

    code = "NOT_IN_THIS_STATE"


class Issue(StrEnum):
    """Is the document out?"""

    OPEN = "open"
    ISSUED = "issued"
    VOIDED = "voided"


class Review(StrEnum):
    """What its recipient says. `NONE` until it is issued."""

    NONE = "none"
    AWAITING = "awaiting_review"
    ACCEPTED = "accepted"
    DEEMED = "deemed_accepted"
    DISPUTED = "disputed"


class Posting(StrEnum):
    """Is it in the ledger?"""

    UNPOSTED = "unposted"
    EXPORTED = "exported"
    POSTED = "posted"
    REVERSED = "reversed"


class Act(StrEnum):
    """What people and timers do with a document."""

    ISSUE = "issue"
    VOID = "void"
    ADJUST = "adjust"
    ACCEPT = "accept"
    DEEM_ACCEPTED = "deem_accepted"
    DISPUTE = "dispute"
    DECIDE = "decide"
    WITHDRAW = "withdraw"
    SETTLE = "settle"
    REOPEN = "reopen"
    EXPORT = "export"
    RECALL = "recall"
    POST = "post"
    REVERSE = "reverse"


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a document stands, and what the guards ask about it.

    `open_disputes` counts those that are not decided. `silence_accepts` says whether the settings take silence as
    acceptance. `is_sealed`: its billing period is sealed. `in_showback`: a note to somebody who is in showback; a
    statement always is. `notes` counts the issued credit and debit notes about it that are not voided.
    """

    kind: PaperKind
    issue: Issue = Issue.OPEN
    review: Review = Review.NONE
    posting: Posting = Posting.UNPOSTED
    open_disputes: int = 0
    is_past_deadline: bool = False
    silence_accepts: bool = False
    is_sealed: bool = False
    in_showback: bool = False
    notes: int = 0


State = Issue | Review | Posting
Guard = Callable[[Situation], str]


# A guard gives the sentence of its refusal, or nothing. Its docstring is what must hold, as the documented table says.


def _no_open_dispute(now: Situation) -> str:
    """every dispute on it is decided"""
    return "A dispute on it is not decided yet." if now.open_disputes else ""


def _open_dispute(now: Situation) -> str:
    """a dispute on it is undecided"""
    return "" if now.open_disputes else "No dispute on it is open."


def _silence(now: Situation) -> str:
    """the review deadline has passed, and the settings take silence as acceptance"""
    if not now.is_past_deadline:
        return "Its review deadline has not passed."
    return "" if now.silence_accepts else "The settings do not take silence as acceptance."


def _in_time(now: Situation) -> str:
    """it awaits review, or the review deadline has not passed"""
    if now.is_past_deadline and now.review is not Review.AWAITING:
        return "Its review deadline has passed. What is disputed already will be decided, but nothing can be added."
    return ""


def _not_in_ledger(now: Situation) -> str:
    """it is not in the ledger, nor on its way there"""
    return "It is in the ledger or on its way there." if now.posting in {Posting.EXPORTED, Posting.POSTED} else ""


def _no_notes(now: Situation) -> str:
    """no credit or debit note is about it"""
    return "A credit or debit note is about it, and would be about nothing." if now.notes else ""


def _is_issued(now: Situation) -> str:
    """it is issued"""
    return "" if now.issue is Issue.ISSUED else "It is not an issued document."


def _in_chargeback(now: Situation) -> str:
    """it is no showback document"""
    if now.kind is PaperKind.STATEMENT or now.in_showback:
        return "It is a showback document, which is never posted."
    return ""


def _is_accepted(now: Situation) -> str:
    """it is accepted, or counts as accepted"""
    return "" if now.review in {Review.ACCEPTED, Review.DEEMED} else "Its recipient has not accepted it."


def _period_open(now: Situation) -> str:
    """its billing period is not sealed"""
    return "Its billing period is sealed." if now.is_sealed else ""


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: from a state, by an act, to another; who may do it, what must hold, and how it is told.

    `permission` is None for what only a timer or a step of another act does. `second_person`: whoever prepared it may
    not do it.
    """

    before: State
    act: Act
    after: State
    permission: Permission | None
    guards: tuple[Guard, ...]
    sentence: str
    second_person: bool = False


_T = Transition
_P = Permission
_FOR_THE_LEDGER = (_is_issued, _in_chargeback, _is_accepted, _no_open_dispute)
_DISPUTABLE = (_is_issued, _not_in_ledger, _in_time)
_REOPENABLE = (_is_issued, _not_in_ledger, _period_open)
TABLE: tuple[Transition, ...] = (
    _T(Issue.OPEN, Act.ISSUE, Issue.ISSUED, _P.ISSUE, (_not_in_ledger, _period_open), "was issued", second_person=True),
    _T(Issue.ISSUED, Act.ADJUST, Issue.ISSUED, None, (), "was adjusted by a credit or debit note"),
    _T(
        Issue.ISSUED,
        Act.VOID,
        Issue.VOIDED,
        _P.ISSUE,
        (_not_in_ledger, _no_open_dispute, _no_notes, _period_open),
        "was voided",
        second_person=True,
    ),
    _T(Review.AWAITING, Act.ACCEPT, Review.ACCEPTED, _P.ACCEPT, (_is_issued, _no_open_dispute), "was accepted"),
    _T(
        Review.AWAITING,
        Act.DEEM_ACCEPTED,
        Review.DEEMED,
        None,
        (_is_issued, _no_open_dispute, _silence),
        "counts as accepted: nobody objected before the deadline",
    ),
    _T(Review.AWAITING, Act.DISPUTE, Review.DISPUTED, _P.DISPUTE, _DISPUTABLE, "was disputed"),
    _T(Review.DISPUTED, Act.DISPUTE, Review.DISPUTED, _P.DISPUTE, _DISPUTABLE, "was disputed further"),
    _T(
        Review.DISPUTED,
        Act.DECIDE,
        Review.DISPUTED,
        _P.DECIDE,
        (_is_issued, _open_dispute),
        "had a dispute decided",
        second_person=True,
    ),
    _T(
        Review.DISPUTED,
        Act.WITHDRAW,
        Review.DISPUTED,
        _P.DISPUTE,
        (_is_issued, _open_dispute),
        "had a dispute withdrawn by those who raised it",
    ),
    _T(
        Review.DISPUTED,
        Act.SETTLE,
        Review.AWAITING,
        None,
        (_is_issued, _no_open_dispute),
        "has no open dispute any more, and awaits review again",
    ),
    _T(Review.ACCEPTED, Act.REOPEN, Review.AWAITING, _P.DECIDE, _REOPENABLE, "was reopened"),
    _T(Review.DEEMED, Act.REOPEN, Review.AWAITING, _P.DECIDE, _REOPENABLE, "was reopened"),
    _T(Posting.UNPOSTED, Act.EXPORT, Posting.EXPORTED, _P.POST, _FOR_THE_LEDGER, "was exported", second_person=True),
    _T(Posting.EXPORTED, Act.RECALL, Posting.UNPOSTED, _P.POST, (), "was recalled before it was posted"),
    _T(Posting.EXPORTED, Act.POST, Posting.POSTED, _P.POST, _FOR_THE_LEDGER, "was posted"),
    _T(Posting.POSTED, Act.REVERSE, Posting.REVERSED, _P.POST, (), "was reversed", second_person=True),
    _T(
        Posting.REVERSED,
        Act.EXPORT,
        Posting.EXPORTED,
        _P.POST,
        _FOR_THE_LEDGER,
        "was exported anew after its reversal",
        second_person=True,
    ),
)

# How states and acts are said after "it is" and "it cannot".
STATE_WORDS: dict[State, str] = {
    Issue.OPEN: "a draft",
    Issue.ISSUED: "issued",
    Issue.VOIDED: "voided",
    Review.NONE: "not in review",
    Review.AWAITING: "awaiting review",
    Review.ACCEPTED: "accepted",
    Review.DEEMED: "deemed accepted",
    Review.DISPUTED: "disputed",
    Posting.UNPOSTED: "not posted",
    Posting.EXPORTED: "exported, but not posted yet",
    Posting.POSTED: "posted",
    Posting.REVERSED: "reversed",
}
ACT_WORDS: dict[Act, str] = {
    Act.ISSUE: "be issued",
    Act.VOID: "be voided",
    Act.ADJUST: "be adjusted by a credit or debit note",
    Act.ACCEPT: "be accepted",
    Act.DEEM_ACCEPTED: "count as accepted",
    Act.DISPUTE: "be disputed",
    Act.DECIDE: "have a dispute decided",
    Act.WITHDRAW: "have a dispute withdrawn",
    Act.SETTLE: "leave its disputes behind",
    Act.REOPEN: "be reopened",
    Act.EXPORT: "be exported",
    Act.RECALL: "be recalled",
    Act.POST: "be posted",
    Act.REVERSE: "be reversed",
}

_DIMENSION = {Issue: "issue", Review: "review", Posting: "posting"}


def _current(now: Situation, transition: Transition) -> bool:
    return getattr(now, _DIMENSION[type(transition.before)]) is transition.before


def transition(now: Situation, act: Act) -> Transition:
    """The row that `act` would take from here. Raises `StateError` with a sentence where there is none."""
    rows = [row for row in TABLE if row.act is act]
    row = next((row for row in rows if _current(now, row)), None)
    if row is None:
        state = getattr(now, _DIMENSION[type(rows[0].before)])
        allowed = " or ".join(STATE_WORDS[row.before] for row in rows)
        raise StateError(
            f"The document cannot {ACT_WORDS[act]}: it is {STATE_WORDS[state]}.",
            advice=f"That can be done while it is {allowed}. Load the page again to see where it stands.",
        )
    return row


def refusal(now: Situation, act: Act) -> str:
    """Why `act` cannot be done now; empty where it can."""
    try:
        row = transition(now, act)
    except StateError as error:
        return error.sentence
    return next((sentence for guard in row.guards if (sentence := guard(now))), "")


def step(now: Situation, act: Act) -> Situation:
    """The situation after `act`. Raises `StateError`, and then nothing has changed."""
    row = transition(now, act)
    for guard in row.guards:
        if sentence := guard(now):
            raise StateError(sentence, advice="Load the page again to see where the document stands.")
    return _counted(_moved(now, row.after), act)


def _counted(after: Situation, act: Act) -> Situation:
    """What an act changes beside the state of its row."""
    match act:
        case Act.ISSUE:  # a document that comes out is in its recipient's hands
            return replace(after, review=Review.AWAITING)
        case Act.VOID:
            return replace(after, review=Review.NONE)
        case Act.ADJUST:
            return replace(after, notes=after.notes + 1)
        case Act.DISPUTE:
            return replace(after, open_disputes=after.open_disputes + 1)
        case Act.DECIDE | Act.WITHDRAW:
            return replace(after, open_disputes=after.open_disputes - 1)
        case _:
            return after


def _moved(now: Situation, to: State) -> Situation:
    if isinstance(to, Issue):
        return replace(now, issue=to)
    return replace(now, review=to) if isinstance(to, Review) else replace(now, posting=to)


def acts(now: Situation) -> tuple[Act, ...]:
    """Everything that can be done with the document as it stands, in the order of the table."""
    return tuple(dict.fromkeys(row.act for row in TABLE if _current(now, row) and not refusal(now, row.act)))
