"""``apportion ingest``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.face import Face, option

if TYPE_CHECKING:
    from apportion.ingest.load import Receipt
    from apportion.warehouse.store import Workspace

VERSION = 1
_COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
_MODES = ("overwrite", "append")


def read_mode(text: str) -> str:
    """How a delivery meets what its source sent before."""
    if text not in _MODES:
        raise typer.BadParameter(f"'{text}' is neither {' nor '.join(_MODES)}.")
    return text


def read_assumption(text: str) -> tuple[str, str]:
    """``COLUMN=VALUE``; the value may be ``=Other``, the name of another column."""
    column, sign, value = text.partition("=")
    if not sign or not column.strip():
        raise typer.BadParameter(f"'{text}' is not of the form COLUMN=VALUE, such as BillingCurrency=EUR.")
    return column.strip(), value


def run(
    face: Face,
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Files, folders or globs of one delivery.", show_default=False),
    ],
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who sent it; else the name of the folder or file.")
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            parser=read_mode,
            metavar="|".join(_MODES),
            help="Whether it replaces what the source sent for its periods, or adds to it; else as the settings say.",
        ),
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=VALUE", help="The value of a column that the files lack; =Other takes another column's."
        ),
    ] = None,
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="Keep rows that cannot be charged aside, and load the rest.")
    ] = False,
    allow_shrink: Annotated[
        bool, typer.Option("--allow-shrink", help="Let it replace a period with far fewer rows.")
    ] = False,
) -> None:
    """Load a delivery of FOCUS data: Parquet or CSV, whole or not at all.

    Rows and sums before and after are always printed. The same delivery twice changes nothing. A delivery with a row
    that cannot be charged is refused, unless --quarantine keeps such rows aside.

    \b
    Examples:
      apportion ingest exports/aws/2026-10
      apportion ingest 'exports/*.csv.gz' --source azure --quarantine
      apportion ingest saas.csv --assume EffectiveCost==BilledCost
    """
    assumed = dict(_assumption(text) for text in assume or ())
    workspace = face.workspace()
    receipt = load(
        face,
        workspace,
        paths,
        source=source,
        mode=mode,
        assume=assumed,
        quarantine=quarantine or None,
        allow_shrink=allow_shrink,
    )
    face.give(document(receipt))
    if not face.as_json:
        _show(face, workspace, receipt)


def _assumption(text: str) -> tuple[str, str]:
    try:
        return read_assumption(text)
    except typer.BadParameter as error:
        raise typer.BadParameter(str(error), param_hint="'--assume'") from None


def load(
    face: Face,
    workspace: Workspace,
    paths: Sequence[str | Path],
    *,
    source: str | None = None,
    mode: str | None = None,
    assume: dict[str, str] | None = None,
    quarantine: bool | None = None,
    allow_shrink: bool = False,
) -> Receipt:
    """Load one delivery, with progress."""
    from apportion.cli.progress import bytes_done
    from apportion.ingest.load import ingest
    from apportion.warehouse.record import Mode

    return ingest(
        workspace,
        paths,
        source=source,
        mode=Mode(mode) if mode else None,
        assume=assume,
        quarantine=quarantine,
        allow_shrink=allow_shrink,
        progress=bytes_done(face, f"Loading {source or paths[0]}"),
    )


def sentence(receipt: Receipt) -> str:
    """A delivery in one line."""
    from apportion.cli.amounts import count
    from apportion.cli.deliveries import holds, periods_of, span

    delivery = receipt.delivery
    what = " ".join(part for part in (holds(delivery), span(periods_of(delivery))) if part)
    if receipt.status == "unchanged":
        return f"{delivery.source}: unchanged, this delivery is loaded already ({what})"
    replaced = f", replaces {count(len(receipt.replaced), 'delivery', 'deliveries')}" if receipt.replaced else ""
    aside = f", {receipt.rows_quarantined:,} kept aside" if receipt.rows_quarantined else ""
    return f"{delivery.source}: {what}, {count(receipt.rows_loaded, 'row')}{aside}{replaced}"


def _show(face: Face, workspace: Workspace, receipt: Receipt) -> None:
    from apportion.cli.amounts import count
    from apportion.cli.findings import by_kind, extent

    delivery = receipt.delivery
    face.say(sentence(receipt), "bold")
    parts = f"{receipt.rows_loaded:,} loaded + {receipt.rows_quarantined:,} kept aside"
    face.say(f"{count(receipt.rows_delivered, 'row')} delivered = {parts}")
    for line in sums(receipt):
        face.say(line)
    if receipt.replaced:
        face.say(f"No longer current: {', '.join(receipt.replaced)}")
    if not delivery.findings:
        return
    face.say()
    for kind in by_kind([(delivery, finding) for finding in delivery.findings]):
        face.say(f"{kind[0][1].code}: {extent(kind)}")
    face.say(f"See: apportion {option(workspace)}findings --source {delivery.source}")


def sums(receipt: Receipt) -> Iterator[str]:
    """The sums of each cost column in each currency: delivered, loaded and kept aside, exact.

    Of rows that are kept aside only the BilledCost that can be read is known.
    """
    from apportion.cli.amounts import Aligned

    loaded = {each.currency: each for each in receipt.loaded}
    aside = {each.currency: each for each in receipt.quarantined}
    for currency in sorted({*loaded, *aside}):
        found = loaded.get(currency)
        kept = aside.get(currency)
        rows: list[tuple[str, int | None, int | None]] = [
            ("BilledCost", found.billed_units if found else 0, kept.billed_units if kept else 0)
        ]
        if found:
            others = (found.effective_units, found.list_units, found.contracted_units)
            rows += [(name, units, None if kept else 0) for name, units in zip(_COSTS[1:], others, strict=True)]
        amounts = [
            units for _, *pair in rows for units in (*pair, sum(each or 0 for each in pair)) if units is not None
        ]
        aligned = Aligned(currency, amounts)
        width = max(aligned.width, len("kept aside"))
        yield ""
        heads = "   ".join(f"{head:>{width}}" for head in ("delivered", "loaded", "kept aside"))
        yield f"{currency or 'Not readable':<14}   {heads}".rstrip()
        for name, units, rest in rows:
            whole = units + rest if units is not None and rest is not None else None
            texts = "   ".join(f"{_text(each, aligned):>{width}}" for each in (whole, units, rest))
            yield f"{name:<14}   {texts}".rstrip()


def _text(units: int | None, aligned: object) -> str:
    from apportion.cli.amounts import Aligned

    if units is None or not isinstance(aligned, Aligned):
        return "not known"
    return aligned.text(units)


def document(receipt: Receipt) -> dict[str, object]:
    """A receipt, as it is written in JSON."""
    from apportion.cli.deliveries import periods_of
    from apportion.cli.findings import by_kind
    from apportion.money.amount import plain

    delivery = receipt.delivery
    return {
        "document": "ingest",
        "version": VERSION,
        "outcome": str(receipt.status),
        "delivery": delivery.id,
        "source": delivery.source,
        "dataset": str(delivery.dataset),
        "focus_version": delivery.focus_version,
        "mode": str(delivery.mode),
        "periods": [str(period) for period in periods_of(delivery)],
        "rows_delivered": receipt.rows_delivered,
        "rows_loaded": receipt.rows_loaded,
        "rows_quarantined": receipt.rows_quarantined,
        "loaded": [
            {
                "currency": each.currency,
                "billed_cost": plain(each.billed_units),
                "effective_cost": plain(each.effective_units),
                "list_cost": None if each.list_units is None else plain(each.list_units),
                "contracted_cost": None if each.contracted_units is None else plain(each.contracted_units),
            }
            for each in receipt.loaded
        ],
        "quarantined": [
            {"currency": each.currency, "rows": each.rows, "billed_cost": plain(each.billed_units)}
            for each in receipt.quarantined
        ],
        "rounding_effect": plain(delivery.rounding_units),
        "findings": [
            {
                "code": kind[0][1].code,
                "behaviour": str(kind[0][1].behaviour),
                "rows": sum(finding.rows for _, finding in kind),
            }
            for kind in by_kind([(delivery, finding) for finding in delivery.findings])
        ],
        "replaced": list(receipt.replaced),
    }
