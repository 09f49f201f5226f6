"""What tests of pushing share: a plan, journals, a clock that does not wait, pushers that can be killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.process import BaseProcess
from pathlib import Path

from apportion.ledger.entry import Entry, Posting
from apportion.periods import BillingPeriod
from apportion.post.erp.book import FilePushBook
from apportion.post.erp.connected import Setup
from apportion.post.erp.errors import TargetError
from apportion.post.erp.pace import Pace, Patience
from apportion.post.erp.push import Pusher
from apportion.post.erp.secret import Secret
from apportion.post.erp.target import Target
from apportion.post.erp.tryton import TrytonTarget
from apportion.post.journal import Journal, of_entries
from tests.tryton_server import PASSWORD

OCTOBER = BillingPeriod(2026, 10)
LAST_DAY = date(2026, 10, 31)
COMPANIES = {"1000": "Nimbus GmbH", "2000": "Nimbus Nordic AB"}
BOOKS = {"1000": "EUR", "2000": "SEK"}
AT_ONCE = Pace(tries=1)
QUICK = Pace(tries=6, first=0.01, longest=0.05, seconds=60)


@dataclass
class Clock:
    """Time that passes only when somebody sleeps, and how long each slept."""

    now: float = 0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


def posting(account: str, center: str, minor: int, company: str = "1000", currency: str = "EUR") -> Posting:
    """One line."""
    text = f"October of {center}" if center else "October"
    return Posting(account, company, center, "", currency, minor, text)


def entry(name: str, *postings: Posting, on: date = LAST_DAY) -> Entry:
    """The worked cost transfer of 10,000.00, or other postings."""
    made = postings or (
        posting("600100", "0010", 512371),
        posting("600100", "0020", 301111),
        posting("600100", "0030", 186518),
        posting("600199", "9900", -1000000),
    )
    return Entry(name, on, on, "Cloud cost transfer 2026-10", made)


def between(name: str, minor: int = 125000) -> Entry:
    """A cost transfer to another company, in its currency."""
    seller = (posting("140000", "", minor), posting("600199", "9900", -minor))
    return entry(
        name,
        posting("600100", "0010", minor * 11, "2000", "SEK"),
        posting("160000", "", -minor * 11, "2000", "SEK"),
        *seller,
    )


def journal(*entries: Entry) -> Journal:
    """Entries of October."""
    return of_entries(OCTOBER, entries)


def tryton(url: str, database: str, name: str, patience: Pace = QUICK) -> TrytonTarget:
    """The ledger as a target of that name."""
    return TrytonTarget(url, database, "admin", Secret(PASSWORD), Setup(name, COMPANIES, patience=Patience(patience)))


def pusher(target: Target, book: Path, pace: Pace = QUICK) -> Pusher:
    """With a book in a file."""
    return Pusher(target, FilePushBook(book), BOOKS, pace)


# Processes are forked from a small server that has everything imported, so that starting one takes no time.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.pushing"])


def _push(url: str, database: str, name: str, book: Path, pushed: Journal, reversed_on: date | None) -> None:
    run = pusher(tryton(url, database, name), book)
    try:
        report = run.reverse(pushed, reversed_on) if reversed_on else run.push(pushed)
    except TargetError as error:
        os.write(2, f"{error}\n".encode())
        os._exit(error.exit_status)
    os._exit(0 if report.done else 1)


def started(
    url: str, database: str, name: str, book: Path, pushed: Journal, reversed_on: date | None = None
) -> BaseProcess:
    """A process of its own that pushes a journal."""
    process = _PROCESSES.Process(target=_push, args=(url, database, name, book, pushed, reversed_on))
    process.start()
    return process


def killed(process: BaseProcess) -> Callable[[], None]:
    """End a process at once, as a crash of its machine would."""

    def kill() -> None:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        while Path(f"/proc/{process.pid}/stat").exists():  # who waits for it elsewhere learns how it ended
            time.sleep(0.002)

    return kill


def ended(processes: Sequence[BaseProcess]) -> list[int | None]:
    """Wait for processes; how each ended."""
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]
