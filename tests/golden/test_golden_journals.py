"""A journal of two companies and four currencies in every target's files; to write them anew:
`APPORTION_WRITE_GOLDEN=1 pytest tests/golden/test_golden_journals.py`. A change needs a line in the changelog.

Archives and workbooks are compared by the files inside of them, so that a packer may pack better.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from apportion.post.formats import targets
from apportion.post.formats.tables import unzipped
from tests.formats import ALL, rendered, small, whole

HERE = Path(__file__).parent / "journals"
INSIDE = {"zip": ("GlInterface.csv",), "xlsx": ("xl/worksheets/sheet1.xml",)}


def plain(files: dict[str, bytes]) -> dict[str, bytes]:
    """Files by name; of archives what counts, and no file that has digests of them."""
    found: dict[str, bytes] = {}
    for name, content in files.items():
        suffix = name.rpartition(".")[2]
        if suffix in INSIDE:
            inside = unzipped(content)
            found |= {f"{name}.{each.rpartition('/')[2]}": inside[each] for each in INSIDE[suffix]}
        elif not (name.endswith(".control.json") and any(each.endswith((".zip", ".xlsx")) for each in files)):
            found[name] = content
    return found


@pytest.mark.parametrize("name", ALL)
def test_the_files_of_a_target_are_the_golden_ones(name: str) -> None:
    made = plain(rendered(name, whole(small(), name)).files)
    directory = HERE / name
    if os.environ.get("APPORTION_WRITE_GOLDEN"):
        directory.mkdir(parents=True, exist_ok=True)
        for old in directory.iterdir():
            old.unlink()
        for file, content in made.items():
            (directory / file).write_bytes(content)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == made


def test_every_target_has_golden_files_and_no_other_has() -> None:
    assert sorted(path.name for path in HERE.iterdir()) == sorted(ALL)


@pytest.mark.parametrize(
    "name", [name for name in ALL if name not in {"oracle-fbdi", "xlsx", "sap-xlsx", "workday-xlsx"}]
)
def test_the_golden_files_are_read_back(name: str) -> None:
    files = {path.name: path.read_bytes() for path in (HERE / name).iterdir()}
    assert targets.parse(name, files) == whole(small(), name)
