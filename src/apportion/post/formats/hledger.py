"""The journal for hledger, a plain-text ledger that checks it independently (`hledger check --strict`), and back.

Every company of an entry is a transaction of its own, so that hledger itself proves each company to be in balance.
The company and the dimensions are parts of the account name, because hledger balances accounts and not tags; they
are repeated as tags for queries. Accounts and commodities are declared, so that strict mode accepts no other.
Where postings are also given in the company's own currency, those amounts are a second transaction under ``local``,
so that they are proved as well; statistical quantities are postings that need not balance, under ``statistical``.
Characters with a meaning in the format are written as in web addresses: a comma is ``%2C``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import quote, unquote

from apportion.errors import BadValueError
from apportion.ledger.account import LedgerAccount
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.ledger.local import Local
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.money.currency import exponent, minor_text
from apportion.periods import BillingPeriod
from apportion.post.formats.reading import minor, refusing
from apportion.post.journal import Journal

# An empty part of an account name; a code that is a hyphen itself is written %2D.
_NONE = "-"

_LOCAL = "local"
_STATISTICAL = "statistical"
_TAGS = (
    *("document_on", "kind", "belongs_to", "reverses", "line", "cost_center", "department", "partner"),
    *("text", "ref", "tax_code", "local", "rate", "inverted", "rate_on", "rate_source"),
)

# Signs that are written as in web addresses: in an account's name, and in other texts.
_CODE_SIGN = re.compile(r"[^\w./-]")
_TEXT_SIGN = re.compile(r"[%;,|()\[\]]")

_HEADER = re.compile(r"; (journal|period|source_hash): (.*)")
_TRANSACTION = re.compile(
    r"(?P<posting_on>\d{4}-\d{2}-\d{2}) \* \((?P<id>[^)]*)\)(?: (?P<text>[^;]*?))?  ; (?P<tags>.*)"
)
_POSTING = re.compile(r"    (?P<account>[^\s(]\S*) +(?P<amount>-?[\d.]+) (?P<currency>[A-Z]{3})  ; (?P<tags>.*)")
_COUNTED = re.compile(r"    \((?P<account>\S+)\) +(?P<amount>-?[\d.]+) \"(?P<unit>[A-Z]{3})\*\"  ; (?P<tags>.*)")


def render(journal: Journal) -> str:
    """The whole file: a header, declarations, and the transactions."""
    return "".join(f"{line}\n" for line in _lines(journal))


def _lines(journal: Journal) -> Iterator[str]:
    postings = [posting for entry in journal.entries for posting in entry.postings]
    counted = [line for entry in journal.statistical for line in entry.lines]
    yield f"; journal: {_comment(journal.id)}"
    yield f"; period: {journal.period}"
    yield f"; source_hash: {_comment(journal.source_hash)}"
    yield f"; sha256: {journal.digest}"
    yield ""
    currencies = {posting.currency for posting in postings}
    currencies |= {posting.local.currency for posting in postings if posting.local}
    for currency in sorted(currencies):
        # The decimal mark must be there even where the currency has no decimals.
        yield f"commodity 1000.{'0' * exponent(currency)} {currency}"
    for unit in sorted({line.unit for line in counted}):
        yield f'commodity 1000.{"0" * exponent(unit)} "{unit}*"'
    for tag in _TAGS:
        yield f"tag {tag}"
    accounts = {_account(posting.ledger_account) for posting in postings}
    accounts |= {f"{_LOCAL}:{_account(each.ledger_account)}" for each, _, _ in own_amounts(postings)}
    accounts |= {f"{_STATISTICAL}:{_account(line.ledger_account)}" for line in counted}
    for account in sorted(accounts):
        yield f"account {account}"
    # Wide enough for the brackets of a statistical account.
    columns = (max(map(len, accounts), default=0) + 2, _digits(journal))
    for entry in journal.entries:
        for company in dict.fromkeys(posting.company for posting in entry.postings):
            yield from _transaction(entry, company, columns)
    for statistical in journal.statistical:
        yield ""
        yield _head(statistical, "")
        for number, line in enumerate(statistical.lines, start=1):
            yield _counted(number, line, columns)


def _transaction(entry: Entry, company: str, columns: tuple[int, int]) -> Iterator[str]:
    """One company's postings, and once more in its own currency where they are given in it."""
    mine = [(number, each) for number, each in enumerate(entry.postings, start=1) if each.company == company]
    yield ""
    yield _head(entry, _kind(entry))
    for number, posting in mine:
        amount = minor_text(posting.amount_minor, posting.currency)
        yield _line(columns, _account(posting.ledger_account), amount, posting.currency, _tags(number, posting))
    own = list(own_amounts([posting for _, posting in mine]))
    if own:
        yield ""
        yield _head(entry, _kind(entry))
        for posting, minor_units, currency in own:
            account = f"{_LOCAL}:{_account(posting.ledger_account)}"
            yield _line(columns, account, minor_text(minor_units, currency), currency, "line:0")


