"""Statements as files: four formats each, and an index over them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from apportion.errors import InputRefusedError, StorageError
from apportion.invoice.numbering import Number
from apportion.invoice.render import csv_text, html, json_text, text
from apportion.invoice.statement import Statement
from apportion.money.currency import minor_text
from apportion.warehouse.outside import replacing, require_regular

RENDERERS: Mapping[str, Callable[[Statement], str]] = {
    ".json": json_text.render,
    ".csv": csv_text.render,
    ".txt": text.render,
    ".html": html.render,
}


def write_statements(statements: Sequence[Statement], directory: Path) -> tuple[Path, ...]:
    """Write each statement in every format under its number, and ``index.html`` and ``index.csv``; return the files.

    `directory` is made if it is missing. The same statements give the same bytes. Files of statements that an
    earlier run numbered for the same prefix and period, and that are no more, are removed; nothing else is touched.
    Raises `InputRefusedError` for a number used twice, and `StorageError` when the disk refuses.
    """
    names = [str(statement.number) for statement in statements]
    if len(set(names)) != len(names):
        raise InputRefusedError("Two statements have the same number.", advice="Write one run at a time.")
    # Everything is rendered before the first file is written: a fault leaves the directory as it was.
    contents = {
        f"{name}{suffix}": render(statement)
        for name, statement in zip(names, statements, strict=True)
        for suffix, render in RENDERERS.items()
    }
    contents["index.html"] = html.render_index(statements, [f"{name}.html" for name in names])
    contents["index.csv"] = _index_csv(statements)
    written = write_files(contents, directory)
    runs = {(statement.number.prefix, statement.period) for statement in statements}
    for path in _statement_files(directory):
        number = Number.parse(path.stem)
        if path.name not in contents and (number.prefix, number.period) in runs:
            path.unlink()
    return written


def write_files(contents: Mapping[str, str] | Mapping[str, bytes], directory: Path) -> tuple[Path, ...]:
    """Write texts (as UTF-8) or bytes under their names, each one whole or not at all.

    Raises `InputRefusedError`, before the first one, for a name that a folder, link or device has; and `StorageError`.
    """
    require_regular(*(directory / name for name in contents))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return tuple(_replace(directory / name, content) for name, content in contents.items())
    except OSError as error:
        raise StorageError(
            f"The files cannot be written to {directory}: {(error.strerror or str(error)).lower()}.",
            advice="Free some space or make the directory writable, then write them again.",
        ) from error


def _replace(path: Path, content: str | bytes) -> Path:
    with replacing(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)
        os.fchmod(file.fileno(), 0o644)
    return path


def _statement_files(directory: Path) -> list[Path]:
    found: list[Path] = []
    for path in sorted(directory.iterdir()):
        if path.suffix in RENDERERS:
            try:
                Number.parse(path.stem)
            except InputRefusedError:
                continue
            found.append(path)
    return found


def _index_csv(statements: Sequence[Statement]) -> str:
    header = ["statement", "period", "holder", "cost_group", "name", "path", "currency", "amount"]
    return csv_text.table(
        header,
        (
            [
                str(statement.number),
                str(statement.period),
                str(statement.holder.holder),
                csv_text.guarded(statement.holder.code),
                csv_text.guarded(statement.name),
                csv_text.guarded(" > ".join(name for _, name in statement.path)),
                total.currency,
                minor_text(total.minor, total.currency),
            ]
            for statement in statements
            for total in statement.totals
        ),
    )
