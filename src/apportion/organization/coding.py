"""A cost group's codes in the general ledger."""

from __future__ import annotations

from dataclasses import dataclass

FIELDS = ("company", "cost_center", "department", "ledger_account")


@dataclass(frozen=True, slots=True)
class Coding:
    """Codes as the ledger writes them, zeros in front included; empty where inherited from above."""

    company: str = ""
    cost_center: str = ""
    department: str = ""
    ledger_account: str = ""

    def or_else(self, above: Coding) -> Coding:
        """This coding, with gaps filled from the group above."""
        return Coding(
            self.company or above.company,
            self.cost_center or above.cost_center,
            self.department or above.department,
            self.ledger_account or above.ledger_account,
        )
