"""Web processes of one server see how much each other has to do, also when one of them is killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from apportion.web.door.balance import Balance

_SIBLING = """
import sys
from contextlib import ExitStack
from pathlib import Path
from apportion.web.door.balance import Balance
balance = Balance(Path(sys.argv[1]))
with ExitStack() as under_way:
    for _ in range(int(sys.argv[2])):
        under_way.enter_context(balance.counted())
    print(balance._place, flush=True)
    sys.stdin.read()
"""


class Sibling:
    """Another process with so many requests under way, until it is killed or ends."""

    def __init__(self, path: Path, requests: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SIBLING, str(path), str(requests)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.place = int(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(name="path")
def path_fixture(tmp_path: Path) -> Path:
    path = tmp_path / "shared"
    path.touch()
    return path


@pytest.fixture(name="own")
def own_fixture(path: Path) -> Iterator[Balance]:
    with closing(Balance(path)) as own:
        yield own


def test_too_much_is_clearly_more_than_a_sibling_has(path: Path, own: Balance) -> None:
    sibling = Sibling(path, 3)
    try:
        with ExitStack() as under_way:
            for _ in range(5):
                assert not own.is_too_much()
                under_way.enter_context(own.counted())
            assert not own.is_too_much()
            under_way.enter_context(own.counted())
            assert own.is_too_much()
        assert not own.is_too_much()
    finally:
        sibling.kill()


def test_alone_it_is_never_too_much(own: Balance) -> None:
    with ExitStack() as under_way:
        for _ in range(50):
            under_way.enter_context(own.counted())
        assert not own.is_too_much()


def test_the_next_takes_the_place_of_one_that_was_killed(path: Path, own: Balance) -> None:
    killed = Sibling(path, 40)
    other = Sibling(path, 40)
    assert len({own._place, killed.place, other.place}) == 3
    killed.kill()
    successor = Sibling(path, 0)
    try:
        assert successor.place == killed.place
        with own.counted(), own.counted(), own.counted():
            assert own.is_too_much()  # the successor begins with nothing, whatever the other left
    finally:
        successor.kill()
        other.kill()
