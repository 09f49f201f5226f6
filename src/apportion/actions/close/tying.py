"""The tie-out over the books: what the run says is what was issued, and whatever was issued is in some state.

Amounts are minor units as billed, by provider invoice (or issuer) and currency, so that conversion cannot hide a cent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet, Sum

from apportion.actions.close.charging import MONTHLY
from apportion.actions.workspace import workspace
from apportion.allocate.allocation import Scope
from apportion.close import run as runs
from apportion.errors import TieOutError
from apportion.invoice.credit_note import NOTES
from apportion.invoice.wording import grouped, scope_text
from apportion.periods import BillingPeriod
from apportion.records.closes import Close
from apportion.records.documents import Document, DocumentLine
from apportion.review.settlement import Where
from apportion.review.states import Issue, Posting, Review

_STATES = (Review.ACCEPTED, Review.DEEMED, Review.DISPUTED, Review.AWAITING)
_TO_THE_CENTRE = (Where.KEPT_CENTRAL, Where.UNALLOCATED)


@dataclass(frozen=True, slots=True)
class BooksRow:
    """One scope of a period, in minor units of its currency.

    `run` is what was allocated; `issued` all statements and invoices that are out; `notes` what credit and debit notes
    of the period add to that, and `centre` what the settlement of disputes left with the payer instead (their sum is
    zero). `reviewed` has `issued + notes` by review state; `posted` and `not_posted` divide the same.
    """

    scope: Scope
    run: int
    issued: int
    notes: int
    centre: int
    reviewed: Mapping[str, int]
    posted: int
    not_posted: int

    @property
    def differences(self) -> tuple[str, ...]:
        """What does not agree, in sentences; nothing where all does."""
        whole = self.issued + self.notes
        currency = self.scope.currency
        found = []
        for name, minor in (
            ("The documents differ from the run", self.issued - self.run),
            ("Credit and debit notes do not cancel out", self.notes + self.centre),
            ("Documents are in no review state", whole - sum(self.reviewed.values())),
            ("What is posted and not posted is not all of it", whole - self.posted - self.not_posted),
        ):
            if minor:
                found.append(f"{name} by {grouped(minor, currency)} {currency} ({scope_text(self.scope)}).")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class BooksTieOut:
    """All scopes of a period, and what is wrong beside amounts, such as a damaged document."""

    period: BillingPeriod
    rows: tuple[BooksRow, ...]
    faults: tuple[str, ...] = ()

    @property
    def differences(self) -> tuple[str, ...]:
        """Everything that does not agree."""
        return (*self.faults, *(sentence for row in self.rows for sentence in row.differences))

    @property
    def holds(self) -> bool:
        """Whether all agrees."""
        return not self.differences

    @property
    def sums(self) -> dict[str, BooksRow]:
        """The rows added up by currency."""
        found: dict[str, _Sums] = {}
        for row in self.rows:
            found.setdefault(row.scope.currency, _Sums()).take(row)
        return {currency: sums.row(Scope("", "", "", currency)) for currency, sums in sorted(found.items())}

    def require(self) -> None:
        """Raise `TieOutError` unless it holds."""
        if self.differences:
            more = len(self.differences) - 1
            rest = f" And {more} more." if more else ""
            raise TieOutError(
                f"The books of {self.period} do not tie out. {self.differences[0]}{rest}",
                advice="Look at the tie-out of the period; apportion books check looks at every document.",
            )


@dataclass(slots=True)
class _Sums:
    run: int = 0
    issued: int = 0
    notes: int = 0
    centre: int = 0
    posted: int = 0
    not_posted: int = 0
    reviewed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, _STATES), 0))

    def take(self, row: BooksRow) -> None:
        """Add a row."""
        for name in ("run", "issued", "notes", "centre", "posted", "not_posted"):
            setattr(self, name, getattr(self, name) + getattr(row, name))
        for state, minor in row.reviewed.items():
            self.reviewed[state] = self.reviewed.get(state, 0) + minor

    def row(self, scope: Scope) -> BooksRow:
        """The sums as a row."""
        return BooksRow(
            scope, self.run, self.issued, self.notes, self.centre, dict(self.reviewed), self.posted, self.not_posted
        )


def books_tie_out(period: BillingPeriod) -> BooksTieOut:
    """Compare the run that a period was issued from with every document and its state.

    Raises `NotFoundError` where the period was not allocated.
    """
    found: dict[Scope, _Sums] = defaultdict(_Sums)
    faults = []
    close = Close.objects.filter(period=str(period)).first()
    run = runs.current(workspace(), period)
    if close is None or not close.issued_at:
        faults.append("Nothing was issued.")
    elif close.issued_run_digest != run.digest:
        faults.append("The period was allocated anew after its documents were issued.")
    for line in run.allocation.lines:
        found[line.scope].run += line.minor
    for scope, kind, review, posting, minor in _lines(period):
        sums = found[scope]
        if kind in NOTES:
            sums.notes += minor
        else:
            sums.issued += minor
        sums.reviewed[review] = sums.reviewed.get(review, 0) + minor
        if posting == Posting.POSTED:
            sums.posted += minor
        else:
            sums.not_posted += minor
    for scope, minor in _centre(period):
        found[scope].centre += minor
    uncounted = _broken(period)
    faults += [f"{label} is not the sum of its lines." for label in uncounted]
    rows = tuple(found[scope].row(scope) for scope in sorted(found))
    return BooksTieOut(period, rows, tuple(faults))


def _counted(period: BillingPeriod) -> Q:
    return Q(document__period=str(period), document__issue_state=Issue.ISSUED)


_SCOPE = ("invoice_issuer", "invoice_id", "billing_account_id", "billed_currency")


def _lines(period: BillingPeriod) -> Iterable[tuple[Scope, str, str, str, int]]:
    rows = (
        DocumentLine.objects.filter(_counted(period))
        .values_list(*_SCOPE, "document__kind", "document__review_state", "document__posting_state")
        .annotate(minor=Sum("billed_minor"))
        .order_by()
    )
    return ((Scope(*row[:4]), *row[4:]) for row in rows)


def _centre(period: BillingPeriod) -> Iterable[tuple[Scope, int]]:
    """What settlements left with the payer: the opposite of those notes that have nobody on the other side."""
    rows = (
        DocumentLine.objects.filter(
            _counted(period), document__kind__in=NOTES, document__dispute__settlement__in=_TO_THE_CENTRE
        )
        .values_list(*_SCOPE)
        .annotate(minor=Sum("billed_minor"))
        .order_by()
    )
    return ((Scope(*row[:4]), -row[4]) for row in rows)


def _broken(period: BillingPeriod) -> list[str]:
    """Documents whose lines and totals differ."""
    documents = Document.objects.filter(period=str(period), issue_state=Issue.ISSUED)
    return [
        str(label)
        for label, lines, totals in _both(documents)
        if {currency: minor for currency, minor in lines.items() if minor}
        != {currency: minor for currency, minor in totals.items() if minor}
    ]


def _both(documents: QuerySet[Document]) -> Iterable[tuple[str | None, dict[str, int], dict[str, int]]]:
    lines: dict[int, dict[str, int]] = defaultdict(dict)
    totals: dict[int, dict[str, int]] = defaultdict(dict)
    for pk, currency, minor in documents.values_list("pk", "lines__currency").annotate(
        minor=Sum("lines__amount_minor")
    ):
        if currency is not None:
            lines[pk][currency] = minor
    for pk, currency, minor in documents.values_list("pk", "totals__currency", "totals__amount_minor"):
        if currency is not None:
            totals[pk][currency] = minor
    for pk, label in documents.values_list("pk", "label"):
        yield label, lines[pk], totals[pk]


def by_state(period: BillingPeriod) -> dict[str, int]:
    """How many documents of a period are in each review state."""
    rows = Document.objects.filter(period=str(period), issue_state=Issue.ISSUED, kind__in=MONTHLY)
    return dict(rows.values_list("review_state").annotate(count=Count("pk")).order_by())
