"""The companion of a target's files: every field that the target has no place for, and how the files are laid out.

The target reads its own files alone. Whoever wants the journal back needs the companion as well: together they hold
each field once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from apportion.ledger.account import dimensions
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.ledger.local import Local
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.money.currency import exponent
from apportion.periods import BillingPeriod
from apportion.post.formats.arrange import joined
from apportion.post.formats.lines import DIMENSION, ENTRY_FIELDS, LINE_FIELDS, Lines
from apportion.post.formats.spelling import read_amounts

Section = dict[str, Any]  # JSON

# What the companion always has, for without it lines cannot be put together.
_ALWAYS = ("entry",)


def missing(held: set[str], lines: Lines) -> list[str]:
    """The fields that some line has and the target's files do not."""
    return [field for field in _rest(held, lines) if any(lines[field])]


def _rest(held: set[str], lines: Lines) -> list[str]:
    fields = [*ENTRY_FIELDS, *LINE_FIELDS, *(DIMENSION + name for name in lines.dimensions)]
    booked = {"amount", "local_amount"} if lines["books"][:1] != [""] and "signed" in held else {"amount"}
    done = held | (booked if "signed" in held else set())
    return [field for field in fields if field not in done]


def section(lines: Lines, held: set[str]) -> Section:
    """What goes into the companion of these lines, where `held` are the fields that the files have."""
    rest = _rest(held, lines)
    fields = {field: lines.itself(field) for field in rest if field not in ENTRY_FIELDS}
    if lines["books"][:1] != [""] and "signed" in held:
        fields |= _other_amounts(lines, held)
    fields = {"line": lines["line"], **fields}
    fields = {field: texts for field, texts in fields.items() if any(texts)}
    constant = {field: texts[0] for field, texts in fields.items() if len(set(texts)) == 1}
    varying = [field for field in fields if field not in constant]
    heading = {field: lines.itself(field) for field in ENTRY_FIELDS if field in rest or field in _ALWAYS}
    heads: dict[int, dict[str, str]] = {}
    start = 0
    for document in lines.documents:
        if document.place not in heads:
            heads[document.place] = {field: texts[start] for field, texts in heading.items() if texts[start]}
        start += len(document.lines)
    return {
        "entries": [heads[place] for place in sorted(heads)],
        "documents": [[each.key, each.place, len(each.lines), each.currency] for each in lines.documents],
        "constant": constant,
        "fields": varying,
        "lines": [list(row) for row in zip(*(fields[field] for field in varying), strict=True)],
    }


def _other_amounts(lines: Lines, held: set[str]) -> dict[str, list[str]]:
    """Amounts that were not booked, where the files hold the one in the currency of the books only."""
    amounts, local = [], []
    for posting, book, amount, own in zip(
        lines.postings, lines["books"], lines["amount"], lines["local_amount"], strict=True
    ):
        by_local = posting.local is not None and posting.local.currency == book
        amounts.append(amount if by_local else "")
        local.append("" if by_local else own)
    found = {"amount": amounts, "local_amount": local}
    return {field: texts for field, texts in found.items() if field not in held}


def restored(made: Section, fields: Mapping[str, Sequence[str]]) -> list[tuple[dict[str, str], list[dict[str, str]]]]:
    """Each entry's own fields and its lines, in their order, from the companion and what the files gave.

    Raises `ValueError` or `KeyError` where the two do not fit each other.
    """
    count = sum(length for _, _, length, _ in made["documents"])
    columns: dict[str, Sequence[str]] = {field: [text] * count for field, text in made["constant"].items()}
    rows = made["lines"]
    if made["fields"] and len(rows) != count:
        raise ValueError("the companion has another number of lines")
    columns |= {field: [row[place] for row in rows] for place, field in enumerate(made["fields"])}
    columns |= fields
    if any(len(texts) != count for texts in columns.values()):
        raise ValueError("the files have another number of lines")
    names = list(columns)
    lines = (dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True))
    found: list[tuple[dict[str, str], list[dict[str, str]]]] = [(dict(head), []) for head in made["entries"]]
    for key, place, length, books in made["documents"]:
        for _ in range(length):
            line = {**next(lines), "books": books}
            if line.get("document", key) != key:
                raise ValueError(f"a line is of document {line['document']} and not of {key}")
            found[place][1].append(line)
    return found


