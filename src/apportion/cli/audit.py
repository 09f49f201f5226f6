"""``apportion audit``: the chain of who did what, proved and written out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from apportion.cli import site
from apportion.cli.face import Face, shown_path
from apportion.cli.failures import BOOKS_DIFFER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apportion.records.audit import AuditEntry

_FIELDS = (
    "number at person_name via act subject_kind subject_id subject before after reason request_id address "
    "previous_hash hash"
).split()


def read_day(text: str | datetime) -> datetime:
    """``2026-10-01`` as the first instant of that day in UTC; anything else is wrong usage."""
    if isinstance(text, datetime):
        return text
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a day. Write it as 2026-10-01.") from None


Since = Annotated[
    datetime | None, typer.Option("--since", parser=read_day, metavar="DAY", help="From this day on, in UTC.")
]
Until = Annotated[
    datetime | None, typer.Option("--until", parser=read_day, metavar="DAY", help="Up to this day and with it, in UTC.")
]


def verify(
    face: Face,
    expect: Annotated[str, typer.Option("--expect", metavar="HASH", help="The last hash as you noted it before.")] = "",
) -> None:
    """Prove that no entry of the audit chain was changed, taken out or added.

    Prints the last entry's hash: noted elsewhere and given to --expect later, it proves that the chain was not cut or
    written anew since. Exit status 3 where it does not hold.

    \b
    Examples:
      apportion audit verify
      apportion audit verify --expect 5f2c…
    """
    site.boot(face)
    from apportion.records import chain
    from apportion.records.audit import AuditEntry

    found = chain.verify()
    breaks = [f"Entry {each.number}: {each.sentence}" for each in found.breaks]
    if expect and not AuditEntry.objects.filter(hash=expect.strip().lower()).exists():
        breaks.append("The expected hash is of no entry: the chain was cut or written anew since it was noted.")
    face.give(
        {
            "document": "audit_verify",
            "version": 1,
            "holds": not breaks,
            "entries": found.entries,
            "hash": found.hash,
            "breaks": breaks,
        }
    )
    for sentence in breaks:
        face.say(f"✗ {sentence}")
    if breaks:
        raise typer.Exit(BOOKS_DIFFER)
    face.say(f"✓ {found.entries:,} entries, each as it was written.")
    face.say(f"The last one's hash: {found.hash}")


def export(
    face: Face,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.", show_default=False)],
    kind: Annotated[
        Literal["csv", "json"], typer.Option("--format", help="A table, or one JSON document on each line.")
    ] = "csv",
    since: Since = None,
    until: Until = None,
) -> None:
    """Write the audit chain to a file, all of it or of some days, with every hash.

    \b
    Examples:
      apportion audit export audit.csv
      apportion audit export october.jsonl --format json --since 2026-10-01 --until 2026-10-31
    """
    site.boot(face)
    count = 0
    with out.open("w", encoding="utf-8", newline="") as file:
        write = _csv if kind == "csv" else _json
        for text in write(_entries(since, until)):
            file.write(text)
            count += 1
    count -= kind == "csv"
    face.give({"document": "audit_export", "version": 1, "file": str(out), "entries": count})
    face.say(f"{count:,} entries in {shown_path(out)}")


def _entries(since: datetime | None, until: datetime | None) -> Iterator[AuditEntry]:
    from apportion.records.audit import AuditEntry

    rows = AuditEntry.objects.order_by("number")
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until + timedelta(days=1))
    return rows.iterator(chunk_size=2000)


def _values(entry: AuditEntry) -> dict[str, object]:
    from apportion.records.chain import instant

    return {name: instant(entry.at) if name == "at" else getattr(entry, name) for name in _FIELDS}


def _json(entries: Iterator[AuditEntry]) -> Iterator[str]:
    import json

    for entry in entries:
        yield json.dumps(_values(entry), ensure_ascii=False) + "\n"


def _csv(entries: Iterator[AuditEntry]) -> Iterator[str]:
    import csv
    import io

    def line(values: list[object]) -> str:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow([_harmless(value) for value in values])
        return text.getvalue()

    yield line([*_FIELDS])
    for entry in entries:
        yield line([*_values(entry).values()])


def _harmless(value: object) -> object:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if isinstance(value, str) and value.lstrip(" \t\r\n")[:1] in {"=", "+", "-", "@"}:
        return f"'{value}"
    return value
