"""From entries to the documents of a target: by company, by currency, and in parts that each balance.

A target takes one company or one currency a document, or only so many lines. An entry that does not fit becomes
several documents, each of which balances on its own. Where the lines of one company are too many, its largest line of
each currency is divided over the parts, one piece in each, so that the pieces add up to it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

from apportion.errors import InputRefusedError, Place, UnbalancedEntryError
from apportion.ledger.account import Dimensions
from apportion.ledger.entry import Entry, Posting
from apportion.ledger.local import Local
from apportion.ledger.statistical import StatisticalEntry
from apportion.money.currency import minor_text
from apportion.periods import BillingPeriod
from apportion.post.formats.target import Options, Target

# A key that is made from a digest: this long, and where the target has less room, no shorter than that.
_KEY, _SHORTEST_KEY = 14, 8

Numbered = tuple[int, Posting]  # a posting with its line number in the entry, from 1


@dataclass(frozen=True, slots=True)
class Quantity:
    """A statistical line with the names that a posting has, for targets with statistical journals."""

    account: str
    company: str
    cost_center: str
    department: str
    currency: str
    amount_minor: int
    text: str
    ref: str
    dimensions: Dimensions
    partner: str = ""
    tax_code: str = ""
    local: Local | None = None


@dataclass(frozen=True, slots=True)
class Quantities:
    """A statistical entry with the names that an entry has."""

    id: str
    document_on: date
    posting_on: date
    text: str
    reverses: str
    kind: str = "statistical"
    belongs_to: BillingPeriod | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What the target books at once: lines of one entry that balance. `key` tells it from all others.

    `place` is the entry's among all of its kind, from 0. `currency` is that of the company's books where the target
    books in it, otherwise empty.
    """

    key: str
    place: int
    entry: Entry | Quantities
    lines: Sequence[tuple[int, Posting | Quantity]]
    currency: str = ""

    @property
    def company(self) -> str:
        return self.lines[0][1].company


def arranged(entries: Sequence[Entry], target: Target, options: Options) -> list[Document]:
    """All documents, in the order of the entries. `place` is the entry's, from 0.

    Raises `InputRefusedError` for an entry that cannot be divided, or whose books' currency nobody gave, and
    `UnbalancedEntryError` where a currency on its own does not balance in the company's own.
    """
    books = _books(entries, options) if target.shape.in_books else {}
    found: list[tuple[int, Entry, tuple[Numbered, ...]]] = []
    for place, entry in enumerate(entries):
        for lines in _parts(entry, target):
            _check(entry, lines, target)
            found.append((place, entry, lines))
    keys = _keys([(place, entry.id) for place, entry, _ in found], target)
    return [
        Document(key, place, entry, lines, _book(books, entry, lines, target) if target.shape.in_books else "")
        for key, (place, entry, lines) in zip(keys, found, strict=True)
    ]


def counted(entries: Sequence[StatisticalEntry], target: Target) -> list[Document]:
    """Statistical entries as documents, by company; they need not balance, so they are never divided by lines."""
    found: list[tuple[int, Quantities, list[tuple[int, Quantity]]]] = []
    for place, entry in enumerate(entries):
        head = Quantities(entry.id, entry.document_on, entry.posting_on, entry.text, entry.reverses)
        groups: dict[str, list[tuple[int, Quantity]]] = {}
        for number, line in enumerate(entry.lines, start=1):
            codes = (line.account, line.company, line.cost_center, line.department)
            quantity = Quantity(*codes, line.unit, line.quantity_minor, line.text, line.ref, line.dimensions)
            groups.setdefault(line.company if target.shape.per_company else "", []).append((number, quantity))
        found.extend((place, head, lines) for lines in groups.values())
    keys = _keys([(place, f"{head.id}-S") for place, head, _ in found], target)
    return [Document(key, place, head, lines) for key, (place, head, lines) in zip(keys, found, strict=True)]


def _parts(entry: Entry, target: Target) -> Iterable[tuple[Numbered, ...]]:
    shape = target.shape
    groups: dict[tuple[str, str], list[Numbered]] = {}
    for numbered in enumerate(entry.postings, start=1):
        posting = numbered[1]
        key = (posting.company if shape.per_company else "", posting.currency if shape.per_currency else "")
        groups.setdefault(key, []).append(numbered)
    for lines in groups.values():
        if shape.most_lines and len(lines) > shape.most_lines:
            yield from divided(entry.id, lines, shape.most_lines)
        else:
            yield tuple(lines)


def divided(entry_id: str, lines: Sequence[Numbered], most: int) -> list[tuple[Numbered, ...]]:
    """Parts of at most `most` lines, each in balance for every company and currency, also in the company's own.

    Raises `InputRefusedError` where a part has no room for one line of each currency and one more.
    """
    companies: dict[str, list[Numbered]] = {}
    for numbered in lines:
        companies.setdefault(numbered[1].company, []).append(numbered)
    parts: list[tuple[Numbered, ...]] = []
    open_part: list[Numbered] = []
    for own in companies.values():
        for part in [own] if len(own) <= most else _company_parts(entry_id, own, most):
            if len(open_part) + len(part) > most:
                parts.append(tuple(open_part))
                open_part = []
            open_part.extend(part)
    return [*parts, tuple(open_part)]


