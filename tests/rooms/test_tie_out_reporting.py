"""The tie-out in the reporting currency: conversion is named to the last digit, and a fault in it is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import pytest

from apportion.allocate.allocation import Allocation, Cell, Scope
from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Rule, Target
from apportion.allocate.waterfall import lines
from apportion.errors import ConservationError, MissingRateError, TieOutError
from apportion.invoice.convert import convert
from apportion.invoice.statement import Statement, statements, totals
from apportion.money.amount import plain, units
from apportion.money.exchange import Choice, Exchange, Table
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod
from apportion.post.journal import Journal, journal
from apportion.post.mapping import PostingAccounts
from apportion.reconcile.provider_invoice import provider_invoices
from apportion.tie_out import InCurrency, Reporting, TieOut, render_text, tie_out
from apportion.warehouse.record import Quarantined
from apportion.warehouse.snapshot import Total

OCTOBER = BillingPeriod(2026, 10)
POLICY = Policy("P", CostBasis.BILLED, (Rule("r", "Rule", None, KEPT_CENTRAL),), (), "p")
ACCOUNTS = PostingAccounts(Coding("1000", "9900"), "600199")
USD, JPY = Scope("Nimbus", "N-1", "", "USD"), Scope("Hoshi", "H-1", "", "JPY")
TREE = Tree(
    CostGroup(code, code.title(), coding=Coding("1000", f"0{place}", "", "600100"), currency=currency)
    for place, (code, currency) in enumerate((("europe", "EUR"), ("suisse", "CHF"), ("states", "")))
)
CHARGES = [
    ("europe", USD, "10.006"),
    ("suisse", USD, "20"),
    ("states", USD, "5"),
    ("", USD, "1"),
    ("europe", JPY, "777"),
]


def exchange(**rates: str) -> Exchange:
    agreed = {(pair[:3], pair[3:]): {"2026-10": rate} for pair, rate in rates.items()}
    return Exchange([Table("agreed", {}, agreed)], Choice.parse("agreed"), date(2026, 10, 1), date(2026, 10, 31))


# To the euro everything over one table; 1 CHF = 1.0625 EUR, so that 1 USD = 0.8 EUR is 0.75294… CHF.
EURO = exchange(USDEUR="0.8", JPYEUR="0.00625", CHFEUR="1.0625")


@dataclass
class Month:
    """One month in parts that a test may break."""

    allocation: Allocation
    statements: tuple[Statement, ...]
    journal: Journal
    asked: InCurrency | None
    quarantined: Sequence[Quarantined] = ()

    def tie_out(self) -> TieOut:
        delivered = [
            Total(
                "s", scope.invoice_issuer, "", scope.invoice_id, scope.currency, "Usage", "", 1, units(amount),
                units(amount), None, None,
            )
            for _, scope, amount in CHARGES
        ]  # fmt: skip
        invoices = provider_invoices(delivered, [])
        return tie_out(
            OCTOBER, delivered, invoices, self.quarantined, self.allocation, self.statements, self.journal, self.asked
        )

    def reporting(self) -> Reporting:
        found = self.tie_out().reporting
        assert found is not None
        return found


def month(rates: Exchange = EURO, currency: str = "EUR") -> Month:
    cells = tuple(
        Cell("r", Target(Holder.COST_GROUP, code) if code else UNALLOCATED, scope, "S", "Usage", 1, units(amount))
        for code, scope, amount in CHARGES
    )
    allocation = Allocation(OCTOBER, CostBasis.BILLED, cells, (), lines(cells, (), TREE), "p", "o", "s")
    made = convert(statements(allocation, TREE, POLICY, "ST"), allocation.lines, TREE, rates)
    return Month(allocation, made, journal(made, ACCOUNTS), InCurrency(currency, rates))


def said(found: Reporting) -> list[tuple[str, str, str, str]]:
    return [(str(each.stage), each.name, plain(each.units), each.reason) for each in found.differences]


def test_every_stage_in_one_currency_by_hand() -> None:
    """USD 36.006 × 0.8 + JPY 777 × 0.00625 = 28.8048 + 4.85625 = 33.66105. Settled, USD are 36.01: 0.0032 more.

    Charged: europe 10.01 × 0.8 = 8.008, 8.01 EUR; JPY 4.85625, 4.86 EUR; suisse 20 × 0.8 ÷ 1.0625 = 15.0588…, 15.06
    CHF, which are 16.00125 EUR. So the dollars make 0.002 and 0.00125, the yen 0.00375.
    """
    found = month().reporting()
    assert [(str(row.stage), plain(row.units)) for row in found.rows] == [
        ("provider_invoices", "33.66105"),
        ("billed_cost", "33.66105"),
        ("allocated", "33.66105"),
        ("settled", "33.66425"),
        ("statements", "33.67125"),
        ("journal", "33.67125"),
    ]
    assert said(found) == [
        ("settled", "USD", "0.0032", "rounding"),
        ("statements", "JPY", "0.00375", "conversion"),
        ("statements", "USD", "0.00125", "conversion"),
        ("statements", "USD", "0.002", "conversion"),
    ]
    assert [(part.name, plain(part.units)) for part in found.rows[4].parts] == [
        ("CHF", "16.00125"), ("EUR", "12.87"), ("USD", "4.8"),
    ]  # fmt: skip
    assert all(difference.accepted for difference in found.differences)


def test_the_sum_adds_up_also_where_no_decimal_holds_a_rate() -> None:
    found = month(exchange(EURUSD="1.1", EURJPY="170", EURCHF="0.93"), "EUR").reporting()
    for before, row in zip(found.rows, found.rows[1:], strict=False):
        assert row.units - before.units == sum(each.units for each in found.differences if each.stage is row.stage)
        assert row.units == sum(part.units for part in row.parts)


def test_rates_that_contradict_each_other_are_a_difference_of_their_own() -> None:
    """Straight, 20 USD are 16 EUR; over agreed 0.75 CHF at 1.0625 they are 15.9375."""
    found = month(exchange(USDEUR="0.8", JPYEUR="0.00625", CHFEUR="1.0625", USDCHF="0.75")).reporting()
    assert ("statements", "USD", "-0.0625", "cross_rate") in said(found)
    assert "by way of CHF and straight to EUR" in next(
        e.sentence for e in found.differences if e.reason == "cross_rate"
    )


def test_charging_a_cent_more_than_the_rate_gives_is_found() -> None:
    """Also where statement and journal agree with each other."""
    broken = month()
    europe = broken.statements[0]
    line = europe.lines[0]
    assert line.charged is not None
    changed = (replace(line, charged=replace(line.charged, minor=line.charged.minor + 1)), *europe.lines[1:])
    broken.statements = (replace(europe, lines=changed, totals=totals(changed)), *broken.statements[1:])
    broken.journal = journal(broken.statements, ACCOUNTS)
    tied = broken.tie_out()
    assert tied.reporting is not None
    assert ("statements", line.scope.currency, "0.01", "unexplained") in said(tied.reporting)
    with pytest.raises(TieOutError, match="is not charged in EUR as it comes to at the rate"):
        tied.require()
    assert "!" in render_text(tied)


def test_posting_a_cent_more_than_is_charged_is_found_once() -> None:
    broken = month()
    entry = next(each for each in broken.journal.entries if each.postings[0].currency == "EUR")
    first, *rest = entry.postings
    more = (
        replace(first, amount_minor=first.amount_minor + 1),
        *rest[:-1],
        replace(rest[-1], amount_minor=rest[-1].amount_minor - 1),
    )
    others = [each for each in broken.journal.entries if each is not entry]
    broken.journal = replace(broken.journal, entries=(*others, replace(entry, postings=more)))
    tied = broken.tie_out()
    assert not tied.holds
    assert [(each.currency, each.name, plain(each.units)) for each in tied.open_differences] == [
        ("EUR", "ST-2026-10-0001", "0.01")
    ]
    assert tied.reporting is not None
    assert ("journal", "EUR", "0.01", "unexplained") in said(tied.reporting)


def test_a_fault_in_a_billing_currency_is_seen_in_the_reporting_one_too() -> None:
    broken = month()
    changed = tuple(
        line._replace(units=line.units + units("1")) if line.holder.code == "states" else line
        for line in broken.allocation.lines
    )
    broken.allocation = replace(broken.allocation, lines=changed)
    found = broken.reporting()
    assert ("allocated", "USD", "0.8", "unexplained") in said(found)
    assert not broken.tie_out().holds


def test_rows_kept_aside_are_in_no_stage_here_either() -> None:
    broken = month()
    broken.quarantined = [Quarantined("USD", 2, units("99")), Quarantined("", 1, 0)]
    tied = broken.tie_out()
    assert tied.reporting is not None
    assert tied.reporting.rows == month().reporting().rows


def test_without_a_reporting_currency_there_is_nothing_to_compare_conversion_with() -> None:
    alone = month()
    alone.asked = None
    with pytest.raises(ConservationError, match="in a reporting currency only"):
        alone.tie_out()


def test_every_currency_needs_a_rate() -> None:
    missing = month()
    missing.asked = InCurrency("GBP", EURO)
    with pytest.raises(MissingRateError, match="to GBP"):
        missing.tie_out()


def test_the_text_names_the_rates() -> None:
    text = render_text(month().tie_out())
    assert "EUR, all currencies together" in text
    assert "1 CHF = 1.0625 EUR (1 CHF = 1.0625 EUR, agreed for 2026-10, agreed)" in text
    assert text.endswith("Every cent is accounted for.\n")
