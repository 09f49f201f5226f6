"""The journal of statements in other currencies: each entry in one currency, balanced in every company."""

from __future__ import annotations

from datetime import date

from apportion.allocate.allocation import Allocation, Cell, Scope
from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.rule import KEPT_CENTRAL, Holder, Rule, Target
from apportion.allocate.waterfall import lines
from apportion.invoice.convert import convert
from apportion.invoice.statement import statements
from apportion.ledger.entry import sums
from apportion.money.amount import units
from apportion.money.currency import minor_text
from apportion.money.exchange import Choice, Exchange, Table
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod
from apportion.post.formats import csv_text, hledger, json_text
from apportion.post.journal import Journal, journal
from apportion.post.mapping import PostingAccounts

ACCOUNTS = PostingAccounts(Coding("1000", "9900"), "6199", intercompany_receivable="1400", intercompany_payable="1600")
GROUPS = (("berlin", "1000", "EUR"), ("tokyo", "2000", "JPY"), ("austin", "3000", ""))


def made() -> Journal:
    tree = Tree(
        CostGroup(code, code.title(), coding=Coding(company, "10", "", "6100"), currency=currency)
        for code, company, currency in GROUPS
    )
    scope = Scope("Nimbus", "N-1", "", "USD")
    cells = tuple(
        Cell("r", Target(Holder.COST_GROUP, code), scope, "S", "Usage", 1, units("10.01")) for code, _, _ in GROUPS
    )
    allocation = Allocation(BillingPeriod(2026, 10), CostBasis.BILLED, cells, (), lines(cells, (), tree), "p", "o", "s")
    policy = Policy("P", CostBasis.BILLED, (Rule("r", "Rule", None, KEPT_CENTRAL),), (), "p")
    agreed = {("USD", "EUR"): {"2026-10": "0.9"}, ("USD", "JPY"): {"2026-10": "150"}}
    rates = Exchange([Table("t", {}, agreed)], Choice.parse("agreed"), date(2026, 10, 1), date(2026, 10, 31))
    return journal(convert(statements(allocation, tree, policy, "ST"), allocation.lines, tree, rates), ACCOUNTS)


def test_what_is_charged_is_posted_and_the_payer_credited_alike() -> None:
    """10.01 USD are 9.009 EUR and 1501.5 JPY."""
    found = [
        [
            (
                each.company,
                each.account,
                each.partner,
                f"{minor_text(each.amount_minor, each.currency)} {each.currency}",
            )
            for each in entry.postings
        ]
        for entry in made().entries
    ]
    assert found == [
        [("1000", "6100", "", "9.01 EUR"), ("1000", "6199", "", "-9.01 EUR")],
        [
            ("2000", "6100", "", "1502 JPY"),
            ("2000", "1600", "1000", "-1502 JPY"),
            ("1000", "1400", "2000", "1502 JPY"),
            ("1000", "6199", "", "-1502 JPY"),
        ],
        [
            ("3000", "6100", "", "10.01 USD"),
            ("3000", "1600", "1000", "-10.01 USD"),
            ("1000", "1400", "3000", "10.01 USD"),
            ("1000", "6199", "", "-10.01 USD"),
        ],
    ]
    for entry in made().entries:
        assert set(sums(entry.postings).values()) == {0}


def test_every_text_is_read_back() -> None:
    written = made()
    assert csv_text.parse(csv_text.render(written)) == written
    assert hledger.parse(hledger.render(written)) == written
    assert json_text.parse(json_text.render(written)) == written
