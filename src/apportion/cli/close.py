"""``apportion close``: the month in order, told as it goes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli import site
from apportion.cli.arguments import Period
from apportion.cli.face import Face, option, shown_path
from apportion.cli.failures import BOOKS_DIFFER
from apportion.errors import InputRefusedError

if TYPE_CHECKING:
    from apportion.close.month import Month
    from apportion.periods import BillingPeriod
    from apportion.warehouse.store import Workspace

VERSION = 1


@dataclass(frozen=True, slots=True)
class Closed:
    """What a close came to, and where its files are; nothing is written where the tie-out does not hold."""

    month: Month
    statements: tuple[Path, ...] = ()
    journal: tuple[Path, ...] = ()


def run(
    face: Face,
    period: Period,
    paths: Annotated[
        list[str] | None,
        typer.Option("--ingest", metavar="PATH", help="Load this delivery first; may be given several times."),
    ] = None,
    keep_open: Annotated[bool, typer.Option("--keep-open", help="Do all of it, but do not seal the period.")] = False,
    acting: site.As = "",
) -> None:
    """Close a period: every stage in order, and the seal.

    Checks the policy, loads deliveries (--ingest), lists findings, allocates, makes statements and journal, ties out,
    writes the files and seals the period for ever. Where the tie-out does not hold, nothing is written or sealed and
    the exit status is 3. A sealed period is replayed and has to come out the same. Where the period's documents are
    issued in the books, it is sealed there, by a person (--as), and only when nothing of it is undecided.

    \b
    Examples:
      apportion close 2026-10
      apportion close 2026-10 --ingest exports/aws --ingest exports/azure --keep-open
    """
    workspace = face.workspace()
    _require_person(workspace, acting)
    with workspace.lock(f"close {period}"):
        face.say(f"{_title(period)}, {workspace.settings.company}", "bold")
        _say_policy(face, workspace, period)
        receipts = _ingest(face, workspace, paths or ())
        _say_findings(face, workspace, period)
        closed = _settle(face, workspace, period)
        holds = closed.month.tie_out.holds
        if holds and not keep_open:
            _seal(face, workspace, closed.month, acting)
        elif holds and workspace.sealed(period) is None:
            step(face, "Open", "not sealed, because of --keep-open", mark="·")
    face.give(_document(workspace, closed, receipts))
    if not face.as_json:
        _show_end(face, workspace, closed)
    if not holds:
        raise typer.Exit(BOOKS_DIFFER)


def step(face: Face, name: str, text: str, *, mark: str = "✓") -> None:
    """One stage of the story."""
    from rich.text import Text

    from apportion.cli.face import clean

    style = {"✓": "green", "✗": "bold red"}.get(mark, "yellow")
    face.show(Text.assemble((f"{mark} ", style), f"{name:<12}", clean(text)))


def _title(period: BillingPeriod) -> str:
    from apportion.invoice.wording import period_name

    return period_name(period)


def _say_policy(face: Face, workspace: Workspace, period: BillingPeriod) -> None:
    from apportion.cli.policy import summary
    from apportion.close import run as runs

    if workspace.sealed(period) is not None:
        step(face, "Policy", "as it was when the period was sealed")
        return
    inputs = runs.read_inputs(workspace.root, period)
    step(face, "Policy", summary(inputs.policy, inputs.organization))


def _ingest(face: Face, workspace: Workspace, paths: Sequence[str]) -> list[dict[str, object]]:
    from apportion.cli.ingest import document, load, sentence

    documents = []
    for path in paths:
        receipt = load(face, workspace, [path])
        step(face, "Ingest", sentence(receipt))
        documents.append(document(receipt))
    return documents


def _say_findings(face: Face, workspace: Workspace, period: BillingPeriod) -> None:
    from apportion.cli.amounts import count
    from apportion.cli.findings import by_kind

    kinds = by_kind(workspace.findings(period))
    aside = sum(rows.rows for _, rows in workspace.quarantined(period))
    kept = f"{count(aside, 'row')} kept aside" if aside else "no row kept aside"
    text = f"{count(len(kinds), 'kind') if kinds else 'none'}, {kept}"
    step(face, "Findings", text, mark="!" if aside else "✓")


def _settle(face: Face, workspace: Workspace, period: BillingPeriod) -> Closed:
    """Allocate, make the documents, tie out; and write the files if it holds."""
    from apportion.cli.allocate import allocated, charges, holdings, unallocated
    from apportion.cli.amounts import count
    from apportion.close import month as months

    done = allocated(face, workspace, period)
    held = holdings(done.allocation)
    step(face, "Allocated", f"{count(charges(done.allocation), 'charge')}; {unallocated(held)}")
    if done.unknown_usage:
        consumers = count(len({each.consumer for each in done.unknown_usage}), "consumer")
        step(face, "Usage", f"{consumers} that no rule knows: apportion usage --check {period}", mark="!")
    month = months.month(workspace, done)
    tied = month.tie_out
    if not tied.holds:
        wrong = count(len(tied.open_differences), "difference")
        step(face, "Tie-out", f"does not hold: {wrong} must be resolved; nothing was written or sealed", mark="✗")
        return Closed(month)
    named = len(tied.differences) + len(tied.conversions)
    accepted = (
        f"{count(named, 'difference')} with {'its' if named == 1 else 'their'} reason" if named else "no difference"
    )
    step(face, "Tie-out", f"holds to the last digit; {accepted}")
    return _write(face, workspace, month)


def _write(face: Face, workspace: Workspace, month: Month) -> Closed:
    from apportion.cli import journal, statements
    from apportion.cli.amounts import count
    from apportion.close import month as months
    from apportion.invoice.export import write_statements
    from apportion.post.export import write_journal

    period = month.run.period
    months.require_ledger_takes(month.run.settings, workspace.root, month.journal)
    directory = statements.folder(workspace, statements.FOLDER, period, None)
    pages = write_statements(month.statements, directory)
    step(face, "Statements", f"{count(len(month.statements), 'statement')} in {shown_path(directory)}")
    directory = statements.folder(workspace, journal.FOLDER, period, None)
    files = write_journal(month.journal, directory)
    entries = count(len(month.journal.entries), "entry", "entries")
    size = f"{entries} with {count(len(journal.postings(month.journal)), 'posting')}"
    step(face, "Journal", f"{size} in {shown_path(directory)}")
    return Closed(month, pages, files)


def _seal(face: Face, workspace: Workspace, month: Month, acting: str) -> None:
    from apportion.close import month as months

    period = month.run.period
    if workspace.sealed(period) is not None:
        step(face, "Sealed", f"before, and replayed to the same digits: run {month.run.digest[:12]}")
        return
    if _is_issued(workspace, period):
        from apportion.actions.close import sealing

        sealing.seal(site.actor(acting), period, done=month, place=workspace)
    else:
        workspace.seal(period, months.sealed_record(month))
    step(face, "Sealed", f"for ever, with its inputs and the software: run {month.run.digest[:12]}")


def _require_person(workspace: Workspace, acting: str) -> None:
    """Refuse somebody that the books do not know, before anything is done. A person that the environment names for
    every command is no matter here until the period has to be sealed in the books.
    """
    if not acting or acting == os.environ.get(site.PERSON):
        return
    if not _has_people(workspace):
        raise InputRefusedError(
            f"{shown_path(workspace.root)} has no books, so there is no person '{acting}' to act as.",
            advice="Close without --as, or make the books with: apportion books migrate",
        )
    site.actor(acting)


def _has_people(workspace: Workspace) -> bool:
    """Whether there are books with people, and Django is set up for them; not loaded where there are none."""
    if not (site.has_books(workspace.root) and site.can_boot(workspace.root)):
        return False
    site.boot_at(workspace.root)
    from apportion.records import upkeep

    with upkeep.explained():
        return not upkeep.is_new()


def _is_issued(workspace: Workspace, period: BillingPeriod) -> bool:
    """Whether people are reviewing the period's documents."""
    if not _has_people(workspace):
        return False
    from apportion.records import upkeep
    from apportion.records.closes import Close

    with upkeep.explained():
        return Close.objects.filter(period=str(period), issued_at__isnull=False).exists()


