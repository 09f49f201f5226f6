"""One delivery of usage into the workspace, once: under the lock, through a staged directory, all of it or nothing.

Takes paths as the user gives them, gives a receipt. What form a file has is told by its columns: period, metric,
consumer and value; OpenCost's allocations; split cost of FOCUS or of AWS. The same delivery again changes nothing.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from apportion.errors import BadValueError, EmptyFileError, Place
from apportion.focus.finding import Behaviour, Example, Finding
from apportion.ingest import manifest as manifests
from apportion.ingest import opencost, usage_checks
from apportion.ingest.charges import StagedFile
from apportion.ingest.copy import hash_of
from apportion.ingest.delivery import Found, find, source_name
from apportion.ingest.prepare import Supplied, copied_files
from apportion.ingest.progress import Progress, Silent
from apportion.ingest.usage_forms import Measured, folded
from apportion.ingest.usage_table import Reading, read_table
from apportion.periods import BillingPeriod
from apportion.warehouse import intake
from apportion.warehouse import usage as stored
from apportion.warehouse.record import Dataset, DeliveredFile, Delivery, Mode
from apportion.warehouse.store import Committed, Workspace
from apportion.warehouse.usage import MetricTotal, UsageFile, UsageRow
from apportion.warehouse.usage_intake import Problem

_JSON = (".json", ".json.gz")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a delivery of usage. Rows are those of the files: `delivered` = `loaded` + `aside`.

    `replaced` are the ids of deliveries that are no longer current in some period because of this one.
    """

    delivery: Delivery
    status: Committed
    rows_delivered: int
    rows_loaded: int
    rows_aside: int
    replaced: tuple[str, ...]


