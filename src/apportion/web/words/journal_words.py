"""Kinds, targets, entries and pushes of journals in words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apportion.actions.post.ledgers import FILES
from apportion.ledger.entry import EntryKind
from apportion.post.lifecycle import JournalKind, JournalState

KINDS: Mapping[str, str] = {
    JournalKind.TRANSFER: gettext_noop("Cost transfer"),
    JournalKind.PROVIDER: gettext_noop("Provider invoices"),
    JournalKind.ACCRUAL: gettext_noop("Accrual"),
    JournalKind.TRUE_UP: gettext_noop("True-up"),
    JournalKind.PREPAID: gettext_noop("Prepaid commitments"),
    JournalKind.REMAINDER: gettext_noop("Set apart"),
    JournalKind.SHOWBACK: gettext_noop("Showback, counted"),
    JournalKind.REVERSAL: gettext_noop("Reversal"),
}
ABOUT: Mapping[str, str] = {
    JournalKind.TRANSFER: gettext_noop(
        "Accepted invoices and notes: cost moves to the cost groups, each document once."
    ),
    JournalKind.PROVIDER: gettext_noop("The providers' invoices and credits, as payables."),
    JournalKind.ACCRUAL: gettext_noop("Cost of the period whose provider invoice is not there yet."),
    JournalKind.TRUE_UP: gettext_noop("The accrual taken back, and what the invoice differs by."),
    JournalKind.PREPAID: gettext_noop("Commitments paid upfront, and this month's part of them."),
    JournalKind.REMAINDER: gettext_noop("What nobody owns yet, set apart at the payer."),
    JournalKind.SHOWBACK: gettext_noop("Statements in showback as quantities on statistical accounts, never money."),
    JournalKind.REVERSAL: gettext_noop("Takes a posted journal back, entry by entry."),
}
STATES: Mapping[str, str] = {
    JournalState.DRAWN_UP: gettext_noop("Waits for approval"),
    JournalState.APPROVED: gettext_noop("Approved"),
    JournalState.HANDED_OVER: gettext_noop("On its way"),
    JournalState.POSTED: gettext_noop("Posted"),
    JournalState.REVERSED: gettext_noop("Reversed"),
    JournalState.WITHDRAWN: gettext_noop("Withdrawn"),
}
_ENTRIES: Mapping[str, str] = {
    EntryKind.COST_TRANSFER: gettext_noop("Cost transfer"),
    EntryKind.ACCRUAL: gettext_noop("Accrual"),
    EntryKind.ACCRUAL_REVERSAL: gettext_noop("Accrual taken back"),
    EntryKind.TRUE_UP: gettext_noop("True-up"),
    EntryKind.VOUCHER: gettext_noop("Provider invoice"),
    EntryKind.PREPAYMENT: gettext_noop("Prepayment"),
    EntryKind.AMORTISATION: gettext_noop("Amortisation"),
    EntryKind.CREDIT: gettext_noop("Credit"),
    EntryKind.INTERCOMPANY: gettext_noop("Between companies"),
    EntryKind.ELIMINATION: gettext_noop("Elimination"),
    EntryKind.EXCHANGE_DIFFERENCE: gettext_noop("Exchange difference"),
    EntryKind.ROUNDING: gettext_noop("Rounding"),
    EntryKind.REVERSAL: gettext_noop("Reversal"),
}
_FIELDS: Mapping[str, str] = {
    "account": gettext_noop("account"),
    "ledger_account": gettext_noop("ledger account"),
    "company": gettext_noop("company"),
    "cost_center": gettext_noop("cost center"),
    "department": gettext_noop("department"),
    "currency": gettext_noop("currency"),
    "posting_on": gettext_noop("posting date"),
    "text": gettext_noop("text"),
}


def kind(of: str) -> str:
    """What the journal is about."""
    return _(KINDS[of])


def about(of: str) -> str:
    """The same in a sentence."""
    return _(ABOUT[of])


def entry_kind(of: str) -> str:
    """What an entry is for."""
    return _(_ENTRIES[of])


def field(name: str) -> str:
    """A field of a line; one of the company's own dimensions by its name."""
    return _(_FIELDS[name]) if name in _FIELDS else name


def target(name: str) -> str:
    """Where it goes; the built-in target of files has a name of ours."""
    return _("Files") if name == FILES else name
