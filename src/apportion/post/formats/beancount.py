"""The journal for beancount, a plain-text ledger that checks it independently (`bean-check`), and back.

Every company of an entry is a transaction of its own, so that beancount itself proves each company to be in balance.
It lets half a unit of the last digit pass; all amounts have all decimals of their currency, so nothing does.

An account's codes are components of its name, each behind a letter that says what it is (``Ledger:C1000:A600100``),
because beancount wants them to begin so; every other character than letters of ASCII and digits is ``-``, its code
point in hexadecimal, and ``-``. Where postings are also given in the company's own currency, those amounts are a second
transaction under ``Ledger:Own``; statistical quantities are no transactions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from apportion.errors import BadValueError
from apportion.ledger.account import LedgerAccount
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.ledger.local import Local
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.money.currency import minor_text
from apportion.periods import BillingPeriod
from apportion.post.formats.hledger import own_amounts
from apportion.post.formats.reading import minor, refusing
from apportion.post.journal import Journal

_ROOT, _OWN = "Ledger", "Own"
_LETTERS = {"company": "C", "account": "A", "cost_center": "K", "department": "D", "partner": "P"}
_DIMENSION = "N"
_TEXT = r'"((?:[^"\\]|\\.)*)"'

_SIGN = re.compile(r"[^A-Za-z0-9]")
_HEADER = re.compile(rf"; (journal|period|source_hash): {_TEXT}")
_TRANSACTION = re.compile(rf"(\d{{4}}-\d{{2}}-\d{{2}}) \* {_TEXT}")
_STATISTICAL = re.compile(rf'(\d{{4}}-\d{{2}}-\d{{2}}) custom "statistical" {_TEXT}')
_COUNTED = re.compile(r'\d{4}-\d{2}-\d{2} custom "quantity" (\S+) (-?[\d.]+) ([A-Z]{3})')
_POSTING = re.compile(r"  (\S+) +(-?[\d.]+) ([A-Z]{3})")
_META = re.compile(rf"(?:  ){{1,2}}([a-z_]+): {_TEXT}")
# Between a dimension's name and code stands the code point of no character.
_NAMED = re.compile(r"((?:[A-Za-z0-9]|-[0-9a-f]+-)*?)-0-(.*)")


def render(journal: Journal) -> str:
    """The whole file: a header, declarations, the transactions, and statistical quantities as custom directives."""
    return "".join(f"{line}\n" for line in _lines(journal))


def _lines(journal: Journal) -> Iterator[str]:
    yield f"; journal: {_quoted(journal.id)}"
    yield f"; period: {_quoted(str(journal.period))}"
    yield f"; source_hash: {_quoted(journal.source_hash)}"
    yield f"; sha256: {journal.digest}"
    yield ""
    yield f'option "name_equity" "{_ROOT}"'
    yield ""
    yield from _opened(journal)
    for entry in journal.entries:
        for company in dict.fromkeys(posting.company for posting in entry.postings):
            yield from _transaction(entry, company)
    for statistical in journal.statistical:
        yield ""
        yield f'{statistical.posting_on} custom "statistical" {_quoted(statistical.id)}'
        yield from _meta(2, _head(statistical))
        for number, line in enumerate(statistical.lines, start=1):
            quantity = f"{minor_text(line.quantity_minor, line.unit)} {line.unit}"
            yield f'{statistical.posting_on} custom "quantity" {_account(line.ledger_account)} {quantity}'
            yield from _meta(2, {"line": str(number), "text": line.text, "ref": line.ref})


def _opened(journal: Journal) -> Iterator[str]:
    """Every account with its currencies, opened on the first day that something is posted on it."""
    found: dict[str, tuple[date, set[str]]] = {}

    def seen(account: str, day: date, currency: str) -> None:
        first, currencies = found.setdefault(account, (day, set()))
        found[account] = (min(first, day), currencies | {currency})

    for entry in journal.entries:
        for posting in entry.postings:
            seen(_account(posting.ledger_account), entry.posting_on, posting.currency)
        for posting, _, currency in own_amounts(entry.postings):
            seen(_account(posting.ledger_account, _OWN), entry.posting_on, currency)
    for statistical in journal.statistical:
        for line in statistical.lines:
            seen(_account(line.ledger_account), statistical.posting_on, line.unit)
    for account in sorted(found):
        day, currencies = found[account]
        yield f"{day} open {account} {','.join(sorted(currencies))}"


def _transaction(entry: Entry, company: str) -> Iterator[str]:
    """One company's postings, and once more in its own currency where they are given in it."""
    mine = [(number, each) for number, each in enumerate(entry.postings, start=1) if each.company == company]
    meta = {**_head(entry), "kind": str(entry.kind), "belongs_to": str(entry.belongs_to or "")}
    yield ""
    yield f"{entry.posting_on} * {_quoted(entry.id)}"
    yield from _meta(2, meta)
    for number, posting in mine:
        amount = minor_text(posting.amount_minor, posting.currency)
        yield f"  {_account(posting.ledger_account)}  {amount} {posting.currency}"
        yield from _meta(4, _tags(number, posting))
    own = list(own_amounts([posting for _, posting in mine]))
    if own:
        yield ""
        yield f"{entry.posting_on} * {_quoted(entry.id)}"
        yield from _meta(2, meta)
        for posting, minor_units, currency in own:
            yield f"  {_account(posting.ledger_account, _OWN)}  {minor_text(minor_units, currency)} {currency}"


def _head(entry: Entry | StatisticalEntry) -> dict[str, str]:
    return {"text": entry.text, "document_on": str(entry.document_on), "reverses": entry.reverses}


