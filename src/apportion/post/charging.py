"""What other companies of the group are charged for documents: cost, uplift and tax, each worked out by document.

An e-invoice is one document in one currency, and its tax is rounded once; so the journal adds up what the documents
say, and what is owed between the companies is the sum of the amounts due on their e-invoices, to the cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from apportion.ledger.account import LedgerAccount, tidy
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.periods import BillingPeriod
from apportion.post.intercompany import Charged, charged, is_uplift, owed, sold, spent_at
from apportion.post.mapping import LedgerMapping, Postable, PostingAccounts
from apportion.post.passing_on import Head
from apportion.post.terms import Terms
from apportion.post.transfer import Placed, costs, placed, said, transfers

_Pair = tuple[str, str]  # a buying company and a currency


@dataclass(frozen=True, slots=True)
class Bill:
    """What a document charges in one currency. `at` is where the buyer has its largest amount, and its uplift."""

    number: str
    name: str
    amounts: Charged
    at: LedgerAccount


def bills(found: Iterable[Placed], terms: Terms, accounts: PostingAccounts) -> list[Bill]:
    """The documents behind amounts of one buying company and currency, in the amounts' order."""
    by_number: dict[str, list[Placed]] = {}
    for each in found:
        by_number.setdefault(each.number, []).append(each)
    made = []
    for number, mine in by_number.items():
        largest = max(mine, key=lambda each: abs(each.minor))  # the first of equal ones
        amounts = charged(sum(each.minor for each in mine), terms.uplift, terms.tax)
        made.append(Bill(number, largest.name, amounts, spent_at(largest.at, accounts)))
    return made


def charge_entry(
    head: Head, found: Sequence[Placed], terms: Terms, accounts: PostingAccounts, period: BillingPeriod, *, apart: bool
) -> Entry | None:
    """Both sides of what one company is charged in one currency; None where all of it cancels out.

    The cost is on each cost group's own codes and names its documents; uplift, tax, receivable and payable name none,
    so that cost alone can be compared with documents. With `apart`, each document has its own lines of those, else
    they share one. Raises `UnmappedError` for an account that the settings do not name.
    """
    made = bills(found, terms, accounts)
    buyer, currency = found[0].at.company, found[0].currency
    code = terms.tax.code if terms.tax else ""
    whole = [(tidy(f"Cloud cost {period}, {each.number}"), each.amounts) for each in made]
    if not apart:
        whole = [(head.text, _sum(each.amounts for each in made))]
    spent = [replace(each, at=spent_at(each.at, accounts)) for each in found]
    postings = [
        *(line for text, amounts in whole for line in sold(amounts, currency, text, buyer, accounts)),
        *costs(transfers(spent), period, code),
        *_uplifts(made, currency, period, code, apart=apart),
        *(line for text, amounts in whole for line in owed(amounts, currency, text, buyer, accounts)),
    ]
    return head.entry(EntryKind.INTERCOMPANY, postings) if postings else None


def _uplifts(made: Iterable[Bill], currency: str, period: BillingPeriod, code: str, *, apart: bool) -> list[Posting]:
    sums: dict[tuple[LedgerAccount, str], tuple[int, tuple[str, ...]]] = {}
    for each in made:
        key = (each.at, each.number if apart else "")
        minor, names = sums.get(key, (0, ()))
        sums[key] = (minor + each.amounts.uplift_minor, (*names, each.name) if each.name not in names else names)
    return [
        Posting.at(
            at,
            currency,
            minor,
            tidy(f"{f'Cloud cost {period}, {number}' if number else said(period, names)}, uplift"),
            "",
            code,
        )
        for (at, number), (minor, names) in sorted(sums.items(), key=lambda item: item[0])
        if minor
    ]


def _sum(amounts: Iterable[Charged]) -> Charged:
    """Several charges on the same terms as one; the tax is theirs, and not worked out anew."""
    each = list(amounts)
    return Charged(
        sum(one.cost_minor for one in each),
        sum(one.uplift_minor for one in each),
        sum(one.tax_minor for one in each),
        each[0].tax,
    )


@dataclass(frozen=True, slots=True)
class OnTop:
    """What a company is charged on top of cost in one currency, in minor units, by its documents.

    `off` names every account whose sum in the journal's charges is not that of the documents, and by how much.
    """

    company: str
    currency: str
    uplift_minor: int
    tax_minor: int
    off: tuple[tuple[str, int], ...] = ()


