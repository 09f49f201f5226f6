"""Laws of charges between companies: what is owed is what the e-invoices ask for, and cost stays what it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from apportion.invoice.paper import Paper
from apportion.ledger.auditor import audit
from apportion.ledger.entry import Entry
from apportion.organization.coding import Coding
from apportion.post.charging import agrees, on_top
from apportion.post.document import of_paper
from apportion.post.einvoice import Charge, einvoices
from apportion.post.journal import journal
from apportion.post.mapping import AccountRule, LedgerMapping
from apportion.post.tax import Tax
from apportion.post.terms import Terms
from tests.charging import ACCOUNTS, credit_note, document
from tests.einvoices import PARTIES, joined

LINES = st.lists(st.integers(-(10**9), 10**9).filter(bool), min_size=1, max_size=5)
RATES = st.sampled_from(["19", "7.7", "0", "25", "0.5", "20.125"])
TERMS = st.builds(
    Terms,
    st.sampled_from(["0", "5", "2.5", "0.000001", "99.999"]),
    st.none() | st.builds(Tax, RATES, st.just("V"), st.booleans()),
)
MAPPINGS = st.builds(
    LedgerMapping,
    st.sampled_from([(), (AccountRule("600190", service="Compute"),)]),
    st.just({}),
    st.booleans(),
)
WITH_ELIMINATION = replace(ACCOUNTS, elimination_company="ELIM")

Sums = dict[str, int]  # by currency


@st.composite
def papers(draw: st.DrawFn) -> list[Paper]:
    """Invoices and credit notes to company 2000, of cost groups that may share codes, in one or two currencies."""
    made = []
    for count in range(draw(st.integers(1, 5))):
        paper = document(*draw(LINES))
        if draw(st.booleans()):
            paper = joined(paper, document(*draw(LINES), currency="USD"))
        if draw(st.booleans()):
            note = credit_note(1)
            paper = replace(paper, kind=note.kind, about=note.about, note=note.note)
        center = draw(st.sampled_from(["0010", "0020"]))
        made.append(replace(paper, label=f"KES-2026-00010{count}", coding=Coding("2000", center, "", "600100")))
    return made


def asked_for(made: Iterable[Paper], terms: Terms) -> tuple[Sums, Sums]:
    """What the e-invoices of papers ask for, and their tax; credit notes take off what they say."""
    due: Sums = defaultdict(int)
    tax: Sums = defaultdict(int)
    for paper in made:
        for invoice in einvoices(paper, PARTIES, Charge("1000", terms.uplift, terms.tax, "EUR", {"USD": 0})):
            sign = -1 if invoice.kind == "381" else 1
            due[invoice.currency] += sign * invoice.due_minor
            tax[invoice.currency] += sign * invoice.tax_minor
    return due, tax


def on(entries: Iterable[Entry], company: str, account: str) -> Sums:
    """What is on an account."""
    sums: Sums = defaultdict(int)
    for entry in entries:
        for each in entry.postings:
            if (each.company, each.account) == (company, account):
                sums[each.currency] += each.amount_minor
    return sums


def filled(sums: Sums, sign: int = 1) -> Sums:
    return {currency: sign * minor for currency, minor in sums.items() if minor}


@given(papers(), TERMS, MAPPINGS)
def test_the_receivable_is_what_the_e_invoices_ask_for(made: list[Paper], terms: Terms, mapping: LedgerMapping) -> None:
    documents = [of_paper(each) for each in made]
    mapping = replace(mapping, charges={"2000": terms})
    charges = journal(documents, ACCOUNTS, mapping).entries
    due, tax = asked_for(made, terms)
    assert filled(on(charges, "1000", "140000")) == filled(on(charges, "2000", "160000"), -1) == filled(due)
    assert filled(on(charges, "1000", "177600"), -1) == filled(tax)
    cost: Sums = defaultdict(int)
    posted: Sums = defaultdict(int)
    for each in documents:
        for total in each.totals:
            cost[total.currency] += total.minor
    for entry in charges:
        for line in entry.postings:
            posted[line.currency] += line.amount_minor if line.ref else 0
    assert filled(posted) == filled(cost)
    assert audit(charges) == ()
    assert all(not each.off for each in on_top(charges, documents, ACCOUNTS, mapping))
    assert agrees(charges, documents, ACCOUNTS, mapping, "2000")


@given(papers(), TERMS, MAPPINGS)
def test_elimination_leaves_tax_alone(made: list[Paper], terms: Terms, mapping: LedgerMapping) -> None:
    mapping = replace(mapping, charges={"2000": terms})
    entries = journal([of_paper(each) for each in made], WITH_ELIMINATION, mapping).entries
    assert audit(entries) == ()
    left: dict[tuple[str, str, str], int] = defaultdict(int)
    for entry in entries:
        for each in entry.postings:
            # What the elimination takes off belongs to the company that its line names.
            company = each.partner if each.company == "ELIM" else each.company
            left[company, each.account, each.currency] += each.amount_minor
    assert {account for (_, account, _), minor in left.items() if minor} <= {"157600", "177600"}
