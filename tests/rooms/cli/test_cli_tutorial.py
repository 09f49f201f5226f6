"""The tutorial is run: its files are written, its commands typed, and what they print is what the page shows.

``python -m tests.rooms.cli.test_cli_tutorial`` writes the outputs into the page anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "tutorial" / "first-close.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
PROGRAM = [sys.executable, "-m", "apportion.cli"]


def replayed(page: str, directory: Path) -> Iterator[tuple[str, str]]:
    """Each console block as it stands on the page, and as it comes out now."""
    for kind, name, text in BLOCK.findall(page):
        if name:
            (directory / name).write_text(text, encoding="utf-8")
        elif kind == "console":
            line = text.splitlines()[0]
            yield text, f"{line}\n{printed(line, directory)}"


def printed(line: str, directory: Path) -> str:
    """What a command shows, errors included, without blanks at the ends of lines and blank lines at the end."""
    words = line.removeprefix("$ apportion ").split()
    settings = {**os.environ, "COLUMNS": "100"}
    settings.pop("APPORTION_WORKSPACE", None)
    done = subprocess.run(
        [*PROGRAM, *words], cwd=directory, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    lines = done.stdout.decode().rstrip().splitlines()
    return "".join(f"{each.rstrip()}\n" for each in lines)


@pytest.mark.slow
def test_the_tutorial_shows_what_happens(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    blocks = list(replayed(page, tmp_path))
    assert len(blocks) > 10
    for shown, now in blocks:
        assert without_digests(now) == without_digests(shown)


def without_digests(text: str) -> str:
    """Digests change with the smallest thing that a run is made from; the page need not."""
    return re.sub(r"\brun [0-9a-f]{12}\b", "run (digest)", text)


def rewrite() -> None:
    """Put what the commands print now into the page."""
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as directory:
        position = 0
        for shown, now in replayed(page, Path(directory)):
            place = page.index(f"```console\n{shown}```", position)
            page = f"{page[:place]}```console\n{now}{page[place + len('```console') + 1 + len(shown) :]}"
            position = place + 1
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
