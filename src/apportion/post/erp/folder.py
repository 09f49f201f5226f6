"""A folder that a finance system reads from: each entry is a file, beside it the digest of its bytes, written last.

A folder does not answer: what is dropped is *sent*, and a person confirms it with the ledger's number.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from apportion.errors import InputRefusedError, StorageError
from apportion.post.erp.calling import json_text
from apportion.post.erp.connected import signed
from apportion.post.erp.document import Document, Spot
from apportion.post.erp.errors import Rejection
from apportion.post.erp.target import Balance, Found, Holding, Link, Standing, Traits


def content(document: Document, key: str, reverses: Link | None) -> bytes:
    """A document as JSON text: the same one gives the same bytes."""
    lines = [
        {
            "line": line.number,
            "account": line.account,
            "amount": str(signed(line.amount_minor, document.currency)),
            "codes": dict(line.codes),
            "partner": line.partner,
            "tax_code": line.tax_code,
            "text": line.text,
        }
        for line in document.lines
    ]
    found = {
        "document": "journal_entry",
        "version": 1,
        "key": key,
        "entry": document.entry,
        "company": document.company,
        "currency": document.currency,
        "document_on": document.document_on.isoformat(),
        "posting_on": document.posting_on.isoformat(),
        "text": document.text,
        "reverses": reverses.reference if reverses else "",
        "lines": lines,
    }
    return json_text(found).encode("utf-8") + b"\n"


def digests(files: Mapping[str, bytes]) -> bytes:
    """The SHA-256 of each file, as ``sha256sum`` writes and checks it."""
    return "".join(f"{sha256(made).hexdigest()}  {name}\n" for name, made in files.items()).encode("ascii")


@dataclass(frozen=True)
class FolderTarget:
    """A folder on this machine, or one that is mounted here. Files are named by the key, so nothing is there twice."""

    name: str
    folder: Path

    @property
    def traits(self) -> Traits:
        """See `Target`."""
        return Traits(drafts=False, answers=False, trial_balance=False)

    def check(self, documents: Sequence[Document]) -> tuple[Rejection, ...]:
        """See `Target`. Raises `StorageError` where the folder is not there."""
        if not self.folder.is_dir():
            raise StorageError(f"The folder of {self.name} is not there.", advice="Make it, or mount it again.")
        return ()

    def expected(self, document: Document) -> Mapping[Spot, int]:
        """See `Target`."""
        return document.sums(name for line in document.lines for name, _ in line.codes)

    def files(self, document: Document, key: str, reverses: Link | None) -> Mapping[str, bytes]:
        """What is dropped for a document, by file name, in the order that it is put there."""
        made = content(document, key, reverses)
        return {f"{key}.json": made, f"{key}.json.sha256": digests({f"{key}.json": made})}

    def find(self, company: str, key: str) -> tuple[Found, ...]:
        """See `Target`: whoever reads the folder may have taken the file away."""
        return ()

    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        """See `Target`: under another name first, so that nobody reads half a file; the digest last."""
        try:
            for name, what in self.files(document, key, reverses).items():
                _dropped(self.folder / name, what)
        except OSError as error:
            raise StorageError(
                f"The folder of {self.name} cannot be written: {error.strerror}.",
                advice="Make room or give the right to write, then push again: the same files come again.",
            ) from None
        return Found(key, Standing.POSTED)

    def post(self, company: str, reference: str) -> None:
        """See `Target`: nothing more is to be done."""

    def read(self, company: str, reference: str) -> Holding:
        """See `Target`. Raises `InputRefusedError`: nobody answers."""
        raise _silent(self.name)

    def discard(self, company: str, reference: str) -> None:
        """See `Target`: what was dropped may have been read."""

    def trial_balance(self, company: str, since: date, until: date, accounts: Iterable[str]) -> tuple[Balance, ...]:
        """See `Target`. Raises `InputRefusedError`: nobody answers."""
        raise _silent(self.name)


def _silent(name: str) -> InputRefusedError:
    return InputRefusedError(
        f"{name} takes files and tells nothing.", advice="Confirm what was sent with the ledger's own number."
    )


def _dropped(path: Path, what: bytes) -> None:
    if path.exists() and path.read_bytes() == what:
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(what)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
