"""A folder on another machine, over SFTP with the system's own `sftp`: its keys, its known hosts, no password of ours.

Like a folder here, it does not answer: what is dropped is *sent*.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apportion.errors import InputRefusedError
from apportion.post.erp.document import Document
from apportion.post.erp.errors import NotAuthorisedError, Rejection, TargetDownError, TargetSilentError
from apportion.post.erp.folder import FolderTarget
from apportion.post.erp.target import Found, Link, Standing

_PLACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@:-]*", re.ASCII)
_FOLDER = re.compile(r"/?[A-Za-z0-9_][A-Za-z0-9._/ -]*", re.ASCII)
_OPTIONS = ("-b", "-", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "-oConnectTimeout=20")
_NO_CONNECTION = 255


@dataclass(frozen=True)
class SftpTarget(FolderTarget):
    """`place` is ``user@host`` or a name in the configuration of ssh; `folder` is a folder there.

    `identity` is the file of a private key; without it, ssh's own configuration says which. Raises `InputRefusedError`
    for a place or folder that could be read as something else.
    """

    place: str = ""
    identity: str = ""
    command: tuple[str, ...] = ("sftp",)
    seconds: float = 120  # float: seconds

    def __post_init__(self) -> None:
        if not _PLACE.fullmatch(self.place) or not _FOLDER.fullmatch(str(self.folder)):
            raise InputRefusedError(
                f"'{self.place}' with the folder '{self.folder}' is not a place to send files to.",
                advice="Write user@host, and a folder of letters, digits, '.', '_', '-', '/' and blanks.",
            )

    def check(self, documents: Sequence[Document]) -> tuple[Rejection, ...]:
        """See `Target`: can we get there, and is the folder there?"""
        self._run([f'cd "{self.folder}"', "ls -1"])
        return ()

    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        """See `Target`: all files under other names first, then renamed, the digest last."""
        names = self.files(document, key, reverses)
        with tempfile.TemporaryDirectory() as folder:
            lines = [f'cd "{self.folder}"']
            for name, what in names.items():
                (Path(folder) / name).write_bytes(what)
                # Renaming onto a file of an earlier try is done by OpenSSH's servers; others want it gone first.
                lines += [f'put "{folder}/{name}" ".{name}.part"', f'-rm "{name}"', f'rename ".{name}.part" "{name}"']
            self._run(lines)
        return Found(key, Standing.POSTED)

    def _run(self, lines: Sequence[str]) -> None:
        own = [*self.command, *_OPTIONS, *(["-i", self.identity] if self.identity else []), self.place]
        text = "\n".join(lines) + "\n"
        try:
            done = subprocess.run(  # noqa: S603 - the command is ours, and place and folder are checked above
                own, input=text, capture_output=True, text=True, timeout=self.seconds, check=False
            )
        except FileNotFoundError:
            raise TargetDownError("There is no `sftp` on this machine.", advice="Install the OpenSSH client.") from None
        except subprocess.TimeoutExpired:
            raise TargetSilentError(
                f"{self.name} gave no answer for {self.seconds:.0f} seconds.", advice="Push again: the same files come."
            ) from None
        if done.returncode == 0:
            return
        said = " ".join(done.stderr.split())[-300:]
        if "denied" in said.lower() or "Host key verification failed" in said:
            raise NotAuthorisedError(
                f"{self.name} does not let us in, or is not who it was: {said}",
                advice="Check the key, the rights of the folder, and the known hosts.",
            )
        kind = TargetDownError if done.returncode == _NO_CONNECTION else TargetSilentError
        raise kind(f"{self.name} did not take the files: {said}", advice="Check the folder there; then push again.")
