"""What every command is given: where to work, and how to answer."""

from __future__ import annotations

import json
import os
import shlex
import sys
import unicodedata
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from apportion.errors import WorkspaceError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from apportion.warehouse.store import Workspace

WIDTH = 100
_ANY_WIDTH = 10_000
SETTINGS = "apportion.yaml"  # the same as settings.FILE_NAME, without loading that room for --help


class Face:
    """One run of a command: its workspace, and its answer as text (`say`, `show`) or as one document (`give`).

    With `as_json`, whatever is said or shown is silence, so a command can tell its story as it goes and give the
    document at the end.
    """

    def __init__(self, named: Path | None = None, *, as_json: bool = False) -> None:
        """`named` is the workspace that the user named; None for the one that the command stands in."""
        self.named = named
        self.as_json = as_json

    # Where to work.

    def root(self) -> Path:
        """The directory of the settings file; it need not have a store. Raises `WorkspaceError`."""
        if self.named is not None:
            root = self.named.resolve()
            if not root.is_dir():
                raise WorkspaceError(f"There is no directory {shown_path(root)}.", advice="Check --workspace.")
            if not (root / SETTINGS).is_file():
                raise WorkspaceError(
                    f"{shown_path(root)} is no workspace: it has no {SETTINGS}.",
                    advice=f"Make one with: apportion init {shown_path(root)}",
                )
            return root
        begin = Path.cwd()
        for root in (begin, *begin.parents):
            if (root / SETTINGS).is_file():
                return root
        raise WorkspaceError(
            f"There is no workspace in {begin} or above it.",
            advice="Make one with: apportion init DIR, or name one with --workspace DIR.",
        )

    def workspace(self) -> Workspace:
        """The workspace, opened. Raises `WorkspaceError`."""
        from apportion.warehouse.store import Workspace

        return Workspace.open(self.root())

    # How to answer.

    @cached_property
    def console(self) -> Console:
        """Standard output: coloured on a terminal, 100 columns wide elsewhere."""
        return console()

    @property
    def width(self) -> int:
        """Columns for text: those of the terminal, at most 120."""
        return max(min(self.console.width, 120), 60)

    def say(self, text: str = "", style: str = "") -> None:
        """Print text as it is, each line whole."""
        if not self.as_json:
            from rich.text import Text

            self.console.print(Text(clean(text), style=style), soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        """Print a table, or text with styles; what cannot be narrower than the terminal is wider, and whole."""
        if self.as_json:
            return
        width = self.console.width
        least = self.console.measure(what, options=self.console.options.update_width(_ANY_WIDTH)).minimum
        self.console.width = max(width, least)
        try:
            self.console.print(what)
        finally:
            self.console.width = width

    def give(self, document: Mapping[str, object]) -> None:
        """Print the one document of ``--json``; without it, nothing."""
        if self.as_json:
            print_json(document)

    @property
    def shows_progress(self) -> bool:
        """Whether a person watches: not with --json, and not where text or progress goes into a pipe."""
        return not self.as_json and sys.stdout.isatty() and sys.stderr.isatty()


def console(*, stderr: bool = False) -> Console:
    """A console on standard output or standard error."""
    from rich.console import Console

    class Pipe(Console):
        """Rich ends the process by itself when the reader goes away; here that is for `main` to decide."""

        def on_broken_pipe(self) -> NoReturn:
            raise BrokenPipeError

    stream = sys.stderr if stderr else sys.stdout
    given = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() or given.isdecimal() else WIDTH
    return Pipe(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def print_json(document: Mapping[str, object]) -> None:
    """One JSON document on standard output, in the order it was made."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    sys.stdout.write(json.dumps(document, ensure_ascii=not is_unicode, indent=2) + "\n")


def clean(text: str) -> str:
    """Text that cannot steer a terminal: names and values come from other people's files."""
    return "".join(
        character
        if character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def option(workspace: Workspace) -> str:
    """The option that leads to a workspace from here, with a blank behind; empty where commands find it themselves."""
    if Path.cwd().is_relative_to(workspace.root):
        return ""
    return f"--workspace {shlex.quote(shown_path(workspace.root))} "


def shown_path(path: Path | str) -> str:
    """A path as short as it can be typed here: relative where it lies below the current directory."""
    path = Path(path)
    try:
        here = Path.cwd()
    except OSError:
        return str(path)
    below = path.is_absolute() and path != here and path.is_relative_to(here)
    return str(path.relative_to(here)) if below else str(path)
