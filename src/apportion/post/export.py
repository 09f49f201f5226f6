"""The journal as files: the machine file with its control file, plain text for two other ledgers, and JSON."""

from __future__ import annotations

from pathlib import Path

from apportion.invoice.export import write_files
from apportion.post.formats import beancount, csv_text, hledger, json_text
from apportion.post.journal import Journal


def write_journal(journal: Journal, directory: Path) -> tuple[Path, ...]:
    """Write the files of `generic_files`. Raises as that does, and `StorageError` when the disk refuses."""
    return write_files(generic_files(journal), directory)


def generic_files(journal: Journal) -> dict[str, bytes]:
    """``journal-PERIOD`` as .csv with .control.json, .hledger, .beancount and .json, by name.

    Statistical quantities, where there are some, are in a .statistical.csv of their own.

    The same journal gives the same bytes. Raises `BadValueError` for text that machine files refuse.
    """
    machine = csv_text.render(journal)
    name = f"journal-{journal.period}"
    contents = {
        f"{name}.csv": machine.lines,
        **({f"{name}.statistical.csv": machine.statistical} if machine.statistical else {}),
        f"{name}.control.json": machine.control,
        f"{name}.hledger": hledger.render(journal),
        f"{name}.beancount": beancount.render(journal),
        f"{name}.json": json_text.render(journal),
    }
    return {file: text.encode("utf-8") for file, text in contents.items()}
