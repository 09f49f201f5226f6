"""Laws of documents and books, for any input that Hypothesis can think of."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from apportion.allocate.allocation import Allocation, Cell, Scope
from apportion.allocate.basis import Even, Fixed
from apportion.allocate.policy import CostBasis, Policy, Pool
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Rule, Target
from apportion.allocate.waterfall import Circumstances, lines, share_pools
from apportion.errors import UnbalancedEntryError
from apportion.invoice.render import json_text as statement_json
from apportion.invoice.statement import Statement, statements
from apportion.ledger.account import Dimensions, LedgerAccount, dimensions, tidy
from apportion.ledger.auditor import audit
from apportion.ledger.book import Book
from apportion.ledger.entry import Entry, EntryKind, Posting, sums
from apportion.ledger.local import Local
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.money.amount import ONE
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod
from apportion.post.foreign import Quote, in_own_currency
from apportion.post.formats import beancount, csv_text, hledger, json_text
from apportion.post.journal import Journal, journal, not_posted, reversal
from apportion.post.mapping import PostingAccounts
from apportion.post.passing_on import Head, Share, pass_on
from apportion.post.prepaid import Commitment, schedule
from apportion.post.rules import breaks, next_number
from apportion.reconcile.compare import compare
from apportion.reconcile.difference import tolerance
from apportion.reconcile.provider_invoice import provider_invoices
from apportion.tie_out import tie_out
from apportion.warehouse.snapshot import DeliveredInvoice, Total
from tests.often import often

# A busy machine may take its time; fewer examples keep the quick loop quick.
law = settings(deadline=None, max_examples=often(60))

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
CURRENCIES = ("EUR", "JPY", "KWD", "CLF")

texts = st.text(max_size=12).map(tidy)
machine_texts = texts.filter(lambda text: not text.startswith(FORMULA))
days = st.dates(date(1000, 1, 1), date(9999, 12, 31))
minors = st.integers(-(10**17), 10**17)
periods = st.builds(BillingPeriod, st.integers(1900, 2999), st.integers(1, 12))
rates = st.from_regex(r"(0|[1-9][0-9]{0,5})\.[0-9]{1,5}[1-9]", fullmatch=True)
COMPANIES = ("", "1000", "2000", "local", "statistical")


def own_dimensions(words: st.SearchStrategy[str]) -> st.SearchStrategy[Dimensions]:
    names = words.filter(lambda name: name and name not in {"company", "account", "partner"})
    return st.dictionaries(names, words.filter(bool), max_size=3).map(dimensions)


@st.composite
def entries(draw: st.DrawFn, entry_id: str = "E-1", words: st.SearchStrategy[str] = texts) -> Entry:
    """A balanced entry: any postings, and for each company and currency one that makes up the rest."""
    codes = words.filter(bool)
    postings = draw(
        st.lists(
            st.builds(
                Posting,
                account=codes,
                company=st.sampled_from(COMPANIES),
                cost_center=words,
                department=words,
                currency=st.sampled_from(CURRENCIES),
                amount_minor=minors,
                text=words,
                ref=words,
                partner=words,
                tax_code=words,
                dimensions=own_dimensions(words),
            ),
            min_size=1,
            max_size=5,
        )
    )
    rest = [
        Posting(draw(codes), company, "", "", currency, -amount, "")
        for (company, currency), amount in sums(postings).items()
    ]
    whole = [*postings, *rest]
    if draw(st.booleans()):
        whole = draw(given_locally(whole, words))
    kind, late = draw(st.sampled_from(EntryKind)), draw(st.none() | periods)
    mixed = tuple(draw(st.permutations(whole)))
    return Entry(entry_id, draw(days), draw(days), draw(words), mixed, draw(words), kind, late)


@st.composite
def given_locally(draw: st.DrawFn, postings: list[Posting], words: st.SearchStrategy[str]) -> list[Posting]:
    """All postings in USD too, which none is in, and for each company the exchange difference that is left."""
    said, left = [], dict.fromkeys((posting.company for posting in postings), 0)
    for posting in postings:
        local = Local("USD", draw(minors), draw(rates), draw(days), draw(words), draw(st.booleans()))
        said.append(replace(posting, local=local))
        left[posting.company] += local.amount_minor
    for company, amount in left.items():
        local = Local("USD", -amount, "", draw(days), draw(words))
        said.append(Posting(draw(words.filter(bool)), company, "", "", "EUR", 0, "", local=local))
    return said


@st.composite
def counted(draw: st.DrawFn, entry_id: str, words: st.SearchStrategy[str]) -> StatisticalEntry:
    lines = st.builds(
        StatisticalLine,
        account=words.filter(bool),
        company=st.sampled_from(COMPANIES),
        cost_center=words,
        department=words,
        unit=st.sampled_from(CURRENCIES),
        quantity_minor=minors,
        text=words,
        ref=words,
        dimensions=own_dimensions(words),
    )
    found = tuple(draw(st.lists(lines, min_size=1, max_size=3)))
    return StatisticalEntry(entry_id, draw(days), draw(days), draw(words), found, draw(words))


@st.composite
def journals(draw: st.DrawFn, words: st.SearchStrategy[str] = texts) -> Journal:
    ids = draw(st.lists(words.filter(bool), max_size=3, unique=True))
    made = tuple(draw(entries(entry_id, words)) for entry_id in ids)
    quantities = tuple(
        draw(counted(entry_id, words)) for entry_id in draw(st.lists(words.filter(bool), max_size=2, unique=True))
    )
    return Journal(draw(words), draw(periods), "hash", made, quantities)


@law
@given(st.text())
def test_tidying_twice_changes_nothing_more(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


@law
@given(entries(), st.data())
def test_every_entry_balances_and_one_minor_unit_off_is_refused(entry: Entry, data: st.DataObject) -> None:
    assert set(sums(entry.postings).values()) == {0}
    converted = [place for place, each in enumerate(entry.postings) if each.local is None or each.local.rate]
    place = data.draw(st.sampled_from(converted))
    wrong = list(entry.postings)
    wrong[place] = replace(wrong[place], amount_minor=wrong[place].amount_minor + 1)
    with pytest.raises(UnbalancedEntryError):
        Entry("E-1", entry.document_on, entry.posting_on, "", tuple(wrong))


@law
@given(entries())
def test_an_entry_and_its_reversal_are_zero_in_every_account_and_dimension(drawn: Entry) -> None:
    entry = replace(drawn, reverses="")
    book = Book([entry])
    book.reverse(entry.id)
    assert set(book.balances.values()) == {0}
    assert len(book) == 2


@law
@given(entries())
def test_the_auditor_finds_nothing_in_an_entry_and_its_reversal(drawn: Entry) -> None:
    entry = replace(drawn, reverses="")
    assert audit([entry]) == audit([entry, entry.reversal()]) == ()
    own = [each.local.amount_minor for each in (*entry.postings, *entry.reversal().postings) if each.local]
    assert sum(own) == 0


@law
@given(journals())
def test_a_journal_and_its_reversal_are_zero_everywhere(drawn: Journal) -> None:
    made = replace(drawn, entries=tuple(replace(entry, reverses="") for entry in drawn.entries))
    back = reversal(made, date(2026, 12, 1))
    assert set(Book((*made.entries, *back.entries)).balances.values()) <= {0}
    quantities: Counter[tuple[LedgerAccount, str]] = Counter()
    for entry in (*made.statistical, *back.statistical):
        for line in entry.lines:
            quantities[line.ledger_account, line.unit] += line.quantity_minor
    assert set(quantities.values()) <= {0}
    assert [entry.reverses for entry in back.entries] == [entry.id for entry in made.entries]
    assert back.id != made.id


@law
@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.integers(0, 1200), minors, st.data())
def test_amortisation_conserves_every_minor_unit(first: date, days: int, price: int, data: st.DataObject) -> None:
    last = first + timedelta(days=days)
    ended = data.draw(st.none() | st.dates(first, last))
    bought = Commitment("c", "C", first, last, "EUR", price, ended)
    months = schedule(bought)
    assert sum(month.minor for month in months) + bought.rest_minor == price
    assert sum(month.days for month in months) == ((ended or last) - first).days + 1
    assert [month.period for month in months] == sorted({month.period for month in months})
    for month in months:
        exact = price * sum(each.days for each in months if each.period <= month.period)
        assert abs(2 * (month.cumulative_minor * bought.days - exact)) <= bought.days
    if ended is None:
        assert bought.rest_minor == 0


@law
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6).filter(any), minors.filter(bool))
def test_what_is_passed_on_is_what_the_other_side_gives(weights: list[int], whole: int) -> None:
    shares = [Share(LedgerAccount("1", "600100", str(place)), weight) for place, weight in enumerate(weights)]
    head = Head("E-1", date(2026, 10, 31), date(2026, 10, 31), "x")
    entry = pass_on(head, EntryKind.TRUE_UP, whole, "EUR", shares, LedgerAccount("1", "600199"))
    assert entry.postings[-1].amount_minor == -whole
    assert sum(each.amount_minor for each in entry.postings[:-1]) == whole
    mirrored = pass_on(head, EntryKind.TRUE_UP, -whole, "EUR", shares, LedgerAccount("1", "600199"))
    assert mirrored.postings == entry.reversal().postings


@law
@given(entries(), rates, st.booleans(), st.booleans())
def test_an_entry_balances_in_every_companys_own_currency_too(
    drawn: Entry, rate: str, inverted: bool, apart: bool
) -> None:
    plain = replace(
        drawn,
        postings=tuple(replace(each, local=None) for each in drawn.postings if each.amount_minor or not each.local),
    )
    quotes = {
        (each.company, each.currency): Quote("USD", rate, date(2026, 10, 31), "law", inverted)
        for each in plain.postings
    }
    accounts = replace(ACCOUNTS, exchange_rounding="699910" if apart else "")
    converted = [quotes[each.company, each.currency].local(each.amount_minor, each.currency) for each in plain.postings]
    assume(all(abs(local.amount_minor) < 10**17 for local in converted))  # no ledger takes more
    made = in_own_currency(plain, quotes, accounts)
    assert audit([made]) == ()
    assert all(each.local for each in made.postings)
    off = [each.local.amount_minor for each in made.postings if each.local and not each.local.rate]
    assert all(2 * abs(minor) <= len(plain.postings) for minor in off)


@law
@given(st.integers(0, 40), st.integers(1, 45))
def test_numbers_of_journals_have_no_gap_and_no_double(count: int, wrong: int) -> None:
    taken: list[int] = []
    for _ in range(count):
        taken.append(next_number(taken))
    assert taken == list(range(1, count + 1))
    assert breaks(taken) == ()
    assert breaks([*taken, wrong]) == (tuple(range(count + 1, wrong)) if wrong > count else (wrong,))


@law
@given(journals())
def test_plain_text_and_json_are_read_back_to_the_same_journal(made: Journal) -> None:
    assert hledger.parse(hledger.render(made)) == made
    assert beancount.parse(beancount.render(made)) == made
    assert json_text.parse(json_text.render(made)) == made


@law
@given(journals(machine_texts))
def test_the_machine_file_is_read_back_to_the_same_journal(made: Journal) -> None:
    assert csv_text.parse(csv_text.render(made)) == made


# A whole month: random cells through the engine, on statements and into the journal.

GROUPS = tuple(f"g{count}" for count in range(4))
POOLS = (Pool("even", "Even", Even()), Pool("fixed", "Fixed", Fixed((("g0", 3), ("g2", 7)))))
HOLDERS = (
    *(Target(Holder.COST_GROUP, code) for code in GROUPS),
    *(Target(Holder.POOL, pool.id) for pool in POOLS),
    KEPT_CENTRAL,
    UNALLOCATED,
)
POLICY = Policy("P", CostBasis.BILLED, (Rule("r", "R", None, KEPT_CENTRAL),), POOLS, "p")
ACCOUNTS = PostingAccounts(Coding("1", "9900"), "600199", "140000", "160000")
codings = st.builds(
    Coding,
    company=st.sampled_from(["1", "2", "3"]),
    cost_center=st.sampled_from(["0010", "0020"]),
    department=st.sampled_from(["", "D"]),
    ledger_account=st.sampled_from(["600100", "600150"]),
)
cells = st.builds(
    Cell,
    rule_id=st.sampled_from(["r", None]),
    target=st.sampled_from(HOLDERS),
    scope=st.sampled_from([Scope("N", number, "", currency) for number in "ab" for currency in ("EUR", "JPY")]),
    service=st.sampled_from(["s", "t"]),
    charge_category=st.just("Usage"),
    rows=st.integers(1, 3),
    units=st.integers(-(10**6) * ONE, 10**6 * ONE),
    corrects=st.just(""),
)
trees = st.lists(codings, min_size=4, max_size=4).map(
    lambda found: Tree(CostGroup(code, code, coding=coding) for code, coding in zip(GROUPS, found, strict=True))
)


def allocated(found: list[Cell], tree: Tree) -> tuple[Allocation, tuple[Statement, ...]]:
    shares = share_pools(found, POOLS, Circumstances(tree, BillingPeriod(2026, 10))).shares
    period = BillingPeriod(2026, 10)
    allocation = Allocation(period, CostBasis.BILLED, tuple(found), shares, lines(found, shares, tree), "p", "o", "s")
    return allocation, statements(allocation, tree, POLICY, "ST")


@law
@given(st.lists(cells, max_size=12), trees)
def test_numbers_have_no_gap_and_no_double(found: list[Cell], tree: Tree) -> None:
    _, stated = allocated(found, tree)
    assert [statement.number.count for statement in stated] == list(range(1, len(stated) + 1))
    for statement in stated:
        assert [line.number for line in statement.lines] == list(range(1, len(statement.lines) + 1))
        assert statement_json.parse(statement_json.render(statement)) == statement


@law
@given(st.lists(cells, max_size=12), trees)
def test_statements_sum_to_the_settled_lines(found: list[Cell], tree: Tree) -> None:
    allocation, stated = allocated(found, tree)
    settled: Counter[str] = Counter()
    for line in allocation.lines:
        settled[line.scope.currency] += line.minor
    shown: Counter[str] = Counter()
    for statement in stated:
        for total in statement.totals:
            shown[total.currency] += total.minor
    assert shown == settled
    assert sum(len(statement.lines) for statement in stated) == len(allocation.lines)


@law
@given(st.lists(cells, min_size=1, max_size=12), trees)
def test_whatever_came_in_is_posted_or_stays_and_the_tie_out_holds(found: list[Cell], tree: Tree) -> None:
    allocation, stated = allocated(found, tree)
    made = journal(stated, ACCOUNTS)
    for currency in ("EUR", "JPY"):
        posted = sum(
            posting.amount_minor
            for entry in made.entries
            for posting in entry.postings
            if posting.ref and posting.currency == currency
        )
        stays = sum(each.minor for each in not_posted(stated) if each.currency == currency)
        assert posted + stays == sum(line.minor for line in allocation.lines if line.scope.currency == currency)
    book = Book(made.entries)
    receivable, payable = ("140000", "EUR"), ("160000", "EUR")
    assert book.balance(*receivable) + book.balance(*payable) == 0
    totals = [
        Total(
            "s", "N", "", each.scope.invoice_id, each.scope.currency, "Usage", "", 1, each.units, each.units, None, None
        )
        for each in found
    ]
    tied = tie_out(allocation.period, totals, provider_invoices(totals, ()), (), allocation, stated, made)
    assert tied.holds
    assert {each.reason for each in tied.differences} <= {"rounding"}


@law
@given(st.integers(0, 10**12), st.sampled_from(CURRENCIES))
def test_the_tolerance_never_shrinks_and_never_falls_below_its_floor(rows: int, currency: str) -> None:
    assert tolerance(0, currency) <= tolerance(rows, currency) <= tolerance(rows + 1, currency)


@law
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["Usage", "Tax"]), minors), max_size=6),
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["Issued", "Open", "Voided"]), minors, minors), max_size=4
    ),
)
def test_reconciliation_names_every_difference_to_the_last_digit(
    costs: list[tuple[str | None, str, int]], stated: list[tuple[str, str, int, int]]
) -> None:
    totals = [
        Total("s", "N", "ba", number, "USD", category, "", 1, units, units, None, None)
        for number, category, units in costs
    ]
    delivered = [DeliveredInvoice("s", "N", number, "USD", units, status, tax) for number, status, units, tax in stated]
    comparisons = compare(provider_invoices(totals, delivered), totals)
    for each in comparisons:
        assert sum(difference.units for difference in each.differences) == each.cost_units - each.invoice_units
    assert sum(each.cost_units for each in comparisons) == sum(total.billed_units for total in totals)
