"""``apportion findings``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.arguments import OnlyPeriod
from apportion.cli.face import Face, shown_path

if TYPE_CHECKING:
    from apportion.focus.finding import Finding
    from apportion.warehouse.record import Delivery
    from apportion.warehouse.store import Workspace

VERSION = 1
COLUMNS = "source delivery file column row value code behaviour rows sentence advice".split()
_PLACES = 5  # of one kind of finding; the file has all

Found = Sequence[tuple["Delivery", "Finding"]]


def run(
    face: Face,
    period: OnlyPeriod = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Only this source.")] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write all of them to a CSV file, a row an example.")
    ] = None,
) -> None:
    """List what was found in the delivered data, with advice.

    Findings of the current deliveries, by kind, those in most rows first.

    \b
    Examples:
      apportion findings --period 2026-10
      apportion findings --csv findings.csv
    """
    from apportion.warehouse import outside

    workspace = face.workspace()
    if source is not None:
        _require_known(workspace, source)
    if csv is not None:
        outside.require_outside(workspace.root, csv)
    found = workspace.findings(period, source)
    if csv is not None:
        outside.write(csv, [csv_text(found)])
    face.give(
        {
            "document": "findings",
            "version": VERSION,
            "period": str(period) if period else None,
            "source": source,
            "csv": str(csv) if csv is not None else None,
            "findings": [finding_document(delivery, finding) for delivery, finding in found],
        }
    )
    if not found:
        face.say("Nothing was found." if workspace.deliveries() else "Nothing was delivered yet.")
    for kind in by_kind(found):
        _show(face, kind)
    if csv is not None:
        face.say(f"All of them, a row an example: {shown_path(csv)}")


def _require_known(workspace: Workspace, source: str) -> None:
    """Refuse a source that delivered nothing and that the settings do not name. Raises `NotFoundError`."""
    from apportion.cli.amounts import listed
    from apportion.errors import NotFoundError

    known = sorted({delivery.source for delivery in workspace.deliveries()} | set(workspace.settings.sources))
    if source not in known:
        advice = f"There is {listed(known)}." if known else "Nothing was delivered yet."
        raise NotFoundError(f"There is no source '{source}'.", advice=advice)


def by_kind(found: Found) -> list[list[tuple[Delivery, Finding]]]:
    """Findings by code and what was done, those with most rows first."""
    kinds: dict[tuple[str, str], list[tuple[Delivery, Finding]]] = {}
    for delivery, finding in found:
        kinds.setdefault((finding.code, finding.behaviour), []).append((delivery, finding))
    return sorted(kinds.values(), key=lambda kind: -sum(finding.rows for _, finding in kind))


def done_with(finding: Finding) -> str:
    """What was done with the rows of a finding, in two words."""
    from apportion.focus.finding import Behaviour

    words = {Behaviour.ACCEPTED: "accepted", Behaviour.QUARANTINED: "kept aside", Behaviour.REFUSED: "refused"}
    return words[finding.behaviour]


def extent(kind: Found) -> str:
    """How much of the data a kind of finding is about: ``3 rows accepted``, or ``in 2 places`` of a file as a whole."""
    from apportion.cli.amounts import count

    rows = sum(finding.rows for _, finding in kind)
    if not rows:
        return f"in {count(len(kind), 'place')}"
    # A row with several such columns is counted in each of them.
    unit = "row" if len({finding.column for _, finding in kind}) == 1 else "value"
    return f"{count(rows, unit)} {done_with(kind[0][1])}"


def _show(face: Face, kind: Found) -> None:
    from apportion.cli.amounts import count

    first = kind[0][1]
    face.say(f"{first.code}  {extent(kind)}", "bold")
    said = ""
    for delivery, finding in kind[:_PLACES]:
        if finding.sentence != said:
            said = finding.sentence
            face.say(f"  {said}")
        file = "/".join(part for part in (delivery.source, finding.file) if part)
        where = file + (f", {finding.column}" if finding.column else "")
        rows = f": {count(finding.rows, 'row')}" if finding.rows else ""
        face.say(f"    {where}{rows}{_example(finding)}")
    if len(kind) > _PLACES:
        face.say(f"    and {count(len(kind) - _PLACES, 'more place')}; --csv FILE has all")
    if first.advice:
        face.say(f"  {first.advice}", "dim")
    face.say()


def _example(finding: Finding) -> str:
    if not finding.examples or not (finding.examples[0].row or finding.examples[0].value):
        return ""
    example = finding.examples[0]
    value = f"'{example.value}'" if example.value else "nothing"
    return f", for example {value} in row {example.row:,}" if example.row else f", for example {value}"


def finding_document(delivery: Delivery, finding: Finding) -> dict[str, object]:
    """A finding, as it is written in JSON."""
    return {
        "source": delivery.source,
        "delivery": delivery.id,
        "code": finding.code,
        "behaviour": str(finding.behaviour),
        "sentence": finding.sentence,
        "advice": finding.advice,
        "file": finding.file,
        "column": finding.column,
        "rows": finding.rows,
        "examples": [{"row": example.row, "value": example.value} for example in finding.examples],
    }


def csv_text(found: Found) -> str:
    """Findings as CSV, a row an example; one without examples has a row too, with row 0."""
    from apportion.focus.finding import Example
    from apportion.invoice.render.csv_text import guarded, table

    return table(
        COLUMNS,
        (
            [
                *map(guarded, (delivery.source, delivery.id, finding.file, finding.column)),
                str(example.row),
                *map(guarded, (example.value, finding.code, str(finding.behaviour))),
                str(finding.rows),
                *map(guarded, (finding.sentence, finding.advice)),
            ]
            for delivery, finding in found
            for example in finding.examples or (Example(0, ""),)
        ),
    )
