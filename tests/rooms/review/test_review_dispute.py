"""Disputes: what may be claimed, and what can become of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apportion.invoice.credit_note import Adjustment, drafts, issued, party
from apportion.invoice.paper import PaperKind
from apportion.review.dispute import (
    REASON_WORDS,
    ClaimError,
    DecidedError,
    Dispute,
    DisputedAlreadyError,
    DisputeError,
    NoReasonGivenError,
    NoSuchLineError,
    Outcome,
    Reason,
    SamePersonError,
    Status,
    approve,
    disputable,
    name,
    propose,
    raise_dispute,
    send_back,
    withdraw,
)
from apportion.review.states import Act, StateError, step
from tests.rooms.review.review_papers import AT, LABEL, disputed, in_review, line, paper, past

INVOICE = paper(line(1, 10_000), line(2, -500), line(3, 3_000, pool="network"))


def raised(number: int | None = 1, **more: Any) -> Dispute:
    given = {"reason": Reason.NOT_OURS, "text": "Not our project.", "by": "olga", "at": AT, **more}
    return raise_dispute(INVOICE, in_review(), given.pop("known", ()), given.pop("notes", ()), line=number, **given)


def test_a_dispute_claims_all_that_remains_unless_it_says_less() -> None:
    assert raised() == Dispute(LABEL, 1, Reason.NOT_OURS, "EUR", 10_000, "Not our project.", "olga", AT)
    assert raised(claimed_minor=0).claimed_minor == 0
    assert raised(2).claimed_minor == -500
    assert raised(2, claimed_minor=-499).claimed_minor == -499
    assert raised(None).claimed_minor == 12_500
    assert (name(raised()), name(raised(None))) == (f"line 1 of {LABEL}", LABEL)


@pytest.mark.parametrize(
    ("number", "claimed", "said"),
    [
        (1, 10_001, "100.01 EUR cannot be claimed: it must be from 0.00 EUR to 100.00 EUR."),
        (1, -1, "-0.01 EUR cannot be claimed: it must be from 0.00 EUR to 100.00 EUR."),
        (2, -501, "-5.01 EUR cannot be claimed: it must be from -5.00 EUR to 0.00 EUR."),
        (2, 1, "0.01 EUR cannot be claimed: it must be from -5.00 EUR to 0.00 EUR."),
        (None, 12_501, "125.01 EUR cannot be claimed: it must be from 0.00 EUR to 125.00 EUR."),
    ],
)
def test_a_claim_beyond_the_line_is_refused(number: int | None, claimed: int, said: str) -> None:
    with pytest.raises(ClaimError) as caught:
        raised(number, claimed_minor=claimed)
    assert caught.value.sentence == said


def test_what_was_credited_cannot_be_claimed_again() -> None:
    adjustment = Adjustment(INVOICE.lines[0], -4_000, "EUR", -4_000, "", "Agreed by telephone")
    (note,) = drafts(INVOICE, party(INVOICE), [adjustment], period="2026-11", note="Agreed")
    note = issued(note, "KES-1000-FY2026-C-000001", AT.date(), AT.date())
    assert raised(notes=[note]).claimed_minor == 6_000
    with pytest.raises(ClaimError, match=r"from 0\.00 EUR to 60\.00 EUR"):
        raised(notes=[note], claimed_minor=6_001)


@pytest.mark.parametrize(
    ("number", "more", "error"),
    [
        (4, {}, NoSuchLineError),
        (0, {}, NoSuchLineError),
        (None, {"currency": "USD"}, NoSuchLineError),
        (1, {"currency": "USD"}, ClaimError),
        (1, {"text": " \n"}, NoReasonGivenError),
        (1, {"text": "x" * 10_001}, DisputeError),
    ],
)
def test_what_no_dispute_can_say(number: int | None, more: dict[str, Any], error: type[DisputeError]) -> None:
    with pytest.raises(error):
        raised(number, **more)


def test_a_document_in_two_currencies_is_disputed_in_one() -> None:
    both = paper(line(1, 10_000), line(2, 700, currency="USD"))
    given: dict[str, Any] = {"line": None, "reason": Reason.OTHER, "text": "All.", "by": "olga", "at": AT}
    with pytest.raises(NoSuchLineError, match="EUR and USD"):
        raise_dispute(both, in_review(), (), **given)
    one = raise_dispute(both, in_review(), (), **given, currency="USD")
    assert (one.currency, one.claimed_minor) == ("USD", 700)
    assert [each.number for each in disputable(both, [one])] == [1]


def test_a_line_has_one_undecided_dispute_and_none_after_a_decision() -> None:
    first = raised()
    with pytest.raises(DisputedAlreadyError, match="Line 1"):
        raised(known=[first])
    assert raised(3, known=[first]).line == 3
    decided = approve(propose(first, Outcome.REJECTED, "It is yours.", "carl", AT), "cora", AT)
    with pytest.raises(DisputedAlreadyError):
        raised(known=[decided])
    gone = withdraw(first, "olga", AT)
    assert raised(known=[gone]).line == 1


def test_the_whole_document_and_its_lines_do_not_cross() -> None:
    first = raised()
    with pytest.raises(DisputedAlreadyError, match="A part of"):
        raised(None, known=[first])
    with pytest.raises(DisputedAlreadyError):
        raised(3, known=[raised(None)])
    with pytest.raises(DisputedAlreadyError):
        raised(None, known=[raised(None)])
    decided = approve(propose(first, Outcome.REJECTED, "It is yours.", "carl", AT), "cora", AT)
    assert raised(None, known=[decided]).claimed_minor == 2_500  # what is not decided
    every = approve(propose(raised(None), Outcome.UPHELD, "", "carl", AT), "cora", AT)
    with pytest.raises(DisputedAlreadyError):
        raised(None, known=[every])


def test_a_dispute_comes_while_the_document_awaits_review_or_before_the_deadline() -> None:
    given: dict[str, Any] = {"line": 1, "reason": Reason.UNCLEAR, "text": "Why?", "by": "olga", "at": AT}
    for now in (in_review(), past(in_review()), disputed()):
        assert raise_dispute(INVOICE, now, (), **given).status is Status.OPEN
    accepted = step(in_review(), Act.ACCEPT)
    for now, said in (
        (past(disputed()), "deadline has passed"),
        (accepted, "it is accepted"),
        (step(accepted, Act.EXPORT), "it is accepted"),
    ):
        with pytest.raises(StateError, match=said):
            raise_dispute(INVOICE, now, (), **given)


def test_a_decision_needs_two_people_who_did_not_raise_it() -> None:
    first = raised()
    with pytest.raises(SamePersonError, match="raised"):
        propose(first, Outcome.UPHELD, "", "olga", AT)
    proposed = propose(first, Outcome.UPHELD, "", "carl", AT)
    assert (proposed.status, proposed.is_undecided, proposed.is_decided) == (Status.PROPOSED, True, False)
    for who in ("carl", "olga"):
        with pytest.raises(SamePersonError):
            approve(proposed, who, AT)
    decided = approve(proposed, "cora", AT)
    assert (decided.status, decided.is_undecided, decided.is_decided) == (Status.UPHELD, False, True)
    assert decided.decision
    assert (decided.decision.upheld_minor, decided.decision.approved_by) == (10_000, "cora")


@pytest.mark.parametrize(("number", "part"), [(1, 0), (1, 10_000), (1, -1), (1, 10_001), (2, -500), (2, 1), (2, 0)])
def test_a_part_is_neither_nothing_nor_everything(number: int, part: int) -> None:
    with pytest.raises(ClaimError):
        propose(raised(number), Outcome.PARTLY_UPHELD, "Half of it.", "carl", AT, part)


@pytest.mark.parametrize(("number", "part"), [(1, 1), (1, 9_999), (2, -1), (2, -499)])
def test_a_part_in_between_is_upheld(number: int, part: int) -> None:
    made = approve(propose(raised(number), Outcome.PARTLY_UPHELD, " Half. ", "carl", AT, part), "cora", AT)
    assert made.status is Status.PARTLY_UPHELD
    assert made.decision
    assert (made.decision.upheld_minor, made.decision.reason) == (part, "Half.")


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.PARTLY_UPHELD])
def test_what_is_not_met_in_full_needs_a_reason(outcome: Outcome) -> None:
    with pytest.raises(NoReasonGivenError):
        propose(raised(), outcome, "  ", "carl", AT, 1)


def test_steps_that_the_dispute_is_not_in_the_state_for() -> None:
    first = raised()
    proposed = propose(first, Outcome.REJECTED, "It is yours.", "carl", AT)
    assert proposed.decision
    assert proposed.decision.upheld_minor == 0
    decided, gone = approve(proposed, "cora", AT), withdraw(first, "olga", AT)
    assert send_back(proposed) == first
    assert withdraw(proposed, "olga", AT).status is Status.WITHDRAWN
    for each in (proposed, decided, gone):
        with pytest.raises(DecidedError):
            propose(each, Outcome.UPHELD, "", "carl", AT)
    for each in (first, decided, gone):
        with pytest.raises(DecidedError):
            approve(each, "cora", AT)
        with pytest.raises(DecidedError):
            send_back(each)
    for each in (decided, gone):
        with pytest.raises(DecidedError, match=r"is decided|was withdrawn"):
            withdraw(each, "olga", AT)


def test_every_error_has_its_code_and_every_reason_its_words() -> None:
    kinds: list[type[DisputeError]] = [DisputeError, *DisputeError.__subclasses__()]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert set(REASON_WORDS) == set(Reason)


def test_a_statement_is_disputed_like_an_invoice() -> None:
    shown = replace(INVOICE, kind=PaperKind.STATEMENT)
    made = raise_dispute(
        shown, in_review(PaperKind.STATEMENT), (), line=3, reason=Reason.WRONG_SHARE, text="40 %", by="olga", at=AT
    )
    assert made.claimed_minor == 3_000