def _company_parts(entry_id: str, lines: Sequence[Numbered], most: int) -> list[list[Numbered]]:
    largest: dict[str, Numbered] = {}
    for numbered in lines:
        best = largest.setdefault(numbered[1].currency, numbered)
        if abs(numbered[1].amount_minor) > abs(best[1].amount_minor):
            largest[numbered[1].currency] = numbered
    room = most - len(largest)
    if room < 1:
        raise InputRefusedError(
            f"Entry {entry_id} has {len(lines)} lines in {len(largest)} currencies, and the target takes {most}.",
            advice="Make one entry for each currency.",
        )
    taken = {number for number, _ in largest.values()}
    others = [numbered for numbered in lines if numbered[0] not in taken]
    rest = {currency: _amounts(posting) for currency, (_, posting) in largest.items()}
    pieces: Counter[str] = Counter()
    parts: list[list[Numbered]] = []
    for start in range(0, len(others), room):
        part = others[start : start + room]
        sums: dict[str, tuple[int, int]] = {}
        for _, posting in part:
            sums[posting.currency] = _plus(sums.get(posting.currency, (0, 0)), _amounts(posting))
        last = start + room >= len(others)
        for currency, (number, posting) in largest.items():
            amount, local = sums.get(currency, (0, 0))
            piece = rest[currency] if last else (-amount, -local)
            if piece != (0, 0) or (last and not pieces[currency]):
                part.append((number, _piece(posting, piece)))
                pieces[currency] += 1
                rest[currency] = _plus(rest[currency], (-piece[0], -piece[1]))
        parts.append(part)
    return parts


def _amounts(posting: Posting) -> tuple[int, int]:
    return posting.amount_minor, posting.local.amount_minor if posting.local else 0


def _plus(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


def _piece(posting: Posting, amounts: tuple[int, int]) -> Posting:
    local = posting.local and replace(posting.local, amount_minor=amounts[1])
    return replace(posting, amount_minor=amounts[0], local=local)


def joined(pieces: Sequence[Posting]) -> Posting:
    """The posting whose pieces these are. Raises `ValueError` for pieces of different postings."""
    first, *others = pieces
    total = _amounts(first)
    for piece in others:
        total = _plus(total, _amounts(piece))
        if _piece(piece, (0, 0)) != _piece(first, (0, 0)):
            raise ValueError("two lines have one number and are not of one posting")
    return _piece(first, total) if others else first


def _check(entry: Entry, lines: Sequence[Numbered], target: Target) -> None:
    """What dividing by currency may have broken: few lines, and the balance in the company's own currency."""
    if len(lines) < target.shape.least_lines:
        raise InputRefusedError(
            f"Entry {entry.id}, line {lines[0][0]}: {target.title} takes no document of {len(lines)} lines.",
            place=Place(row=lines[0][0]),
            advice=f"It needs {target.shape.least_lines}; leave out a line of zero.",
        )
    if not target.shape.per_currency:
        return
    left = sum(posting.local.amount_minor for _, posting in lines if posting.local)
    if left:
        currency = next(posting.local.currency for _, posting in lines if posting.local)
        raise UnbalancedEntryError(
            f"Entry {entry.id}: its lines in {lines[0][1].currency} alone are out of balance by "
            f"{minor_text(left, currency)} {currency}, and {target.title} takes one currency a document.",
            advice="Enter the exchange difference in the same currency, with an amount of zero.",
        )


def _books(entries: Iterable[Entry], options: Options) -> Mapping[str, str]:
    """In which currency each company keeps its books: as asked for, or as its converted lines say."""
    found = dict(options.books)
    for entry in entries:
        for posting in entry.postings:
            if posting.local:
                found.setdefault(posting.company, posting.local.currency)
    return found


def _book(books: Mapping[str, str], entry: Entry, lines: Sequence[Numbered], target: Target) -> str:
    company = lines[0][1].company
    if company not in books:
        raise InputRefusedError(
            f"Entry {entry.id}: {target.title} books in the currency of company '{company}', and nobody said which.",
            advice="Give the currency of its books in the options (`books`).",
        )
    for number, posting in lines:
        if books[company] not in {posting.currency, posting.local.currency if posting.local else ""}:
            raise InputRefusedError(
                f"Entry {entry.id}, line {number}: {posting.currency} is not {books[company]}, the currency of the "
                f"books of company '{company}', and {target.title} takes no other.",
                place=Place(row=number, field="currency"),
                advice=f"Give the amount in {books[company]} as well (an exchange rate), or another target.",
            )
    return books[company]


def _keys(found: Sequence[tuple[int, str]], target: Target) -> list[str]:
    """A key for each document: the id of its entry where that fits, with the number of the part where there are more.

    Where an id is too long, cannot be written, or would not be unique, all keys come from the digest of the ids.
    """
    parts = Counter(place for place, _ in found)
    named = _numbered([(place, entry_id) for place, entry_id in found], parts)
    if _usable(named, target):
        return named
    room = (target.key_most or _KEY) - max((len(f"-{count}") for count in parts.values() if count > 1), default=0)
    digest = {place: sha256(entry_id.encode("utf-8")).hexdigest().upper() for place, entry_id in found}
    keys = _numbered([(place, f"AP{digest[place]}"[: min(room, _KEY)]) for place, _ in found], parts)
    if room < _SHORTEST_KEY or len({key.casefold() for key in keys}) != len(keys):
        raise InputRefusedError(
            f"{target.title} takes {target.key_most} characters as the key of a document, and that is not enough.",
            advice="Export fewer entries at once.",
        )
    return keys


def _numbered(found: Iterable[tuple[int, str]], parts: Mapping[int, int]) -> list[str]:
    seen: Counter[int] = Counter()
    keys = []
    for place, key in found:
        seen[place] += 1
        keys.append(f"{key}-{seen[place]}" if parts[place] > 1 else key)
    return keys


def _usable(keys: Sequence[str], target: Target) -> bool:
    if len({key.casefold() for key in keys}) != len(keys):
        return False
    # Plain characters only: a key is compared by programs, and shown in addresses and searches.
    return all(key.isascii() and key.replace("-", "").isalnum() and not key.startswith("-") for key in keys) and not (
        target.key_most and keys and max(map(len, keys)) > target.key_most
    )
