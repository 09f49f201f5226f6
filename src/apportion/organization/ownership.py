"""Who answers for a cost group."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owners:
    """The three owners of a cost group, as mail addresses or names; empty where inherited from above."""

    finance: str = ""
    technical: str = ""
    business: str = ""

    def or_else(self, above: Owners) -> Owners:
        """These owners, with gaps filled from the group above."""
        return Owners(self.finance or above.finance, self.technical or above.technical, self.business or above.business)
