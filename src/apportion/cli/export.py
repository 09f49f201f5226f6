"""``apportion export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apportion.cli.arguments import Period
from apportion.cli.face import Face, shown_path

if TYPE_CHECKING:
    from apportion.close.export import Exported

GRAINS = ("pool", "service", "detail")


def read_grain(text: str) -> str:
    """``pool``, ``service`` or ``detail``."""
    if text not in GRAINS:
        raise typer.BadParameter(f"'{text}' is no grain. It can be {', '.join(GRAINS[:-1])} or {GRAINS[-1]}.")
    return text


def run(
    face: Face,
    period: Period,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="DIR|FILE",
            help="A new folder; or one file, which ends in .parquet or .csv.",
            show_default=False,
        ),
    ],
    grain: Annotated[
        str,
        typer.Option(
            parser=read_grain,
            metavar="GRAIN",
            help="How finely shared charges are told apart: pool, service, or detail (with sub accounts, regions and "
            "commitments).",
        ),
    ] = "service",
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV instead of Parquet.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
) -> None:
    """Write the allocated charges of a period as FOCUS data, for other tools.

    Charges that rules brought to a cost group, kept central or left unallocated stay as they were delivered, with
    columns of ours (x_Apportion...) beside them. Charges in pools are replaced by what each cost group pays of them.
    Every cost column sums to what was delivered, and every statement line to its exact amount; that is proved before
    anything is written to its place. A manifest goes with the files.

    \b
    Examples:
      apportion export 2026-10 --out /srv/lake/2026-10
      apportion export 2026-10 --out october.csv --grain detail
    """
    from apportion.cli.progress import rows_done
    from apportion.close import run as runs
    from apportion.close.export import export
    from apportion.close.export_rows import Grain

    workspace = face.workspace()
    done = runs.up_to_date(workspace, period)
    total = sum(file.rows for file in workspace.snapshot(period).files)
    with rows_done(face, "Writing", total) as progress:
        made = export(workspace, done, out, grain=Grain(grain), as_csv=as_csv, overwrite=overwrite, progress=progress)
    face.give({**made.document, "target": str(made.target), "manifest": str(made.manifest)})
    if not face.as_json:
        _show(face, made)


def _show(face: Face, made: Exported) -> None:
    from apportion.cli.amounts import count
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import exact
    from apportion.money.amount import units

    said: Any = made.document
    face.say(
        f"{count(said['origin_rows'], 'charge')} as delivered; {count(said['replaced_charges'], 'charge')} in pools "
        f"replaced by {count(said['allocated_rows'], 'allocated row')}."
    )
    costs = ("billed_cost", "effective_cost", "list_cost", "contracted_cost")
    names = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
    rows = [
        [
            each["currency"],
            *("" if each[name] is None else exact(units(each[name]), each["currency"]) for name in costs),
        ]
        for each in said["totals"]
    ]
    face.show(table([Column("Delivered"), *(Column(name, is_number=True) for name in names)], rows))
    for each in said["unreadable"]:
        face.say(f"{each['column']}: {count(each['rows'], 'value')} that cannot be read became null.")
    face.say("The rows written sum to the same, and each statement line to its exact amount.")
    face.say()
    face.say(f"Written to {shown_path(made.target)}, with {shown_path(made.manifest)}.")
