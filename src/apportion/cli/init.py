"""``apportion init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apportion.cli.face import SETTINGS, Face, shown_path

VERSION = 1


def read_directory(text: str) -> Path:
    """Where to make a workspace; an empty name, which a path takes for the current directory, is wrong usage."""
    if not text.strip():
        raise typer.BadParameter("DIR is empty. Name a directory; '.' is the current one.")
    return Path(text).resolve()


def run(
    face: Face,
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Where to make it.", show_default=False)],
) -> None:
    """Make a workspace, with annotated files to start from.

    Files that are there are never written over. In a directory that has an apportion.yaml already, such as a fresh
    copy from version control, only the store for cost data is made.

    \b
    Example:
      apportion init cloud-bill
    """
    from apportion.starter import write_starter
    from apportion.warehouse.store import Workspace

    root = read_directory(directory)
    written = [] if (root / SETTINGS).exists() else write_starter(root)
    Workspace.create(root)
    face.give(
        {
            "document": "init",
            "version": VERSION,
            "workspace": str(root),
            "files": [str(path.relative_to(root)) for path in written],
        }
    )
    face.say(f"{shown_path(root)} is a workspace now.", "bold")
    for path in written:
        face.say(f"  {shown_path(path)}")
    face.say("Next:")
    face.say(f"  1. Say in {SETTINGS} who you are, and in the policy and organization who pays for what.")
    face.say("  2. apportion policy check")
    face.say("  3. apportion ingest PATH --source NAME")
    face.say("  4. apportion close PERIOD")
    if root != Path.cwd():
        face.say(f"Work in {shown_path(root)}, or say --workspace {shown_path(root)}.")
