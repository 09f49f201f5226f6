"""The book of pushes: what was going to be sent is written here first, so that a crash leaves a trace.

`PushBook` is what the rules need of it; `FilePushBook` keeps it in one file of JSON lines.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from apportion.errors import Place, StorageError
from apportion.post.erp.errors import DuplicatePushError, TargetBusyError

_KEY_LETTERS = 18
MARK = "AP"


class PushState(StrEnum):
    """How far a push has come, as far as we know for certain."""

    RESERVED = "reserved"  # about to be sent, or sent without an answer: the ledger must be asked
    SENT = "sent"  # handed to a ledger that does not answer; a person confirms it
    CREATED = "created"  # a draft of it was seen in the ledger
    POSTED = "posted"  # seen posted, with its number, and the same as what was sent
    REJECTED = "rejected"  # refused, and nothing of it is in the ledger
    WITHDRAWN = "withdrawn"  # taken back before it was posted, and nothing of it is in the ledger
    REVERSED = "reversed"  # posted, and a later push has brought it to zero


ENDED = frozenset({PushState.REJECTED, PushState.WITHDRAWN, PushState.REVERSED})


@dataclass(frozen=True, slots=True)
class Slot:
    """What is pushed once: one company's part of an entry, to one target; `reverses` is the key that it takes back."""

    target: str
    entry: str
    company: str
    reverses: str = ""


@dataclass(frozen=True, slots=True)
class Push:
    """One attempt to bring a slot into the ledger. `round` counts from 1; a new one begins only after an end.

    `reference` is the ledger's own id for it. Where the ledger does not answer it is the key, and is there before it is
    sent.
    """

    slot: Slot
    round: int
    key: str
    content_hash: str
    state: PushState = PushState.RESERVED
    reference: str = ""
    number: str = ""
    detail: str = ""


class PushBook(Protocol):
    """What the rules write down. `reserve` and `mark` are durable before they return."""

    def reserve(self, slot: Slot, content_hash: str) -> Push:
        """The open push of a slot, or a new one. Raises `DuplicatePushError` where the open one has other content."""

    def mark(self, key: str, state: PushState, *, reference: str = "", number: str = "", detail: str = "") -> Push:
        """Write down how far it has come; an empty reference or number leaves what is there."""

    def latest(self, target: str, entry: str, company: str) -> Push | None:
        """The last round of an entry's part that is no reversal of another round; of a reversal, its last."""

    def rounds(self, slot: Slot) -> tuple[Push, ...]:
        """Every push of a slot, the first round first."""

    def pushes(self, target: str) -> tuple[Push, ...]:
        """Every push to a target, oldest first."""

    @contextmanager
    def alone(self, target: str, company: str) -> Iterator[None]:
        """Only one push to a company of a target at a time. Raises `TargetBusyError`."""


def key_of(slot: Slot, number: int) -> str:
    """The idempotency key: 20 capital letters and digits, the same for the same slot and round for ever.

    It is short because ledgers have fields of 20 characters for it, and hashes 90 bits.
    """
    text = "\x00".join([slot.target, slot.entry, slot.company, slot.reverses, str(number)])
    letters = base64.b32encode(sha256(text.encode("utf-8")).digest()).decode("ascii")
    return MARK + letters[:_KEY_LETTERS]


def reserved(before: Push | None, slot: Slot, content_hash: str) -> Push:
    """The rule of `PushBook.reserve`, given the last round of the slot: that push, or a new one to be written down."""
    if before is None or before.state in ENDED:
        number = before.round + 1 if before else 1
        return Push(slot, number, key_of(slot, number), content_hash)
    if before.content_hash != content_hash:
        where = f"is in the ledger as {before.number}" if before.number else "is on its way"
        raise DuplicatePushError(
            f"Entry {slot.entry} of company {slot.company or 'without a code'} {where} with other content.",
            place=Place(slot.entry),
            advice="Reverse it or withdraw the push first, or give the changed entry an id of its own.",
        )
    return before


def busy(target: str, company: str) -> TargetBusyError:
    """What `PushBook.alone` says when another push does not end."""
    return TargetBusyError(
        f"Another push to {target} is on its way for company {company or 'without a code'}.",
        advice="Wait until it has ended, then push again: nothing is posted twice.",
    )