def own_amounts(postings: Iterable[Posting]) -> Iterator[tuple[Posting, int, str]]:
    """The postings of companies that give amounts in their own currency, each with its amount and that currency."""
    postings = tuple(postings)
    own = {posting.company: posting.local.currency for posting in postings if posting.local}
    for posting in postings:
        if posting.local:
            yield posting, posting.local.amount_minor, posting.local.currency
        elif own.get(posting.company) == posting.currency:
            yield posting, posting.amount_minor, posting.currency


def _digits(journal: Journal) -> int:
    found = [minor_text(each.amount_minor, each.currency) for entry in journal.entries for each in entry.postings]
    found += [minor_text(each.quantity_minor, each.unit) for entry in journal.statistical for each in entry.lines]
    return max(map(len, found), default=0)


def _line(columns: tuple[int, int], account: str, amount: str, currency: str, tags: str) -> str:
    return f"    {account:<{columns[0]}}  {amount:>{columns[1]}} {currency}  ; {tags}"


def _head(entry: Entry | StatisticalEntry, kind: str) -> str:
    text = f" {_comment(entry.text)}" if entry.text else ""
    reverses = f", reverses:{_comment(entry.reverses)}" if entry.reverses else ""
    return f"{entry.posting_on} * ({_comment(entry.id)}){text}  ; document_on:{entry.document_on}{kind}{reverses}"


def _kind(entry: Entry) -> str:
    return f", kind:{entry.kind}" + (f", belongs_to:{entry.belongs_to}" if entry.belongs_to else "")


def _tags(number: int, posting: Posting) -> str:
    tags = {
        "line": str(number),
        "cost_center": posting.cost_center,
        "department": posting.department,
        "partner": posting.partner,
        "text": posting.text,
        "ref": posting.ref,
        "tax_code": posting.tax_code,
    }
    if local := posting.local:
        tags |= {
            "local": f"{minor_text(local.amount_minor, local.currency)} {local.currency}",
            "rate": local.rate,
            "inverted": "true" if local.inverted else "",
            "rate_on": str(local.rate_on),
            "rate_source": local.source,
        }
    return _said(tags)


def _counted(number: int, line: StatisticalLine, columns: tuple[int, int]) -> str:
    account = f"({_STATISTICAL}:{_account(line.ledger_account)})"
    tags = {
        "line": str(number),
        "cost_center": line.cost_center,
        "department": line.department,
        "text": line.text,
        "ref": line.ref,
    }
    return _line(columns, account, minor_text(line.quantity_minor, line.unit), f'"{line.unit}*"', _said(tags))


