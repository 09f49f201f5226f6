"""The whole story as planned lines, and how many rows each line becomes.

Six vendors, each with its own version of FOCUS. The sum over a bill's lines is known here, before any file exists; the
rows only spread it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from apportion.demo import aws, azure, google, hosting, saas, tokens
from apportion.demo.line import Line
from apportion.demo.story import Month
from apportion.errors import InputRefusedError
from apportion.money.split import split


@dataclass(frozen=True, slots=True)
class Source:
    """A vendor: the name of the source, the version of FOCUS it delivers, its currency and its lines of a month."""

    name: str
    version: str
    currency: str
    lines: Callable[[Month, int], list[Line]]


SOURCES = (
    Source("aws", "1.2", aws.CURRENCY, aws.lines),
    Source("azure", "1.0", azure.CURRENCY, azure.lines),
    Source("google", "1.4", google.CURRENCY, google.lines),
    Source("kubernetes", "1.3", hosting.CURRENCY, hosting.lines),
    Source("suitebench", "1.2", saas.CURRENCY, saas.lines),
    Source("tokenhouse", "1.4", tokens.CURRENCY, tokens.lines),
)


@dataclass(frozen=True, slots=True)
class Spread:
    """A line and the number of rows it becomes."""

    line: Line
    rows: int


@dataclass(frozen=True, slots=True)
class Bill:
    """What one source bills for one month."""

    source: Source
    month: Month
    spread: tuple[Spread, ...]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.spread)

    @property
    def lines(self) -> Iterator[Line]:
        return (part.line for part in self.spread)


def plan(rows: int, months: int, seed: int) -> list[Bill]:
    """Every bill, month by month and in the order of `SOURCES`; together they have exactly `rows` rows.

    Raises `InputRefusedError` where there are fewer rows than lines of the story, or no month.
    """
    if months < 1:
        raise InputRefusedError(f"The demo cannot have {months} months.", advice="Ask for one month or more.")
    bills = [(source, month, source.lines(month, seed)) for month in map(Month, range(months)) for source in SOURCES]
    lines = [line for _, _, bill in bills for line in bill]
    if rows < len(lines):
        raise InputRefusedError(
            f"{rows} rows are too few: the story has {len(lines)} lines in {months} months.",
            advice=f"Ask for {len(lines)} rows or more.",
        )
    counts = iter(split(rows - len(lines), [line.weight for line in lines]))
    return [
        Bill(source, month, tuple(Spread(line, 1 + next(counts)) for line in bill)) for source, month, bill in bills
    ]
