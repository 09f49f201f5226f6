"""How far long work is: rows, bytes and the time left, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from apportion.cli.face import Face, clean, console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Advance = Callable[[int], None]


def _nothing(_: int) -> None:
    return None


@contextmanager
def rows_done(face: Face, text: str, total: int) -> Iterator[Advance]:
    """A bar over rows; gives what is called with the rows done since the last call, from any thread."""
    if not face.shows_progress or total <= 0:
        yield _nothing
        return
    with bar("{task.completed:,} of {task.total:,} rows") as shown:
        task = shown.add_task(text, total=total)
        yield lambda rows: shown.advance(task, rows)


@contextmanager
def deliveries_done(face: Face, total: int) -> Iterator[Callable[[str], None]]:
    """A bar over deliveries; gives what is called with a text when the next one begins."""
    if not face.shows_progress:
        yield lambda _: None
        return
    with bar("{task.completed:,} of {task.total:,} deliveries") as shown:
        task = shown.add_task("", total=total)
        begun = iter(range(total))
        yield lambda text: shown.update(task, description=clean(text), completed=next(begun, total))


def bar(count: str) -> Progress:
    """A bar with a text, a count in rich's notation, and the time left; it disappears when it is done."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn(count),
        TimeRemainingColumn(compact=True),
        console=console(stderr=True),
        transient=True,
    )


@contextmanager
def spinner(face: Face, text: str) -> Iterator[None]:
    """A sign of life while something runs whose length is not known."""
    if not face.shows_progress:
        yield
        return
    from rich.text import Text

    with console(stderr=True).status(Text(text)):
        yield


class BytesDone:
    """A bar over delivered bytes that also counts rows: what loading a delivery reports to."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._shown: Progress | None = None
        self._task: TaskID | None = None

    def start(self, total_bytes: int) -> None:
        """Show the bar."""
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        self._shown = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            DownloadColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TimeRemainingColumn(compact=True),
            console=console(stderr=True),
            transient=True,
        )
        self._task = self._shown.add_task(clean(self._text), total=total_bytes, rows=0)
        self._shown.start()

    def advance(self, rows: int, bytes_: int) -> None:
        """Move it on."""
        if self._shown is not None and self._task is not None:
            before = self._shown.tasks[0].fields["rows"]
            self._shown.update(self._task, advance=bytes_, rows=before + rows)

    def done(self) -> None:
        """Take it away."""
        if self._shown is not None:
            self._shown.stop()


def bytes_done(face: Face, text: str) -> BytesDone | None:
    """What a delivery reports to; None where nobody watches."""
    return BytesDone(text) if face.shows_progress else None
