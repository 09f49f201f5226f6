"""Statistical entries: quantities on statistical accounts, which say who caused how much and move no money.

Showback reaches the ledger only as these. They are kept apart from postings by their type, so that nothing can add
them to money by accident: a statistical line has a quantity and a unit where a posting has an amount and a currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from apportion.errors import BadValueError
from apportion.ledger.account import Dimensions, LedgerAccount
from apportion.ledger.entry import check_text
from apportion.money.currency import exponent


@dataclass(frozen=True, slots=True)
class StatisticalLine:
    """A quantity on a statistical account, in minor units of the currency that it is counted in, `unit`.

    Raises `BadValueError` for a quantity that is no integer, for no unit, and for codes and text that ledgers change.
    """

    account: str
    company: str
    cost_center: str
    department: str
    unit: str
    quantity_minor: int
    text: str
    ref: str = ""
    dimensions: Dimensions = ()

    def __post_init__(self) -> None:
        if type(self.quantity_minor) is not int:
            raise BadValueError(f"{self.quantity_minor!r} is not a whole number of minor units.")
        exponent(self.unit)
        check_text(self.text, self.ref)
        _ = self.ledger_account  # its constructor checks the codes

    @property
    def ledger_account(self) -> LedgerAccount:
        """Where it is counted, dimensions included."""
        return LedgerAccount(self.company, self.account, self.cost_center, self.department, dimensions=self.dimensions)


@dataclass(frozen=True, slots=True)
class StatisticalEntry:
    """Lines of one document. They need not balance: nothing is moved. `reverses` is as on an `Entry`."""

    id: str
    document_on: date
    posting_on: date
    text: str
    lines: tuple[StatisticalLine, ...]
    reverses: str = ""

    def __post_init__(self) -> None:
        check_text(self.id, self.text, self.reverses)
        if not self.id or not self.lines:
            raise BadValueError("A statistical entry has no id or no lines.")
