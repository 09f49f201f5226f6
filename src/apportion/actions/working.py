"""Work too long for a request: queued, leased by one worker at a time, and safe to be killed at any point.

A worker renews its lease while it works. One that dies leaves a lease that ends, and the work waits again: every kind
of work comes to the same however often it is begun. Pressing twice while it waits or runs is one piece of work.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from apportion.actions.acting import Actor, Record, actor_of, append, timer
from apportion.errors import ApportionError, NotFoundError, WorkspaceBusyError
from apportion.periods import BillingPeriod
from apportion.records.work import Work, WorkState
from apportion.review.permission import Permission

LEASE = timedelta(seconds=60)
_RENEW_SECONDS = 15
_TELL_SECONDS = 1
_MOST_ATTEMPTS = 5
_BUSY_AGAIN = timedelta(seconds=5)
_MOST_BUSY = timedelta(minutes=30)

Result = Mapping[str, object]


@dataclass(slots=True)
class Progress:
    """How far a piece of work is. Called from any thread, also inside a transaction: it only remembers.

    What it remembers is written beside the work, over a connection of its own (see `_renewed`).
    """

    state: tuple[int, int, str] = (0, 0, "")

    def __call__(self, done: int, of: int, sentence: str) -> None:
        self.state = done, of, sentence

    @property
    def fields(self) -> dict[str, object]:
        """As the row of the work keeps it."""
        done, of, sentence = self.state
        return {"done_parts": done, "all_parts": of, "sentence": sentence}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of work: what it takes to ask for it, and what it does. `run` gives what it came to."""

    name: str
    permission: Permission
    run: Callable[[Actor, Work, Progress], Result]


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind of work known. Each is registered once, by the module of its act."""
    KINDS[kind.name] = kind


def enqueue(
    actor: Actor,
    kind: str,
    key: str = "",
    period: BillingPeriod | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Work:
    """Ask for work; where the same (by `key`) waits or runs already, give that. `key` is the kind and period if empty.

    Raises `ForbiddenError`, and `NotFoundError` for an unknown kind.
    """
    _registered(kind)
    actor.rights.require(KINDS[kind].permission)
    name = key or f"{kind} {period or ''}".strip()
    asked = {"via": actor.via, "request_id": actor.request_id, "address": actor.address}
    try:
        with transaction.atomic():
            return Work.objects.create(
                kind=kind,
                key=name,
                period=str(period or ""),
                arguments={**(arguments or {}), "asked": asked},
                created_by=actor.person,
                sentence="Waiting for a worker",
            )
    except IntegrityError:
        found = Work.objects.filter(key=name, state__in=[WorkState.WAITING, WorkState.RUNNING]).first()
        if found is None:  # it ended in between
            return enqueue(actor, kind, key, period, arguments)
        return found


def run_next(worker: str = "") -> Work | None:
    """Take the oldest work that waits and do it; None where there is none. `worker` is for the log only.

    Whatever goes wrong is kept with the work: nothing is raised but what ends the process.
    """
    work = _take()
    if work is None:
        return None
    progress = Progress()
    try:
        with _renewed(work, progress):
            result = _do(work, progress)
    except WorkspaceBusyError as error:
        _again(work, error)
    except ApportionError as error:
        _failed(work, _error(error))
    except Exception as error:
        traceback.print_exception(error)
        _failed(work, _fault(error))
    else:
        _mine(work.pk, work.attempts).update(
            state=WorkState.DONE,
            result=dict(result),
            finished_at=timezone.now(),
            leased_until=None,
            error={},
            **progress.fields,
        )
    work.refresh_from_db()
    return work


def recover() -> int:
    """Let work wait again whose worker is gone; give up on what ended its worker too often. Gives how many."""
    now = timezone.now()
    with transaction.atomic():
        expired = Work.objects.select_for_update(skip_locked=True).filter(state=WorkState.RUNNING, leased_until__lt=now)
        rows = list(expired)
        for row in rows:
            if row.attempts >= _MOST_ATTEMPTS:
                row.state, row.finished_at = WorkState.FAILED, now
                row.error = {
                    "code": "WORK_ENDED",
                    "sentence": f"It was begun {row.attempts} times, and its worker ended before it was done.",
                    "place": "",
                    "advice": "Look at the log of the server: there may be too little memory. Then ask for it again.",
                }
            else:
                row.state, row.sentence = WorkState.WAITING, "Waiting again: its worker ended"
            row.leased_until = None
            row.save(update_fields=["state", "finished_at", "error", "sentence", "leased_until"])
    return len(rows)


def _registered(kind: str) -> None:
    from apportion.actions import work_kinds  # noqa: F401 - registers every kind

    if kind not in KINDS:
        raise NotFoundError(f"There is no work called '{kind}'.", advice=f"There is {', '.join(sorted(KINDS))}.")


def _take() -> Work | None:
    now = timezone.now()
    ready = Q(state=WorkState.WAITING) & (Q(leased_until__isnull=True) | Q(leased_until__lte=now))
    with transaction.atomic():
        rows = Work.objects.select_for_update(skip_locked=True).filter(ready).order_by("created_at", "pk")
        work = rows.first()
        if work is None:
            return None
        work.state, work.attempts = WorkState.RUNNING, work.attempts + 1
        work.started_at, work.leased_until = work.started_at or now, now + LEASE
        work.save(update_fields=["state", "attempts", "started_at", "leased_until"])
        return work


def _do(work: Work, progress: Progress) -> Result:
    _registered(work.kind)
    actor = timer()
    if work.created_by is not None:
        asked = work.arguments.get("asked", {})
        actor = actor_of(
            work.created_by, asked.get("via", "web"), asked.get("request_id", ""), asked.get("address", "")
        )
    return KINDS[work.kind].run(actor, work, progress)


def _mine(work: int, attempt: int) -> Any:
    """The work, if no other worker has taken it since."""
    return Work.objects.filter(pk=work, attempts=attempt, state=WorkState.RUNNING)


@contextmanager
def _renewed(work: Work, progress: Progress) -> Iterator[None]:
    """Renew the lease and tell the progress while the block runs, over a connection of its own.

    Where the block holds SQLite's one write lock nothing can be renewed, and nobody else can take the work either.
    """
    done = threading.Event()

    def renew() -> None:
        told, renewed = progress.state, time.monotonic()
        try:
            while not done.wait(_TELL_SECONDS):
                if progress.state == told and time.monotonic() - renewed < _RENEW_SECONDS:
                    continue
                with suppress(DatabaseError):
                    told, renewed = progress.state, time.monotonic()
                    fields = progress.fields if told[2] else {}
                    _mine(work.pk, work.attempts).update(leased_until=timezone.now() + LEASE, **fields)
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name=f"lease of work {work.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _again(work: Work, error: ApportionError) -> None:
    """The workspace is in use, as by a command: wait a little, but not for ever."""
    now = timezone.now()
    if work.started_at and now - work.started_at > _MOST_BUSY:
        _failed(work, _error(error))
        return
    _mine(work.pk, work.attempts).update(
        state=WorkState.WAITING, leased_until=now + _BUSY_AGAIN, sentence=error.sentence, attempts=work.attempts - 1
    )


def _failed(work: Work, error: dict[str, str]) -> None:
    with transaction.atomic():
        rows = _mine(work.pk, work.attempts).update(
            state=WorkState.FAILED, error=error, finished_at=timezone.now(), leased_until=None
        )
        if rows:
            record = Record(
                "work", str(work.pk), work.key, after={"code": error["code"], "sentence": error["sentence"]}
            )
            who = actor_of(work.created_by, "work") if work.created_by else timer()
            append(who, f"failed: {work.kind}"[:60], record)


def _error(error: ApportionError) -> dict[str, str]:
    place = str(error.place) if error.place else ""
    return {"code": error.code, "sentence": error.sentence, "place": place, "advice": error.advice}


def _fault(error: Exception) -> dict[str, str]:
    return {
        "code": "FAULT",
        "sentence": f"This is a fault of Apportion: {type(error).__name__}.",
        "place": "",
        "advice": "The log of the server says more. Nothing was changed.",
    }
