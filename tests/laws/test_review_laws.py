"""Laws of the review: no way into the ledger past the recipient, and settlements that lose nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from apportion.allocate.rule import Holder, Target
from apportion.invoice.credit_note import Adjustment, NothingLeftError, drafts, full_credit, issued, party, remaining
from apportion.invoice.paper import Paper, PaperKind, PaperLine, PaperLineKind, totals
from apportion.invoice.series import Family, Series, label, numbered, parse, parse_series
from apportion.organization.coding import Coding
from apportion.organization.ownership import Owners
from apportion.review.settlement import Move, Recipient, Where, counterfactual, others, settlement, taken
from apportion.review.states import Act, Issue, Posting, Review, Situation, StateError, acts, refusal, step
from tests.often import often

situations = st.builds(
    Situation,
    kind=st.sampled_from(PaperKind),
    issue=st.sampled_from(Issue),
    review=st.sampled_from(Review),
    posting=st.sampled_from(Posting),
    open_disputes=st.integers(0, 2),
    is_past_deadline=st.booleans(),
    silence_accepts=st.booleans(),
    is_sealed=st.booleans(),
    in_showback=st.booleans(),
    notes=st.integers(0, 1),
)


@given(situations, st.sampled_from(Act))
def test_what_is_offered_what_is_refused_and_what_is_done_agree(now: Situation, act: Act) -> None:
    why = refusal(now, act)
    assert (act in acts(now)) is (why == "")
    if why:
        with pytest.raises(StateError) as caught:
            step(now, act)
        assert caught.value.sentence == why
    else:
        assert step(now, act).kind is now.kind


class Document(RuleBasedStateMachine):
    """A document in the hands of people and timers that try everything, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = Situation(PaperKind.INVOICE)
        self.was_accepted = False

    @precondition(lambda self: self.now.issue is Issue.OPEN)
    @rule(kind=st.sampled_from(PaperKind), in_showback=st.booleans())
    def become(self, kind: PaperKind, in_showback: bool) -> None:
        self.now = replace(self.now, kind=kind, in_showback=in_showback)

    @rule(act=st.sampled_from(Act))
    def attempt(self, act: Act) -> None:
        try:
            self.now = step(self.now, act)
        except StateError:
            return
        if act in {Act.ACCEPT, Act.DEEM_ACCEPTED}:
            self.was_accepted = True
        if act is Act.REOPEN:
            self.was_accepted = False

    @precondition(lambda self: bool(acts(self.now)))
    @rule(data=st.data())
    def do_what_is_offered(self, data: st.DataObject) -> None:
        self.attempt(data.draw(st.sampled_from(acts(self.now))))

    @rule()
    def pass_the_deadline(self) -> None:
        self.now = replace(self.now, is_past_deadline=True, silence_accepts=True)

    @rule()
    def seal(self) -> None:
        self.now = replace(self.now, is_sealed=True)

    @invariant()
    def nothing_gets_past_its_recipient(self) -> None:
        if self.now.posting in {Posting.EXPORTED, Posting.POSTED}:
            assert self.was_accepted
            assert self.now.review in {Review.ACCEPTED, Review.DEEMED}
            assert self.now.open_disputes == 0
            assert self.now.issue is Issue.ISSUED
            assert self.now.kind is not PaperKind.STATEMENT
            assert not self.now.in_showback


TestDocument = Document.TestCase
TestDocument.settings = settings(max_examples=often(60), stateful_step_count=40, deadline=None)


codes = st.sampled_from(["search", "shop", "ads", "data"])
minors = st.integers(-(10**9), 10**9)


@st.composite
def lines(draw: st.DrawFn, currency: str = "EUR") -> PaperLine:
    billed = draw(st.sampled_from(["EUR", "USD"]))
    amount = draw(minors)
    stated = amount if billed == currency else (amount * 91 + 50) // 100
    return PaperLine(
        number=0,
        kind=draw(st.sampled_from([PaperLineKind.DIRECT, PaperLineKind.SHARE])),
        service="Compute",
        charge_category="Usage",
        pool_id=draw(st.sampled_from(["", "network", "support"])),
        pool_name="",
        method="",
        reason="",
        invoice_issuer=draw(st.sampled_from(["Cloud A", "Cloud B"])),
        invoice_id=draw(st.sampled_from(["1", "2"])),
        billing_account_id="",
        billed_currency=billed,
        billed_minor=amount,
        currency=currency,
        minor=stated,
    )


@st.composite
def papers(draw: st.DrawFn, code: str = "search") -> Paper:
    found = draw(st.lists(lines(), min_size=1, max_size=6))
    numbered_lines = tuple(replace(line, number=number) for number, line in enumerate(found, start=1))
    return Paper(
        kind=draw(st.sampled_from([PaperKind.INVOICE, PaperKind.STATEMENT])),
        label="KES-1000-FY2026-000001",
        statement="KES-2026-10-0001",
        company="Harbour",
        period="2026-10",
        issued_on=date(2026, 11, 9),
        review_until=date(2026, 11, 16),
        holder="cost_group",
        code=code,
        name=code.title(),
        path=((code, code.title()),),
        owners=Owners(),
        coding=Coding(),
        cost_basis="effective_cost",
        lines=numbered_lines,
        totals=totals(numbered_lines),
        policy_name="Policy",
        policy_digest="p",
        organization_digest="o",
        snapshot_digest="s",
        run_digest="r",
    )


def group(code: str) -> Target:
    return Target(Holder.COST_GROUP, code)


