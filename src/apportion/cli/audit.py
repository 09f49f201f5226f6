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
    from django.db.models import QuerySet

    from apportion.records.audit import AuditEntry


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
    place = site.boot(face)
    from apportion.actions import auditing
    from apportion.warehouse import outside

    outside.require_outside(place.root, out)
    rows = _entries(since, until)
    count = rows.count()
    outside.write(out, auditing.texts(rows.iterator(chunk_size=2000), "csv" if kind == "csv" else "jsonl"))
    face.give({"document": "audit_export", "version": 1, "file": str(out), "entries": count})
    face.say(f"{count:,} entries in {shown_path(out)}")


def _entries(since: datetime | None, until: datetime | None) -> QuerySet[AuditEntry]:
    """Up to the last entry of now: what is written meanwhile is for the next time."""
    from apportion.records.audit import AuditEntry, AuditHead

    last = AuditHead.objects.filter(pk=1).values_list("number", flat=True).first() or 0
    rows = AuditEntry.objects.filter(number__lte=last).order_by("number")
    if since is not None:
        rows = rows.filter(at__gte=since)
    return rows if until is None else rows.filter(at__lt=until + timedelta(days=1))
