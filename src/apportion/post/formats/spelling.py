"""How targets spell days, and amounts on two sides; and how that is read back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from apportion.money.currency import minor_text
from apportion.post.formats.reading import minor

# How days can be spelled; a setting may offer them by these names.
DAYS = ("yyyy-mm-dd", "yyyy/mm/dd", "yyyymmdd", "dd/mm/yyyy", "mm/dd/yyyy", "dd.mm.yyyy", "mm/dd/yy")
SERIAL = "serial"  # the number that a spreadsheet has for a day

_PARTS = {"yyyy": r"(?P<y>\d{4})", "yy": r"(?P<s>\d{2})", "mm": r"(?P<m>\d{2})", "dd": r"(?P<d>\d{2})"}
_TOKENS = re.compile("yyyy|yy|mm|dd|.")
_CENTURY = 2000
# Spreadsheets count a 29 February 1900 that never was; from March on they agree with the calendar.
_ZERO, _FIRST_SERIAL = date(1899, 12, 30), "1900-03-01"


def _reader(spelling: str) -> re.Pattern[str]:
    return re.compile("".join(_PARTS.get(each) or re.escape(each) for each in _TOKENS.findall(spelling)), re.ASCII)


_READERS = {spelling: _reader(spelling) for spelling in DAYS}


def day_text(day: str, spelling: str) -> str:
    """An ISO day as `spelling` has it. Raises `ValueError` for a day that the spelling cannot say."""
    if spelling == SERIAL:
        if day < _FIRST_SERIAL:
            raise ValueError(f"{day} is before the first day that every spreadsheet counts the same")
        return str((date.fromisoformat(day) - _ZERO).days)
    year, month, number = day.split("-")
    if "yyyy" not in spelling and not year.startswith("20"):
        raise ValueError(f"{day} is not in the century that {spelling} means")
    said = {"yyyy": year, "yy": year[2:], "mm": month, "dd": number}
    return "".join(said.get(each, each) for each in _TOKENS.findall(spelling))


def read_day(text: str, spelling: str) -> str:
    """The ISO day that `text` means. Raises `ValueError` for anything but a day in this spelling."""
    if spelling == SERIAL:
        return (_ZERO + timedelta(days=int(text))).isoformat()
    found = _READERS[spelling].fullmatch(text)
    if not found:
        raise ValueError(f"'{text}' is not a day written {spelling}")
    parts = found.groupdict()
    year = int(parts["y"]) if "y" in parts else _CENTURY + int(parts["s"])
    return date(year, int(parts["m"]), int(parts["d"])).isoformat()


def amount_texts(amounts: Sequence[int], currencies: Sequence[str]) -> list[str]:
    """Each amount with the decimals of its currency."""
    return [minor_text(amount, currency) for amount, currency in zip(amounts, currencies, strict=True)]


def read_amounts(texts: Sequence[str], currencies: Sequence[str]) -> list[int]:
    """Minor units. Raises `BadValueError` for what machine files do not write."""
    known: dict[tuple[str, str], int] = {}
    found = []
    for key in zip(texts, currencies, strict=True):
        if key not in known:
            known[key] = minor(*key)
        found.append(known[key])
    return found


def negated(text: str) -> str:
    """The amount with the other sign; a zero and an empty text stay as they are."""
    if text.startswith("-"):
        return text[1:]
    return f"-{text}" if text.strip("0.") else text
