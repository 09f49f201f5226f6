"""The files of each vendor's delivery: where they lie, how they are written, and the manifest that comes with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from apportion.demo import azure
from apportion.demo.delivery import DemoDelivery
from apportion.demo.expand import ROW_GROUP, Numbers, Style, TagStyle, Writer, parts_of
from apportion.demo.hosting import BERLIN, STOCKHOLM
from apportion.demo.invoices import billing_period_file, invoice_detail_file
from apportion.demo.plan import Bill, Spread
from apportion.focus.columns import COST_AND_USAGE, columns
from apportion.periods import BillingPeriod
from apportion.warehouse.record import Dataset

DELIVERIES = "deliveries"

PARQUET_ROWS = 500_000  # rows in one Parquet file, about
CSV_ROWS = 250_000

_PARQUET = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}"
_SNAPPY = f"FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {ROW_GROUP}"
_CSV = "FORMAT csv, HEADER true, DELIMITER ','"
_SEMICOLON = "FORMAT csv, HEADER true, DELIMITER ';'"

RESTATED = BillingPeriod(2026, 3)  # Azure sends March again, with usage that was late
REPEATED = BillingPeriod(2026, 6)  # the Kubernetes host sends June again, unchanged
JSON_TAGS_FROM = BillingPeriod(2026, 4)  # Azure's export writes whole JSON objects from here on


def write_bill(root: Path, bill: Bill, writer: Writer) -> Iterator[DemoDelivery]:
    """Write everything that the source delivers for the month, and give its deliveries in order of arrival."""
    yield from _WRITERS[bill.source.name](root / DELIVERIES / bill.source.name, bill, writer)


def _delivery(bill: Bill, paths: Sequence[Path], note: str = "") -> DemoDelivery:
    return DemoDelivery(bill.source.name, bill.month.period, tuple(paths), note=note)


def _columns(bill: Bill, extra: Sequence[str] = ()) -> list[str]:
    return [*sorted(columns(COST_AND_USAGE, bill.source.version)), *extra]


def _aws(folder: Path, bill: Bill, writer: Writer) -> Iterator[DemoDelivery]:
    """Parquet in a hive partition, costs as DOUBLE and tags as MAP, with the manifest in a folder beside the data."""
    export, partition = folder / "kestrel-focus", f"BILLING_PERIOD={bill.month.period}"
    style = Style(Numbers.DOUBLE, TagStyle.MAP, _SNAPPY)
    names = _columns(bill, ("x_ServiceCode", "x_UsageType"))
    paths = []
    for number, spread in enumerate(parts_of(bill.spread, PARQUET_ROWS), 1):
        path = export / "data" / partition / f"kestrel-focus-{number:05d}.snappy.parquet"
        writer.write(path, bill, spread, names, style)
        paths.append(path)
    manifest = {
        "exportName": "kestrel-focus",
        "columns": names,
        "dataFiles": [f"s3://kestrel-billing/kestrel-focus/data/{partition}/{path.name}" for path in paths],
        "billingPeriod": {"start": f"{bill.month.period.start}", "end": f"{bill.month.period.end}"},
    }
    _json(export / "metadata" / partition / "kestrel-focus-Manifest.json", manifest)
    yield _delivery(bill, [export / "data" / partition, export / "metadata" / partition])
    yield _invoice_detail(folder, bill)


def _azure(folder: Path, bill: Bill, writer: Writer) -> Iterator[DemoDelivery]:
    """CSV under gzip in a folder for each run of the export, with a manifest that counts rows."""
    if bill.month.period == RESTATED:
        early = [part for part in bill.spread if part.line.columns["ServiceName"] not in azure.LATE_SERVICES]
        yield _azure_run(folder, "0402", bill, early, writer, "first delivery of the month: late usage is missing")
        yield _azure_run(folder, "0405", bill, bill.spread, writer, "replaces the month: late usage has come in")
        return
    yield _azure_run(folder, f"{bill.month.after(0).month:02d}03", bill, bill.spread, writer, "")


def _azure_run(folder: Path, day: str, bill: Bill, spread: Sequence[Spread], writer: Writer, note: str) -> DemoDelivery:
    period = bill.month.period
    run = folder / f"{period.starts_on:%Y%m%d}-{bill.month.after(-1):%Y%m%d}" / f"{period.ends_on.year}{day}0312"
    tags = TagStyle.JSON if period >= JSON_TAGS_FROM else TagStyle.BRACELESS
    style = Style(Numbers.TEXT, tags, f"{_CSV}, COMPRESSION gzip")
    names = _columns(bill, ("x_InvoiceId", "x_ResourceGroupName", "x_SkuMeterName"))
    blobs: list[tuple[Path, int]] = []
    for number, part in enumerate(parts_of(spread, CSV_ROWS)):
        path = run / f"part_{number}_0001.csv.gz"
        writer.write(path, bill, part, names, style)
        blobs.append((path, sum(one.rows for one in part)))
    _json(run / "manifest.json", {
        "manifestVersion": "2024-04-01",
        "byteCount": sum(path.stat().st_size for path, _ in blobs),
        "blobCount": len(blobs),
        "dataRowCount": sum(rows for _, rows in blobs),
        "exportConfig": {"exportName": "kestrel-focus-cost", "type": "FocusCost", "dataVersion": "1.0"},
        "deliveryConfig": {"partitionData": True, "dataOverwriteBehavior": "CreateNewReport", "fileFormat": "Csv"},
        "runInfo": {"startDate": period.start.isoformat(), "endDate": bill.month.after(-1).isoformat()},
        "blobs": [
            {"blobName": path.name, "byteCount": path.stat().st_size, "dataRowCount": rows} for path, rows in blobs
        ],
    })  # fmt: skip
    return _delivery(bill, [run], note)


def _google(folder: Path, bill: Bill, writer: Writer) -> Iterator[DemoDelivery]:
    """Parquet with DECIMAL costs and tags as JSON text; then the invoice's lines and the state of the period."""
    month = folder / f"{bill.month.period}"
    style = Style(Numbers.DECIMAL, TagStyle.JSON, _PARQUET)
    for number, spread in enumerate(parts_of(bill.spread, PARQUET_ROWS)):
        path = month / "cost_and_usage" / f"focus-{number:012d}.parquet"
        writer.write(path, bill, spread, _columns(bill), style)
    yield _delivery(bill, [month / "cost_and_usage"])
    yield _invoice_detail(folder, bill)
    period = billing_period_file(month / "billing_period.csv", bill)
    yield DemoDelivery(bill.source.name, bill.month.period, (period,), Dataset.BILLING_PERIOD)


