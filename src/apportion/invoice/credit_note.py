"""Credit and debit notes: documents that put an issued one right without touching it.

Takes the first document, the notes that were issued about it before, and what is adjusted; gives drafts of notes as
`Paper`s. Signs are seen from the recipient: a credit note's lines lower what they carry, a debit note's raise it, so a
document and all its notes add up to what is carried in the end. A note never takes more of a line than remains of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from apportion.errors import ApportionError
from apportion.invoice.paper import Paper, PaperKind, PaperLine, PaperLineKind, totals
from apportion.organization.coding import Coding
from apportion.organization.ownership import Owners

NOTES = (PaperKind.CREDIT_NOTE, PaperKind.DEBIT_NOTE)


class NothingLeftError(ApportionError):
    """A credit note about a document of which nothing remains."""

    code = "NOTHING_LEFT"


class MoreThanLeftError(ApportionError):
    """A note that takes more of a line than remains of it, or gives back more than was taken."""

    code = "MORE_THAN_LEFT"


class NotThisDocumentError(ApportionError):
    """A note about lines or a document that it cannot be about."""

    code = "NOT_THIS_DOCUMENT"


@dataclass(frozen=True, slots=True)
class Party:
    """To whom a note goes, as on the paper: `holder` is cost_group, and `showback` says that they are in showback."""

    holder: str
    code: str
    name: str
    path: tuple[tuple[str, str], ...]
    owners: Owners
    coding: Coding
    showback: bool

    def is_holder_of(self, paper: Paper) -> bool:
        """Is the paper theirs?"""
        return (self.holder, self.code) == (paper.holder, paper.code)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What is added to (or, below zero, taken off) a party's cost, because of `line` of the first document.

    `billed_minor` is in the line's billed currency; `minor` in `currency`, that of the party's documents.
    """

    line: PaperLine
    billed_minor: int
    currency: str
    minor: int
    rate: str
    reason: str


def party(paper: Paper) -> Party:
    """The holder of a document."""
    return Party(
        paper.holder, paper.code, paper.name, paper.path, paper.owners, paper.coding, showback=paper.is_showback
    )


def remaining(first: Paper, notes: Iterable[Paper]) -> tuple[PaperLine, ...]:
    """The lines of a document with what its notes have left of them, in their order and with their numbers.

    `notes` are those that were issued about it to the same holder, without voided ones. Raises `NotThisDocumentError`
    for another document's note, and `MoreThanLeftError` where notes have taken more than was there.
    """
    taken: dict[str, tuple[int, int]] = {}
    for note in notes:
        if note.about != first.label or (note.holder, note.code) != (first.holder, first.code):
            raise NotThisDocumentError(f"{note.label or 'A draft'} is no note about {first.label} to its holder.")
        for line in note.lines:
            billed, minor = taken.get(line.of_line, (0, 0))
            taken[line.of_line] = (billed + line.billed_minor, minor + line.minor)
    if not taken:
        return first.lines
    left = tuple(_less(line, *taken.pop(reference(first, line), (0, 0)), first) for line in first.lines)
    if taken:
        raise NotThisDocumentError(f"{first.label} has no line {min(taken)}.")
    return left


def reference(first: Paper, line: PaperLine) -> str:
    """How a note names a line: ``KES-1000-FY2026-000017:3``."""
    return f"{first.label}:{line.number}"


def drafts(
    first: Paper,
    to: Party,
    adjustments: Sequence[Adjustment],
    *,
    period: str,
    note: str,
    earlier: Iterable[Paper] = (),
) -> tuple[Paper, ...]:
    """The notes that bring adjustments about one document to one party: none, one, or a credit and a debit note.

    Adjustments in a currency in which they raise the total are on the debit note, the others on the credit note.
    `period` is the open billing period that the notes belong to. `earlier` is as `remaining` takes it, and looked at
    where the party is the first document's holder. A draft has no label and no dates.
    """
    if first.issued_on is None or not first.label:
        raise NotThisDocumentError("A draft is changed, not credited.", advice="Issue it first, or make it anew.")
    known = {line.number: line for line in first.lines}
    for each in adjustments:
        if each.line.number not in known:
            raise NotThisDocumentError(f"{first.label} has no line {each.line.number}.")
    if to.is_holder_of(first):
        before = [*earlier, _note(first, to, adjustments, PaperKind.CREDIT_NOTE, period, note)]
        remaining(first, before)
    sums: dict[str, int] = {}
    for each in adjustments:
        sums[each.currency] = sums.get(each.currency, 0) + each.minor
    made = []
    for kind in NOTES:
        mine = [each for each in adjustments if (sums[each.currency] > 0) == (kind is PaperKind.DEBIT_NOTE)]
        if mine:
            made.append(_note(first, to, mine, kind, period, note))
    return tuple(made)


