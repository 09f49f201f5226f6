"""The journal as a machine file: CSV beside a control file that proves it arrived whole.

RFC 4180 in UTF-8 without byte order mark: comma, CRLF, one header, quotes where needed. Codes are text with their
zeros, days are ISO 8601, amounts have a point and the currency's decimals. A machine file takes no apostrophes:
text that a spreadsheet would run as a formula is refused (OWASP ASVS 1.2.10, CWE-1236).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import groupby
from operator import itemgetter

from apportion.errors import BadValueError, Place
from apportion.ledger.entry import Entry, Posting
from apportion.money.currency import minor_text
from apportion.periods import BillingPeriod
from apportion.post.formats.reading import minor, refusing
from apportion.post.journal import Journal

VERSION = 1
COLUMNS = (
    "journal entry line period document_date posting_date company account cost_center department partner currency "
    "amount text ref entry_text reverses"
).split()

_AMOUNT = COLUMNS.index("amount")
_STARTS_A_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class MachineFile:
    """The lines, and the control file that goes with them; neither is read without the other."""

    lines: str
    control: str


def render(journal: Journal) -> MachineFile:
    """Both texts. Raises `BadValueError`, with row and column, for text that begins like a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    row = 0
    for entry in journal.entries:
        for line, posting in enumerate(entry.postings, start=1):
            row += 1
            cells = _cells(journal, entry, line, posting)
            _refuse_formulas(cells, row)
            writer.writerow(cells)
    lines = text.getvalue()
    return MachineFile(lines, json.dumps(_control(journal, lines), ensure_ascii=False, indent=2) + "\n")


def parse(file: MachineFile) -> Journal:
    """Read what `render` wrote. Raises `BadValueError` for a changed, cut or reordered file."""
    with refusing("a journal file"):
        journal = _journal(file)
    if render(journal) != file:
        raise BadValueError(
            "The journal file and its control file do not belong together, or one of them was changed.",
            advice="Write the journal again.",
        )
    return journal


def _cells(journal: Journal, entry: Entry, line: int, posting: Posting) -> list[str]:
    return [
        journal.id,
        entry.id,
        str(line),
        str(journal.period),
        entry.document_on.isoformat(),
        entry.posting_on.isoformat(),
        posting.company,
        posting.account,
        posting.cost_center,
        posting.department,
        posting.partner,
        posting.currency,
        minor_text(posting.amount_minor, posting.currency),
        posting.text,
        posting.ref,
        entry.text,
        entry.reverses,
    ]


def _refuse_formulas(cells: Sequence[str], row: int) -> None:
    for place, cell in enumerate(cells):
        if place != _AMOUNT and cell.startswith(_STARTS_A_FORMULA):
            raise BadValueError(
                f"'{cell}' begins like a spreadsheet formula and cannot stand in a machine file.",
                place=Place(row=row, field=COLUMNS[place]),
                advice="Change the name or code in the organization file or the settings.",
            )


def _control(journal: Journal, lines: str) -> dict[str, object]:
    """Control totals: how many lines, debits and credits of each currency, and digests of accounts and file."""
    postings = [posting for entry in journal.entries for posting in entry.postings]
    sides: dict[str, tuple[int, int]] = {}
    for posting in postings:
        debit, credit = sides.get(posting.currency, (0, 0))
        amount = posting.amount_minor
        sides[posting.currency] = (debit + max(amount, 0), credit + max(-amount, 0))
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
            {
                "currency": currency,
                "debit": minor_text(sides[currency][0], currency),
                "credit": minor_text(sides[currency][1], currency),
            }
            for currency in sorted(sides)
        ],
        "journal_sha256": journal.digest,
        "accounts_sha256": sha256(accounts.encode("utf-8")).hexdigest(),
        "sha256": sha256(lines.encode("utf-8")).hexdigest(),
    }


def _journal(file: MachineFile) -> Journal:
    control = json.loads(file.control)
    if sha256(file.lines.encode("utf-8")).hexdigest() != control["sha256"]:
        raise BadValueError(
            "The journal file is not the one that its control file was written for.", advice="Write the journal again."
        )
    header, *rows = csv.reader(io.StringIO(file.lines, newline=""), strict=True)
    if header != COLUMNS:
        raise BadValueError("The columns are not those of a journal file.", advice="Write the journal again.")
    entries = tuple(_entry(list(lines)) for _, lines in groupby(rows, key=itemgetter(COLUMNS.index("entry"))))
    return Journal(control["journal"], BillingPeriod.parse(control["period"]), control["source_hash"], entries)


def _entry(rows: Sequence[Sequence[str]]) -> Entry:
    lines = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    first = lines[0]
    return Entry(
        id=first["entry"],
        document_on=date.fromisoformat(first["document_date"]),
        posting_on=date.fromisoformat(first["posting_date"]),
        text=first["entry_text"],
        postings=tuple(
            Posting(
                account=line["account"],
                company=line["company"],
                cost_center=line["cost_center"],
                department=line["department"],
                currency=line["currency"],
                amount_minor=minor(line["amount"], line["currency"]),
                text=line["text"],
                ref=line["ref"],
                partner=line["partner"],
            )
            for line in lines
        ),
        reverses=first["reverses"],
    )
