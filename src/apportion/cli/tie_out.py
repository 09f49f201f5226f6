"""``apportion tie-out``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from apportion.cli.arguments import Period
from apportion.cli.face import Face
from apportion.cli.failures import BOOKS_DIFFER

if TYPE_CHECKING:
    from apportion.tie_out import TieOut


def run(face: Face, period: Period) -> None:
    """Compare every stage of a period to the last digit.

    From the providers' invoices and the cost data to the statements and the journal.

    Every difference is listed with its amount and reason. Exit status 3 if one of them must be resolved.

    \b
    Example:
      apportion tie-out 2026-10
    """
    from apportion.close import month as months
    from apportion.close import run as runs
    from apportion.tie_out import document

    workspace = face.workspace()
    tied = months.month(workspace, runs.up_to_date(workspace, period)).tie_out
    face.give(document(tied))
    show(face, tied)
    if not tied.holds:
        raise typer.Exit(BOOKS_DIFFER)


def show(face: Face, tied: TieOut) -> None:
    """Every stage and difference; what must be resolved stands out on a terminal."""
    from apportion.tie_out import render_text

    for place, line in enumerate(render_text(tied).splitlines()):
        face.say(line, _style(line, place, holds=tied.holds))


def _style(line: str, place: int, *, holds: bool) -> str:
    if place == 0:
        return "bold green" if holds else "bold red"
    mark = line.lstrip()[:2]
    if mark == "! ":
        return "bold red"
    if mark == "~ " or set(line) == {"-"}:
        return "dim"
    return "" if line.startswith(" ") else "bold"