def _said(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{name}:{_comment(value)}" for name, value in tags.items() if value)


def _account(account: LedgerAccount) -> str:
    parts = [account.company, account.account, account.cost_center, account.department, account.partner]
    while not account.dimensions and not parts[-1]:
        parts.pop()
    own = (f"{_part(name)}={_part(code)}" for name, code in account.dimensions)
    found = ":".join([*map(_part, parts), *own])
    # A company whose code is the name of one of our own trees would land in it.
    return f"%{ord(found[0]):02X}{found[1:]}" if account.company in {_LOCAL, _STATISTICAL} else found


def _part(code: str) -> str:
    if code == _NONE:
        return "%2D"
    return _CODE_SIGN.sub(_quoted, code) or _NONE


def _comment(text: str) -> str:
    return _TEXT_SIGN.sub(_quoted, text)


def _quoted(found: re.Match[str]) -> str:
    return quote(found[0], safe="")


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
    counted: dict[str, list[StatisticalLine]] = {}
    entry_id = ""
    for line in text.split("\n"):
        if found := _HEADER.fullmatch(line):
            header[found[1]] = unquote(found[2])
        elif found := _TRANSACTION.fullmatch(line):
            entry_id = unquote(found["id"])
            heads[_key(entry_id, found)] = found
        elif found := _COUNTED.fullmatch(line):
            counted.setdefault(entry_id, []).append(_read_counted(found))
        elif (found := _POSTING.fullmatch(line)) and not found["account"].startswith(f"{_LOCAL}:"):
            number, posting = _posting(found)
            postings.setdefault(entry_id, {})[number] = posting
    return Journal(
        header["journal"],
        BillingPeriod.parse(header["period"]),
        header["source_hash"],
        tuple(_entry(head, postings[unquote(head["id"])]) for key, head in heads.items() if key.startswith("e")),
        tuple(_statistical(head, counted[unquote(head["id"])]) for key, head in heads.items() if key.startswith("s")),
    )


def _key(entry_id: str, head: re.Match[str]) -> str:
    """Entries and statistical entries are counted apart, and may share an id: only the former have a kind."""
    return ("e" if ", kind:" in head["tags"] else "s") + entry_id


def _read_tags(text: str) -> dict[str, str]:
    tags = dict(tag.split(":", 1) for tag in text.split(", "))
    return {name: unquote(value) for name, value in tags.items()}


def _head_of(head: re.Match[str], tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": unquote(head["id"]),
        "document_on": date.fromisoformat(tags["document_on"]),
        "posting_on": date.fromisoformat(head["posting_on"]),
        "text": unquote(head["text"] or ""),
        "reverses": tags.get("reverses", ""),
    }


def _entry(head: re.Match[str], postings: Mapping[int, Posting]) -> Entry:
    tags = _read_tags(head["tags"])
    return Entry(
        **_head_of(head, tags),
        postings=tuple(postings[number] for number in sorted(postings)),
        kind=EntryKind(tags["kind"]),
        belongs_to=BillingPeriod.parse(tags["belongs_to"]) if "belongs_to" in tags else None,
    )


def _statistical(head: re.Match[str], lines: Iterable[StatisticalLine]) -> StatisticalEntry:
    return StatisticalEntry(**_head_of(head, _read_tags(head["tags"])), lines=tuple(lines))


def _where(account: str) -> LedgerAccount:
    parts = account.split(":")
    codes = ["" if part == _NONE else unquote(part) for part in parts[:5]]
    own = (part.split("=", 1) for part in parts[5:])
    company, code, cost_center, department, partner = codes + [""] * (5 - len(codes))
    found = tuple((unquote(name), unquote(value)) for name, value in own)
    return LedgerAccount(company, code, cost_center, department, partner, found)


def _posting(found: re.Match[str]) -> tuple[int, Posting]:
    tags = _read_tags(found["tags"])
    where = _where(found["account"])
    return int(tags["line"]), Posting(
        account=where.account,
        company=where.company,
        cost_center=where.cost_center,
        department=where.department,
        currency=found["currency"],
        amount_minor=minor(found["amount"], found["currency"]),
        text=tags.get("text", ""),
        ref=tags.get("ref", ""),
        partner=where.partner,
        tax_code=tags.get("tax_code", ""),
        dimensions=where.dimensions,
        local=_local(tags),
    )


def _local(tags: Mapping[str, str]) -> Local | None:
    if "local" not in tags:
        return None
    amount, currency = tags["local"].split(" ")
    return Local(
        currency=currency,
        amount_minor=minor(amount, currency),
        rate=tags.get("rate", ""),
        rate_on=date.fromisoformat(tags["rate_on"]),
        source=tags.get("rate_source", ""),
        inverted="inverted" in tags,
    )


def _read_counted(found: re.Match[str]) -> StatisticalLine:
    tags = _read_tags(found["tags"])
    where = _where(found["account"].removeprefix(f"{_STATISTICAL}:"))
    return StatisticalLine(
        account=where.account,
        company=where.company,
        cost_center=where.cost_center,
        department=where.department,
        unit=found["unit"],
        quantity_minor=minor(found["amount"], found["unit"]),
        text=tags.get("text", ""),
        ref=tags.get("ref", ""),
        dimensions=where.dimensions,
    )
