"""Numbers of documents: prefix, billing period and a count without gap, as in ``ST-2026-10-0001``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from apportion.errors import InputRefusedError
from apportion.periods import BillingPeriod

_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,15}")
_NUMBER = re.compile(rf"(?P<prefix>{_PREFIX.pattern})-(?P<period>\d{{4}}-\d{{2}})-(?P<count>\d{{4,}})")
_LINE = re.compile(r"(?P<number>[^:]+)(?::(?P<line>[1-9]\d*))?")


@dataclass(frozen=True, slots=True, order=True)
class Number:
    """A document's number. `count` starts at 1; it has four digits, and more when four are not enough."""

    prefix: str
    period: BillingPeriod
    count: int

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise InputRefusedError(
                f"'{self.prefix}' cannot begin a statement number.",
                advice="Use 1 to 16 letters, digits, '_' and '-', a letter or digit first.",
            )

    @classmethod
    def parse(cls, text: str) -> Number:
        """Read a number. Raises `InputRefusedError` for anything that `str` would not have written."""
        found = _NUMBER.fullmatch(text.strip())
        if found:
            number = cls(found["prefix"], BillingPeriod.parse(found["period"]), int(found["count"]))
            if number.count and str(number) == found[0]:
                return number
        raise InputRefusedError(
            f"'{text}' is not a statement number.", advice="It looks like ST-2026-10-0001, or ST-2026-10-0001:3."
        )

    def __str__(self) -> str:
        return f"{self.prefix}-{self.period}-{self.count:04d}"


def read_reference(text: str) -> tuple[Number, int | None]:
    """Read ``NUMBER`` or ``NUMBER:LINE``; the line is None where none is named. Raises `InputRefusedError`."""
    found = _LINE.fullmatch(text.strip())
    number = Number.parse(found["number"] if found else text)
    return number, int(found["line"]) if found and found["line"] else None
