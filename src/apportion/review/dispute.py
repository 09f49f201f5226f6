"""Disputes: who may object to what, for how much, and what can become of it.

Takes the document as it is printed, where it stands, its earlier notes and disputes; gives a `Dispute`, or refuses with
a sentence. A dispute is about one line, or about the whole document as far as it is in one currency. What is claimed
lies between zero and what remains of it; below zero for a credit. A decision is proposed by one person and approved by
another, and neither of them raised the dispute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from apportion.errors import ApportionError
from apportion.invoice.credit_note import remaining
from apportion.invoice.paper import Paper, PaperLine
from apportion.money.currency import minor_text
from apportion.review.states import Act, Situation, StateError, refusal

MOST_TEXT = 10_000


class DisputeError(ApportionError):
    """An objection or a decision about one that cannot be taken as it is."""

    code = "DISPUTE_REFUSED"


class NoSuchLineError(DisputeError):
    """A line, or a currency, that the document does not have."""

    code = "NO_SUCH_LINE"


class ClaimError(DisputeError):
    """A claim that is not between zero and what remains of the line or document."""

    code = "BAD_CLAIM"


class NoReasonGivenError(DisputeError):
    """An objection or decision without a word why."""

    code = "NO_REASON_GIVEN"


class DisputedAlreadyError(DisputeError):
    """A line that is disputed already, or of which a dispute was decided."""

    code = "DISPUTED_ALREADY"


class DecidedError(DisputeError):
    """A step that the dispute's own state does not allow."""

    code = "DISPUTE_NOT_IN_THIS_STATE"


class SamePersonError(DisputeError):
    """One person where two are needed."""

    code = "SAME_PERSON"


class Reason(StrEnum):
    """Why somebody objects."""

    NOT_OURS = "not_ours"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_SHARE = "wrong_share"  # the basis, or our part of it
    ALREADY_CHARGED = "already_charged"
    WRONG_PERIOD = "wrong_period"
    UNCLEAR = "unclear"
    OTHER = "other"


class Outcome(StrEnum):
    """What a decision says."""

    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    REJECTED = "rejected"


class Status(StrEnum):
    """Where a dispute stands. `PROPOSED`: one person has proposed a decision that another has to approve."""

    OPEN = "open"
    PROPOSED = "proposed"
    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