def _show_end(face: Face, workspace: Workspace, closed: Closed) -> None:
    from apportion.cli import tie_out

    face.say()
    if not closed.month.tie_out.holds:
        tie_out.show(face, closed.month.tie_out)
        return
    show_sums(face, closed.month)
    first, period, where = closed.month.statements[0].number, closed.month.run.period, option(workspace)
    face.say()
    face.say(f"Read:  {shown_path(closed.statements[0].parent / 'index.html')}")
    face.say(f"Prove: apportion {where}tie-out {period}")
    face.say(f"Ask:   apportion {where}explain {first}:1")


def show_sums(face: Face, month: Month) -> None:
    """The sums of a month from end to end, a line for each currency, to whole minor units; the tie-out has all."""
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import rounded
    from apportion.tie_out.stage import Stage

    names = {
        Stage.PROVIDER_INVOICES: "Invoices",
        Stage.BILLED_COST: "Billed cost",
        Stage.EFFECTIVE_COST: "Effective",
        Stage.STATEMENTS: "Statements",
        Stage.JOURNAL: "Journal",
    }
    tied = month.tie_out.rows
    shown = [stage for stage in names if any(row.stage is stage for row in tied)]
    rows = []
    for currency in dict.fromkeys(row.currency for row in tied):
        sums = {row.stage: row.units for row in tied if row.currency == currency}
        rows.append([currency, *(rounded(sums[stage], currency).partition(" ")[0] for stage in shown)])
    if together := month.tie_out.reporting:
        sums = {row.stage: row.units for row in together.rows}
        amounts = (rounded(sums[stage], together.currency).partition(" ")[0] for stage in shown)
        rows.append([f"All in {together.currency}", *amounts])
    face.show(table([Column(""), *(Column(names[stage], is_number=True) for stage in shown)], rows))
    if any(len(set(row[1:])) > 1 for row in rows):
        face.say("Where neighbours differ, the tie-out names each difference and its reason.", "dim")


def _document(workspace: Workspace, closed: Closed, receipts: list[dict[str, object]]) -> dict[str, object]:
    from apportion.cli import journal, statements
    from apportion.cli.allocate import charges
    from apportion.cli.findings import by_kind
    from apportion.tie_out import document as tie_out_document

    month = closed.month
    period = month.run.period
    seal = workspace.sealed(period)
    return {
        "document": "close",
        "version": VERSION,
        "period": str(period),
        "company": workspace.settings.company,
        "ingested": receipts,
        "findings": [
            {
                "code": kind[0][1].code,
                "behaviour": str(kind[0][1].behaviour),
                "rows": sum(each.rows for _, each in kind),
            }
            for kind in by_kind(workspace.findings(period))
        ],
        "rows": charges(month.run.allocation),
        "run_digest": month.run.digest,
        "statements": {
            "count": len(month.statements),
            "totals": statements.totals_document(month.statements),
            "files": [str(path) for path in closed.statements],
        },
        "journal": {
            "id": month.journal.id,
            "entries": len(month.journal.entries),
            "postings": len(journal.postings(month.journal)),
            "files": [str(path) for path in closed.journal],
        },
        "tie_out": tie_out_document(month.tie_out),
        "sealed": seal is not None,
        "seal": dict(seal) if seal is not None else None,
    }
