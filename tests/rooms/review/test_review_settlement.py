"""Settlements that a person can check by hand: what moves where, in which currency, and whose bill changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Target
from apportion.errors import ConservationError, MissingRateError, NotFoundError
from apportion.invoice.credit_note import party
from apportion.invoice.paper import PaperKind, PaperLineKind, from_json, to_json
from apportion.money.exchange import Leg, Rate
from apportion.review.dispute import DecidedError, Dispute, Outcome, Reason, approve, propose, raise_dispute
from apportion.review.notes import decision_words, notes
from apportion.review.settlement import (
    Difference,
    Move,
    NobodyElseError,
    Recipient,
    SameHolderError,
    Settlement,
    SettlementError,
    Taken,
    Where,
    counterfactual,
    others,
    settlement,
    taken,
)
from tests.rooms.review.review_papers import ADS, AT, LABEL, SEARCH, SHOP, in_review, line, paper

DIRECT, SHARE = line(1, 10_000), line(2, 1_000, pool="network")
INVOICE = paper(DIRECT, SHARE)


def told(made: Settlement) -> list[tuple[str, int, str, int]]:
    return [(str(move.holder), move.billed_minor, move.currency, move.minor) for move in made.moves]


def rate(value: str, start: str = "USD", end: str = "GBP") -> Rate:
    day = date(2026, 10, 30)
    return Rate((Leg(start, end, Fraction(value), False, day, day, 1, "eurofxref.csv"),))


@pytest.mark.parametrize(
    ("where", "to"),
    [(Where.COST_GROUP, "shop"), (Where.KEPT_CENTRAL, "kept_central"), (Where.UNALLOCATED, "unallocated")],
)
def test_one_place_takes_all_of_it(where: Where, to: str) -> None:
    made = settlement(SEARCH, taken([DIRECT], 2_500), where, cost_group="shop")
    assert told(made) == [("search", -2_500, "EUR", -2_500), (to, 2_500, "EUR", 2_500)]


def test_the_others_take_it_in_proportion_of_their_shares() -> None:
    # The network pool on invoice A-1: search 10.00, shop 20.00, ads 10.00. Its 10.00 go to the others as 2 to 1.
    known = [
        (SEARCH, SHARE),
        (SHOP, line(4, 2_000, pool="network")),
        (ADS, line(5, 1_000, pool="network")),
        (ADS, line(6, 9_000, pool="network", invoice="A-2")),  # another provider invoice
        (SHOP, line(7, 9_000, pool="support")),  # another pool
        (SHOP, line(8, 9_000)),  # direct cost
        (KEPT_CENTRAL, line(9, -50, pool="network")),  # a credit does not take a charge
    ]
    weights = others(SHARE, SEARCH, known)
    assert weights == {ADS: 1_000, SHOP: 2_000}
    made = settlement(SEARCH, taken([SHARE], 1_000), Where.OTHERS, sharing={2: weights})
    assert told(made) == [("search", -1_000, "EUR", -1_000), ("ads", 333, "EUR", 333), ("shop", 667, "EUR", 667)]


def test_direct_cost_has_no_others() -> None:
    assert others(DIRECT, SEARCH, [(SHOP, DIRECT)]) == {}
    with pytest.raises(NobodyElseError, match="direct cost"):
        settlement(SEARCH, taken([DIRECT], 100), Where.OTHERS)
    with pytest.raises(NobodyElseError, match="'Network'"):
        settlement(SEARCH, taken([SHARE], 100), Where.OTHERS, sharing={2: {SEARCH: 5, ADS: 0}})


def test_money_does_not_go_where_it_comes_from() -> None:
    with pytest.raises(SameHolderError):
        settlement(SEARCH, taken([DIRECT], 100), Where.COST_GROUP, cost_group="search")
    with pytest.raises(SettlementError, match="No cost group"):
        settlement(SEARCH, taken([DIRECT], 100), Where.COST_GROUP)


def test_a_part_of_several_lines_is_taken_in_proportion_and_a_credit_goes_with_it() -> None:
    lines = [line(1, 10_000), line(2, -500), line(3, 3_000), line(4, 0)]
    assert [each.minor for each in taken(lines, 5_000)] == [4_000, -200, 1_200]
    assert [each.minor for each in taken(lines, 1)] == [1]
    assert [each.minor for each in taken(lines, 12_500)] == [10_000, -500, 3_000]
    assert taken(lines, 0) == ()
    assert [each.minor for each in taken([line(1, -10_000), line(2, 500)], -950)] == [-1_000, 50]
    with pytest.raises(SettlementError, match=r"125\.01 EUR"):
        taken(lines, 12_501)
    with pytest.raises(SettlementError, match="one currency after the other"):
        taken([line(1, 5), line(2, 5, currency="USD")], 5)


def test_a_whole_line_takes_both_amounts_and_a_part_takes_its_part_of_both() -> None:
    # 100.00 USD stated as 91.00 EUR. 30.00 EUR of it are 32.967… USD; 58.03 remain of 91.00 as billed 67.03.
    foreign = line(1, 9_100, billed=10_000, billed_in="USD")
    assert taken([foreign], 9_100) == (Taken(foreign, 9_100, 10_000),)
    assert taken([foreign], 3_000) == (Taken(foreign, 3_000, 3_297),)
    tiny = line(2, 0, billed=1, billed_in="JPY")
    assert taken([foreign, tiny], 9_100) == (Taken(foreign, 9_100, 10_000), Taken(tiny, 0, 1))


def test_each_recipient_is_in_the_currency_of_their_documents() -> None:
    foreign = line(1, 9_100, billed=10_000, billed_in="USD", pool="network")
    weights = {SHOP: 1, ADS: 1, KEPT_CENTRAL: 2}
    recipients = {SHOP: Recipient("EUR"), ADS: Recipient("GBP", {"USD": rate("0.78")})}
    made = settlement(SEARCH, taken([foreign], 9_100), Where.OTHERS, recipients=recipients, sharing={1: weights})
    assert told(made) == [
        ("search", -10_000, "EUR", -9_100),
        ("ads", 2_500, "GBP", 1_950),
        ("shop", 2_500, "EUR", 2_275),
        ("kept_central", 5_000, "USD", 5_000),
    ]
    assert made.moves[1].rate == "1 USD = 0.78 GBP (1 USD = 0.78 GBP, 2026-10-30, eurofxref.csv)"
    assert made.moves[2].rate == foreign.rate
    with pytest.raises(MissingRateError, match="'ads' is stated in GBP"):
        settlement(
            SEARCH, taken([foreign], 9_100), Where.COST_GROUP, cost_group="ads", recipients={ADS: Recipient("GBP")}
        )


def test_all_in_one_stated_currency_cancels_out_in_it_too() -> None:
    foreign = line(1, 9_100, billed=10_001, billed_in="USD", pool="network")
    both = {whose: Recipient("EUR") for whose in (SHOP, ADS)}
    made = settlement(SEARCH, taken([foreign], 33), Where.OTHERS, recipients=both, sharing={1: {SHOP: 1, ADS: 2}})
    assert sum(move.minor for move in made.moves) == sum(move.billed_minor for move in made.moves) == 0
    assert {move.currency for move in made.moves} == {"EUR"}


def test_a_settlement_that_loses_a_cent_does_not_exist() -> None:
    there, back = Move(SEARCH, DIRECT, -100, "EUR", -100), Move(SHOP, DIRECT, 100, "EUR", 100)
    assert Settlement(SEARCH, (there, back)).moves
    with pytest.raises(ConservationError):
        Settlement(SEARCH, (there, replace(back, billed_minor=99)))
    with pytest.raises(ConservationError):
        Settlement(SEARCH, (there, replace(back, minor=99)))
    with pytest.raises(ConservationError):  # another line does not make up for it
        Settlement(SEARCH, (there, replace(back, line=SHARE)))


def test_the_counterfactual_says_whose_bill_moves_by_how_much() -> None:
    weights: dict[Target, int] = {SHOP: 2, ADS: 1}
    made = settlement(SEARCH, taken([SHARE], 1_000), Where.OTHERS, sharing={2: weights})
    before = {(SEARCH, "EUR"): 11_000, (SHOP, "EUR"): 50_000, (SEARCH, "USD"): 7}
    rows = counterfactual(made, before)
    assert rows == (
        Difference(SEARCH, "EUR", 11_000, 10_000),
        Difference(SHOP, "EUR", 50_000, 50_667),
        Difference(ADS, "EUR", 0, 333),
    )
    assert [row.minor for row in rows] == [-1_000, 667, 333]
    assert counterfactual(Settlement(SEARCH, ())) == ()


# Notes of a decided dispute.


def upheld(claimed: int, part: int = 0, number: int = 2) -> Dispute:
    raised = raise_dispute(
        INVOICE,
        in_review(),
        (),
        line=number,
        reason=Reason.WRONG_SHARE,
        text="Our traffic fell.",
        by="olga",
        at=AT,
        claimed_minor=claimed,
    )
    outcome = Outcome.PARTLY_UPHELD if part else Outcome.UPHELD
    return approve(propose(raised, outcome, "Measured anew", "carl", AT, part), "cora", AT)


def test_the_notes_of_a_dispute_are_a_credit_note_and_debit_notes_that_cancel_out() -> None:
    dispute = upheld(1_000, 600)
    made = settlement(SEARCH, taken([SHARE], 600), Where.OTHERS, sharing={2: {SHOP: 2, ADS: 1, KEPT_CENTRAL: 3}})
    shop = party(paper(line(1, 5), code="shop", label="KES-1000-FY2026-000018"))
    ads = party(paper(line(1, 5), code="ads", kind=PaperKind.STATEMENT, label="KES-1000-FY2026-S-000003"))
    found = notes(made, dispute, INVOICE, parties={SHOP: shop, ADS: ads}, period="2026-11")
    assert [(note.kind, note.code, note.showback, note.totals[0].minor) for note in found] == [
        (PaperKind.CREDIT_NOTE, "search", False, -600),
        (PaperKind.DEBIT_NOTE, "ads", True, 100),
        (PaperKind.DEBIT_NOTE, "shop", False, 200),
    ]  # 3.00 stay with kept central, which has no note
    for note in found:
        assert (note.about, note.period, note.label, note.issued_on) == (LABEL, "2026-11", "", None)
        (only,) = note.lines
        assert (only.number, only.kind, only.of_line) == (1, PaperLineKind.ADJUSTMENT, f"{LABEL}:2")
        assert (only.pool_id, only.invoice_id) == ("network", "A-1")
        assert from_json(to_json(note)) == note
        assert note.note.startswith(
            f"The dispute of line 2 of {LABEL} (“Our share, or what it is measured by, is wrong”) was partly upheld: "
            "Measured anew."
        )
    why = "the dispute of it (“Our share, or what it is measured by, is wrong”) was partly upheld"
    assert found[0].lines[0].reason == f"Correction of line 2 of {LABEL}: {why}"
    assert found[1].lines[0].reason == f"Moved here from line 2 of {LABEL}: {why}"


def test_a_disputed_credit_goes_the_other_way() -> None:
    first = paper(line(1, 900), line(2, -500))
    raised = raise_dispute(
        first, in_review(), (), line=2, reason=Reason.NOT_OURS, text="Not our credit.", by="olga", at=AT
    )
    dispute = approve(propose(raised, Outcome.UPHELD, "", "carl", AT), "cora", AT)
    made = settlement(SEARCH, taken([first.lines[1]], -500), Where.COST_GROUP, cost_group="shop")
    shop = party(paper(line(1, 5), code="shop"))
    found = notes(made, dispute, first, parties={SHOP: shop}, period="2026-11")
    assert [(note.kind, note.code, note.totals[0].minor) for note in found] == [
        (PaperKind.DEBIT_NOTE, "search", 500),
        (PaperKind.CREDIT_NOTE, "shop", -500),
    ]


def test_no_note_without_a_decision_for_it_and_a_party() -> None:
    made = settlement(SEARCH, taken([SHARE], 600), Where.COST_GROUP, cost_group="shop")
    with pytest.raises(NotFoundError, match="'shop'"):
        notes(made, upheld(600), INVOICE, parties={}, period="2026-11")
    rejected = propose(replace(upheld(600), decision=None), Outcome.REJECTED, "It is yours.", "carl", AT)
    for dispute in (rejected, replace(rejected, decision=None)):
        with pytest.raises(DecidedError, match="not upheld"):
            notes(made, dispute, INVOICE, parties={}, period="2026-11")


def test_a_decision_in_words() -> None:
    dispute = upheld(600)
    said = f"The dispute of line 2 of {LABEL} (“Our share, or what it is measured by, is wrong”)"
    assert decision_words(dispute) == f"{said} was upheld: Measured anew."
    assert decision_words(replace(dispute, decision=None)) == f"{said} is not decided."
    assert dispute.decision
    proposed = replace(dispute, decision=replace(dispute.decision, approved_by="", reason=""))
    assert decision_words(proposed) == f"{said} is proposed to be upheld."


def test_kept_central_and_unallocated_are_no_parties() -> None:
    made = settlement(SEARCH, taken([SHARE], 600), Where.UNALLOCATED)
    assert made.moves[1].holder == UNALLOCATED
    assert len(notes(made, upheld(600), INVOICE, parties={}, period="2026-11")) == 1
