"""Documents between two companies for tests: papers by their lines, the settings they are charged on, and judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apportion.invoice.paper import Paper
from apportion.organization.coding import Coding
from apportion.post.document import of_paper
from apportion.post.foreign import Quote
from apportion.post.intercompany import unmatched
from apportion.post.journal import Journal, journal
from apportion.post.mapping import LedgerMapping, PostingAccounts
from apportion.post.tax import Tax
from apportion.post.terms import Terms
from tests.einvoices import credit_note, document

ACCOUNTS = PostingAccounts(
    payer=Coding("1000", "9900", "", "600100"),
    transferred_out="600199",
    intercompany_receivable="140000",
    intercompany_payable="160000",
    intercompany_revenue="820000",
    intercompany_expense="600150",
    intercompany_input_tax="157600",
    intercompany_output_tax="177600",
    exchange_rounding="699900",
)
GERMAN, REVERSE = Tax("19", "V19"), Tax("19", "RC19", reverse_charge=True)
F = Terms("5", GERMAN)

__all__ = ["ACCOUNTS", "GERMAN", "REVERSE", "F", "charged", "credit_note", "document", "rows"]


def charged(
    papers: Sequence[Paper],
    terms: Terms = F,
    accounts: PostingAccounts = ACCOUNTS,
    *,
    each_line: bool = False,
    quotes: Mapping[tuple[str, str], Quote] | None = None,
) -> Journal:
    """The journal of papers, company 2000 being charged on these terms; due-from and due-to must cancel out."""
    mapping = LedgerMapping(each_line=each_line, charges={"2000": terms})
    made = journal([of_paper(each) for each in papers], accounts, mapping, quotes=quotes)
    assert unmatched([entry for entry in made.entries if entry.kind == "intercompany"], accounts) == ()
    return made


def rows(made: Journal, entry: int = 0) -> list[tuple[str, str, str, int, str]]:
    """Company, account, cost center, minor units and reference of each line of an entry."""
    return [
        (each.company, each.account, each.cost_center, each.amount_minor, each.ref)
        for each in made.entries[entry].postings
    ]