REASON_WORDS = {
    Reason.NOT_OURS: "The cost is not ours",
    Reason.WRONG_AMOUNT: "The amount is wrong",
    Reason.WRONG_SHARE: "Our share, or what it is measured by, is wrong",
    Reason.ALREADY_CHARGED: "We were charged for this before",
    Reason.WRONG_PERIOD: "It belongs to another period",
    Reason.UNCLEAR: "We do not understand it",
    Reason.OTHER: "Another reason",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What was proposed and, once `approved_by` is not empty, decided. `upheld_minor` is in the dispute's currency."""

    outcome: Outcome
    upheld_minor: int
    reason: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str = ""
    approved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """An objection to line `line` of a document, or, where that is None, to all of its lines in `currency`.

    `claimed_minor` is what should not be on the document, in minor units of `currency`, which is what the line is
    stated in; zero says that nobody knows yet.
    """

    document: str
    line: int | None
    reason: Reason
    currency: str
    claimed_minor: int
    text: str
    raised_by: str
    raised_at: datetime
    decision: Decision | None = None
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = None

    @property
    def status(self) -> Status:
        """Where it stands."""
        if self.withdrawn_by:
            return Status.WITHDRAWN
        if self.decision is None:
            return Status.OPEN
        return Status(self.decision.outcome) if self.decision.approved_by else Status.PROPOSED

    @property
    def is_undecided(self) -> bool:
        """Does it hold the document back?"""
        return self.status in {Status.OPEN, Status.PROPOSED}

    @property
    def is_decided(self) -> bool:
        """Was it decided (and not withdrawn)?"""
        return not self.is_undecided and self.status is not Status.WITHDRAWN


def disputable(paper: Paper, disputes: Iterable[Dispute], notes: Iterable[Paper] = ()) -> tuple[PaperLine, ...]:
    """The lines that may still be disputed, with what remains of them.

    `disputes` are all that there ever were about the document; `notes` as `invoice.credit_note.remaining` takes them.
    """
    spoken_for = [each for each in disputes if each.status is not Status.WITHDRAWN]
    return tuple(line for line in remaining(paper, notes) if not any(_covers(each, line) for each in spoken_for))


def raise_dispute(
    paper: Paper,
    now: Situation,
    disputes: Sequence[Dispute],
    notes: Iterable[Paper] = (),
    *,
    line: int | None,
    reason: Reason,
    text: str,
    by: str,
    at: datetime,
    claimed_minor: int | None = None,
    currency: str = "",
) -> Dispute:
    """A new dispute. Nothing claimed means all that remains; `currency` need only be said for a whole document in
    several. Raises `StateError`, and a `DisputeError` that says what is wrong.
    """
    if sentence := refusal(now, Act.DISPUTE):
        raise StateError(sentence, advice="Load the page again to see where the document stands.")
    said = _said(text, "Write what is wrong, so that others can look into it.")
    lines = _lines(paper, disputes, notes, line, currency)
    total = sum(each.minor for each in lines)
    claimed = total if claimed_minor is None else claimed_minor
    made = Dispute(paper.label, line, reason, lines[0].currency, claimed, said, by, at)
    _check_claim(made, total)
    return made


def propose(dispute: Dispute, outcome: Outcome, reason: str, by: str, at: datetime, upheld_minor: int = 0) -> Dispute:
    """The dispute with a proposed decision. `upheld_minor` counts where it is partly upheld: between zero and what is
    claimed, and neither. A rejection, and what is upheld in part, need their reason.
    """
    _needs(dispute, Status.OPEN)
    _another(dispute.raised_by, by, "Whoever raised a dispute does not decide it.")
    claimed = dispute.claimed_minor
    if outcome is Outcome.PARTLY_UPHELD and not _inside(upheld_minor, claimed):
        raise ClaimError(
            f"A part of {_amount(claimed, dispute.currency)} is more than nothing and less than all of it.",
            advice="Uphold or reject the dispute, or say another amount.",
        )
    said = reason.strip()
    if outcome is not Outcome.UPHELD:
        said = _said(reason, "Write why the claim is not met in full: the owner reads it.")
    upheld = {Outcome.UPHELD: claimed, Outcome.PARTLY_UPHELD: upheld_minor, Outcome.REJECTED: 0}[outcome]
    return replace(dispute, decision=Decision(outcome, upheld, said, by, at))


def approve(dispute: Dispute, by: str, at: datetime) -> Dispute:
    """The dispute, decided as was proposed. Raises `SamePersonError` for whoever proposed it or raised the dispute."""
    decision = _proposed(dispute)
    _another(decision.proposed_by, by, "Whoever proposed a decision does not approve it.")
    _another(dispute.raised_by, by, "Whoever raised a dispute does not decide it.")
    return replace(dispute, decision=replace(decision, approved_by=by, approved_at=at))


def send_back(dispute: Dispute) -> Dispute:
    """The dispute without the decision that was proposed, so that another can be proposed."""
    _proposed(dispute)
    return replace(dispute, decision=None)


def withdraw(dispute: Dispute, by: str, at: datetime) -> Dispute:
    """The dispute, withdrawn; it can be until it is decided, and the line can be disputed again."""
    if not dispute.is_undecided:
        raise _wrong(dispute)
    return replace(dispute, withdrawn_by=by, withdrawn_at=at)


def name(dispute: Dispute) -> str:
    """What is disputed: ``line 3 of KES-1000-FY2026-000017``."""
    return dispute.document if dispute.line is None else f"line {dispute.line} of {dispute.document}"


def _covers(dispute: Dispute, line: PaperLine) -> bool:
    return dispute.line == line.number if dispute.line is not None else dispute.currency == line.currency


def _lines(
    paper: Paper, disputes: Sequence[Dispute], notes: Iterable[Paper], number: int | None, currency: str
) -> list[PaperLine]:
    """The lines that a new dispute is about, with what remains of them."""
    free = disputable(paper, disputes, notes)
    if number is None:
        if not currency:
            currencies = sorted({line.currency for line in paper.lines})
            if len(currencies) != 1:
                raise NoSuchLineError(
                    f"{paper.label} is in {' and '.join(currencies)}.", advice="Say which currency is disputed."
                )
            currency = currencies[0]
        if any(each.is_undecided and each.currency == currency for each in disputes):
            raise DisputedAlreadyError(
                f"A part of {paper.label} is disputed already.",
                advice="Withdraw that dispute first, or dispute other lines one by one.",
            )
        found = [line for line in paper.lines if line.currency == currency]
        free_ones = [line for line in free if line.currency == currency]
        missing = f"{paper.label} has no line in {currency}."
    else:
        found = [line for line in paper.lines if line.number == number]
        free_ones = [line for line in free if line.number == number]
        missing = f"{paper.label} has no line {number}."
        if found and currency not in {"", found[0].currency}:
            raise ClaimError(f"Line {number} is in {found[0].currency}, and so is what is claimed of it.")
    if not found:
        raise NoSuchLineError(missing)
    if not free_ones:
        what = paper.label if number is None else f"Line {number}"
        raise DisputedAlreadyError(
            f"{what} is disputed already, or a dispute of it was decided.",
            advice="Add a comment to that dispute.",
        )
    return free_ones


def _check_claim(dispute: Dispute, total: int) -> None:
    low, high = min(total, 0), max(total, 0)
    if not low <= dispute.claimed_minor <= high:
        least, most = _amount(low, dispute.currency), _amount(high, dispute.currency)
        raise ClaimError(
            f"{_amount(dispute.claimed_minor, dispute.currency)} cannot be claimed: it must be from {least} to {most}."
        )


def _inside(part: int, whole: int) -> bool:
    return 0 < part < whole or whole < part < 0


def _amount(minor: int, currency: str) -> str:
    return f"{minor_text(minor, currency)} {currency}"


def _said(text: str, advice: str) -> str:
    said = text.strip()
    if not said:
        raise NoReasonGivenError("There is no explanation.", advice=advice)
    if len(said) > MOST_TEXT:
        raise DisputeError(f"The explanation is longer than {MOST_TEXT:,} characters.", advice="Attach it as a file.")
    return said


def _needs(dispute: Dispute, status: Status) -> None:
    if dispute.status is not status:
        raise _wrong(dispute)


def _proposed(dispute: Dispute) -> Decision:
    if dispute.status is not Status.PROPOSED or dispute.decision is None:
        raise _wrong(dispute)
    return dispute.decision


def _wrong(dispute: Dispute) -> DecidedError:
    words = {
        Status.OPEN: "has no proposed decision",
        Status.PROPOSED: "has a proposed decision that waits for approval",
        Status.WITHDRAWN: "was withdrawn",
    }.get(dispute.status, "is decided")
    return DecidedError(
        f"The dispute about {name(dispute)} {words}.", advice="Load the page again to see where it stands."
    )


def _another(first: str, second: str, sentence: str) -> None:
    if first == second:
        raise SamePersonError(sentence, advice="Ask a colleague who has the right to it.")
