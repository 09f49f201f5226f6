"""What happens by itself: silence that counts as acceptance, reminders, escalations, and what is left lying about.

`tick` may run in any number of processes at once, and be killed at any point: every act locks what it changes, and
whatever was done already is found to be done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from django.conf import settings as site
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from apportion.actions import configured, working
from apportion.actions.acting import Actor, recorded, timer
from apportion.actions.close.sealing import reconcile_seals
from apportion.actions.moving import Silence, lock, move
from apportion.actions.notices import telling
from apportion.errors import ApportionError
from apportion.invoice.paper import PaperKind
from apportion.records.documents import Document
from apportion.records.work import IdempotencyKey, SentNotice, Work, WorkState
from apportion.review import deadlines
from apportion.review.deadlines import Notice, NoticeKind
from apportion.review.states import Act, Issue, Review, Situation, StateError
from apportion.review.workdays import Workdays
from apportion.settings import ReviewSettings

KEYS_KEPT = timedelta(days=7)
WORK_KEPT = timedelta(days=90)
_DAY = timedelta(days=1)
_SWEPT = "visits-swept"
_AT_ONCE = 200
_TELL = {NoticeKind.REMINDER: telling.reminded, NoticeKind.ESCALATION: telling.escalated}
_T = TypeVar("_T")


@dataclass(slots=True)
class Ticked:
    """What one tick came to. `failed` has sentences of what could not be done and will be tried again."""

    deemed: int = 0
    told: int = 0
    recovered: int = 0
    swept: int = 0
    sealed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def tick(now: datetime | None = None) -> Ticked:
    """Everything that is due at an instant. One thing that fails keeps nothing else back."""
    at = now or timezone.now()
    today = timezone.localtime(at).date()
    done = Ticked()
    done.recovered = _tried(done, working.recover) or 0
    done.deemed = _tried(done, lambda: deem_accepted(timer(), today)) or 0
    done.told = _tried(done, lambda: send_notices(today)) or 0
    done.swept = (_tried(done, lambda: sweep(at)) or 0) + (_tried(done, lambda: sweep_visits(at)) or 0)
    done.sealed = _tried(done, reconcile_seals) or []
    return done


def deem_accepted(actor: Actor, today: date) -> int:
    """Accept what its recipients were silent about, where the settings take that as acceptance; gives how many.

    Each is an act with its own entry. What a recipient does at the same moment comes first or second, never between.
    """
    silence = configured.silence(today)
    if not silence.accepts:
        return 0
    waiting = list(_waiting().filter(review_until__lt=today).order_by("pk").values_list("pk", flat=True))
    count = 0
    for place in range(0, len(waiting), _AT_ONCE):
        with transaction.atomic():
            found = [_deemed(actor, pk, silence) for pk in waiting[place : place + _AT_ONCE]]
            rows = [row for row in found if row is not None]
            telling.deemed(rows)
        count += len(rows)
    return count


def send_notices(today: date) -> int:
    """Write the reminders and escalations that are due and did not go out yet; gives about how many documents."""
    review, days = configured.current().review, configured.working_days()
    count = 0
    due = [pk for pk, _ in _due(_waiting(), today, review, days)]
    for place in range(0, len(due), _AT_ONCE):
        with transaction.atomic():
            # Under the lock once more: another process may have been faster, or the recipient.
            rows = _waiting().select_for_update(of=("self",)).filter(pk__in=due[place : place + _AT_ONCE])
            count += _sent(rows, today, review, days)
    return count


def sweep(now: datetime) -> int:
    """Forget answers to repeated calls, and finished work, that nobody asks for any more; gives how many rows."""
    count, _ = IdempotencyKey.objects.filter(at__lt=now - KEYS_KEPT).delete()
    finished = Work.objects.filter(state__in=[WorkState.DONE, WorkState.FAILED], finished_at__lt=now - WORK_KEPT)
    # The last of each key stays: a page shows how it ended.
    last = Work.objects.values("key").annotate(last=Max("pk")).values("last")
    removed, _ = finished.exclude(pk__in=last).delete()
    return count + removed


def sweep_visits(now: datetime) -> int:
    """Forget sessions that have ended and counters of attempts that nobody counts any more; gives how many.

    Looking through them takes a while, so it is done once a day, by whichever process comes first.
    """
    if not cache.add(_SWEPT, now.isoformat(), timeout=_DAY.total_seconds()):
        return 0
    ended, _ = Session.objects.filter(expire_date__lt=now).delete()
    old = (now - 2 * _DAY).timestamp()
    for path in Path(str(site.CACHES["default"].get("LOCATION") or "-")).glob("*.djcache"):
        with suppress(FileNotFoundError):  # another process may be faster
            if path.stat().st_mtime < old:
                path.unlink()
                ended += 1
    return ended


def _waiting() -> QuerySet[Document]:
    """What somebody is to review: nobody answers for what is unallocated or kept central."""
    return Document.objects.filter(
        issue_state=Issue.ISSUED,
        review_state=Review.AWAITING,
        review_until__isnull=False,
        cost_group__isnull=False,
    )


def _deemed(actor: Actor, pk: int, silence: Silence) -> Document | None:
    try:
        with recorded(actor, "deem accepted") as record:
            row = lock(pk)
            if row.review_state != Review.AWAITING:
                return None
            move(actor, row, Act.DEEM_ACCEPTED, record, silence)
    except StateError:
        return None  # disputed, voided or given more time in between
    return row


def _due(rows: QuerySet[Document], today: date, review: ReviewSettings, days: Workdays) -> Iterable[tuple[int, Notice]]:
    """(document, notice) for what is due. Two queries, and the same days are counted once."""
    found = list(rows.order_by("pk").values_list("pk", "review_until"))
    if not found:
        return
    sent: dict[tuple[int, date], set[Notice]] = defaultdict(set)
    told = SentNotice.objects.filter(document__in=rows.values("pk"))
    for document, kind, count, asked in told.values_list("document", "kind", "days", "review_until"):
        sent[document, asked].add(Notice(NoticeKind(kind), count))
    waiting = Situation(PaperKind.STATEMENT, Issue.ISSUED, Review.AWAITING)
    known: dict[tuple[date, frozenset[Notice]], tuple[Notice, ...]] = {}
    for pk, until in found:
        if until is None:
            continue
        key = until, frozenset(sent[pk, until])
        if key not in known:
            known[key] = deadlines.due(waiting, until, today, key[1], review, days)
        for notice in known[key]:
            if notice.kind in _TELL:
                yield pk, notice


def _sent(rows: QuerySet[Document], today: date, review: ReviewSettings, days: Workdays) -> int:
    documents = {row.pk: row for row in rows.select_related("cost_group")}
    by_notice: dict[Notice, list[Document]] = defaultdict(list)
    for pk, notice in _due(_waiting().filter(pk__in=documents), today, review, days):
        by_notice[notice].append(documents[pk])
    for notice, about in by_notice.items():
        _note(notice, about)
        _TELL[notice.kind](about, notice.days)
    return sum(map(len, by_notice.values()))


def _note(notice: Notice, about: Sequence[Document]) -> None:
    SentNotice.objects.bulk_create(
        SentNotice(document=row, kind=notice.kind, days=notice.days, review_until=row.review_until)
        for row in about
        if row.review_until is not None
    )


def _tried(done: Ticked, act: Callable[[], _T]) -> _T | None:
    try:
        return act()
    except ApportionError as error:
        done.failed.append(str(error))
        return None
