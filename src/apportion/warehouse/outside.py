"""Files that people name a place for: never in a store or over what a workspace is made from, and whole or not at all.

Every command that writes to a named place asks `require_outside` or `require_folder` first, before any work is done.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from apportion import settings as settings_file
from apportion.errors import InputRefusedError, StorageError
from apportion.warehouse.store import STORE

_NAMES_FILES = {"policy", "organization", "budgets", "rates", "template", "certificates", "known_hosts"}


def require_outside(root: Path, target: Path) -> None:
    """Refuse a file in a store, one that the workspace in `root` is made from, and what is no regular file.

    Raises `InputRefusedError`, and `DocumentError` where the settings cannot be read.
    """
    require_regular(target)
    place = target.resolve()
    if _in_a_store(place):
        raise _belongs(target)
    for kept in _inputs(root):
        if place == kept.resolve() or (target.exists() and kept.exists() and target.samefile(kept)):
            raise _belongs(target)


def require_folder(target: Path) -> None:
    """Refuse a folder in a store, and what is there and no folder. Raises `InputRefusedError`."""
    if _in_a_store(target.resolve()):
        raise _belongs(target)
    if target.exists() and not target.is_dir():
        raise InputRefusedError(f"{target} is no folder.", advice="Name a folder, or a place where nothing is yet.")


def require_regular(*targets: Path) -> None:
    """Refuse what is there and cannot be replaced by a file: a folder, link, device or pipe.

    A rename would take the place of a link or device, not write to it. Raises `InputRefusedError`.
    """
    for target in targets:
        try:
            is_free = not target.is_symlink() and (target.is_file() or not target.exists())
        except OSError as error:
            raise refused(target, error) from error
        if not is_free:
            raise InputRefusedError(
                f"{target} is there, and is no regular file.", advice="Name a file, or a place where nothing is yet."
            )


def write(target: Path, pieces: Iterable[str]) -> None:
    """Write texts one after the other as UTF-8, all or none of them. Raises `StorageError` when the disk refuses."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as file:
            file.writelines(piece.encode("utf-8") for piece in pieces)
    except OSError as error:
        raise refused(target, error) from error


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A file beside `target` that takes its place at the end: a reader finds the old file or the new one."""
    require_regular(target)
    aside = target.parent / f".{secrets.token_hex(8)}.part"
    try:
        with aside.open("xb") as file:
            yield file
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def refused(target: Path, error: OSError) -> StorageError:
    """What the disk said of a file that was asked for."""
    return StorageError(
        f"{target} cannot be written: {(error.strerror or str(error)).lower()}.",
        advice="Free some space, or name a place that is writable; nothing was changed.",
    )


def _in_a_store(place: Path) -> bool:
    """Whether a place is in the store of any workspace."""
    return any(
        each.name == STORE and (each.parent / settings_file.FILE_NAME).is_file() for each in (place, *place.parents)
    )


def _belongs(target: Path) -> InputRefusedError:
    return InputRefusedError(f"{target} belongs to the workspace.", advice="Name a folder or file of its own.")


def _inputs(root: Path) -> Iterator[Path]:
    """The settings, and every file that they name."""
    yield root / settings_file.FILE_NAME
    for name in _named(settings_file.load(root).model_dump()):
        yield root / name


def _named(section: Mapping[str, object]) -> Iterator[str]:
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _named(value)
        elif key in _NAMES_FILES or key.endswith("_file"):
            yield from (name for name in (value if isinstance(value, tuple) else (value,)) if name)
