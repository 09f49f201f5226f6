"""What a ledger is asked to post at a time: one company's part of an entry, in that company's currency."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

from apportion.ledger.account import Dimensions
from apportion.ledger.entry import Entry, Posting
from apportion.post.erp.errors import RejectedError, Rejection
from apportion.post.journal import Journal

# The codes of a line by our names for them (``cost_center``, ``department``, a dimension), sorted, empty ones left out.
Codes = tuple[tuple[str, str], ...]
# Where amounts are added up: an account and the codes that the ledger keeps with it.
Spot = tuple[str, Codes]


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A signed amount in minor units of the company's currency; debit above zero.

    `number` is the posting's place in its entry, from 1. `second` is the amount in the currency that it was made in,
    where that is another one. `merged` says how many postings it stands for.
    """

    number: int
    account: str
    amount_minor: int
    text: str
    cost_center: str = ""
    department: str = ""
    partner: str = ""
    tax_code: str = ""
    dimensions: Dimensions = ()
    second: tuple[str, int] | None = None
    merged: int = 1

    @property
    def codes(self) -> Codes:
        """Every code but the partner's, by our names."""
        own = (("cost_center", self.cost_center), ("department", self.department), *self.dimensions)
        return tuple(sorted((name, code) for name, code in own if code))


@dataclass(frozen=True, slots=True)
class Document:
    """One company's part of an entry. `reverses` is the id of the entry that it takes back, else empty."""

    entry: str
    company: str
    currency: str
    document_on: date
    posting_on: date
    text: str
    lines: tuple[DocumentLine, ...]
    reverses: str = ""

    @property
    def content_hash(self) -> str:
        """SHA-256 over everything in it, as canonical JSON: whole numbers and text only."""
        content = [
            [self.entry, self.company, self.currency, self.document_on.isoformat(), self.posting_on.isoformat()],
            [self.text, self.reverses],
            [
                [
                    *(line.number, line.account, line.amount_minor, line.text, line.partner, line.tax_code),
                    *(line.codes, line.second, line.merged),
                ]
                for line in self.lines
            ],
        ]
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return sha256(text.encode("utf-8")).hexdigest()

    def sums(self, kept: Iterable[str]) -> dict[Spot, int]:
        """Amounts by account and those codes that a ledger keeps, zeros left out."""
        names = frozenset(kept)
        found: dict[Spot, int] = {}
        for line in self.lines:
            add(found, (line.account, tuple(code for code in line.codes if code[0] in names)), line.amount_minor)
        return without_zeros(found)

    def rejection(self, line: int, code: str, sentence: str, advice: str) -> Rejection:
        """A line of the repair list about this document."""
        return Rejection(self.entry, self.company, line, code, sentence, advice)


def add(sums: dict[Spot, int], spot: Spot, amount_minor: int) -> None:
    """Add an amount at its place."""
    sums[spot] = sums.get(spot, 0) + amount_minor


def without_zeros(sums: Mapping[Spot, int]) -> dict[Spot, int]:
    """The same sums, those of zero left out."""
    return {spot: amount for spot, amount in sums.items() if amount}


def documents(journal: Journal, books: Mapping[str, str], *, together: bool = False) -> tuple[Document, ...]:
    """The journal's entries company by company, in the journal's order; statistical entries are no money and left out.

    `books` says in which currency a company keeps its books; a company that is not in it keeps them in the currency
    that all its postings have. With `together`, postings with the same account and codes become one line each, as for
    ledgers that need their time for every line. Raises `RejectedError` with every posting that is in another currency
    and says no amount in the company's own.
    """
    found: list[Document] = []
    wrong: list[Rejection] = []
    for entry in journal.entries:
        by_company: dict[str, list[tuple[int, Posting]]] = {}
        for number, posting in enumerate(entry.postings, start=1):
            by_company.setdefault(posting.company, []).append((number, posting))
        for company, numbered in by_company.items():
            currency = books.get(company) or _currency(numbered)
            lines = [_line(entry, number, posting, currency, wrong) for number, posting in numbered]
            kept = [line for line in lines if line is not None and (line.amount_minor or line.second)]
            if kept:
                found.append(_document(entry, company, currency, tuple(_together(kept) if together else kept)))
    if wrong:
        raise RejectedError(wrong)
    return tuple(found)


def _currency(numbered: list[tuple[int, Posting]]) -> str:
    own = next((posting.local.currency for _, posting in numbered if posting.local), "")
    return own or numbered[0][1].currency


def _document(entry: Entry, company: str, currency: str, lines: tuple[DocumentLine, ...]) -> Document:
    days = entry.document_on, entry.posting_on
    return Document(entry.id, company, currency, *days, entry.text, lines, entry.reverses)


def _line(entry: Entry, number: int, posting: Posting, currency: str, wrong: list[Rejection]) -> DocumentLine | None:
    amount, second = posting.amount_minor, None
    if posting.local and posting.local.currency == currency:
        amount = posting.local.amount_minor
        second = (posting.currency, posting.amount_minor) if posting.amount_minor else None
    elif posting.currency != currency:
        sentence = f"The posting is in {posting.currency}, and company {posting.company} keeps its books in {currency}."
        advice = "Give a rate of exchange, so that the posting has an amount in the company's own currency."
        wrong.append(Rejection(entry.id, posting.company, number, "WRONG_CURRENCY", sentence, advice))
        return None
    return DocumentLine(
        number,
        posting.account,
        amount,
        posting.text,
        posting.cost_center,
        posting.department,
        posting.partner,
        posting.tax_code,
        posting.dimensions,
        second,
    )


def _together(lines: Iterable[DocumentLine]) -> list[DocumentLine]:
    """Lines of one place as one line, its text that of the first; sums of zero left out."""
    merged: dict[tuple[object, ...], DocumentLine] = {}
    for line in lines:
        key = (line.account, line.codes, line.partner, line.tax_code, line.second and line.second[0])
        before = merged.get(key)
        if before is None:
            merged[key] = line
            continue
        second = line.second and before.second and (line.second[0], before.second[1] + line.second[1])
        amount = before.amount_minor + line.amount_minor
        merged[key] = replace(before, amount_minor=amount, second=second, merged=before.merged + 1)
    found = []
    for line in merged.values():
        second = line.second if line.second and line.second[1] else None
        if line.amount_minor or second:
            more = f"{line.text} and {line.merged - 1} more" if line.merged > 1 else line.text
            found.append(replace(line, second=second, text=more))
    return found
