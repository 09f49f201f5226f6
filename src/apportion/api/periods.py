"""Periods: how far each close is, its tie-out, the acts that lead to the seal, and running work."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from apportion.actions import configured, work_kinds
from apportion.actions.close import charging, closing, sealing, tying
from apportion.actions.close.tying import BooksRow
from apportion.actions.post import journals
from apportion.api.auth import Request
from apportion.api.incoming import Incoming
from apportion.api.route import route
from apportion.api.shapes import (
    Instant,
    Money,
    Named,
    Number,
    Page,
    Paging,
    PeriodText,
    by_currency,
    money,
    named,
    paged,
    period_of,
)
from apportion.errors import NotFoundError
from apportion.post.formats import json_text
from apportion.post.lifecycle import JournalKind
from apportion.records.closes import Close
from apportion.records.rule import Reach
from apportion.records.work import Work, WorkState
from apportion.review.permission import Permission

router = Router(tags=["periods"])
_PEOPLE = ("data_complete_by", "allocated_by", "issued_by", "posted_by", "sealed_by")


class StepOut(Schema):
    """A step of the close that is done, or not."""

    step: str
    done_at: Instant | None
    done_by: Named | None


class PeriodOut(Schema):
    """The close of a billing period."""

    period: str
    steps: list[StepOut]
    review_until: str | None
    run_digest: str
    issued_run_digest: str
    tie_out_holds: bool | None
    cost: list[Money]
    unallocated: list[Money]
    kept_central: list[Money]
    statements: int
    lines: int
    rows: int


class PeriodWhole(PeriodOut):
    """With what stands in the way of sealing it, and its documents by review state."""

    blocking: list[str] = Field(description="Sentences; empty where nothing stands in the way of the seal")
    documents: dict[str, int]
    charged: list[str] = Field(description="Codes of the cost groups that are in chargeback")


def _fields(row: Close) -> dict[str, Any]:
    steps = ("data_complete", "allocated", "issued", "posted", "sealed")
    found = row.summary
    return {
        "period": row.period,
        "steps": [
            StepOut(step=step, done_at=getattr(row, f"{step}_at"), done_by=named(getattr(row, f"{step}_by")))
            for step in steps
        ],
        "review_until": row.review_until.isoformat() if row.review_until else None,
        "run_digest": row.run_digest,
        "issued_run_digest": row.issued_run_digest,
        "tie_out_holds": row.tie_out.get("holds"),
        "cost": by_currency(found.get("totals", {})),
        "unallocated": by_currency(found.get("unallocated", {})),
        "kept_central": by_currency(found.get("kept_central", {})),
        "statements": found.get("statements", 0),
        "lines": found.get("lines", 0),
        "rows": found.get("rows", 0),
    }


def _shape(row: Close) -> PeriodOut:
    return PeriodOut(**_fields(row))


@route(router, "GET", "/periods", Reach.EVERYWHERE, Permission.SEE_CLOSE, gives=Page[PeriodOut])
def list_periods(request: Request, paging: Query[Paging]) -> dict[str, object]:
    """List the periods in the books, the latest first."""
    return paged(request, Close.objects.select_related(*_PEOPLE).order_by("-period"), paging, _shape)


@route(router, "GET", "/periods/{period}", Reach.EVERYWHERE, Permission.SEE_CLOSE, gives=PeriodWhole)
def get_period(request: Request, period: PeriodText) -> PeriodWhole:
    """Get how far the close of a period is, and what stands in the way."""
    return _whole(period)


class Stage(Schema):
    """The whole amount at one stage, and what it is made of."""

    currency: str
    stage: str
    amount: str
    parts: list[dict[str, str]]


class Difference(Schema):
    """Why two stages differ."""

    currency: str
    stage: str
    name: str
    amount: str
    reason: str
    sentence: str
    accepted: bool
    aside: bool


class TieOutOut(Schema):
    """Provider invoices = cost data = allocated = stated = posted; exact amounts as decimal text."""

    document: Literal["tie_out"]
    version: int
    period: str
    cost_basis: str
    holds: bool
    stages: list[Stage]
    differences: list[Difference]
    details: list[dict[str, Any]]
    reporting: dict[str, Any] | None


@route(router, "GET", "/periods/{period}/tie-out", Reach.EVERYWHERE, Permission.SEE_CLOSE, gives=TieOutOut)
def get_tie_out(request: Request, period: PeriodText) -> dict[str, Any]:
    """Get the tie-out of a period as it was allocated last."""
    found: dict[str, Any] = _row(period).tie_out
    if not found:
        raise NotFoundError(f"{period} has not been allocated.", advice="Allocate it first.")
    return found


class BooksLine(Schema):
    """One provider invoice in the books: what was allocated, what was issued, and where that is now."""

    invoice_issuer: str
    invoice_id: str
    billing_account_id: str
    allocated: Money
    issued: Money
    notes: Money
    centre: Money
    reviewed: dict[str, Money]
    posted: Money
    not_posted: Money
    differences: list[str]


class BooksOut(Schema):
    """The tie-out over the books."""

    period: str
    holds: bool
    rows: list[BooksLine]
    differences: list[str]


@route(router, "GET", "/periods/{period}/books", Reach.EVERYWHERE, Permission.SEE_CLOSE, gives=BooksOut)
def get_books(request: Request, period: PeriodText) -> BooksOut:
    """Compare the run of a period with every document issued from it."""
    _row(period)
    found = tying.books_tie_out(period_of(period))
    return BooksOut(
        period=period, holds=found.holds, rows=[_books(row) for row in found.rows], differences=[*found.differences]
    )


def _books(row: BooksRow) -> BooksLine:
    scope = row.scope

    def said(minor: int) -> Money:
        return money(minor, scope.currency)

    return BooksLine(
        invoice_issuer=scope.invoice_issuer,
        invoice_id=scope.invoice_id,
        billing_account_id=scope.billing_account_id,
        allocated=said(row.run),
        issued=said(row.issued),
        notes=said(row.notes),
        centre=said(row.centre),
        reviewed={state: said(minor) for state, minor in row.reviewed.items()},
        posted=said(row.posted),
        not_posted=said(row.not_posted),
        differences=[*row.differences],
    )


@route(router, "POST", "/periods/{period}/data-complete", Reach.EVERYWHERE, Permission.PREPARE, gives=PeriodOut)
def mark_data_complete(request: Request, period: PeriodText) -> PeriodOut:
    """Say that every provider has delivered the period."""
    closing.mark_data_complete(request.actor, period_of(period))
    return _now(period)


class WorkOut(Schema):
    """Something that runs beside the calls."""

    id: int
    kind: str
    period: str
    state: WorkState
    done: int
    of: int
    sentence: str
    result: dict[str, Any]
    error: dict[str, Any]
    created_by: Named | None
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None


def work_shape(row: Work) -> WorkOut:
    """How far a piece of work is."""
    return WorkOut(
        id=row.pk,
        kind=row.kind,
        period=row.period,
        state=WorkState(row.state),
        done=row.done_parts,
        of=row.all_parts,
        sentence=row.sentence,
        result=row.result,
        error=row.error,
        created_by=named(row.created_by),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


@route(router, "POST", "/periods/{period}/allocate", Reach.EVERYWHERE, Permission.PREPARE, gives=WorkOut, status=202)
def allocate_period(request: Request, period: PeriodText) -> WorkOut:
    """Allocate a period: asks for the work, which `/work/{work}` tells of."""
    return work_shape(work_kinds.ask_to_allocate(request.actor, period_of(period)))


@route(router, "POST", "/periods/{period}/issue", Reach.EVERYWHERE, Permission.ISSUE, gives=WorkOut, status=202)
def issue_period(request: Request, period: PeriodText) -> WorkOut:
    """Issue all documents of a period, or none: asks for the work, which `/work/{work}` tells of."""
    return work_shape(work_kinds.ask_to_issue(request.actor, period_of(period)))


class SealOut(PeriodOut):
    """The period, sealed; a large one is being sealed by `work`."""

    work: WorkOut | None


@route(router, "POST", "/periods/{period}/seal", Reach.EVERYWHERE, Permission.SEAL, gives=SealOut)
def seal_period(request: Request, period: PeriodText) -> SealOut:
    """Seal a period for ever."""
    done = work_kinds.seal_or_ask(request.actor, period_of(period))
    return SealOut(**_fields(_row(period)), work=work_shape(done) if isinstance(done, Work) else None)


class Preview(Schema):
    """The journal that would be drawn up now; `journal` is null where nothing waits."""

    period: str
    journal: dict[str, Any] | None = Field(description="As journal files in JSON are written")


class PreviewWanted(Incoming):
    """Of which kind."""

    kind: JournalKind = JournalKind.TRANSFER


@route(router, "GET", "/periods/{period}/journal", Reach.EVERYWHERE, Permission.SEE_CLOSE, gives=Preview)
def preview_journal(request: Request, period: PeriodText, wanted: Query[PreviewWanted]) -> Preview:
    """See the journal that would be drawn up now, and be refused for what drawing it up would be. Changes nothing."""
    found = journals.preview(period_of(period), wanted.kind)
    if found is not None:
        journals.require_taken(found)
    return Preview(period=period, journal=json_text.document(found) if found else None)


class WorkWanted(Paging):
    """Which work."""

    period: PeriodText | None = None
    state: WorkState | None = None


@route(router, "GET", "/work", Reach.EVERYWHERE, Permission.SEE_CLOSE, gives=Page[WorkOut])
def list_work(request: Request, wanted: Query[WorkWanted]) -> dict[str, object]:
    """List running and finished work, the latest first."""
    rows = Work.objects.select_related("created_by")
    if wanted.period is not None:
        rows = rows.filter(period=wanted.period)
    if wanted.state is not None:
        rows = rows.filter(state=wanted.state)
    return paged(request, rows.order_by("-pk"), wanted, work_shape)


@route(router, "GET", "/work/{work}", Reach.EVERYWHERE, Permission.SEE_CLOSE, gives=WorkOut)
def get_work(request: Request, work: Number) -> WorkOut:
    """Get how far a piece of work is."""
    row = Work.objects.select_related("created_by").filter(pk=work).first()
    if row is None:
        raise NotFoundError("There is no such work.", advice="Look at the list.")
    return work_shape(row)


def _row(period: str) -> Close:
    row = Close.objects.select_related(*_PEOPLE).filter(period=period).first()
    if row is None:
        raise NotFoundError(f"{period} is not in the books.", advice="Its close begins with its data.")
    return row


def _now(period: str) -> PeriodOut:
    return _shape(_row(period))


def _whole(period: str) -> PeriodWhole:
    row = _row(period)
    of = period_of(period)
    return PeriodWhole(
        **_fields(row),
        blocking=[*sealing.blocking(of, configured.current())],
        documents=tying.by_state(of),
        charged=sorted(charging.charged(of)),
    )
