"""A month of the example company in a real Tryton: posted, read back to the cent, and reversed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from apportion.allocate.rule import Holder
from apportion.close.month import posting_accounts
from apportion.post.erp.read_back import read_back, recharged
from apportion.post.foreign import Quote, in_own_currency
from apportion.post.journal import of_entries
from tests import demo_month, pushing, tryton_server
from tests.tryton_ledger import PLAN, Ledger

pytestmark = pytest.mark.slow


def test_a_month_of_the_example_company(ledger: Ledger, book: Path, tmp_path: Path) -> None:
    """Every entry of a closed month in its own currency: posted, read back to the cent, and reversed."""
    month = demo_month.closed(tmp_path / "kestrel")
    accounts = posting_accounts(month.run.settings)
    on = month.journal.entries[0].posting_on
    quotes = {
        ("1000", "USD"): Quote("EUR", "1.1583", on, "ECB", inverted=True),
        ("1000", "SEK"): Quote("EUR", "10.9865", on, "ECB", inverted=True),
    }
    entries = [in_own_currency(each, quotes, accounts) for each in month.journal.entries]
    pushed = of_entries(month.journal.period, entries)
    postings = [posting for each in entries for posting in each.postings]
    codes = sorted({posting.account for posting in postings})
    plan = {
        **PLAN,
        "accounts": [
            {"code": code, "name": f"Account {code}", "kind": "expense" if code[0] in "56" else "balance"}
            for code in codes
        ],
        "roots": {"cost_center": sorted({posting.cost_center for posting in postings if posting.cost_center})},
    }
    with ledger_of(ledger, plan, "month") as url:
        run = pushing.pusher(pushing.tryton(url, "month", "month"), book)
        report = run.push(pushed).require()
        assert [push.slot.company for push in report.posted] == ["1000", "1000", "2000", "1000"]
        held = run.holdings(pushed)
        assert all(holding is not None and holding.sums == run.target.expected(doc) for doc, _, holding in held)

        back = read_back(run, [pushed], accounts.transferred_out)
        assert back.differences == ()
        invoiced = {
            currency: sum(
                total.minor
                for statement in month.statements
                if statement.holder.holder is Holder.COST_GROUP
                for total in statement.totals
                if total.currency == currency
            )
            for currency in ("EUR", "USD", "SEK")
        }
        in_eur = sum(
            quotes["1000", currency].local(minor, currency).amount_minor if currency != "EUR" else minor
            for currency, minor in invoiced.items()
        )
        assert recharged(back, {("1000", "EUR"): in_eur}) == {("1000", "EUR"): (in_eur, 10**6)}

        assert run.reverse(pushed, date(2025, 12, 1)).done
        empty = read_back(run, [pushed], accounts.transferred_out)
        assert empty.differences == ()
        assert empty.passed_on == {("1000", "EUR"): 0}
        for company in ("1000", "2000"):
            found = run.target.trial_balance(company, date(2025, 11, 1), date(2025, 12, 31), codes)
            assert found
            assert all(balance.amount_minor == 0 for balance in found)


@contextmanager
def ledger_of(ledger: Ledger, plan: dict[str, object], name: str) -> Iterator[str]:
    """Another ledger beside the first, with other accounts: added to a copy of the template."""
    ledger.ledgers.copy(name)
    tryton_server.add(ledger.ledgers, name, plan)
    with ledger.ledgers.served(name) as url:
        yield url
