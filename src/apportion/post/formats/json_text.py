"""The journal as JSON, and back: the shape of docs/reference/journal.md. Amounts are decimal strings."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

from apportion.errors import BadValueError
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.ledger.local import Local
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.money.currency import minor_text
from apportion.periods import BillingPeriod
from apportion.post.formats.reading import minor, refusing
from apportion.post.journal import Journal

VERSION = 2


def render(journal: Journal) -> str:
    """The journal as JSON text that ends with a line end."""
    text = io.StringIO()
    # Piece by piece: all pieces of a long journal at once would take more memory than the text.
    for piece in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(document(journal)):
        text.write(piece)
    text.write("\n")
    return text.getvalue()


def document(journal: Journal) -> dict[str, object]:
    """The journal as a plain value of strings, lists and mappings, as it is written in JSON."""
    return {
        "document": "journal",
        "version": VERSION,
        "id": journal.id,
        "period": str(journal.period),
        "source_hash": journal.source_hash,
        "sha256": journal.digest,
        "entries": [
            {
                "id": entry.id,
                "kind": str(entry.kind),
                "document_on": entry.document_on.isoformat(),
                "posting_on": entry.posting_on.isoformat(),
                "belongs_to": str(entry.belongs_to or ""),
                "text": entry.text,
                "reverses": entry.reverses,
                "postings": [_posting(posting) for posting in entry.postings],
            }
            for entry in journal.entries
        ],
        "statistical": [
            {
                "id": entry.id,
                "document_on": entry.document_on.isoformat(),
                "posting_on": entry.posting_on.isoformat(),
                "text": entry.text,
                "reverses": entry.reverses,
                "lines": [_line(line) for line in entry.lines],
            }
            for entry in journal.statistical
        ],
    }


def parse(text: str) -> Journal:
    """Read what `render` wrote. Raises `BadValueError` for anything else."""
    with refusing("a JSON journal"):
        journal = _journal(json.loads(text))
    if render(journal) != text:
        raise BadValueError("The journal was changed after it was written.", advice="Write the journal again.")
    return journal


def _posting(posting: Posting) -> dict[str, object]:
    return {
        "company": posting.company,
        "account": posting.account,
        "cost_center": posting.cost_center,
        "department": posting.department,
        "partner": posting.partner,
        "dimensions": dict(posting.dimensions),
        "currency": posting.currency,
        "amount": minor_text(posting.amount_minor, posting.currency),
        "local": _local(posting.local),
        "tax_code": posting.tax_code,
        "text": posting.text,
        "ref": posting.ref,
    }


def _local(local: Local | None) -> dict[str, object] | None:
    if local is None:
        return None
    return {
        "currency": local.currency,
        "amount": minor_text(local.amount_minor, local.currency),
        "rate": local.rate,
        "inverted": local.inverted,
        "rate_on": local.rate_on.isoformat(),
        "source": local.source,
    }


def _line(line: StatisticalLine) -> dict[str, object]:
    return {
        "company": line.company,
        "account": line.account,
        "cost_center": line.cost_center,
        "department": line.department,
        "dimensions": dict(line.dimensions),
        "unit": line.unit,
        "quantity": minor_text(line.quantity_minor, line.unit),
        "text": line.text,
        "ref": line.ref,
    }


def _journal(data: Any) -> Journal:
    return Journal(
        data["id"],
        BillingPeriod.parse(data["period"]),
        data["source_hash"],
        tuple(_read_entry(entry) for entry in data["entries"]),
        tuple(_read_statistical(entry) for entry in data["statistical"]),
    )


def _read_entry(entry: Any) -> Entry:
    return Entry(
        id=entry["id"],
        document_on=date.fromisoformat(entry["document_on"]),
        posting_on=date.fromisoformat(entry["posting_on"]),
        text=entry["text"],
        postings=tuple(
            Posting(
                account=posting["account"],
                company=posting["company"],
                cost_center=posting["cost_center"],
                department=posting["department"],
                currency=posting["currency"],
                amount_minor=minor(posting["amount"], posting["currency"]),
                text=posting["text"],
                ref=posting["ref"],
                partner=posting["partner"],
                tax_code=posting["tax_code"],
                dimensions=tuple(posting["dimensions"].items()),
                local=_read_local(posting["local"]),
            )
            for posting in entry["postings"]
        ),
        reverses=entry["reverses"],
        kind=EntryKind(entry["kind"]),
        belongs_to=BillingPeriod.parse(entry["belongs_to"]) if entry["belongs_to"] else None,
    )


def _read_local(local: Any) -> Local | None:
    if local is None:
        return None
    return Local(
        currency=local["currency"],
        amount_minor=minor(local["amount"], local["currency"]),
        rate=local["rate"],
        rate_on=date.fromisoformat(local["rate_on"]),
        source=local["source"],
        inverted=local["inverted"],
    )


def _read_statistical(entry: Any) -> StatisticalEntry:
    return StatisticalEntry(
        id=entry["id"],
        document_on=date.fromisoformat(entry["document_on"]),
        posting_on=date.fromisoformat(entry["posting_on"]),
        text=entry["text"],
        lines=tuple(
            StatisticalLine(
                account=line["account"],
                company=line["company"],
                cost_center=line["cost_center"],
                department=line["department"],
                unit=line["unit"],
                quantity_minor=minor(line["quantity"], line["unit"]),
                text=line["text"],
                ref=line["ref"],
                dimensions=tuple(line["dimensions"].items()),
            )
            for line in entry["lines"]
        ),
        reverses=entry["reverses"],
    )
