"""``apportion post status``: every journal, how far it has come, and what is next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli import site
from apportion.cli.arguments import read_period
from apportion.cli.face import Face
from apportion.periods import BillingPeriod

if TYPE_CHECKING:
    from apportion.actions.post.verifying import Told
    from apportion.post.erp.book import Push
    from apportion.records.journals import LedgerJournal
    from apportion.warehouse.store import Workspace

_OPEN = ("drawn_up", "approved", "handed_over")
MaybePeriod = Annotated[
    BillingPeriod | None,
    typer.Argument(
        parser=read_period, metavar="[PERIOD]", help="Only this billing period, such as 2026-10.", show_default=False
    ),
]


def run(face: Face, period: MaybePeriod = None) -> None:
    """List journals, and what is next for each.

    With what waits for a journal, how far pushes have come, and what ledgers refused.

    \b
    Examples:
      apportion post status
      apportion post status 2026-10
    """
    place = site.boot(face)
    from apportion.actions.post import journals, verifying
    from apportion.actions.post.posting import exportable
    from apportion.cli import post_shown as shown
    from apportion.cli.amounts import count
    from apportion.cli.tables import Column, table

    rows = list(journals.journals(period))
    waiting = exportable(period).count() if period else None
    pushes = {row.pk: _pushes(place, row) for row in rows}
    told = {row.pk: verifying.last_of(row) for row in rows}
    face.give(
        {
            "document": "post_status",
            "version": shown.VERSION,
            "period": str(period or ""),
            "waiting": waiting,
            "journals": [
                {
                    **shown.journal_document(row),
                    "pushes": [shown.push_document(each) for each in pushes[row.pk]],
                    **_verified(told[row.pk]),
                }
                for row in rows
            ],
        }
    )
    if rows:
        cells = [
            [
                str(row),
                row.period,
                shown.words(row.kind),
                row.target,
                shown.words(row.state),
                row.reference,
            ]
            for row in rows
        ]
        names = ("Journal", "Period", "Kind", "Target", "State", "Reference")
        columns = [Column(name, wraps=name == "Reference") for name in names]
        face.show(table(columns, cells))
    for row in rows:
        if row.state == "handed_over" or row.repair:
            shown.show_pushes(face, pushes[row.pk])
            shown.show_repair(face, row.repair)
        last = told[row.pk]
        if last is not None and not last.holds:
            face.say(f"✗ {row} differed when it was verified on {last.at:%Y-%m-%d}: {last.differences[0]}", "red")
    if not rows:
        face.say(f"There is no journal{f' of {period}' if period else ''} yet.")
    face.say()
    if waiting is not None:
        face.say(f"{count(waiting, 'document')} of {period} {'waits' if waiting == 1 else 'wait'} for a journal.")
    if waiting and not any(row.state in _OPEN for row in rows):
        face.say(f"Next: {shown.command(place, f'post preview {period}')}")
    for row in rows:
        if row.state in _OPEN:
            face.say(shown.next_step(place, row))


def _pushes(place: Workspace, row: LedgerJournal) -> list[Push]:
    """The last push of each part of a journal's entries, in their order; none of what people carry."""
    from apportion.actions.post import ledgers
    from apportion.actions.post.journals import content
    from apportion.actions.post.push_book import BooksPushBook

    if not ledgers.is_pushed(place.settings, row.target) or row.state in ("drawn_up", "approved"):
        return []
    book = BooksPushBook(place.root)
    parts = [
        (entry.id, company)
        for entry in content(row).entries
        for company in dict.fromkeys(line.company for line in entry.postings)
    ]
    found = [book.latest(row.target, entry, company) for entry, company in parts]
    return [push for push in found if push is not None]


def _verified(told: Told | None) -> dict[str, object]:
    """When a journal was last verified, and whether it held."""
    return {"verified_at": told.at.isoformat() if told else "", "verified": told.holds if told else None}
