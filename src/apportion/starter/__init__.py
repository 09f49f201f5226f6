"""The annotated files that a new workspace starts with: settings, organization and policy.

Takes a directory, gives the paths it wrote: three YAML files, and the JSON Schemas that editors check them by.
Never overwrites a file.
"""

from __future__ import annotations

from pathlib import Path

from apportion.allocate import schema
from apportion.errors import InputRefusedError, Place, StorageError

_FOLDER = Path(__file__).parent

_FILES = {
    "apportion.yaml": _FOLDER / "apportion.yaml",
    "organization.yaml": _FOLDER / "organization.yaml",
    "policy.yaml": _FOLDER / "policy.yaml",
    f"schema/{schema.ORGANIZATION}": schema.FOLDER / schema.ORGANIZATION,
    f"schema/{schema.POLICY}": schema.FOLDER / schema.POLICY,
}


def write_starter(directory: Path) -> list[Path]:
    """Write the files into `directory`, which is made if it is not there.

    Raises `InputRefusedError` where one of them is there already and `StorageError` where they cannot be
    written; either way none of them is left behind.
    """
    targets = {directory / name: source for name, source in _FILES.items()}
    for target in targets:
        if target.exists() or target.is_symlink():
            raise InputRefusedError(
                "The file is there already, and a start would overwrite it.",
                place=Place(str(target)),
                advice="Choose another directory, or move the file away.",
            )
    written: list[Path] = []
    try:
        for target, source in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            content = source.read_bytes()
            with target.open("xb") as file:
                written.append(target)
                file.write(content)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        reason = error.strerror or type(error).__name__
        raise StorageError(f"The workspace cannot be written: {reason}.", place=Place(str(directory))) from error
    return written