@contextmanager
def held_alone(path: Path, target: str, company: str, patience: float) -> Iterator[None]:  # float: seconds
    """A lock on a file, which the system takes back when its process ends. Raises `TargetBusyError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        end = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise busy(target, company) from None
                time.sleep(0.02)  # float: seconds
        yield


class FilePushBook:
    """A book of pushes in one file: a line of JSON for each thing that happened, flushed to the disk before it counts.

    Several processes may use it. A last line without its end, left by a crash, is taken off: it never counted.
    """

    def __init__(self, path: Path, *, patience: float = 60) -> None:  # float: seconds
        self._path = path
        self._patience = patience
        self._pushes: dict[str, Push] = {}
        self._read = 0

    def reserve(self, slot: Slot, content_hash: str) -> Push:
        """See `PushBook`. Raises `StorageError` when the disk refuses."""
        with self._open() as file:
            before = next(reversed(self._rounds(slot)), None)
            push = reserved(before, slot, content_hash)
            if push is not before:
                self._write(file, push)
            return push

    def mark(self, key: str, state: PushState, *, reference: str = "", number: str = "", detail: str = "") -> Push:
        """See `PushBook`. Raises `StorageError` when the disk refuses."""
        with self._open() as file:
            before = self._pushes[key]
            push = replace(
                before,
                state=state,
                reference=reference or before.reference,
                number=number or before.number,
                detail=detail,
            )
            if push != before:
                self._write(file, push)
            return push

    def latest(self, target: str, entry: str, company: str) -> Push | None:
        """See `PushBook`."""
        with self._open():
            found = [
                push
                for push in self._pushes.values()
                if (push.slot.target, push.slot.entry, push.slot.company) == (target, entry, company)
            ]
        return found[-1] if found else None

    def rounds(self, slot: Slot) -> tuple[Push, ...]:
        """See `PushBook`."""
        with self._open():
            return self._rounds(slot)

    def pushes(self, target: str) -> tuple[Push, ...]:
        """See `PushBook`."""
        with self._open():
            return tuple(push for push in self._pushes.values() if push.slot.target == target)

    @contextmanager
    def alone(self, target: str, company: str) -> Iterator[None]:
        """See `PushBook`: a lock that the system takes back when its process ends."""
        name = sha256(f"{target}\x00{company}".encode()).hexdigest()[:16]
        with held_alone(self._path.with_name(f"{self._path.name}.{name}.lock"), target, company, self._patience):
            yield

    def _rounds(self, slot: Slot) -> tuple[Push, ...]:
        return tuple(push for push in self._pushes.values() if push.slot == slot)

    @contextmanager
    def _open(self) -> Iterator[int]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not self._path.exists()
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if is_new:
                    _to_disk(self._path.parent)
                self._catch_up(file)
                yield file
            finally:
                os.close(file)
        except OSError as error:
            raise StorageError(
                f"The book of pushes cannot be written: {error.strerror}.",
                place=Place(self._path.name),
                advice="Make room or give the right to write; nothing was sent that is not in the book.",
            ) from None

    def _catch_up(self, file: int) -> None:
        """Read what other processes wrote since."""
        size = os.fstat(file).st_size
        if size < self._read:
            self._pushes.clear()
            self._read = 0
        text = os.pread(file, size - self._read, self._read)
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            os.ftruncate(file, self._read + whole)
        for line in text[:whole].splitlines():
            push = _push(line, self._path)
            self._pushes[push.key] = push
        self._read += whole

    def _write(self, file: int, push: Push) -> None:
        line = json.dumps(asdict(push), ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"
        os.write(file, line)
        os.fsync(file)
        self._read += len(line)
        self._pushes[push.key] = push


def _to_disk(folder: Path) -> None:
    """A new file is there for certain only when its folder is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _push(line: bytes, path: Path) -> Push:
    try:
        found: dict[str, Any] = json.loads(line)
        return Push(**{**found, "slot": Slot(**found["slot"]), "state": PushState(found["state"])})
    except (ValueError, TypeError, KeyError):
        raise StorageError(
            "The book of pushes is damaged.",
            place=Place(path.name),
            advice="Bring it back from a copy: without it, nobody knows what was sent.",
        ) from None