def entry(head: Mapping[str, str], lines: Sequence[Mapping[str, str]]) -> Entry:
    """The entry, its divided lines put together again. Raises `BadValueError`, `KeyError` or `ValueError`."""
    said = _said(head, lines)
    late = said.get("belongs_to", "")
    numbered: dict[int, list[Posting]] = {}
    for line, posting in zip(lines, _postings(lines), strict=True):
        numbered.setdefault(int(line["line"]), []).append(posting)
    return Entry(
        id=said["entry"],
        document_on=date.fromisoformat(said["document_on"]),
        posting_on=date.fromisoformat(said["posting_on"]),
        text=said.get("entry_text", ""),
        postings=tuple(joined(numbered[number]) for number in sorted(numbered)),
        reverses=said.get("reverses", ""),
        kind=EntryKind(said["kind"]),
        belongs_to=BillingPeriod.parse(late) if late else None,
    )


def statistical(head: Mapping[str, str], lines: Sequence[Mapping[str, str]]) -> StatisticalEntry:
    """The statistical entry. Raises as `entry` does."""
    said = _said(head, lines)
    amounts = read_amounts([line["signed"] for line in lines], [line["currency"] for line in lines])
    ordered = sorted(zip(lines, amounts, strict=True), key=lambda pair: int(pair[0]["line"]))
    return StatisticalEntry(
        id=said["entry"],
        document_on=date.fromisoformat(said["document_on"]),
        posting_on=date.fromisoformat(said["posting_on"]),
        text=said.get("entry_text", ""),
        lines=tuple(
            StatisticalLine(
                account=line["account"],
                company=line.get("company", ""),
                cost_center=line.get("cost_center", ""),
                department=line.get("department", ""),
                unit=line["currency"],
                quantity_minor=amount,
                text=line.get("text", ""),
                ref=line.get("ref", ""),
                dimensions=_dimensions(line),
            )
            for line, amount in ordered
        ),
        reverses=said.get("reverses", ""),
    )


def _said(head: Mapping[str, str], lines: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """An entry's own fields: from its first line where the files have them, else from the companion."""
    return {**{field: lines[0][field] for field in ENTRY_FIELDS if field in lines[0]}, **head}


def _postings(lines: Sequence[Mapping[str, str]]) -> Iterable[Posting]:
    amounts, locals_ = [], []
    for line in lines:
        own = bool(line.get("books")) and line.get("local_currency") == line["books"]
        signed = line.get("signed", "")
        amounts.append(line.get("amount") or ("" if own else signed))
        locals_.append(line.get("local_amount") or (signed if own else ""))
    currencies = [line["currency"] for line in lines]
    own_currencies = [line.get("local_currency", "") for line in lines]
    minors = read_amounts(amounts, currencies)
    for line, amount, local, currency in zip(lines, minors, locals_, own_currencies, strict=True):
        yield Posting(
            account=line["account"],
            company=line.get("company", ""),
            cost_center=line.get("cost_center", ""),
            department=line.get("department", ""),
            currency=line["currency"],
            amount_minor=amount,
            text=line.get("text", ""),
            ref=line.get("ref", ""),
            partner=line.get("partner", ""),
            tax_code=line.get("tax_code", ""),
            dimensions=_dimensions(line),
            local=_local(line, currency, local) if currency else None,
        )


def _local(line: Mapping[str, str], currency: str, amount: str) -> Local:
    exponent(currency)
    return Local(
        currency=currency,
        amount_minor=read_amounts([amount], [currency])[0],
        rate=line.get("rate", ""),
        rate_on=date.fromisoformat(line["rate_on"]),
        source=line.get("rate_source", ""),
        inverted=line.get("inverted") == "true",
    )


def _dimensions(line: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return dimensions(
        {field.removeprefix(DIMENSION): code for field, code in line.items() if field.startswith(DIMENSION)}
    )
