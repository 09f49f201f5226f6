"""Credit and debit notes: what remains of a document, and never more than that."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from apportion.invoice.credit_note import (
    Adjustment,
    MoreThanLeftError,
    NothingLeftError,
    NotThisDocumentError,
    drafts,
    full_credit,
    issued,
    party,
    remaining,
    title,
)
from apportion.invoice.paper import Paper, PaperKind
from tests.rooms.review.review_papers import LABEL, line, paper

INVOICE = paper(line(1, 10_000), line(2, -500), line(3, 3_000, pool="network"))


def credit(number: int, minor: int, earlier: tuple[Paper, ...] = ()) -> Paper:
    of = INVOICE.lines[number - 1]
    (made,) = drafts(
        INVOICE,
        party(INVOICE),
        [Adjustment(of, minor, "EUR", minor, "", "Agreed")],
        period="2026-11",
        note="Agreed",
        earlier=earlier,
    )
    return issued(made, f"KES-1000-FY2026-C-{len(earlier) + 1:06d}", date(2026, 11, 20), date(2026, 11, 27))


def full(*earlier: Paper) -> tuple[Paper, ...]:
    return full_credit(INVOICE, earlier, period="2026-11", note="All of it", reason="Issued by mistake")


def test_a_full_credit_takes_what_remains_and_then_there_is_nothing_left() -> None:
    first = credit(1, -4_000)
    second = credit(3, -3_000, (first,))
    assert [each.minor for each in remaining(INVOICE, [first, second])] == [6_000, -500, 0]
    (rest,) = full(first, second)
    assert [(each.of_line, each.minor) for each in rest.lines] == [(f"{LABEL}:1", -6_000), (f"{LABEL}:2", 500)]
    assert (rest.kind, rest.totals[0].minor, rest.totals[0].adjusted_minor) == (PaperKind.CREDIT_NOTE, -5_500, -5_500)
    last = issued(rest, "KES-1000-FY2026-C-000003", date(2026, 11, 20), date(2026, 11, 27))
    assert sum(each.totals[0].minor for each in (INVOICE, first, second, last)) == 0
    with pytest.raises(NothingLeftError, match="Nothing remains"):
        full(first, second, last)


def test_a_note_never_takes_more_than_remains() -> None:
    first = credit(1, -4_000)
    assert credit(1, -6_000, (first,)).totals[0].minor == -6_000
    for minor in (-6_001, 4_001):  # beyond zero, and beyond what it was
        with pytest.raises(MoreThanLeftError, match="line 1"):
            credit(1, minor, (first,))
    with pytest.raises(MoreThanLeftError, match="line 2"):
        credit(2, 501)


def test_a_note_can_give_back_what_an_earlier_one_took() -> None:
    first = credit(1, -4_000)
    back = credit(1, 4_000, (first,))
    assert back.kind is PaperKind.DEBIT_NOTE
    assert remaining(INVOICE, [first, back]) == INVOICE.lines


def test_currencies_that_go_up_and_down_are_on_two_notes() -> None:
    both = paper(line(1, 900), line(2, -700, currency="USD"))
    made = full_credit(both, period="2026-11", note="All of it", reason="Issued by mistake")
    assert [(each.kind, each.totals[0].currency, each.totals[0].minor) for each in made] == [
        (PaperKind.CREDIT_NOTE, "EUR", -900),
        (PaperKind.DEBIT_NOTE, "USD", 700),
    ]


def test_notes_are_about_an_issued_document_and_its_own_lines() -> None:
    other = replace(INVOICE, label="KES-1000-FY2026-000018")
    with pytest.raises(NotThisDocumentError):
        remaining(other, [credit(1, -1)])
    with pytest.raises(NotThisDocumentError):
        remaining(replace(INVOICE, code="shop"), [credit(1, -1)])
    stranger = Adjustment(line(9, 5), -5, "EUR", -5, "", "Agreed")
    with pytest.raises(NotThisDocumentError, match="no line 9"):
        drafts(INVOICE, party(INVOICE), [stranger], period="2026-11", note="")
    with pytest.raises(NotThisDocumentError, match="draft"):
        drafts(replace(INVOICE, issued_on=None), party(INVOICE), [], period="2026-11", note="")
    lost = credit(1, -1)
    lost = replace(lost, lines=(replace(lost.lines[0], of_line=f"{LABEL}:9"),))
    with pytest.raises(NotThisDocumentError, match=f"no line {LABEL}:9"):
        remaining(INVOICE, [lost])


def test_a_note_is_frozen_as_its_first_document_was() -> None:
    made = credit(1, -1)
    assert (made.policy_digest, made.run_digest, made.path) == (INVOICE.policy_digest, INVOICE.run_digest, INVOICE.path)
    assert (made.statement, made.changes, made.history, made.budgets) == ("", (), (), ())
    assert drafts(INVOICE, party(INVOICE), [], period="2026-11", note="") == ()


def test_what_a_document_is_called_says_showback() -> None:
    shown = replace(INVOICE, kind=PaperKind.STATEMENT)
    (note,) = full_credit(shown, period="2026-11", note="All of it", reason="Issued by mistake")
    assert (note.kind, note.showback, note.is_showback) == (PaperKind.CREDIT_NOTE, True, True)
    assert title(note) == "Credit note (showback: nothing is charged)"
    assert (title(shown), title(INVOICE)) == ("Showback statement", "Chargeback invoice")
    assert title(credit(1, -1)) == "Credit note"
    assert not credit(1, -1).is_showback
    assert shown.is_showback
