"""Files of exchange rates: the reference rates of the European Central Bank, and the company's own.

Takes the path of one CSV file, gives a `Table` of exact decimal texts for `money.exchange`. Two kinds are known by
their header. The ECB's (``eurofxref``, daily or historical): ``Date, USD, JPY, …``, each figure the units of that
currency for one euro, ``N/A`` where there was none. The company's own: ``date`` or ``period``, ``from``, ``to`` and
``rate``, the units of `to` for one of `from`. Never chooses among rates and never works one out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from apportion.errors import BadValueError, EmptyFileError, Place
from apportion.money.currency import CODES
from apportion.money.exchange import Pair, Table
from apportion.yamlfile import read_bytes

_OWN = ("date", "period", "from", "to", "rate")
_RATE = re.compile(r"\d{1,20}(?:\.\d{1,20})?", re.ASCII)
_NONE = frozenset(("", "N/A", "-"))
_CODE = re.compile(r"[A-Z]{3}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PERIOD = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])", re.ASCII)
_LONG_DAY = re.compile(r"(\d{1,2}) ([A-Z][a-z]{2,8}) (\d{4})", re.ASCII)
# Not from the calendar module, whose names follow the locale of the machine.
_MONTHS = "January February March April May June July August September October November December".split()

Row = tuple[int, Sequence[str]]


def read(path: Path, name: str = "") -> Table:
    """The rates in a file, with the table named `name` (without one, as the file is).

    Raises `UnreadableFileError`, `EmptyFileError`, and `BadValueError` with line and column for a header, day,
    currency or rate that cannot be used: a rate is a decimal above zero, and stands once for a day and pair.
    """
    rows = _rows(path)
    header = next(rows, None)
    if header is None:
        raise EmptyFileError("The file of exchange rates says nothing.", place=Place(str(path)))
    names = [each.strip() for each in header[1]]
    while names and not names[-1]:  # the ECB ends every line with a comma
        names.pop()
    if {each.lower() for each in names} & {"from", "to"}:
        return _own(rows, [each.lower() for each in names], Place(str(path), header[0]), name or path.name)
    return _reference(rows, names, Place(str(path), header[0]), name or path.name)


def _rows(path: Path) -> Iterator[Row]:
    """Rows that are not blank, each with its line."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadValueError(
            "The file is not UTF-8 text.", place=Place(str(path)), advice="Save it as CSV in UTF-8."
        ) from None
    first = text.lstrip("\r\n").partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    try:
        for row in reader:
            if any(value.strip() for value in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise BadValueError(f"The file is not CSV: {error}.", place=Place(str(path), reader.line_num)) from None


def _reference(rows: Iterator[Row], names: Sequence[str], header: Place, name: str) -> Table:
    """The ECB's file: a column for each currency. Currencies that are no more, such as CYP, are left out."""
    if not names or names[0].lower() != "date" or len(names) == 1:
        raise BadValueError(
            "This is no file of exchange rates.",
            place=header,
            advice="Columns are 'Date, USD, JPY, …' as the ECB writes them, or 'date, from, to, rate'.",
        )
    for code in names[1:]:
        if not _CODE.fullmatch(code) or names.count(code) > 1:
            why = "stands twice" if names.count(code) > 1 else "is no currency"
            raise BadValueError(f"The column '{code}' {why}.", place=Place(header.file, header.line, field=code))
    columns = [(place, code) for place, code in enumerate(names) if place and code in CODES]
    found: dict[date, tuple[int, list[tuple[str, str]]]] = {}
    for line, row in rows:
        where = Place(header.file, line)
        if len(row) < len(names) or any(value.strip() for value in row[len(names) :]):
            raise BadValueError(f"The row has {len(row)} values, the header {len(names)} columns.", place=where)
        day = _day(row[0].strip(), where)
        if day in found:
            raise BadValueError(f"The day {day} stands twice; first on line {found[day][0]}.", place=where)
        rates = [(code, row[place].strip()) for place, code in columns]
        found[day] = line, [(code, _rate(rate, where, code)) for code, rate in rates if rate not in _NONE]
    published: dict[Pair, list[tuple[date, str]]] = {}
    for day in sorted(found):
        for code, rate in found[day][1]:
            published.setdefault(("EUR", code), []).append((day, rate))
    return Table(name, published, {})


def _own(rows: Iterator[Row], names: Sequence[str], header: Place, name: str) -> Table:
    stray = next((each for each in names if each not in _OWN or names.count(each) > 1), None)
    missing = {"from", "to", "rate"} - set(names)
    if stray is not None or missing or not {"date", "period"} & set(names):
        raise BadValueError(
            f"The column '{stray}' cannot stand here."
            if stray is not None
            else f"The column '{min(missing)}' is missing."
            if missing
            else "There is neither a column 'date' nor a column 'period'.",
            place=header,
            advice="A file of own rates has the columns date or period, from, to and rate.",
        )
    published: dict[Pair, dict[date, str]] = {}
    agreed: dict[Pair, dict[str, str]] = {}
    for line, row in rows:
        where = Place(header.file, line)
        if len(row) != len(names):
            raise BadValueError(f"The row has {len(row)} values, the header {len(names)} columns.", place=where)
        values = {column: value.strip() for column, value in zip(names, row, strict=True)}
        pair = (_currency(values["from"], where, "from"), _currency(values["to"], where, "to"))
        if pair[0] == pair[1]:
            raise BadValueError(f"A rate from {pair[0]} to itself is always 1.", place=where, advice="Delete the row.")
        rate = _rate(values["rate"], where, "rate")
        _put(published, agreed, values, pair, rate, where)
    return Table(name, {pair: sorted(days.items()) for pair, days in published.items()}, agreed)


def _put(
    published: dict[Pair, dict[date, str]],
    agreed: dict[Pair, dict[str, str]],
    values: Mapping[str, str],
    pair: Pair,
    rate: str,
    where: Place,
) -> None:
    day, period = values.get("date", ""), values.get("period", "")
    if bool(day) == bool(period):
        raise BadValueError("A row has either a date or a period.", place=where, advice="Fill one of the two.")
    if period and not _PERIOD.fullmatch(period):
        raise BadValueError(
            f"'{period}' is not a period.",
            place=Place(where.file, where.line, field="period"),
            advice="Write it as YYYY-MM, for example 2026-10.",
        )
    if period:
        is_second = period in agreed.setdefault(pair, {})
        agreed[pair][period] = rate
    else:
        at = _day(day, where)
        is_second = at in published.setdefault(pair, {})
        published[pair][at] = rate
    if is_second:
        raise BadValueError(f"The rate from {pair[0]} to {pair[1]} for {day or period} stands twice.", place=where)


def _day(text: str, where: Place) -> date:
    """``2026-10-30``, or ``30 October 2026`` as in the ECB's daily file."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        long = _LONG_DAY.fullmatch(text)
        if long:
            month = next(place for place, each in enumerate(_MONTHS, 1) if long[2] in (each, each[:3]))
            return date(int(long[3]), month, int(long[1]))
    except (ValueError, StopIteration):
        pass
    raise BadValueError(
        f"'{text}' is not a date.",
        place=Place(where.file, where.line, field="date"),
        advice="Write it as YYYY-MM-DD, for example 2026-10-30.",
    )


def _currency(code: str, where: Place, field: str) -> str:
    if code not in CODES:
        raise BadValueError(
            f"'{code}' is not an ISO 4217 currency.",
            place=Place(where.file, where.line, field=field),
            advice="Use a code such as USD, EUR or JPY.",
        )
    return code


def _rate(text: str, where: Place, field: str) -> str:
    if not _RATE.fullmatch(text) or not text.strip("0."):
        raise BadValueError(
            f"'{text}' is not a rate of exchange.",
            place=Place(where.file, where.line, field=field),
            advice="Write a decimal number above zero, with a point: 1.0852.",
        )
    return text
