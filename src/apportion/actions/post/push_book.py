"""The book of pushes in the database: what `post.erp.book.PushBook` asks for, durable before it returns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path

from django.db import connection, transaction
from django.db.models import QuerySet

from apportion.post.erp.book import Push, PushState, Slot, busy, held_alone, reserved
from apportion.post.journal import Journal
from apportion.records.journals import LedgerPush

_PATIENCE = 60  # seconds
_PAUSE = 0.05  # float: seconds
_SENT = frozenset({PushState.SENT, PushState.POSTED})


class BooksPushBook:
    """Pushes as rows, each written in a transaction of its own: never inside one of an act, which could be undone.

    `folder` is where locks lie when the books are a file. On PostgreSQL they are the server's, so that several machines
    with the same books keep out of each other's way.
    """

    def __init__(self, folder: Path, patience: float = _PATIENCE) -> None:  # float: seconds
        self._folder = folder
        self._patience = patience
        self._held: set[tuple[str, str]] = set()

    def reserve(self, slot: Slot, content_hash: str) -> Push:
        """See `PushBook`."""
        with transaction.atomic(durable=True):
            row = _of(slot).select_for_update().order_by("-round").first()
            before = _push(row) if row else None
            push = reserved(before, slot, content_hash)
            if push is not before:
                LedgerPush.objects.create(
                    **_place(slot), round=push.round, key=push.key, content_hash=push.content_hash, state=push.state
                )
        return push

    def mark(self, key: str, state: PushState, *, reference: str = "", number: str = "", detail: str = "") -> Push:
        """See `PushBook`."""
        with transaction.atomic(durable=True):
            row = LedgerPush.objects.select_for_update().get(key=key)
            row.state, row.detail = state, detail
            row.reference, row.number = reference or row.reference, number or row.number
            row.save(update_fields=["state", "detail", "reference", "number"])
        return _push(row)

    def latest(self, target: str, entry: str, company: str) -> Push | None:
        """See `PushBook`."""
        row = LedgerPush.objects.filter(target=target, entry=entry, company=company).order_by("-pk").first()
        return _push(row) if row else None

    def rounds(self, slot: Slot) -> tuple[Push, ...]:
        """See `PushBook`."""
        return tuple(_push(row) for row in _of(slot).order_by("round"))

    def pushes(self, target: str) -> tuple[Push, ...]:
        """See `PushBook`."""
        return tuple(_push(row) for row in LedgerPush.objects.filter(target=target).order_by("pk"))

    @contextmanager
    def alone(self, target: str, company: str) -> Iterator[None]:
        """See `PushBook`: a lock that goes with its process. Whoever holds it by this object may ask for it again."""
        if (target, company) in self._held:
            yield
            return
        with self._lock(target, company):
            self._held.add((target, company))
            try:
                yield
            finally:
                self._held.remove((target, company))

    def _lock(self, target: str, company: str) -> AbstractContextManager[None]:
        if connection.vendor == "postgresql":
            return self._alone_on_server(target, company)
        name = sha256(f"{target}\x00{company}".encode()).hexdigest()[:16]
        return held_alone(self._folder / f"push.{name}.lock", target, company, self._patience)

    @contextmanager
    def _alone_on_server(self, target: str, company: str) -> Iterator[None]:
        """On a connection of its own: the lock must outlive the transactions of the push, and end with it.

        Not one of the pool's, which stay open with their locks when they are given back.
        """
        own = connection.copy()
        own.settings_dict["OPTIONS"] = {
            key: value for key, value in own.settings_dict["OPTIONS"].items() if key != "pool"
        }
        number = int.from_bytes(sha256(f"{target}\x00{company}".encode()).digest()[:8], "big", signed=True)
        end = time.monotonic() + self._patience
        try:
            with own.cursor() as cursor:
                while True:
                    cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
                    if cursor.fetchone() == (True,):
                        break
                    if time.monotonic() >= end:
                        raise busy(target, company)
                    time.sleep(_PAUSE)
                yield
        finally:
            own.close()


def unsent(target: str, journal: Journal) -> tuple[tuple[str, str], ...]:
    """The parts of a journal, by entry and company, that were not sent to a target whole. One query."""
    parts = [
        (entry.id, company)
        for entry in journal.entries
        for company in dict.fromkeys(line.company for line in entry.postings)
    ]
    rows = LedgerPush.objects.filter(target=target, entry__in=[entry.id for entry in journal.entries]).order_by("pk")
    last = {(entry, company): state for entry, company, state in rows.values_list("entry", "company", "state")}
    return tuple(part for part in parts if last.get(part) not in _SENT)


def _place(slot: Slot) -> dict[str, str]:
    return {"target": slot.target, "entry": slot.entry, "company": slot.company, "reverses": slot.reverses}


def _of(slot: Slot) -> QuerySet[LedgerPush]:
    return LedgerPush.objects.filter(**_place(slot))


def _push(row: LedgerPush) -> Push:
    slot = Slot(row.target, row.entry, row.company, row.reverses)
    state = PushState(row.state)
    return Push(slot, row.round, row.key, row.content_hash, state, row.reference, row.number, row.detail)
