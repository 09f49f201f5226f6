"""``apportion explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.arguments import OnlyPeriod, read_count
from apportion.cli.face import Face, option

if TYPE_CHECKING:
    from apportion.close.explain import Explanation
    from apportion.periods import BillingPeriod
    from apportion.warehouse.store import Workspace

MOST_ROWS = 1000


def read_rows(text: str | int) -> int:
    """How many rows to show: a count that a person can still read."""
    rows = read_count(text)
    if rows > MOST_ROWS:
        raise typer.BadParameter(f"At most {MOST_ROWS:,} rows are shown of each amount.")
    return rows


def run(
    face: Face,
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="[NUMBER[:LINE]]", help="A statement, or one of its lines: ST-2026-10-0003:2.", show_default=False
        ),
    ] = None,
    rows: Annotated[
        int,
        typer.Option("--rows", parser=read_rows, metavar="N", help="How many source rows to show of each amount."),
    ] = 10,
    row: Annotated[
        str | None,
        typer.Option(
            "--row",
            metavar="FILE:ROW",
            help="Instead of a statement: where this row's cost ended up.",
            show_default=False,
        ),
    ] = None,
    period: OnlyPeriod = None,
) -> None:
    """Explain a line of a statement down to its source rows, or a source row up to the lines that carry it.

    Every step shows its parts and their sum.

    Without LINE, the whole statement is printed. With it: the settled and the exact amount, the rules or the share of
    a pool, every pool on the way with its basis, exact fractions and what it is made of, and the source rows, largest
    first.

    With --row and --period: the rule that decided about that row, and everybody who carries a part of its cost, with
    statement and line. FILE and ROW are as findings and explanations name them, rows counted from 1.

    \b
    Examples:
      apportion explain ST-2026-10-0003
      apportion explain ST-2026-10-0003:2 --rows 50
      apportion explain --row cloud/october.csv:37 --period 2026-10
    """
    if (reference is None) == (row is None):
        raise typer.BadParameter("Name a statement, or a row with --row FILE:ROW.", param_hint="'NUMBER[:LINE]'")
    if reference is not None and period is not None:
        raise typer.BadParameter("A statement's number says its period; this is for --row.", param_hint="'--period'")
    if reference is None:
        _explain_row(face, row or "", period)
    else:
        _explain_line(face, reference, rows)


def _explain_row(face: Face, place: str, period: BillingPeriod | None) -> None:
    from apportion.cli.explain_row import document, lines
    from apportion.close.whereabouts import whereabouts

    if period is None:
        raise typer.BadParameter("Name the billing period that the row is charged in.", param_hint="'--period'")
    file, _, number = place.rpartition(":")
    if not file or not (number.isascii() and number.isdecimal()) or len(number) > 15 or int(number) == 0:
        raise typer.BadParameter(f"'{place}' is not a row, such as cloud/october.csv:37.", param_hint="'--row'")
    found = whereabouts(face.workspace(), period, file, int(number))
    face.give(document(found))
    if not face.as_json:
        for line in lines(found, face.width):
            face.say(line)


def _explain_line(face: Face, reference: str, rows: int) -> None:
    from apportion.cli.explain_json import document
    from apportion.cli.explain_text import lines
    from apportion.invoice.render import json_text

    workspace = face.workspace()
    found = _explained(workspace, _period_of(reference), reference, rows)
    if found.line is None or found.trace is None:
        face.give(json_text.document(found.statement))
        _show_statement(face, found, option(workspace))
        return
    face.give(document(found, found.line, found.trace))
    if not face.as_json:
        for line in lines(found, found.line, found.trace, face.width):
            face.say(line)


def _period_of(reference: str) -> BillingPeriod:
    """The period of a statement. A number that no statement could have is wrong usage, not one that is missing."""
    from apportion.errors import InputRefusedError
    from apportion.invoice.numbering import read_reference

    try:
        return read_reference(reference)[0].period
    except InputRefusedError as error:
        raise typer.BadParameter(f"{error.sentence} {error.advice}", param_hint="'NUMBER[:LINE]'") from None


def _explained(workspace: Workspace, period: BillingPeriod, reference: str, rows: int) -> Explanation:
    from apportion.close import run as runs
    from apportion.close.explain import explain
    from apportion.errors import NotFoundError

    try:
        return explain(workspace, reference, most=rows)
    except NotFoundError:
        raise
    except Exception:
        runs.up_to_date(workspace, period)  # where other charges were delivered since, that is what went wrong
        raise


def _show_statement(face: Face, found: Explanation, where: str) -> None:
    from apportion.invoice.render import text

    if face.as_json:
        return
    face.say(text.render(found.statement).rstrip("\n"))
    face.say()
    face.say(f"Take a line apart with: apportion {where}explain {found.statement.number}:LINE")