@dataclass(slots=True)
class _Sums:
    """What all files of a delivery come to, by period: values by row of usage, delivered rows and those of a metric."""

    values: dict[BillingPeriod, dict[tuple[str, str, tuple[tuple[str, str], ...]], int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    rows: Counter[BillingPeriod] = field(default_factory=Counter)
    metrics: Counter[tuple[BillingPeriod, str]] = field(default_factory=Counter)
    files: list[DeliveredFile] = field(default_factory=list)
    problems: list[tuple[StagedFile, Problem]] = field(default_factory=list)
    bad: list[tuple[str, int, str, str]] = field(default_factory=list)

    def add(self, period: BillingPeriod, one: Measured, rows: int) -> None:
        dimensions = tuple(sorted((folded(name), text) for name, text in one.dimensions.items() if text))
        self.values[period][one.metric, one.consumer, dimensions] += one.value
        self.metrics[period, one.metric] += rows


def load(
    workspace: Workspace,
    paths: Sequence[str | Path],
    *,
    source: str | None = None,
    assume: Mapping[str, str] | None = None,
    quarantine: bool | None = None,
    allow_shrink: bool = False,
    progress: Progress | None = None,
) -> Receipt:
    """Load one delivery of usage from files, folders or globs. It replaces what its source sent for the same periods.

    `source` defaults to the name of the first folder or file; what else is not given comes from the source's settings.
    Values of `assume` are constants, or ``=Column``. Raises every error of a delivery that cannot be loaded
    (`InputRefusedError` and those below it), `WorkspaceBusyError` and `StorageError`; nothing has changed then.
    """
    source = source or source_name(paths)
    settings = workspace.settings.source(source)
    given = {folded(name): value for name, value in {**settings.assume, **(assume or {})}.items()}
    aside = settings.quarantine if quarantine is None else quarantine
    supplied = Supplied(source, Mode.OVERWRITE, given, tuple(settings.nulls), aside)
    progress = progress or Silent()
    with workspace.lock(f"usage {source}"), workspace.staging() as staged:
        found = find(_with_json(paths))
        progress.start(sum(file.path.stat().st_size for file in found.files))
        try:
            delivery = _known(workspace, found, supplied) or _prepared(found, staged, supplied, progress)
        finally:
            progress.done()
        before = _current(workspace, delivery)
        status = workspace.commit_delivery(staged, delivery, allow_shrink=allow_shrink)
        replaced = before - _current(workspace, delivery) - {delivery.id}
    return receipt(workspace.delivery(delivery.id), status, tuple(sorted(replaced)))


def receipt(delivery: Delivery, status: Committed, replaced: tuple[str, ...] = ()) -> Receipt:
    """What there is to say about a delivery of usage."""
    delivered = sum(file.rows for file in delivery.files)
    aside = sum(file.rows_aside for file in delivery.usage.values())
    return Receipt(delivery, status, delivered, delivered - aside, aside, replaced)


def _with_json(paths: Sequence[str | Path]) -> list[str | Path]:
    """The paths, and the JSON files in folders among them: charges never come as JSON, so folders leave it out.

    These come first: a file that is named is read whatever it is called.
    """
    inside = [
        path
        for given in paths
        if Path(given).is_dir()
        for path in sorted(Path(given).rglob("*"))
        if path.name.lower().endswith(_JSON)
        and path.is_file()
        and not path.name.startswith((".", "_"))
        and not manifests.is_manifest_name(path.name)
    ]
    return [*inside, *paths]


def identity(hashes: Iterable[str], supplied: Supplied) -> str:
    """The id of a delivery of usage: a digest of what its files hold and of what the user supplied."""
    content = {
        "dataset": Dataset.USAGE.value,
        "files": sorted(hashes),
        "source": supplied.source,
        "assume": sorted(supplied.assume.items()),
        "nulls": sorted(supplied.nulls),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _known(workspace: Workspace, found: Found, supplied: Supplied) -> Delivery | None:
    """The delivery with the same content, if there is one. Files are only hashed where one has their sizes."""
    sizes = sorted(file.path.stat().st_size for file in found.files)
    known = [
        delivery
        for delivery in workspace.deliveries()
        if delivery.source == supplied.source
        and delivery.dataset is Dataset.USAGE
        and sorted(file.size for file in delivery.files) == sizes
    ]
    if not known:
        return None
    name = identity([_named_hash(hash_of(file.path), file.partition) for file in found.files], supplied)
    return next((delivery for delivery in known if delivery.id == name), None)


def _named_hash(sha256: str, partition: Iterable[tuple[str, str | None]]) -> str:
    return "|".join([sha256, *(f"{name}={value}" for name, value in partition)])


def _current(workspace: Workspace, delivery: Delivery) -> set[str]:
    return {
        other.id
        for period in delivery.usage
        for other in workspace.current(period)
        if other.source == delivery.source and other.dataset is Dataset.USAGE
    }


def _prepared(found: Found, root: Path, supplied: Supplied, progress: Progress) -> Delivery:
    """Fill the empty directory `root` with a delivery, and give its record."""
    for folder in ("files", "usage", "spill"):
        (root / folder).mkdir()
    staged = copied_files(found.files, root, supplied, progress)
    sums = _Sums()
    with closing(intake.connect(root / "spill")) as connection:
        for file in staged:
            if opencost.is_json(file.path, file.kind.compression):
                _add_json(sums, file)
            else:
                _add_table(sums, file, read_table(connection, file, supplied, root))
            progress.advance(sums.files[-1].rows, file.copied.size)
    if not any(file.rows for file in sums.files):
        raise EmptyFileError("There is no row of usage.", place=Place(staged[0].name), advice="Check the export.")
    _refuse(sums, supplied)
    if sums.bad:
        _write_aside(root / "aside.csv", sums.bad)
    shutil.rmtree(root / "spill")
    for path in root.glob("repaired-*.csv"):
        path.unlink()
    return Delivery(
        id=identity([_named_hash(file.copied.sha256, file.found.partition) for file in staged], supplied),
        source=supplied.source,
        dataset=Dataset.USAGE,
        focus_version="",
        mode=Mode.OVERWRITE,
        received_at=datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        files=tuple(sums.files),
        charges=(),
        totals={},
        quarantined={},
        rounding_units=0,
        invoices={},
        statuses={},
        findings=(*found.findings, *_findings(sums)),
        usage=_written(sums, root, supplied.source),
    )


def _add_json(sums: _Sums, file: StagedFile) -> None:
    document = opencost.read_json(file.path, file.name, file.kind.compression)
    for period, one in document.measured:
        sums.add(period, one, 1)
    sums.rows.update(document.rows_by_period)
    _note(sums, file, document.rows, document.problems, document.bad)


def _add_table(sums: _Sums, file: StagedFile, reading: Reading) -> None:
    for group in reading.groups:
        period = BillingPeriod.parse(group.period)
        sums.rows[period] += group.rows
        for one in reading.form.rows(group):
            sums.add(period, one, group.rows)
    good = sum(group.rows for group in reading.groups)
    _note(sums, file, good + len(reading.bad), reading.problems, reading.bad)


def _note(
    sums: _Sums, file: StagedFile, rows: int, problems: Iterable[Problem], bad: Iterable[tuple[int, str, str]]
) -> None:
    sums.files.append(DeliveredFile(file.name, file.copied.size, file.copied.sha256, rows))
    sums.problems += [(file, problem) for problem in problems]
    sums.bad += [(file.name, *each) for each in bad]


def _refuse(sums: _Sums, supplied: Supplied) -> None:
    """Raise `BadValueError` for the first bad row, where they may not be kept aside or there are no others."""
    if not sums.problems or (supplied.quarantine and sums.rows):
        return
    name = sums.problems[0][0].name
    row, place = min(
        (problem.examples[0][0], at) for at, (file, problem) in enumerate(sums.problems) if file.name == name
    )
    problem = sums.problems[place][1]
    check = usage_checks.CHECKS[problem.check]
    more = sum(each.rows for _, each in sums.problems) - 1
    rest = f" {more:,} more rows cannot be used either." if more > 1 else " One more row cannot." if more else ""
    shown = f": '{problem.examples[0][1]}'" if problem.examples[0][1] else ""
    keep = " Or load the rest and keep such rows aside with --quarantine." if sums.rows else ""
    raise BadValueError(
        f"{check.sentence.rstrip('.')}{shown}.{rest}",
        place=Place(name, row=row, field=problem.column),
        advice=f"{check.advice}{keep}",
    )


def _findings(sums: _Sums) -> list[Finding]:
    return [
        usage_checks.CHECKS[problem.check].finding(
            file=file.name,
            column=problem.column,
            rows=problem.rows,
            examples=[Example(row, value) for row, value in problem.examples],
            behaviour=Behaviour.QUARANTINED,
        )
        for file, problem in sums.problems
    ]


def _write_aside(path: Path, bad: Iterable[tuple[str, int, str, str]]) -> None:
    """Which rows of which files were kept aside, and what is wrong with them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "row", "column", "code"])
        writer.writerows([name, row, column, usage_checks.CHECKS[check].code] for name, row, check, column in bad)


def _written(sums: _Sums, root: Path, source: str) -> dict[BillingPeriod, UsageFile]:
    """The usage of each period, written below `root`. Rows kept aside count with the first period."""
    made: dict[BillingPeriod, UsageFile] = {}
    for period in sorted(sums.rows):
        path = root / "usage" / f"{period}.csv"
        rows = sorted(UsageRow(source, *key, value) for key, value in sums.values[period].items())
        sha256 = stored.write(rows, path)
        by_metric: dict[str, int] = defaultdict(int)
        for row in rows:
            by_metric[row.metric] += row.value
        made[period] = UsageFile(
            path=path,
            sha256=sha256,
            rows=sums.rows[period],
            rows_aside=0 if made else len(sums.bad),
            totals=tuple(
                MetricTotal(metric, sums.metrics[period, metric], by_metric[metric]) for metric in sorted(by_metric)
            ),
        )
    return made
