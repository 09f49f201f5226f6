"""Text that people write into acts: cleaned, and refused where it is missing or too long."""

from __future__ import annotations

import re
import unicodedata

from apportion.errors import InputRefusedError, Place

MOST_TEXT = 10_000
_LINES = re.compile(r"\r\n?|[\u0085\u2028\u2029]")
# Controls that no database or mail takes, and marks that make text read in another order than it is stored.
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def cleaned(text: str) -> str:
    """The text with plain line ends, composed, and without controls, marks of direction and blanks around it."""
    return visible(unicodedata.normalize("NFC", text)).strip()


def visible(text: str) -> str:
    """The text with plain line ends and without controls and marks of direction."""
    return _UNSEEN.sub("", _LINES.sub("\n", text))


def said(text: str, field: str, advice: str) -> str:
    """The cleaned text. Raises `InputRefusedError` at `field` where nothing is left, or too much."""
    found = cleaned(text)
    if not found:
        raise InputRefusedError("There is no text.", place=Place(field=field), advice=advice)
    if len(found) > MOST_TEXT:
        raise InputRefusedError(
            f"The text is longer than {MOST_TEXT:,} characters.",
            place=Place(field=field),
            advice="Attach it as a file.",
        )
    return found


def one_line(text: str, at_most: int) -> str:
    """The cleaned text on one line, cut to a length: for subjects, names and headers."""
    found = " ".join(cleaned(text).split())
    return found if len(found) <= at_most else f"{found[: at_most - 1]}…"
