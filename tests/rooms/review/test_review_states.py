"""The table of states: every act in every state, every guard, and every situation that can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from apportion.invoice.paper import PaperKind
from apportion.review.permission import PERMISSIONS, Permission, Role
from apportion.review.states import (
    ACT_WORDS,
    STATE_WORDS,
    TABLE,
    Act,
    Issue,
    Posting,
    Review,
    Situation,
    State,
    StateError,
    Transition,
    acts,
    refusal,
    step,
    transition,
)

# Written out by hand, so that a change of the table has to be meant: what each act makes of each state.
EXPECTED: dict[Act, dict[State, State]] = {
    Act.ISSUE: {Issue.OPEN: Issue.ISSUED},
    Act.ADJUST: {Issue.ISSUED: Issue.ISSUED},
    Act.VOID: {Issue.ISSUED: Issue.VOIDED},
    Act.ACCEPT: {Review.AWAITING: Review.ACCEPTED},
    Act.DEEM_ACCEPTED: {Review.AWAITING: Review.DEEMED},
    Act.DISPUTE: {Review.AWAITING: Review.DISPUTED, Review.DISPUTED: Review.DISPUTED},
    Act.DECIDE: {Review.DISPUTED: Review.DISPUTED},
    Act.WITHDRAW: {Review.DISPUTED: Review.DISPUTED},
    Act.SETTLE: {Review.DISPUTED: Review.AWAITING},
    Act.REOPEN: {Review.ACCEPTED: Review.AWAITING, Review.DEEMED: Review.AWAITING},
    Act.EXPORT: {Posting.UNPOSTED: Posting.EXPORTED, Posting.REVERSED: Posting.EXPORTED},
    Act.RECALL: {Posting.EXPORTED: Posting.UNPOSTED},
    Act.POST: {Posting.EXPORTED: Posting.POSTED},
    Act.REVERSE: {Posting.POSTED: Posting.REVERSED},
}
SECOND_PERSON = {Act.ISSUE, Act.VOID, Act.DECIDE, Act.EXPORT, Act.REVERSE}
BY_NOBODY = {Act.ADJUST, Act.DEEM_ACCEPTED, Act.SETTLE}


def favourable(act: Act, state: State) -> Situation:
    """A chargeback invoice in that state, in which no guard of the act objects."""
    now = Situation(PaperKind.INVOICE, Issue.ISSUED, Review.AWAITING)
    if act in {Act.EXPORT, Act.RECALL, Act.POST, Act.REVERSE}:
        now = replace(now, review=Review.ACCEPTED)
    if act in {Act.DECIDE, Act.WITHDRAW}:
        now = replace(now, open_disputes=1)
    if act is Act.DEEM_ACCEPTED:
        now = replace(now, is_past_deadline=True, silence_accepts=True)
    match state:
        case Issue():
            return replace(now, issue=state)
        case Review():
            return replace(now, review=state)
        case Posting():
            return replace(now, posting=state)


def dimension(act: Act) -> type[State]:
    (found,) = {type(row.before) for row in TABLE if row.act is act}
    return found


MATRIX = [(state, act) for act in Act for state in dimension(act)]


@pytest.mark.parametrize(("state", "act"), MATRIX)
def test_every_act_in_every_state(state: State, act: Act) -> None:
    now = favourable(act, state)
    after = EXPECTED[act].get(state)
    if after is None:
        said = f"The document cannot {ACT_WORDS[act]}: it is {STATE_WORDS[state]}."
        assert refusal(now, act) == said
        assert act not in acts(now)
        with pytest.raises(StateError) as caught:
            step(now, act)
        assert caught.value.sentence == said
        assert caught.value.advice
    else:
        assert refusal(now, act) == ""
        assert act in acts(now)
        reached = step(now, act)
        assert after in {reached.issue, reached.review, reached.posting}
        assert (transition(now, act).before, transition(now, act).after) == (state, after)


def test_the_matrix_is_the_whole_table() -> None:
    assert {(row.act, row.before, row.after) for row in TABLE} == {
        (act, before, after) for act, rows in EXPECTED.items() for before, after in rows.items()
    }
    assert len({(row.act, row.before) for row in TABLE}) == len(TABLE), "one row for an act in a state"
    assert set(Act) == {row.act for row in TABLE} == set(ACT_WORDS)
    assert {*Issue, *Review, *Posting} == set(STATE_WORDS)


GUARDED: list[tuple[Act, dict[str, object], str]] = [
    (Act.ISSUE, {"is_sealed": True}, "Its billing period is sealed."),
    (Act.ISSUE, {"posting": Posting.EXPORTED}, "It is in the ledger or on its way there."),
    (Act.VOID, {"posting": Posting.EXPORTED}, "It is in the ledger or on its way there."),
    (Act.VOID, {"posting": Posting.POSTED}, "It is in the ledger or on its way there."),
    (Act.VOID, {"open_disputes": 1}, "A dispute on it is not decided yet."),
    (Act.VOID, {"notes": 1}, "A credit or debit note is about it, and would be about nothing."),
    (Act.VOID, {"is_sealed": True}, "Its billing period is sealed."),
    (Act.ACCEPT, {"issue": Issue.OPEN}, "It is not an issued document."),
    (Act.ACCEPT, {"issue": Issue.VOIDED}, "It is not an issued document."),
    (Act.ACCEPT, {"open_disputes": 1}, "A dispute on it is not decided yet."),
    (Act.DEEM_ACCEPTED, {"issue": Issue.VOIDED}, "It is not an issued document."),
    (Act.DEEM_ACCEPTED, {"open_disputes": 2}, "A dispute on it is not decided yet."),
    (Act.DEEM_ACCEPTED, {"is_past_deadline": False}, "Its review deadline has not passed."),
    (Act.DEEM_ACCEPTED, {"silence_accepts": False}, "The settings do not take silence as acceptance."),
    (Act.DISPUTE, {"issue": Issue.VOIDED}, "It is not an issued document."),
    (Act.DISPUTE, {"posting": Posting.POSTED}, "It is in the ledger or on its way there."),
    (
        Act.DISPUTE,
        {"review": Review.DISPUTED, "is_past_deadline": True},
        "Its review deadline has passed. What is disputed already will be decided, but nothing can be added.",
    ),
    (Act.DECIDE, {"open_disputes": 0}, "No dispute on it is open."),
    (Act.DECIDE, {"issue": Issue.VOIDED}, "It is not an issued document."),
    (Act.WITHDRAW, {"open_disputes": 0}, "No dispute on it is open."),
    (Act.WITHDRAW, {"issue": Issue.VOIDED}, "It is not an issued document."),
    (Act.SETTLE, {"open_disputes": 1}, "A dispute on it is not decided yet."),
    (Act.SETTLE, {"issue": Issue.VOIDED}, "It is not an issued document."),
    (Act.REOPEN, {"posting": Posting.EXPORTED}, "It is in the ledger or on its way there."),
    (Act.REOPEN, {"is_sealed": True}, "Its billing period is sealed."),
    (Act.REOPEN, {"issue": Issue.VOIDED}, "It is not an issued document."),
    (Act.EXPORT, {"kind": PaperKind.STATEMENT}, "It is a showback document, which is never posted."),
    (
        Act.EXPORT,
        {"kind": PaperKind.CREDIT_NOTE, "in_showback": True},
        "It is a showback document, which is never posted.",
    ),
    (Act.EXPORT, {"review": Review.AWAITING}, "Its recipient has not accepted it."),
    (Act.EXPORT, {"review": Review.DISPUTED}, "Its recipient has not accepted it."),
    (Act.EXPORT, {"open_disputes": 1}, "A dispute on it is not decided yet."),
    (Act.EXPORT, {"issue": Issue.VOIDED}, "It is not an issued document."),
    (Act.POST, {"kind": PaperKind.STATEMENT}, "It is a showback document, which is never posted."),
    (Act.POST, {"review": Review.AWAITING}, "Its recipient has not accepted it."),
    (Act.POST, {"open_disputes": 1}, "A dispute on it is not decided yet."),
    (Act.POST, {"issue": Issue.VOIDED}, "It is not an issued document."),
]


@pytest.mark.parametrize(("act", "spoiled", "sentence"), GUARDED)
def test_every_guard_refuses_with_its_sentence(act: Act, spoiled: dict[str, object], sentence: str) -> None:
    for state in EXPECTED[act]:
        fine = favourable(act, state)
        now = replace(fine, **spoiled)  # type: ignore[arg-type]
        assert refusal(fine, act) == ""
        assert refusal(now, act) == sentence
        assert act not in acts(now)
        with pytest.raises(StateError, match=sentence[:20]):
            step(now, act)


def test_every_guard_of_every_row_is_tested() -> None:
    for row in TABLE:
        for guard in row.guards:
            assert any(act is row.act and guard(_spoil(row, spoiled)) for act, spoiled, _ in GUARDED), (row, guard)
            assert guard.__doc__


def _spoil(row: Transition, spoiled: dict[str, object]) -> Situation:
    return replace(favourable(row.act, row.before), **spoiled)  # type: ignore[arg-type]


def test_who_may_do_what() -> None:
    assert {row.act for row in TABLE if row.second_person} == SECOND_PERSON
    assert {row.act for row in TABLE if row.permission is None} == BY_NOBODY
    used = {row.permission for row in TABLE if row.permission}
    assert used == {
        Permission.ISSUE,
        Permission.ACCEPT,
        Permission.DISPUTE,
        Permission.DECIDE,
        Permission.POST,
    }
    owner, controller = PERMISSIONS[Role.OWNER], PERMISSIONS[Role.CONTROLLER]
    assert used - owner - controller == set()
    assert not owner & controller & used, "nobody issues and accepts, or disputes and decides, in one role"
    for role in (Role.AUDITOR, Role.ANALYST, Role.ADMINISTRATOR):
        assert not PERMISSIONS[role] & used


def surroundings(now: Situation) -> Iterator[Situation]:
    """What time does to a document."""
    yield replace(now, is_past_deadline=True)
    yield replace(now, silence_accepts=True)
    yield replace(now, is_sealed=True)


def reachable(start: Situation) -> set[Situation]:
    found, todo = {start}, [start]
    while todo:
        now = todo.pop()
        nexts = [step(now, act) for act in acts(now)]
        for after in [*nexts, *surroundings(now)]:
            if after not in found and after.open_disputes <= 2 and after.notes <= 1:
                found.add(after)
                todo.append(after)
    return found


@pytest.mark.parametrize(("kind", "in_showback"), list(product(PaperKind, [False, True])))
def test_nothing_that_can_be_reached_is_posted_without_right(kind: PaperKind, in_showback: bool) -> None:
    found = reachable(Situation(kind, in_showback=in_showback))
    ledger = [now for now in found if now.posting in {Posting.EXPORTED, Posting.POSTED}]
    for now in ledger:
        assert now.issue is Issue.ISSUED
        assert now.review in {Review.ACCEPTED, Review.DEEMED}
        assert now.open_disputes == 0
    showback = in_showback or kind is PaperKind.STATEMENT
    assert bool(ledger) is not showback
    for now in found:
        assert (now.issue is Issue.ISSUED) or now.review is Review.NONE
        assert now.review is Review.DISPUTED or now.open_disputes == 0
        assert now.issue is not Issue.VOIDED or acts(now) == ()


def test_a_voided_document_stays_so_and_another_takes_its_place() -> None:
    voided = step(step(Situation(PaperKind.INVOICE), Act.ISSUE), Act.VOID)
    assert voided == Situation(PaperKind.INVOICE, Issue.VOIDED)
    assert refusal(voided, Act.ISSUE) == "The document cannot be issued: it is voided."
    again = step(Situation(PaperKind.INVOICE), Act.ISSUE)
    assert again.review is Review.AWAITING


def test_a_posted_document_is_put_right_by_a_note_and_a_reversed_one_can_be_posted_anew() -> None:
    now = Situation(PaperKind.INVOICE)
    for act in (Act.ISSUE, Act.ACCEPT, Act.EXPORT, Act.POST):
        now = step(now, act)
    assert acts(now) == (Act.ADJUST, Act.REVERSE)
    assert step(now, Act.ADJUST).notes == 1
    now = step(now, Act.REVERSE)
    assert acts(now) == (Act.ADJUST, Act.VOID, Act.REOPEN, Act.EXPORT)
    assert step(step(now, Act.EXPORT), Act.POST).posting is Posting.POSTED


def test_a_withdrawn_dispute_leaves_the_document_as_before() -> None:
    issued = step(Situation(PaperKind.INVOICE), Act.ISSUE)
    twice = step(step(issued, Act.DISPUTE), Act.DISPUTE)
    assert (twice.open_disputes, refusal(twice, Act.SETTLE)) == (2, "A dispute on it is not decided yet.")
    assert step(step(step(twice, Act.WITHDRAW), Act.DECIDE), Act.SETTLE) == issued
