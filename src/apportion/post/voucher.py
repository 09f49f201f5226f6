"""A provider's invoice among the payables, and its credit note: net cost, tax, and what is owed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from apportion.errors import BadValueError
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.post.mapping import PostingAccounts
from apportion.post.passing_on import Head
from apportion.post.tax import Tax, taxes


@dataclass(frozen=True, slots=True)
class ProviderBill:
    """A provider's invoice, or its credit note with amounts below zero: net amounts, each with its tax or with none.

    `tax_minor` is tax as the invoice states it, beside what is worked out by rates, on top of the net amounts.
    """

    issuer: str
    number: str
    dated_on: date
    currency: str
    net: tuple[tuple[int, Tax | None], ...]
    tax_minor: int = 0

    @property
    def net_minor(self) -> int:
        return sum(minor for minor, _ in self.net)


def voucher(bill: ProviderBill, entry_id: str, posting_on: date, accounts: PostingAccounts) -> Entry:
    """The bill on the payer's books: cost, input tax, and the payable to the provider.

    Under reverse charge the same tax is also owed, on `output_tax`, and the payable is the net amount. Raises
    `UnmappedError` for an account that the settings do not name, and `BadValueError` for a bill of nothing.
    """
    if not bill.net_minor and not bill.tax_minor:
        raise BadValueError(f"{bill.issuer} {bill.number} comes to nothing.", advice="Leave it out.")
    text, ref = f"{bill.issuer} {bill.number}", bill.number
    postings: list[Posting] = []
    net: dict[str, int] = {}
    for minor, tax in bill.net:
        code = tax.code if tax else ""
        net[code] = net.get(code, 0) + minor
    postings += [Posting.at(accounts.expense, bill.currency, minor, text, ref, code) for code, minor in net.items()]
    if bill.tax_minor:
        postings.append(Posting.at(accounts.at("input_tax"), bill.currency, bill.tax_minor, text, ref))
    owed = bill.net_minor + bill.tax_minor
    for tax, (_, tax_minor) in taxes((minor, tax) for minor, tax in bill.net if tax).items():
        if not tax_minor:
            continue
        postings.append(Posting.at(accounts.at("input_tax"), bill.currency, tax_minor, text, ref, tax.code))
        if tax.reverse_charge:
            postings.append(Posting.at(accounts.at("output_tax"), bill.currency, -tax_minor, text, ref, tax.code))
        else:
            owed += tax_minor
    postings.append(Posting.at(accounts.at("payables"), bill.currency, -owed, text, ref))
    kind = EntryKind.VOUCHER if owed > 0 else EntryKind.CREDIT
    return Head(entry_id, bill.dated_on, posting_on, text).entry(kind, postings)
