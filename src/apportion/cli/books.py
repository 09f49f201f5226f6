"""``apportion books``: the database of issued documents and people."""

from __future__ import annotations

import typer

from apportion.cli import site
from apportion.cli.face import Face, shown_path
from apportion.cli.failures import BOOKS_DIFFER


def migrate(face: Face) -> None:
    """Make the books, or bring them to this version.

    `apportion serve` does so by itself. A file of SQLite is copied aside first; five copies are kept.

    \b
    Example:
      apportion books migrate
    """
    site.boot(face, migrated=False)
    from apportion.records import upkeep

    done = upkeep.migrate()
    face.give(
        {
            "document": "books_migrate",
            "version": 1,
            "database": upkeep.where(),
            "steps": done.steps,
            "backup": str(done.backup) if done.backup else None,
        }
    )
    if not done.steps:
        face.say(f"The books are up to date: {shown_path(upkeep.where())}")
    else:
        face.say(f"{'Made' if done.was_new else 'Brought up to date'}: {shown_path(upkeep.where())}")
        if done.backup:
            face.say(f"The former file is kept: {shown_path(done.backup)}")


def check(face: Face) -> None:
    """Look at all of the books: triggers, every document's text, the audit chain, and the tie-out of every period.

    Exit status 3 where anything is wrong.

    \b
    Example:
      apportion books check
    """
    site.boot(face)
    from apportion.actions.close.tying import books_tie_out
    from apportion.periods import BillingPeriod
    from apportion.records import upkeep
    from apportion.records.closes import Close
    from apportion.records.documents import Document

    faults = list(upkeep.faults())
    periods = [
        BillingPeriod.parse(each.period) for each in Close.objects.filter(issued_at__isnull=False).order_by("period")
    ]
    tied = [books_tie_out(period) for period in periods]
    faults += [f"{each.period}: {sentence}" for each in tied for sentence in each.differences]
    count = Document.objects.count()
    face.give(
        {
            "document": "books_check",
            "version": 1,
            "documents": count,
            "periods": [{"period": str(each.period), "holds": each.holds} for each in tied],
            "faults": faults,
        }
    )
    for each in tied:
        face.say(f"{'✓' if each.holds else '✗'} {each.period}  {'ties out' if each.holds else 'does not tie out'}")
    for sentence in faults:
        face.say(f"✗ {sentence}")
    face.say(f"{count:,} documents looked at; {'nothing' if not faults else len(faults)} wrong.")
    if faults:
        raise typer.Exit(BOOKS_DIFFER)
