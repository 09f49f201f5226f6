"""``apportion usage``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.arguments import OnlyPeriod, read_period
from apportion.cli.face import Face, option
from apportion.cli.ingest import read_assumption

if TYPE_CHECKING:
    from apportion.allocate.consumers import Mapped, Unknown
    from apportion.ingest.usage import Receipt
    from apportion.periods import BillingPeriod
    from apportion.warehouse.record import Delivery
    from apportion.warehouse.store import Workspace

VERSION = 1
_MOST = 10  # of unknown consumers on the screen; --json has all


def run(
    face: Face,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Files, folders or globs of one delivery of usage.", show_default=False),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who sent it; else the name of the folder or file.")
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=VALUE", help="The value of a column that the files lack; =Other takes another column's."
        ),
    ] = None,
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="Keep rows that cannot be used aside, and load the rest.")
    ] = False,
    allow_shrink: Annotated[
        bool, typer.Option("--allow-shrink", help="Let it replace a period with far fewer rows.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="List what usage there is; deliver nothing.")] = False,
    period: OnlyPeriod = None,
    check: Annotated[
        str | None,
        typer.Option(
            "--check", metavar="PERIOD", help="Say who used what under today's policy, and which consumers are nobody."
        ),
    ] = None,
) -> None:
    """Deliver usage for metered pools: who used how much of what, as CSV or Parquet.

    Columns are period, metric, consumer and value; every other column is a dimension. OpenCost's allocations, and split
    cost of FOCUS 1.3 and AWS, are known as they come. It replaces what its source sent for the same periods, whole or
    not at all; the same delivery twice changes nothing.

    \b
    Examples:
      apportion usage tokens-2026-10.csv --source ai
      apportion usage opencost/2026-10 --source clusters
      apportion usage headcount.csv --assume metric=headcount --assume consumer==team
      apportion usage --list --period 2026-10
      apportion usage --check 2026-10
    """
    if bool(paths) + listed + bool(check) != 1:
        raise typer.BadParameter("Name files to deliver, or ask for one of --list and --check.", param_hint="PATH")
    workspace = face.workspace()
    if check:
        _check(face, workspace, read_period(check))
    elif listed:
        _list(face, workspace, period)
    else:
        _deliver(face, workspace, paths or [], source, assume or [], quarantine or None, allow_shrink)


# Deliver.


def _deliver(
    face: Face,
    workspace: Workspace,
    paths: Sequence[str],
    source: str | None,
    assume: Sequence[str],
    quarantine: bool | None,
    allow_shrink: bool,
) -> None:
    from apportion.cli.progress import bytes_done
    from apportion.ingest.usage import load

    receipt = load(
        workspace,
        paths,
        source=source,
        assume=dict(_assumption(text) for text in assume),
        quarantine=quarantine,
        allow_shrink=allow_shrink,
        progress=bytes_done(face, f"Loading {source or paths[0]}"),
    )
    face.give(document(receipt))
    if not face.as_json:
        _show(face, workspace, receipt)


def _assumption(text: str) -> tuple[str, str]:
    try:
        return read_assumption(text)
    except typer.BadParameter as error:
        raise typer.BadParameter(str(error), param_hint="'--assume'") from None


def document(receipt: Receipt) -> dict[str, object]:
    """A receipt of usage, as it is written in JSON."""
    from apportion.cli.findings import by_kind

    delivery = receipt.delivery
    return {
        "document": "usage",
        "version": VERSION,
        "outcome": str(receipt.status),
        "delivery": delivery.id,
        "source": delivery.source,
        "rows_delivered": receipt.rows_delivered,
        "rows_loaded": receipt.rows_loaded,
        "rows_quarantined": receipt.rows_aside,
        "metrics": _metrics([delivery]),
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


def _metrics(deliveries: Iterable[Delivery], period: BillingPeriod | None = None) -> list[dict[str, object]]:
    from apportion.money.amount import plain

    return [
        {
            "period": str(month),
            "source": delivery.source,
            "metric": total.metric,
            "rows": total.rows,
            "value": plain(total.value_units),
        }
        for delivery in deliveries
        for month, file in sorted(delivery.usage.items())
        if period in (None, month)
        for total in file.totals
    ]


def _show(face: Face, workspace: Workspace, receipt: Receipt) -> None:
    from apportion.cli.amounts import count
    from apportion.cli.deliveries import periods_of, span
    from apportion.cli.findings import by_kind, extent

    delivery = receipt.delivery
    what = f"usage {span(periods_of(delivery))}"
    if receipt.status == "unchanged":
        face.say(f"{delivery.source}: unchanged, this delivery is loaded already ({what})", "bold")
    else:
        replaced = f", replaces {count(len(receipt.replaced), 'delivery', 'deliveries')}" if receipt.replaced else ""
        face.say(f"{delivery.source}: {what}, {count(receipt.rows_loaded, 'row')}{replaced}", "bold")
    parts = f"{receipt.rows_loaded:,} loaded + {receipt.rows_aside:,} kept aside"
    face.say(f"{count(receipt.rows_delivered, 'row')} delivered = {parts}")
    face.say()
    _show_metrics(face, _metrics([delivery]))
    if delivery.findings:
        face.say()
        for kind in by_kind([(delivery, finding) for finding in delivery.findings]):
            face.say(f"{kind[0][1].code}: {extent(kind)}")
        face.say(f"See: apportion {option(workspace)}findings --source {delivery.source}")


def _show_metrics(face: Face, metrics: Sequence[dict[str, object]]) -> None:
    from apportion.cli.tables import Column, table

    columns = [
        Column("Period"),
        Column("Source"),
        Column("Metric", wraps=True),
        Column("Rows", is_number=True),
        Column("Value", is_number=True),
    ]
    rows = [
        [str(each["period"]), str(each["source"]), str(each["metric"]), f"{each['rows']:,}", str(each["value"])]
        for each in metrics
    ]
    face.show(table(columns, rows))


# List.


def _list(face: Face, workspace: Workspace, period: BillingPeriod | None) -> None:
    from apportion.warehouse.record import Dataset

    current = [
        (month, delivery)
        for month in sorted({month for delivery in workspace.deliveries() for month in delivery.usage})
        if period in (None, month)
        for delivery in workspace.current(month)
        if delivery.dataset is Dataset.USAGE
    ]
    metrics = [each for month, delivery in current for each in _metrics([delivery], month)]
    face.give(
        {
            "document": "usage-list",
            "version": VERSION,
            "period": str(period) if period else None,
            "metrics": metrics,
        }
    )
    if not metrics:
        face.say("There is no usage yet. Deliver some with: apportion usage PATH")
    elif not face.as_json:
        _show_metrics(face, metrics)


# Check.


def _check(face: Face, workspace: Workspace, period: BillingPeriod) -> None:
    from apportion.close import metering
    from apportion.close.run import read_inputs
    from apportion.money.amount import plain

    inputs = read_inputs(workspace.root, period)
    files = metering.files(workspace, period)
    found = metering.mapped_from(files, inputs.policy, inputs.organization, period)
    sums = _by_target(found)
    face.give(
        {
            "document": "usage-check",
            "version": VERSION,
            "period": str(period),
            "usage_digest": found.usage.digest,
            "used": [
                {"metric": metric, "holder": holder, "code": code, "value": plain(value)}
                for (metric, holder, code), value in sums.items()
            ],
            "unknown": unknown_documents(found.unknown),
        }
    )
    if not files:
        face.say(f"No usage was delivered for {period}.")
    elif not face.as_json:
        _show_check(face, period, sums, found)


def _by_target(found: Mapped) -> dict[tuple[str, str, str], int]:
    sums: dict[tuple[str, str, str], int] = {}
    for one in found.usage.used:
        key = (one.metric, str(one.target.holder), one.target.code)
        sums[key] = sums.get(key, 0) + one.value
    return dict(sorted(sums.items()))


def _show_check(face: Face, period: BillingPeriod, sums: dict[tuple[str, str, str], int], found: Mapped) -> None:
    from apportion.cli.tables import Column, table
    from apportion.money.amount import plain

    face.say(f"Usage of {period} under today's policy.", "bold")
    face.say()
    rows = [
        [metric, code or holder.replace("_", " "), "pool" if holder == "pool" else "", plain(value)]
        for (metric, holder, code), value in sums.items()
    ]
    columns = [Column("Metric", wraps=True), Column("Used by", wraps=True), Column(""), Column("Value", is_number=True)]
    face.show(table(columns, rows))
    show_unknown(face, found.unknown, most=None)


def unknown_documents(unknown: Iterable[Unknown]) -> list[dict[str, object]]:
    """Consumers that are nobody, as they are written in JSON."""
    from apportion.money.amount import plain

    return [
        {"metric": each.metric, "consumer": each.consumer, "rows": each.rows, "value": plain(each.value)}
        for each in unknown
    ]


def show_unknown(face: Face, unknown: Sequence[Unknown], *, most: int | None = _MOST) -> None:
    """Consumers that are nobody, those with most rows first; nothing where there are none."""
    from apportion.cli.amounts import count
    from apportion.cli.tables import Column, table
    from apportion.money.amount import plain

    if not unknown:
        return
    face.say()
    consumers = count(len({each.consumer for each in unknown}), "consumer")
    face.say(f"Usage of {consumers} that no rule knows; it is in no basis:")
    shown = sorted(unknown, key=lambda each: (-each.rows, each.metric, each.consumer))
    columns = [
        Column("Metric", wraps=True),
        Column("Consumer", wraps=True),
        Column("Rows", is_number=True),
        Column("Value", is_number=True),
    ]
    face.show(
        table(columns, [[each.metric, each.consumer, f"{each.rows:,}", plain(each.value)] for each in shown[:most]])
    )
    if most is not None and len(shown) > most:
        face.say(f"and {len(shown) - most:,} more; --json has all")
