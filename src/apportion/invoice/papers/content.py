"""What a document shows, before any words: lines in sections and groups, comparisons, and the months of a chart.

Takes a `Paper`, gives plain values. Only adds; the one division, the length of a bar, is rounded by `money`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apportion.invoice.paper import Change, MonthTotal, Paper, PaperKind, PaperLine, PaperLineKind
from apportion.money.amount import half_even
from apportion.periods import BillingPeriod

MONTHS = 12
FULL = 1000  # the length of the longest bar


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under one heading (a service or a pool; empty where the provider names no service), and their sum."""

    heading: str
    lines: tuple[PaperLine, ...]
    minor: int


@dataclass(frozen=True, slots=True)
class Section:
    """The groups of one kind of cost in one currency, and their sum."""

    currency: str
    kind: PaperLineKind
    groups: tuple[Group, ...]
    minor: int

    @property
    def is_converted(self) -> bool:
        """Whether any line was billed in another currency."""
        return any(line.billed_currency != line.currency for group in self.groups for line in group.lines)


@dataclass(frozen=True, slots=True)
class Comparison:
    """An amount beside another: the one before, and what was added."""

    before_minor: int
    change_minor: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A month of the chart; None where nothing is known. `height` is of `FULL` for the whole chart, with its sign."""

    period: str
    minor: int | None
    height: int
    is_now: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Twelve months in one currency. `below` is how much of `FULL` lies below zero."""

    currency: str
    bars: tuple[Bar, ...]
    below: int


def sections(paper: Paper) -> Iterator[Section]:
    """All lines, by currency, kind and heading; headings in the order of their first lines."""
    for total in paper.totals:
        for kind in PaperLineKind:
            found: dict[str, list[PaperLine]] = {}
            for line in paper.lines:
                if line.kind is kind and line.currency == total.currency:
                    found.setdefault(line.heading, []).append(line)
            if found:
                groups = tuple(
                    Group(heading, tuple(lines), sum(line.minor for line in lines)) for heading, lines in found.items()
                )
                yield Section(total.currency, kind, groups, sum(group.minor for group in groups))


def change(paper: Paper, currency: str) -> Change | None:
    """Why the total of a currency changed, where that is known."""
    return next((each for each in paper.changes if each.currency == currency), None)


def against_before(paper: Paper, currency: str, minor: int) -> Comparison | None:
    """A total against the month before, from the change or else from the history."""
    known = change(paper, currency)
    if known:
        return Comparison(known.before_minor, known.after_minor - known.before_minor)
    before = _months(paper, currency).get(month_before(paper.period))
    return None if before is None else Comparison(before, minor - before)


def against_budget(paper: Paper, currency: str, minor: int) -> Comparison | None:
    """A total against what was planned."""
    planned = next((budget.minor for budget in paper.budgets if budget.currency == currency), None)
    return None if planned is None else Comparison(planned, minor - planned)


def month_before(period: str) -> str:
    """The billing period before another."""
    return str(BillingPeriod.parse(period).previous)


def charts(paper: Paper) -> Iterator[Chart]:
    """A chart for each currency that has a history of two months at least, ending with the paper's period."""
    for currency in dict.fromkeys([*(total.currency for total in paper.totals), *(m.currency for m in paper.history)]):
        known = _months(paper, currency)
        if paper.kind in {PaperKind.STATEMENT, PaperKind.INVOICE}:
            known.update((paper.period, each.minor) for each in paper.totals if each.currency == currency)
        shown = {period: known.get(period) for period in _last(paper.period)}
        amounts = [minor for minor in shown.values() if minor is not None]
        if len(amounts) < 2:
            continue
        lowest, highest = min(0, *amounts), max(0, *amounts)
        span = max(1, highest - lowest)
        bars = tuple(
            Bar(period, minor, half_even((minor or 0) * FULL, span), period == paper.period)
            for period, minor in shown.items()
        )
        yield Chart(currency, bars, half_even(-lowest * FULL, span))


def history(paper: Paper) -> tuple[MonthTotal, ...]:
    """The months as they are kept, by period and currency."""
    return tuple(sorted(paper.history, key=lambda month: (month.period, month.currency)))


def _months(paper: Paper, currency: str) -> dict[str, int]:
    return {month.period: month.minor for month in paper.history if month.currency == currency}


def _last(period: str) -> list[str]:
    months = [period]
    while len(months) < MONTHS:
        months.insert(0, month_before(months[0]))
    return months
