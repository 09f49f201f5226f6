"""End to end: a sound month holds, and every way of losing or adding a cent is found and named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from apportion.allocate.allocation import Allocation, Cell, Line, Scope
from apportion.allocate.basis import Even
from apportion.allocate.policy import CostBasis, Policy, Pool
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Rule, Target
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.errors import ConservationError, TieOutError
from apportion.invoice.statement import Statement, statements, totals
from apportion.money.amount import plain, units
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod
from apportion.post.journal import Journal, journal
from apportion.post.mapping import PostingAccounts
from apportion.reconcile.provider_invoice import provider_invoices
from apportion.tie_out import Difference, Stage, TieOut, render_json, render_text, tie_out
from apportion.warehouse.record import Quarantined
from apportion.warehouse.snapshot import DeliveredInvoice, Total

OCTOBER = BillingPeriod(2026, 10)
TREE = Tree(
    CostGroup(code, code.title(), coding=Coding("1000", f"00{code[-1]}0", "", "600100"))
    for code in ("team1", "team2", "team3")
)
POOLS = (Pool("pool", "Pool", Even()),)
RULES = (Rule("r", "Rule", None, KEPT_CENTRAL),)
ACCOUNTS = PostingAccounts(Coding("1000", "9900"), "600199")


@dataclass
class Month:
    """One month whose parts a test may break before it asks for the tie-out."""

    totals: list[Total]
    allocation: Allocation
    statements: tuple[Statement, ...]
    journal: Journal
    delivered: list[DeliveredInvoice] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)

    def tie_out(self) -> TieOut:
        invoices = provider_invoices(self.totals, self.delivered)
        return tie_out(OCTOBER, self.totals, invoices, self.quarantined, self.allocation, self.statements, self.journal)

    def state_again(self) -> None:
        self.statements = statements(self.allocation, TREE, _policy(self.allocation.cost_basis), "ST")
        self.journal = journal(self.statements, ACCOUNTS)


def _policy(basis: CostBasis) -> Policy:
    return Policy("P", basis, RULES, POOLS, "p")


def total(
    billed: str,
    effective: str | None = None,
    *,
    invoice: str | None = "I-1",
    category: str = "Usage",
    commitment: str = "",
    currency: str = "USD",
) -> Total:
    amount = units(billed)
    accrued = amount if effective is None else units(effective)
    return Total("s", "Nimbus", "ba", invoice, currency, category, commitment, 10, amount, accrued, None, None)


def month(delivered: Sequence[Total], basis: CostBasis = CostBasis.BILLED) -> Month:
    """Totals go in turn to team1, the pool, kept central, unallocated and team2."""
    at = [Target(Holder.COST_GROUP, "team1"), Target(Holder.POOL, "pool"), KEPT_CENTRAL, UNALLOCATED]
    at.append(Target(Holder.COST_GROUP, "team2"))
    cells = tuple(
        Cell(
            "r",
            at[place % len(at)],
            Scope("Nimbus", each.invoice_id or "", "" if each.invoice_id else "ba", each.currency)
            if basis is CostBasis.BILLED
            else Scope("Nimbus", "", "", each.currency),
            f"Service {place}",
            each.charge_category,
            each.rows,
            each.billed_units if basis is CostBasis.BILLED else each.effective_units,
        )
        for place, each in enumerate(delivered)
    )
    shares = share_pools(cells, POOLS, Circumstances(TREE, BillingPeriod(2026, 10))).shares
    allocation = Allocation(OCTOBER, basis, cells, shares, lines(cells, shares, TREE), "p", "o", "s")
    stated = statements(allocation, TREE, _policy(basis), "ST")
    return Month(list(delivered), allocation, stated, journal(stated, ACCOUNTS))


SOUND = (
    total("100.004"),
    total("50.005"),
    total("7.2", invoice="I-2"),
    total("3.3333333333", invoice=None),
    total("-20.01", category="Credit"),
    total("1000.5", currency="JPY", invoice="J-1"),
    total("10", currency="JPY", invoice="J-1"),
)
ACCRUED = (
    total("1200", "0", category="Purchase", commitment="purchase"),
    total("0", "80", commitment="Used"),
    total("0", "20", commitment="Unused"),
    total("10", "9.5", category="Tax"),
    total("33.333"),
)


def amounts(tied: TieOut, currency: str) -> dict[Stage, str]:
    return {row.stage: plain(row.units) for row in tied.rows if row.currency == currency}


def said(differences: Sequence[Difference]) -> list[tuple[Stage, str, str, str]]:
    return [(each.stage, each.name, plain(each.units), each.reason) for each in differences]


def test_a_sound_month_holds_on_billed_cost() -> None:
    tied = month(SOUND).tie_out()
    assert tied.holds
    tied.require()
    assert amounts(tied, "USD") == {
        Stage.PROVIDER_INVOICES: "140.5323333333",
        Stage.BILLED_COST: "140.5323333333",
        Stage.ALLOCATED: "140.5323333333",
        Stage.SETTLED: "140.53",
        Stage.STATEMENTS: "140.53",
        Stage.JOURNAL: "140.53",
    }
    assert amounts(tied, "JPY")[Stage.JOURNAL] == "1011"
    assert said(tied.differences) == [
        (Stage.SETTLED, "Nimbus, invoice J-1", "0.5", "rounding"),
        (Stage.SETTLED, "Nimbus, billing account ba", "-0.0033333333", "rounding"),
        (Stage.SETTLED, "Nimbus, invoice I-1", "0.001", "rounding"),
    ]


def test_a_sound_month_holds_on_effective_cost_with_every_piece_of_the_bridge() -> None:
    tied = month(ACCRUED, CostBasis.EFFECTIVE).tie_out()
    assert tied.holds
    assert amounts(tied, "USD") == {
        Stage.PROVIDER_INVOICES: "1243.333",
        Stage.BILLED_COST: "1243.333",
        Stage.EFFECTIVE_COST: "142.833",
        Stage.ALLOCATED: "142.833",
        Stage.SETTLED: "142.83",
        Stage.STATEMENTS: "142.83",
        Stage.JOURNAL: "142.83",
    }
    assert said(tied.differences) == [
        (Stage.EFFECTIVE_COST, "Nimbus", "-1200", "commitments_bought"),
        (Stage.EFFECTIVE_COST, "Nimbus", "20", "commitments_unused"),
        (Stage.EFFECTIVE_COST, "Nimbus", "80", "commitments_used"),
        (Stage.EFFECTIVE_COST, "Nimbus", "-0.5", "tax_differs"),
        (Stage.SETTLED, "Nimbus", "-0.003", "rounding"),
    ]


@pytest.mark.parametrize(("given", "basis"), [(SOUND, CostBasis.BILLED), (ACCRUED, CostBasis.EFFECTIVE)])
def test_differences_explain_every_step_to_the_last_digit(given: Sequence[Total], basis: CostBasis) -> None:
    tied = month(given, basis).tie_out()
    for before, row in zip(tied.rows, tied.rows[1:], strict=False):
        if before.currency == row.currency:
            named = [
                each.units for each in tied.differences if (each.currency, each.stage) == (row.currency, row.stage)
            ]
            assert row.units - before.units == sum(named)
    for row in tied.rows:
        assert not row.parts or sum(part.units for part in row.parts) == row.units


def test_parts_say_who_holds_the_cost() -> None:
    rows = {(row.currency, row.stage): row for row in month(SOUND).tie_out().rows}
    assert {part.name: plain(part.units) for part in rows["USD", Stage.STATEMENTS].parts} == {
        "cost groups": "130",
        "kept central": "7.2",
        "unallocated": "3.33",
    }
    assert [part.name for part in rows["USD", Stage.JOURNAL].parts] == [
        "to be posted",
        "kept central, not posted",
        "unallocated, not posted",
    ]


def test_details_follow_each_provider_invoice() -> None:
    tied = month(SOUND).tie_out()
    detail = next(each for each in tied.details if each.invoice_id == "I-1")
    assert {stage: plain(amount) for stage, amount in detail.amounts} == {
        Stage.PROVIDER_INVOICES: "129.999",
        Stage.BILLED_COST: "129.999",
        Stage.ALLOCATED: "129.999",
        Stage.SETTLED: "130",
        Stage.STATEMENTS: "130",
    }
    by_stage: dict[tuple[str, Stage], int] = {}
    for each in tied.details:
        for stage, amount in each.amounts:
            by_stage[each.currency, stage] = by_stage.get((each.currency, stage), 0) + amount
    for row in tied.rows:
        if row.stage is not Stage.JOURNAL:
            assert by_stage[row.currency, row.stage] == row.units


def test_details_on_effective_cost_are_by_invoice_and_then_by_issuer() -> None:
    tied = month(ACCRUED, CostBasis.EFFECTIVE).tie_out()
    assert [[stage for stage, _ in each.amounts] for each in tied.details] == [
        [Stage.PROVIDER_INVOICES, Stage.BILLED_COST],
        [Stage.BILLED_COST, Stage.EFFECTIVE_COST, Stage.ALLOCATED, Stage.SETTLED, Stage.STATEMENTS],
    ]


def _invoice(amount: str, number: str = "I-1", currency: str = "USD") -> DeliveredInvoice:
    return DeliveredInvoice("s", "Nimbus", number, currency, units(amount), "Issued", 0)


def test_a_provider_invoice_beyond_tolerance_does_not_hold() -> None:
    broken = month([total("100")])
    broken.delivered = [_invoice("101.01")]
    tied = broken.tie_out()
    assert not tied.holds
    assert said(tied.open_differences) == [(Stage.BILLED_COST, "Nimbus, invoice I-1", "-1.01", "beyond_tolerance")]
    with pytest.raises(TieOutError, match="does not hold: Nimbus, invoice I-1"):
        tied.require()


def test_a_provider_invoice_within_tolerance_holds_and_is_listed() -> None:
    sound = month([total("100")])
    sound.delivered = [_invoice("100.99")]
    tied = sound.tie_out()
    assert tied.holds
    assert said(tied.differences) == [(Stage.BILLED_COST, "Nimbus, invoice I-1", "-0.99", "rounding")]


def test_a_missing_provider_invoice_does_not_hold() -> None:
    broken = month([total("100")])
    broken.delivered = [_invoice("100"), _invoice("5", "I-7"), _invoice("5", "I-8", "EUR")]
    assert [(each.currency, each.name, each.reason) for each in broken.tie_out().open_differences] == [
        ("EUR", "Nimbus, invoice I-8", "missing_in_cost_data"),
        ("USD", "Nimbus, invoice I-7", "missing_in_cost_data"),
    ]


@pytest.mark.parametrize(("rows", "amount", "holds"), [(0, "0", True), (2, "0", False), (1, "12.5", False)])
def test_rows_kept_aside_do_not_hold_whatever_they_come_to(rows: int, amount: str, holds: bool) -> None:
    kept = month(SOUND)
    kept.quarantined = [Quarantined("USD", rows, units(amount)), Quarantined("", 0, 0)]
    tied = kept.tie_out()
    assert tied.holds is holds
    aside = [each for each in tied.differences if each.aside]
    assert [plain(each.units) for each in aside] == ([amount] if rows else [])


def test_rows_without_a_readable_currency_are_shown_too() -> None:
    kept = month(SOUND)
    kept.quarantined = [Quarantined("", 3, units("1.5"))]
    source = render_text(kept.tie_out())
    assert "Currency not readable" in source
    assert "! 3 rows kept aside" in source


def _moved(found: Line, **change: int) -> Line:
    return found._replace(**change)  # type: ignore[arg-type]


def test_cost_lost_in_sharing_is_found_by_invoice() -> None:
    broken = month(SOUND)
    first, *rest = broken.allocation.lines
    broken.allocation = replace(broken.allocation, lines=tuple(rest))
    found = broken.tie_out().open_differences
    assert (Stage.ALLOCATED, "unexplained") in {(each.stage, each.reason) for each in found}
    assert any("sharing lost or added cost" in each.sentence and each.units == -first.units for each in found)


def test_a_loss_in_one_invoice_is_not_hidden_by_a_gain_in_another() -> None:
    broken = month(SOUND)
    usd = [place for place, each in enumerate(broken.allocation.lines) if each.scope.currency == "USD"]
    changed = list(broken.allocation.lines)
    one = next(place for place in usd if changed[place].scope.invoice_id == "I-1")
    other = next(place for place in usd if changed[place].scope.invoice_id == "I-2")
    changed[one] = _moved(changed[one], units=changed[one].units + 1)
    changed[other] = _moved(changed[other], units=changed[other].units - 1)
    broken.allocation = replace(broken.allocation, lines=tuple(changed))
    found = [each for each in broken.tie_out().open_differences if each.stage is Stage.ALLOCATED]
    assert [(each.name, each.units) for each in found] == [("Nimbus, invoice I-1", 1), ("Nimbus, invoice I-2", -1)]


def test_charges_that_were_read_wrongly_are_told_from_shares_that_are_wrong() -> None:
    broken = month(SOUND)
    broken.totals[0] = replace(broken.totals[0], billed_units=broken.totals[0].billed_units + 5)
    (found,) = broken.tie_out().open_differences
    assert (found.stage, found.units) == (Stage.ALLOCATED, -5)
    assert "not the charges that were delivered" in found.sentence


def test_a_cent_too_many_in_settling_is_found() -> None:
    broken = month(SOUND)
    first, *rest = broken.allocation.lines
    broken.allocation = replace(broken.allocation, lines=(_moved(first, minor=first.minor + 1), *rest))
    broken.state_again()
    found = broken.tie_out().open_differences
    assert [(each.stage, each.sentence) for each in found] == [(Stage.SETTLED, "not the rounded sum of its lines")]


def test_a_statement_that_is_missing_is_found() -> None:
    broken = month(SOUND)
    broken.statements = broken.statements[1:]
    broken.journal = journal(broken.statements, ACCOUNTS)
    found = broken.tie_out().open_differences
    assert {each.stage for each in found} == {Stage.STATEMENTS}
    assert all(each.name.startswith("team1, ") for each in found)


def test_two_statements_that_swap_a_cent_are_found() -> None:
    broken = month([total("100"), total("0"), total("0"), total("0"), total("100")])
    one, two, *rest = broken.statements
    broken.statements = (_shifted(one, 1), _shifted(two, -1), *rest)
    broken.journal = journal(broken.statements, ACCOUNTS)
    found = broken.tie_out().open_differences
    assert [(each.stage, each.name.partition(",")[0], each.units) for each in found] == [
        (Stage.STATEMENTS, "team1", units("0.01")),
        (Stage.STATEMENTS, "team2", units("-0.01")),
    ]


def _shifted(statement: Statement, minor: int) -> Statement:
    first, *rest = statement.lines
    shifted = (replace(first, minor=first.minor + minor), *rest)
    return replace(statement, lines=shifted, totals=totals(shifted))


def test_a_statement_without_a_line_in_the_journal_is_found() -> None:
    broken = month(SOUND)
    broken.journal = journal(broken.statements[1:], ACCOUNTS)
    found = broken.tie_out().open_differences
    assert [(each.stage, each.name, each.sentence) for each in found] == [
        (Stage.JOURNAL, "ST-2026-10-0001", "no line posts this statement")
    ] * 2
    assert {each.currency for each in found} == {"JPY", "USD"}


def test_a_journal_of_other_amounts_is_found() -> None:
    broken = month(SOUND)
    other = (_shifted(broken.statements[0], 1), _shifted(broken.statements[1], -1), *broken.statements[2:])
    broken.journal = journal(other, ACCOUNTS)
    found = broken.tie_out().open_differences
    assert {(each.name, each.sentence) for each in found} == {
        ("ST-2026-10-0001", "the journal does not post what is stated"),
        ("ST-2026-10-0002", "the journal does not post what is stated"),
    }


def test_a_journal_that_takes_itself_back_posts_nothing() -> None:
    broken = month([total("100")])
    entry = broken.journal.entries[0]
    broken.journal = replace(broken.journal, entries=(entry, entry.reversal()))
    assert [plain(each.units) for each in broken.tie_out().open_differences] == ["-100"]


def test_statements_that_cancel_within_one_coding_need_no_line() -> None:
    cancelling = month([total("100"), total("0"), total("0"), total("0"), total("-100")])
    one_coding = Coding("1000", "0010", "", "600100")
    cancelling.statements = tuple(replace(each, coding=one_coding) for each in cancelling.statements)
    cancelling.journal = journal(cancelling.statements, ACCOUNTS)
    assert cancelling.journal.entries == ()
    assert cancelling.tie_out().holds


def test_documents_of_another_month_are_refused() -> None:
    broken = month(SOUND)
    broken.journal = replace(broken.journal, period=BillingPeriod(2026, 9))
    with pytest.raises(ConservationError, match="2026-09"):
        broken.tie_out()


def test_text_shows_every_stage_and_marks_what_must_be_resolved() -> None:
    broken = month(ACCRUED, CostBasis.EFFECTIVE)
    broken.delivered = [_invoice("1300")]
    source = render_text(broken.tie_out())
    assert max(map(len, source.splitlines())) <= 100
    assert source.startswith("Tie-out of 2026-10 on effective cost: does not hold\n")
    assert source.endswith("1 difference must be resolved (marked !).\n")
    for words in (
        "Provider invoices",
        "Cost data, EffectiveCost",
        "! Nimbus, invoice I-1: more than the tolerance for rounding",
        "~ Nimbus: commitments bought",
        "Journal",
    ):
        assert words in source
    assert render_text(month(SOUND).tie_out()).endswith("Every cent is accounted for.\n")


def test_text_aligns_decimal_points() -> None:
    lines = render_text(month(SOUND).tie_out()).splitlines()
    amounts_only = [line for line in lines if line.startswith(("Provider", "Allocated", "Settled", "Journal"))]
    assert len({line.index(".") for line in amounts_only[4:]}) == 1


def test_json_is_exact_and_complete() -> None:
    tied = month(SOUND).tie_out()
    document = json.loads(render_json(tied), parse_float=pytest.fail)
    assert (document["document"], document["period"], document["holds"]) == ("tie_out", "2026-10", True)
    assert len(document["stages"]) == len(tied.rows) == 12
    assert len(document["differences"]) == len(tied.differences)
    assert document["stages"][6] == {
        "currency": "USD",
        "stage": "provider_invoices",
        "amount": "140.5323333333",
        "parts": [{"name": "as stated in the cost data", "amount": "140.5323333333"}],
    }
