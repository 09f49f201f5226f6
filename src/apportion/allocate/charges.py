"""The classified charges of a period, for what has to ask about them beyond the cube."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apportion.allocate.allocation import Scope
from apportion.allocate.rule import Target
from apportion.warehouse.measure import Measured, Question, measure
from apportion.warehouse.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Charges:
    """Charges beside the sidecars of their outcomes. `targets` says where those of each outcome go; charges of other
    outcomes are nobody's business here.
    """

    snapshot: Snapshot
    sidecars: Path
    effective: bool
    targets: Mapping[int, Target]
    issuer_aliases: Mapping[str, str]

    def ask(self, questions: Sequence[Question]) -> tuple[tuple[Measured, ...], ...]:
        """The answer to each question (`apportion.warehouse.measure`); without any, nothing is read."""
        return measure(self.snapshot, self.sidecars, questions, effective=self.effective) if questions else ()

    def scope(self, found: Measured) -> Scope:
        """Where the cents of an answer are settled: issuers under their one name."""
        issuer = self.issuer_aliases.get(found.invoice_issuer, found.invoice_issuer)
        return Scope(issuer, found.invoice_id, found.billing_account_id, found.currency)
