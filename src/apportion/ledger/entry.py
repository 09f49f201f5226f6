"""Postings and the entries that balance them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from apportion.errors import BadValueError, InputRefusedError, UnbalancedEntryError
from apportion.ledger.account import Dimensions, LedgerAccount, tidy
from apportion.ledger.local import Local
from apportion.money.currency import exponent, minor_text
from apportion.periods import BillingPeriod

MOST_DIGITS = 18
UNDONE = "-R"  # how the id of what undoes an entry ends


class EntryKind(StrEnum):
    """What an entry is for; a target may choose its document type by it."""

    COST_TRANSFER = "cost_transfer"
    ACCRUAL = "accrual"
    ACCRUAL_REVERSAL = "accrual_reversal"
    TRUE_UP = "true_up"
    VOUCHER = "voucher"
    PREPAYMENT = "prepayment"
    AMORTISATION = "amortisation"
    CREDIT = "credit"
    INTERCOMPANY = "intercompany"
    ELIMINATION = "elimination"
    EXCHANGE_DIFFERENCE = "exchange_difference"
    ROUNDING = "rounding"
    REVERSAL = "reversal"


@dataclass(frozen=True, slots=True)
class Posting:
    """One signed amount in minor units of `currency`: debit above zero, credit below.

    `ref` names the documents behind it, apart by blanks; `tax_code` is the ledger's code for the VAT of the line;
    `local` is the same amount in the company's own currency. Raises `BadValueError` for an amount that is no integer
    or has more than 18 digits, for no currency, and for text that a ledger would not keep as it is (see `tidy`).
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
    tax_code: str = ""
    dimensions: Dimensions = ()
    local: Local | None = None

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise BadValueError(f"{self.amount_minor!r} is not a whole number of minor units.")
        exponent(self.currency)
        check_text(self.text, self.ref, self.tax_code)
        self._check_size(self.amount_minor, self.currency)
        if self.local:
            self._check_size(self.local.amount_minor, self.local.currency)
        _check_local(self)
        _ = self.ledger_account  # its constructor checks the codes

    def _check_size(self, minor: int, currency: str) -> None:
        if abs(minor) >= 10**MOST_DIGITS:
            about = " ".join(text for text in (self.ref, self.text) if text) or f"account {self.account}"
            raise BadValueError(
                f"{minor_text(minor, currency)} {currency} ({about}) has more than {MOST_DIGITS} digits, "
                "which no ledger takes.",
                advice="Look for what is far too large among the amounts that it is made of, and deliver that anew.",
            )

    @property
    def documents(self) -> tuple[str, ...]:
        """The documents of `ref`, each once: where it names one line of a document (``ST-4:3``), that document."""
        return tuple(dict.fromkeys(name.partition(":")[0] for name in self.ref.split()))

    @classmethod
    def at(
        cls, where: LedgerAccount, currency: str, amount_minor: int, text: str, ref: str = "", tax_code: str = ""
    ) -> Posting:
        """An amount on an account with its dimensions. Raises as the class does."""
        return cls(
            account=where.account,
            company=where.company,
            cost_center=where.cost_center,
            department=where.department,
            currency=currency,
            amount_minor=amount_minor,
            text=text,
            ref=ref,
            partner=where.partner,
            tax_code=tax_code,
            dimensions=where.dimensions,
        )

    @property
    def ledger_account(self) -> LedgerAccount:
        """Where it lands, dimensions included."""
        return LedgerAccount(
            self.company, self.account, self.cost_center, self.department, self.partner, self.dimensions
        )

    def mirror(self) -> Posting:
        """The same posting with the opposite sign, in both currencies."""
        local = self.local and replace(self.local, amount_minor=-self.local.amount_minor)
        return replace(self, amount_minor=-self.amount_minor, local=local)


