"""The postings of a cost transfer: from the payer to the cost groups, by document or by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from apportion.errors import InputRefusedError
from apportion.ledger.account import LedgerAccount, tidy
from apportion.ledger.entry import Posting
from apportion.organization.coding import Coding
from apportion.periods import BillingPeriod
from apportion.post.document import PostableDocument
from apportion.post.mapping import LedgerMapping, Postable, PostingAccounts, codings

# Above this many names a line's text says how many there are; the numbers of their documents are in its `ref`.
_NAMES = 3


@dataclass(frozen=True, slots=True)
class Transfer:
    """What one account with its dimensions takes over in one currency, and from which documents (or lines)."""

    at: LedgerAccount
    currency: str
    minor: int
    names: tuple[str, ...]
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A document's amount, or a line's: only `line` is a posting of its own where each line is to be one."""

    charge_category: str
    service: str
    currency: str
    minor: int
    text: str = ""
    line: int = 0


def by_number(document: Postable) -> tuple[int, str]:
    """By length first: numbers have more digits where four are not enough."""
    number = str(document.number)
    return len(number), number


@dataclass(frozen=True, slots=True)
class Placed:
    """An amount of a document with the account it goes to; `apart` where it is to be a posting of its own."""

    number: str
    ref: str
    name: str
    at: LedgerAccount
    currency: str
    minor: int
    apart: bool = False


def placed(documents: Sequence[Postable], accounts: PostingAccounts, mapping: LedgerMapping) -> list[Placed]:
    """The amounts of documents that are not zero, in the order of their numbers.

    Raises `UnmappedError` for missing codes, and `InputRefusedError` for the same document twice.
    """
    _check_once(documents)
    ordered = sorted(documents, key=by_number)
    coded = codings(ordered, accounts, {str(each.number) for each in ordered if _by_rules_alone(each, mapping)})
    found = []
    for document in ordered:
        number = str(document.number)
        for part in _parts(document, mapping):
            at = _at(document, coded[number], part, mapping, accounts)
            ref, name, apart = number, tidy(document.name), bool(mapping.each_line and part.line)
            if apart:
                ref, name = f"{ref}:{part.line}", tidy(f"{name}, {part.text}" if part.text else name)
            found.append(Placed(number, ref, name, at, part.currency, part.minor, apart))
    return found


def transfers(found: Iterable[Placed]) -> list[Transfer]:
    """Amounts added up by account and currency, in their order; sums of zero left out."""
    merged: dict[tuple[object, ...], Transfer] = {}
    for each in found:
        key: tuple[object, ...] = (each.at, each.currency, each.ref) if each.apart else (each.at, each.currency)
        old = merged.get(key, Transfer(each.at, each.currency, 0, (), ()))
        new = each.ref not in old.refs
        merged[key] = Transfer(
            each.at,
            each.currency,
            old.minor + each.minor,
            (*old.names, each.name) if new else old.names,
            (*old.refs, each.ref) if new else old.refs,
        )
    return [transfer for transfer in merged.values() if transfer.minor]


def costs(found: Iterable[Transfer], period: BillingPeriod, tax_code: str = "") -> list[Posting]:
    """What the buyers take over, sorted by account and dimension; each names the documents behind it."""
    return [
        Posting.at(each.at, each.currency, each.minor, said(period, each.names), " ".join(each.refs), tax_code)
        for each in sorted(found, key=lambda each: each.at)
    ]


def postings(transfers: Sequence[Transfer], accounts: PostingAccounts, period: BillingPeriod) -> tuple[Posting, ...]:
    """The postings of one buying company and currency: buyer first, sorted by account and dimension, then the payer."""
    buyer, currency = transfers[0].at.company, transfers[0].currency
    payer = accounts.payer
    whole = sum(transfer.minor for transfer in transfers)
    made = costs(transfers, period)
    if buyer != payer.company:
        text = f"Cloud cost {period} between companies"
        owed = LedgerAccount(buyer, accounts.intercompany_payable, partner=payer.company)
        due = LedgerAccount(payer.company, accounts.intercompany_receivable, partner=buyer)
        made.append(Posting.at(owed, currency, -whole, text))
        made.append(Posting.at(due, currency, whole, text))
    made.append(Posting.at(accounts.contra, currency, -whole, f"Cloud cost {period} transferred out"))
    return tuple(posting for posting in made if posting.amount_minor)


def _check_once(documents: Sequence[Postable]) -> None:
    numbers = [str(document.number) for document in documents]
    twice = sorted({number for number in numbers if numbers.count(number) > 1}) if _has_doubles(numbers) else []
    if twice:
        raise InputRefusedError(
            f"{', '.join(twice)} would be posted twice in one journal.",
            advice="Each line of a document is journaled once: leave the second one out.",
        )


def _has_doubles(numbers: Sequence[str]) -> bool:
    return len(set(numbers)) != len(numbers)


def _by_rules_alone(document: Postable, mapping: LedgerMapping) -> bool:
    """Has every amount an account by rule, so that the cost group needs none?"""
    if document.coding.ledger_account:
        return False
    day = document.period.starts_on
    return bool(mapping.rules) and all(
        mapping.account(document.coding, part.charge_category, part.service, day) for part in _parts(document, mapping)
    )


def _parts(document: Postable, mapping: LedgerMapping) -> Iterator[_Part]:
    """The document's amounts that are not zero: its lines where rules or settings ask for them, else its totals."""
    if not mapping.rules and not mapping.each_line:
        for total in document.totals:
            if total.minor:
                yield _Part("", "", total.currency, total.minor)
        return
    if not isinstance(document, PostableDocument):
        raise InputRefusedError(
            f"{document.number} comes without its lines, which the settings of the ledger ask for.",
            advice="Make the journal from documents with lines.",
        )
    for line in document.lines:
        if line.minor:
            yield _Part(line.charge_category, line.service, line.currency, line.minor, line.text, line.number)


def _at(
    document: Postable, coding: Coding, part: _Part, mapping: LedgerMapping, accounts: PostingAccounts
) -> LedgerAccount:
    account = coding.ledger_account
    if account != accounts.suspense or document.coding.ledger_account == account:
        account = mapping.account(coding, part.charge_category, part.service, document.period.starts_on)
    own = mapping.dimensions.get(document.holder.code, ())
    return LedgerAccount(coding.company, account, coding.cost_center, coding.department, dimensions=own)


def said(period: BillingPeriod, names: Sequence[str]) -> str:
    """The text of a line about these cost groups."""
    whose = ", ".join(names) if len(names) <= _NAMES else f"{len(names)} cost groups"
    return tidy(f"Cloud cost {period}: {whose}")
