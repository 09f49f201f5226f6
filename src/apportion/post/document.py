"""Documents as journals are made from them, down to their lines: an issued paper, or a run's statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apportion.allocate.rule import Holder, Target
from apportion.errors import ConservationError
from apportion.invoice.paper import Paper
from apportion.invoice.statement import Statement
from apportion.organization.coding import Coding
from apportion.periods import BillingPeriod
from apportion.post.mapping import Amount


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A line: `minor` is what it adds to the document's total of `currency`; `text` says what it is for.

    `service` is the pool's name where the line is a share of a pool.
    """

    number: int
    service: str
    charge_category: str
    currency: str
    minor: int
    text: str


@dataclass(frozen=True, slots=True)
class PostableDocument:
    """An invoice, a note or a run's statement with its lines (a `Postable`); notes that credit are below zero.

    Showback is never posted (`is_showback`): it can only be counted. Raises `ConservationError` where the totals are
    not the sums of the lines.
    """

    number: str
    period: BillingPeriod
    holder: Target
    name: str
    coding: Coding
    totals: Sequence[Amount]
    policy_digest: str
    organization_digest: str
    snapshot_digest: str
    lines: tuple[DocumentLine, ...]
    is_showback: bool = False

    def __post_init__(self) -> None:
        sums = {total.currency: 0 for total in self.totals}
        for line in self.lines:
            sums[line.currency] = sums.get(line.currency, 0) + line.minor
        if sums != {total.currency: total.minor for total in self.totals}:
            raise ConservationError(f"The totals of {self.number} are not the sums of its lines.")


def of_paper(paper: Paper) -> PostableDocument:
    """An issued document."""
    return PostableDocument(
        number=paper.label,
        period=BillingPeriod.parse(paper.period),
        holder=Target(Holder(paper.holder), paper.code),
        name=paper.name,
        coding=paper.coding,
        totals=paper.totals,
        policy_digest=paper.policy_digest,
        organization_digest=paper.organization_digest,
        snapshot_digest=paper.snapshot_digest,
        lines=tuple(
            DocumentLine(
                line.number,
                line.service or line.heading,
                line.charge_category,
                line.currency,
                line.minor,
                line.heading,
            )
            for line in paper.lines
        ),
        is_showback=paper.is_showback,
    )


def of_statement(statement: Statement) -> PostableDocument:
    """A statement of a run, before anything is issued."""
    return PostableDocument(
        number=str(statement.number),
        period=statement.period,
        holder=statement.holder,
        name=statement.name,
        coding=statement.coding,
        totals=statement.totals,
        policy_digest=statement.policy_digest,
        organization_digest=statement.organization_digest,
        snapshot_digest=statement.snapshot_digest,
        lines=tuple(
            DocumentLine(
                line.number,
                line.service or line.pool_name,
                line.charge_category,
                line.stated.currency,
                line.stated.minor,
                line.pool_name or line.pool_id or line.service,
            )
            for line in statement.lines
        ),
    )
