"""Cost groups: the tree, who answers, whether each is charged, and whether it is ready to be."""

from __future__ import annotations

from typing import Literal

from ninja import Query, Router, Schema
from pydantic import Field

from apportion.actions.close import charging
from apportion.api.auth import Request
from apportion.api.document_shapes import CodingOut, GroupStep, OwnersOut
from apportion.api.reviews import Why
from apportion.api.route import route
from apportion.api.shapes import (
    GroupName,
    Instant,
    Named,
    Number,
    Page,
    Paging,
    PeriodText,
    Short,
    group_name,
    paged,
    period_of,
)
from apportion.records import reach
from apportion.records.groups import Charging, CostGroup, Mode
from apportion.records.rule import Reach
from apportion.review.permission import Permission
from apportion.review.readiness import Measure

router = Router(tags=["cost groups"])


class ModeOut(Schema):
    """From a period on, a group is shown its cost or charged with it."""

    charging: Charging
    from_period: str
    reason: str
    decided_by: Named
    decided_at: Instant


class GroupOut(Schema):
    """A node of the tree."""

    id: int
    code: str
    name: str
    parent: int | None
    depth: int
    currency: str
    owners: OwnersOut
    coding: CodingOut
    current: bool = Field(description="In the latest tree; what is no more keeps its documents")
    modes: list[ModeOut] = Field(description="Without one, it is in showback")


class GroupWhole(GroupOut):
    """With its way from the top, as far as you may see it, and the groups right below it."""

    path: list[GroupStep]
    children: list[GroupName]


def _mode(row: Mode) -> ModeOut:
    return ModeOut(
        charging=Charging(row.charging),
        from_period=row.from_period,
        reason=row.reason,
        decided_by=Named(id=row.decided_by_id, name=str(row.decided_by)),
        decided_at=row.decided_at,
    )


def _fields(row: CostGroup) -> dict[str, object]:
    return {
        "id": row.pk,
        "code": row.code,
        "name": row.name,
        "parent": row.parent_id,
        "depth": row.depth,
        "currency": row.currency,
        "owners": OwnersOut(**{kind: str(row.owners.get(kind, "")) for kind in ("finance", "technical", "business")}),
        "coding": CodingOut(
            company=row.company,
            cost_center=row.cost_center,
            department=row.department,
            ledger_account=row.ledger_account,
        ),
        "current": row.is_current,
        "modes": [_mode(mode) for mode in row.modes.all()],
    }


def _shape(row: CostGroup) -> GroupOut:
    return GroupOut(**_fields(row))  # type: ignore[arg-type]


class GroupFilter(Paging):
    """Which groups."""

    below: Number | None = Field(None, description="This one and all below it")
    current: bool | None = True
    search: Short | None = Field(None, description="Part of a code or name")


@route(router, "GET", "/cost-groups", Reach.SOMEWHERE, Permission.SEE_DOCUMENTS, gives=Page[GroupOut])
def list_cost_groups(request: Request, wanted: Query[GroupFilter]) -> dict[str, object]:
    """List the cost groups that you may see, in the order of the tree."""
    rows = reach.cost_groups(request.actor.rights).prefetch_related("modes__decided_by")
    if wanted.current is not None:
        rows = rows.filter(is_current=wanted.current)
    if wanted.below is not None:
        rows = rows.filter(path__startswith=reach.cost_group(request.actor.rights, wanted.below).path)
    if wanted.search:
        rows = rows.filter(code__icontains=wanted.search) | rows.filter(name__icontains=wanted.search)
    return paged(request, rows, wanted, _shape)


@route(router, "GET", "/cost-groups/{group}", Reach.OBJECT, Permission.SEE_DOCUMENTS, gives=GroupWhole)
def get_cost_group(request: Request, group: Number) -> GroupWhole:
    """Get a cost group with its place in the tree."""
    row = reach.cost_group(request.actor.rights, group)
    seen = reach.cost_groups(request.actor.rights)
    above = seen.filter(pk__in=[int(part) for part in row.path.strip("/").split("/") if part]).order_by("depth")
    children = seen.filter(parent=row)
    return GroupWhole(
        **_fields(row),  # type: ignore[arg-type]
        path=[GroupStep(code=each.code, name=each.name) for each in above],
        children=[name for each in children if (name := group_name(each)) is not None],
    )


class ReadyRow(Schema):
    """One measure against its threshold; shares are millionths."""

    measure: Measure
    unit: Literal["ppm", "months", "disputes"]
    value: int | None
    threshold: int
    met: bool
    sentence: str


class Readiness(Schema):
    """Is a group ready to be charged?"""

    ready: bool
    rows: list[ReadyRow]


@route(router, "GET", "/cost-groups/{group}/readiness", Reach.OBJECT, Permission.SEE_DOCUMENTS, gives=Readiness)
def get_readiness(request: Request, group: Number) -> Readiness:
    """See whether a cost group is ready for chargeback."""
    rows = charging.readiness_of(reach.cost_group(request.actor.rights, group))
    return Readiness(
        ready=all(row.is_met for row in rows),
        rows=[
            ReadyRow(
                measure=row.measure,
                unit=row.unit.value,
                value=row.value,
                threshold=row.threshold,
                met=row.is_met,
                sentence=row.sentence,
            )
            for row in rows
        ],
    )


class Charge(Why):
    """Show a group its cost, or charge it, from a period on."""

    charging: Charging
    from_period: PeriodText


@route(router, "POST", "/cost-groups/{group}/charging", Reach.EVERYWHERE, Permission.MOVE_TO_CHARGEBACK, gives=ModeOut)
def set_charging(request: Request, group: Number, body: Charge) -> ModeOut:
    """Move a cost group to chargeback, or back to showback, from a period on."""
    made = charging.set_charging(request.actor, group, body.charging, period_of(body.from_period), body.reason)
    return _mode(Mode.objects.select_related("decided_by").get(pk=made.pk))
