"""The journal as JSON, and back: the shape of docs/reference/journal.md. Amounts are decimal strings."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from apportion.errors import BadValueError
from apportion.ledger.entry import Entry, Posting
from apportion.money.currency import minor_text
from apportion.periods import BillingPeriod
from apportion.post.formats.reading import minor, refusing
from apportion.post.journal import Journal

VERSION = 1


def render(journal: Journal) -> str:
    """The journal as JSON text that ends with a line end."""
    return json.dumps(document(journal), ensure_ascii=False, indent=2) + "\n"


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
                "document_on": entry.document_on.isoformat(),
                "posting_on": entry.posting_on.isoformat(),
                "text": entry.text,
                "reverses": entry.reverses,
                "postings": [_posting(posting) for posting in entry.postings],
            }
            for entry in journal.entries
        ],
    }


def parse(text: str) -> Journal:
    """Read what `render` wrote. Raises `BadValueError` for anything else."""
    with refusing("a JSON journal"):
        journal = _journal(json.loads(text))
    if render(journal) != text:
        raise BadValueError("The journal was changed after it was written.", advice="Write the journal again.")
    return journal


def _posting(posting: Posting) -> dict[str, str]:
    return {
        "company": posting.company,
        "account": posting.account,
        "cost_center": posting.cost_center,
        "department": posting.department,
        "partner": posting.partner,
        "currency": posting.currency,
        "amount": minor_text(posting.amount_minor, posting.currency),
        "text": posting.text,
        "ref": posting.ref,
    }


def _journal(data: Any) -> Journal:
    entries = tuple(
        Entry(
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
                )
                for posting in entry["postings"]
            ),
            reverses=entry["reverses"],
        )
        for entry in data["entries"]
    )
    return Journal(data["id"], BillingPeriod.parse(data["period"]), data["source_hash"], entries)
