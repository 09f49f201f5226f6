"""Numbers of issued documents: without gap and double in each series, and readable: ``KES-1000-FY2026-C-000017``.

A series is a family of documents of one legal entity in one fiscal year. Showback documents have families of their own,
so that the numbers of what is really charged have no gaps. A draft has no number; it gets one when it is issued, and
keeps it when it is voided.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from apportion.errors import ConservationError, InputRefusedError
from apportion.invoice.paper import PaperKind
from apportion.periods import BillingPeriod

NO_ENTITY = "0"


class Family(StrEnum):
    """What a label says before its number; nothing for the invoices themselves."""

    INVOICE = ""
    CREDIT_NOTE = "C"
    DEBIT_NOTE = "D"
    STATEMENT = "S"
    SHOWBACK_CREDIT_NOTE = "SC"
    SHOWBACK_DEBIT_NOTE = "SD"


_FAMILIES = {
    PaperKind.STATEMENT: (Family.STATEMENT, Family.STATEMENT),
    PaperKind.INVOICE: (Family.INVOICE, Family.STATEMENT),
    PaperKind.CREDIT_NOTE: (Family.CREDIT_NOTE, Family.SHOWBACK_CREDIT_NOTE),
    PaperKind.DEBIT_NOTE: (Family.DEBIT_NOTE, Family.SHOWBACK_DEBIT_NOTE),
}

_PREFIX = r"[A-Za-z0-9][A-Za-z0-9_-]{0,15}"
_ENTITY = r"[A-Za-z0-9]*(?:_[0-9a-f]+_[A-Za-z0-9]*)*"
_NAME = rf"(?P<entity>{_ENTITY})-FY(?P<year>[0-9]{{4}})(?:-(?P<family>S?[CD]|S))?"
_SERIES = re.compile(_NAME)
_LABEL = re.compile(rf"(?P<prefix>{_PREFIX})-{_NAME}-(?P<number>[0-9]{{6,}})")
_ESCAPED = re.compile(r"_([0-9a-f]+)_")


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """One run of numbers. `entity` is the legal entity's code as the ledger writes it; empty where it has none."""

    entity: str
    fiscal_year: int
    family: Family

    def __str__(self) -> str:
        family = f"-{self.family}" if self.family else ""
        return f"{_safe(self.entity)}-FY{self.fiscal_year:04d}{family}"


def fiscal_year(period: BillingPeriod, starts: int) -> int:
    """The fiscal year of a billing period, named for the calendar year that it ends in.

    `starts` is its first month. With 4, April 2026 to March 2027 is 2027; with 1 it is the calendar year.
    """
    if not 1 <= starts <= 12:
        raise InputRefusedError(f"A fiscal year cannot start in month {starts}.", advice="Use 1 to 12.")
    return period.year + (starts > 1 and period.month >= starts)


def series_of(
    kind: PaperKind, entity: str, period: BillingPeriod, fiscal_year_starts: int, *, showback: bool = False
) -> Series:
    """The series that a document is numbered in: its kind, its legal entity, and its own period's fiscal year."""
    return Series(entity, fiscal_year(period, fiscal_year_starts), _FAMILIES[kind][showback])


def label(series: Series, number: int, prefix: str) -> str:
    """``KES-1000-FY2026-000017``. Raises `InputRefusedError` for a prefix or number that cannot be one.

    Letters and digits of the entity stand as they are, every other character as its code point between underscores
    (``10/A`` is ``10_2f_A``); no entity is ``0``, and an entity whose code is 0 is ``_30_``. So two series never share
    a label, and a label is fit for the name of a file.
    """
    if number < 1:
        raise InputRefusedError(f"{number} cannot number a document.", advice="Numbers begin at 1.")
    if not re.fullmatch(_PREFIX, prefix):
        raise InputRefusedError(
            f"'{prefix}' cannot begin a document's number.",
            advice="Use 1 to 16 letters, digits, '_' and '-', a letter or digit first.",
        )
    return f"{prefix}-{series}-{number:06d}"


def parse(text: str) -> tuple[str, Series, int]:
    """Prefix, series and number of a label. Raises `InputRefusedError` for anything that `label` would not write."""
    if found := _LABEL.fullmatch(text.strip()):
        series, number = _series(found), int(found["number"])
        if number and label(series, number, found["prefix"]) == found[0]:
            return found["prefix"], series, number
    raise InputRefusedError(
        f"'{text}' is not the number of a document.", advice="It looks like KES-1000-FY2026-C-000017."
    )


def parse_series(text: str) -> Series:
    """Read what `str` writes of a series. Raises `InputRefusedError` for anything else."""
    if (found := _SERIES.fullmatch(text)) and str(series := _series(found)) == text:
        return series
    raise InputRefusedError(f"'{text}' is not a series of documents.", advice="It looks like 1000-FY2026-C.")


def numbered(documents: Sequence[Series], last: Mapping[Series, int]) -> tuple[int, ...]:
    """The next number for each document in the order given. `last` is what each series has given out so far."""
    counts = dict(last)
    numbers = []
    for series in documents:
        counts[series] = counts.get(series, 0) + 1
        numbers.append(counts[series])
    return tuple(numbers)


def check(series: Series, numbers: Iterable[int]) -> None:
    """Raise `ConservationError` where the numbers given out in a series are not 1, 2, 3 …, each once, in any order."""
    for expected, number in enumerate(sorted(numbers), start=1):
        if number != expected:
            twice = " twice" if number > 0 else ""
            what = f"lacks {expected}" if number > expected else f"has {number}{twice}"
            raise ConservationError(f"The series {series} {what}.")


def _safe(entity: str) -> str:
    if not entity:
        return NO_ENTITY
    if entity == NO_ENTITY:
        return f"_{ord(entity):x}_"
    return "".join(each if each.isascii() and each.isalnum() else f"_{ord(each):x}_" for each in entity)


def _series(found: re.Match[str]) -> Series:
    text = found["entity"]
    entity = "" if text == NO_ENTITY else _ESCAPED.sub(_unescaped, text)
    return Series(entity, int(found["year"]), Family(found["family"] or ""))


def _unescaped(found: re.Match[str]) -> str:
    point = int(found[1], 16)
    return chr(point) if point <= 0x10FFFF else ""
