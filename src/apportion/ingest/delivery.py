"""The files of a delivery: a file, a folder, a glob or several of them, and what a manifest says of them.

Takes paths as the user gave them, gives the files to read, in a fixed order. Follows no link out of a delivered
folder, and takes from a manifest only which of the files found here belong to it: no path of a manifest is ever opened.
"""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from apportion.errors import DuplicateDeliveryError, IncompleteDeliveryError, Place, UnreadableFileError
from apportion.focus import checks
from apportion.focus.finding import Example, Finding
from apportion.ingest import manifest as manifests
from apportion.ingest.manifest import Manifest, Promise
from apportion.periods import BillingPeriod

_DATA = (".parquet", ".parq", ".pq", ".csv", ".tsv", ".gz", ".gzip", ".zst", ".zstd")
_MAGIC = (b"PAR1", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One file to read. `name` is what people see; `partition` are hive values (``key=value`` folders) of its path.

    `rows` and `sha256` are what its manifest promises (None and empty where it promises nothing).
    """

    path: Path
    name: str
    partition: tuple[tuple[str, str | None], ...] = ()
    rows: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a delivery by name, what was left aside, and what the manifests promise over all of them.

    `rows` is the number of rows promised in all; `periods` the first and last month promised.
    """

    files: tuple[FoundFile, ...]
    findings: tuple[Finding, ...]
    rows: int | None = None
    periods: tuple[BillingPeriod, BillingPeriod] | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    path: Path
    name: str
    named: bool = False  # the user named this very file
    is_link: bool = False


def find(paths: Sequence[str | Path]) -> Found:
    """The files of a delivery.

    Raises `UnreadableFileError` for a path where nothing is, `IncompleteDeliveryError` where a manifest names a file
    that is not there, and `DuplicateDeliveryError` for two manifests of the same export and dates.
    """
    candidates: dict[Path, _Candidate] = {}
    for given in paths:
        for candidate in _expand(str(given)):
            candidates.setdefault(Path(os.path.realpath(candidate.path)), candidate)
    listed = [
        manifests.read(one.path)
        for one in candidates.values()
        if manifests.is_manifest_name(one.path.name) and not one.is_link
    ]
    plain = [one for one in candidates.values() if not manifests.is_manifest_name(one.path.name)]
    readable = {one.path: one.named or (not one.is_link and _is_data(one.path)) for one in plain}
    data = [one for one in plain if readable[one.path]]
    _refuse_two_runs(listed)
    chosen = _choose(data, listed)
    skipped = [(one, _why_skipped(one, readable[one.path])) for one in plain if one.path not in chosen]
    if not chosen:
        raise UnreadableFileError(
            f"There is no Parquet or CSV file in {', '.join(str(path) for path in paths)}.",
            advice="Name a file, a folder with .parquet, .csv, .csv.gz or .csv.zst files, or a glob.",
        )
    files = _named_apart(_found(one, chosen[one.path]) for one in data if one.path in chosen)
    periods = [manifest.periods for manifest in listed if manifest.periods]
    totals = [manifest.rows for manifest in listed]
    known = [rows for rows in totals if rows is not None]
    return Found(
        tuple(sorted(files, key=lambda file: file.name)),
        tuple(_skipped_finding(one, why) for one, why in sorted(skipped, key=lambda item: item[0].name)),
        sum(known) if known and len(known) == len(totals) else None,
        (min(first for first, _ in periods), max(last for _, last in periods)) if periods else None,
    )


def source_name(paths: Sequence[str | Path]) -> str:
    """The name of the source where the user gives none: that of the first folder or file, made safe."""
    path = Path(os.path.abspath(str(paths[0])))  # noqa: PTH100 - resolving would follow links to other names
    while glob.has_magic(path.name):
        path = path.parent
    name = path.name
    while not path.is_dir() and PurePosixPath(name).suffix.lower() in _DATA:
        name = PurePosixPath(name).stem
    return _UNSAFE.sub("-", name).strip("._-")[:64] or "delivery"


def shown(name: str) -> str:
    """A file name that can be printed and stored whatever its bytes are."""
    text = name.encode("utf-8", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def _expand(given: str) -> Iterator[_Candidate]:
    path = Path(given)
    if path.is_dir():
        yield from _walk(path)
    elif path.is_file():
        if manifests.is_manifest_name(path.name):
            yield from _walk(_root_of(path))
        else:
            yield _Candidate(path, path.name, named=True)
    elif path.exists() or path.is_symlink():
        raise UnreadableFileError("This is neither a file nor a folder.", place=Place(shown(given)))
    elif glob.has_magic(given):
        matches = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 - the pattern may be absolute
        if not matches:
            raise UnreadableFileError(f"No file matches '{shown(given)}'.", advice="Check the path and the pattern.")
        for match in matches:
            if Path(match).is_dir():
                if "**" not in given:
                    yield from _walk(Path(match))
            elif not Path(match).name.startswith((".", "_")):
                yield _Candidate(Path(match), Path(match).name)
    else:
        raise UnreadableFileError(f"There is no file or folder '{shown(given)}'.", advice="Check the path.")


def _root_of(manifest: Path) -> Path:
    """The folder in which the files of a manifest are looked for: AWS keeps manifests and data side by side."""
    for folder in list(manifest.parents)[:4]:
        if folder.name == "metadata" and (folder.parent / "data").is_dir():
            return folder.parent
    return manifest.parent


def _walk(root: Path) -> Iterator[_Candidate]:
    """Every file below, in order: no hidden ones, no marks such as _SUCCESS, and no folder behind a link."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith((".", "_")) and path.is_file():
                yield _Candidate(path, path.relative_to(root).as_posix(), is_link=path.is_symlink())


def _is_data(path: Path) -> bool:
    if path.suffix.casefold() in _DATA:
        return True
    if path.suffix:
        return False
    with path.open("rb") as file:
        return file.read(4).startswith(_MAGIC)


def _choose(data: Sequence[_Candidate], listed: Sequence[Manifest]) -> dict[Path, Promise | None]:
    """The files to read, each with what a manifest promises of it. A file that the user named needs no manifest."""
    if not listed:
        return {one.path: None for one in data}
    chosen: dict[Path, Promise | None] = {one.path: None for one in data if one.named}
    missing: list[tuple[Promise, Manifest]] = []
    for manifest in listed:
        if manifest.promises is None:
            chosen |= {one.path: None for one in data if one.path.is_relative_to(manifest.path.parent)}
        for promise in manifest.promises or ():
            match = _match(promise, manifest, data)
            if match is None:
                missing.append((promise, manifest))
            else:
                chosen[match] = promise
    if missing:
        names = ", ".join(shown(promise.name) for promise, _ in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise IncompleteDeliveryError(
            f"The manifest names {len(missing)} files that are not here: {names}{more}.",
            place=Place(shown(str(missing[0][1].path))),
            advice="Fetch the whole delivery, then load it again.",
        )
    return chosen


def _match(promise: Promise, manifest: Manifest, data: Sequence[_Candidate]) -> Path | None:
    """The file that a manifest means. A download may keep all, some or none of the folders above it; where it has
    renamed them, a file of that name beside the manifest is meant, if there is only one."""
    wanted = PurePosixPath(promise.name).parts
    if not wanted:
        return None
    same_name = [one for one in data if one.path.name == wanted[-1]]
    ends_alike = [
        one for one in same_name if _ends_with(wanted, Path(one.name).parts) or _ends_with(one.path.parts, wanted)
    ]
    if len(ends_alike) == 1:
        return ends_alike[0].path
    namesakes = sum(PurePosixPath(other.name).name == wanted[-1] for other in manifest.promises or ())
    beside = [one for one in same_name if one.path.is_relative_to(manifest.path.parent)]
    if not ends_alike and len(beside) == namesakes == 1:
        return beside[0].path
    return None


def _ends_with(parts: tuple[str, ...], end: tuple[str, ...]) -> bool:
    return parts[-len(end) :] == end


def _refuse_two_runs(listed: Iterable[Manifest]) -> None:
    seen: dict[str, Manifest] = {}
    for manifest in listed:
        if manifest.run and manifest.run in seen:
            raise DuplicateDeliveryError(
                f"{shown(str(seen[manifest.run].path))} and {shown(str(manifest.path))} are two runs of the same "
                "export for the same dates: their rows would count twice.",
                advice="Load the folder of the last run only.",
            )
        seen[manifest.run] = manifest


def _found(candidate: _Candidate, promise: Promise | None) -> FoundFile:
    partition = tuple(_partition(part) for part in candidate.path.parts[:-1] if "=" in part.strip("="))
    file = FoundFile(candidate.path, shown(candidate.name), partition)
    return replace(file, rows=promise.rows, sha256=promise.sha256) if promise else file


def _partition(part: str) -> tuple[str, str | None]:
    name, _, value = part.partition("=")
    return unquote(name), None if value == _HIVE_NULL else unquote(value)


def _named_apart(files: Iterable[FoundFile]) -> list[FoundFile]:
    """Files of the same name from different folders get the name of their whole path."""
    files = list(files)
    uses = Counter(file.name for file in files)
    return [replace(file, name=shown(str(file.path))) if uses[file.name] > 1 else file for file in files]


def _why_skipped(candidate: _Candidate, readable: bool) -> str:
    if candidate.is_link:
        return "It is a link."
    return "No manifest names it." if readable else "It is no Parquet or CSV file."


def _skipped_finding(candidate: _Candidate, why: str) -> Finding:
    return checks.FILE_SKIPPED.finding(
        file=shown(candidate.name), column="", rows=0, examples=[Example(0, candidate.path.suffix)], detail=why
    )
