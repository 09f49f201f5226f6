"""The lines of documents as columns of text: every field that a target may ask for, made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from apportion.ledger.entry import Posting
from apportion.money.currency import minor_text
from apportion.periods import BillingPeriod
from apportion.post.formats.arrange import Document, Quantity
from apportion.post.formats.spelling import amount_texts, negated

DIMENSION = "dimension."
# Several fields in one column: ``join:-:account:cost_center`` is both with a hyphen between them.
JOIN = "join:"

# What only the companion has where the target has no place for it: of an entry, and of a line.
ENTRY_FIELDS = ("entry", "document_on", "posting_on", "entry_text", "reverses", "kind", "belongs_to")
LINE_FIELDS = (
    "company account cost_center department partner currency amount text ref tax_code "
    "local_currency local_amount rate inverted rate_on rate_source"
).split()
# What a company may give a column of its own choice.
CHOICES = (*ENTRY_FIELDS, *LINE_FIELDS, "document", "line", "document_line")

_SAP_ACCOUNT = 10
_PLAIN = ("company", "account", "cost_center", "department", "partner", "currency", "text", "ref", "tax_code")


class Lines:
    """Lines of all documents in their order. ``lines[field]`` is a column of text, one cell a line.

    Amount fields are ``amount``, ``debit``, ``credit``, ``signed``, ``positive`` and ``side`` (1 or -1), the latter
    in the currency of the books where a document has one; ``local_…`` are in the company's own. ``headline`` is the
    document's key and the text of its entry, ``total`` the sum of the document's debits, ``batch`` names the file
    (`batches`, which whoever makes the files fills). ``direct_rate`` is a rate that is not inverted.
    """

    def __init__(self, documents: Sequence[Document], period: BillingPeriod, companion: frozenset[str]) -> None:
        self.documents = documents
        self.postings: list[Posting | Quantity] = [posting for document in documents for _, posting in document.lines]
        self.period = period
        self._companion = companion
        self._made: dict[str, list[str]] = {}
        self._constants: dict[str, list[str]] = {}
        self.batches: list[str] = []

    def __len__(self) -> int:
        return len(self.postings)

    def __getitem__(self, field: str) -> list[str]:
        if field not in self._made:
            self._made[field] = self._make(field)
        return self._made[field]

    def itself(self, field: str) -> list[str]:
        """The field as the entries have it, also where the target's files only have what stands in for it."""
        if field == "text":
            return [posting.text for posting in self.postings]
        return self._each(_OF_DOCUMENT[field]) if field == "entry_text" else self[field]

    def constant(self, text: str) -> list[str]:
        """A column with one text in every line; the same text is the same column."""
        return self._constants.setdefault(text, [text] * len(self))

    @property
    def dimensions(self) -> list[str]:
        """The names of the company's own dimensions that some line has."""
        return sorted({name for name, _ in {pair for each in self.postings for pair in each.dimensions}})

    def number(self, index: int) -> tuple[str, int]:
        """Which entry a line is of, and its number there."""
        for document in self.documents:
            if index < len(document.lines):
                return document.entry.id, document.lines[index][0]
            index -= len(document.lines)
        raise IndexError(index)

    def _make(self, field: str) -> list[str]:
        if field in {"text", "entry_text"} and field in self._companion:
            return self._stand_in(field)
        if field in _PLAIN:
            return [getattr(posting, field) for posting in self.postings]
        if field.startswith(DIMENSION):
            name = field.removeprefix(DIMENSION)
            return [dict(each.dimensions).get(name, "") if each.dimensions else "" for each in self.postings]
        if field.startswith(JOIN):
            delimiter, *fields = field.split(":")[1:]
            return [delimiter.join(parts) for parts in zip(*(self[each] for each in fields), strict=True)]
        if field in _OF_DOCUMENT:
            return self._each(_OF_DOCUMENT[field])
        return _OF_LINE[field](self)

    def _each(self, value: Callable[[Document], str]) -> list[str]:
        found: list[str] = []
        for document in self.documents:
            found += [value(document)] * len(document.lines)
        return found

    def _stand_in(self, field: str) -> list[str]:
        """What a person reads where the text itself stays in the companion."""
        if field == "entry_text":
            return self._each(lambda _document: f"Cloud cost {self.period}")
        return [f"Cloud cost {self.period}, line {number}" for number in self["document_line"]]

    def _booked(self) -> list[str]:
        if not any(document.currency for document in self.documents):
            return self["amount"]
        return [
            minor_text(posting.local.amount_minor, currency)
            if posting.local and posting.local.currency == currency
            else minor_text(posting.amount_minor, posting.currency)
            for posting, currency in zip(self.postings, self["books"], strict=True)
        ]

    def _side(self) -> list[str]:
        """The side of the amount; of a zero, that of its amount in the company's own currency."""
        pairs = zip(self["signed"], self["local_amount"], strict=True)
        return ["-1" if (text if text.strip("0.") else own).startswith("-") else "1" for text, own in pairs]

    def _totals(self) -> list[str]:
        found: list[str] = []
        signed, start = self["signed"], 0
        for document in self.documents:
            stop = start + len(document.lines)
            debits = [text for text in signed[start:stop] if not text.startswith("-")]
            found += [_sum(debits)] * (stop - start)
            start = stop
        return found


