"""``apportion statements``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.arguments import Period
from apportion.cli.face import Face, option, shown_path

if TYPE_CHECKING:
    from apportion.invoice.statement import Statement
    from apportion.periods import BillingPeriod
    from apportion.warehouse.store import Workspace

VERSION = 1
FOLDER = "statements"

Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Where to write; else a folder of the workspace.", show_default=False),
]


def run(face: Face, period: Period, out: Out = None) -> None:
    """Write the statements of a period.

    For each cost group a page, a text, a CSV and a JSON file.

    They go to statements/PERIOD in the workspace unless --out says otherwise; index.html leads to all of them. The
    period has to be allocated, and nothing it was made from may have changed since.

    \b
    Examples:
      apportion statements 2026-10
      apportion statements 2026-10 --out /srv/reports/october
    """
    from apportion.close import month as months
    from apportion.close import run as runs
    from apportion.invoice.export import write_statements

    workspace = face.workspace()
    made = months.statements(runs.up_to_date(workspace, period))
    directory = folder(workspace, FOLDER, period, out)
    files = write_statements(made, directory)
    face.give(
        {
            "document": "statements",
            "version": VERSION,
            "period": str(period),
            "directory": str(directory),
            "files": [path.name for path in files],
            "statements": [document(statement) for statement in made],
            "totals": totals_document(made),
        }
    )
    if not face.as_json:
        show(face, made)
        face.say()
        face.say(f"Written to {shown_path(directory)}: {len(files):,} files.")
        face.say(f"Begin with {shown_path(directory / 'index.html')}")
        face.say(f"Ask why with: apportion {option(workspace)}explain {made[0].number}:1")


def folder(workspace: Workspace, name: str, period: BillingPeriod, out: Path | None) -> Path:
    """Where the files of a period go. Raises `InputRefusedError` where they were asked for in a store."""
    if out is None:
        return workspace.root / name / str(period)
    from apportion.warehouse.outside import require_folder

    require_folder(out)
    return out.absolute()


def show(face: Face, statements: Sequence[Statement], *, most: int | None = None) -> None:
    """A table of statements for each currency, with its sum; `most`: only that many, largest first."""
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import grouped

    for place, currency in enumerate(currencies(statements)):
        amounts = [(minor(statement, currency), statement) for statement in statements if currency in _of(statement)]
        listed = sorted(amounts, key=lambda each: -each[0])[:most] if most is not None else amounts
        rows = [
            [str(statement.number), statement.name, above(statement), grouped(amount, currency)]
            for amount, statement in listed
        ]
        sums = [["", _together(len(amounts), len(listed)), "", grouped(sum(amount for amount, _ in amounts), currency)]]
        columns = [
            Column("Statement"),
            Column("Cost group", wraps=True),
            Column("Part of", wraps=True),
            Column(currency, is_number=True),
        ]
        if place:
            face.say()
        face.show(table(columns, rows, sums=sums))


def _together(count: int, listed: int) -> str:
    return f"All {count}, with {count - listed} more" if listed < count else "Together"


def above(statement: Statement) -> str:
    """The name of what is right above a cost group; nothing at the top."""
    return statement.path[-2][1] if len(statement.path) > 1 else ""


def _of(statement: Statement) -> set[str]:
    return {total.currency for total in statement.totals}


def minor(statement: Statement, currency: str) -> int:
    """A statement's total in one currency, in minor units."""
    return sum(total.minor for total in statement.totals if total.currency == currency)


def currencies(statements: Sequence[Statement]) -> list[str]:
    """The currencies of the statements' totals, in order."""
    return sorted({currency for statement in statements for currency in _of(statement)})


def document(statement: Statement) -> dict[str, object]:
    """A statement in a list, as it is written in JSON; the whole of it is in its own file."""
    from apportion.money.currency import minor_text

    return {
        "number": str(statement.number),
        "holder": str(statement.holder.holder),
        "cost_group": statement.holder.code,
        "name": statement.name,
        "lines": len(statement.lines),
        "totals": [
            {"currency": total.currency, "amount": minor_text(total.minor, total.currency)}
            for total in statement.totals
        ],
    }


def totals_document(statements: Sequence[Statement]) -> list[dict[str, str]]:
    """The sum of all statements by currency, as it is written in JSON."""
    from apportion.money.currency import minor_text

    return [
        {
            "currency": currency,
            "amount": minor_text(sum(minor(statement, currency) for statement in statements), currency),
        }
        for currency in currencies(statements)
    ]