def on_top(
    journal: Iterable[Entry], documents: Sequence[Postable], accounts: PostingAccounts, mapping: LedgerMapping
) -> tuple[OnTop, ...]:
    """Uplift and tax of documents, and where a journal made from them says otherwise, by company and currency.

    Receivable, revenue, tax and payable of both companies are added up from each document anew. Raises as making the
    journal does.
    """
    if not mapping.charges:
        return ()
    by_pair: dict[_Pair, list[Placed]] = {}
    for each in placed(documents, accounts, mapping):
        if is_charged(each.at.company, accounts, mapping):
            by_pair.setdefault((each.at.company, each.currency), []).append(each)
    booked = _booked(journal, accounts)
    found = []
    for pair in sorted({*by_pair, *booked}):
        terms = mapping.charges.get(pair[0], Terms())
        made = bills(by_pair.get(pair, ()), terms, accounts)
        want: dict[str, int] = {}
        for one in made:
            _add(want, sold(one.amounts, pair[1], "", pair[0], accounts))
            _add(want, owed(one.amounts, pair[1], "", pair[0], accounts))
            name = _uplift_of(pair[0])
            want[name] = want.get(name, 0) + one.amounts.uplift_minor
        held = booked.get(pair, {})
        off = tuple((at, held.get(at, 0) - want.get(at, 0)) for at in sorted({*want, *held}))
        found.append(
            OnTop(
                *pair,
                sum(one.amounts.uplift_minor for one in made),
                sum(one.amounts.tax_minor for one in made),
                tuple((at, minor) for at, minor in off if minor),
            )
        )
    return tuple(found)


def agrees(
    journal: Iterable[Entry],
    documents: Sequence[Postable],
    accounts: PostingAccounts,
    mapping: LedgerMapping,
    company: str,
) -> bool:
    """Does a journal charge a company what its documents come to on the terms of `mapping`?

    Amounts are compared, whatever the accounts have been called. On terms of nothing, cost taken over as it is agrees.
    """
    payer = accounts.payer.company
    terms = mapping.charges[company]
    found: dict[str, list[Placed]] = {}
    for each in placed(documents, accounts, mapping):
        found.setdefault(each.currency, []).append(each)
    held: dict[str, dict[str, int]] = {}
    for entry in journal:
        for line in entry.postings:
            is_theirs = (line.company, line.partner) in {(payer, company), (company, payer)}
            if is_theirs and not line.ref and not (line.company == company and is_uplift(line)):
                _add(held.setdefault(line.currency, {}), [line])
    for currency in {*found, *held}:
        amounts = _sum(
            [Charged(0, 0, 0, terms.tax), *(one.amounts for one in bills(found.get(currency, ()), terms, accounts))]
        )
        want: dict[str, int] = {}
        _add(want, sold(amounts, currency, "", company, accounts))
        _add(want, owed(amounts, currency, "", company, accounts))
        due = amounts.due_minor
        at_cost = [[-abs(due), abs(due)]] if due == amounts.cost_minor and terms.tax is None else []
        if _amounts(held.get(currency, {})) not in [_amounts(want), *at_cost]:
            return False
    return True


def _amounts(sums: Mapping[str, int]) -> list[int]:
    return sorted(minor for minor in sums.values() if minor)


def is_charged(company: str, accounts: PostingAccounts, mapping: LedgerMapping) -> bool:
    """Is cost of this company charged to it on terms, by its invoices, instead of taken over as it is?"""
    return company != accounts.payer.company and company in mapping.charges


def _booked(journal: Iterable[Entry], accounts: PostingAccounts) -> Mapping[_Pair, dict[str, int]]:
    """The lines of charges that name no document, by buying company and currency, then by account."""
    payer = accounts.payer.company
    found: dict[_Pair, dict[str, int]] = {}
    for entry in journal:
        if entry.kind is not EntryKind.INTERCOMPANY:
            continue
        for line in entry.postings:
            if line.ref or not line.amount_minor:
                continue
            buyer = line.partner if line.company == payer else line.company
            sums = found.setdefault((buyer, line.currency), {})
            if line.company != payer and is_uplift(line):
                name = _uplift_of(buyer)
                sums[name] = sums.get(name, 0) + line.amount_minor
            else:
                _add(sums, [line])
    return found


def _uplift_of(company: str) -> str:
    return f"company {company}, uplift"


def _add(sums: dict[str, int], lines: Iterable[Posting]) -> None:
    for line in lines:
        name = f"company {line.company}, account {line.account}"
        sums[name] = sums.get(name, 0) + line.amount_minor
