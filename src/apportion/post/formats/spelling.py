"""How targets spell days and the sides of an amount, and how that is read back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from apportion.errors import BadValueError
from apportion.money.currency import exponent, minor_text

# Each spelling as a pattern to read it; the letters say which number stands where.
_PARTS = {"yyyy": r"(?P<y>\d{4})", "yy": r"(?P<s>\d{2})", "mm": r"(?P<m>\d{2})", "dd": r"(?P<d>\d{2})"}
DAYS = (
    "yyyy-mm-dd", "yyyy/mm/dd", "yyyymmdd", "dd/mm/yyyy", "mm/dd/yyyy", "dd.mm.yyyy", "mm/dd/yy",
)  # fmt: skip
_CENTURY = 2000


def _pattern(spelling: str) -> re.Pattern[str]:
    text = re.escape(spelling)
    for letters, part in _PARTS.items():
        text = re.sub(rf"(?<![a-z<]){letters}(?![a-z>])|{letters}(?=mm|dd|$)", lambda _, part=part: part, text, count=1)
    return re.compile(text, re.ASCII)


def _readable(spelling: str) -> re.Pattern[str]:
    tokens = re.findall(r"yyyy|yy|mm|dd|.", spelling)
    return re.compile("".join(_PARTS.get(token) or re.escape(token) for token in tokens), re.ASCII)


_READ = {spelling: _readable(spelling) for spelling in DAYS}