def _kubernetes(folder: Path, bill: Bill, writer: Writer) -> Iterator[DemoDelivery]:
    """Plain CSV: a file for each cluster and one for what belongs to none."""
    month = folder / f"{bill.month.period}"
    style = Style(Numbers.TEXT, TagStyle.JSON, _CSV)
    for cluster in (BERLIN, STOCKHOLM, ""):
        spread = [part for part in bill.spread if part.line.columns.get("SubAccountId", "") == cluster]
        writer.write(month / f"{cluster or 'contract'}.csv", bill, spread, _columns(bill), style)
    yield _delivery(bill, [month])
    if bill.month.period == REPEATED:
        again = folder / f"{bill.month.period}-again"
        shutil.copytree(month, again, dirs_exist_ok=True, copy_function=shutil.copyfile)
        yield _delivery(bill, [again], "the same files a second time: nothing changes")


def _suitebench(folder: Path, bill: Bill, writer: Writer) -> Iterator[DemoDelivery]:
    """One CSV with semicolons."""
    path = folder / f"suitebench-{bill.month.period}.csv"
    writer.write(path, bill, bill.spread, _columns(bill), Style(Numbers.TEXT, TagStyle.JSON, _SEMICOLON))
    yield _delivery(bill, [path])


def _tokenhouse(folder: Path, bill: Bill, writer: Writer) -> Iterator[DemoDelivery]:
    """CSV under Zstandard, and the invoice's lines."""
    month = folder / f"{bill.month.period}"
    style = Style(Numbers.TEXT, TagStyle.JSON, f"{_CSV}, COMPRESSION zstd")
    for number, spread in enumerate(parts_of(bill.spread, CSV_ROWS), 1):
        writer.write(month / "usage" / f"usage-{number}.csv.zst", bill, spread, _columns(bill, ("x_Model",)), style)
    yield _delivery(bill, [month / "usage"])
    yield _invoice_detail(folder, bill)


def _invoice_detail(folder: Path, bill: Bill) -> DemoDelivery:
    path = invoice_detail_file(folder / "invoice_detail" / f"invoice-detail-{bill.month.period}.csv", bill)
    return DemoDelivery(bill.source.name, bill.month.period, (path,), Dataset.INVOICE_DETAIL)


def _json(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


_WRITERS: dict[str, Callable[[Path, Bill, Writer], Iterator[DemoDelivery]]] = {
    "aws": _aws,
    "azure": _azure,
    "google": _google,
    "kubernetes": _kubernetes,
    "suitebench": _suitebench,
    "tokenhouse": _tokenhouse,
}