def _sum(texts: Iterable[str]) -> str:
    """The sum of amounts of one currency, with its decimals; an empty one is 0."""
    total, places = 0, 0
    for text in texts:
        places = len(text.partition(".")[2])
        total += int(text.replace(".", ""))
    if not places:
        return str(total)
    digits = str(total).zfill(places + 1)
    return f"{digits[:-places]}.{digits[-places:]}"


def _sides(signed: Sequence[str], *, debit: bool) -> list[str]:
    if debit:
        return ["" if text.startswith("-") else text for text in signed]
    return [text[1:] if text.startswith("-") else "" for text in signed]


def _local_texts(lines: Lines) -> list[str]:
    return [minor_text(each.local.amount_minor, each.local.currency) if each.local else "" for each in lines.postings]


_OF_DOCUMENT: Mapping[str, Callable[[Document], str]] = {
    "document": lambda document: document.key,
    "entry": lambda document: document.entry.id,
    "document_on": lambda document: document.entry.document_on.isoformat(),
    "posting_on": lambda document: document.entry.posting_on.isoformat(),
    "entry_text": lambda document: document.entry.text,
    "reverses": lambda document: document.entry.reverses,
    "kind": lambda document: str(document.entry.kind),
    "belongs_to": lambda document: str(document.entry.belongs_to or ""),
    "books": lambda document: document.currency,
}

_OF_LINE: Mapping[str, Callable[[Lines], list[str]]] = {
    "line": lambda lines: [str(number) for document in lines.documents for number, _ in document.lines],
    "document_line": lambda lines: [
        str(count) for document in lines.documents for count in range(1, len(document.lines) + 1)
    ],
    "batch": lambda lines: lines.batches,
    "file_line": lambda lines: [str(count) for count in range(1, len(lines) + 1)],
    "amount": lambda lines: amount_texts([each.amount_minor for each in lines.postings], lines["currency"]),
    "signed": Lines._booked,
    "positive": lambda lines: [text.removeprefix("-") for text in lines["signed"]],
    "side": Lines._side,
    "line_key": lambda lines: [
        f"{key}/{number}" for key, number in zip(lines["document"], lines["document_line"], strict=True)
    ],
    "batch_number": lambda lines: [str(int(name[2:10], 16) * 1000 + int(name[11:])) for name in lines.batches],
    "period_text": lambda lines: [f"Cloud cost {lines.period}"] * len(lines),
    "period": lambda lines: [str(lines.period)] * len(lines),
    "posting_at": lambda lines: [f"{day}T00:00:00Z" for day in lines["posting_on"]],
    "padded_account": lambda lines: [
        code.zfill(_SAP_ACCOUNT) if code.isascii() and code.isdigit() else code for code in lines["account"]
    ],
    "direct_rate": lambda lines: [
        each.local.rate if each.local and not each.local.inverted else "" for each in lines.postings
    ],
    "local_relative": lambda lines: [
        negated(text) if side == "-1" else text for text, side in zip(lines["local_amount"], lines["side"], strict=True)
    ],
    "debit": lambda lines: _sides(lines["signed"], debit=True),
    "credit": lambda lines: _sides(lines["signed"], debit=False),
    "local_amount": _local_texts,
    "local_debit": lambda lines: _sides(lines["local_amount"], debit=True),
    "local_credit": lambda lines: _sides(lines["local_amount"], debit=False),
    "local_currency": lambda lines: [each.local.currency if each.local else "" for each in lines.postings],
    "rate": lambda lines: [each.local.rate if each.local else "" for each in lines.postings],
    "inverted": lambda lines: ["true" if each.local and each.local.inverted else "" for each in lines.postings],
    "rate_on": lambda lines: [each.local.rate_on.isoformat() if each.local else "" for each in lines.postings],
    "rate_source": lambda lines: [each.local.source if each.local else "" for each in lines.postings],
    "headline": lambda lines: [
        f"{key} {text}" if text else key for key, text in zip(lines["document"], lines["entry_text"], strict=True)
    ],
    "total": Lines._totals,
}
