"""Control totals: what must have arrived, whatever the format. They travel beside the files of a journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from apportion.ledger.entry import Entry
from apportion.money.currency import minor_text
from apportion.post.journal import Journal

VERSION = 2


def control(journal: Journal, files: Mapping[str, bytes]) -> dict[str, object]:
    """Counts, debits and credits of each currency, and digests of the accounts, the journal, and each of `files`.

    `files` holds the bytes of everything that is handed over, by file name; the same journal and files give the same
    control totals.
    """
    postings = [posting for entry in journal.entries for posting in entry.postings]
    counted = [line for entry in journal.statistical for line in entry.lines]
    quantities: dict[str, int] = {}
    for line in counted:
        quantities[line.unit] = quantities.get(line.unit, 0) + line.quantity_minor
    accounts = "\n".join(posting.account for posting in postings)
    return {
        "document": "journal_control",
        "version": VERSION,
        "journal": journal.id,
        "period": str(journal.period),
        "source_hash": journal.source_hash,
        "entries": len(journal.entries),
        "lines": len(postings),
        "totals": [
            {"currency": currency, "debit": minor_text(debit, currency), "credit": minor_text(credit, currency)}
            for currency, (debit, credit) in sorted(sides(journal.entries).items())
        ],
        "statistical_lines": len(counted),
        "statistical_totals": [
            {"unit": unit, "quantity": minor_text(quantities[unit], unit)} for unit in sorted(quantities)
        ],
        "journal_sha256": journal.digest,
        "accounts_sha256": sha256(accounts.encode("utf-8")).hexdigest(),
        "files": [{"file": name, "sha256": sha256(files[name]).hexdigest()} for name in sorted(files)],
    }


def control_text(journal: Journal, files: Mapping[str, bytes]) -> str:
    """`control` as JSON text that ends with a line end."""
    return json.dumps(control(journal, files), ensure_ascii=False, indent=2) + "\n"


def sides(entries: tuple[Entry, ...]) -> dict[str, tuple[int, int]]:
    """Minor units of all debits and all credits, both without a sign, by currency."""
    found: dict[str, tuple[int, int]] = {}
    for entry in entries:
        for posting in entry.postings:
            debit, credit = found.get(posting.currency, (0, 0))
            amount = posting.amount_minor
            found[posting.currency] = (debit + max(amount, 0), credit + max(-amount, 0))
    return found
