"""Work in the background, and what happens by itself."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from apportion.actions import timers, working
from apportion.actions.work_kinds import ask_to_allocate, ask_to_issue
from apportion.errors import WorkspaceBusyError
from apportion.records.audit import AuditEntry
from apportion.records.closes import Close
from apportion.records.documents import Document
from apportion.records.people import Person
from apportion.records.rights import ForbiddenError
from apportion.records.work import IdempotencyKey, Message, SentNotice, Work, WorkState
from tests.books import OCTOBER, SETTINGS, Books, books

pytestmark = pytest.mark.django_db


@pytest.fixture(name="northwind")
def northwind_fixture(tmp_path: Path, settings: Settings) -> Books:
    return books(tmp_path / "northwind", settings)


def test_work_is_done_once_however_often_it_is_asked_for(northwind: Books) -> None:
    first = ask_to_allocate(northwind.actor("analyst"), OCTOBER)
    assert ask_to_allocate(northwind.actor("controller"), OCTOBER).pk == first.pk
    done = working.run_next()
    assert done is not None
    assert (done.state, done.error) == (WorkState.DONE, {})
    assert done.result["holds"] is True
    assert (done.done_parts, done.all_parts, done.sentence) == (5, 5, "Reading charges")
    assert working.run_next() is None
    close = Close.objects.get()
    assert close.allocated_by == northwind.actor("analyst").person
    assert AuditEntry.objects.get(act="allocate").via == "web"


def test_whoever_may_not_do_it_cannot_ask_for_it(northwind: Books) -> None:
    with pytest.raises(ForbiddenError):
        ask_to_allocate(northwind.actor("red"), OCTOBER)
    with pytest.raises(ForbiddenError):
        ask_to_issue(northwind.actor("analyst"), OCTOBER)
    assert not Work.objects.exists()


def test_a_refusal_is_kept_with_the_work(northwind: Books) -> None:
    ask_to_issue(northwind.actor("controller"), OCTOBER)
    done = working.run_next()
    assert done is not None
    assert done.state == WorkState.FAILED
    assert done.error == {
        "code": "NOT_IN_THIS_STATE",
        "sentence": "2026-10 has not been allocated.",
        "place": "",
        "advice": "Allocate it first.",
    }
    assert AuditEntry.objects.get().act == "failed: issue"


def test_work_whose_worker_died_waits_again_and_is_given_up_in_the_end(northwind: Books) -> None:
    work = ask_to_allocate(northwind.actor("analyst"), OCTOBER)
    for attempt in range(1, 6):
        taken = working._take()
        assert taken is not None
        assert (taken.pk, taken.attempts) == (work.pk, attempt)
        assert working._take() is None
        assert working.recover() == 0  # its lease holds
        Work.objects.filter(pk=work.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
        assert working.recover() == 1
    work.refresh_from_db()
    assert (work.state, work.error["code"]) == (WorkState.FAILED, "WORK_ENDED")
    again = ask_to_allocate(northwind.actor("analyst"), OCTOBER)
    assert again.pk != work.pk


def test_a_worker_that_lost_its_lease_writes_nothing(northwind: Books) -> None:
    ask_to_allocate(northwind.actor("analyst"), OCTOBER)
    slow = working._take()
    assert slow is not None
    Work.objects.filter(pk=slow.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    working.recover()
    fast = working.run_next()
    assert fast is not None
    assert fast.state == WorkState.DONE
    working._failed(slow, {"code": "X", "sentence": "Too late."})
    fast.refresh_from_db()
    assert (fast.state, fast.error) == (WorkState.DONE, {})


def test_work_waits_while_a_command_has_the_workspace(northwind: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_to_allocate(northwind.actor("analyst"), OCTOBER)

    def busy(*_: object) -> None:
        raise WorkspaceBusyError("The workspace is in use by process 4711 (load cloud).")

    with monkeypatch.context() as patched:
        patched.setattr("apportion.close.run.allocate", busy)
        work = working.run_next()
    assert work is not None
    assert (work.state, work.attempts, work.error) == (WorkState.WAITING, 0, {})
    assert working.run_next() is None
    Work.objects.update(leased_until=timezone.now())
    done = working.run_next()
    assert done is not None
    assert done.state == WorkState.DONE


def _on(days: int) -> datetime:
    until = Document.objects.filter(cost_group__isnull=False)[0].review_until
    assert until is not None
    return datetime(until.year, until.month, until.day, 12, tzinfo=UTC) + timedelta(days=days)


def test_silence_is_escalated_or_counts_as_acceptance_as_the_settings_say(northwind: Books) -> None:
    northwind.issued()
    assert timers.tick(_on(0)).deemed == 0
    assert timers.tick(_on(1)).deemed == 0
    northwind.write("apportion.yaml", SETTINGS + "review: {silence: accepts}\n")
    assert timers.tick(_on(0)).deemed == 0  # the last day is still theirs
    assert timers.tick(_on(1)).deemed == 3
    assert timers.tick(_on(1)).deemed == 0
    states = dict(Document.objects.values_list("cost_group__code", "review_state"))
    assert states == {
        "red": "deemed_accepted",
        "green": "deemed_accepted",
        "blue": "deemed_accepted",
        None: "awaiting_review",
    }
    entries = AuditEntry.objects.filter(act="deem accepted")
    assert [(each.person, each.via) for each in entries] == [(None, "timer")] * 3


def test_each_reminder_goes_out_once(northwind: Books) -> None:
    northwind.issued()
    Message.objects.all().delete()
    assert timers.tick(_on(-8)).told == 0
    assert timers.tick(_on(0)).told == 3
    written = Message.objects.count()
    assert written > 0
    assert timers.tick(_on(0)).told == 0
    assert Message.objects.count() == written
    assert timers.tick(_on(4)).told == 3
    assert set(SentNotice.objects.values_list("kind", flat=True)) == {"reminder", "escalation"}


def test_old_answers_are_forgotten(northwind: Books) -> None:
    person = Person.objects.all()[0]
    for age in (1, 8):
        key = IdempotencyKey.objects.create(person=person, key=f"{age}", route="x", request_digest="0")
        IdempotencyKey.objects.filter(pk=key.pk).update(at=timezone.now() - timedelta(days=age))
    assert timers.sweep(timezone.now()) == 1
    assert [each.key for each in IdempotencyKey.objects.all()] == ["1"]


def test_sessions_that_ended_and_old_counters_are_forgotten_once_a_day(tmp_path: Path, settings: Settings) -> None:
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path / "counters")}}
    now = timezone.now()
    for key, hours in (("ended", -1), ("held", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=now + timedelta(hours=hours))
    cache.set("attempts", 3, timeout=60)
    (counter,) = (tmp_path / "counters").glob("*.djcache")
    long_ago = (now - timedelta(days=3)).timestamp()
    os.utime(counter, (long_ago, long_ago))
    assert timers.sweep_visits(now) == 2
    assert [each.session_key for each in Session.objects.all()] == ["held"]
    assert not counter.exists()
    Session.objects.update(expire_date=now - timedelta(hours=1))
    assert timers.sweep_visits(now) == 0  # today it was done already
    assert Session.objects.exists()


def test_progress_from_threads_of_the_engine_opens_no_connection(
    northwind: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[str] = []
    opened: set[str] = set()

    def watched(actor: object, period: object, count: Callable[[int], None]) -> Close:
        def tell(number: int) -> None:
            reported.append(threading.current_thread().name)
            count(number)
            if connection.connection is not None:
                opened.add(threading.current_thread().name)

        threads = [threading.Thread(target=tell, args=(1,), name=f"engine {each}") for each in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Close(run_digest="0" * 64)

    ask_to_allocate(northwind.actor("analyst"), OCTOBER)
    monkeypatch.setattr("apportion.actions.close.closing.allocate", watched)
    done = working.run_next()
    assert done is not None
    assert (done.state, done.error) == (WorkState.DONE, {})
    assert (done.done_parts, done.all_parts) == (5, 5)  # no more than there are
    assert len(reported) == 20
    assert not opened
