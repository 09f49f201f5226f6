"""What the commands of the books share: the web extra, Django set up for the workspace, and who acts."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.face import Face
from apportion.errors import InputRefusedError, NotFoundError, WorkspaceError

if TYPE_CHECKING:
    from apportion.actions.acting import Actor
    from apportion.warehouse.store import Workspace

PERSON = "APPORTION_PERSON"  # the variable that names who acts where --as does not
As = Annotated[
    str,
    typer.Option("--as", metavar="EMAIL", envvar=PERSON, show_envvar=True, help="Act as this person of the books."),
]


_PACKAGES = ("django", "allauth", "ninja", "granian", "whitenoise", "psycopg", "apprise", "holidays")


def installed() -> bool:
    """Whether the web application's packages are there."""
    return all(importlib.util.find_spec(name) for name in _PACKAGES)


def boot(face: Face, *, migrated: bool = True, made: bool = False) -> Workspace:
    """Set Django up for the face's workspace, with its books up to date unless `migrated` is false.

    With `made`, books that are not there yet are made.

    Raises `WorkspaceError` without the web extra, and where the books are of an earlier version.
    """
    place = face.workspace()
    boot_at(place.root)
    if migrated:
        from apportion.records import upkeep

        if made and upkeep.is_new():
            upkeep.migrate()
        if upkeep.pending():
            raise WorkspaceError(
                "The books of this workspace are not made yet, or of an earlier version.",
                advice="Make them with: apportion books migrate",
            )
    return place


def boot_at(root: Path) -> None:
    """Set Django up for a workspace. Raises `WorkspaceError` without the web extra."""
    if not installed():
        raise WorkspaceError(
            "The web application is not installed.",
            advice="Install it where you installed Apportion from: pip install '.[web]'",
        )
    from apportion import records

    records.boot(root)


def can_boot(root: Path) -> bool:
    """Whether Django can be set up for this workspace: it is installed, and not set up for another one already."""
    if not installed():
        return False
    from django.conf import settings

    return not settings.configured or root.resolve() == settings.APPORTION_WORKSPACE


def has_books(root: Path) -> bool:
    """Whether the workspace has books, told without loading Django."""
    from apportion import settings as settings_file

    if not installed():
        return False
    if os.environ.get("APPORTION_DATABASE") or settings_file.load(root).database:
        return True
    return (root / ".apportion" / "books.sqlite3").is_file()


def actor(email: str) -> Actor:
    """The person of that mail address, acting on the command line. Raises `NotFoundError`, `InputRefusedError`."""
    from apportion.actions.acting import actor_of
    from apportion.records.people import Person

    if not email:
        raise InputRefusedError(
            "Who acts is not said.", advice="Name a person of the books with --as EMAIL (or APPORTION_PERSON)."
        )
    person = Person.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if person is None:
        raise NotFoundError(
            f"There is no person '{email}' in the books.",
            advice="Add them with: apportion people add EMAIL --name NAME",
        )
    return actor_of(person, "cli")
