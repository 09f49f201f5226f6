"""Laws of conversion, over generated charges, trees and rates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from apportion.allocate.allocation import Allocation, Cell, Line, Scope
from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Rule, Target
from apportion.allocate.waterfall import lines
from apportion.invoice.convert import convert
from apportion.invoice.statement import Statement, statements
from apportion.money.currency import units_per_minor
from apportion.money.exchange import Choice, Exchange, Table, exact_text
from apportion.money.split import to_step
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod
from apportion.post.journal import journal
from apportion.post.mapping import PostingAccounts
from apportion.reconcile.provider_invoice import provider_invoices
from apportion.tie_out import InCurrency, tie_out
from apportion.warehouse.snapshot import Total

OCTOBER = BillingPeriod(2026, 10)
CURRENCIES = ("USD", "JPY", "KWD", "EUR")
GROUPS = ("a", "b", "c", "d")
POLICY = Policy("P", CostBasis.BILLED, (Rule("r", "Rule", None, KEPT_CENTRAL),), (), "p")

scopes = st.builds(
    Scope, st.sampled_from(["N", "M"]), st.sampled_from(["1", "2"]), st.just(""), st.sampled_from(CURRENCIES)
)
holders = st.sampled_from([*(Target(Holder.COST_GROUP, code) for code in GROUPS), KEPT_CENTRAL, UNALLOCATED])
amounts = st.integers(-(10**22), 10**22)
charges = st.lists(st.tuples(holders, scopes, amounts), min_size=1, max_size=12)
trees = st.tuples(*(st.sampled_from(["", *CURRENCIES]) for _ in GROUPS)).map(
    lambda currencies: Tree(
        CostGroup(code, code, currency=currency, coding=Coding("1", "10", "", "6100"))
        for code, currency in zip(GROUPS, currencies, strict=True)
    )
)
rate_texts = st.integers(1, 10**9).map(lambda number: exact_text(Fraction(number, 10**5)))


def exchange(quotes: Sequence[str]) -> Exchange:
    """Every currency against the euro, as the ECB quotes it."""
    agreed = {("EUR", code): {"2026-10": rate} for code, rate in zip(CURRENCIES[:3], quotes, strict=True)}
    return Exchange([Table("t", {}, agreed)], Choice.parse("agreed"), date(2026, 10, 1), date(2026, 10, 31))


exchanges = st.tuples(rate_texts, rate_texts, rate_texts).map(exchange)


def allocated(found: Sequence[tuple[Target, Scope, int]], tree: Tree) -> Allocation:
    cells = tuple(
        Cell("r", holder, scope, f"S{place}", "Usage", 1, amount) for place, (holder, scope, amount) in enumerate(found)
    )
    return Allocation(OCTOBER, CostBasis.BILLED, cells, (), lines(cells, (), tree), "p", "o", "s")


def stated(allocation: Allocation, tree: Tree, rates: Exchange) -> tuple[Statement, ...]:
    return convert(statements(allocation, tree, POLICY, "ST"), allocation.lines, tree, rates)


def due(found: Sequence[Line], tree: Tree, rates: Exchange) -> dict[tuple[Scope, str], Fraction]:
    """What each scope comes to in each currency that it is charged in, exactly, in units."""
    sums: dict[tuple[Scope, str], Fraction] = defaultdict(Fraction)
    for line in found:
        currency = tree[line.holder.code].currency if line.holder.holder is Holder.COST_GROUP else ""
        if currency not in ("", line.scope.currency):
            settled = line.minor * units_per_minor(line.scope.currency)
            sums[line.scope, currency] += settled * rates.value(line.scope.currency, currency)
    return sums


@given(charges, trees, exchanges)
def test_what_is_charged_is_the_converted_total_rounded_once(
    found: list[tuple[Target, Scope, int]], tree: Tree, rates: Exchange
) -> None:
    allocation = allocated(found, tree)
    charged: dict[tuple[Scope, str], int] = defaultdict(int)
    for made in stated(allocation, tree, rates):
        for line in made.lines:
            wanted = tree[made.holder.code].currency if made.holder.holder is Holder.COST_GROUP else ""
            assert (line.charged is None) == (wanted in ("", line.scope.currency))
            if line.charged:
                charged[line.scope, line.charged.currency] += line.charged.minor
                one = units_per_minor(line.charged.currency)
                settled = line.minor * units_per_minor(line.scope.currency) * line.charged.rate.value
                assert abs(line.charged.minor * one - settled) < 2 * one
                assert line.charged.rate.value != 0
                assert line.minor or not line.charged.minor
    exact = due(allocation.lines, tree, rates)
    assert charged.keys() == exact.keys()
    for (scope, currency), amount in exact.items():
        whole = to_step(amount.numerator, amount.denominator * units_per_minor(currency))
        assert charged[scope, currency] == whole


@given(charges, trees, exchanges)
def test_credits_are_converted_as_the_exact_opposite(
    found: list[tuple[Target, Scope, int]], tree: Tree, rates: Exchange
) -> None:
    there = stated(allocated(found, tree), tree, rates)
    back = stated(allocated([(holder, scope, -amount) for holder, scope, amount in found], tree), tree, rates)
    for one, other in zip(there, back, strict=True):
        mirrored = [(line.charged.minor, line.charged.units) if line.charged else None for line in one.lines]
        opposite = [(-line.charged.minor, -line.charged.units) if line.charged else None for line in other.lines]
        assert mirrored == opposite


@given(charges, trees, exchanges, st.sampled_from(CURRENCIES))
def test_the_tie_out_holds_in_every_currency_and_together(
    found: list[tuple[Target, Scope, int]], tree: Tree, rates: Exchange, reporting: str
) -> None:
    allocation = allocated(found, tree)
    made = stated(allocation, tree, rates)
    totals = [
        Total(
            "s", scope.invoice_issuer, "", scope.invoice_id, scope.currency, "Usage", "", 1, amount, amount, None, None
        )
        for _, scope, amount in found
    ]
    posted = journal(made, PostingAccounts(Coding("1", "99"), "6199"))
    tied = tie_out(
        OCTOBER, totals, provider_invoices(totals, []), (), allocation, made, posted, InCurrency(reporting, rates)
    )
    tied.require()
    together = tied.reporting
    assert together is not None
    assert not [each for each in together.differences if each.reason == "cross_rate"]
    for before, row in zip(together.rows, together.rows[1:], strict=False):
        named = sum(each.units for each in together.differences if each.stage is row.stage)
        assert row.units - before.units == named
        assert row.units == sum(part.units for part in row.parts)
