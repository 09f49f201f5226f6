"""Deciding: two people, drafts that become notes, the counterfactual that writes nothing, and what is refused."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apportion.actions.acting import SamePersonError
from apportion.actions.review import accepting, deciding, disputing, settling
from apportion.actions.review.deciding import ChangedMeanwhileError
from apportion.errors import InputRefusedError, NotFoundError
from apportion.invoice.credit_note import full_credit
from apportion.money.exchange import Leg, Rate
from apportion.records import chain, convert
from apportion.records.audit import AuditEntry
from apportion.records.closes import Close
from apportion.records.disputes import Dispute, DisputeState
from apportion.records.documents import Document, DocumentTotal, Series
from apportion.records.groups import CostGroup
from apportion.records.people import Delegation, Grant
from apportion.records.policies import PolicyVersion
from apportion.records.rights import ForbiddenError
from apportion.records.work import Message
from apportion.review.dispute import ClaimError, DecidedError
from apportion.review.permission import Role
from apportion.review.settlement import NobodyElseError, SameHolderError
from apportion.review.states import Issue, Posting, Review, StateError
from tests.rooms.actions import review_world
from tests.rooms.actions.review_world import World

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]
LABEL = r"(KES|ST)-1000-FY2026-{}-00000{}"


@pytest.fixture
def world() -> World:
    return review_world.build()


def _disputed(world: World, line: int | None = 1, **claim: Any) -> Dispute:
    shop = world.documents["shop"].pk
    return disputing.dispute(world.actor("ada"), shop, line=line, reason="not_ours", text="Search's", **claim)


def _propose(world: World, dispute: Dispute, outcome: str = "upheld", who: str = "cora", **how: Any) -> Dispute:
    way: dict[str, Any] = {"settle": "cost_group", "settle_to": world.groups["labs"].pk, "reason": "Labs uses it"}
    return deciding.propose_decision(world.actor(who), dispute.pk, outcome, **{**way, **how})


def _net(world: World) -> dict[str, int]:
    """What each cost group carries in all issued documents."""
    rows = DocumentTotal.objects.filter(document__issue_state=Issue.ISSUED).select_related("document__cost_group")
    sums: dict[str, int] = {}
    for row in rows:
        code = row.document.cost_group.code if row.document.cost_group else row.document.holder
        sums[code] = sums.get(code, 0) + row.amount_minor
    return sums


def test_an_upheld_dispute_becomes_a_credit_note_and_a_debit_note(world: World) -> None:
    shop, before = world.documents["shop"], _net(world)
    dispute = _propose(world, _disputed(world))
    drafts = Document.objects.filter(dispute=dispute)
    assert {(draft.kind, draft.issue_state, draft.label, draft.number) for draft in drafts} == {
        ("credit_note", "open", None, None),
        ("debit_note", "open", None, None),
    }
    assert dispute.state == DisputeState.PROPOSED
    assert _net(world) == before
    decided, notes = deciding.approve_decision(world.actor("carl"), dispute.pk)
    assert (decided.state, decided.decided_by, decided.agreed_minor) == (
        DisputeState.UPHELD, world.people["carl"], 10_000,
    )  # fmt: skip
    credit, debit = notes
    assert (credit.kind, credit.cost_group, credit.about, credit.dispute) == (
        "credit_note", world.groups["shop"], shop, decided,
    )  # fmt: skip
    assert (debit.kind, debit.cost_group) == ("debit_note", world.groups["labs"])
    assert re.fullmatch(LABEL.format("C", 1), credit.label or "")
    assert re.fullmatch(LABEL.format("D", 1), debit.label or "")
    assert _net(world) == {**before, "shop": before["shop"] - 10_000, "labs": before["labs"] + 10_000}
    for note in notes:
        note.refresh_from_db()
        assert (note.issue_state, note.review_state, note.period) == (Issue.ISSUED, Review.AWAITING, "2026-10")
        assert (note.prepared_by, note.issued_by) == (world.people["cora"], world.people["carl"])
        assert convert.paper(note).about == shop.label
    shop.refresh_from_db()
    assert shop.review_state == Review.AWAITING
    assert not Document.objects.filter(issue_state=Issue.OPEN).exists()
    entry = AuditEntry.objects.order_by("-number")[0]
    assert (entry.act, entry.person) == ("approve decision", world.people["carl"])
    assert str(credit.label) in entry.after
    assert chain.verify().breaks == ()
    told = Message.objects.filter(key__startswith=f"decided:{dispute.pk}")
    assert set(told.values_list("person__name", flat=True)) == {"Ada", "Tom", "Cora"}
    assert Message.objects.filter(document=debit, person=world.people["lea"]).count() == 1
    accepting.accept(world.actor("ada"), credit.pk)
    accepting.accept(world.actor("ada"), shop.pk)


@pytest.mark.parametrize(
    ("outcome", "how", "moves"),
    [
        ("upheld", {"settle": "cost_group"}, {"shop": -10_000, "labs": 10_000}),
        ("upheld", {"settle": "kept_central"}, {"shop": -10_000, "kept_central": 10_000}),
        ("upheld", {"settle": "unallocated"}, {"shop": -10_000, "unallocated": 10_000}),
        ("partly_upheld", {"settle": "cost_group", "upheld_minor": 3_333}, {"shop": -3_333, "labs": 3_333}),
        ("rejected", {"settle": ""}, {}),
    ],
)
def test_the_counterfactual_says_who_would_pay_and_writes_nothing(
    world: World, outcome: str, how: dict[str, Any], moves: dict[str, int]
) -> None:
    dispute = _disputed(world)
    to = world.groups["labs"].pk if how["settle"] == "cost_group" else None
    with CaptureQueriesContext(
        connection,
    ) as queries:
        rows = deciding.counterfactual(world.actor("cora"), dispute.pk, outcome, settle_to=to, **how)
    assert not [each for each in queries if not each["sql"].lstrip().upper().startswith("SELECT")]
    assert {row.code or row.holder: row.difference_minor for row in rows} == moves
    assert sum(row.difference_minor for row in rows) == 0
    if moves:
        assert (rows[0].code, rows[0].before_minor, rows[0].name) == ("shop", 18_001, "Shop")
    # What was foreseen is what comes of it, to the cent.
    before = _net(world)
    proposed = _propose(world, dispute, outcome, settle_to=to, **how)
    deciding.approve_decision(world.actor("carl"), proposed.pk)
    charged = {code: minor for code, minor in moves.items() if code in world.groups}
    assert _net(world) == {code: minor + charged.get(code, 0) for code, minor in before.items()}


def test_the_others_of_a_pool_take_it_by_their_shares(world: World) -> None:
    dispute = _disputed(world, line=2, claimed_minor=1_000)
    rows = deciding.counterfactual(world.actor("cora"), dispute.pk, "upheld", settle="others")
    assert {row.code: row.difference_minor for row in rows} == {"shop": -1_000, "search": 667, "labs": 333}
    _propose(world, dispute, settle="others", settle_to=None)
    _, notes = deciding.approve_decision(world.actor("carl"), dispute.pk)
    # Search is in showback: its note is in a series of its own and can never be posted.
    by_code = {note.cost_group.code: note for note in notes if note.cost_group}
    assert (by_code["search"].showback, by_code["labs"].showback) == (True, False)
    assert re.fullmatch(LABEL.format("SD", 1), by_code["search"].label or "")
    with pytest.raises(Exception, match="posted_only_if_accepted"):
        Document.objects.filter(pk=by_code["search"].pk).update(
            review_state=Review.ACCEPTED, posting_state=Posting.POSTED
        )


def test_nobody_decides_alone_or_for_themselves(world: World) -> None:
    dispute = _disputed(world)
    for who in ("ada", "eva", "nina", "audrey"):
        with pytest.raises(ForbiddenError):
            _propose(world, dispute, who=who)
    with pytest.raises(NotFoundError):
        _propose(world, dispute, who="stan")
    # Carl answers for Shop too, so he has no say about it; Cora for Labs, where the cost would go.
    Grant.objects.create(person=world.people["carl"], role=Role.OWNER, cost_group=world.groups["shop"])
    with pytest.raises(SamePersonError, match="answer for Shop"):
        _propose(world, dispute, who="carl")
    noted = AuditEntry.objects.order_by("-number")[0]
    assert (noted.act, noted.person) == ("refused: propose decision", world.people["carl"])
    _propose(world, dispute)
    for who, error in (("cora", SamePersonError), ("carl", SamePersonError), ("ada", ForbiddenError)):
        with pytest.raises(error):
            deciding.approve_decision(world.actor(who), dispute.pk)
    assert AuditEntry.objects.filter(act="refused: approve decision").count() == 2
    dispute.refresh_from_db()
    assert dispute.state == DisputeState.PROPOSED
    assert not Series.objects.filter(name__contains="-C").exists()


def test_a_deputy_of_an_owner_does_not_decide_either(world: World) -> None:
    dispute, today = _disputed(world), timezone.localdate()
    Delegation.objects.create(person=world.people["lea"], deputy=world.people["cora"], from_on=today, until_on=today)
    with pytest.raises(SamePersonError, match="answer for Labs"):
        _propose(world, dispute)


def test_a_proposal_is_taken_back_with_its_drafts(world: World) -> None:
    dispute = _propose(world, _disputed(world))
    with pytest.raises(DecidedError, match="waits for approval"):
        _propose(world, dispute, who="carl")
    deciding.withdraw_proposal(world.actor("carl"), dispute.pk, "too much")
    assert not Document.objects.filter(dispute=dispute).exists()
    assert Message.objects.filter(key__startswith="sent-back", person=world.people["cora"]).count() == 1
    with pytest.raises(DecidedError):
        deciding.withdraw_proposal(world.actor("carl"), dispute.pk)
    with pytest.raises(DecidedError):
        deciding.approve_decision(world.actor("carl"), dispute.pk)
    _propose(world, dispute, "rejected", who="carl", settle="", settle_to=None)
    assert deciding.approve_decision(world.actor("cora"), dispute.pk)[1] == []
    with pytest.raises(DecidedError):
        deciding.approve_decision(world.actor("cora"), dispute.pk)
    with pytest.raises(DecidedError, match="is decided"):
        disputing.withdraw(world.actor("ada"), dispute.pk)


def test_a_withdrawn_dispute_takes_its_drafts_along(world: World) -> None:
    dispute = _propose(world, _disputed(world))
    disputing.withdraw(world.actor("tom"), dispute.pk)
    assert not Document.objects.filter(issue_state=Issue.OPEN).exists()
    world.documents["shop"].refresh_from_db()
    assert world.documents["shop"].review_state == Review.AWAITING


def test_with_another_dispute_open_the_document_stays_disputed(world: World) -> None:
    first, second = _disputed(world), _disputed(world, line=3)
    _propose(world, first)
    deciding.approve_decision(world.actor("carl"), first.pk)
    world.documents["shop"].refresh_from_db()
    assert world.documents["shop"].review_state == Review.DISPUTED
    _propose(world, second, "rejected", settle="", settle_to=None)
    deciding.approve_decision(world.actor("carl"), second.pk)
    world.documents["shop"].refresh_from_db()
    assert world.documents["shop"].review_state == Review.AWAITING


def test_nothing_goes_into_a_sealed_period(world: World) -> None:
    dispute = _disputed(world)
    Close.objects.create(period="2026-10", sealed_at=timezone.now())
    Close.objects.create(period="2026-11")
    _propose(world, dispute)
    assert set(Document.objects.filter(dispute=dispute).values_list("period", flat=True)) == {"2026-11"}
    # Between proposal and approval that one is sealed, too.
    Close.objects.filter(period="2026-11").update(sealed_at=timezone.now())
    _, notes = deciding.approve_decision(world.actor("carl"), dispute.pk)
    assert {note.period for note in notes} == {"2026-12"}
    assert all(convert.paper(note).period == "2026-12" for note in notes)


def test_a_note_that_was_issued_meanwhile_makes_the_proposal_unfit(world: World) -> None:
    shop, dispute = world.documents["shop"], _disputed(world)
    _propose(world, dispute)
    note = full_credit(convert.paper(shop), period="2026-10", note="All of it", reason="Wrong month")[0]
    from django.db import transaction

    from apportion.actions.close.numbering import Draft, put_out

    with transaction.atomic():
        put_out(
            world.actor("carl"), [Draft(note, world.people["nina"].pk, about_id=shop.pk)], review_world.SETTINGS,
            review_until=None,
        )  # fmt: skip
    with pytest.raises(ChangedMeanwhileError, match="does not fit"):
        deciding.approve_decision(world.actor("carl"), dispute.pk)
    dispute.refresh_from_db()
    assert dispute.state == DisputeState.PROPOSED
    assert Document.objects.filter(dispute=dispute, issue_state=Issue.OPEN).count() == 2


def test_a_period_may_be_allocated_anew_while_it_is_not_sealed(world: World) -> None:
    version = PolicyVersion.objects.create(digest="0" * 64, name="v2", text="")
    dispute = _disputed(world)
    anew: dict[str, Any] = {"settle": "allocated_anew", "settle_to": None}
    with pytest.raises(NotFoundError, match="policy version"):
        _propose(world, dispute, **anew)
    with pytest.raises(InputRefusedError):
        _propose(world, dispute, "partly_upheld", upheld_minor=5, policy_version=version.pk, **anew)
    _propose(world, dispute, policy_version=version.pk, **anew)
    assert not Document.objects.filter(dispute=dispute).exists()
    decided, notes = deciding.approve_decision(world.actor("carl"), dispute.pk)
    assert (decided.state, decided.policy_version, notes) == (DisputeState.UPHELD, version, [])
    other = _disputed(world, line=3)
    _propose(world, other, policy_version=version.pk, **anew)
    Close.objects.create(period="2026-10", sealed_at=timezone.now())
    with pytest.raises(StateError, match="sealed"):
        deciding.approve_decision(world.actor("carl"), other.pk)


@pytest.mark.parametrize(
    ("outcome", "how", "error"),
    [
        ("maybe", {}, InputRefusedError),
        ("upheld", {"settle": "elsewhere"}, InputRefusedError),
        ("upheld", {"settle": ""}, InputRefusedError),
        ("upheld", {"settle_to": 10**12}, InputRefusedError),
        ("upheld", {"settle": "others", "settle_to": None}, NobodyElseError),
        ("upheld", {"settle_to": "shop"}, SameHolderError),
        ("partly_upheld", {"upheld_minor": 10_000}, ClaimError),
        ("partly_upheld", {"upheld_minor": -1}, ClaimError),
        ("upheld", {"reason": " "}, InputRefusedError),
    ],
)
def test_what_cannot_be_decided_changes_nothing(
    world: World, outcome: str, how: dict[str, Any], error: type[Exception]
) -> None:
    dispute = _disputed(world)
    entries = AuditEntry.objects.count()
    if how.get("settle_to") == "shop":
        how = {**how, "settle_to": world.groups["shop"].pk}
    with pytest.raises(error):
        _propose(world, dispute, outcome, **how)
    dispute.refresh_from_db()
    assert (dispute.state, dispute.outcome) == (DisputeState.OPEN, "")
    assert (AuditEntry.objects.count(), Document.objects.filter(dispute=dispute).count()) == (entries, 0)


@pytest.mark.parametrize(
    ("outcome", "part", "moved"), [("upheld", 0, 10_000), ("partly_upheld", 1_234, 1_234), ("rejected", 0, 0)]
)
def test_whoever_decides_says_how_much_where_nobody_knew(world: World, outcome: str, part: int, moved: int) -> None:
    dispute = _disputed(world, claimed_minor=0)
    _propose(world, dispute, outcome, upheld_minor=part)
    decided, _ = deciding.approve_decision(world.actor("carl"), dispute.pk)
    assert (decided.amount_minor, decided.agreed_minor) == (0, moved)
    assert _net(world)["shop"] == 18_001 - moved


@pytest.mark.parametrize(("currency", "moved"), [("USD", 10_000), ("EUR", 8_000), ("JPY", 15_000)])
def test_whoever_is_stated_in_another_currency_takes_it_at_the_frozen_rate(
    world: World, monkeypatch: pytest.MonkeyPatch, currency: str, moved: int
) -> None:
    day = date(2026, 10, 30)
    values = {"EUR": Fraction(4, 5), "JPY": Fraction(150)}

    def rate(period: str, billed: str, to: str) -> Rate:
        assert (period, billed) == ("2026-10", "USD")
        return Rate((Leg(billed, to, values[to], inverted=False, first_on=day, last_on=day, days=1, source="ecb.csv"),))

    monkeypatch.setattr(settling, "_rate", rate)
    CostGroup.objects.filter(code="labs").update(currency=currency)
    dispute = _disputed(world)
    rows = deciding.counterfactual(
        world.actor("cora"), dispute.pk, "upheld", settle="cost_group", settle_to=world.groups["labs"].pk
    )
    assert (rows[1].currency, rows[1].difference_minor) == (currency, moved)
    _propose(world, dispute)
    _, notes = deciding.approve_decision(world.actor("carl"), dispute.pk)
    line = convert.paper(notes[1]).lines[0]
    assert (line.currency, line.minor, line.billed_minor) == (currency, moved, 10_000)
    assert ("1 USD =" in line.rate) is (currency != "USD")


def test_a_dispute_of_the_whole_is_settled_line_by_line(world: World) -> None:
    dispute = _disputed(world, line=None)
    rows = deciding.counterfactual(
        world.actor("cora"), dispute.pk, "upheld", settle="cost_group", settle_to=world.groups["labs"].pk
    )
    assert [(row.code, row.after_minor) for row in rows] == [("shop", 0), ("labs", 20_001)]
    assert CostGroup.objects.get(code="labs") == world.groups["labs"]
    _propose(world, dispute)
    _, notes = deciding.approve_decision(world.actor("carl"), dispute.pk)
    assert [note.lines.count() for note in notes] == [3, 3]


def test_a_statement_in_showback_is_credited_and_never_posted(world: World) -> None:
    search = world.documents["search"]
    dispute = disputing.dispute(world.actor("stan"), search.pk, line=1, reason="not_ours", text="Shop's")
    _propose(world, dispute, settle_to=world.groups["shop"].pk)
    _, notes = deciding.approve_decision(world.actor("carl"), dispute.pk)
    assert [(note.kind, note.showback) for note in notes] == [("credit_note", True), ("debit_note", False)]
    assert re.fullmatch(LABEL.format("SC", 1), notes[0].label or "")
