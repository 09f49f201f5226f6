"""What a ledger passes on where companies are charged: cost in revenue, and never the uplift or the tax on top."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from apportion.actions.post.invoiced import _taken_off
from apportion.post.erp.pace import Pace
from apportion.post.erp.push import Pusher
from apportion.post.erp.read_back import read_back
from apportion.post.foreign import Quote
from apportion.post.journal import of_entries
from apportion.post.terms import Terms
from tests import erp_server, erp_server_erpnext, pushing
from tests.charging import ACCOUNTS, GERMAN, charged, credit_note, document
from tests.erp_server import KEY, Ledger
from tests.rooms.post.test_push_interfaces import KINDS

# Accounts that the ledger of tests knows; 600100 stands for revenue here, and 600199 for output tax.
KNOWN = replace(ACCOUNTS, intercompany_revenue="600100", intercompany_output_tax="600199")
TERMS = Terms("5", GERMAN)


@pytest.fixture(name="run")
def run_fixture(tmp_path: Path) -> Iterator[Pusher]:
    ledger = Ledger()
    with erp_server.served(ledger, erp_server_erpnext.dialect, erp_server_erpnext.wrong) as url:
        pace = Pace(tries=6, first=0.001, longest=0.002, seconds=30)
        yield pushing.pusher(KINDS["erpnext"][0](url, KEY), tmp_path / "book", pace)


def test_what_is_passed_on_is_cost_alone(run: Pusher) -> None:
    """Of example F and a credit note of 100.00: 900.00, and nothing once it is taken back."""
    whole = charged([document(100_000), credit_note(-10_000)], TERMS, KNOWN)
    entry = whole.entries[0]
    sellers = replace(entry, postings=tuple(each for each in entry.postings if each.company == "1000"))
    made = of_entries(whole.period, [sellers])
    run.push(made).require()
    back = read_back(run, [made], "", "600100")
    assert back.differences == ()
    assert back.passed_on == {("1000", "EUR"): 90_000}
    assert back.of_journal[made.id].passed_on == {("1000", "EUR"): 90_000}
    assert run.reverse(made, date(2026, 11, 1)).done
    assert read_back(run, [made], "", "600100").passed_on == {("1000", "EUR"): 0}


def test_what_a_journal_takes_off_the_payer_is_cost_in_its_own_currency() -> None:
    """1,000.00 dollars charged and 200.00 taken over at cost, at 0.9: 1,080.00 euros, without uplift and tax."""
    quotes = {("1000", "USD"): Quote("EUR", "0.9", date(2026, 10, 31), "agreed")}
    at_cost = document(20_000, currency="USD", label="KES-2026-000018")
    at_cost = replace(at_cost, coding=replace(at_cost.coding, company="1000"))
    made = charged([document(100_000, currency="USD"), at_cost], TERMS, quotes=quotes)
    assert _taken_off(made, ("600199", "820000"), "1000", "EUR") == 108_000
