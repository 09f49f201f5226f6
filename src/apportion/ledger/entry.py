"""Postings and the entries that balance them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from apportion.errors import BadValueError, InputRefusedError, UnbalancedEntryError
from apportion.ledger.account import LedgerAccount, tidy
from apportion.money.currency import exponent, minor_text


@dataclass(frozen=True, slots=True)
class Posting:
    """One signed amount in minor units of `currency`: debit above zero, credit below.

    `ref` names the documents behind it, apart by blanks. Raises `BadValueError` for an amount that is no integer,
    for no currency, and for text that a ledger would not keep as it is (see `tidy`).
    """

    account: str
    company: str
    cost_center: str
    department: str
    currency: str
    amount_minor: int
    text: str
    ref: str = ""
    partner: str = ""

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise BadValueError(f"{self.amount_minor!r} is not a whole number of minor units.")
        exponent(self.currency)
        _check_text(self.text, self.ref)
        _ = self.ledger_account  # its constructor checks the codes

    @property
    def ledger_account(self) -> LedgerAccount:
        """Where it lands, dimensions included."""
        return LedgerAccount(self.company, self.account, self.cost_center, self.department, self.partner)


@dataclass(frozen=True, slots=True)
class Entry:
    """Postings that belong together. `reverses` is the id of the entry that this one takes back, else empty.

    Raises `UnbalancedEntryError` unless the amounts of each company and currency sum to exactly zero.
    """

    id: str
    document_on: date
    posting_on: date
    text: str
    postings: tuple[Posting, ...]
    reverses: str = ""

    def __post_init__(self) -> None:
        _check_text(self.id, self.text, self.reverses)
        if not self.id:
            raise BadValueError("An entry has no id.")
        if not self.postings:
            raise UnbalancedEntryError(f"Entry {self.id} has no postings.", advice="Leave it out.")
        for (company, currency), amount in sums(self.postings).items():
            if amount:
                where = f"company {company}" if company else "the only company"
                raise UnbalancedEntryError(
                    f"Entry {self.id} is out of balance by {minor_text(amount, currency)} {currency} in {where}.",
                    advice="Debits and credits must be equal in each company and currency.",
                )

    def reversal(self, posting_on: date | None = None) -> Entry:
        """The exact mirror: the same postings with opposite signs, pointing back at this entry.

        Without `posting_on` it takes this entry's day. Its id is this id and ``-R``. Raises `InputRefusedError`
        for an entry that is itself a reversal.
        """
        if self.reverses:
            raise InputRefusedError(
                f"Entry {self.id} is itself the reversal of {self.reverses}.",
                advice="Enter the original again under a new id instead.",
            )
        return Entry(
            id=f"{self.id}-R",
            document_on=self.document_on,
            posting_on=posting_on or self.posting_on,
            text=f"Reversal of {self.id}: {self.text}" if self.text else f"Reversal of {self.id}",
            postings=tuple(replace(posting, amount_minor=-posting.amount_minor) for posting in self.postings),
            reverses=self.id,
        )


def sums(postings: Iterable[Posting]) -> Mapping[tuple[str, str], int]:
    """The sum in minor units of each (company, currency)."""
    totals: dict[tuple[str, str], int] = {}
    for posting in postings:
        key = (posting.company, posting.currency)
        totals[key] = totals.get(key, 0) + posting.amount_minor
    return totals


def _check_text(*texts: str) -> None:
    for text in texts:
        if text != tidy(text):
            raise BadValueError(
                f"The text {text!r} holds blanks or characters that ledgers change.",
                advice="Remove control characters, double blanks and blanks at its ends.",
            )
