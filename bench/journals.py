"""Journals for finance systems: a hundred thousand lines rendered for every target, each in a process of its own.

``python -m bench.journals`` prints seconds and peak memory of each target, and both against the floor, which is our own
plain CSV: whatever a target costs above it is the price of its format.
"""

from __future__ import annotations

import sys
from typing import Any

from apportion.ledger.entry import Entry, Posting
from apportion.periods import BillingPeriod
from apportion.post.formats import sap, targets
from apportion.post.formats.target import Options
from apportion.post.journal import Journal
from bench.meter import Meter

LINES = 100_000
_ENTRY = 500
MOST_SECONDS, MOST_MB = 5.0, 500 * 1.048576
FLOOR = "csv"
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


def journal_files(meter: Meter, *, lines: int, name: str) -> dict[str, Any]:
    """Render a journal for one target; the journal itself is made before."""
    made, asked = journal(lines), options(name)
    with meter.running():
        files = targets.render(name, made, asked).files
    return {"files": len(files), "mb": round(sum(map(len, files.values())) / 1e6, 1)}


def main() -> int:
    """Measure every target and print the table; the exit status says whether all keep within the limits."""
    from bench.process import measure, task  # not at the top: a measuring process imports this module

    wanted = sys.argv[1:] or list(targets.names())
    print(f"{LINES:,} journal lines; limits {MOST_SECONDS:.0f} s of CPU and {MOST_MB:.0f} MB (500 MiB)\n")
    print(
        f"{'target':18} {'CPU s':>7} {'s':>7} {'× floor':>8} {'peak MB':>8} {'× floor':>8} {'files MB':>9}", flush=True
    )
    floor = measure(task("journal_files", lines=LINES, name=FLOOR))
    slow = []
    for name in dict.fromkeys([FLOOR, *wanted]):
        each = floor if name == FLOOR else measure(task("journal_files", lines=LINES, name=name))
        print(
            f"{name:18} {each['cpu_s']:7.2f} {each['wall_s']:7.2f} {each['cpu_s'] / floor['cpu_s']:8.2f} "
            f"{each['peak_mb']:8.0f} {each['peak_mb'] / floor['peak_mb']:8.2f} {each['facts']['mb']:9.1f}",
            flush=True,
        )
        if each["cpu_s"] > MOST_SECONDS or each["peak_mb"] > MOST_MB:
            slow.append(name)
    print(f"\nBeyond the limits: {', '.join(slow)}" if slow else "\nAll within the limits.")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
