"""When something may be posted, and under which number: rules without a clock, a database or a target.

Dates: never in the future, never after the cut-off, never in a closed period, one fiscal year in a journal; what comes
too late goes to the next open period and says which one it belongs to. One journal waits at a target at a time.
Numbers are taken when a journal is committed, so that none is lost. Source: the rules of NUcore's journals.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from apportion.errors import InputRefusedError, JournalRefusedError, Mistake, Place
from apportion.invoice.series import fiscal_year
from apportion.periods import BillingPeriod
from apportion.post.journal import Journal

_FAR = 120  # months that are looked through for an open one


@dataclass(frozen=True, slots=True)
class PostingCalendar:
    """What a company's calendar says. `today` is given, never asked for.

    `cut_off` is how many days after its end a period may still be posted in (None: no limit). `is_open` says whether
    the ledger's period is open; without it all are.
    """

    today: date
    cut_off: int | None = None
    fiscal_year_starts: int = 1
    is_open: Callable[[BillingPeriod], bool] = lambda _: True

    def takes(self, period: BillingPeriod) -> bool:
        """May anything still be posted in the period today?"""
        in_time = self.cut_off is None or self.today < period.ends_on + timedelta(days=self.cut_off)
        return in_time and self.is_open(period)

    def posting_on(self, period: BillingPeriod) -> date:
        """The day to post cost of a period on: its last day, else the first day of the next period that takes it.

        Cost of a month that is not over is posted today. Raises `InputRefusedError` where no period up to today's is
        open, and for a period that has not begun.
        """
        if period.starts_on > self.today:
            raise InputRefusedError(f"{period} has not begun.", advice="Nothing is posted in the future.")
        at = period
        for _ in range(_FAR):
            if at.starts_on > self.today:
                break
            if self.takes(at):
                last_day = at.ends_on - timedelta(days=1)
                return min(last_day, self.today) if at == period else at.starts_on
            at = at.next
        raise InputRefusedError(
            f"No period from {period} to today takes postings.",
            advice="Open one in the ledger, or raise 'ledger: cut_off' in the settings.",
        )


def faults(journal: Journal, calendar: PostingCalendar) -> tuple[Mistake, ...]:
    """Every entry whose posting date the calendar does not allow, and a journal over two fiscal years."""
    found: list[Mistake] = []
    years: set[int] = set()
    posted = [(entry.id, entry.posting_on) for entry in journal.entries]
    posted += [(entry.id, entry.posting_on) for entry in journal.statistical]
    for entry_id, day in posted:
        period = BillingPeriod.of(day)
        years.add(fiscal_year(period, calendar.fiscal_year_starts))
        place = Place(entry_id, field="posting_on")
        if day > calendar.today:
            found.append(Mistake("FUTURE_DATE", f"{day} is after today, {calendar.today}.", place, "Wait until then."))
        elif not calendar.takes(period):
            found.append(
                Mistake(
                    "AFTER_CUT_OFF",
                    f"{period} takes no more postings on {calendar.today}.",
                    place,
                    "Post it in the next open period, where it says which one it belongs to.",
                )
            )
    if len(years) > 1:
        said = " and ".join(str(year) for year in sorted(years))
        found.append(
            Mistake(
                "TWO_FISCAL_YEARS",
                f"The journal spans the fiscal years {said}.",
                Place(journal.id),
                "Make a journal for each.",
            )
        )
    return tuple(found)


def require(journal: Journal, calendar: PostingCalendar) -> None:
    """Raise `JournalRefusedError` with every fault of `faults`."""
    found = faults(journal, calendar)
    if found:
        raise JournalRefusedError(found)


def require_none_pending(target: str, pending: Collection[str]) -> None:
    """Raise `InputRefusedError` while another journal (its id) waits at the target to be confirmed, failed or recalled.

    One at a time, because what one of them finds there depends on what became of the one before.
    """
    if pending:
        raise InputRefusedError(
            f"Journal {', '.join(sorted(pending))} still waits at {target}.",
            advice="Confirm it with the ledger's number, or recall it, before the next one goes there.",
        )


@dataclass(frozen=True, slots=True, order=True)
class JournalNumber:
    """``JV-1000-FY2026-000017``: the company's journals of a fiscal year, counted from 1 without a gap."""

    prefix: str
    company: str
    fiscal_year: int
    count: int

    def __str__(self) -> str:
        parts = [self.prefix, self.company, f"FY{self.fiscal_year:04d}", f"{self.count:06d}"]
        return "-".join(part for part in parts if part)


def next_number(taken: Iterable[int]) -> int:
    """The number to take at commit: one more than the last. Raises `InputRefusedError` for a gap or a double so far."""
    numbers = sorted(taken)
    wrong = breaks(numbers)
    if wrong:
        raise InputRefusedError(
            f"The numbers so far have a gap or a double at {', '.join(map(str, wrong))}.",
            advice="Find out which journal is missing before another number is given.",
        )
    return len(numbers) + 1


def breaks(numbers: Sequence[int]) -> tuple[int, ...]:
    """Every number that is missing between 1 and the last, or there twice, in order."""
    last = max(numbers, default=0)
    seen: dict[int, int] = {}
    for number in numbers:
        seen[number] = seen.get(number, 0) + 1
    return tuple(number for number in range(1, last + 1) if seen.get(number, 0) != 1)
