"""Folders that take the files of a format: each document is a small journal of its own, rendered for a finance system.

What the format cannot take is told line by line before anything is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from apportion.errors import ApportionError
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.periods import BillingPeriod
from apportion.post.erp.document import Document
from apportion.post.erp.errors import Rejection
from apportion.post.erp.folder import FolderTarget, digests
from apportion.post.erp.sftp import SftpTarget
from apportion.post.erp.target import Link
from apportion.post.export import generic_files
from apportion.post.formats import targets
from apportion.post.formats.target import Options
from apportion.post.journal import Journal

ALL = "all"

_OF_A_LINE = re.compile(r"Entry .*?, line \d+: (.+)", re.DOTALL)


def formats() -> tuple[str, ...]:
    """Every name that `rendered` takes."""
    return (ALL, *targets.names())


def rendered(name: str, journal: Journal, options: Options) -> dict[str, bytes]:
    """The files of a journal in a format; ``all`` is the machine file with its control file, and the plain texts.

    Raises `InputRefusedError` and `BadValueError` as `post.formats.targets.render` does.
    """
    if name != ALL:
        return targets.render(name, journal, options).files
    return generic_files(journal)


def journal_of(document: Document) -> Journal:
    """A document as a journal: one company's part of an entry, in the currency of its books.

    Raises `BadValueError` and `UnbalancedEntryError` where the part is no entry by itself.
    """
    postings = tuple(
        Posting(
            account=line.account,
            company=document.company,
            cost_center=line.cost_center,
            department=line.department,
            currency=document.currency,
            amount_minor=line.amount_minor,
            text=line.text,
            partner=line.partner,
            tax_code=line.tax_code,
            dimensions=line.dimensions,
        )
        for line in document.lines
    )
    entry = Entry(
        id=document.entry,
        document_on=document.document_on,
        posting_on=document.posting_on,
        text=document.text,
        postings=postings,
        reverses=document.reverses,
        kind=EntryKind.REVERSAL if document.reverses else EntryKind.COST_TRANSFER,
    )
    period = BillingPeriod(document.posting_on.year, document.posting_on.month)
    return Journal(document.entry, period, document.content_hash, (entry,))


@dataclass(frozen=True)
class Dress:
    """A format, and what the company chose about it."""

    format: str = ALL
    options: Options = field(default_factory=Options)

    def files(self, document: Document, key: str) -> dict[str, bytes]:
        """The files of a document under its key, their digests last. Raises as `rendered` does."""
        options = replace(self.options, books={document.company: document.currency})
        made = rendered(self.format, journal_of(document), options)
        files = {f"{key}-{name}": content for name, content in made.items()}
        return {**files, f"{key}.sha256": digests(files)}

    def refused(self, documents: Sequence[Document]) -> tuple[Rejection, ...]:
        """What the format cannot take, the first of each document."""
        found = []
        for document in documents:
            try:
                self.files(document, "")
            except ApportionError as error:
                found.append(_rejection(document, error))
        return tuple(found)


def _rejection(document: Document, error: ApportionError) -> Rejection:
    """The error as a line of the repair list, with the line's number in the whole entry."""
    row = error.place.row if error.place else None
    number = document.lines[row - 1].number if row and row <= len(document.lines) else 0
    about = _OF_A_LINE.fullmatch(error.sentence)
    return document.rejection(number, error.code, about[1] if about and number else error.sentence, error.advice)


@dataclass(frozen=True)
class DressedFolder(FolderTarget):
    """A folder on this machine that takes files of a format."""

    dress: Dress = field(default_factory=Dress)

    def check(self, documents: Sequence[Document]) -> tuple[Rejection, ...]:
        """See `FolderTarget`."""
        return (*super().check(documents), *self.dress.refused(documents))

    def files(self, document: Document, key: str, reverses: Link | None) -> Mapping[str, bytes]:
        """See `FolderTarget`."""
        return self.dress.files(document, key)


@dataclass(frozen=True)
class DressedSftp(SftpTarget):
    """A folder on another machine that takes files of a format."""

    dress: Dress = field(default_factory=Dress)

    def check(self, documents: Sequence[Document]) -> tuple[Rejection, ...]:
        """See `SftpTarget`."""
        return (*super().check(documents), *self.dress.refused(documents))

    def files(self, document: Document, key: str, reverses: Link | None) -> Mapping[str, bytes]:
        """See `FolderTarget`."""
        return self.dress.files(document, key)
