"""Dates, numbers, lists and columns, as they are said in a sentence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction

from apportion.allocate.basis import Amount
from apportion.allocate.rule import Field
from apportion.invoice import wording
from apportion.methodology.document import Code, Inline, Words, joined
from apportion.money.currency import exponent

_MONTHS = "January February March April May June July August September October November December".split()
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")
_ACRONYMS = frozenset(("ID", "SKU", "FOCUS"))


def day(on: date) -> str:
    """``1 March 2026``."""
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def days(start: date | None, end: date | None) -> str:
    """The days from `start` up to, not including, `end`: ``from 1 March 2026 to 31 March 2026``; empty for always."""
    if end is not None and start is not None and end > start:
        return f"from {day(start)} to {_last(end)}"
    said = [f"from {day(start)}"] if start else []
    said += [f"up to {_last(end)}"] if end else []
    return " and ".join(said)


def _last(end: date) -> str:
    return day(end - timedelta(days=1)) if end > date.min else "the day before all others"


def count(number: int, one: str, many: str = "") -> str:
    """``1 rule``, ``1,204 rules``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def series(parts: Iterable[Inline | Words], last: str = "and") -> Words:
    """``a``, ``a and b``, ``a, b and c``."""
    groups = [part if isinstance(part, tuple) else (part,) for part in parts]
    found: list[Inline] = []
    for place, group in enumerate(groups):
        if place:
            found.append((f"{last} " if last[0] == "," else f" {last} ") if place == len(groups) - 1 else ", ")
        found += group
    return joined(tuple(found))


def money(amount: Amount) -> str:
    """An amount with every decimal it has: ``1,000.00 USD``."""
    return f"{wording.exact(amount.units, amount.currency)} {amount.currency}"


def price(units: int, currency: str) -> str:
    """A price for one unit, with every decimal it has."""
    return f"{wording.exact(units, currency)} {currency}"


def part(of_whole: Fraction) -> str:
    """A part of a whole: ``5 %``; where per cents do not end, the fraction first: ``1/3 (33.3333 %)``."""
    text = wording.about(of_whole)
    ends = wording.percent(of_whole.numerator, of_whole.denominator) == text
    return text if ends else f"{of_whole.numerator:,}/{of_whole.denominator:,} (about {text})"


def weight(value: int, total: int) -> str:
    """A share out of a sum of weights."""
    return part(Fraction(value, total)) if total else "nothing"


def minor_unit(currency: str) -> str:
    """The smallest amount that a bill in a currency can say: ``0.01 USD``."""
    places = exponent(currency)
    return f"{f'0.{1:0{places}d}' if places else '1'} {currency}"


def column(field: Field, *, of_usage: bool = False) -> Words:
    """What a rule looks at: ``service name``, ``tag team``, ``column x_Project``, ``dimension cluster``."""
    if field.is_tag:
        return ("tag ", Code(field.name))
    if of_usage:
        return (field.name,) if field.name in ("consumer", "metric") else ("dimension ", Code(field.name))
    if field.name.startswith("x_"):
        return ("column ", Code(field.name))
    return (column_name(field.name),)


def column_name(name: str) -> str:
    """A FOCUS column in words: ``SubAccountId`` is the sub account ID."""
    found = _WORD.findall(name)
    said = [word.upper() if word.upper() in _ACRONYMS else word.lower() for word in found]
    return " ".join(said) or name


def sentence(text: str) -> str:
    """With a capital in front, and without touching the rest."""
    return text[:1].upper() + text[1:]


def shown(text: str) -> str:
    """Text that cannot steer whoever shows it: line ends, controls and invisible marks stand there by their number."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"⟨U+{ord(character):04X}⟩"
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        else character
        for character in text
    )


def first(values: Sequence[str], most: int) -> Sequence[str]:
    """The values if there are not many, else a few to begin with."""
    return values if len(values) <= most else values[:3]