@dataclass(frozen=True, slots=True)
class Entry:
    """Postings that belong together. `reverses` is the id of the entry that this one takes back, else empty.

    `belongs_to` is the billing period of an entry that came too late for it and is posted in a later one. Raises
    `UnbalancedEntryError` unless the amounts of each company and currency sum to exactly zero, and so do those in the
    company's own currency where it is given: then it is given for every posting of that company in another currency.
    """

    id: str
    document_on: date
    posting_on: date
    text: str
    postings: tuple[Posting, ...]
    reverses: str = ""
    kind: EntryKind = EntryKind.COST_TRANSFER
    belongs_to: BillingPeriod | None = None

    def __post_init__(self) -> None:
        check_text(self.id, self.text, self.reverses)
        if not self.id:
            raise BadValueError("An entry has no id.")
        if not self.postings:
            raise UnbalancedEntryError(f"Entry {self.id} has no postings.", advice="Leave it out.")
        _require_zero(self.id, sums(self.postings), "")
        if any(posting.local for posting in self.postings):
            _require_zero(self.id, local_sums(self.id, self.postings), " in its own currency")

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
        accrual = self.kind is EntryKind.ACCRUAL
        return Entry(
            id=f"{self.id}{UNDONE}",
            document_on=self.document_on,
            posting_on=posting_on or self.posting_on,
            text=f"Reversal of {self.id}: {self.text}" if self.text else f"Reversal of {self.id}",
            postings=tuple(posting.mirror() for posting in self.postings),
            reverses=self.id,
            kind=EntryKind.ACCRUAL_REVERSAL if accrual else EntryKind.REVERSAL,
            belongs_to=self.belongs_to,
        )

    def again(self, posting_on: date | None = None) -> Entry:
        """The accrual that this entry took back, entered again: the mirror, under a new id and linked to nothing.

        An entry is reversed once; so this is an accrual of its own, which is taken back like any. Its id is this id and
        ``-R``. Raises `InputRefusedError` for an entry that takes no accrual back.
        """
        if not self.reverses or self.kind is not EntryKind.ACCRUAL_REVERSAL:
            raise InputRefusedError(f"Entry {self.id} takes no accrual back.", advice="Reverse it as any other entry.")
        mirrored = replace(self, reverses="").reversal(posting_on)
        return replace(mirrored, text=f"Entered again after {self.id}", reverses="", kind=EntryKind.ACCRUAL)


def sums(postings: Iterable[Posting]) -> Mapping[tuple[str, str], int]:
    """The sum in minor units of each (company, currency)."""
    totals: dict[tuple[str, str], int] = {}
    for posting in postings:
        key = (posting.company, posting.currency)
        totals[key] = totals.get(key, 0) + posting.amount_minor
    return totals


def local_sums(entry_id: str, postings: Iterable[Posting]) -> Mapping[tuple[str, str], int]:
    """The sum of each (company, own currency), for companies with a posting that is given in it.

    A posting that is already in that currency counts as it is. Raises `UnbalancedEntryError` where a company has two
    own currencies, or a posting in another currency without its amount in the own one.
    """
    postings = tuple(postings)
    own: dict[str, str] = {}
    for posting in postings:
        if posting.local and own.setdefault(posting.company, posting.local.currency) != posting.local.currency:
            raise UnbalancedEntryError(f"Entry {entry_id} gives company {posting.company} two own currencies.")
    totals: dict[tuple[str, str], int] = {}
    for number, posting in enumerate(postings, start=1):
        currency = own.get(posting.company)
        if currency is None:
            continue
        if posting.local is None and posting.currency != currency:
            raise UnbalancedEntryError(
                f"Entry {entry_id}, line {number}: the amount in {currency} is missing, which other lines have.",
                advice="Give it for every line of the company, or for none.",
            )
        amount = posting.local.amount_minor if posting.local else posting.amount_minor
        totals[posting.company, currency] = totals.get((posting.company, currency), 0) + amount
    return totals


def _require_zero(entry_id: str, totals: Mapping[tuple[str, str], int], said: str) -> None:
    for (company, currency), amount in totals.items():
        if amount:
            where = f"company {company}" if company else "the only company"
            raise UnbalancedEntryError(
                f"Entry {entry_id} is out of balance by {minor_text(amount, currency)} {currency} in {where}{said}.",
                advice="Debits and credits must be equal in each company and currency.",
            )


def _check_local(posting: Posting) -> None:
    local = posting.local
    if local is None:
        return
    if local.currency == posting.currency:
        raise BadValueError(f"A posting in {posting.currency} needs no second amount in {local.currency}.")
    if posting.amount_minor and not local.rate:
        raise BadValueError("A converted amount has no rate of exchange.", advice="Give the rate, its day and source.")


def check_text(*texts: str) -> None:
    """Raise `BadValueError` for text that a ledger would not keep as it is (see `tidy`)."""
    for text in texts:
        if text != tidy(text):
            raise BadValueError(
                f"The text {text!r} holds blanks or characters that ledgers change.",
                advice="Remove control characters, double blanks and blanks at its ends.",
            )
