"""``apportion restate``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.arguments import read_period
from apportion.cli.face import Face, shown_path

if TYPE_CHECKING:
    from apportion.close.bridge import Moved, Step
    from apportion.close.restate import Restated
    from apportion.periods import BillingPeriod

VERSION = 1
MOST_PERIODS = 240
COLUMNS = ("period", "holder", "cost_group", "name", "in_tree", "currency", "before", "moved_out", "moved_in", "after")


def read_day(text: str | date) -> date:
    """``2026-10-31`` as a day; anything else is wrong usage."""
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a day. Write it as YYYY-MM-DD, for example 2026-10-31.") from None


def run(
    face: Face,
    periods: Annotated[
        list[str],
        typer.Argument(metavar="PERIOD", help="Billing periods, or FROM..TO: 2026-01..2026-06.", show_default=False),
    ],
    as_of: Annotated[
        date | None,
        typer.Option(
            parser=read_day, metavar="DAY", help="The day whose tree counts; else the last day of the newest period."
        ),
    ] = None,
    organization: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The organization; else that of the workspace.")
    ] = None,
    successor: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW", help="Who stands for a cost group that is gone; repeatable."),
    ] = None,
    to: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the bridge of each period.")] = None,
) -> None:
    """Restate past periods as if today's tree had been in force all the time. Nothing is changed.

    Each period keeps its own charges and policy. For every cost group, with all that is below it: the amount before,
    what moved out, what moved in, and the amount after. A group that is gone stands for its successor: the one named
    here, or the one that an alias in today's policy gives for its code. Without one, its charges go on to the next rule
    that meets them, and its agreed shares stay visible as unallocated.

    \b
    Examples:
      apportion restate 2026-01..2026-06
      apportion restate 2026-03 --as-of 2027-01-01 --successor legacy=payments --csv bridge.csv
    """
    from apportion.cli.progress import rows_done
    from apportion.close.restate import restate
    from apportion.warehouse import outside

    workspace = face.workspace()
    if to is not None:
        outside.require_outside(workspace.root, to)
    asked = list(dict.fromkeys(period for text in periods for period in _periods(text)))
    successors = _successors(successor or ())
    total = sum(file.rows for period in asked for file in workspace.snapshot(period).files)
    with rows_done(face, "Restating", total) as progress:
        found = restate(
            workspace, asked, organization=organization, as_of=as_of, successors=successors, progress=progress
        )
    if to is not None:
        outside.write(to, [_bridge_text(found)])
    face.give(document(found))
    if not face.as_json:
        _show(face, found)
    if to is not None:
        face.say(f"Written: {shown_path(to)}")


def _periods(text: str) -> Iterator[BillingPeriod]:
    """``2026-10``, or every period of ``2026-01..2026-06``."""
    first, dots, last = text.partition("..")
    start = read_period(first)
    end = read_period(last) if dots else start
    if end < start:
        raise typer.BadParameter(f"'{text}' ends before it begins.")
    if (end.year - start.year) * 12 + end.month - start.month >= MOST_PERIODS:
        raise typer.BadParameter(f"'{text}' is more than {MOST_PERIODS} periods.")
    while start <= end:
        yield start
        start = start.next


def _successors(given: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in given:
        old, _, new = text.partition("=")
        if not old or not new:
            raise typer.BadParameter(f"'{text}' is not OLD=NEW.")
        found[old] = new
    return found


# What it came to, as text and as a file.


def _show(face: Face, found: Restated) -> None:
    from apportion.cli.amounts import listed
    from apportion.invoice.wording import grouped

    names = [str(each.period) for each in found.periods]
    span = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]} ({len(names)} periods)"
    face.say(f"{span} as if the tree of {found.as_of} had been in force. Nothing was changed.", "bold")
    for currency in dict.fromkeys(step.currency for step in found.together):
        before, after = _whole(found, currency)
        sums = [["Together", grouped(before, currency), "", "", grouped(after, currency)]]
        show_bridge(face, currency, found.together, sums)
    face.say()
    face.say("Each line holds all that is below it: before - moved out + moved in = after.")
    if found.renamed:
        face.say("Successors: " + ", ".join(f"{old} is {new} now" for old, new in found.renamed.items()) + ".")
    if found.gone:
        face.say(f"Gone without a successor: {listed(found.gone)}. Name one with --successor OLD=NEW.", "yellow")


def show_bridge(face: Face, heading: str, steps: Sequence[Step], sums: Sequence[Sequence[str]] = ()) -> None:
    """The steps in the currency that `heading` begins with, as a table."""
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import grouped

    numbers = [Column(each, is_number=True) for each in ("Before", "Moved out", "Moved in", "After")]
    rows = [
        [_label(step), *(grouped(each, step.currency) for each in _amounts(step))]
        for step in steps
        if heading.startswith(step.currency)
    ]
    face.say()
    face.show(table([Column(heading, wraps=True), *numbers], rows, sums=sums))


def _amounts(step: Step) -> tuple[int, int, int, int]:
    return (step.before, step.moved_out, step.moved_in, step.after)


def _label(step: Step) -> str:
    gone = " (gone)" if step.is_gone else ""
    return f"{'  ' * step.depth}{step.name}{gone}"


def _whole(found: Restated, currency: str) -> tuple[int, int]:
    totals = [total for each in found.periods for total in each.comparison.totals if total.currency == currency]
    return sum(total.before for total in totals), sum(total.after for total in totals)


def _bridge_text(found: Restated) -> str:
    from apportion.money.currency import minor_text

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for restated in found.periods:
        for step in restated.bridge:
            about = (str(restated.period), str(step.holder.holder), step.holder.code, step.name)
            amounts = (minor_text(amount, step.currency) for amount in _amounts(step))
            writer.writerow([*about, "no" if step.is_gone else "yes", step.currency, *amounts])
    return text.getvalue()


# What it came to, as a document.


def document(found: Restated) -> dict[str, object]:
    """The document of ``restate --json``."""
    from apportion.money.currency import minor_text

    return {
        "document": "restatement",
        "version": VERSION,
        "as_of": found.as_of.isoformat(),
        "successors": [{"old": old, "new": new} for old, new in found.renamed.items()],
        "gone": list(found.gone),
        "periods": [
            {
                "period": str(each.period),
                "totals": [
                    {"currency": currency, "before": minor_text(was, currency), "after": minor_text(now, currency)}
                    for currency, was, now in each.comparison.totals
                ],
                "bridge": [step_document(step) for step in each.bridge],
            }
            for each in found.periods
        ],
        "together": [step_document(step) for step in found.together],
    }


def step_document(step: Step) -> dict[str, object]:
    """One step of a bridge, as it is written in JSON."""
    from apportion.money.currency import minor_text

    return {
        "holder": str(step.holder.holder),
        "cost_group": step.holder.code,
        "name": step.name,
        "depth": step.depth,
        "in_tree": not step.is_gone,
        "currency": step.currency,
        "before": minor_text(step.before, step.currency),
        "moved_out": minor_text(step.moved_out, step.currency),
        "moved_in": minor_text(step.moved_in, step.currency),
        "after": minor_text(step.after, step.currency),
        "causes": [_moved_document(moved, step.currency) for moved in step.moved],
    }


def _moved_document(moved: Moved, currency: str) -> dict[str, object]:
    from apportion.money.currency import minor_text

    return {
        "cause": str(moved.cause),
        "moved_out": minor_text(moved.out, currency),
        "moved_in": minor_text(moved.into, currency),
    }
