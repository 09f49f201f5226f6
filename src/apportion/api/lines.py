"""From a line down to its resources, days and delivered rows; each page adds up to the line."""

from __future__ import annotations

from typing import Any

from ninja import Query, Router, Schema
from pydantic import Field

from apportion.actions.workspace import workspace
from apportion.api.auth import Request
from apportion.api.route import route
from apportion.api.shapes import Number, Page, Paging, Short, page_of, period_of
from apportion.close import drill
from apportion.errors import NotFoundError
from apportion.invoice.paper import PaperLineKind
from apportion.money.amount import plain
from apportion.records import reach
from apportion.records.rule import Reach
from apportion.review.permission import Permission
from apportion.review.states import StateError

router = Router(tags=["documents"])
_SEE = Permission.SEE_DOCUMENTS


class PoolPart(Schema):
    """A pool behind a shared line; exact amounts as decimal text."""

    pool: str
    name: str
    amount: str
    part: str = Field(description="What of the pool's amount the line holds")
    share: str = Field(description="The same as an exact fraction")
    direct: bool


class ResourceOut(Schema):
    """One resource behind a line; amounts are exact, in the currency that the line was billed in."""

    token: str = Field(description="Names it for the list of its rows")
    pool: str
    id: str
    name: str
    type: str
    region: str
    sub_account: str
    service: str
    sku: str
    quantity: str | None
    unit: str
    rows: int
    amount: str
    part: str = Field(description="What of the amount the line holds")
    last_month: str | None


class ResourcePage(Page[ResourceOut]):
    """Resources behind a line."""

    currency: str
    rows: int
    pools: list[PoolPart]


@route(router, "GET", "/documents/{document}/lines/{line}/resources", Reach.OBJECT, _SEE, gives=ResourcePage)
def list_resources(request: Request, document: Number, line: Number, paging: Query[Paging]) -> dict[str, Any]:
    """List the resources behind a line, the largest first; those of a pool are for people who see the whole close."""
    _require_own(request, document, line)
    found = drill.resources(workspace(), _reference(request, document, line), page=paging.page, size=paging.limit)
    items = [
        ResourceOut(
            token=each.token,
            pool=each.pool_id,
            id=each.id,
            name=each.name,
            type=each.type,
            region=each.region,
            sub_account=each.sub_account,
            service=each.service,
            sku=each.sku,
            quantity=None if each.quantity is None else plain(each.quantity),
            unit=each.unit,
            rows=each.rows,
            amount=plain(each.units),
            part=plain(each.part_units),
            last_month=None if each.last_units is None else plain(each.last_units),
        )
        for each in found.resources
    ]
    pools = [
        PoolPart(
            pool=each.pool_id,
            name=each.name,
            amount=plain(each.units),
            part=plain(each.part_units),
            share=str(each.fraction),
            direct=each.direct,
        )
        for each in found.pools
    ]
    more = {"currency": found.line.scope.currency, "rows": found.rows, "pools": pools}
    return page_of(items, found.count, request, paging) | more


class DayOut(Schema):
    """The charges behind a line that start on one day."""

    day: str = Field(description="Empty where none is known")
    rows: int
    amount: str
    part: str


@route(router, "GET", "/documents/{document}/lines/{line}/days", Reach.OBJECT, _SEE, gives=list[DayOut])
def list_days(request: Request, document: Number, line: Number) -> list[DayOut]:
    """List the charges behind a line by the day that they start on."""
    found = drill.days(workspace(), _reference(request, document, line))
    return [
        DayOut(day=each.day, rows=each.rows, amount=plain(each.units), part=plain(each.part_units)) for each in found
    ]


class RowOut(Schema):
    """A row as it was delivered: file, data row from 1, its cost, and the text in each column that it fills."""

    file: str
    row: int
    amount: str
    columns: dict[str, str]


class RowsPage(Page[RowOut]):
    """Delivered rows of one resource; `amount` is what all of them come to."""

    amount: str


class RowsWanted(Paging):
    """Of which resource."""

    token: Short


@route(router, "GET", "/documents/{document}/lines/{line}/rows", Reach.OBJECT, _SEE, gives=RowsPage)
def list_rows(request: Request, document: Number, line: Number, wanted: Query[RowsWanted]) -> dict[str, Any]:
    """List the delivered rows of one resource of a line, the largest first; of a pool as its resources."""
    _require_own(request, document, line)
    reference = _reference(request, document, line)
    found = drill.rows(workspace(), reference, wanted.token, page=wanted.page, size=wanted.limit)
    items = [
        RowOut(file=each.file, row=each.row, amount=plain(each.units), columns={**each.columns}) for each in found.rows
    ]
    return page_of(items, found.count, request, wanted) | {"amount": plain(found.units)}


def _require_own(request: Request, document: int, line: int) -> None:
    """A pool holds what is others', too: as on the pages, its resources are not shown to those who pay a part of it.

    Raises `NotFoundError` for a document out of reach, `ForbiddenError` for a line that is a share.
    """
    row = reach.document(request.actor.rights, document)
    if row.lines.filter(number=line, kind=PaperLineKind.SHARE).exists():
        request.actor.rights.require(Permission.SEE_CLOSE)


def _reference(request: Request, document: int, line: int) -> str:
    """The run's name of a line of a document that the caller may see. Raises `NotFoundError`."""
    row = reach.document(request.actor.rights, document)
    if not row.statement or not row.lines.filter(number=line).exists():
        raise NotFoundError(
            f"{row} has no line {line} with charges behind it.", advice="Look at the document's lines; notes have none."
        )
    run = workspace().current_run(period_of(row.period))
    if run is None or run.name != row.run_digest:
        raise StateError(
            f"{row.period} was allocated anew after {row} was issued.",
            advice="Its lines say what they said; what is behind them can only be shown of the latest run.",
        )
    return f"{row.statement}:{line}"
