"""What was delivered, and what was found in it."""

from __future__ import annotations

from ninja import Query, Router, Schema
from pydantic import Field

from apportion.actions.workspace import workspace
from apportion.api.auth import Request
from apportion.api.route import route
from apportion.api.shapes import Page, Paging, PeriodText, Short, paged, period_of
from apportion.focus.finding import Behaviour, Finding
from apportion.records.rule import Reach
from apportion.review.permission import Permission
from apportion.warehouse.record import Dataset, Delivery, Mode

router = Router(tags=["deliveries"])
_SEE = Permission.SEE_CLOSE


class FileOut(Schema):
    """A file as it came."""

    name: str
    size: int = Field(description="Bytes")
    rows: int
    sha256: str


class DeliveryOut(Schema):
    """One received set of files."""

    id: str
    source: str
    dataset: Dataset
    focus_version: str
    mode: Mode
    received_at: str
    periods: list[str]
    current: bool = Field(description="Nothing newer has taken its place")
    findings: int
    files: list[FileOut]


class DeliveryFilter(Paging):
    """Which deliveries."""

    period: PeriodText | None = None
    source: Short | None = None


@route(router, "GET", "/deliveries", Reach.EVERYWHERE, _SEE, gives=Page[DeliveryOut])
def list_deliveries(request: Request, wanted: Query[DeliveryFilter]) -> dict[str, object]:
    """List what was delivered, the latest first."""
    place = workspace()
    period = period_of(wanted.period) if wanted.period is not None else None
    rows = [each for each in place.deliveries(period) if wanted.source in {None, each.source}]
    current = {each.id for of in (None, *place.periods()) for each in place.current(of)}
    rows.sort(key=lambda each: (each.received_at, each.id), reverse=True)
    return paged(request, rows, wanted, lambda each: _delivery(each, is_current=each.id in current))


def _delivery(each: Delivery, *, is_current: bool) -> DeliveryOut:
    held = (each.totals, each.quarantined, each.invoices, each.statuses, each.usage)
    return DeliveryOut(
        id=each.id,
        source=each.source,
        dataset=each.dataset,
        focus_version=each.focus_version,
        mode=each.mode,
        received_at=each.received_at,
        periods=sorted({str(period) for part in held for period in part}),
        current=is_current,
        findings=len(each.findings),
        files=[FileOut(name=file.name, size=file.size, rows=file.rows, sha256=file.sha256) for file in each.files],
    )


class Example(Schema):
    """One row where it was found."""

    row: int = Field(description="Counted from 1; 0 is the file as a whole")
    value: str


class FindingOut(Schema):
    """Something in the data that a person should know."""

    source: str
    delivery: str
    code: str
    behaviour: Behaviour
    sentence: str
    advice: str
    file: str
    column: str
    rows: int
    examples: list[Example]


@route(router, "GET", "/findings", Reach.EVERYWHERE, _SEE, gives=Page[FindingOut])
def list_findings(request: Request, wanted: Query[DeliveryFilter]) -> dict[str, object]:
    """List what was found in the current deliveries, those in most rows first."""
    period = period_of(wanted.period) if wanted.period is not None else None
    rows = sorted(workspace().findings(period, wanted.source), key=lambda each: -each[1].rows)
    return paged(request, rows, wanted, _finding)


def _finding(each: tuple[Delivery, Finding]) -> FindingOut:
    delivery, finding = each
    return FindingOut(
        source=delivery.source,
        delivery=delivery.id,
        code=finding.code,
        behaviour=finding.behaviour,
        sentence=finding.sentence,
        advice=finding.advice,
        file=finding.file,
        column=finding.column,
        rows=finding.rows,
        examples=[Example(row=example.row, value=example.value) for example in finding.examples],
    )
