"""A whole delivery made ready to be committed: copied, hashed, checked and added up in a staged directory.

Takes the files that were found, gives the delivery record of the staged files. Raises before anything is loaded, so
that a delivery comes whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from apportion.errors import (
    DuplicateDeliveryError,
    EmptyFileError,
    IncompleteDeliveryError,
    InputRefusedError,
    Place,
    UnreadableFileError,
)
from apportion.focus import checks
from apportion.focus.finding import Example, Finding
from apportion.ingest import charges, fold
from apportion.ingest.charges import CheckedFile, Options, StagedFile
from apportion.ingest.copy import copy
from apportion.ingest.delivery import Found, FoundFile
from apportion.ingest.progress import Progress
from apportion.ingest.read import Format, kind
from apportion.ingest.translate import assumptions
from apportion.warehouse import intake
from apportion.warehouse.record import Dataset, DeliveredFile, Delivery, Mode

MOST_WORKERS = 4
_COPY_SHARE = 5  # copying is about a fifth of the work
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Supplied:
    """What the user supplies beside the files: the source, the mode, assumed values, further spellings of null,
    whether rows that cannot be charged are kept aside, and the currency of files that do not say one."""

    source: str
    mode: Mode = Mode.OVERWRITE
    assume: Mapping[str, str] = field(default_factory=dict)
    nulls: tuple[str, ...] = ()
    quarantine: bool = False
    currency: str = ""


def delivery_id(files: Iterable[tuple[FoundFile, str]], supplied: Supplied) -> str:
    """The id of a delivery: a digest of what its files hold (not how they are called) and of what the user supplied."""
    hashes = sorted([sha256, *(f"{name}={value}" for name, value in file.partition)] for file, sha256 in files)
    content = {
        "files": hashes,
        "source": supplied.source,
        "mode": supplied.mode.value,
        "assume": sorted(assumptions(supplied.assume).items()),
        "nulls": sorted(supplied.nulls),
        "currency": supplied.currency,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def prepare(found: Found, root: Path, supplied: Supplied, received_at: str, progress: Progress) -> Delivery:
    """Fill the empty directory `root` with a delivery, and give its record; paths in it are absolute.

    `received_at` is the instant as text. Raises every error of a delivery that cannot be loaded.
    """
    for folder in ("files", "charges", "quarantine", "spill"):
        (root / folder).mkdir()
    staged = copied_files(found.files, root, supplied, progress)
    identity = delivery_id([(file.found, file.copied.sha256) for file in staged], supplied)
    assume = assumptions(supplied.assume)
    options = Options(root, supplied.source, identity, assume, supplied.nulls, supplied.quarantine, supplied.currency)
    files = _checked(staged, options, progress)
    _refuse(found, files)
    dataset = files[0].reading.dataset
    findings = [*found.findings, *_of_manifest(files)]
    findings += [finding for file in files for finding in file.findings]
    findings += fold.findings(files, found.periods)
    is_charges = dataset is Dataset.COST_AND_USAGE
    _clean(root, keep_charges=is_charges)
    return Delivery(
        id=identity,
        source=supplied.source,
        dataset=dataset,
        focus_version=max(file.reading.version for file in files),
        mode=supplied.mode,
        received_at=received_at,
        files=tuple(
            DeliveredFile(file.staged.name, file.staged.copied.size, file.staged.copied.sha256, file.rows)
            for file in files
        ),
        charges=tuple(file.charge for file in files if file.charge) if is_charges else (),
        totals=fold.totals(supplied.source, files) if is_charges else {},
        quarantined=fold.quarantined(files),
        rounding_units=fold.rounding_units(files),
        invoices=fold.by_period(file.invoices for file in files),
        statuses=fold.by_period(file.statuses for file in files),
        findings=tuple(findings),
    )


# Copying.


def copied_files(files: Sequence[FoundFile], root: Path, supplied: Supplied, progress: Progress) -> list[StagedFile]:
    """Copies of the files below `root`, hashed and followed to their end; none of them twice.

    Raises `UnreadableFileError`, `IncompleteDeliveryError`, `DuplicateDeliveryError` and what `copy` raises.
    """
    nulls = [word for word in (*intake.SPELLED_NULLS, *supplied.nulls) if word]
    staged: list[StagedFile] = []
    seen: dict[str, str] = {}
    for number, file in enumerate(files):
        target = root / "files" / f"{number:05d}-{_UNSAFE.sub('-', file.path.name)[-100:]}"
        try:
            what = kind(file.path, file.name)
            copied = copy(
                file.path, target, file.name, what, nulls, lambda done: progress.advance(0, done // _COPY_SHARE)
            )
        except OSError as error:
            if error.filename is None or Path(os.fsdecode(error.filename)) != file.path:
                raise
            raise UnreadableFileError(
                f"The file cannot be opened: {(error.strerror or 'unknown reason').lower()}.",
                place=Place(file.name),
                advice="Check that it is there and that you may read it.",
            ) from error
        if file.sha256 and file.sha256 != copied.sha256:
            raise IncompleteDeliveryError(
                "The file is not the one that the manifest describes: its SHA-256 differs.",
                place=Place(file.name),
                advice="Fetch the delivery again.",
            )
        if copied.sha256 in seen:
            raise DuplicateDeliveryError(
                f"'{seen[copied.sha256]}' and '{file.name}' hold the same bytes: their rows would count twice.",
                place=Place(file.name),
                advice="Leave one of them out.",
            )
        seen[copied.sha256] = file.name
        staged.append(StagedFile(file, number, target, what, copied))
    return staged


# Checking.


def _checked(staged: Sequence[StagedFile], options: Options, progress: Progress) -> list[CheckedFile]:
    """Every file checked, side by side where there are several. The first error, in the order of files, is raised."""
    workers = max(1, min(len(staged), os.cpu_count() or 1, MOST_WORKERS))
    one_thread = workers > 1 or staged[0].kind.format is Format.CSV  # a CSV costs more with two, and is no faster
    results: list[CheckedFile | None] = [None] * len(staged)
    errors: dict[int, BaseException] = {}
    lock = Lock()

    def work(first: int) -> None:
        threads = 1 if one_thread else None
        with closing(intake.connect(options.root / "spill", threads=threads, share=workers)) as connection:
            for place in range(first, len(staged), workers):
                if errors:
                    return
                try:
                    checked = charges.check_file(connection, staged[place], options)
                except BaseException as error:
                    errors[place] = error
                    return
                results[place] = checked
                size = staged[place].copied.size
                with lock:
                    progress.advance(checked.rows, size - size // _COPY_SHARE)

    if workers == 1:
        work(0)
    else:
        with ThreadPoolExecutor(max_workers=workers) as pool:
            list(pool.map(work, range(workers)))
    if errors:
        raise errors[min(errors)]
    return [file for file in results if file is not None]


def _refuse(found: Found, files: Sequence[CheckedFile]) -> None:
    """Everything for which a delivery is refused once all of its files are known."""
    datasets = sorted({file.reading.dataset.value.replace("_", " ") for file in files})
    if len(datasets) > 1:
        raise InputRefusedError(
            f"The files hold different datasets: {', '.join(datasets)}.", advice="Load each dataset by itself."
        )
    if not any(file.rows for file in files):
        raise EmptyFileError(
            "There is a header, but no row.", place=Place(files[0].staged.name), advice="Check the export."
        )
    _refuse_incomplete(found, files)
    fold.refuse_bad_rows(files)
    fold.refuse_all_bad(files)
    fold.refuse_mixed_currencies(files)


def _refuse_incomplete(found: Found, files: Sequence[CheckedFile]) -> None:
    counted = [(file.staged.name, file.staged.found.rows, file.rows) for file in files]
    counted.append(("", found.rows, sum(file.rows for file in files)))
    for name, promised, rows in counted:
        if promised is not None and rows < promised:
            raise IncompleteDeliveryError(
                f"The manifest promises {promised:,} rows, and there are {rows:,}.",
                place=Place(name),
                advice="Fetch the delivery again; or name the files themselves if the manifest is wrong.",
            )


def _of_manifest(files: Sequence[CheckedFile]) -> list[Finding]:
    return [
        checks.MANIFEST_ROWS_DIFFER.finding(
            file=file.staged.name,
            column="",
            rows=file.rows - promised,
            examples=[Example(0, f"{promised:,} promised, {file.rows:,} counted")],
        )
        for file in files
        if (promised := file.staged.found.rows) is not None and file.rows > promised
    ]


def _clean(root: Path, *, keep_charges: bool) -> None:
    """Leave nothing that the record does not know."""
    shutil.rmtree(root / "spill")
    for path in root.glob("repaired-*.csv"):
        path.unlink()
    if not keep_charges:
        shutil.rmtree(root / "charges")
    for folder in ("charges", "quarantine"):
        if (root / folder).is_dir() and not any((root / folder).iterdir()):
            (root / folder).rmdir()
