"""Entries in the payer's own currency too, where the settings name one that is not theirs."""

from __future__ import annotations

from collections.abc import Sequence

from apportion.close import run as runs
from apportion.close.journals.before import Asked
from apportion.ledger.entry import Entry
from apportion.post.foreign import in_own_currency, quote


def with_own_amounts(asked: Asked, entries: Sequence[Entry]) -> list[Entry]:
    """The entries at the rates of the period's run; what takes back another keeps the other's amounts.

    Raises `MissingRateError`, and `NotFoundError` where rates are needed and the period was not allocated.
    """
    company = asked.settings.payer.company
    own = asked.settings.ledger.currencies.get(company, "")
    foreign = {
        posting.currency
        for entry in entries
        if _converts(entry)
        for posting in entry.postings
        if posting.currency != own
    }
    if not own or not foreign:
        return list(entries)
    exchange = runs.current(asked.workspace, asked.period).exchange
    quotes = {(company, currency): quote(exchange.rate(currency, own)) for currency in sorted(foreign)}
    return [in_own_currency(entry, quotes, asked.accounts) if _converts(entry) else entry for entry in entries]


def _converts(entry: Entry) -> bool:
    return not entry.reverses and not any(posting.local for posting in entry.postings)
