"""Where a posting lands: an account of one company, with its dimensions; and what a code or text may hold."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields

from apportion.errors import BadValueError


@dataclass(frozen=True, slots=True, order=True)
class LedgerAccount:
    """One account of one company, seen through its dimensions; codes as the ledger writes them, zeros included.

    `partner` is the other company of an intercompany posting. Only `account` must be given. Raises
    `BadValueError` for a code that a ledger would read differently: blanks at its ends, control characters.
    """

    company: str
    account: str
    cost_center: str = ""
    department: str = ""
    partner: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            code = getattr(self, field.name)
            if code != tidy(code):
                raise BadValueError(
                    f"The {field.name.replace('_', ' ')} code {code!r} holds blanks or characters that ledgers change.",
                    advice="Write the code without blanks at its ends, double blanks and control characters.",
                )
        if not self.account:
            raise BadValueError("A posting names no ledger account.", advice="Give the cost group a ledger account.")

    def __str__(self) -> str:
        return " / ".join(code for code in (self.company, self.account, self.cost_center, self.department) if code)


def tidy(text: str) -> str:
    """Text as every ledger keeps it: NFC, without control characters, each run of blanks one blank, none at the ends.

    Blanks of any kind, line ends and tabs become one blank; other control and invisible format characters go.
    """
    spaced = "".join(" " if character.isspace() else character for character in unicodedata.normalize("NFC", text))
    kept = (character for character in spaced if unicodedata.category(character) not in {"Cc", "Cf", "Cs"})
    # Removing an invisible character can bring two together that compose, so normalize once more.
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))
