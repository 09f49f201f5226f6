"""``apportion explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.arguments import read_count
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
        str,
        typer.Argument(
            metavar="NUMBER[:LINE]", help="A statement, or one of its lines: ST-2026-10-0003:2.", show_default=False
        ),
    ],
    rows: Annotated[
        int,
        typer.Option("--rows", parser=read_rows, metavar="N", help="How many source rows to show of each amount."),
    ] = 10,
) -> None:
    """Explain a line of a statement down to its source rows.

    Every step shows its parts and their sum.

    Without LINE, the whole statement is printed. With it: the settled and the exact amount, the rules or the share of
    a pool, what the pool is made of, and the source rows, largest first.

    \b
    Examples:
      apportion explain ST-2026-10-0003
      apportion explain ST-2026-10-0003:2 --rows 50
    """
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
