"""Journals of what a workspace holds: providers' invoices, accruals, commitments, what nobody owns, showback.

Takes a workspace, the settings, a billing period and the journals that are there already; gives the journal of what is
in none of them, or None. Never journals anything twice, never asks what day it is, never writes, and never makes a
cost transfer: that is made from documents (`apportion.post.journal`), as reversals are made from journals.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from apportion.close.journals import accruals, bills, commitments, remainders
from apportion.close.journals.before import Asked, Before
from apportion.close.journals.counting import counted
from apportion.close.journals.own_currency import with_own_amounts
from apportion.close.month import posting_accounts
from apportion.errors import InputRefusedError
from apportion.invoice.series import fiscal_year
from apportion.ledger.entry import Entry
from apportion.periods import BillingPeriod
from apportion.post.journal import Journal
from apportion.post.lifecycle import JournalKind
from apportion.settings import Settings
from apportion.warehouse.store import Workspace

__all__ = ["counted", "made"]

_MAKERS = {
    JournalKind.PROVIDER: bills.entries,
    JournalKind.ACCRUAL: accruals.accrued,
    JournalKind.TRUE_UP: accruals.taken_back,
    JournalKind.PREPAID: commitments.entries,
    JournalKind.REMAINDER: remainders.entries,
}


def made(
    kind: JournalKind,
    workspace: Workspace,
    settings: Settings,
    period: BillingPeriod,
    posting_on: date | None,
    known: Sequence[Journal],
) -> Journal | None:
    """The journal of a kind for a period; None where all of it is in `known` already, or there is nothing.

    `known` are the journals of this and of other periods that were drawn up and not withdrawn; what is reversed in them
    counts as not there. `posting_on` is the day for what the period itself no longer takes; without it, entries are
    posted on their own days: mostly the period's last, for a reversal of an accrual the first of the next month. Of
    entries in two fiscal years only those of the earlier one are given: asked again, the others come.

    Raises `UnmappedError` for an account or a commitment's term that the settings do not name, `NotFoundError` where
    the period was not allocated and has to be, `InputRefusedError` for a kind that is made from documents or journals
    and for charges that changed since, `MissingRateError`, and `ConservationError` where the amounts are not those of
    the providers.
    """
    maker = _MAKERS.get(kind)
    if maker is None:
        raise InputRefusedError(
            f"A journal of the kind '{kind.replace('_', ' ')}' is not made from what the workspace holds.",
            advice="It is made from documents, or from the journal that it takes back.",
        )
    asked = Asked(workspace, settings, posting_accounts(settings), period, posting_on, Before(known))
    found = _of_one_year(maker(asked), settings.fiscal_year_starts)
    return asked.before.journal(period, with_own_amounts(asked, found)) if found else None


def _of_one_year(entries: Sequence[Entry], starts: int) -> list[Entry]:
    """Entries of the first fiscal year among them: no journal spans two."""
    years = [fiscal_year(BillingPeriod.of(entry.posting_on), starts) for entry in entries]
    return [entry for entry, year in zip(entries, years, strict=True) if year == min(years)]
