"""Journals for finance systems: a hundred thousand lines rendered for every target, each in a process of its own.

Beside them the least that as many lines cost: Python's own writer of CSV, which checks nothing. Whatever a target costs
above it is the price of its format, and of never cutting, guessing or handing over what is out of balance.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from apportion.ledger.entry import Entry, Posting
from apportion.periods import BillingPeriod
from apportion.post.formats import sap, targets
from apportion.post.formats.target import Options
from apportion.post.journal import Journal
from bench.meter import Meter

LINES, QUICK_LINES = 100_000, 2_000
_ENTRY = 500
_TEMPLATE = (
    b"Company Code,Journal Entry Type,Posting Date,Document Date,Transaction Currency,Reference,Header Text,"
    b"G/L Account,Item Text,Debit,Credit,Tax Code,Cost Center\r\n"
)


def journal(lines: int) -> Journal:
    """Cost transfers of 500 lines each: names, references and cost centers as a month of a large company has them."""
    period = BillingPeriod(2026, 10)
    day = period.starts_on.replace(day=31)
    entries = []
    for count in range(lines // _ENTRY):
        postings = [
            Posting(
                account=f"{600000 + place % 40}",
                company="1000",
                cost_center=f"{(count * _ENTRY + place) % 5000:04d}",
                department="",
                currency="EUR",
                amount_minor=1_000 + 7 * place + count,
                text=f"Cloud cost 2026-10: Product team {place}",
                ref=f"ST-2026-10-{count * _ENTRY + place:06d}",
            )
            for place in range(_ENTRY - 1)
        ]
        whole = sum(posting.amount_minor for posting in postings)
        postings.append(Posting("600199", "1000", "9900", "", "EUR", -whole, "Cloud cost 2026-10 transferred out"))
        entries.append(Entry(f"JN-2026-10-{count:04d}", day, day, "Cloud cost transfer 2026-10", tuple(postings)))
    return Journal("JN-2026-10", period, "0" * 64, tuple(entries))


def options(name: str) -> Options:
    """What a target cannot do without: a template, a ledger, the currency of the books."""
    found = Options(settings={"ledger_id": "1"} if name == "oracle-fbdi" else {}, books={"1000": "EUR"})
    if name in {"sap-csv", "sap-xlsx"}:
        template = sap.with_template(found, _TEMPLATE)
        found = Options(books=found.books, template=template.template)
    return found


def journal_floor(meter: Meter, *, lines: int) -> dict[str, Any]:
    """The floor: every line of the journal with its entry, as plain CSV in memory."""
    made = journal(lines)
    with meter.running():
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        for entry in made.entries:
            for line in entry.postings:
                writer.writerow(
                    (
                        entry.id, entry.posting_on.isoformat(), line.company, line.account, line.cost_center,
                        line.department, line.currency, line.amount_minor, line.text, line.ref,
                    )
                )  # fmt: skip
        content = text.getvalue().encode()
    return _facts(made, [content])


def journal_files(meter: Meter, *, lines: int, name: str) -> dict[str, Any]:
    """Render a journal for one target; the journal itself is made before."""
    made, asked = journal(lines), options(name)
    with meter.running():
        files = targets.render(name, made, asked).files
    return _facts(made, list(files.values()))


def _facts(made: Journal, files: list[bytes]) -> dict[str, Any]:
    count = sum(len(entry.postings) for entry in made.entries)
    return {"lines": count, "files": len(files), "mb": round(sum(map(len, files)) / 1e6, 1)}
