"""Secrets of ledgers: from the environment, or from a file that nobody else can read; never shown, logged or kept."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from apportion.errors import InputRefusedError, Place

_MOST = 16_384
_SHORTEST_HIDDEN = 4


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or key. Its text is asked for where it is used; printing it shows nothing."""

    text: str = field(repr=False)

    def __str__(self) -> str:
        return "(hidden)"

    def hidden_in(self, said: str) -> str:
        """The same words without the secret, should a ledger repeat it."""
        return said.replace(self.text, "(hidden)") if len(self.text) >= _SHORTEST_HIDDEN else said


def secret(variable: str, file: str = "", root: Path | None = None) -> Secret:
    """The secret in an environment variable, else the first line of a file (relative to `root`).

    Raises `InputRefusedError` where there is neither, and for a file that others can read or change, that belongs to
    somebody else, or that is no file: whoever could have read it knows the secret.
    """
    if found := os.environ.get(variable, ""):
        return Secret(found)
    if not file:
        raise InputRefusedError(
            f"The secret {variable} is not set.",
            place=Place(field=variable),
            advice=f"Set the environment variable {variable}, or name a file that holds it.",
        )
    return Secret(_first_line(variable, (root or Path()) / file))


def _first_line(variable: str, path: Path) -> str:
    place = Place(path.name, field=variable)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InputRefusedError(
            f"The file of the secret {variable} cannot be read: {error.strerror}.",
            place=place,
            advice=f"Make it, or set the environment variable {variable}.",
        ) from None
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(opened.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise InputRefusedError(f"The secret {variable} is not in a plain file.", place=place)
        if found.st_mode & 0o077:
            raise InputRefusedError(
                f"Others on this machine can use the file of the secret {variable} (its rights are "
                f"{stat.S_IMODE(found.st_mode):03o}).",
                place=place,
                advice=f"Run `chmod 600 {path.name}`, and change the secret if somebody may have read it.",
            )
        if found.st_uid not in {os.geteuid(), 0}:
            raise InputRefusedError(
                f"The file of the secret {variable} belongs to somebody else.",
                place=place,
                advice="Make it your own.",
            )
        content = opened.read(_MOST + 1)
    try:
        text = content.decode("utf-8").partition("\n")[0].strip()
    except UnicodeDecodeError:
        text = ""
    if not text or len(content) > _MOST or not text.isprintable():
        raise InputRefusedError(
            f"The file of the secret {variable} does not begin with a line that holds it.",
            place=place,
            advice="Write the secret on its first line, and nothing else.",
        )
    return text
