"""Giving out numbers: drafts become issued documents, each with the next number of its series, without a gap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from django.utils import timezone

from apportion.actions.acting import Actor
from apportion.errors import NotFoundError
from apportion.invoice import series as numbers
from apportion.invoice.paper import Paper
from apportion.periods import BillingPeriod
from apportion.records import convert
from apportion.records.documents import Document, Series
from apportion.records.groups import CostGroup
from apportion.review.states import Review
from apportion.settings import Settings

_AT_ONCE = 500  # what one query may be asked for


@dataclass(frozen=True, slots=True)
class Draft:
    """A paper without number and dates, who prepared it, and what it belongs to. `before` are last month's totals."""

    paper: Paper
    prepared_by_id: int | None
    about_id: int | None = None
    dispute_id: int | None = None
    before: Mapping[str, int] = field(default_factory=dict)


def put_out(
    actor: Actor,
    drafts: Sequence[Draft],
    settings: Settings,
    *,
    review_until: date | None,
    review: Review = Review.AWAITING,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Document]:
    """Number drafts in their order and save them as issued, inside the caller's transaction.

    The rows of the series are locked until it ends, so that a number that is not used is not given out. Permission,
    states and the audit entry are the caller's. Raises `NotFoundError` for a cost group that the books do not know.
    """
    groups = _groups({draft.paper.code for draft in drafts if draft.paper.code})
    wanted = [_series(draft.paper, settings) for draft in drafts]
    rows = _locked(sorted({str(each) for each in wanted}))
    given = numbers.numbered(wanted, {each: rows[str(each)].last_number for each in wanted})
    today = timezone.localdate()
    numbered = (
        convert.Numbered(
            replace(
                draft.paper,
                label=numbers.label(series, number, settings.statement_prefix),
                issued_on=today,
                review_until=review_until,
            ),
            series_id=rows[str(series)].pk,
            number=number,
            cost_group_id=groups[draft.paper.code] if draft.paper.code else None,
            prepared_by_id=draft.prepared_by_id,
            about_id=draft.about_id,
            dispute_id=draft.dispute_id,
            before=draft.before,
        )
        for draft, series, number in zip(drafts, wanted, given, strict=True)
    )
    by = actor.person.pk if actor.person else None
    documents = convert.keep(numbered, issued_at=timezone.now(), issued_by_id=by, review=review)
    for series, number in zip(wanted, given, strict=True):
        rows[str(series)].last_number = number
    for row in rows.values():
        row.save(update_fields=["last_number"])
    progress(len(documents))
    return documents


def _series(paper: Paper, settings: Settings) -> numbers.Series:
    """What nobody is charged with is the payer's."""
    entity = paper.coding.company or settings.payer.company
    period = BillingPeriod.parse(paper.period)
    return numbers.series_of(paper.kind, entity, period, settings.fiscal_year_starts, showback=paper.is_showback)


def _locked(names: Sequence[str]) -> dict[str, Series]:
    """The rows of series by name, made where they are new; always locked in the same order."""
    Series.objects.bulk_create([Series(name=name) for name in names], ignore_conflicts=True)
    return {row.name: row for row in Series.objects.select_for_update().filter(name__in=names).order_by("name")}


def _groups(codes: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    order = sorted(codes)
    for place in range(0, len(order), _AT_ONCE):
        some = order[place : place + _AT_ONCE]
        found |= dict(CostGroup.objects.filter(code__in=some).values_list("code", "pk"))
    if missing := [code for code in order if code not in found]:
        raise NotFoundError(
            f"The books do not know the cost group '{missing[0]}'.",
            advice="Allocate the period again: that brings the tree into the books.",
        )
    return found
