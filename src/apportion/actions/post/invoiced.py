"""What was invoiced, beside what journals posted and what the ledger shows as passed on; by company and currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from apportion.actions.post import posting
from apportion.actions.post.journals import content
from apportion.close import run as runs
from apportion.close.month import own_quotes
from apportion.errors import ApportionError
from apportion.invoice.paper import PaperKind
from apportion.ledger.entry import EntryKind
from apportion.money.currency import minor_text
from apportion.periods import BillingPeriod
from apportion.post.document import PostableDocument
from apportion.post.erp.read_back import rate
from apportion.post.foreign import Quote
from apportion.post.intercompany import is_uplift
from apportion.post.journal import Journal
from apportion.post.lifecycle import JournalKind, JournalState
from apportion.records.documents import Document
from apportion.records.journals import LedgerJournal
from apportion.review.states import Issue, Posting
from apportion.warehouse.store import Workspace

_LIVE = (Posting.EXPORTED, Posting.POSTED)
_Sums = dict[tuple[str, str], int]  # minor units by company and currency


@dataclass(frozen=True, slots=True)
class Recharge:
    """What ledgers show as passed on of what a period's invoices and notes come to, in minor units.

    `company` is the payer, `currency` that of its books. A `rate` of 1,000,000 millionths: all of it is in the ledger.
    """

    period: str
    company: str
    currency: str
    passed_on: int
    invoiced: int

    @property
    def rate(self) -> int:
        """The GL recharge rate in millionths; zero where nothing was invoiced."""
        return rate(self.passed_on, self.invoiced)


def recharges(place: Workspace, period: str, passed_on: Mapping[tuple[str, str], int]) -> list[Recharge]:
    """The rate of a period for each company and currency that has either side.

    `passed_on` may name companies of other payers: what was never invoiced by ours is none of this.
    """
    whole = invoiced(place, period)
    payer = place.settings.payer.company
    spots = sorted({*whole, *(spot for spot in passed_on if spot[0] == payer and passed_on[spot])})
    return [Recharge(period, *spot, passed_on.get(spot, 0), whole.get(spot, 0)) for spot in spots]


def invoiced(place: Workspace, period: str) -> _Sums:
    """What the period's issued invoices and notes come to, by the payer's company and the currency of its books.

    What is in a journal counts as the journal converted it, the rest at the rates of the period's run; what has no rate
    stays in its own currency. Of a journal that finance reversed a part of by hand, each document counts by itself.
    """
    settings = place.settings
    payer = settings.payer.company
    own = settings.ledger.currencies.get(payer, "")
    sums: _Sums = {}
    rows = list(charged(period).prefetch_related("totals"))
    held: dict[str, set[str]] = {}
    journals: set[str] = set()
    for row in rows:
        if row.posting_state in _LIVE and row.journal:
            held.setdefault(row.journal, set()).add(row.label or "")
            if own and any(total.currency != own for total in row.totals.all()):
                journals.add(row.journal)
    live = LedgerJournal.objects.filter(journal_id__in=journals, kind=JournalKind.TRANSFER)
    whole: set[str] = set()
    for made in live.exclude(state__in=[JournalState.WITHDRAWN, JournalState.REVERSED]).order_by("pk"):
        found = content(made)
        if posting.named_in(found) <= held[made.journal_id]:
            whole.add(made.journal_id)
            accounts = (settings.ledger.transferred_out, settings.ledger.intercompany_revenue)
            _add(sums, (payer, own), _taken_off(found, accounts, payer, own))
    # A journal holds documents in the company's own currency too: it counts as a whole, and they do not again.
    kept = [row for row in rows if row.posting_state not in _LIVE or row.journal not in whole]
    quotes = _quotes(place, period, kept) if own else {}
    for row in kept:
        for total in row.totals.all():
            quote = quotes.get((payer, total.currency))
            if quote is None:
                _add(sums, (payer, total.currency), total.amount_minor)
            else:
                _add(sums, (payer, own), quote.local(total.amount_minor, total.currency).amount_minor)
    return sums


def charged(period: str) -> QuerySet[Document]:
    """The issued invoices and notes of a period that cost groups are charged by."""
    rows = Document.objects.filter(
        period=period, issue_state=Issue.ISSUED, showback=False, cost_group__isnull=False
    ).exclude(kind=PaperKind.STATEMENT)
    return rows.order_by("pk")


def not_as_invoiced(row: LedgerJournal, found: Journal, payer: str) -> tuple[str, ...]:
    """Where a posted transfer does not come to what its documents do, for each buying company and currency."""
    if row.kind != JournalKind.TRANSFER or row.state != JournalState.POSTED:
        return ()
    documents = posting.postable(posting.made_from(row, found))
    posted, billed = _posted(found), _billed(documents, payer)
    return tuple(
        f"Journal {row} has {minor_text(posted.get(spot, 0), spot[1])} {spot[1]} for company {spot[0]}, and its "
        f"documents come to {minor_text(billed.get(spot, 0), spot[1])}."
        for spot in sorted({*posted, *billed})
        if posted.get(spot, 0) != billed.get(spot, 0)
    )


def _posted(found: Journal) -> _Sums:
    """The lines that name documents, by company and currency."""
    sums: _Sums = {}
    for entry in found.entries:
        for line in entry.postings:
            if line.ref:
                _add(sums, (line.company, line.currency), line.amount_minor)
    return sums


def _billed(documents: Sequence[PostableDocument], payer: str) -> _Sums:
    sums: _Sums = {}
    for document in documents:
        for total in document.totals:
            _add(sums, (document.coding.company or payer, total.currency), total.minor)
    return sums


def _taken_off(found: Journal, accounts: tuple[str, str], payer: str, own: str) -> int:
    """What a journal takes off the payer, in the payer's own currency: by the contra account, or charged as cost.

    `accounts` are the contra account and that of revenue from other companies, of which uplift is no cost.
    """
    contra, revenue = accounts
    taken = 0
    for entry in found.entries:
        account = revenue if entry.kind is EntryKind.INTERCOMPANY else contra
        for line in entry.postings:
            if (line.company, line.account) == (payer, account) and not is_uplift(line):
                taken -= line.local.amount_minor if line.local else line.amount_minor if line.currency == own else 0
    return taken


def _quotes(place: Workspace, period: str, rows: Sequence[Document]) -> Mapping[tuple[str, str], Quote]:
    if not rows:
        return {}
    try:
        exchange = runs.current(place, BillingPeriod.parse(period)).exchange
        return own_quotes(place.settings, posting.postable(rows), exchange)
    except ApportionError:
        return {}


def _add(sums: _Sums, spot: tuple[str, str], amount: int) -> None:
    sums[spot] = sums.get(spot, 0) + amount