def _tags(number: int, posting: Posting) -> dict[str, str]:
    tags = {"line": str(number), "text": posting.text, "ref": posting.ref, "tax_code": posting.tax_code}
    if local := posting.local:
        tags |= {
            "own": f"{minor_text(local.amount_minor, local.currency)} {local.currency}",
            "rate": local.rate,
            "inverted": "true" if local.inverted else "",
            "rate_on": str(local.rate_on),
            "rate_source": local.source,
        }
    return tags


def _meta(indent: int, values: Mapping[str, str]) -> Iterator[str]:
    for name, value in values.items():
        if value:
            yield f"{' ' * indent}{name}: {_quoted(value)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _account(account: LedgerAccount, *below: str) -> str:
    parts = [letter + _part(code) for name, letter in _LETTERS.items() if (code := getattr(account, name))]
    parts += [f"{_DIMENSION}{_part(name)}-0-{_part(code)}" for name, code in account.dimensions]
    return ":".join([_ROOT, *below, *parts])


def _part(code: str) -> str:
    return _SIGN.sub(lambda found: f"-{ord(found[0]):x}-", code)


def _code(part: str) -> str:
    return re.sub(r"-([0-9a-f]+)-", lambda found: chr(int(found[1], 16)), part)


def parse(text: str) -> Journal:
    """Read what `render` wrote. Raises `BadValueError` for anything else."""
    with refusing("a beancount journal"):
        journal = _journal(text)
    if render(journal) != text:
        raise BadValueError(
            "The beancount journal was changed after it was written.", advice="Write the journal again."
        )
    return journal


def _journal(text: str) -> Journal:
    header: dict[str, str] = {}
    entries: dict[str, dict[str, Any]] = {}
    counted: dict[str, dict[str, Any]] = {}
    into: dict[str, str] = {}  # where the metadata of the lines to come belong
    here: dict[str, Any] = {}
    for line in text.split("\n"):
        if found := _HEADER.fullmatch(line):
            header[found[1]] = _unquoted(found[2])
        elif found := _TRANSACTION.fullmatch(line):
            here = entries.setdefault(_unquoted(found[2]), {"day": found[1], "meta": {}, "lines": []})
            into = here["meta"]
        elif found := _STATISTICAL.fullmatch(line):
            here = counted[_unquoted(found[2])] = {"day": found[1], "meta": {}, "lines": []}
            into = here["meta"]
        elif found := _META.fullmatch(line):
            into[found[1]] = _unquoted(found[2])
        elif found := _COUNTED.fullmatch(line) or _POSTING.fullmatch(line):
            into = {"account": found[1], "amount": found[2], "currency": found[3]}
            if not found[1].startswith(f"{_ROOT}:{_OWN}:"):
                here["lines"].append(into)
    return Journal(
        header["journal"],
        BillingPeriod.parse(header["period"]),
        header["source_hash"],
        tuple(_entry(entry_id, found) for entry_id, found in entries.items()),
        tuple(_statistical(entry_id, found) for entry_id, found in counted.items()),
    )


def _read_head(entry_id: str, found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": entry_id,
        "document_on": date.fromisoformat(found["meta"]["document_on"]),
        "posting_on": date.fromisoformat(found["day"]),
        "text": found["meta"].get("text", ""),
        "reverses": found["meta"].get("reverses", ""),
    }


def _entry(entry_id: str, found: Mapping[str, Any]) -> Entry:
    meta = found["meta"]
    lines = sorted(found["lines"], key=lambda line: int(line["line"]))
    return Entry(
        **_read_head(entry_id, found),
        postings=tuple(_posting(line) for line in lines),
        kind=EntryKind(meta["kind"]),
        belongs_to=BillingPeriod.parse(meta["belongs_to"]) if "belongs_to" in meta else None,
    )


def _posting(line: Mapping[str, str]) -> Posting:
    where = _where(line["account"])
    return Posting(
        account=where.account,
        company=where.company,
        cost_center=where.cost_center,
        department=where.department,
        currency=line["currency"],
        amount_minor=minor(line["amount"], line["currency"]),
        text=line.get("text", ""),
        ref=line.get("ref", ""),
        partner=where.partner,
        tax_code=line.get("tax_code", ""),
        dimensions=where.dimensions,
        local=_local(line),
    )


def _local(line: Mapping[str, str]) -> Local | None:
    if "own" not in line:
        return None
    amount, currency = line["own"].split(" ")
    return Local(
        currency=currency,
        amount_minor=minor(amount, currency),
        rate=line.get("rate", ""),
        rate_on=date.fromisoformat(line["rate_on"]),
        source=line.get("rate_source", ""),
        inverted="inverted" in line,
    )


def _statistical(entry_id: str, found: Mapping[str, Any]) -> StatisticalEntry:
    return StatisticalEntry(
        **_read_head(entry_id, found),
        lines=tuple(
            StatisticalLine(
                account=where.account,
                company=where.company,
                cost_center=where.cost_center,
                department=where.department,
                unit=line["currency"],
                quantity_minor=minor(line["amount"], line["currency"]),
                text=line.get("text", ""),
                ref=line.get("ref", ""),
                dimensions=where.dimensions,
            )
            for line in found["lines"]
            for where in [_where(line["account"])]
        ),
    )


def _where(account: str) -> LedgerAccount:
    names = {letter: name for name, letter in _LETTERS.items()}
    codes = {"company": ""}
    own: list[tuple[str, str]] = []
    for part in account.split(":")[1:]:
        if part[0] == _DIMENSION and (found := _NAMED.fullmatch(part[1:])):
            own.append((_code(found[1]), _code(found[2])))
        else:
            codes[names[part[0]]] = _code(part[1:])
    return LedgerAccount(**codes, dimensions=tuple(own))
