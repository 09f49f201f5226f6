"""A finding: something in the data that a person should know, as a value in a work list."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Behaviour(StrEnum):
    """What was done with the rows of a finding."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Example:
    """One row where it was found: counted from 1 in the file's data rows (0: the file as a whole), and its value."""

    row: int
    value: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of finding in one column of one file: how many rows, the first few of them, and what to do."""

    code: str
    behaviour: Behaviour
    sentence: str
    advice: str
    file: str
    column: str
    rows: int
    examples: tuple[Example, ...]
