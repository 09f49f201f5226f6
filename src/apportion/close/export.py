"""The allocated charges of a period as FOCUS data: charges that stayed with a holder, and what replaces the others.

Everything is written aside, read back and proved against the delivered charges and the statements, and only then
renamed to where it was asked for. The workspace is read, and nothing in it is changed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apportion.allocate.passed_on import passed_on
from apportion.allocate.quiet import uncollected
from apportion.close import export_rows
from apportion.close.export_rows import Grain
from apportion.close.run import Run
from apportion.errors import ConservationError, InputRefusedError, StorageError
from apportion.focus.columns import COSTS
from apportion.invoice.statement import Statement
from apportion.invoice.statement import statements as make_statements
from apportion.money.amount import plain
from apportion.warehouse import allocated, allocated_proof, allocated_rows, disk, outside
from apportion.warehouse.allocated import Control, Costs, Origin, Part
from apportion.warehouse.allocated_layout import OutColumn, layout
from apportion.warehouse.store import STORE, Workspace

MANIFEST = "manifest.json"
DOCUMENT = "allocated_charges"
VERSION = 1
_SINGLE = (".parquet", ".csv")
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]*")  # not that of a folder 2026.10
_TOTALS = ("billed_cost", "effective_cost", "list_cost", "contracted_cost")  # as COSTS


@dataclass(frozen=True, slots=True)
class Exported:
    """Where an export is, its data files and manifest, and what the manifest says."""

    target: Path
    files: tuple[Path, ...]
    manifest: Path
    document: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Made:
    """What was written, in order, and what is to be said of it."""

    origin: Origin
    allocated: tuple[Part, ...]
    columns: tuple[OutColumn, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        return (*self.origin.parts, *self.allocated)


def export(
    workspace: Workspace,
    run: Run,
    target: Path,
    *,
    grain: Grain = Grain.SERVICE,
    as_csv: bool = False,
    overwrite: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Exported:
    """Write the allocated charges of an up-to-date run to `target`: one file where it ends in ``.parquet`` or ``.csv``,
    else a folder of them, with a manifest. The same run gives the same bytes. `progress` hears of charges written.

    Raises `InputRefusedError` for a target that holds something (with `overwrite`: something that is no export) or that
    belongs to the workspace, `ConservationError` where what was written is not what was delivered and stated, and
    `StorageError` when the disk refuses.
    """
    target = target.absolute()
    _must_be_free(workspace, target, overwrite=overwrite)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
        try:
            return _export(workspace, run, target, aside, grain, as_csv=as_csv, progress=progress)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise StorageError(
            f"The export cannot be written to {target}: {(error.strerror or str(error)).lower()}.",
            advice="Free some space or make the directory writable, then export again; nothing was changed.",
        ) from error


def _must_be_free(workspace: Workspace, target: Path, *, overwrite: bool) -> None:
    store = workspace.root.resolve() / STORE
    if store.is_relative_to(target.resolve()):
        raise InputRefusedError(f"{target} belongs to the workspace.", advice="Name a folder or file of its own.")
    if target.is_dir() and not target.is_symlink():
        outside.require_folder(target)
    else:
        outside.require_outside(workspace.root, target)
        _require_ending(target)
    if target.is_dir():
        is_ours = _is_export(target.joinpath(MANIFEST))
        is_held = any(target.iterdir())
    else:
        is_ours = _is_export(_manifest_of(target))
        is_held = target.exists()
    if is_held and not overwrite:
        raise InputRefusedError(f"There is something in {target} already.", advice="Add --overwrite to replace it.")
    if is_held and not is_ours:
        raise InputRefusedError(
            f"{target} holds something that is no export of allocated charges.",
            advice="Only an earlier export is replaced: name another place, or remove it yourself.",
        )


def _require_ending(target: Path) -> None:
    """Refuse a new folder whose name ends like that of a file of another format."""
    if _ENDING.fullmatch(target.suffix) and target.suffix.lower() not in _SINGLE:
        raise InputRefusedError(
            f"An export cannot be a {target.suffix} file.",
            advice="Name a file that ends in .parquet or .csv, or a folder without such an ending.",
        )


def _is_export(manifest: Path) -> bool:
    try:
        document = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get("document") == DOCUMENT


def _manifest_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.{MANIFEST}")


def _export(
    workspace: Workspace,
    run: Run,
    target: Path,
    aside: Path,
    grain: Grain,
    *,
    as_csv: bool,
    progress: Callable[[int], None],
) -> Exported:
    is_single = target.suffix.lower() in _SINGLE and not target.is_dir()
    parts_in, finished = aside / "parts", aside / "finished"
    parts_in.mkdir()
    finished.mkdir()
    stated = make_statements(run.allocation, run.tree, run.policy, run.settings.statement_prefix, run.former)
    made = _write(workspace, run, stated, grain, parts_in, progress)
    _prove(workspace, run, stated, made)
    as_csv = as_csv or target.suffix.lower() == ".csv"
    files = _finish(made, finished, target.name if is_single else "", as_csv=as_csv)
    document = _document(run, stated, made, grain, files)
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    manifest = finished.joinpath(_manifest_of(target).name if is_single else MANIFEST)
    manifest.write_text(text, encoding="utf-8")
    for path in finished.iterdir():
        path.chmod(0o644)
        disk.sync(path)
    finished.chmod(0o755)
    if is_single:
        (finished.joinpath(target.name)).replace(target)
        manifest.replace(_manifest_of(target))
        disk.sync(target.parent)
        return Exported(target, (target,), _manifest_of(target), document)
    disk.sync(finished)
    if target.exists():
        target.rename(aside.joinpath("former"))
    finished.rename(target)
    disk.sync(target.parent)
    return Exported(
        target, tuple(target.joinpath(part.path.name) for part in files), target.joinpath(MANIFEST), document
    )


@uncollected()
def _write(
    workspace: Workspace,
    run: Run,
    stated: Sequence[Statement],
    grain: Grain,
    directory: Path,
    progress: Callable[[int], None],
) -> _Made:
    snapshot = workspace.snapshot(run.period)
    there = {column.name for file in snapshot.files for column in file.columns}
    told_apart = export_rows.told_apart(grain, there)
    columns = layout(snapshot.files, export_rows.NEEDED, export_rows.OURS)
    beside = export_rows.beside(run, snapshot, stated)
    origin = allocated.write_origin(snapshot, run.sidecars, beside, columns, told_apart, directory, progress)
    place = COSTS.index(export_rows.charged(run))
    brought = export_rows.in_pools(run, origin.pooled, told_apart, grain)
    found = passed_on(run.allocation, brought, export_rows.movers(run), place, len(COSTS))
    made = export_rows.Rows(run, stated, told_apart, grain)
    made.meet(found)
    rows = made.rows(found)
    return _Made(origin, allocated_rows.write_rows(directory, columns, made.kinds, made.lines, rows), columns)


def _prove(workspace: Workspace, run: Run, stated: Sequence[Statement], made: _Made) -> None:
    """Read everything back: it has to come to the delivered costs and to the exact amount of every line."""
    paths = [part.path for part in made.parts]
    if sum(part.rows for part in made.origin.parts) + sum(each.rows for each in made.origin.pooled) != sum(
        each.rows for each in made.origin.controls
    ):
        raise _lost("rows")
    found, wanted = _by_key(allocated_proof.controls(paths, made.columns)), _by_key(made.origin.controls)
    for key in sorted({*found, *wanted}):
        if found[key] != wanted[key]:
            raise _lost(f"the costs of {', '.join(text for text in key if text)}")
    delivered: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for total in workspace.totals(run.period):
        delivered[total.currency][0] += total.billed_units
        delivered[total.currency][1] += total.effective_units
    for currency, costs in _by_currency(made.origin.controls).items():
        if [costs[0] or 0, costs[1] or 0] != delivered[currency]:
            raise _lost(f"what was loaded in {currency}")
    lines = allocated_proof.by_line(paths, export_rows.STATEMENT, export_rows.LINE, export_rows.charged(run))
    exact = {(str(each.number), line.number): line.units for each in stated for line in each.lines}
    for place in sorted({*exact, *lines}):
        if lines.get(place, (0, 0))[1] != exact.get(place, 0):
            raise _lost(f"line {place[1]} of statement {place[0]}")


def _lost(what: str) -> ConservationError:
    return ConservationError(
        f"The export does not agree with {what}.",
        advice="Nothing was written. This is a fault of the program: please report it.",
    )


def _by_key(controls: Sequence[Control]) -> dict[tuple[str, ...], list[int]]:
    """The four costs; what nobody delivered counts as nothing, and so does what comes to nothing."""
    sums: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * len(COSTS))
    for each in controls:
        key = (each.issuer, each.invoice, each.account, each.currency)
        sums[key] = [old + (new or 0) for old, new in zip(sums[key], each.costs, strict=True)]
    return sums


def _by_currency(controls: Sequence[Control]) -> dict[str, Costs]:
    sums: dict[str, Costs] = {}
    for each in controls:
        before = sums.get(each.currency, (None, None, None, None))
        one, two, three, four = (
            old if new is None else new if old is None else old + new
            for old, new in zip(before, each.costs, strict=True)
        )
        sums[each.currency] = (one, two, three, four)
    return dict(sorted(sums.items()))


def _finish(made: _Made, directory: Path, single: str, *, as_csv: bool) -> tuple[Part, ...]:
    """The files as they were asked for, in `directory`."""
    paths = [part.path for part in made.parts]
    if single:
        target = directory / single
        if as_csv:
            allocated_proof.as_csv(paths, made.columns, target)
        else:
            allocated_proof.together(paths, target)
        return (Part(target, sum(part.rows for part in made.parts)),)
    done = []
    for part in made.parts:
        target = directory / part.path.name
        if as_csv:
            target = target.with_suffix(".csv")
            allocated_proof.as_csv([part.path], made.columns, target)
        else:
            part.path.rename(target)
        done.append(Part(target, part.rows))
    return tuple(done)


def _document(
    run: Run, stated: Sequence[Statement], made: _Made, grain: Grain, files: Sequence[Part]
) -> dict[str, object]:
    """The manifest. Its keys ``files``, ``name``, ``rows`` and ``sha256`` are those that `apportion ingest` knows."""
    allocation = run.allocation
    kept, added = (sum(part.rows for part in parts) for parts in (made.origin.parts, made.allocated))
    return {
        "document": DOCUMENT,
        "version": VERSION,
        "period": str(run.period),
        "cost_basis": str(allocation.cost_basis),
        "grain": str(grain),
        "rows": kept + added,
        "origin_rows": kept,
        "allocated_rows": added,
        "replaced_charges": sum(each.rows for each in made.origin.pooled),
        "files": [
            {"name": part.path.name, "rows": part.rows, "size": part.path.stat().st_size, "sha256": _sha256(part.path)}
            for part in files
        ],
        "totals": [
            {
                "currency": currency,
                **{name: None if units is None else plain(units) for name, units in zip(_TOTALS, costs, strict=True)},
            }
            for currency, costs in _by_currency(made.origin.controls).items()
        ],
        "statements": [
            {
                "number": str(statement.number),
                "holder": str(statement.holder.holder),
                "cost_group": statement.holder.code or None,
                "amounts": [
                    {"currency": each.currency, "exact_amount": plain(each.units)} for each in statement.billed
                ],
            }
            for statement in stated
        ],
        "unreadable": [{"column": name, "rows": count} for name, count in sorted(made.origin.unreadable.items())],
        "run_digest": run.digest,
        "policy_digest": allocation.policy_digest,
        "organization_digest": allocation.organization_digest,
        "snapshot_digest": allocation.snapshot_digest,
        "usage_digest": allocation.usage_digest,
        "software": f"apportion {importlib.metadata.version('apportion')}",
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
