"""The audit chain: each entry's hash covers all of its fields and the hash before it, so that no change is silent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from apportion.records.audit import AuditEntry, AuditHead

BEGINNING = "0" * 64
_FIELDS = (
    "number",
    "person_id",
    "person_name",
    "via",
    "act",
    "subject_kind",
    "subject_id",
    "subject",
    "before",
    "after",
    "reason",
    "request_id",
    "address",
    "previous_hash",
)


def canonical(values: Mapping[str, object]) -> str:
    """A mapping as the one JSON text that it has: sorted keys, no blanks, no escapes that need not be."""
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256 of every field of an entry but its hash."""
    values: dict[str, object] = {name: getattr(entry, name) for name in _FIELDS}
    return hashlib.sha256(canonical({**values, "at": instant(entry.at)}).encode()).hexdigest()


def instant(at: datetime) -> str:
    """An instant as UTC text to the microsecond, which both databases keep."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold, and why."""

    number: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a walk along the chain found. `hash` is the last entry's; kept elsewhere, it proves that none is cut off."""

    entries: int
    hash: str
    breaks: tuple[Break, ...]


def verify(entries: Iterable[AuditEntry] | None = None, head: AuditHead | None = None) -> Verified:
    """Walk the whole chain in the order of numbers. Memory does not grow with its length."""
    rows = AuditEntry.objects.order_by("number").iterator(chunk_size=2000) if entries is None else entries
    head = head or AuditHead.objects.filter(pk=1).first() or AuditHead()
    breaks: list[Break] = []
    previous, count = BEGINNING, 0
    for entry in rows:
        count += 1
        if entry.number != count:
            breaks.append(Break(count, f"Entry {count} is missing: the next one is {entry.number}."))
            count = entry.number
        if entry.previous_hash != previous:
            breaks.append(Break(entry.number, "It does not follow the entry before it."))
        if entry.hash != entry_hash(entry):
            breaks.append(Break(entry.number, "It was changed after it was written."))
        previous = entry.hash
    if (head.number, head.hash or BEGINNING) != (count, previous):
        breaks.append(Break(count, f"The chain should end with entry {head.number}, but ends with {count}."))
    return Verified(count, previous, tuple(breaks))
