"""Choices of model fields, taken from the core's own words."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

PERIOD_LENGTH = 7  # 2026-10
CODE_LENGTH = 200
NAME_LENGTH = 300
DIGEST_LENGTH = 64


def choices(kind: Iterable[StrEnum]) -> list[tuple[str, str]]:
    """The members of an enumeration as Django wants them."""
    return [(str(member), str(member).replace("_", " ")) for member in kind]
