"""The one model of a document: everything that its page, PDF, spreadsheet and CSV say, frozen when it is issued.

Takes no part in settling: every amount was settled before. Renderers take a `Paper` and a locale and nothing else, so
that the same paper gives the same bytes for ever. `to_json` is how the books keep it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache

from pydantic import TypeAdapter, ValidationError

from apportion.errors import BadValueError, ConservationError
from apportion.organization.coding import Coding
from apportion.organization.ownership import Owners


class PaperKind(StrEnum):
    """What a document is. A statement is showback: it is for reading, and nothing of it is posted."""

    STATEMENT = "statement"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"


class PaperLineKind(StrEnum):
    """Where a line's amount comes from: charges of its own, a share of a pool, or an agreed adjustment."""

    DIRECT = "direct"
    SHARE = "share"
    ADJUSTMENT = "adjustment"


class Part(StrEnum):
    """Why an amount differs from the month before."""

    PRICE = "price"  # the same resources, at another unit price
    USAGE = "usage"  # the same resources, more or less of them
    NEW = "new"  # resources that the month before did not have
    GONE = "gone"  # resources that this month does not have any more
    POOL = "pool"  # the shared cost itself grew or fell, at the former share of it
    ALLOCATION = "allocation"  # another share of it, or a rule that brings charges here or elsewhere
    CORRECTION = "correction"  # late corrections of closed months
    EXCHANGE = "exchange"  # another rate of exchange
    ROUNDING = "rounding"  # what settling to whole minor units leaves


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A line; `minor` is what it adds to the total of `currency`, `billed_minor` what the provider billed it in.

    `rate` says the rate of exchange in words where the two currencies differ. `reason` is the plain sentence why the
    line is here. `corrects` is the billing period of a late correction (``2026-05``). `of_line` is the line of another
    document that an adjustment is about, as in ``KES-2026-000017:3``.
    """

    number: int
    kind: PaperLineKind
    service: str
    charge_category: str
    pool_id: str
    pool_name: str
    method: str
    reason: str
    invoice_issuer: str
    invoice_id: str
    billing_account_id: str
    billed_currency: str
    billed_minor: int
    currency: str
    minor: int
    rate: str = ""
    rows: int = 0
    corrects: str = ""
    of_line: str = ""

    @property
    def heading(self) -> str:
        """What the line is grouped under: its service, or the pool that it is a share of."""
        return self.pool_name or self.pool_id or self.service


@dataclass(frozen=True, slots=True)
class PaperTotal:
    """The sum of the lines in one currency, direct and shared cost (and adjustments) apart."""

    currency: str
    minor: int
    direct_minor: int
    shared_minor: int
    adjusted_minor: int = 0

    def __post_init__(self) -> None:
        if self.direct_minor + self.shared_minor + self.adjusted_minor != self.minor:
            raise ConservationError(f"A total in {self.currency} is not the sum of its direct and shared cost.")


@dataclass(frozen=True, slots=True)
class Driver:
    """One of the largest reasons behind a part: what it is about, such as a service and resource, and its amount."""

    part: Part
    about: str
    minor: int


@dataclass(frozen=True, slots=True)
class Change:
    """Why a total differs from the month before, in one currency: `parts` sum to `after_minor - before_minor`."""

    currency: str
    before_minor: int
    after_minor: int
    parts: tuple[tuple[Part, int], ...]
    drivers: tuple[Driver, ...] = ()

    def __post_init__(self) -> None:
        if sum(minor for _, minor in self.parts) != self.after_minor - self.before_minor:
            raise ConservationError(f"The parts of a change in {self.currency} do not sum to it.")


@dataclass(frozen=True, slots=True)
class MonthTotal:
    """What the same holder carried in one month, for the chart of twelve."""

    period: str
    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class PaperBudget:
    """What was planned for the period."""

    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class Paper:
    """A document as it is printed. `label` is its number; until it is issued, `issued_on` is None and it is a draft.

    `statement` is the number of the run's statement that it was made from (``KES-2026-10-0004``), by which every line
    can be explained; empty for credit and debit notes. `about` is the label of the document that one of those adjusts,
    and `note` says why; `showback` marks a note to somebody who is in showback, which is never posted. `path`
    holds (code, name) from the top of the tree. Raises `ConservationError` where totals are not the sums of lines.
    """

    kind: PaperKind
    label: str
    statement: str
    company: str
    period: str
    issued_on: date | None
    review_until: date | None
    holder: str
    code: str
    name: str
    path: tuple[tuple[str, str], ...]
    owners: Owners
    coding: Coding
    cost_basis: str
    lines: tuple[PaperLine, ...]
    totals: tuple[PaperTotal, ...]
    policy_name: str
    policy_digest: str
    organization_digest: str
    snapshot_digest: str
    run_digest: str
    changes: tuple[Change, ...] = ()
    history: tuple[MonthTotal, ...] = ()
    budgets: tuple[PaperBudget, ...] = ()
    about: str = ""
    note: str = ""
    showback: bool = False

    @property
    def is_showback(self) -> bool:
        """Is it for reading only: a statement, or a note to somebody in showback?"""
        return self.showback or self.kind is PaperKind.STATEMENT

    def __post_init__(self) -> None:
        if self.totals != totals(self.lines):
            raise ConservationError(f"The totals of {self.label} are not the sums of its lines.")


_COLUMN = {PaperLineKind.DIRECT: 1, PaperLineKind.SHARE: 2, PaperLineKind.ADJUSTMENT: 3}


def totals(lines: tuple[PaperLine, ...]) -> tuple[PaperTotal, ...]:
    """The sums of lines in each currency, in the order of the currency codes."""
    sums: dict[str, list[int]] = {}
    for line in lines:
        found = sums.setdefault(line.currency, [0, 0, 0, 0])
        found[0] += line.minor
        found[_COLUMN[line.kind]] += line.minor
    return tuple(PaperTotal(currency, *sums[currency]) for currency in sorted(sums))


@cache
def _adapter() -> TypeAdapter[Paper]:
    return TypeAdapter(Paper)


def to_json(paper: Paper) -> str:
    """The paper as one line of JSON, the same bytes for the same paper."""
    return _adapter().dump_json(paper).decode()


def from_json(text: str) -> Paper:
    """Read what `to_json` wrote. Raises `BadValueError` for anything else."""
    try:
        return _adapter().validate_json(text)
    except ValidationError as error:
        raise BadValueError("This is not a document that Apportion keeps.", advice="Restore it.") from error
