"""``apportion journal``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apportion.cli.arguments import Period
from apportion.cli.face import Face, shown_path
from apportion.cli.statements import Out, folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from apportion.ledger.entry import Posting
    from apportion.post.journal import Journal, NotPosted

VERSION = 1
FOLDER = "journals"


def run(face: Face, period: Period, out: Out = None) -> None:
    """Write the journal of a period.

    Balanced entries as CSV with a control file, for hledger, and as JSON.

    They go to journals/PERIOD in the workspace unless --out says otherwise. What is unallocated or kept central stays
    with the payer and has no line.

    \b
    Examples:
      apportion journal 2026-10
      hledger check -f journals/2026-10/journal-2026-10.hledger
    """
    from apportion.close import month as months
    from apportion.close import run as runs
    from apportion.post.export import write_journal
    from apportion.post.formats import json_text
    from apportion.post.journal import not_posted

    workspace = face.workspace()
    done = runs.up_to_date(workspace, period)
    made = months.statements(done)
    posted = months.journal(done, made)
    months.require_ledger_takes(done.settings, workspace.root, posted)
    stays = not_posted(made)
    directory = folder(workspace, FOLDER, period, out)
    files = write_journal(posted, directory)
    face.give(
        {
            "document": "journal_files",
            "version": VERSION,
            "period": str(period),
            "directory": str(directory),
            "files": [path.name for path in files],
            "journal": json_text.document(posted),
            "not_posted": [_stays_document(each) for each in stays],
        }
    )
    if not face.as_json:
        _show(face, posted, stays)
        face.say()
        face.say(f"Written to {shown_path(directory)}:")
        for path in files:
            face.say(f"  {path.name}")


def postings(journal: Journal) -> list[Posting]:
    """All postings, in order."""
    return [posting for entry in journal.entries for posting in entry.postings]


def _show(face: Face, journal: Journal, stays: Iterable[NotPosted]) -> None:
    from apportion.cli.amounts import count
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import grouped

    size = f"{count(len(journal.entries), 'entry', 'entries')}, {count(len(postings(journal)), 'posting')}"
    face.say(f"Journal {journal.id}: {size}", "bold")
    for entry in journal.entries:
        face.say()
        face.say(f"{entry.id}, {entry.posting_on}: {entry.text}")
        currency = entry.postings[0].currency
        rows, debit, credit = [], 0, 0
        for posting in entry.postings:
            amount = posting.amount_minor
            debit, credit = debit + max(amount, 0), credit + max(-amount, 0)
            rows.append(
                [
                    posting.company,
                    posting.account,
                    posting.cost_center,
                    posting.text,
                    grouped(amount, currency) if amount > 0 else "",
                    grouped(-amount, currency) if amount < 0 else "",
                ]
            )
        columns = [
            Column("Company"),
            Column("Account"),
            Column("Cost center"),
            Column("Text", wraps=True),
            Column(f"Debit {currency}", is_number=True),
            Column(f"Credit {currency}", is_number=True),
        ]
        sums = [["", "", "", "Together", grouped(debit, currency), grouped(credit, currency)]]
        face.show(table(columns, rows, sums=sums))
    for each in stays:
        face.say()
        face.say(
            f"Not posted: {grouped(each.minor, each.currency)} {each.currency} of {each.statement}; {each.reason}."
        )


def _stays_document(stays: NotPosted) -> dict[str, str]:
    from apportion.money.currency import minor_text

    return {
        "statement": stays.statement,
        "holder": str(stays.holder),
        "currency": stays.currency,
        "amount": minor_text(stays.minor, stays.currency),
        "reason": stays.reason,
    }
