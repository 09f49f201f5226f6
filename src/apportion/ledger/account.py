"""Where a posting lands: an account of one company, with its dimensions; and what a code or text may hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from apportion.errors import BadValueError

# A company's own dimensions, such as a project or a region: (name, code), sorted by name, each name once.
Dimensions = tuple[tuple[str, str], ...]

_CODES = ("company", "account", "cost_center", "department", "partner")


@dataclass(frozen=True, slots=True, order=True)
class LedgerAccount:
    """One account of one company, seen through its dimensions; codes as the ledger writes them, zeros included.

    `partner` is the other company of an intercompany posting, `dimensions` are the company's own (see `dimensions`).
    Only `account` must be given. Raises `BadValueError` for a code that a ledger would read differently (blanks at its
    ends, control characters), and for dimensions without an order.
    """

    company: str
    account: str
    cost_center: str = ""
    department: str = ""
    partner: str = ""
    dimensions: Dimensions = ()

    def __post_init__(self) -> None:
        for name in _CODES:
            _check_code(name, getattr(self, name))
        if not self.account:
            raise BadValueError("A posting names no ledger account.", advice="Give the cost group a ledger account.")
        if self.dimensions:
            check_dimensions(self.dimensions)

    def __str__(self) -> str:
        codes = [self.company, self.account, self.cost_center, self.department]
        return " / ".join([*filter(None, codes), *(f"{name} {code}" for name, code in self.dimensions)])


def dimensions(codes: Mapping[str, str]) -> Dimensions:
    """Dimensions in their one order; those without a code are left out. Raises `BadValueError` as accounts do."""
    found = tuple(sorted((name, code) for name, code in codes.items() if code))
    check_dimensions(found)
    return found


def check_dimensions(found: Dimensions) -> None:
    """Raise `BadValueError` unless names and codes are filled and tidy, sorted, each name once and none of ours."""
    names = [name for name, _ in found]
    if names != sorted(set(names)):
        raise BadValueError(f"The dimensions {', '.join(names)} are not sorted, or one is there twice.")
    for name, code in found:
        if not name or not code or name in _CODES:
            raise BadValueError(
                f"'{name}' with code '{code}' is not a dimension of a company's own.",
                advice=f"Give it a code, and a name that is none of {', '.join(_CODES)}.",
            )
        _check_code("dimension", name)
        _check_code(name, code)


def _check_code(name: str, code: str) -> None:
    if code != tidy(code):
        raise BadValueError(
            f"The {name.replace('_', ' ')} code {code!r} holds blanks or characters that ledgers change.",
            advice="Write the code without blanks at its ends, double blanks and control characters.",
        )


def tidy(text: str) -> str:
    """Text as every ledger keeps it: NFC, without control characters, each run of blanks one blank, none at the ends.

    Blanks of any kind, line ends and tabs become one blank; other control and invisible format characters go.
    """
    if text.isascii() and text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " ":
        return text  # nearly every code and text: plain, with nothing to change
    spaced = "".join(" " if character.isspace() else character for character in unicodedata.normalize("NFC", text))
    kept = (character for character in spaced if unicodedata.category(character) not in {"Cc", "Cf", "Cs"})
    # Removing an invisible character can bring two together that compose, so normalize once more.
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))
