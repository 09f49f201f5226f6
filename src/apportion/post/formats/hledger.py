"""The journal for hledger, a plain-text ledger that checks it independently (`hledger check --strict`), and back.

Every company of an entry is a transaction of its own, so that hledger itself proves each company to be in balance.
The company and the dimensions are parts of the account name, because hledger balances accounts and not tags; they
are repeated as tags for queries. Accounts and commodities are declared, so that strict mode accepts no other.
Characters with a meaning in the format are written as in web addresses: a comma is ``%2C``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from urllib.parse import quote, unquote

from apportion.errors import BadValueError
from apportion.ledger.account import LedgerAccount
from apportion.ledger.entry import Entry, Posting
from apportion.money.currency import exponent, minor_text
from apportion.periods import BillingPeriod
from apportion.post.formats.reading import minor, refusing
from apportion.post.journal import Journal

# An empty part of an account name; a code that is a hyphen itself is written %2D.
_NONE = "-"

_HEADER = re.compile(r"; (journal|period|source_hash): (.*)")
_TRANSACTION = re.compile(
    r"(?P<posting_on>\d{4}-\d{2}-\d{2}) \* \((?P<id>[^)]*)\)(?: (?P<text>[^;]*?))?  ; "
    r"document_on:(?P<document_on>\d{4}-\d{2}-\d{2})(?:, reverses:(?P<reverses>.*))?"
)
_POSTING = re.compile(r"    (?P<account>\S+) +(?P<amount>-?[\d.]+) (?P<currency>[A-Z]{3})  ; (?P<tags>.*)")


def render(journal: Journal) -> str:
    """The whole file: a header, declarations, and the transactions."""
    return "".join(f"{line}\n" for line in _lines(journal))


def _lines(journal: Journal) -> Iterator[str]:
    postings = [posting for entry in journal.entries for posting in entry.postings]
    yield f"; journal: {_comment(journal.id)}"
    yield f"; period: {journal.period}"
    yield f"; source_hash: {_comment(journal.source_hash)}"
    yield f"; sha256: {journal.digest}"
    yield ""
    for currency in sorted({posting.currency for posting in postings}):
        # The decimal mark must be there even where the currency has no decimals.
        yield f"commodity 1000.{'0' * exponent(currency)} {currency}"
    for tag in ("document_on", "reverses", "line", "cost_center", "department", "partner", "text", "ref"):
        yield f"tag {tag}"
    accounts = sorted({_account(posting.ledger_account) for posting in postings})
    for account in accounts:
        yield f"account {account}"
    width = max(map(len, accounts), default=0)
    digits = max((len(minor_text(posting.amount_minor, posting.currency)) for posting in postings), default=0)
    for entry in journal.entries:
        for company in dict.fromkeys(posting.company for posting in entry.postings):
            yield ""
            yield _head(entry)
            for number, posting in enumerate(entry.postings, start=1):
                if posting.company == company:
                    amount = minor_text(posting.amount_minor, posting.currency)
                    account = _account(posting.ledger_account)
                    yield f"    {account:<{width}}  {amount:>{digits}} {posting.currency}  ; {_tags(number, posting)}"


def _head(entry: Entry) -> str:
    text = f" {_comment(entry.text)}" if entry.text else ""
    reverses = f", reverses:{_comment(entry.reverses)}" if entry.reverses else ""
    return f"{entry.posting_on} * ({_comment(entry.id)}){text}  ; document_on:{entry.document_on}{reverses}"


def _tags(number: int, posting: Posting) -> str:
    tags = {
        "line": str(number),
        "cost_center": posting.cost_center,
        "department": posting.department,
        "partner": posting.partner,
        "text": posting.text,
        "ref": posting.ref,
    }
    return ", ".join(f"{name}:{_comment(value)}" for name, value in tags.items() if value)


def _account(account: LedgerAccount) -> str:
    parts = [account.company, account.account, account.cost_center, account.department, account.partner]
    while not parts[-1]:
        parts.pop()
    return ":".join(_part(part) for part in parts)


def _part(code: str) -> str:
    if code == _NONE:
        return "%2D"
    return _quoted(code, lambda character: character.isalnum() or character in "._/-") or _NONE


def _comment(text: str) -> str:
    return _quoted(text, lambda character: character not in "%;,|()[]")


def _quoted(text: str, is_safe: Callable[[str], bool]) -> str:
    return "".join(character if is_safe(character) else quote(character, safe="") for character in text)


def parse(text: str) -> Journal:
    """Read what `render` wrote. Raises `BadValueError` for anything else."""
    with refusing("an hledger journal"):
        journal = _journal(text)
    if render(journal) != text:
        raise BadValueError("The hledger journal was changed after it was written.", advice="Write the journal again.")
    return journal


def _journal(text: str) -> Journal:
    header: dict[str, str] = {}
    heads: dict[str, re.Match[str]] = {}
    postings: dict[str, dict[int, Posting]] = {}
    entry_id = ""
    for line in text.split("\n"):
        if found := _HEADER.fullmatch(line):
            header[found[1]] = unquote(found[2])
        elif found := _TRANSACTION.fullmatch(line):
            entry_id = unquote(found["id"])
            heads[entry_id] = found
        elif found := _POSTING.fullmatch(line):
            number, posting = _posting(found)
            postings.setdefault(entry_id, {})[number] = posting
    entries = tuple(
        Entry(
            id=entry_id,
            document_on=date.fromisoformat(head["document_on"]),
            posting_on=date.fromisoformat(head["posting_on"]),
            text=unquote(head["text"] or ""),
            postings=tuple(postings[entry_id][number] for number in sorted(postings[entry_id])),
            reverses=unquote(head["reverses"] or ""),
        )
        for entry_id, head in heads.items()
    )
    return Journal(header["journal"], BillingPeriod.parse(header["period"]), header["source_hash"], entries)


def _posting(found: re.Match[str]) -> tuple[int, Posting]:
    tags = dict(tag.split(":", 1) for tag in found["tags"].split(", "))
    parts = ["" if part == _NONE else unquote(part) for part in found["account"].split(":")]
    company, account, cost_center, department, partner = parts + [""] * (5 - len(parts))
    return int(tags["line"]), Posting(
        account=account,
        company=company,
        cost_center=cost_center,
        department=department,
        currency=found["currency"],
        amount_minor=minor(found["amount"], found["currency"]),
        text=unquote(tags.get("text", "")),
        ref=unquote(tags.get("ref", "")),
        partner=partner,
    )
