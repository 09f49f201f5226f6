"""``apportion post``: journals drawn up, approved by a second person, and brought into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli import site
from apportion.cli.arguments import Period
from apportion.cli.face import Face, shown_path
from apportion.cli.failures import REFUSED
from apportion.errors import InputRefusedError, NotFoundError

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apportion.post.erp.book import Push
    from apportion.post.journal import Journal
    from apportion.post.lifecycle import JournalKind
    from apportion.records.journals import LedgerJournal
    from apportion.warehouse.store import Workspace

ABOUT = """\
Bring accepted invoices into the ledger, each once.

\b
The way of a journal:
  preview      what would be posted, in balance for each company and currency
  draw-up      keep it, with its documents
  approve      by somebody else: it takes its number
  push         into a ledger that answers; or export, for people to carry, and confirm
  reverse      what is posted; or withdraw, what is not

Then: apportion ledger verify
"""
KINDS = ("transfer", "provider", "accrual", "true-up", "prepaid", "remainder", "showback")


def read_kind(text: str) -> str:
    """A kind of journal as the books call it; anything else is wrong usage."""
    found = text.strip().lower().replace("_", "-")
    if found not in KINDS:
        raise typer.BadParameter(f"'{text}' is no kind of journal. Use {', '.join(KINDS)}.")
    return found.replace("-", "_")


Kind = Annotated[
    str,
    typer.Option(
        "--kind",
        parser=read_kind,
        metavar="KIND",
        show_default=False,
        help=f"{', '.join(KINDS)}; transfer if nothing is said.",
    ),
]
Named = Annotated[
    str,
    typer.Argument(
        metavar="JOURNAL", help="Its number (JV-…), or its id (JN-…) before it has one.", show_default=False
    ),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; an auditor will ask.")]


def preview(
    face: Face,
    period: Period,
    kind: Kind = "transfer",
    lines: Annotated[bool, typer.Option("--lines", help="Show every line, too.")] = False,
) -> None:
    """Show the journal that would be drawn up now.

    Nothing is changed.

    Debit and credit of each company and currency come first; every balance has to be zero. Then the accounts, or with
    --lines all lines. What the ledger's master data or its open periods do not allow is listed last (exit status 1).

    \b
    Kinds:
      transfer   accepted invoices and notes: cost moves from the payer to cost groups
      provider   the providers' invoices, as payables     accrual    cost without an invoice yet
      true-up    the accrual taken back                   prepaid    commitments paid upfront
      remainder  what nobody owns yet                     showback   counted, never money

    \b
    Examples:
      apportion post preview 2026-10
      apportion post preview 2026-10 --kind accrual --lines
    """
    place = site.boot(face)
    from apportion.actions.post import journals, ledgers
    from apportion.cli import post_shown as shown
    from apportion.post.lifecycle import JournalKind
    from apportion.review.states import StateError

    chosen = JournalKind(kind)
    found = journals.preview(period, chosen)
    if found is None:
        raise StateError(
            f"Nothing of {period} waits for a journal of the kind {shown.words(kind)}.", advice=_nothing(chosen)
        )
    target = ledgers.ledger_for(place.settings, chosen)
    face.say(f"Journal ({shown.words(kind)}) of {period} for {target}, not drawn up yet: {_size(found)}", "bold")
    face.say()
    shown.show_balances(face, found)
    shown.show_lines(face, found) if lines else shown.show_accounts(face, found)
    _require_taken(place, found)
    face.give(
        {
            "document": "post_preview",
            "version": shown.VERSION,
            "id": found.id,
            "period": str(period),
            "kind": kind,
            "target": target,
            "sha256": found.digest,
            "entries": len(found.entries) + len(found.statistical),
            "balances": shown.balances_document(found),
            "accounts": shown.accounts_document(found),
        }
    )
    more = "" if chosen is JournalKind.TRANSFER else f" --kind {kind.replace('_', '-')}"
    face.say()
    face.say("The ledger's rules and master data, as far as the settings name them, allow all of it.")
    face.say(f"Next: {shown.command(place, f'post draw-up {period}{more} --as EMAIL')}")


def draw_up(
    face: Face,
    period: Period,
    kind: Kind = "transfer",
    target: Annotated[
        str, typer.Option("--target", metavar="NAME", help="Where it goes; else the first target of the settings.")
    ] = "",
    acting: site.As = "",
) -> None:
    """Make the journal of everything that waits.

    A second person approves it. Its documents are on their way with it, each once. One journal at a time waits for a
    target.

    \b
    Example:
      apportion post draw-up 2026-10 --as ada@example.com
    """
    place = site.boot(face)
    from apportion.actions.post import journals
    from apportion.post.lifecycle import JournalKind

    actor = site.actor(acting)
    row = journals.draw_up(actor, period, JournalKind(kind), target)
    _told(face, place, "draw_up", row)


def approve(face: Face, journal: Named, acting: site.As = "") -> None:
    """Approve what somebody else has drawn up.

    The journal takes its number; numbers have no gaps.

    \b
    Example:
      apportion post approve JN-2026-10-1a2b3c4d5e6f --as ben@example.com
    """
    place = site.boot(face)
    from apportion.actions.post import journals

    actor = site.actor(acting)
    row = journals.approve(actor, _found(journal).pk)
    _told(face, place, "approve", row)


def export(face: Face, journal: Named, acting: site.As = "") -> None:
    """Write an approved journal's files.

    For a target of files, into journals/PERIOD/ID of the workspace. Exported again, they are the same byte by
    byte. A control file beside them has their digests and totals.

    \b
    Example:
      apportion post export JV-1000-FY2026-000001 --as ada@example.com
    """
    place = site.boot(face)
    from apportion.actions.post import handing_over

    actor = site.actor(acting)
    row, files = handing_over.export(actor, _found(journal).pk)
    _told(face, place, "export", row, files=files)


def push(face: Face, journal: Named, acting: site.As = "") -> None:
    """Bring an approved journal into its ledger.

    A push that was cut off is completed by the next one: each entry is posted once. It is "posted" when the
    ledger shows all of it. What the ledger refuses is listed line by line, with what would help
    (exit status 1), and nothing of the journal stays there. Where the ledger does not answer, push again later (4).

    \b
    Example:
      apportion post push JV-1000-FY2026-000001 --as ada@example.com
    """
    place = site.boot(face)
    from apportion.actions.post import handing_over, journals
    from apportion.cli import post_shown as shown

    actor = site.actor(acting)
    found = _found(journal)
    report = handing_over.push(actor, found.pk)
    row = journals.journal_row(found.pk)
    _told(face, place, "push", row, pushes=(*report.posted, *report.unsent))
    if report.already:
        face.say(f"{report.already} of them had been posted by an earlier push.")
    if not report.done:
        face.say()
        shown.show_repair(face, row.repair)
        face.say("Repair it in the ledger or in the mapping, then push again; or withdraw the journal.")
        raise typer.Exit(REFUSED)


def confirm(
    face: Face,
    journal: Named,
    reference: Annotated[
        str, typer.Option("--reference", metavar="NUMBER", help="The number that the ledger gave it.")
    ] = "",
    acting: site.As = "",
) -> None:
    """Say that the ledger has taken a journal.

    For what was exported or dropped in a folder, with the number that the ledger gave it. A ledger that answers
    is asked by pushing instead.

    \b
    Example:
      apportion post confirm JV-1000-FY2026-000001 --reference 4900012345 --as ada@example.com
    """
    place = site.boot(face)
    from apportion.actions.post import handing_over

    actor = site.actor(acting)
    row = handing_over.confirm(actor, _found(journal).pk, reference)
    _told(face, place, "confirm", row)


def withdraw(face: Face, journal: Named, reason: Reason = "", acting: site.As = "") -> None:
    """Give up a journal that is not posted.

    Its drafts in the ledger are deleted, and its documents wait again.

    \b
    Example:
      apportion post withdraw JV-1000-FY2026-000001 --reason "Wrong account for Search" --as ada@example.com
    """
    place = site.boot(face)
    from apportion.actions.post import journals

    actor = site.actor(acting)
    row = journals.withdraw(actor, _found(journal).pk, reason)
    _told(face, place, "withdraw", row)


def reverse(face: Face, journal: Named, reason: Reason = "", acting: site.As = "") -> None:
    """Draw up what takes a posted journal back.

    Entry by entry, to zero on each account and dimension. It is approved, handed over and confirmed like any
    other; then its documents wait again.

    \b
    Example:
      apportion post reverse JV-1000-FY2026-000001 --reason "Booked in the wrong year" --as ada@example.com
    """
    place = site.boot(face)
    from apportion.actions.post import journals

    actor = site.actor(acting)
    row = journals.draw_up_reversal(actor, _found(journal).pk, reason)
    _told(face, place, "reverse", row)


def _told(
    face: Face,
    place: Workspace,
    act: str,
    row: LedgerJournal,
    *,
    files: Sequence[Path] = (),
    pushes: Sequence[Push] = (),
) -> None:
    """What an act came to: the journal, its balance, its files or pushes, and what is next."""
    from apportion.actions.post.journals import content
    from apportion.cli import post_shown as shown

    found = content(row)
    face.give(
        {
            "document": "post_journal",
            "version": shown.VERSION,
            "act": act,
            **shown.journal_document(row),
            "balances": shown.balances_document(found),
            "files": [str(path) for path in files],
            "pushes": [shown.push_document(each) for each in pushes],
        }
    )
    shown.show_journal(face, row)
    if act in ("draw_up", "reverse", "approve"):
        face.say(f"  {_size(found)}")
        face.say()
        shown.show_balances(face, found)
    if files:
        face.say()
        face.say(f"Written to {shown_path(files[0].parent)}:")
        for path in files:
            face.say(f"  {path.name}")
    shown.show_pushes(face, pushes)
    step = shown.next_step(place, row)
    if step and not row.repair:
        face.say()
        face.say(step)


def _found(named: str) -> LedgerJournal:
    """A journal by its number or id; of those with one id, the one that waits, else the one that is posted."""
    from apportion.post.lifecycle import PENDING, JournalState
    from apportion.records.journals import LedgerJournal

    text = named.strip()
    rows: QuerySet[LedgerJournal] = LedgerJournal.objects.order_by("-pk")
    found = list(rows.filter(label__iexact=text)) or list(rows.filter(journal_id__iexact=text))
    if not found:
        raise NotFoundError(
            f"There is no journal '{named}'.", advice="Look at the numbers and ids with: apportion post status"
        )
    live = [row for row in found if row.state not in (JournalState.WITHDRAWN, JournalState.REVERSED)]
    if len(live) > 1 and len(waiting := [row for row in live if row.state in PENDING]) == 1:
        return waiting[0]  # the others have numbers, and are named by them
    if len(live) > 1:
        where = " and ".join(f"{row.label or 'without a number'} for {row.target}" for row in live)
        raise InputRefusedError(f"'{named}' is {where}.", advice="Name it by its number; or end one of them first.")
    return live[0] if live else found[0]


def _require_taken(place: Workspace, found: Journal) -> None:
    """What drawing it up would refuse. Raises `JournalRefusedError` with every line."""
    from django.utils import timezone

    from apportion.close.month import posting_calendar, require_ledger_takes
    from apportion.post import rules

    rules.require(found, posting_calendar(place.settings, place.root, timezone.localdate()))
    require_ledger_takes(place.settings, place.root, found)


def _size(found: Journal) -> str:
    """``2 entries, 5 lines``; what is only counted is counted with them."""
    from apportion.cli.amounts import count

    entries = [*found.entries, *found.statistical]
    lines = sum(len(entry.postings) for entry in found.entries) + sum(len(entry.lines) for entry in found.statistical)
    return f"{count(len(entries), 'entry', 'entries')}, {count(lines, 'line')}"


def _nothing(kind: JournalKind) -> str:
    """Why nothing may wait."""
    if kind == "transfer":
        return "Only accepted invoices and notes in chargeback do, each once."
    return "Either none is due for the period, or it was drawn up already: see apportion post status."
