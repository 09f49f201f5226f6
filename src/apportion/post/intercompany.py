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
    tax = amounts.tax
    code = tax.code if tax else ""
    # Where the buyer owes the tax, it is both reclaimed and owed on the buyer's side, and on the seller's nowhere.
    sold_tax = -amounts.tax_minor if tax and not tax.reverse_charge else 0
    bought_tax = -amounts.tax_minor if tax and tax.reverse_charge else 0

    def line(company: str, role: str, minor: int, text: str = "", tax_code: str = "") -> list[Posting]:
        if not minor:
            return []
        at = LedgerAccount(company, accounts.code(role), partner=seller if company != seller else buyer.company)
        return [Posting.at(at, currency, minor, text or head.text, "", tax_code)]

    cost = replace(buyer, account=accounts.intercompany_expense or buyer.account, partner=seller)
    uplift = f"{head.text}, uplift"
    postings = [
        *line(seller, "intercompany_receivable", amounts.due_minor),
        *line(seller, "intercompany_revenue", -amounts.cost_minor, tax_code=code),
        *line(seller, "intercompany_revenue", -amounts.uplift_minor, uplift, code),
        *line(seller, "intercompany_output_tax", sold_tax, tax_code=code),
        Posting.at(cost, currency, amounts.cost_minor, head.text, "", code),
        Posting.at(cost, currency, amounts.uplift_minor, uplift, "", code),
        *line(buyer.company, "intercompany_input_tax", amounts.tax_minor, tax_code=code),
        *line(buyer.company, "intercompany_output_tax", bought_tax, tax_code=code),
        *line(buyer.company, "intercompany_payable", -amounts.due_minor),
    ]
    return head.entry(EntryKind.INTERCOMPANY, postings)


def eliminate(head: Head, charges: Iterable[Entry], accounts: PostingAccounts) -> Entry:
    """Takes receivables, payables, revenue and cost of charges out of the group's books; tax stays.

    It is posted in the company `elimination_company`, which exists for nothing else; each line names the company whose
    books it takes from, as partner. Raises `UnmappedError` where the settings name no such company.
    """
    group = accounts.code("elimination_company")
    taxes = {accounts.intercompany_input_tax, accounts.intercompany_output_tax} - {""}
    sums: dict[tuple[str, str, str], int] = {}
    for entry in charges:
        for posting in entry.postings:
            if posting.account not in taxes:
                key = (posting.company, posting.account, posting.currency)
                sums[key] = sums.get(key, 0) - posting.amount_minor
    return head.entry(
        EntryKind.ELIMINATION,
        [
            Posting.at(LedgerAccount(group, account, partner=company), currency, minor, head.text)
            for (company, account, currency), minor in sums.items()
        ],
    )


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
