"""The journal as files: the machine file with its control file, hledger and JSON."""

from __future__ import annotations

from pathlib import Path

from apportion.invoice.export import write_files
from apportion.post.formats import csv_text, hledger, json_text
from apportion.post.journal import Journal


def write_journal(journal: Journal, directory: Path) -> tuple[Path, ...]:
    """Write ``journal-PERIOD`` as .csv with .control.json, .hledger and .json; return the files.

    The same journal gives the same bytes. Raises `BadValueError` for text that machine files refuse, before anything
    is written, and `StorageError` when the disk refuses.
    """
    machine = csv_text.render(journal)
    name = f"journal-{journal.period}"
    contents = {
        f"{name}.csv": machine.lines,
        f"{name}.control.json": machine.control,
        f"{name}.hledger": hledger.render(journal),
        f"{name}.json": json_text.render(journal),
    }
    return write_files(contents, directory)