def out(notes: tuple[Paper, ...], count: int) -> list[Paper]:
    return [
        issued(note, f"KES-1000-FY2026-C-{count + place:06d}", date(2026, 11, 20), date(2026, 11, 27))
        for place, note in enumerate(notes)
    ]


@given(papers(), st.data())
def test_a_settlement_moves_every_cent_and_makes_none(paper: Paper, data: st.DataObject) -> None:
    total = sum(line.minor for line in paper.lines)
    upheld = data.draw(st.integers(min(total, 0), max(total, 0)))
    what = taken(paper.lines, upheld)
    assert sum(each.minor for each in what) == upheld
    for each in what:
        assert min(each.line.minor, 0) <= each.minor <= max(each.line.minor, 0)
        assert min(each.line.billed_minor, 0) <= each.billed_minor <= max(each.line.billed_minor, 0)
    weights = data.draw(st.dictionaries(st.sampled_from(["shop", "ads", "data"]), st.integers(1, 10**6), min_size=1))
    sharing = {line.number: {group(code): minor for code, minor in weights.items()} for line in paper.lines}
    where = data.draw(st.sampled_from(Where))
    stated = {group(code): Recipient("EUR") for code in [*weights, "shop"]} if data.draw(st.booleans()) else {}
    made = settlement(group("search"), what, where, cost_group="shop", recipients=stated, sharing=sharing)
    if stated and where in {Where.COST_GROUP, Where.OTHERS}:
        assert sum(move.minor for move in made.moves) == 0
        assert {move.currency for move in made.moves} <= {"EUR"}
    scopes = {move.scope: 0 for move in made.moves}
    for move in made.moves:
        scopes[move.scope] += move.billed_minor
    assert not any(scopes.values())
    own = [row for row in counterfactual(made) if row.holder == group("search")]
    assert sum(row.minor for row in own) == -upheld
    assert all(row.after_minor - row.before_minor == row.minor for row in own)


@given(papers(), st.lists(st.integers(0, 100), max_size=3))
def test_a_document_and_its_notes_come_to_zero_after_full_credit(paper: Paper, parts: list[int]) -> None:
    notes: list[Paper] = []
    for part in parts:  # first some partial ones, in any order
        left = remaining(paper, notes)
        total = sum(line.minor for line in left)
        upheld = total * part // 100 if total > 0 else -(-total * part // 100)
        made = settlement(group("search"), taken(left, upheld), Where.KEPT_CENTRAL)
        from_moves = [move for move in made.moves if move.holder == group("search")]
        notes += out(_adjusted(paper, from_moves, notes), len(notes) + 1)
    with suppress(NothingLeftError):
        notes += out(full_credit(paper, notes, period="2026-11", note="All of it", reason="All of it"), len(notes) + 1)
    assert all(not line.minor and not line.billed_minor for line in remaining(paper, notes))
    everything = [*paper.lines, *(line for note in notes for line in note.lines)]
    for key in {(line.invoice_issuer, line.invoice_id, line.billed_currency) for line in everything}:
        mine = [line for line in everything if (line.invoice_issuer, line.invoice_id, line.billed_currency) == key]
        assert sum(line.billed_minor for line in mine) == 0
        assert sum(line.minor for line in mine) == 0
    assert all(note.showback is paper.is_showback for note in notes)


def _adjusted(paper: Paper, moves: list[Move], notes: list[Paper]) -> tuple[Paper, ...]:
    adjustments = [
        Adjustment(move.line, move.billed_minor, move.currency, move.minor, move.rate, "Partly upheld")
        for move in moves
    ]
    return drafts(paper, party(paper), adjustments, period="2026-11", note="Part of it", earlier=notes)


@given(st.lists(st.tuples(codes, lines()), max_size=12), lines())
def test_others_are_those_with_the_same_pool_on_the_same_invoice(
    known: list[tuple[str, PaperLine]], line: PaperLine
) -> None:
    found = others(line, group("search"), [(group(code), each) for code, each in known])
    assert group("search") not in found
    assert all(minor * line.billed_minor > 0 for minor in found.values())
    if line.kind is PaperLineKind.DIRECT:
        assert found == {}


entities = st.text(max_size=12)
series = st.builds(Series, entities, st.integers(1, 9999), st.sampled_from(Family))


@given(series, st.integers(1, 10**9), st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,15}", fullmatch=True))
def test_a_label_can_be_read_back_whatever_the_entity_is_called(one: Series, number: int, prefix: str) -> None:
    text = label(one, number, prefix)
    assert parse(text) == (prefix, one, number)
    assert parse_series(str(one)) == one
    assert text.isascii()
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


@given(series, series, st.integers(1, 99))
def test_two_series_never_share_a_label(one: Series, other: Series, number: int) -> None:
    assert (label(one, number, "KES") == label(other, number, "KES")) is (one == other)


@given(st.lists(st.lists(st.sampled_from([Series("1", 2026, Family.INVOICE), Series("2", 2026, Family.CREDIT_NOTE)]))))
def test_numbers_have_no_gap_and_no_double(batches: list[list[Series]]) -> None:
    last: dict[Series, int] = {}
    given_out: dict[Series, list[int]] = {}
    for batch in batches:
        for each, number in zip(batch, numbered(batch, last), strict=True):
            given_out.setdefault(each, []).append(number)
        last = {each: numbers[-1] for each, numbers in given_out.items()}
    for numbers in given_out.values():
        assert numbers == list(range(1, len(numbers) + 1))
