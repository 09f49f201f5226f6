"""Charges between companies of one group: cost, uplift and tax on both sides in pairs, and their elimination."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from apportion.errors import BadValueError, UnmappedError
from apportion.ledger.account import LedgerAccount
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.post.mapping import PostingAccounts
from apportion.post.passing_on import Head
from apportion.post.tax import Tax, part_minor

_UPLIFT = ", uplift"  # how the text of its lines ends


@dataclass(frozen=True, slots=True)
class Charged:
    """What one company charges another: cost and uplift apart, and the tax on both together.

    `tax` is None where there is none, as inside a tax group. Under reverse charge the amount due is the net one.
    """

    cost_minor: int
    uplift_minor: int
    tax_minor: int
    tax: Tax | None

    @property
    def net_minor(self) -> int:
        return self.cost_minor + self.uplift_minor

    @property
    def due_minor(self) -> int:
        """What the buyer pays: the amount due on the e-invoice (BT-115)."""
        return self.net_minor + (0 if self.tax and self.tax.reverse_charge else self.tax_minor)


def charged(cost_minor: int, uplift: str = "0", tax: Tax | None = None) -> Charged:
    """`cost_minor` with an uplift in per cent, and the tax on their sum. Raises `BadValueError` for a bad per cent."""
    surcharge = part_minor(cost_minor, uplift)
    return Charged(cost_minor, surcharge, part_minor(cost_minor + surcharge, tax.rate) if tax else 0, tax)


def charge(head: Head, amounts: Charged, currency: str, buyer: LedgerAccount, accounts: PostingAccounts) -> Entry:
    """Both sides in one entry: the payer's company sells, `buyer` is the buying company's cost.

    The cost goes on `intercompany_expense` where the settings name it, else on the buyer's own account, with its
    dimensions. The receivable and the payable name each other's company and cancel out, and so do revenue and cost.
    Raises `UnmappedError`, and `BadValueError` where both are one company.
    """
    seller = accounts.payer.company
    if buyer.company == seller:
        raise BadValueError(f"Company {seller} cannot charge itself.", advice="Make it a cost transfer.")
    code = amounts.tax.code if amounts.tax else ""
    cost = spent_at(buyer, accounts)
    postings = [
        *sold(amounts, currency, head.text, buyer.company, accounts),
        Posting.at(cost, currency, amounts.cost_minor, head.text, "", code),
        Posting.at(cost, currency, amounts.uplift_minor, f"{head.text}{_UPLIFT}", "", code),
        *owed(amounts, currency, head.text, buyer.company, accounts),
    ]
    return head.entry(EntryKind.INTERCOMPANY, postings)


def spent_at(buyer: LedgerAccount, accounts: PostingAccounts) -> LedgerAccount:
    """Where the buyer has its cost: on `intercompany_expense`, where there is one, and its own dimensions."""
    return replace(buyer, account=accounts.intercompany_expense or buyer.account, partner=accounts.payer.company)


def sold(amounts: Charged, currency: str, text: str, buyer: str, accounts: PostingAccounts) -> list[Posting]:
    """The seller's side: receivable, revenue from cost and from uplift, and the tax that is on the e-invoice."""
    tax = amounts.tax
    code = tax.code if tax else ""
    lines = [
        ("intercompany_receivable", amounts.due_minor, text, ""),
        ("intercompany_revenue", -amounts.cost_minor, text, code),
        ("intercompany_revenue", -amounts.uplift_minor, f"{text}{_UPLIFT}", code),
        ("intercompany_output_tax", 0 if tax and tax.reverse_charge else -amounts.tax_minor, text, code),
    ]
    return _lines(accounts.payer.company, buyer, currency, lines, accounts)


def owed(amounts: Charged, currency: str, text: str, buyer: str, accounts: PostingAccounts) -> list[Posting]:
    """The buyer's side without its cost: tax and payable.

    Where the buyer owes the tax, it is both reclaimed and owed here, and on the seller's side nowhere.
    """
    tax = amounts.tax
    code = tax.code if tax else ""
    lines = [
        ("intercompany_input_tax", amounts.tax_minor, text, code),
        ("intercompany_output_tax", -amounts.tax_minor if tax and tax.reverse_charge else 0, text, code),
        ("intercompany_payable", -amounts.due_minor, text, ""),
    ]
    return _lines(buyer, accounts.payer.company, currency, lines, accounts)


def is_uplift(posting: Posting) -> bool:
    """Is a line of a charge the uplift, on either side?"""
    return not posting.ref and posting.text.endswith(_UPLIFT)


def _lines(
    company: str,
    partner: str,
    currency: str,
    lines: Iterable[tuple[str, int, str, str]],
    accounts: PostingAccounts,
) -> list[Posting]:
    return [
        Posting.at(LedgerAccount(company, accounts.code(role), partner=partner), currency, minor, text, "", code)
        for role, minor, text, code in lines
        if minor
    ]


def eliminate(head: Head, charges: Iterable[Entry], accounts: PostingAccounts) -> Entry:
    """Takes receivables, payables, revenue and cost of charges out of the group's books; tax stays.

    It is posted in the company `elimination_company`, which exists for nothing else; each line names the company whose
    books it takes from, as partner. Raises `UnmappedError` where the settings name no such company.
    """
    group = accounts.code("elimination_company")
    return head.entry(
        EntryKind.ELIMINATION,
        [
            Posting.at(LedgerAccount(group, account, partner=company), currency, -minor, head.text)
            for (company, account, currency), minor in within_group(charges, accounts).items()
        ],
    )


def within_group(charges: Iterable[Entry], accounts: PostingAccounts) -> dict[tuple[str, str, str], int]:
    """What charges leave on accounts other than tax, by company, account and currency; zeros left out."""
    taxes = {accounts.intercompany_input_tax, accounts.intercompany_output_tax} - {""}
    sums: dict[tuple[str, str, str], int] = {}
    for entry in charges:
        for posting in entry.postings:
            if posting.account not in taxes:
                key = (posting.company, posting.account, posting.currency)
                sums[key] = sums.get(key, 0) + posting.amount_minor
    return {key: minor for key, minor in sums.items() if minor}


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A pair of companies whose receivable and payable do not cancel out; minor units."""

    creditor: str
    debtor: str
    currency: str
    receivable_minor: int
    payable_minor: int


def unmatched(entries: Iterable[Entry], accounts: PostingAccounts) -> tuple[Unmatched, ...]:
    """Every pair of companies and currency where due-from is not the opposite of due-to, over all entries."""
    if not accounts.intercompany_receivable or not accounts.intercompany_payable:
        raise UnmappedError("The settings name no accounts between companies.", advice="Add them to 'ledger'.")
    pairs: dict[tuple[str, str, str], list[int]] = {}
    for entry in entries:
        for posting in entry.postings:
            if posting.account == accounts.intercompany_receivable:
                pair, side = (posting.company, posting.partner, posting.currency), 0
            elif posting.account == accounts.intercompany_payable:
                pair, side = (posting.partner, posting.company, posting.currency), 1
            else:
                continue
            pairs.setdefault(pair, [0, 0])[side] += posting.amount_minor
    return tuple(Unmatched(*pair, *sides) for pair, sides in sorted(pairs.items()) if sum(sides))