def full_credit(
    first: Paper, earlier: Iterable[Paper] = (), *, period: str, note: str, reason: str
) -> tuple[Paper, ...]:
    """What takes back exactly what remains of a document: the document and all its notes add up to zero, line by line.

    One credit note, unless the document has a total below zero in a currency: that is taken back by a debit note.
    Raises `NothingLeftError` where nothing remains.
    """
    before = tuple(earlier)
    adjustments = [
        Adjustment(line, -line.billed_minor, line.currency, -line.minor, line.rate, reason)
        for line in remaining(first, before)
        if line.minor or line.billed_minor
    ]
    if not adjustments:
        raise NothingLeftError(f"Nothing remains of {first.label}: earlier notes have taken all of it back.")
    return drafts(first, party(first), adjustments, period=period, note=note, earlier=before)


def issued(draft: Paper, label: str, issued_on: date, review_until: date) -> Paper:
    """The draft as it is issued: with its number and dates, and nothing else changed."""
    return replace(draft, label=label, issued_on=issued_on, review_until=review_until)


def title(paper: Paper) -> str:
    """What a document is called; a note to somebody in showback says that nothing is charged."""
    words = {
        PaperKind.STATEMENT: "Showback statement",
        PaperKind.INVOICE: "Chargeback invoice",
        PaperKind.CREDIT_NOTE: "Credit note",
        PaperKind.DEBIT_NOTE: "Debit note",
    }[paper.kind]
    return f"{words} (showback: nothing is charged)" if paper.showback and paper.kind in NOTES else words


def _note(first: Paper, to: Party, adjustments: Sequence[Adjustment], kind: PaperKind, period: str, note: str) -> Paper:
    lines = tuple(_line(number, first, each) for number, each in enumerate(adjustments, start=1))
    return Paper(
        kind=kind,
        label="",
        statement="",
        company=first.company,
        period=period,
        issued_on=None,
        review_until=None,
        holder=to.holder,
        code=to.code,
        name=to.name,
        path=to.path,
        owners=to.owners,
        coding=to.coding,
        cost_basis=first.cost_basis,
        lines=lines,
        totals=totals(lines),
        policy_name=first.policy_name,
        policy_digest=first.policy_digest,
        organization_digest=first.organization_digest,
        snapshot_digest=first.snapshot_digest,
        run_digest=first.run_digest,
        about=first.label,
        note=note,
        showback=to.showback,
    )


def _line(number: int, first: Paper, each: Adjustment) -> PaperLine:
    return replace(
        each.line,
        number=number,
        kind=PaperLineKind.ADJUSTMENT,
        billed_minor=each.billed_minor,
        currency=each.currency,
        minor=each.minor,
        rate=each.rate,
        reason=each.reason,
        rows=0,
        of_line=reference(first, each.line),
    )


def _less(line: PaperLine, billed: int, minor: int, first: Paper) -> PaperLine:
    """The line with what was added to it; refused where that goes past zero, or past what it was."""
    if not (_between(line.minor, minor) and _between(line.billed_minor, billed)):
        raise MoreThanLeftError(
            f"This takes more of line {line.number} of {first.label} than remains of it.",
            advice="Load the document again: another note about this line was made meanwhile.",
        )
    return replace(line, minor=line.minor + minor, billed_minor=line.billed_minor + billed)


def _between(was: int, added: int) -> bool:
    left = was + added
    return min(was, 0) <= left <= max(was, 0)
