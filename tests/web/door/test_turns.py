"""Turns in the order of arrival, so many at a time, and nobody waits for those who take long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from apportion.web.door.turns import Turns

_FOREVER = 60.0


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.001)


def queued(turns: Turns, act: Callable[[], None], there: int) -> threading.Thread:
    """A thread that waits for its turn behind so many others."""

    def wait() -> None:
        with turns.taken():
            act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    until(lambda: len(turns._waiting) == there + 1)
    return thread


def test_who_comes_first_is_served_first() -> None:
    turns, seen = Turns(1, _FOREVER), list[int]()
    with turns.taken():
        threads = [queued(turns, lambda number=number: seen.append(number), number) for number in range(8)]  # type: ignore[misc]
        assert not seen
    for thread in threads:
        thread.join(20)
    assert seen == [*range(8)]


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_than_that_many_at_a_time(at_once: int) -> None:
    turns, guard = Turns(at_once, _FOREVER), threading.Lock()
    inside, most = 0, 0

    def visit() -> None:
        nonlocal inside, most
        for _ in range(30):
            with turns.taken():
                with guard:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.0005)
                with guard:
                    inside -= 1

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (inside, most) == (0, at_once)
    assert not turns._waiting
    assert not turns._since


def test_nobody_waits_for_one_who_takes_long() -> None:
    turns, done = Turns(1, 0.02), threading.Event()
    with turns.taken():
        thread = threading.Thread(target=lambda: _once(turns, done), daemon=True)
        thread.start()
        assert done.wait(20)
    thread.join(20)


def _once(turns: Turns, done: threading.Event) -> None:
    with turns.taken():
        done.set()


def test_a_turn_ends_with_a_failure_too() -> None:
    turns = Turns(1, _FOREVER)
    with pytest.raises(ValueError, match="in the middle"), turns.taken():
        raise ValueError("in the middle")
    with turns.taken():
        assert len(turns._since) == 1
