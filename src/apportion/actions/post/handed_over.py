"""What was handed over to targets that cannot be asked: files in the workspace, and what was dropped in folders."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from apportion.actions.post.handing_over import folder_of, rendered
from apportion.errors import ApportionError
from apportion.post.erp.book import ENDED, Push, PushState
from apportion.post.erp.document import Document, documents
from apportion.post.erp.folder import FolderTarget
from apportion.post.erp.opening import format_of
from apportion.post.erp.opening_files import ALL
from apportion.post.erp.push import Pusher
from apportion.post.erp.target import Link
from apportion.post.formats import generic, targets
from apportion.post.journal import Journal
from apportion.post.lifecycle import JournalState
from apportion.records.journals import LedgerJournal
from apportion.settings.targets import TargetSettings
from apportion.warehouse.store import Workspace

# Of each journal: what differs, and what is no difference but worth knowing.
Findings = Mapping[int, tuple[list[str], list[str]]]


def of_files(place: Workspace, rows: Sequence[LedgerJournal], contents: Mapping[int, Journal]) -> Findings:
    """Are the files in the workspace those of the books, byte by byte, and do they read back to the same journal?"""
    return {row.pk: (list(_files(place, row, contents[row.pk])), []) for row in rows if row.pk in contents}


def of_pushes(run: Pusher, rows: Sequence[LedgerJournal], contents: Mapping[int, Journal]) -> Findings:
    """Is all that was dropped in a folder what the books say? Whoever reads the folder may have taken the files."""
    return {row.pk: _dropped(run, row, contents[row.pk]) for row in rows if row.pk in contents}


def _files(place: Workspace, row: LedgerJournal, found: Journal) -> Iterator[str]:
    try:
        made = rendered(row)
    except ApportionError as error:
        yield f"Journal {row} cannot be written any more: {error.sentence}"
        return
    folder = folder_of(place, row)
    for name, wanted in made.items():
        try:
            there = (folder / name).read_bytes()
        except OSError as error:
            yield f"File {name} of journal {row} cannot be read: {(error.strerror or 'it is not there').lower()}."
            continue
        if there != wanted:
            yield f"File {name} of journal {row} is not what was handed over: its digest is another."
        elif name.endswith(".control.json"):
            yield from _controlled(row, name, there, made)
    form = _form(place.settings.targets.get(row.target))
    for parts in _sets(form, made):
        try:
            same = generic.parse(form, parts) if form in generic.NAMES else targets.parse(form, parts)
        except ApportionError as error:
            yield f"The files of journal {row} cannot be read back: {error.sentence}"
            continue
        if same != found:
            yield f"The files of journal {row} read back to another journal."


def _form(wanted: TargetSettings | None) -> str:
    """The format of a target's files; of a whole set, its machine file is what is read back."""
    form = format_of(wanted) if wanted else ALL
    return "csv" if form == ALL else form


def _sets(form: str, made: Mapping[str, bytes]) -> list[Mapping[str, bytes]]:
    """The files that belong to the format; beside the machine file are texts for other programs."""
    if form != "csv":
        return [made]
    return [{name: each for name, each in made.items() if name.endswith((".csv", ".control.json"))}]


def _controlled(row: LedgerJournal, name: str, control: bytes, made: Mapping[str, bytes]) -> Iterator[str]:
    """The digests of the control file, against the files beside it."""
    for each in json.loads(control)["files"]:
        there = made.get(each["file"])
        if there is None or sha256(there).hexdigest() != each["sha256"]:
            yield f"{name} of journal {row} has another digest for {each['file']}."


def _dropped(run: Pusher, row: LedgerJournal, found: Journal) -> tuple[list[str], list[str]]:
    differences, remarks = [], []
    for document in documents(found, run.books, together=run.target.traits.together):
        push = run.book.latest(run.target.name, document.entry, document.company)
        named = f"Entry {document.entry} of company {document.company}"
        if push is None or push.state in ENDED - {PushState.REVERSED} or push.state is PushState.RESERVED:
            if row.state != JournalState.HANDED_OVER:
                differences.append(f"{named} is posted in the books, and nothing of it was sent.")
            continue
        if push.content_hash != document.content_hash:
            differences.append(f"{named} was sent with other content than the books have.")
        missing = list(_missing(run, document, push, differences))
        if missing and not differences:
            remarks.append(f"{', '.join(missing)} was taken from the folder of {run.target.name}.")
    return differences, remarks


def _missing(run: Pusher, document: Document, push: Push, differences: list[str]) -> Iterator[str]:
    """The files of a push that are not in its folder any more; those that are there have to be the same."""
    if not isinstance(run.target, FolderTarget) or not run.target.folder.is_dir():
        return
    first = [each for each in run.book.pushes(run.target.name) if each.key == push.slot.reverses]
    link = Link(first[0].reference, first[0].number) if first else None
    for name, wanted in run.target.files(document, push.key, link).items():
        path = run.target.folder / name
        if not path.exists():
            yield name
        elif path.read_bytes() != wanted:
            differences.append(f"File {name} in the folder of {run.target.name} is not what was dropped.")
